"""What is counted of people's lives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.cohort.spec.names import MoveName, NoneOrMore, OneOrMore, Positive
from simengine.cohort.spec.pathway import ByMonths
from simengine.cohort.spec.population import Selection
from simengine.laws import (
    Constant,
    Count,
    Fixed,
    FixedNotNegative,
    Months,
    Name,
    NotNegative,
    Number,
    Probability,
    Quantity,
    Spec,
    within,
)


class Amount(Spec):
    """Money (or any other amount) that grows with the days spent in each state, with events and with moves."""

    kind: Literal["amount"]
    per_day: dict[Name, NotNegative] = {}
    """By state; 0 where a state is not named."""
    per_event: dict[Name, NotNegative] = {}
    """By event, when it happens."""
    per_spell_day: dict[Name, NotNegative] = {}
    """By event with a length, for every day that it lasts."""
    per_move: dict[MoveName, Quantity] = {}
    """By move, each time that a person makes it: the cost of making it, or what it takes from a person (negative)."""
    per_move_by_stratum: dict[MoveName, Annotated[dict[Name, Quantity], Field(min_length=1)]] = {}
    """By move and stratum; 0 in a stratum that is not named."""
    by_months_since_entry: dict[Name, ByMonths] = {}
    """By state: a factor on the amount per day, by months after entry."""
    by_months_in_state: dict[Name, ByMonths] = {}
    """By state: a factor on the amount per day, by months in the state."""
    between_people_sd: NotNegative | None = None
    """People differ: a factor on each person's whole amount, gamma distributed with mean 1 and this standard deviation."""
    between_people_half_width: (
        Annotated[Quantity, AfterValidator(within(0, 1, "a half width around 1 must lie between 0 and 1"))] | None
    ) = None
    """People differ: a factor on each person's whole amount, uniform within this of 1."""
    discount_rate_per_year: NotNegative | None = None
    """Each person's amount is discounted to that person's entry, month m by (1 + rate)^(-m/12); absent: not at all."""
    counted: Literal["beginning", "end", "half_cycle", "simpson"] = "beginning"
    """Which state prices a month: that of its beginning or of its end; or the within-cycle corrections."""

    @model_validator(mode="after")
    def _counts_something(self) -> Amount:
        ways = ("per_day", "per_event", "per_spell_day", "per_move", "per_move_by_stratum")
        if not any(getattr(self, way) for way in ways):
            raise ValueError(f"an amount must have one of {', '.join(ways)}; found none of them")
        twice = set(self.per_move) & set(self.per_move_by_stratum)
        if twice:
            raise ValueError(f"a move must have one price, or one by stratum; found both for {', '.join(sorted(twice))}")
        if self.between_people_sd is not None and self.between_people_half_width is not None:
            raise ValueError("people differ by `between_people_sd` or by `between_people_half_width`; found both")
        return self


class CountOfEvents(Spec):
    """How many times events happened to a person, or how many times the person made some moves."""

    kind: Literal["count"]
    events: NoneOrMore = ()
    moves: NoneOrMore = ()
    """Moves of the pathway, each time that they are made."""

    @model_validator(mode="after")
    def _counts_something(self) -> CountOfEvents:
        if not (self.events or self.moves):
            raise ValueError("a count must name `events` or `moves`; found neither")
        return self


class DaysInSpells(Spec):
    """How many days of spells a person had."""

    kind: Literal["days"]
    events: OneOrMore
    from_day: Annotated[Fixed, AfterValidator(within(1, 1e5, "the days of a spell are numbered from 1"))] = Constant(
        value=1.0, certainty="choice", note="the default: from its first day"
    )
    """First day of a spell that counts."""
    to_day: Annotated[Fixed, AfterValidator(within(1, 1e5, "the days of a spell are numbered from 1"))] | None = None
    """Last day of a spell that counts; absent: all."""

    @model_validator(mode="after")
    def _in_order(self) -> DaysInSpells:
        if self.to_day is not None and self.to_day.value < self.from_day.value:
            raise ValueError(f"to_day is not before from_day; found {self.from_day} and {self.to_day}")
        return self


class Binary(Spec):
    """Yes or no at one date after entry, with a probability that depends on the person's way to that date."""

    kind: Literal["binary"]
    at_month: Months
    probability: dict[Name, Probability]
    """By state at that date, in the world without the service."""
    odds_ratio_per_month_in: dict[Name, NotNegative] = {}
    """By state: what every month spent there, from entry to that date, does to the odds."""


class Score(Spec):
    """A number measured at one date after entry, normal between people, correlated with its level at entry."""

    kind: Literal["score"]
    at_month: Months
    mean: Quantity
    """Mean at that date, in the world without the service."""
    sd: Positive
    """Standard deviation between people at that date."""
    mean_at_entry: Quantity | None = None
    """Absent: as `mean`."""
    sd_at_entry: Positive | None = None
    """Absent: as `sd`."""
    error_sd_at_entry: NotNegative | None = None
    """Standard deviation of the error with which the level at entry is measured, beside that between people; absent: none."""
    correlation: Annotated[Quantity, AfterValidator(within(-1, 1, "a correlation must lie between -1 and 1"))]
    """Between a person's level at entry, without the error, and at that date."""
    by_state: dict[Name, Quantity] = {}
    """By state at that date: added to the level; 0 where a state is not named."""
    reported: Literal["level", "gain"] = "level"
    """`gain`: the level less that at entry."""


class Reached(Spec):
    """Whether a person came into one of some states, and stayed there for some months on end, within the window."""

    kind: Literal["reached"]
    states: OneOrMore
    stay_months: Annotated[Count, AfterValidator(within(0, 1200, "a stay has from 0 to 1200 months"))] = Constant(
        value=0.0, certainty="choice", note="the default: coming there is enough"
    )


class Target(Spec):
    """Whether another outcome of the same person reached an edge within the window; the edge counts."""

    kind: Literal["target"]
    outcome: Name
    at_least: Number | None = None
    at_most: Number | None = None
    among: Selection | None = None
    """The payment group: only people whose months before entry came to this can reach it; absent: everybody."""

    @model_validator(mode="after")
    def _one_edge(self) -> Target:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a target has an `at_least` or an `at_most`")
        return self


class Claim(Spec):
    """What a rate card pays for a person: the prices of the milestones reached, up to a cap per person."""

    kind: Literal["claim"]
    prices: Annotated[dict[Name, FixedNotNegative], Field(min_length=1, max_length=10)]
    """By yes-or-no outcome: binary, reached or target."""
    cap_per_person: FixedNotNegative | None = None


Outcome = Annotated[Amount | CountOfEvents | DaysInSpells | Binary | Score | Reached | Target | Claim, Field(discriminator="kind")]
