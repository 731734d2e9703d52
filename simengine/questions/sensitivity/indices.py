"""Global indices of sensitivity: Sobol's S1 and ST and the screening of Morris by SALib, and PAWN.

What is asked is the mean of a party's money at a point of the assumptions, over a panel of replications that all points share. The
panel is finite, so part of the variance between points is due to it: `panel_share` is that part.

References
----------
Sobol 2001, doi:10.1016/S0378-4754(00)00270-6; Saltelli and others 2010, doi:10.1016/j.cpc.2009.09.018; Campolongo, Cariboni and
Saltelli 2007, doi:10.1016/j.envsoft.2006.10.004; Pianosi and Wagener 2018, doi:10.1016/j.envsoft.2018.07.019.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.asked import whole
from simengine.errors import UsageError
from simengine.records import Floats
from simengine.risk.coverage import is_constant
from simengine.risk.jackknife import with_error
from simengine.risk.statistics import Statistic
from simengine.streams import uniforms

_Z_95 = 1.959963984540054
_LEVELS = 4
_TRIMMED = (0.05, 0.95)
"""The screening moves assumptions between these quantiles: the ends of a distribution may be infinite."""
_SLICES = 10
MOST_SOBOL_POINTS = 2**20
_PAWN_GROUPS = 20

EvaluatePoints = Callable[[Floats], Mapping[str, Floats]]
"""From uniforms of shape (n_points, n_inputs) to money by name, shape (n_points, n_panel)."""


@dataclass(frozen=True)
class SobolIndex:
    """How much one input, or one group of inputs that go together, matters; the names are SALib's."""

    s1: Statistic
    """Share of the variance that it explains alone."""
    st: Statistic
    """Share that it explains with all its interactions."""
    mu_star: Statistic
    """Mean absolute effect, in the unit of the money, of moving it by two thirds of its range (from the 5 % to the 95 % quantile),
    scaled up to the whole range: behind a trigger more than a move from end to end."""
    pawn: Statistic | None
    """Median distance between the distribution of the answer and its distribution given this input; null for a group of several."""


@dataclass(frozen=True)
class Indices:
    """Indices of one answer."""

    of: Mapping[str, SobolIndex]
    """By group of inputs."""
    panel_share: float
    """Share of the variance between points that is due to the panel, not the assumptions."""


def global_indices(
    groups: Mapping[str, tuple[str, ...]],
    inputs: tuple[str, ...],
    evaluate: EvaluatePoints,
    n_points: int,
    n_trajectories: int,
    seed: int,
) -> dict[str, Indices]:
    """Compute the indices of every answer.

    Parameters
    ----------
    groups
        By name: inputs that go together. Each input is in one of them.
    inputs
        Their names, in the order of the points.
    evaluate
        Asked twice: at the points of Sobol, n_points (n_groups + 2), and of Morris, n_trajectories (n_groups + 1).
    n_points
        A power of 2, at least 16.
    n_trajectories
        At least 4.
    seed
        Of SALib's own draws.

    Raises
    ------
    UsageError
        If a number is out of range.
    """
    refuse_sizes(n_points, n_trajectories)
    from SALib.sample import morris as morris_points
    from SALib.sample import sobol as sobol_points

    problem = _problem(groups, inputs, (0.0, 1.0))
    trimmed = _problem(groups, inputs, _TRIMMED)
    sobol = sobol_points.sample(problem, n_points, calc_second_order=False, seed=_seed(seed, "sobol"))
    screening = morris_points.sample(trimmed, n_trajectories, num_levels=_LEVELS, seed=_seed(seed, "morris"))
    by_sobol, by_morris = evaluate(sobol), evaluate(screening)
    return {name: _of_one(problem, trimmed, groups, sobol, by_sobol[name], screening, by_morris[name], seed) for name in by_sobol}


def refuse_sizes(n_points: int, n_trajectories: int) -> None:
    """Refuse plans that SALib cannot make, or that say nothing."""
    n_points = whole(n_points, "--points", 1, MOST_SOBOL_POINTS)
    n_trajectories = whole(n_trajectories, "--trajectories", 1, MOST_SOBOL_POINTS)
    if n_points < 16 or n_points & (n_points - 1):
        raise UsageError(f"--points: must be a power of 2, at least 16; found {n_points}. Try {1 << max(n_points.bit_length(), 4)}")
    if n_trajectories < 4:
        raise UsageError(f"--trajectories: must be at least 4; found {n_trajectories}")


