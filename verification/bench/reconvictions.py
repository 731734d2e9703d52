"""The exact distribution of how often the men of a Peterborough cohort are reconvicted in their first twelve months: no part of the engine.

A man is unsettled or settled for whole months and moves at the end of one. In k1 months of the first half of his year and k2 of the
second he is unsettled; his count is Poisson with mean G rate (k1 + factor k2), G gamma with mean 1 and variance v. So

    E z^N = sum over k1, k2 of P(k1, k2) (1 + v rate (k1 + factor k2) (1 - z))^(-1/v),

and the generating function of a cohort is the product over its men: its values on the unit circle, turned back by a fast Fourier
transform, are the probabilities themselves. `verification.bench.peterborough` makes the answers of them.

References
----------
Feller, W. (1968), An Introduction to Probability Theory and Its Applications, volume 1, chapters XI and XII.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

WIDTH = 2048
"""Counts that are told apart: a cohort's lie within 700 of their mean, whatever is drawn."""
_NOTHING = 1e-17


class Numbers(NamedTuple):
    """What is drawn once for a replication, each of shape (n,); in the order of the points' coordinates, which falls with importance."""

    hazard_ratio: Floats
    variance: Floats
    settling: Floats
    unsettling: Floats
    factor: Floats
    rate: Floats
    size_1: Floats
    size_2: Floats
    start: Floats


class Protocol(NamedTuple):
    """What is fixed about the men: their clock in months, and how many are matched to each."""

    history: int
    first: int
    second: int
    per_person: float


@njit(cache=True)
def months_unsettled(settling: float, unsettling: float, history: int, first: int, second: int) -> Floats:
    """Return the distribution of the months unsettled in the two parts of the year, by the state in which the clock begins.

    Parameters
    ----------
    settling, unsettling
        Probabilities of moving at the end of a month: from unsettled, from settled.
    history, first, second
        Months before entry, and of the two parts of the time after it.

    Returns
    -------
    Shape (2, first + 1, second + 1): first state (0 unsettled, 1 settled), months in the first part, months in the second.
    """
    distribution = np.zeros((2, first + 1, second + 1))
    for state in range(2):
        now = np.zeros((2, first + 1, second + 1))
        now[state, 0, 0] = 1.0
        for month in range(history + first + second):
            then = np.zeros((2, first + 1, second + 1))
            in_first, in_second = int(history <= month < history + first), int(month >= history + first)
            # A month counts by the state in which it is spent; the move comes at its end.
            for k1 in range(first + 1 - in_first):
                for k2 in range(second + 1 - in_second):
                    then[0, k1 + in_first, k2 + in_second] += now[0, k1, k2] * (1 - settling)
                    then[1, k1 + in_first, k2 + in_second] += now[0, k1, k2] * settling
            for k1 in range(first + 1):
                for k2 in range(second + 1):
                    then[0, k1, k2] += now[1, k1, k2] * unsettling
                    then[1, k1, k2] += now[1, k1, k2] * (1 - unsettling)
            now = then
        distribution[state] = now[0] + now[1]
    return distribution


@njit(cache=True)
def exposure_moments(distribution: Floats, factor: float) -> Floats:
    """Return mean and mean square of k1 + factor k2 by first state, shape (2, 2)."""
    found = np.zeros((2, 2))
    for first in range(2):
        for k1 in range(distribution.shape[1]):
            for k2 in range(distribution.shape[2]):
                months = k1 + factor * k2
                found[first, 0] += distribution[first, k1, k2] * months
                found[first, 1] += distribution[first, k1, k2] * months * months
    return found


