"""The best of several choices for somebody who compares them in the same worlds, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic

SURE = 2.0
"""Monte Carlo standard errors of a difference in the same worlds by which one choice beats another before it is said to."""


@dataclass(frozen=True)
class BestResponse:
    """Which of several choices is worth most to whoever decides."""

    best: int
    """Of choices that are worth the same, the first."""
    worth: tuple[Statistic, ...]
    """By choice: the mean, less a/2 times the variance."""
    next_best: int | None
    """Nothing where there is no choice."""
    lead: Statistic | None
    """What the best is worth more than the next best, in the same worlds."""
    not_beaten: tuple[int, ...]
    """The choices that the best does not beat beyond doubt, itself among them."""

    @property
    def is_decided(self) -> bool:
        """Whether the best beats all others beyond doubt."""
        return self.not_beaten == (self.best,)


def best_response(payoffs: Sequence[Floats], risk_aversion: float = 0.0) -> BestResponse:
    """Give the best of several choices.

    Parameters
    ----------
    payoffs
        By choice: what it brings in each world, shape (n_worlds,), the same worlds for all; from the least choice to the greatest.
    risk_aversion
        a: the mean less a/2 times the variance is maximised, the certainty equivalent where payoffs are normal and utility
        exponential with risk aversion a.

    References
    ----------
    Pratt, J. W. (1964), Risk aversion in the small and in the large, Econometrica 32, 122-136.
    """
    told = [worth_by_world(payoff, risk_aversion) for payoff in payoffs]
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


def worth_by_world(payoff: Floats, risk_aversion: float) -> Floats:
    """Give numbers whose mean is the mean of a payoff less a/2 times its variance, to first order with its standard error."""
    if risk_aversion == 0.0:
        return payoff
    n = len(payoff)
    return np.asarray(payoff - risk_aversion / 2 * (payoff - np.mean(payoff)) ** 2 * (n / (n - 1)))


@dataclass(frozen=True)
class GivingUp:
    """How dear the effort may become before the least choice is the best."""

    multiple: Statistic
    """Of the cost: below it somebody works, above it nobody does."""
    choice: int
    """The last choice before giving up: far from the least one, effort falls off a cliff; next to it, it fades out."""


def giving_up(income: Sequence[Floats], cost: Sequence[Floats], risk_aversion: float = 0.0) -> GivingUp | None:
    """Say at which multiple of the cost the least choice becomes the best.

    The least choice, 0, is best where w(k) - m c(k) <= w(0) - m c(0) for every k, with w what the income is worth, c the expected
    cost and m the multiple: from m = max (w(k) - w(0)) / (c(k) - c(0)) on.

    Parameters
    ----------
    income
        By choice: what it brings in each world before its cost, shape (n_worlds,), from the least choice to the greatest.
    cost
        By choice: what it costs in each world.
    risk_aversion
        As for `best_response`.

    Returns
    -------
    Nothing where no choice costs more than the least, or where the cost is itself a risk to whoever shuns risks.
    """
    if risk_aversion > 0 and any(np.ptp(one) > 0 for one in cost):
        return None
    told = [worth_by_world(one, risk_aversion) for one in income]
    dearer = [k for k in range(1, len(told)) if float(np.mean(cost[k] - cost[0])) > 0]
    if not dearer:
        return None
    ratio = {k: float(np.mean(told[k] - told[0])) / float(np.mean(cost[k] - cost[0])) for k in dearer}
    last = max(dearer, key=lambda k: ratio[k])
    gain, price = told[last] - told[0], cost[last] - cost[0]
    # The delta method: to first order a ratio of two means varies as the mean of these.
    error = statistics.mean((gain - ratio[last] * price) / float(np.mean(price))).se
    return GivingUp(Statistic(ratio[last], error), last)
