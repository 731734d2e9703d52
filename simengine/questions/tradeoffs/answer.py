"""What each term is worth to each party: the same worlds settled with a little less and a little more of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.config import Study
from simengine.errors import StudyError, UsageError
from simengine.questions.tradeoffs.terms import Placed, placed_terms
from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.worlds.answer import Answer
from simengine.worlds.ensemble import Columns, Ensemble
from simengine.worlds.money import Standing, chosen_parties, refuse_level, standing_of, tail_needs, tail_weights, with_error
from simengine.worlds.stored import StoredEnsemble, store

_RULE_OF_THREE = 3.0
"""No case among n worlds: a probability of at most 3 / n, with 95 % confidence."""


@dataclass(frozen=True)
class Change:
    """By how much a number rises with a term: the difference of both settlements, as a slope."""

    per_step: Statistic
    """For a step of the term upwards."""
    per_unit: Statistic
    """For one unit of the term more."""


@dataclass(frozen=True)
class Worth:
    """What more of a term is worth to one party."""

    npv: Change
    """Of its mean net present value."""
    p_loss: Change
    """Of the probability of a net below zero."""
    cvar: Change | None
    """Of the mean loss (-net) in the worst 1 - level of the worlds; absent where these are too few."""


@dataclass(frozen=True)
class MovedTerm:
    """One term: where it was put, and what it is worth to whom."""

    value: float
    low: float
    high: float
    """Between `low` and `high` the difference is taken: on both sides of the value, or from it on where one side is forbidden."""
    step: float
    """What `per_step` speaks of, in the unit of the term."""
    forbidden: str | None
    """Why one side is; absent where both were settled."""
    parties: Mapping[str, Worth]


@dataclass(frozen=True, repr=False)
class Tradeoffs(Answer):
    """What the terms of a study are worth to its parties."""

    n_replications: int
    seed: int
    step: float
    """As a part of each term."""
    level: float
    cvar_needs: int | None
    """Replications that a CVaR takes; absent where it is given."""
    base: Mapping[str, Standing]
    """By party: with the terms as they are."""
    terms: Mapping[str, MovedTerm]
    """By path."""
    left_out: Mapping[str, str]
    """By path: why a number of the contract or the capital cannot be moved."""


def worth_of_terms(
    study: Study, ensemble: Ensemble, names: Sequence[str] = (), parties: Sequence[str] = (), step: float = 0.1, level: float = 0.95
) -> Tradeoffs:
    """Settle the same worlds with a little less and a little more of each term.

    Parameters
    ----------
    study
        Whose terms they are.
    ensemble
        Which worlds are drawn; they are lived and measured once.
    names
        Paths of terms; none: all numbers of the contract and the capital but laws and zeros.
    parties
        Whose money; none: everybody's.
    step
        As a part of the term. A number of months is moved by whole months, at least one.
    level
        Of the CVaR.

    Raises
    ------
    UsageError
        If a path is that of no term, a term cannot be moved, a party has no money, or the level is none.

    Notes
    -----
    The mean is differentiated world by world, so that what both settlements share drops out of its error. P(loss) and CVaR are
    differences over the step: the one jumps, the other bends, where payments have steps and caps.
    """
    refuse_level(level)
    chosen = chosen_parties(parties, study)
    placed, left_out = placed_terms(study, names, step)
    stored = stored_for(study, ensemble, chosen)
    base = settled_at(stored, {})
    terms: dict[str, MovedTerm] = {}
    for path, one in placed.items():
        found = _settled_term(stored, path, one, base, chosen, level)
        if isinstance(found, MovedTerm):
            terms[path] = found
        elif path in names:
            raise UsageError(f"--term: must be a term that can be moved in every world; found `{path}`: {found}. "
                             "Give a smaller --step")  # fmt: skip
        else:
            left_out[path] = found
    standings = {party: standing_of(base, party, level) for party in chosen}
    needs = tail_needs(ensemble.n_replications, level)
    return Tradeoffs(ensemble.n_replications, ensemble.seed, step, level, needs, standings, terms, left_out)


def stored_for(study: Study, ensemble: Ensemble, parties: Sequence[str]) -> StoredEnsemble:
    """Keep the worlds of a study as the study itself sees them, whatever a party at the table believes."""
    return store(study.model_copy(update={"sizing": None}), ensemble, parties, parties)


def settled_at(stored: StoredEnsemble, terms: Mapping[str, float]) -> Columns:
    """Give the money of every party with other numbers at some paths: `<party>.net` and `<party>.npv`, one row per world."""
    return next(iter(stored.settle(terms).values()))


def _settled_term(
    stored: StoredEnsemble, path: str, placed: Placed, base: Columns, parties: Sequence[str], level: float
) -> MovedTerm | str:
    """Settle a term on both its sides, and say what it is worth; or why it could be settled on neither."""
    sides: dict[float, Columns] = {placed.value: base}
    forbidden = placed.forbidden
    for value in (placed.low, placed.high):
        try:
            sides.setdefault(value, base if value == placed.value else settled_at(stored, {path: value}))
        except StudyError as error:
            first = error.problems[0]
            forbidden = f"{first.rule}; found {first.found}" if first.found else first.rule
    low, high = min(sides), max(sides)
    if low == high:
        return forbidden or ""
    worth = {party: worth_between(sides[low], sides[high], party, high - low, placed.step, level) for party in parties}
    return MovedTerm(placed.value, low, high, placed.step, forbidden, worth)


def worth_between(low: Columns, high: Columns, party: str, span: float, step: float, level: float) -> Worth:
    """Say what more of a term is worth to a party, from the same worlds settled with less and with more of it.

    Parameters
    ----------
    low, high
        `<party>.net` and `<party>.npv`, each of shape (n_replications,).
    span
        How much more of the term there is in `high`, in its unit.
    step
        The part of the term for which the change is told, in its unit.
    level
        Of the CVaR.
    """
    npv = statistics.mean(high[f"{party}.npv"] - low[f"{party}.npv"])
    before, after = low[f"{party}.net"], high[f"{party}.net"]
    cvar = None if tail_needs(len(before), level) is not None else _change_of_cvar(before, after, level)
    changes = [None if one is None else _as_slope(one, span, step) for one in (npv, _change_of_p_loss(before, after), cvar)]
    assert changes[0] is not None, "always there"
    assert changes[1] is not None, "always there"
    return Worth(changes[0], changes[1], changes[2])


def _change_of_p_loss(before: Floats, after: Floats) -> Statistic:
    """Count the worlds that lose with more of a term less those that lose with less of it, as a share."""
    found = statistics.mean((after < 0).astype(np.float64) - (before < 0))
    if ((after < 0) == (before < 0)).all() and (after != before).any():
        # Money moves, and no world of these crosses zero: others may.
        bound = min(_RULE_OF_THREE / len(before), 1.0)
        return replace(found, interval_95=(-bound, bound), covers=False)
    return found


def _change_of_cvar(before: Floats, after: Floats, level: float) -> Statistic:
    def rise(losses: Floats) -> Floats:
        first, second = (float(tail_weights(loss, level) @ loss) for loss in losses.T)
        return np.array([second - first])

    found: Statistic = with_error(rise, np.stack([-before, -after], axis=1))[0]
    return found


def _as_slope(difference: Statistic, span: float, step: float) -> Change:
    return Change(_times(difference, step / span), _times(difference, 1 / span))


def _times(one: Statistic, factor: float) -> Statistic:
    interval = None if one.interval_95 is None else (factor * one.interval_95[0], factor * one.interval_95[1])
    return replace(one, value=factor * one.value, se=factor * one.se, interval_95=interval)
