"""States, and moves between them, without the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.cohort.spec.names import MoveName, PositiveFixed
from simengine.distributions import Chance, Count, Name, NotNegative, Quantity, Share, Spec, within

_PACES = (
    *("per_month", "per_quarter", "per_year"),
    *("rate_per_day", "rate_per_month", "rate_per_quarter", "rate_per_year"),
    *("mean_days", "mean_months", "mean_years"),
)


def one_form_of(spec: Any, what: str, names: Sequence[str], wanted: int = 1) -> None:
    """Refuse a specification with no form, or more than one, of several."""
    given = [name for name in names if getattr(spec, name) is not None]
    if len(given) != wanted:
        raise ValueError(f"{what} is given in exactly one way of {', '.join(names)}; found {', '.join(given) or 'none'}")


class Pace(Spec):
    """The rate of a move without the service, given in one of several forms."""

    per_month: Chance | None = None
    """Probability that it happens within a month, in competition with the other moves out of the state."""
    per_quarter: Chance | None = None
    per_year: Chance | None = None
    rate_per_day: NotNegative | None = None
    """Hazard: expected moves per day at risk, if nothing else happened."""
    rate_per_month: NotNegative | None = None
    rate_per_quarter: NotNegative | None = None
    rate_per_year: NotNegative | None = None
    mean_days: PositiveFixed | None = None
    """Mean time to the move, if nothing else happened: the inverse of the hazard."""
    mean_months: PositiveFixed | None = None
    mean_years: PositiveFixed | None = None

    @property
    def form(self) -> str:
        """The one way that was chosen."""
        return next(name for name in _PACES if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_form(self) -> Pace:
        one_form_of(self, "a pace", _PACES, self._forms_wanted())
        return self

    def _forms_wanted(self) -> int:
        return 1


_SERIES = ("factor", "per_month", "per_quarter", "per_year", "rate_per_month", "rate_per_year")


class ByMonths(Spec):
    """A factor that changes at given months: `factor[i]` from month `from_months[i]` on; 1 before the first."""

    from_months: Annotated[tuple[Annotated[int, Field(strict=True, ge=0, le=1200)], ...], Field(min_length=1, strict=False)]
    factor: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None

    @property
    def form(self) -> str:
        """What changes: `factor`, or a form of the rate."""
        return next(name for name in _SERIES if getattr(self, name, None) is not None)

    @model_validator(mode="after")
    def _same_length(self) -> ByMonths:
        forms = [name for name in _SERIES if name in type(self).model_fields]
        one_form_of(self, "what changes by months", forms)
        number = len(getattr(self, self.form))
        if len(self.from_months) != number:
            found = f"{len(self.from_months)} months and {number} numbers"
            raise ValueError(f"there is one {self.form} for every month from which it holds; found {found}")
        if list(self.from_months) != sorted(set(self.from_months)):
            raise ValueError(f"the months increase; found {', '.join(map(str, self.from_months))}")
        return self


class PaceByMonths(ByMonths):
    """A factor on the hazard, or the rate itself, from given months on; the move's own rate before the first."""

    per_month: Annotated[tuple[Chance, ...], Field(min_length=1, strict=False)] | None = None
    per_quarter: Annotated[tuple[Chance, ...], Field(min_length=1, strict=False)] | None = None
    per_year: Annotated[tuple[Chance, ...], Field(min_length=1, strict=False)] | None = None
    rate_per_month: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None
    rate_per_year: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None


MONTHS_OF_THE_YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MonthOfTheYear = Literal["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class ByCalendar(Spec):
    """A factor on the hazard that changes with the calendar."""

    trend_per_year: Quantity | None = None
    """Yearly growth of the hazard on the logarithmic scale, from the start of the study."""
    season: dict[MonthOfTheYear, NotNegative] | None = None
    """Factor by month of the year; 1 where a month is not named."""


class MoveSpec(Pace):
    """A move between two states without the service."""

    by_stratum: Annotated[dict[Name, Pace], Field(min_length=1)] | None = None
    """A rate for each stratum; the move does not happen in a stratum that is not named."""
    weibull_shape: Annotated[Quantity, AfterValidator(within(0.05, 50, "a Weibull shape must lie between 0.05 and 50"))] | None = (
        None
    )
    """The hazard rises (above 1) or falls (below 1) with the time in the state: by month d + 1 it has accumulated (d + 1)^shape
    times that of the first month. A probability or rate is then that of the first month; a mean time stays the mean."""
    by_months_in_state: PaceByMonths | None = None
    """A factor on the hazard, or the rate itself, by months spent in the state."""
    by_months_since_entry: PaceByMonths | None = None
    """A factor on the hazard, or the rate itself, by months since entry."""
    by_calendar: ByCalendar | None = None

    def _forms_wanted(self) -> int:
        return 0 if self.by_stratum is not None else 1

    @property
    def changes_with_stay_or_calendar(self) -> bool:
        """Whether the hazard depends on more than the months since entry."""
        return any(part is not None for part in (self.weibull_shape, self.by_months_in_state, self.by_calendar))

    def pace_in(self, stratum: str) -> tuple[str, Pace] | None:
        """Return the path below the move and the rate in a stratum; None if the move cannot happen."""
        if self.by_stratum is None:
            return "", self
        return (f".by_stratum.{stratum}", self.by_stratum[stratum]) if stratum in self.by_stratum else None


class Pathway(Spec):
    """The states and the untreated moves between them."""

    states: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    start: dict[Name, dict[Name, Share]]
    """By stratum: the shares of the states in the month of entry, or at the beginning of the history if there is one."""
    moves: dict[MoveName, MoveSpec]
    """Keys read `from -> to`."""
    time_together: dict[Name, Annotated[tuple[Name, ...], Field(min_length=2, strict=False)]] = {}
    """By names of your choice: states whose months count as one time in the state."""
    steps_per_month: Annotated[Count, AfterValidator(within(1, 32, "a month has from 1 to 32 steps"))] | None = None
    """People move at the end of a step, at most once. Absent: 1, or as many as rates and mean times of moves require."""
