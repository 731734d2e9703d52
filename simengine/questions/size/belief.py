"""The weakest belief in the effect with which terms still exist that everybody can sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.asked import names_asked, number
from simengine.config import Study
from simengine.config.sizing import PartySide
from simengine.distributions import Constant
from simengine.errors import UsageError
from simengine.questions.size.answer import refuse_impossible_terms, sizing_of, stored_for_sizing, table_of
from simengine.questions.size.no_deal import NoDeal, explain_no_deal
from simengine.questions.size.search import Candidate, TermSearch
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble

_COARSE = 64
"""Term sheets that are tried at each belief."""
_HALVINGS = 7
MOST_MULTIPLES = 2 + _HALVINGS + 2
"""Multiples of the effect at which replications are simulated: both ends, those between, and the last two with fresh replications."""


@dataclass(frozen=True)
class BeliefPoint:
    """Whether there is a deal when the effect is believed to be so many times what the study says."""

    multiple: float
    """The multiple."""
    is_deal: bool
    """Whether there is a deal."""
    is_clear: bool
    """Whether that would be so if every limit were 1.96 standard errors tighter, or wider."""


@dataclass(frozen=True, repr=False)
class WeakestBelief(Answer):
    """Below which belief in the effect no deal exists."""

    parties: tuple[str, ...]
    """Whose belief is changed."""
    low: float
    """The largest multiple that was tried without a deal."""
    high: float
    """The smallest with one: the answer."""
    tried: tuple[BeliefPoint, ...]
    """The multiples that were tried."""
    below: NoDeal
    """Why there is none at `low`."""
    fresh: tuple[BeliefPoint, BeliefPoint]
    """At `low` and at `high`, in replications that had no part in finding them."""

    @property
    def surely(self) -> tuple[float, float]:
        """The largest multiple with surely no deal, and the smallest with surely one: noise allows no closer answer."""
        without = [one.multiple for one in self.tried if one.is_clear and not one.is_deal]
        with_one = [one.multiple for one in self.tried if one.is_clear and one.is_deal]
        return max(without, default=self.tried[0].multiple), min(with_one, default=self.tried[-1].multiple)


def weakest_belief(study: Study, parties: Sequence[str], ensemble: Ensemble, most: float = 2.0) -> WeakestBelief:
    """Find the smallest multiple of the effect in which some parties must believe for a deal to exist.

    Parameters
    ----------
    study
        With its sizing.
    parties
        Those whose belief is changed; all others keep theirs.
    ensemble
        The replications; every belief uses the same draws.
    most
        The largest multiple that is tried; the smallest is 0.

    Raises
    ------
    UsageError
        If a party is not at the table, there is a deal without any effect, or none with the most.
    """
    sizing, most = sizing_of(study), number(most, "most", 0.0, 1e6)
    for name in names_asked(parties, "--weakest-belief"):
        if name not in sizing.parties:
            raise UsageError(f"--weakest-belief: must be a party at the table ({', '.join(sizing.parties)}); found {name!r}")
    refuse_impossible_terms(study, sizing.free)
    tried: dict[float, tuple[BeliefPoint, TermSearch]] = {}

    def is_deal(multiple: float) -> bool:
        if multiple not in tried:
            search = _searched(study, parties, multiple, ensemble)
            tried[multiple] = _judged(multiple, search), search
        return tried[multiple][0].is_deal

    option = f"--weakest-belief {','.join(parties)}"
    if is_deal(0.0):
        raise UsageError(f"{option}: no deal must exist without any effect; found one. Tighten the limits")
    if not is_deal(most):
        binding = ", ".join(map(str, explain_no_deal(tried[most][1]).binding))
        raise UsageError(f"{option}: a deal must exist with {most:g} times the effect; found none. In the way: {binding}")
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if is_deal(middle) else (middle, high)
    points = tuple(tried[multiple][0] for multiple in sorted(tried))
    beside = replace(ensemble, first=ensemble.first + ensemble.n_replications)
    again = tuple(_judged(multiple, _searched(study, parties, multiple, beside)) for multiple in (low, high))
    below = explain_no_deal(tried[low][1])
    found = (tuple(parties), low, high, points, below, (again[0], again[1]))
    return WeakestBelief(*found, n_replications=ensemble.n_replications, seed=ensemble.seed)


def believing(study: Study, parties: Sequence[str], multiple: float) -> Study:
    """Return the study in which some parties believe in a multiple of the effect."""
    sizing = sizing_of(study)
    believed = {"effect_multiple": Constant(value=multiple, certainty="choice")}
    sides = {name: (sizing.parties.get(name) or PartySide()).model_copy(update=believed) for name in parties}
    return study.model_copy(update={"sizing": sizing.model_copy(update={"parties": {**sizing.parties, **sides}})})


def _searched(study: Study, parties: Sequence[str], multiple: float, ensemble: Ensemble) -> TermSearch:
    """Look for a deal at one belief: on a coarse grid, then from the point that breaks the limits least."""
    table = table_of(sizing_of(study))
    stored = stored_for_sizing(believing(study, parties, multiple), table, ensemble.unwatched)
    search = TermSearch(table, stored.settle, _COARSE)
    search.fill()
    if not search.feasible():
        closest = min(search.pool.values(), key=lambda point: float(search.excess(point).sum()))
        search.improve(closest, lambda point: -float(search.excess(point).sum()))
    return search


def _judged(multiple: float, search: TermSearch) -> BeliefPoint:
    is_deal = bool(search.feasible())
    # One limit may be broken by noise alone, or kept by noise alone.
    band = -1.96 if is_deal else 1.96
    return BeliefPoint(multiple, is_deal, any(_keeps(search, point, band) for point in search.pool.values()) == is_deal)


def _keeps(search: TermSearch, point: Candidate, band: float) -> bool:
    pairs = zip(search.table.limits, point.limits, strict=True)
    return all(limit.excess(value.value) <= band * max(value.se, np.finfo(float).tiny) for limit, value in pairs)
