"""What may be asked of the people: who enters, which states they move between, what the service changes, what is counted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from simengine.laws import Constant, Count, Months, NotNegative, Probability, Quantity, Share, Spec, within


def _above_zero(quantity: Quantity) -> Quantity:
    if quantity.support[0] < 0 or (isinstance(quantity, Constant) and quantity.value <= 0):
        raise ValueError(f"a duration or count here is above 0; found {quantity}")
    return quantity


Positive = Annotated[Quantity, AfterValidator(_above_zero)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


def _people(quantity: Quantity) -> Quantity:
    if isinstance(quantity, Constant):
        return _COUNT.validate_python(quantity)
    if not (quantity.support[0] >= 0 and quantity.centre <= 1e7):
        raise ValueError(f"a number of people is not negative, and 1e7 at most on average; found {quantity}")
    return quantity


_COUNT: TypeAdapter[Constant] = TypeAdapter(Count)


class Wave(Spec):
    """People who enter together."""

    size: Annotated[Quantity, AfterValidator(_people)]
    """Service users who enter; of a law, the whole part of what is drawn."""
    from_month: Count = Constant(value=0.0, certainty="choice", note="the default")
    """First month of enrolment, counted from the start of the study (0)."""
    enrolment_months: Annotated[Quantity, AfterValidator(within(1, 600, "enrolment takes from 1 to 600 months"))]
    """Months over which people enter, each month equally likely."""


class Stratum(Spec):
    """A part of the population with its own start and its own moves."""

    share: Share


class Population(Spec):
    """Who enters the service."""

    waves: Annotated[dict[Name, Wave], Field(min_length=1)]
    strata: Annotated[dict[Name, Stratum], Field(min_length=1)]


_PACES = (
    *("per_month", "per_quarter", "per_year"),
    *("rate_per_day", "rate_per_month", "rate_per_quarter", "rate_per_year"),
    *("mean_days", "mean_months", "mean_years"),
)


class Pace(Spec):
    """How fast a move happens in the world without the service, said in one of several ways."""

    per_month: Probability | None = None
    """Probability that it happens within a month, beside the other moves out of the state."""
    per_quarter: Probability | None = None
    per_year: Probability | None = None
    rate_per_day: NotNegative | None = None
    """Hazard: expected moves per day at risk, if nothing else happened."""
    rate_per_month: NotNegative | None = None
    rate_per_quarter: NotNegative | None = None
    rate_per_year: NotNegative | None = None
    mean_days: Positive | None = None
    """Mean time to the move, if nothing else happened: the inverse of the hazard."""
    mean_months: Positive | None = None
    mean_years: Positive | None = None

    @property
    def form(self) -> str:
        """The one way that was chosen."""
        return next(name for name in _PACES if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_form(self) -> Pace:
        given = [name for name in _PACES if getattr(self, name) is not None]
        if len(given) != self._forms_wanted():
            raise ValueError(f"a pace is given in exactly one way of {', '.join(_PACES)}; found {', '.join(given) or 'none'}")
        return self

    def _forms_wanted(self) -> int:
        return 1


class ByMonths(Spec):
    """A factor on the hazard that changes at given months: `factor[i]` from month `from_months[i]` on; 1 before the first."""

    from_months: Annotated[tuple[Annotated[int, Field(strict=True, ge=0, le=1200)], ...], Field(min_length=1, strict=False)]
    factor: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _same_length(self) -> ByMonths:
        if len(self.from_months) != len(self.factor):
            found = f"{len(self.from_months)} months and {len(self.factor)} factors"
            raise ValueError(f"there is one factor for every month from which it holds; found {found}")
        if list(self.from_months) != sorted(set(self.from_months)):
            raise ValueError(f"the months increase; found {', '.join(map(str, self.from_months))}")
        return self


MONTHS_OF_THE_YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MonthOfTheYear = Literal["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class ByCalendar(Spec):
    """A factor on the hazard that changes with the calendar."""

    trend_per_year: Quantity | None = None
    """Yearly growth of the hazard on the logarithmic scale, from the start of the study."""
    season: dict[MonthOfTheYear, NotNegative] | None = None
    """Factor by month of the year; 1 where a month is not named."""


class Move(Pace):
    """A move between two states in the world without the service."""

    by_stratum: Annotated[dict[Name, Pace], Field(min_length=1)] | None = None
    """A pace for each stratum; the move does not happen where a stratum is not named."""
    weibull_shape: Annotated[Quantity, AfterValidator(within(0.05, 50, "a Weibull shape lies between 0.05 and 50"))] | None = None
    """The hazard rises (above 1) or falls (below 1) with the time in the state: by month d + 1 it has gathered (d + 1)^shape
    times that of the first month. A probability or rate is then that of the first month; a mean time stays the mean."""
    by_months_in_state: ByMonths | None = None
    """A factor by months spent in the state."""
    by_months_since_entry: ByMonths | None = None
    by_calendar: ByCalendar | None = None

    def _forms_wanted(self) -> int:
        return 0 if self.by_stratum is not None else 1

    @property
    def changes_with_stay_or_calendar(self) -> bool:
        """Whether the hazard depends on more than the months since entry."""
        return any(part is not None for part in (self.weibull_shape, self.by_months_in_state, self.by_calendar))

    def pace_in(self, stratum: str) -> tuple[str, Pace] | None:
        """Give the path below the move and the pace in a stratum; nothing where the move cannot happen."""
        if self.by_stratum is None:
            return "", self
        return (f".by_stratum.{stratum}", self.by_stratum[stratum]) if stratum in self.by_stratum else None


class Pathway(Spec):
    """The states and the untreated moves between them."""

    states: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    start: dict[Name, dict[Name, Share]]
    """By stratum: the shares of the states in the month of entry."""
    moves: dict[Annotated[str, Field(pattern=r"^\w+ -> \w+$")], Move]
    """Keys read `from -> to`."""


class Effect(Spec):
    """What the service changes: the hazard of a move, or the odds of a binary outcome."""

    move: str | None = None
    hazard_ratio: NotNegative | None = None
    outcome: Name | None = None
    odds_ratio: NotNegative | None = None
    ramp_months: NotNegative | None = None
    """The effect grows as 1 - exp(-t / ramp_months) after entry; absent: at once."""
    fades_after_months: NotNegative | None = None
    """Months after entry at which the effect begins to fade; absent: never."""
    half_life_months: NotNegative | None = None
    """Months in which the logarithm of the effect falls by half once it fades."""

    @model_validator(mode="after")
    def _one_target(self) -> Effect:
        on_move = self.move is not None and self.hazard_ratio is not None
        on_outcome = self.outcome is not None and self.odds_ratio is not None
        given = [name for name in ("move", "hazard_ratio", "outcome", "odds_ratio") if getattr(self, name) is not None]
        if len(given) != 2 or not (on_move or on_outcome):
            raise ValueError(
                "an effect is given by `move` and `hazard_ratio`, or by `outcome` and `odds_ratio`; "
                f"found {', '.join(given) or 'none of them'}"
            )
        if (self.fades_after_months is None) != (self.half_life_months is None):
            raise ValueError("fades_after_months and half_life_months are given together")
        if on_outcome and (self.ramp_months is not None or self.fades_after_months is not None):
            raise ValueError("an effect on a binary outcome has no ramp and does not fade: the outcome is read at one date")
        return self


class Amount(Spec):
    """Money (or any other amount) that grows with the days spent in each state."""

    kind: Literal["amount"]
    per_day: dict[Name, NotNegative]
    """By state; 0 where a state is not named."""
    discount_rate_per_year: NotNegative | None = None
    """Each person's amount is discounted to that person's entry, month m by (1 + rate)^(-m/12); absent: not at all."""


class Binary(Spec):
    """Yes or no at one date after entry, with a probability that depends on the state at that date."""

    kind: Literal["binary"]
    at_month: Months
    probability: dict[Name, Probability]
    """By state, in the world without the service."""


Outcome = Annotated[Amount | Binary, Field(discriminator="kind")]
