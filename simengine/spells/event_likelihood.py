"""The likelihood of events that happen again and again, to people who differ.

The rate of an event for a person in state s and stratum k, in month m of the year and y years from the origin of the calendar, is

    u × rate_s × factor_k × season_m × exp(trend × y)

with u the person's own factor, gamma distributed between people with mean 1 and variance v (1 for all without a frailty). With H the
sum of rate × time at risk of a person (with u = 1), N events and a = 1 / v, the likelihood of a person is the product of the rates at
the events times

    Γ(a + N) / Γ(a) × a^a / (a + H)^(a + N)

so that N, given the time at risk, is negative binomial with mean H and variance H + v H². Without a frailty it is exp(-H). Nobody is
at risk while an event of the kind lasts; that the time at risk depends on earlier events changes nothing in the likelihood.

References
----------
Lawless 1987, "Regression methods for Poisson process data", Journal of the American Statistical Association 82, 808-815: the
likelihood, and why the time at risk of each person is enough of a process that goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simengine.arrays import Floats
from simengine.late import special
from simengine.spells.choices import Priors
from simengine.spells.event_plan import EventPlan
from simengine.spells.log_prior import log_prior
from simengine.spells.risk_time import RiskTime

MONTHS_OF_YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class RateParameter:
    """One number of the rate of an event; all but a trend are fitted as logarithms."""

    kind: str
    """`rate`, `stratum`, `season`, `trend` or `variance`."""
    index: int = 0
    """Of the state, the stratum, or the month of the year."""


class EventBlock:
    """The numbers of one event at its time at risk.

    Parameters
    ----------
    plan
        How it is fitted.
    at
        Time at risk, in the states whose rates are fitted together.
    n_strata
        Number of strata.
    origin_month
        Month 0 of the calendar of a trend, in months since 1970-01.
    priors
        What is known before.
    """

    def __init__(self, plan: EventPlan, at: RiskTime, n_strata: int, origin_month: int, priors: Priors) -> None:
        self.priors = priors
        self.parameters = [RateParameter("rate", state) for state in plan.large]
        self.parameters += [RateParameter("stratum", one) for one in range(1, n_strata) if plan.by_stratum]
        self.parameters += [RateParameter("season", one) for one in range(1, 12) if plan.has_season]
        self.parameters += [RateParameter("trend")] if plan.has_trend else []
        self.design = self._design(at, origin_month)
        self._is_frail = plan.is_frail
        if plan.is_frail:
            self.parameters.append(RateParameter("variance"))
        people, self._person = np.unique(at.person, return_inverse=True)
        self._n_people = len(people)
        self._at = at
        self._of_person = np.bincount(self._person, at.n_events, self._n_people)
        self._of_class = np.bincount(at.risk_class, at.n_events, len(at.state))

    def _design(self, at: RiskTime, origin_month: int) -> Floats:
        """Return what each number adds to the log rate of each class, shape (class, parameter without the variance)."""
        years = (at.month - origin_month + 0.5) / 12
        classes = {"rate": at.state, "stratum": at.stratum, "season": at.month % 12}
        columns = [years if one.kind == "trend" else classes[one.kind] == one.index for one in self.parameters]
        return np.stack(columns, axis=1).astype(np.float64)

    def start(self) -> Floats:
        """Return where the search begins: crude rates, and the medians of what is known before."""
        point = np.zeros(len(self.parameters))
        for place, one in enumerate(self.parameters):
            if one.kind == "rate":
                at = self._at.state[self._at.risk_class] == one.index
                point[place] = np.log((self._at.n_events[at].sum() + 0.5) / self._at.months[at].sum())
            elif one.kind == "variance":
                point[place] = np.log(self.priors.frailty_variance.median)
        return point

    def expected(self, point: Floats) -> Floats:
        """Return the events that are expected of each person with a factor of 1, by cell: shape (cell,)."""
        rates = np.exp(self.design @ point[: self.design.shape[1]])
        return np.asarray(self._at.months * rates[self._at.risk_class])

    def log_posterior(self, point: Floats) -> tuple[float, Floats]:
        """Return the logarithm of the posterior density, up to a constant, and its gradient; shape (parameter,)."""
        value, gradient = log_prior((one.kind for one in self.parameters), point, self.priors)
        n_rates = self.design.shape[1]
        cumulative = self.expected(point)
        value += float(self._of_class @ (self.design @ point[:n_rates]))
        weight = np.ones(len(cumulative))
        if self._is_frail:
            a, n = np.exp(-point[-1]), self._of_person
            total = np.bincount(self._person, cumulative, self._n_people)
            value += float((special.gammaln(a + n) - special.gammaln(a) + a * np.log(a) - (a + n) * np.log(a + total)).sum())
            by_a = special.digamma(a + n) - special.digamma(a) + np.log(a / (a + total)) + 1.0 - (a + n) / (a + total)
            gradient[-1] += float(-a * by_a.sum())
            weight = ((a + n) / (a + total))[self._person]
        else:
            value -= float(cumulative.sum())
        residual = self._of_class - np.bincount(self._at.risk_class, weight * cumulative, len(self._at.state))
        gradient[:n_rates] += residual @ self.design
        return value, gradient
