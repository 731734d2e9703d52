"""Specification of rates per year: tables of discount rates, and the growth of the general price level."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, model_validator

from simengine.distributions import Fixed, Quantity, Spec, spelled, within

_rate = AfterValidator(within(-0.5, 1, "a rate must lie between -0.5 and 1 a year"))
YearlyRate = Annotated[Quantity, _rate]
_Fixed = Annotated[Fixed, _rate]


class RateTable(Spec):
    """A published table of yearly rates: dated data with a source, never a constant of the program."""

    title: str
    """What the table contains."""
    dated: Annotated[str, BeforeValidator(spelled(r"\d{4}(-\d{2}(-\d{2})?)?", "must be a date, as 2026-03-31, 2026-03 or '2026'"))]
    """When the table was set or read."""
    source: str
    """Where it comes from."""
    real: bool = False
    """Whether the rates are for money in the prices of the start; then cash is deflated by `prices` before it is discounted."""
    from_year: dict[int, _Fixed] = {}
    """By year of the study, the first being 1: the rate per year from that year on; absent: `from_calendar_year`."""
    from_calendar_year: dict[int, _Fixed] = {}
    """By calendar year: the rate from its January on; before the first of them the first applies; absent: `from_year`."""

    @model_validator(mode="after")
    def _one_clock(self) -> RateTable:
        if bool(self.from_year) == bool(self.from_calendar_year):
            raise ValueError("a table of rates must be given by `from_year` or by `from_calendar_year`; found neither or both")
        if self.from_year and min(self.from_year) != 1:
            raise ValueError(f"the rates of `from_year` must begin with year 1; found {min(self.from_year)}")
        return self


class PriceIndex(Spec):
    """Growth of the general price level."""

    growth_per_year: YearlyRate | None = None
    """The rise per year; absent: `from_calendar_year`."""
    from_calendar_year: dict[int, YearlyRate] = {}
    """By calendar year: the rise from its January on; before the first of them the first applies; absent: `growth_per_year`."""

    @model_validator(mode="after")
    def _one_form(self) -> PriceIndex:
        if bool(self.from_calendar_year) == (self.growth_per_year is not None):
            raise ValueError("prices must rise by `growth_per_year` or `from_calendar_year`; found neither or both")
        return self
