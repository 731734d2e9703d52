"""The best of several choices for somebody who compares them in the same replications, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic

SURE = 2.0
"""Monte Carlo standard errors of a difference in the same replications by which one choice beats another before it is said to."""


@dataclass(frozen=True)
class BestResponse:
    """The choice that is worth most to the decision maker."""

    best: int
    """Of choices that are worth the same, the first."""
    worth: tuple[Statistic, ...]
    """By choice: the mean, less a/2 times the variance."""
    next_best: int | None
    """Nothing where there is no choice."""
    lead: Statistic | None
    """What the best is worth more than the next best, in the same replications."""
    not_beaten: tuple[int, ...]
    """The choices that the best does not beat beyond doubt, itself among them."""

    @property
    def is_decided(self) -> bool:
        """Whether the best beats all others beyond doubt."""
        return self.not_beaten == (self.best,)


def best_response(payoffs: Sequence[Floats], risk_aversion: float = 0.0) -> BestResponse:
    """Return the best of several choices.

    Parameters
    ----------
    payoffs
        By choice: what it brings in each replication, shape (n_replications,), the same replications for all; from the least choice to
        the greatest.
    risk_aversion
        a: the mean less a/2 times the variance is maximised, the certainty equivalent where payoffs are normal and utility
        exponential with risk aversion a.

    References
    ----------
    Pratt, J. W. (1964), Risk aversion in the small and in the large, Econometrica 32, 122-136.
    """
    told = [worth_by_replication(payoff, risk_aversion) for payoff in payoffs]
    worth = tuple(statistics.mean(one) for one in told)
    values = [one.value for one in worth]
    best = int(np.argmax(values))
    others = [k for k in range(len(told)) if k != best]
    if not others:
        return BestResponse(best, worth, None, None, (best,))
    leads = {k: statistics.mean(told[best] - told[k]) for k in others}
    next_best = max(others, key=lambda k: values[k])
    undecided = [k for k, lead in leads.items() if lead.value <= SURE * lead.se]
    return BestResponse(best, worth, next_best, leads[next_best], tuple(sorted([best, *undecided])))


def worth_by_replication(payoff: Floats, risk_aversion: float) -> Floats:
    """Return numbers whose mean is the mean of a payoff less a/2 times its variance, to first order with its standard error."""
    if risk_aversion == 0.0:
        return payoff
    n = len(payoff)
    return np.asarray(payoff - risk_aversion / 2 * (payoff - np.mean(payoff)) ** 2 * (n / (n - 1)))


@dataclass(frozen=True)
class GivingUp:
    """A discontinuous fall of effort, from one choice to a much lower one, as its cost rises."""

    multiple: Statistic
    """Of the cost: just below it the higher choice is the best, just above it the lower one."""
    high: int
    low: int


def giving_up(
    effort: Sequence[float], income: Sequence[Floats], cost: Sequence[Floats], risk_aversion: float = 0.0
) -> GivingUp | None:
    """Find the largest fall of effort as its cost rises by a common multiple.

    With w(k) what the income of choice k is worth, c(k) its expected cost and m the multiple, the best choice has the largest
    w(k) - m c(k): for every m it is a corner of the upper hull of the points (c(k), w(k)), and two neighbouring corners change
    places where m is the slope between them. A fall is one that skips a choice between the two.

    Parameters
    ----------
    effort
        By choice: how much it is.
    income
        By choice: what it brings in each replication before its cost, shape (n_replications,).
    cost
        By choice: what it costs in each replication.
    risk_aversion
        As for `best_response`.

    Returns
    -------
    Nothing where effort fades out choice by choice, where it brings nothing, or where the cost is itself a risk to whoever shuns
    risks.
    """
    if risk_aversion > 0 and any(np.ptp(one) > 0 for one in cost):
        return None
    told = [worth_by_replication(one, risk_aversion) for one in income]
    corners = _upper_hull([float(np.mean(one)) for one in cost], [float(np.mean(one)) for one in told])
    falls = [
        (effort[high] - effort[low], low, high)
        for low, high in pairwise(corners)
        if any(effort[low] < between < effort[high] for between in effort)
    ]
    if not falls:
        return None
    _, low, high = max(falls)
    gain, price = told[high] - told[low], cost[high] - cost[low]
    multiple = float(np.mean(gain)) / float(np.mean(price))
    # The delta method: to first order a ratio of two means varies as the mean of these.
    error = statistics.mean((gain - multiple * price) / float(np.mean(price))).se
    return GivingUp(Statistic(multiple, error), high, low)


def _upper_hull(x: Sequence[float], y: Sequence[float]) -> list[int]:
    """Return the corners of the upper hull of some points as long as it rises, from the least x on (Andrew's monotone chain)."""
    corners: list[int] = []
    for k in sorted(range(len(x)), key=lambda k: (x[k], -y[k])):
        if corners and y[k] <= y[corners[-1]]:
            continue
        while len(corners) > 1:
            a, b = corners[-2:]
            if (y[b] - y[a]) * (x[k] - x[a]) > (y[k] - y[a]) * (x[b] - x[a]):
                break
            corners.pop()
        corners.append(k)
    return corners