@njit(cache=True)
def transforms_of(
    distribution: Floats, rate: float, factor: float, variance: float, unsettled: Integers, settled: Integers
) -> NDArray[np.complex128]:
    """Return the generating functions of the counts of some cohorts on the unit circle.

    Parameters
    ----------
    distribution
        Of the months unsettled, as of `months_unsettled`.
    rate, factor, variance
        Reconvictions a month unsettled in the first part of the year; what multiplies them in the second; the variance of G.
    unsettled, settled
        Shape (n_cohorts,): men by the state in which their clock begins.

    Returns
    -------
    Shape (n_cohorts, WIDTH / 2 + 1): at the angles 2 pi j / WIDTH; 0 beyond the last one that matters.
    """
    out = np.zeros((len(unsettled), WIDTH // 2 + 1), np.complex128)
    for j in range(out.shape[1]):
        angle = 2.0 * np.pi * j / WIDTH
        # 1 - z with no digits lost near z = 1: 2 sin^2(angle / 2) - i sin(angle).
        off = complex(2.0 * np.sin(angle / 2) ** 2, -np.sin(angle))
        man_0, man_1 = complex(0.0, 0.0), complex(0.0, 0.0)
        for k1 in range(distribution.shape[1]):
            for k2 in range(distribution.shape[2]):
                power = np.exp(np.log(1.0 + variance * rate * (k1 + factor * k2) * off) / -variance)
                man_0 += distribution[0, k1, k2] * power
                man_1 += distribution[1, k1, k2] * power
        largest = 0.0
        for c in range(len(unsettled)):
            out[c, j] = np.exp(unsettled[c] * np.log(man_0) + settled[c] * np.log(man_1))
            largest = max(largest, abs(out[c, j]))
        if largest < _NOTHING:
            break
    return out


@njit(cache=True)
def transforms_and_means(
    numbers: Numbers, men: Integers, unsettled: Integers, score: Floats, protocol: Protocol
) -> tuple[NDArray[np.complex128], Integers, Floats]:
    """Return what the luck of the cohorts needs, for each point: the men's own, and that of the men matched to them.

    The mean of the matched men is normal about the mean without the service of men who begin their clock in the same states;
    between men of one state a count has the mean square (1 + v) E L^2 + E L, with G L its mean given the man.

    Parameters
    ----------
    numbers
        Each of shape (n,).
    men, unsettled
        Shape (n, 2): of each cohort, all and those whose clock begins unsettled.
    score
        Shape (n, 2): normal scores of the means of the matched men.

    Returns
    -------
    Generating functions of the counts, shape (n, 2, WIDTH / 2 + 1); the least count of each that is told apart, and the count that
    the matched men stand for, each of shape (n, 2).
    """
    n = len(men)
    transforms = np.empty((n, 2, WIDTH // 2 + 1), np.complex128)
    bases, matched = np.empty((n, 2), np.int64), np.empty((n, 2))
    for i in range(n):
        distribution = months_unsettled(
            numbers.settling[i], numbers.unsettling[i], protocol.history, protocol.first, protocol.second
        )
        rate, variance, ratio = numbers.rate[i], numbers.variance[i], numbers.hazard_ratio[i]
        exposure = exposure_moments(distribution, numbers.factor[i])
        settled = men[i] - unsettled[i]
        transforms[i] = transforms_of(distribution, rate * ratio, numbers.factor[i], variance, unsettled[i], settled)
        for c in range(2):
            mean = spread = 0.0
            for first, number in enumerate((unsettled[i, c], settled[c])):
                one, square, share = rate * exposure[first, 0], rate * rate * exposure[first, 1], number / men[i, c]
                mean += share * one
                spread += share * ((1 + variance) * square + one - one * one)
            seen = mean + np.sqrt(spread / (protocol.per_person * men[i, c])) * score[i, c]
            matched[i, c] = men[i, c] * seen
            bases[i, c] = max(int(ratio * mean * men[i, c]) - WIDTH // 2, 0)
    return transforms, bases, matched


def probabilities(transforms: NDArray[np.complex128]) -> Floats:
    """Return the probabilities of the counts, shape (..., WIDTH): that of a count S stands at S modulo WIDTH."""
    return np.fft.irfft(np.conj(transforms), n=WIDTH, axis=-1)