def _of_one(
    problem: dict[str, Any],
    trimmed: dict[str, Any],
    groups: Mapping[str, tuple[str, ...]],
    sobol: Floats,
    at_sobol: Floats,
    screening: Floats,
    at_screening: Floats,
    seed: int,
) -> Indices:
    from SALib.analyze import morris as morris_analysis
    from SALib.analyze import sobol as sobol_analysis

    nothing = Statistic(0.0, 0.0)
    answers, moved = at_sobol.mean(axis=1), at_screening.mean(axis=1)
    names, n_groups = list(groups), len(groups)
    none = Indices(
        {name: SobolIndex(nothing, nothing, nothing, nothing if len(groups[name]) == 1 else None) for name in names}, 0.0
    )
    if is_constant(answers):
        return none
    # Standardised: the estimates of S1 have the least variance for answers with mean 0.
    standard = (answers - answers.mean()) / answers.std()
    indices = sobol_analysis.analyze(problem, standard, calc_second_order=False, num_resamples=200, seed=_seed(seed, "resamples"))
    effects = morris_analysis.analyze(trimmed, screening, moved, num_levels=_LEVELS, seed=_seed(seed, "resamples"))
    place = {str(name): i for i, name in enumerate(effects["names"])}
    # Rows come as A, one for each group, B: the first and last of each family are independent points.
    rows = np.arange(len(sobol)) % (n_groups + 2)
    independent = (rows == 0) | (rows == n_groups + 1)
    distances = with_error(_pawn, np.column_stack([sobol[independent], answers[independent]]), _PAWN_GROUPS)
    return Indices(
        {
            name: SobolIndex(
                s1=_with_interval(indices["S1"][g], indices["S1_conf"][g]),
                st=_with_interval(indices["ST"][g], indices["ST_conf"][g]),
                mu_star=_with_interval(effects["mu_star"][place[name]], effects["mu_star_conf"][place[name]]),
                pawn=distances[problem["names"].index(groups[name][0])] if len(groups[name]) == 1 else None,
            )
            for g, name in enumerate(names)
        },
        panel_share(at_sobol),
    )


def panel_share(panel: Floats) -> float:
    """Return the share of the variance between points that is due to the panel.

    Notes
    -----
    With r the correlation over points between the means of the two halves of the panel, the mean of the whole has reliability
    2 r / (1 + r) (Spearman 1910, Brown 1910); what is left is 1 less that. Variation that is the same at all points does not count.
    """
    if panel.shape[1] < 2:
        return 0.0
    even, odd = panel[:, ::2].mean(axis=1), panel[:, 1::2].mean(axis=1)
    if is_constant(even) or is_constant(odd):
        return 0.0
    together = max(float(np.corrcoef(even, odd)[0, 1]), 0.0)
    return 1 - 2 * together / (1 + together)


def _pawn(rows: Floats) -> Floats:
    """Return PAWN by input: the median, over slices of an input, of the distance of Kolmogorov and Smirnov to the distribution of all answers.

    Parameters
    ----------
    rows
        Shape (n_points, n_inputs + 1): the inputs at each point, and the answer there.

    Notes
    -----
    With the slices of SALib, and its numbers up to rounding. SALib works out the significance of each distance as well, which
    nobody asks for here and which takes most of the time of a whole analysis.
    """
    rows = rows[np.argsort(rows[:, -1])]
    n, edges = len(rows), np.arange(0, 1 + 1 / _SLICES, 1 / _SLICES)
    n_not_above = np.searchsorted(rows[:, -1], rows[:, -1], side="right")
    medians = np.empty(rows.shape[1] - 1)
    for place, values in enumerate(rows[:, :-1].T):
        limits = np.quantile(values, edges)[: _SLICES + 1, None]
        counts = ((values >= limits[:-1]) & (values < limits[1:])).cumsum(axis=1)
        counts = counts[counts[:, -1] > 0]
        apart = counts[:, n_not_above - 1] / counts[:, -1:] - n_not_above / n
        medians[place] = np.median(np.abs(apart).max(axis=1))
    return medians


def _problem(groups: Mapping[str, tuple[str, ...]], inputs: tuple[str, ...], bounds: tuple[float, float]) -> dict[str, Any]:
    group_of = {path: name for name, members in groups.items() for path in members}
    problem: dict[str, Any] = {"num_vars": len(inputs), "names": list(inputs), "bounds": [list(bounds)] * len(inputs)}
    return problem | {"groups": [group_of[path] for path in inputs]}


def _with_interval(value: float, half_width: float) -> Statistic:
    """Turn SALib's half width of a 95 % interval into a standard error."""
    return Statistic(float(value), float(half_width) / _Z_95)


def _seed(seed: int, purpose: str) -> int:
    return int(uniforms(seed, f"sensitivity/{purpose}", np.zeros(1, dtype=np.int64))[0] * 2**32)
