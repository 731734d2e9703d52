"""Distributions from counts: people referred, and a rate from observed events."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from simengine.arrays import Floats
from simengine.distributions.sourced import Layer, Number, Sourced
from simengine.late import special

Positive = Annotated[Number, Field(gt=0)]


class Referrals(Sourced):
    """The number of people referred within some months by several referrers, each with its own rate.

    Every referrer's rate is gamma distributed with mean `per_month_each` m and shape `shape` a; referrals are Poisson given
    the rates. Then the total of C referrers over T months is negative binomial with size C a and success probability
    (a / m) / (a / m + T): mean C m T, variance C m T + C m^2 T^2 / a. A small shape means that a few referrers send most.

    References
    ----------
    Anisimov and Fedorov 2007, "Modelling, prediction and adaptive adjustment of recruitment in multicentre trials",
    Statistics in Medicine 26, 4958-4975, doi:10.1002/sim.2956.
    """

    distribution: Literal["referrals"]
    referrers: Annotated[Number, Field(ge=1, le=1e6)]
    """Number of referrers, C."""
    per_month_each: Annotated[Positive, Field(le=1e6)]
    """Mean referrals per month of one of them, m."""
    shape: Annotated[Positive, Field(ge=0.01, le=1e6)]
    """How similar they are, a: a small shape means that a few refer most people."""
    months: Annotated[Positive, Field(le=1200)]
    """Months of referral, T."""
    layer: Layer = "environment"
    """What kind of uncertainty the distribution describes."""

    @property
    def _size_and_success(self) -> tuple[float, float]:
        odds = self.shape / self.per_month_each
        return self.referrers * self.shape, odds / (odds + self.months)

    def inverse(self, uniform: Floats) -> Floats:
        """Find the smallest count whose distribution function reaches the uniform, by halving."""
        size, success = self._size_and_success
        # Both ends are whole numbers from the beginning: one rounded later could fall below the count that is sought.
        high = np.full_like(uniform, np.ceil(self.centre) + 1)
        while (is_short := special.betainc(size, high + 1, success) < uniform).any():
            high = np.where(is_short, 2 * high + 1, high)
        low = np.full_like(uniform, -1.0)
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            reaches = special.betainc(size, middle + 1, success) >= uniform
            low, high = np.where(reaches, low, middle), np.where(reaches, middle, high)
        return np.asarray(high)

    @property
    def centre(self) -> float:
        return self.referrers * self.per_month_each * self.months

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        sd = (self.centre + self.centre**2 / (self.referrers * self.shape)) ** 0.5
        return f"referrals, mean {self.centre:,.6g}, sd {sd:,.6g}"


class SeenEvents(Sourced):
    """A rate given `events` observed in the time `at_risk`: gamma with shape `events`, mean events / at_risk.

    The unit of `at_risk` is that of the rate: person-years for a rate per year. The distribution is the posterior of a Poisson rate
    under the prior 1 / rate; its standard deviation is sqrt(events) / at_risk.

    References
    ----------
    Gelman et al. 2013, "Bayesian Data Analysis", 3rd edition, section 2.6, doi:10.1201/b16018.
    """

    distribution: Literal["seen_events"]
    events: Annotated[Positive, Field(ge=0.5, le=1e12)]
    """Number observed, k."""
    at_risk: Annotated[Positive, Field(le=1e15)]
    """The time at risk, T, summed over persons. Its unit is that of the rate: person-years for a rate per year, person-months for a
    rate per month."""

    def inverse(self, uniform: Floats) -> Floats:
        return np.asarray(special.gammaincinv(self.events, uniform) / self.at_risk)

    @property
    def centre(self) -> float:
        return self.events / self.at_risk

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        return f"seen_events, {self.events:,.6g} in {self.at_risk:,.6g}, mean {self.centre:,.6g}"
