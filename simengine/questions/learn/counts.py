"""Counts with a given mean and variance: how probable a count is, and its normal score.

A count with a variance above its mean is negative binomial (people who differ, or a wave whose size is not known), with one below it
binomial (so many people of some), else Poisson. The moments say which, and its parameters: r = m^2 / (v - m) and p = m / v, or
n = m^2 / (m - v), which need not be whole. For fixed n people with one probability, and for a Poisson count, this is exact.
"""

from __future__ import annotations

import numpy as np

from simengine.late import special
from simengine.records import Floats

_ALIKE = 1e-3
"""Difference of variance and mean, as a part of the mean, within which a count is Poisson."""
_LEAST = 1e-12


def count_log_mass(count: float, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the logarithm of the probability of a count, and its normal score.

    Parameters
    ----------
    count
        A whole number from 0.
    mean, variance
        Shape (n,), above 0.

    Returns
    -------
    Each of shape (n,). The score is the standard normal quantile at the middle of the step of the distribution function.
    """
    # A binomial count never exceeds its people: a variance that leaves too few of them for what was seen is too small.
    variance = np.where(mean < count + 1, np.maximum(variance, mean - mean**2 / (count + 1)), variance)
    is_wide, is_narrow = variance > mean * (1 + _ALIKE), variance < mean * (1 - _ALIKE)
    log_mass = count * np.log(mean) - mean - special.gammaln(count + 1)
    reached = special.gammaincc(count + 1, mean)
    if is_wide.any():
        m, v = mean[is_wide], variance[is_wide]
        size, success = m**2 / (v - m), m / v
        choose = special.gammaln(size + count) - special.gammaln(size) - special.gammaln(count + 1)
        log_mass[is_wide] = choose + size * np.log(success) + count * np.log1p(-success)
        reached[is_wide] = special.betainc(size, count + 1, success)
    if is_narrow.any():
        m, v = mean[is_narrow], variance[is_narrow]
        people, chance = m**2 / (m - v), (m - v) / m
        choose = special.gammaln(people + 1) - special.gammaln(count + 1) - special.gammaln(people - count + 1)
        log_mass[is_narrow] = choose + count * np.log(chance) + (people - count) * np.log1p(-chance)
        reached[is_narrow] = special.betainc(np.maximum(people - count, _LEAST), count + 1, 1 - chance)
    middle = np.clip(reached - np.exp(log_mass) / 2, _LEAST, 1 - _LEAST)
    return log_mass, np.asarray(special.ndtri(middle))
