"""Money at chosen points of the assumptions, with the same replications at every point.

A *point* gives every assumption (a number that has a distribution) a place in its distribution. At each point the same panel of
replications is simulated: the people, sites, shocks and errors of replications 0 to n_panel - 1. So sampling variation cancels in
differences between points, and the result at a point is a mean, or a share, over the panel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.asked import whole
from simengine.config import Study
from simengine.dependence import clusters_of
from simengine.distributions import DirichletCount
from simengine.errors import UsageError
from simengine.late import special
from simengine.pipeline import DrawOverrides, draw_numbers, simulate
from simengine.records import Floats, Integers
from simengine.replications.ensemble import Ensemble
from simengine.replications.money import settled_money
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure
from simengine.sampling import distributions_of

_SMALLEST = 2.0**-53
MOST_PANEL = 100_000
"""Replications in a panel."""


@dataclass(frozen=True)
class Assumptions:
    """The assumptions of a study, and each party's money at points of them."""

    study: Study
    ensemble: Ensemble
    paths: tuple[str, ...]
    """The numbers that have a distribution, in the order of the study."""
    n_panel: int
    """Replications in the panel."""

    def money(self, scores: Floats, measures: Sequence[Measure] = ()) -> dict[str, Floats]:
        """Return each party's money at points of the assumptions.

        Parameters
        ----------
        scores
            Shape (n_points, n_assumptions): independent standard normal scores; the study's correlations join them.
        measures
            The measures needed. Returns
        -------
        As `money_of` gives them, each of shape (n_points, n_panel).
        """
        n_points = len(scores)
        on = replace(self.ensemble.unwatched, n_replications=n_points * self.n_panel)
        (columns,) = on.ask(lambda rows: [self._settle(scores, rows, measures)])
        return {name: column.reshape(n_points, self.n_panel) for name, column in columns.items()}

    def values(self, scores: Floats) -> dict[str, Floats]:
        """Return the values of the assumptions at points: by path, shape (n_points,)."""
        draws = draw_numbers(self.study, 0, np.zeros(len(scores), dtype=np.int64), overrides=self._steering(scores))
        return {path: draws[path] for path in self.paths}

    def _settle(self, scores: Floats, rows: Integers, measures: Sequence[Measure]) -> Columns:
        overrides = self._steering(scores[rows // self.n_panel])
        evidence = simulate(self.study, self.ensemble.seed, rows % self.n_panel, overrides=overrides)
        return settled_money(self.study, evidence, measures)

    def _steering(self, scores: Floats) -> DrawOverrides:
        uniform = np.clip(special.ndtr(scores), _SMALLEST, 1 - _SMALLEST)
        return DrawOverrides(uniform={path: np.ascontiguousarray(uniform[:, i]) for i, path in enumerate(self.paths)})


def assumptions_of(study: Study, ensemble: Ensemble, n_panel: int) -> Assumptions:
    """List the assumptions of a study.

    Raises
    ------
    UsageError
        If no number has a distribution, or the panel is too small or too large.
    """
    return Assumptions(study, ensemble, uncertain_paths(study), whole(n_panel, "--panel", 2, MOST_PANEL))


def uncertain_paths(study: Study) -> tuple[str, ...]:
    """List the paths of the numbers that have a distribution and that a run reads.

    Raises
    ------
    UsageError
        If there are none.
    """
    paths = tuple(distributions_of(study.numbers))
    if not paths:
        raise UsageError(
            "the study: at least one number must have a distribution; found none. Where all is certain but sampling variation, nothing can be varied"
        )
    return paths


def groups_of(study: Study, paths: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Group dependent assumptions: those joined by correlations, and the counted shares of one total.

    Returns
    -------
    By name, in the order of the study: the paths of the group. A group of one has the name of its path.
    """
    numbers = study.numbers
    joined = [set(cluster) for cluster in clusters_of(study.correlations)]
    joined += [{path for path in whole if isinstance(numbers.get(path), DirichletCount)} for whole in study.wholes()]
    group = {path: {path} for path in paths}
    for together in joined:
        merged: set[str] = set().union(*(group.get(path, set()) for path in together))
        group |= dict.fromkeys(merged, merged)
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        members = tuple(one for one in paths if one in group[path])
        if path == members[0]:
            found[" + ".join(members)] = members
    return found


def correlation_of(study: Study, path: str, paths: tuple[str, ...]) -> Mapping[str, float]:
    """Return the correlations of a number with others, by path; only those stated in the study."""
    found = {}
    for correlation in study.correlations.values():
        if path in correlation.between:
            other = next(one for one in correlation.between if one != path)
            if other in paths:
                found[other] = correlation.value
    return found


Evaluate = Callable[[Floats], Mapping[str, Floats]]
"""From points to money by name, shape (n_points, n_panel)."""
