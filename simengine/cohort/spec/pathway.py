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
        raise ValueError(f"{what} must be given in exactly one way of {', '.join(names)}; found {', '.join(given) or 'none'}")


class Pace(Spec):
    """The rate of a move without the service, given in one of several forms."""

    per_month: Chance | None = None
    """Probability of the move within a month, in competition with the other moves; absent: another form."""
    per_quarter: Chance | None = None
    """Probability of the move within three months; absent: another form."""
    per_year: Chance | None = None
    """Probability of the move within twelve months; absent: another form."""
    rate_per_day: NotNegative | None = None
    """Hazard per day at risk: expected moves, if nothing else happened; absent: another form."""
    rate_per_month: NotNegative | None = None
    """Hazard per month at risk: expected moves, if nothing else happened; absent: another form."""
    rate_per_quarter: NotNegative | None = None
    """Hazard per quarter at risk: expected moves, if nothing else happened; absent: another form."""
    rate_per_year: NotNegative | None = None
    """Hazard per year at risk: expected moves, if nothing else happened; absent: another form."""
    mean_days: PositiveFixed | None = None
    """Mean time to the move in days, in the absence of other moves: the inverse of the hazard; absent: another form."""
    mean_months: PositiveFixed | None = None
    """Mean time to the move in months, in the absence of other moves: the inverse of the hazard; absent: another form."""
    mean_years: PositiveFixed | None = None
    """Mean time to the move in years, in the absence of other moves: the inverse of the hazard; absent: another form."""

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
    """Months from which the numbers of the list apply, increasing."""
    factor: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None
    """`factor[i]` holds from month `from_months[i]` on; before the first it is 1. As many numbers as months."""

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
            raise ValueError(f"there must be one {self.form} for every month from which it holds; found {found}")
        if list(self.from_months) != sorted(set(self.from_months)):
            raise ValueError(f"the months must increase; found {', '.join(map(str, self.from_months))}")
        return self


class PaceByMonths(ByMonths):
    """A factor on the hazard, or the rate itself, from given months on; the move's own rate before the first."""

    per_month: Annotated[tuple[Chance, ...], Field(min_length=1, strict=False)] | None = None
    """The probability itself within a month, from these months on; before the first the move's own rate. As many as months; absent:
    another form."""
    per_quarter: Annotated[tuple[Chance, ...], Field(min_length=1, strict=False)] | None = None
    """The probability itself within a quarter, from these months on; before the first the move's own rate. As many as months;
    absent: another form."""
    per_year: Annotated[tuple[Chance, ...], Field(min_length=1, strict=False)] | None = None
    """The probability itself within a year, from these months on; before the first the move's own rate. As many as months; absent:
    another form."""
    rate_per_month: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None
    """The hazard itself per month, from these months on; before the first the move's own rate. As many as months; absent: another
    form."""
    rate_per_year: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None
    """The hazard itself per year, from these months on; before the first the move's own rate. As many as months; absent: another
    form."""


MONTHS_OF_THE_YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MonthOfTheYear = Literal["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class ByCalendar(Spec):
    """A factor on the hazard that changes with the calendar."""

    trend_per_year: Quantity | None = None
    """Yearly growth on the logarithmic scale since the start of the study; absent: 0."""
    season: dict[MonthOfTheYear, NotNegative] | None = None
    """By month of the year, `jan` to `dec`: factor; 1 where a month is not named; absent: 1."""


class MoveSpec(Pace):
    """A move between two states without the service."""

    by_stratum: Annotated[dict[Name, Pace], Field(min_length=1)] | None = None
    """By stratum: a rate for each, instead of one for all; no move for a stratum that is not named."""
    weibull_shape: Annotated[Quantity, AfterValidator(within(0.05, 50, "a Weibull shape must lie between 0.05 and 50"))] | None = (
        None
    )
    """The hazard rises (above 1) or falls (below 1) with the time in the state: by month d + 1 it has accumulated `(d + 1)^shape`
    times that of the first month. A probability or rate is then that of the first month; a mean time stays the mean; absent:
    constant."""
    by_months_in_state: PaceByMonths | None = None
    """Factor on the hazard, or the rate itself, by months spent in the state; absent: no change."""
    by_months_since_entry: PaceByMonths | None = None
    """Factor on the hazard, or the rate itself, by months since the person entered the service; absent: no change."""
    by_calendar: ByCalendar | None = None
    """Factor on the hazard by the calendar; absent: 1."""

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
    """The states, each once."""
    start: dict[Name, dict[Name, Share]]
    """By stratum and state: shares in the month of entry; with a history, at its beginning. Every stratum has one; a state that is
    not named has 0."""
    moves: dict[MoveName, MoveSpec]
    """Moves between states; the keys read `from -> to`. Staying, `A -> A`, only as a count."""
    time_together: dict[Name, Annotated[tuple[Name, ...], Field(min_length=2, strict=False)]] = {}
    """By name: states whose months count as one time in the state; a state is in one list at most."""
    steps_per_month: Annotated[Count, AfterValidator(within(1, 32, "a month must have from 1 to 32 steps"))] | None = None
    """Steps in a month; people move at the end of a step, at most once; absent: 1, or as many as rates and mean times of moves
    require."""
