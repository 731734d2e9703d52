"""Recurrent events, spells with a length, and shocks shared by everybody in a year."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.cohort.spec.names import OneOrMore, PositiveFixed
from simengine.cohort.spec.pathway import ByCalendar, ByMonths, one_form_of
from simengine.distributions import Count, Name, NotNegative, Quantity, Spec, within

RATES = ("rate_per_day", "rate_per_month", "rate_per_quarter", "rate_per_year")


class Rate(Spec):
    """The rate of an event for a person in a state, given in one of several forms."""

    rate_per_day: NotNegative | None = None
    """Expected events per day at risk; on average 300 a month at most; absent: another of the four rates."""
    rate_per_month: NotNegative | None = None
    """Expected events per month at risk; on average 300 a month at most; absent: another of the four rates."""
    rate_per_quarter: NotNegative | None = None
    """Expected events per quarter at risk; on average 300 a month at most; absent: another of the four rates."""
    rate_per_year: NotNegative | None = None
    """Expected events per year at risk; on average 300 a month at most; absent: another of the four rates."""

    @property
    def form(self) -> str:
        """The form that was given."""
        return next(name for name in RATES if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_form(self) -> Rate:
        one_form_of(self, "a rate", RATES)
        return self


_PARAMETERS = {
    "fixed": ("mean_days",),
    "lognormal": ("mean_days", "sd_days"),
    "gamma": ("mean_days", "sd_days"),
    "weibull": ("mean_days", "weibull_shape"),
    "uniform": ("low_days", "high_days"),
}


class Length(Spec):
    """The length of spells: a distribution, drawn for each spell."""

    kind: Literal["fixed", "lognormal", "gamma", "weibull", "uniform"]
    """The distribution of lengths; each spell draws its own."""
    mean_days: PositiveFixed | None = None
    """Mean, of all kinds but `uniform`."""
    sd_days: PositiveFixed | None = None
    """Standard deviation, of `lognormal` and `gamma`."""
    weibull_shape: (
        Annotated[Quantity, AfterValidator(within(0.1, 50, "the shape of a length must lie between 0.1 and 50"))] | None
    ) = None
    """Shape, of `weibull`: below 1, the rate of ending falls with duration."""
    low_days: NotNegative | None = None
    """Lower bound, of `uniform`."""
    high_days: PositiveFixed | None = None
    """Upper bound, of `uniform`."""

    @model_validator(mode="after")
    def _parameters_of_its_kind(self) -> Length:
        given = {name for name in type(self).model_fields if name != "kind" and getattr(self, name) is not None}
        wanted = _PARAMETERS[self.kind]
        if given != set(wanted):
            found = ", ".join(sorted(given)) or "none of them"
            raise ValueError(f"a {self.kind} length must be given by {' and '.join(wanted)}; found {found}")
        if self.kind == "uniform" and self.low_days.support[1] > self.high_days.support[0]:  # type: ignore[union-attr]
            raise ValueError(f"low_days must not be above high_days; found {self.low_days} and {self.high_days}")
        return self


class Event(Spec):
    """Something that may happen to a person many times: a reconviction, a sick spell, a report of concern."""

    rates: Annotated[dict[Name, Rate], Field(min_length=1)]
    """By state: its rate without the service; it does not happen in a state that is not named."""
    by_stratum: Annotated[dict[Name, NotNegative], Field(min_length=1)] | None = None
    """By stratum: factor on the rate; 1 where a stratum is not named; absent: 1."""
    by_months_since_entry: ByMonths | None = None
    """Factor on the rate by months since entry; absent: 1."""
    by_calendar: ByCalendar | None = None
    """Factor on the rate by the calendar; absent: 1."""
    length: Length | None = None
    """How long it lasts: then it is a spell, which continues while its person is in states where it can begin, and no other begins
    meanwhile; absent: it has no length."""


class Shock(Spec):
    """A factor shared by everybody at the time."""

    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""
    sd_per_year: NotNegative | None = None
    """Every year since the start of the study has its own factor, lognormal with median 1: the standard deviation of its logarithm;
    absent: one `factor` for some months."""
    factor: NotNegative | None = None
    """One factor, for some months; absent: a factor for every year."""
    from_month: Count | None = None
    """First of these months, from the start of the study, with `factor`."""
    to_month: Count | None = None
    """The month after the last, with `factor`; above `from_month`."""

    @model_validator(mode="after")
    def _one_kind(self) -> Shock:
        if (self.sd_per_year is None) == (self.factor is None):
            raise ValueError("a shock must have either `sd_per_year`, or `factor` with `from_month` and `to_month`")
        dated = (self.from_month is not None, self.to_month is not None)
        if dated != ((self.factor is not None),) * 2:
            raise ValueError("`from_month` and `to_month` must stand with `factor`, and only there")
        if self.factor is not None and self.from_month.value >= self.to_month.value:  # type: ignore[union-attr]
            found = f"{self.from_month} and {self.to_month}"
            raise ValueError(f"from_month must be below to_month; found {found}")
        return self
