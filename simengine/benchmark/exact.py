"""The exact distribution of the counts, by recursion over periods: what every version of the walk is held to.

Given its moves, a replication is a sum of independent persons. The first four moments of what one person adds follow from
a backward recursion; from their cumulants come the exact mean and variance of the sum, and the exact standard error of a
variance that was estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from simengine.arrays import Floats
from simengine.benchmark.workload import Workload, WorkloadCounts

_ORDER = 4
_ONE_MORE = np.array([[comb(n, m) for n in range(_ORDER + 1)] for m in range(_ORDER + 1)], dtype=np.float64)
"""(1 + x)^n as powers of x: what one more period does to the moments."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """The exact distribution of a count; shape of each (r, arm, state)."""

    mean: Floats
    variance: Floats
    fourth_cumulant: Floats


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far counts are from their distribution, in exact standard errors; shape of each (arm, state)."""

    mean: Floats
    variance: Floats

    @property
    def largest(self) -> float:
        """The largest distance of all."""
        return float(max(np.abs(self.mean).max(), np.abs(self.variance).max()))


def exact_distributions_of(workload: Workload, *, are_strata_drawn: bool) -> tuple[Distribution, Distribution]:
    """Return the distributions of the occupancy and of the entries.

    Parameters
    ----------
    workload
        The order.
    are_strata_drawn
        Whether the stratum of each person is drawn with the shares of the strata, or strata have their exact sizes.
    """
    n_states = workload.rows.shape[-1]
    here, moved = np.eye(n_states), 1.0 - np.eye(n_states)
    # What a move from i to j adds to the count of s: shape (s, i, j).
    stays_in = np.broadcast_to(here[:, :, None], (n_states,) * 3)
    enters = here[:, None, :] * moved
    return _distribution(workload, stays_in, are_strata_drawn), _distribution(workload, enters, are_strata_drawn)


def _distribution(workload: Workload, adds_one: Floats, are_strata_drawn: bool) -> Distribution:
    raw = _moments_of_person(workload, adds_one)
    if are_strata_drawn:
        # Every person is a mixture: the moments of the strata are averaged, and only then made into cumulants.
        cumulants = _cumulants(raw @ (workload.sizes / workload.n_people))
        mean, variance, fourth = (workload.n_people * cumulant for cumulant in cumulants)
    else:
        mean, variance, fourth = (cumulant @ workload.sizes for cumulant in _cumulants(raw))
    return Distribution(mean, variance, fourth)


def _moments_of_person(workload: Workload, adds_one: Floats) -> Floats:
    """Return the raw moments 0 to 4 of what one person adds, shape (moment, r, arm, state, stratum).

    Notes
    -----
    With g = 1 for the moves that add one and 0 for the others, the n-th moment of all that is added from a period on, for a
    person in state i, is sum_j P[i, j] E[(g[i, j] + X_j)^n], where X_j is what is added from the next period on.
    """
    n_states = adds_one.shape[0]
    rows = workload.rows[:, :, :, None]
    adds, leaves = rows * adds_one, rows * (1.0 - adds_one)
    moments = np.zeros((*workload.rows.shape[:3], n_states, n_states, _ORDER + 1))
    moments[..., 0] = 1.0
    for _ in range(workload.n_periods):
        moments = leaves @ moments + adds @ (moments @ _ONE_MORE)
    by_stratum = [moments[:, :, k, :, start] for k, start in enumerate(workload.start)]
    return np.moveaxis(np.stack(by_stratum, axis=-1), 3, 0)


def _cumulants(raw: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the first, second and fourth cumulant; raw moments along the first axis."""
    mean = raw[1]
    variance = raw[2] - mean**2
    fourth_central = raw[4] - 4 * mean * raw[3] + 6 * mean**2 * raw[2] - 3 * mean**4
    return mean, variance, fourth_central - 3 * variance**2


def agreement(workload: Workload, counts: WorkloadCounts, *, are_strata_drawn: bool) -> dict[str, Agreement]:
    """Hold counts to their exact distribution: mean and variance of the occupancy and, where they were counted, of the entries.

    Every replication has moves, and so a distribution, of its own: compared are the sums over replications of x - mean, and of (x -
    mean)^2 - variance, whose variance is the fourth cumulant plus twice the squared variance.
    """
    occupancy, entries = exact_distributions_of(workload, are_strata_drawn=are_strata_drawn)
    found = {"occupancy": _agreement(counts.occupancy, occupancy)}
    if counts.entries is not None:
        found["entries"] = _agreement(counts.entries, entries)
    return found


def _agreement(counted: Floats, distribution: Distribution) -> Agreement:
    gap = counted - distribution.mean
    of_variance = distribution.fourth_cumulant + 2 * distribution.variance**2
    return Agreement(
        mean=gap.sum(axis=0) / np.sqrt(distribution.variance.sum(axis=0)),
        variance=(gap**2 - distribution.variance).sum(axis=0) / np.sqrt(of_variance.sum(axis=0)),
    )
