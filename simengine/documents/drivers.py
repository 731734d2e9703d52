"""What a party's money depends on: how closely it follows each assumption over the replications of a run.

An assumption was drawn anew in each replication. Its rank correlation with the money says how closely the money follows it, in
whatever direction and however bent; its square is the share of the differences between replications, as ranks, that goes with it. Two
means say the same in money: that of the fifth of the replications with the lowest values, and that of the fifth with the highest.

References
----------
Spearman, C. (1904), The proof and measurement of association between two things. Bonett, D. G. and Wright, T. A. (2000), Sample size
requirements for estimating Pearson, Kendall and Spearman correlations, Psychometrika 65, 23-28: the standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from simengine.distributions import Constant
from simengine.documents.material import Material
from simengine.records import Floats, measurements_of
from simengine.risk.statistics import Statistic

_FIFTH = 0.2
_SURELY = 3.0
"""Standard errors from 0 beyond which a correlation is told."""


@dataclass(frozen=True)
class Driver:
    """How a party's money follows one assumption."""

    path: str
    correlation: Statistic
    """The rank correlation."""
    share: Statistic
    """Share of the variance of the ranks, without what chance alone gives."""
    low: float
    """The 5 % quantile of the assumption."""
    high: float
    """Its 95 % quantile."""
    mean_low: Statistic
    """Mean money in the fifth of the replications with the lowest values."""
    mean_high: Statistic
    """The same of the highest."""


def drivers_of(material: Material, column: str) -> list[Driver]:
    """List the assumptions that a column of a run follows beyond doubt, the most important first."""
    is_first = measurements_of(material.replications) == 1
    money, weights = material.rows[column][is_first], material.weights[is_first]
    if len(money) < 10 or np.ptp(money) == 0:
        return []
    numbers = material.study.numbers
    found = []
    for path, values in material.drawn.items():
        number = numbers.get(path)
        if number is None or isinstance(number, Constant) or np.ptp(values) == 0:
            continue
        one = rank_correlation(values, money, weights)
        if abs(one.value) > _SURELY * one.se:
            found.append(_driver(path, values, money, weights, one))
    return sorted(found, key=lambda driver: -driver.share.value)


def _driver(path: str, values: Floats, money: Floats, weights: Floats, one: Statistic) -> Driver:
    n = 1 / float(weights @ weights) * float(weights.sum()) ** 2
    by_chance = (1 - one.value**2) / (n - 2)
    place = _ranks(values, weights)
    ends = (_mean_of(money, weights * (place < _FIFTH)), _mean_of(money, weights * (place > 1 - _FIFTH)))
    low, high = (float(np.quantile(values, level)) for level in (0.05, 0.95))
    return Driver(path, one, Statistic(one.value**2 - by_chance, 2 * abs(one.value) * one.se), low, high, *ends)


def rank_correlation(one: Floats, other: Floats, weights: Floats) -> Statistic:
    """Return the rank correlation of two samples with weights, with its standard error.

    Examples
    --------
    >>> import numpy as np
    >>> rank_correlation(np.arange(20.0), np.arange(20.0) ** 3, np.full(20, 0.05)).value
    1.0
    """
    share = weights / weights.sum()
    ranks = [_ranks(sample, weights) for sample in (one, other)]
    centred = [rank - share @ rank for rank in ranks]
    spreads = [sqrt(float(share @ rank**2)) for rank in centred]
    value = min(max(float(share @ (centred[0] * centred[1])) / (spreads[0] * spreads[1]), -1.0), 1.0)
    n = 1 / float(share @ share)
    return Statistic(round(value, 12), (1 - value**2) * sqrt((1 + value**2 / 2) / (n - 3)))


def _ranks(sample: Floats, weights: Floats) -> Floats:
    """Return the ranks of a sample between 0 and 1; equal values share one in the middle of theirs."""
    _, place = np.unique(sample, return_inverse=True)
    of_value = np.bincount(place, weights)
    below = np.cumsum(of_value) - of_value
    ranks: Floats = ((below + of_value / 2) / weights.sum())[place]
    return ranks


def _mean_of(sample: Floats, weights: Floats) -> Statistic:
    share = weights / weights.sum()
    value = float(share @ sample)
    return Statistic(value, sqrt(float(share**2 @ (sample - value) ** 2)))
