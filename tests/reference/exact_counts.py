"""Exact distributions of events of people who differ, of those among them who were chosen, and of what is left of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from tests.reference.recursion import Moments

Floats = NDArray[np.float64]
ORDER = 4
_MOST = 400


def negative_binomial(mean: float, size: float, most: int = _MOST) -> Floats:
    """Return P(X = 0), ..., P(X = most) of events with a gamma frailty of variance 1 / size."""
    x = np.arange(most + 1)
    logarithm = [lgamma(n + size) - lgamma(size) - lgamma(n + 1) for n in x]
    return np.exp(np.array(logarithm) + size * log(size / (size + mean)) + x * log(mean / (size + mean)))


def moments_of_count(chances: Sequence[float] | Floats, values: Sequence[float] | Floats | None = None) -> Moments:
    """Return the moments 0 to 4 of a number that takes the values 0, 1, 2, ... or those that are given."""
    x = np.arange(len(chances)) if values is None else np.asarray(values)
    return [float(np.asarray(chances) @ x**k) for k in range(ORDER + 1)]


class Chosen:
    """People whose number of events in a time before, with mean `mean`, was at least `edge`; and an equal time after.

    Given x events before, a gamma frailty with shape r and mean 1 has the shape r + x and the rate r + mean: the events after
    are negative binomial with size r + x and mean (r + x) ratio mean / (r + mean), with `ratio` what the service does to the rate.
    """

    def __init__(self, mean: float, size: float, edge: int, ratio: float = 1.0) -> None:
        self.mean, self.size, self.ratio = mean, size, ratio
        self.values = np.arange(edge, _MOST + 1)
        before = negative_binomial(mean, size)[edge:]
        self.share = float(before.sum())
        """Of all candidates, those who are chosen."""
        self.before = before / self.share

    @property
    def moments_before(self) -> Moments:
        return moments_of_count(self.before, self.values)

    @property
    def moments_after(self) -> Moments:
        return [float(self.before @ self._after(k)) for k in range(ORDER + 1)]

    @property
    def mean_product(self) -> float:
        """Mean of the events before times those after, of one person."""
        return float(self.before @ (self.values * self._after(1)))

    @property
    def mean_squared_product(self) -> float:
        return float(self.before @ (self.values**2 * self._after(2)))

    def _after(self, k: int) -> Floats:
        """Return the k-th moment of the events after by the number before, from the factorial moments of the distribution."""
        size = self.size + self.values
        odds = self.ratio * self.mean / (self.size + self.mean)
        # E N (N - 1) ... (N - j + 1) = size (size + 1) ... (size + j - 1) odds^j, and Stirling numbers of the second kind.
        stirling = [[1], [0, 1], [0, 1, 1], [0, 1, 3, 1], [0, 1, 7, 6, 1]][k]
        factorial = [np.prod([size + i for i in range(j)], axis=0) * odds**j * np.ones(len(size)) for j in range(k + 1)]
        return np.asarray(sum(s * f for s, f in zip(stirling, factorial, strict=True)))


def survival_with_frailty(gathered: float, variance: float) -> float:
    """Return the share to whom nothing happened by the time that the hazard without frailty has gathered to so much."""
    return float((1 + variance * gathered) ** (-1 / variance)) if variance > 0 else exp(-gathered)


class ChosenNormal:
    """People whose normal measurement was at least `edge`, and the next measurement of the same people."""

    def __init__(self, mean: float, between: float, within: float, edge: float) -> None:
        variance = between**2 + within**2
        z = (edge - mean) / sqrt(variance)
        self.share = erfc(z / sqrt(2)) / 2
        over = exp(-(z**2) / 2) / sqrt(2 * pi) / self.share
        self.mean_before = mean + sqrt(variance) * over
        self.variance_before = variance * (1 + z * over - over**2)
        slope = between**2 / variance
        self.mean_after = mean + slope * (self.mean_before - mean)
        self.variance_after = slope**2 * self.variance_before + variance * (1 - slope**2)
        self.fall = self.mean_before - self.mean_after
        self.variance_of_fall = (1 - slope) ** 2 * self.variance_before + variance * (1 - slope**2)


class SpellsOfExponentialLength:
    """Days of a person in spells that begin at a rate while the person is free, and end at the rate 1 / mean length.

    A chain of two states in continuous time, free at first: with a = begin + end, the share in a spell at time t is
    begin / a (1 - exp(-a t)), and that of those in a spell at time 0, t later, (begin + end exp(-a t)) / a.
    """

    def __init__(self, begin: float, end: float, days: float, first_day: float = 0.0) -> None:
        self.begin, self.end, self.days = begin, end, days
        self.skipped = first_day
        """Days at the beginning of a spell that do not count."""

    @property
    def mean(self) -> float:
        """Mean of the days that count: those at which the person was in a spell as long ago as is skipped, and ever since."""
        a, span = self.begin + self.end, self.days - self.skipped
        return exp(-self.end * self.skipped) * self.begin / a * (span - (1 - exp(-a * span)) / a)

    @property
    def variance(self) -> float:
        """Variance of all days: twice the integral over s < t of P(in a spell at s and at t), by Gauss-Legendre in both."""
        a = self.begin + self.end
        nodes, weights = np.polynomial.legendre.leggauss(200)
        at, weight = (nodes + 1) / 2, weights / 2
        early = self.days * at[:, None]
        later = (self.days - early) * at[None, :]
        both = self.begin / a * (1 - np.exp(-a * early)) * (self.begin + self.end * np.exp(-a * later)) / a
        second = 2 * float((weight[:, None] * weight[None, :] * self.days * (self.days - early) * both).sum())
        return second - SpellsOfExponentialLength(self.begin, self.end, self.days).mean ** 2
