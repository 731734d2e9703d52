"""Coverage of intervals of two standard errors on either side, and the correction where it is too low.

A standard error is valid if a mean of many contributions is nearly normal. If a few replications dominate, it is not: the interval
misses on the side of the replications that did not occur. This is shown by the skewness of the sum of the contributions, G = sum
d^3 / (sum d^2)^(3/2), 1 if one replication determines everything; and the shape of their tail.

References
----------
Hall, P. (1988), Theoretical comparison of bootstrap confidence intervals, Annals of Statistics 16, 927-953: of its coverage a
two-sided interval of Student's kind loses 2 phi(z) (z^5 + 2 z^3 - 3 z) / 18 G^2, 0.247 G^2 at 95 %. Zhang, J. and Stephens, M. A.
(2009), A new and efficient estimation method for the generalized Pareto distribution, Technometrics 51, 316-325. L'Ecuyer, P.,
Nakayama, M. K., Owen, A. B. and Tuffin, B. (2023), Confidence intervals for randomized quasi-Monte Carlo estimators, Winter
Simulation Conference: of few scrambles, plain Student intervals are as good as any.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.late import special
from simengine.risk import sums

Z_95 = 1.959963984540054  # the 97.5 % quantile of a standard normal distribution
MANY = 1000
"""Independent contributions from which on Student's distribution is the normal one."""
FEW = 100
"""Number of independent parts below which their variance and skewness are poorly known."""
ROUNDING = 1e-12
"""Relative to the largest number of a sample: a spread below it is the rounding error of a constant."""
_SKEWED = 0.25
"""Below this skewness of a sum an interval loses less than 1.6 points of its 95, and nothing is done."""
_STRETCH = 1.08
"""A reach of z (1 + 1.08 G^2) gives back what is lost: 0.247 / (2 z phi(z))."""
_SKEWED_FEW, _STRETCH_OF_FEW = 0.1, 4.0
"""Few parts show too small a skewness more often than not, so that more is given back, and earlier: 4 covers from 32 of them
(`python -m verification.coverage`)."""
_TOO_SKEWED, _TOO_SKEWED_FEW = 0.4, 0.7
"""Of few parts those runs in which a large one came have the largest errors, and cover: they are not the ones to be doubted."""
_HEAVY = ((0.2, 0.4), (0.1, 0.5))
"""Skewness of a sum, and shape of the tail of what is summed, from which on together the sample does not show the variance. From a
shape of 1/2 on there is none; and below a skewness of 0.2 less than a point of 95 is lost where there is one."""
_LEAST_IN_TAIL, _ENOUGH_IN_TAIL = 20, 60
_CARRIED = 0.95
_QUARTILE = log(4 / 3) / log(2)


@dataclass(frozen=True)
class Judged:
    """A standard error, and whether two of it on either side cover the estimated quantity."""

    se: float
    covers: bool = True


def is_constant(sample: Floats) -> bool:
    """Return whether the numbers of a sample are equal up to rounding.

    Examples
    --------
    >>> is_constant(np.array([0.1 + 0.2, 0.3])), is_constant(np.array([0.3, 0.30001]))
    (True, False)
    """
    low, high = sums.extremes(sample)
    return high - low <= ROUNDING * max(abs(low), abs(high))


def reach_95(n: int) -> float:
    """Return the standard errors on either side of a value that make a 95 % interval: Student's where n contributions are few."""
    return float(special.stdtrit(n - 1, 0.975)) if 1 < n < MANY else Z_95


def judged(se: float, parts: Floats, rows: Floats | None = None) -> Judged:
    """Assess a standard error by the contributions to it, and widen it if they are skewed or few.

    Parameters
    ----------
    se
        As its formula gives it.
    parts
        Shape (n_parts,): contribution of each independent part of a run to the statistic, less the mean of all.
    rows
        Shape (n_rows,): contribution of each replication, if a part contains many of them; absent: the parts.
    """
    size = sums.square_sum(parts)
    if se == 0.0 or size == 0.0:
        return Judged(se)
    few = len(parts) < FEW and rows is not None
    stretched = se * reach_95(len(parts)) / Z_95 if few else se
    skew = _skew(parts)
    least, factor, most = (_SKEWED_FEW, _STRETCH_OF_FEW, _TOO_SKEWED_FEW) if few else (_SKEWED, _STRETCH, _TOO_SKEWED)
    if abs(skew) >= least:
        stretched *= 1 + factor * skew**2
    each = parts if rows is None else rows
    of_each = skew if rows is None else _skew(rows)
    return Judged(stretched, abs(skew) < most and not _is_heavy(each, abs(of_each), np.sign(of_each)))


def _is_heavy(each: Floats, skew: float, side: float) -> bool:
    if skew < min(least for least, _ in _HEAVY):
        return False
    shape = tail_shape(each * side)
    return any(skew >= least and shape >= heavy for least, heavy in _HEAVY)


def _skew(parts: Floats) -> float:
    # Divided by the largest first: a third power of small shares would vanish.
    largest = sums.largest_size(parts)
    if largest == 0.0:
        return 0.0
    scaled = parts / largest
    size = sums.sum_of_windows(scaled * scaled)
    return sums.cube_sum(scaled) / (size * sqrt(size))


def tail_shape(sample: Floats) -> float:
    """Estimate the shape of the upper tail of a sample: below 0 it is bounded, from 1/2 on it has no variance.

    The excesses of the largest numbers are taken as generalised Pareto: of those that carry 95 % of the squares, at least 60,
    within the largest 3 sqrt(n) and a fifth of all. What comes below may be no part of the tail: where it is rare, the others are
    all near each other. Fewer than 20 excesses, and those of which one value takes a quarter, say nothing: 0.

    Notes
    -----
    The mean of the profile likelihood over a grid of Zhang and Stephens (2009), their equations 4 to 8, with the sign of the shape
    turned: k there is -k here. Their quartile is taken from the median, 0.415 of it for an exponential distribution.
    """
    n = len(sample)
    kept = min(int(0.2 * n), int(3 * sqrt(n)))
    if kept < _LEAST_IN_TAIL:
        return 0.0
    top = sums.largest(sample, kept + 1)
    carried = np.cumsum(np.maximum(top[::-1], 0.0) ** 2)
    kept = min(kept, max(int(np.searchsorted(carried, _CARRIED * carried[-1])) + 1, _ENOUGH_IN_TAIL))
    excess = top[-kept:] - top[-kept - 1]
    excess = excess[excess > 0]
    m = len(excess)
    if m < _LEAST_IN_TAIL or np.unique(excess, return_counts=True)[1].max() >= m / 4:
        return 0.0
    n_grid = 20 + int(sqrt(m))
    grid = 1 / excess[-1] + (1 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))) / (3 * _QUARTILE * np.median(excess))
    shape = np.log1p(-grid[:, None] * excess).mean(axis=1)
    # Where the grid meets 0 the distribution is exponential, of which the ratio is the rate.
    rate = np.divide(-grid, shape, out=np.full(n_grid, 1 / excess.mean()), where=np.abs(grid) * excess[-1] > 1e-9)
    likelihood = m * (np.log(rate) - shape - 1)
    weight = np.exp(likelihood - likelihood.max())
    theta = float(grid @ weight / weight.sum())
    return float(np.log1p(-theta * excess).mean())
