"""An amount: money, or anything else that grows with days in states, with events and with moves."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from simengine.cohort.kernels.arrays import People
from simengine.cohort.kernels.draws import fill_uniforms
from simengine.cohort.kernels.enter import fill_frailty
from simengine.cohort.moves import DAYS_PER_MONTH, series_factor
from simengine.cohort.outcomes.base import (
    EffectForms,
    NamedStates,
    OutcomeKind,
    OutcomeReading,
    OutcomeScaleName,
    OutcomeUnit,
    Page,
)
from simengine.cohort.spec.names import MoveName
from simengine.cohort.spec.pathway import ByMonths
from simengine.distributions import Name, NotNegative, Quantity, within
from simengine.distributions.spans import Span, outcome_span_of, product
from simengine.records import Floats, Integers


class AmountOutcome(OutcomeKind):
    """Money (or any other amount) that grows with the days spent in each state, with events and with moves."""

    scale: ClassVar[OutcomeScaleName] = "amount"
    unit: ClassVar[OutcomeUnit] = "money or another amount"
    reading: ClassVar[OutcomeReading] = "over_time"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = True

    kind: Literal["amount"]
    per_day: dict[Name, NotNegative] = {}
    """By state: per day; 0 where a state is not named. At least one of these five prices is needed."""
    per_event: dict[Name, NotNegative] = {}
    """By event: when it happens."""
    per_spell_day: dict[Name, NotNegative] = {}
    """By event: for every day of its duration, of an event with a length."""
    per_move: dict[MoveName, Quantity] = {}
    """By move: each time that a person makes it, the cost or (negative) benefit of the move."""
    per_move_by_stratum: dict[MoveName, Annotated[dict[Name, Quantity], Field(min_length=1)]] = {}
    """By move and stratum: the same; a move is listed in one of the two. 0 in a stratum that is not named."""
    by_months_since_entry: dict[Name, ByMonths] = {}
    """By state: a factor on `per_day` by months since entry; absent: 1."""
    by_months_in_state: dict[Name, ByMonths] = {}
    """By state: a factor on `per_day` by months in the state; absent: 1."""
    between_people_sd: NotNegative | None = None
    """People differ: a factor on the whole amount of a person, gamma distributed with mean 1 and this standard deviation."""
    between_people_half_width: (
        Annotated[Quantity, AfterValidator(within(0, 1, "a half width around 1 must lie between 0 and 1"))] | None
    ) = None
    """People differ: a factor on the whole amount of a person, uniform within this of 1."""
    discount_rate_per_year: NotNegative | None = None
    """Each person's amount is discounted to that person's entry, month m by `(1 + rate)^(-m / 12)`; absent: not discounted."""
    counted: Literal["beginning", "end", "half_cycle", "simpson"] = "beginning"
    """Which state prices a month: that of its `beginning` or of its `end`; or a rule between the two, `half_cycle` or `simpson`."""

    @model_validator(mode="after")
    def _counts_something(self) -> AmountOutcome:
        ways = ("per_day", "per_event", "per_spell_day", "per_move", "per_move_by_stratum")
        if not any(getattr(self, way) for way in ways):
            raise ValueError(f"an amount must have one of {', '.join(ways)}; found none of them")
        twice = set(self.per_move) & set(self.per_move_by_stratum)
        if twice:
            raise ValueError(f"a move must have one price, or one by stratum; found both for {', '.join(sorted(twice))}")
        if self.between_people_sd is not None and self.between_people_half_width is not None:
            raise ValueError("people must differ by `between_people_sd` or by `between_people_half_width`; found both")
        return self

    @property
    def named(self) -> NamedStates:
        """States, events, moves and strata that have a price, or a factor on one."""
        states = {key: getattr(self, key) for key in ("per_day", "by_months_since_entry", "by_months_in_state")}
        return NamedStates(
            states=states,
            events={"per_event": self.per_event},
            spells={"per_spell_day": self.per_spell_day},
            moves={"per_move": self.per_move, "per_move_by_stratum": self.per_move_by_stratum},
            strata={f"per_move_by_stratum.{move}": by_stratum for move, by_stratum in self.per_move_by_stratum.items()},
        )

    @property
    def without_moments(self) -> str | None:
        """Exact moments are those of days in states alone, at prices that stay, the same for all people."""
        by_more = ("per_event", "per_spell_day", "per_move", "per_move_by_stratum", "by_months_since_entry", "by_months_in_state")
        if any(getattr(self, key) for key in by_more) or self.differs_by is not None:
            return "an amount by more than days in states"
        return None if self.counted == "beginning" else f"an amount counted by `{self.counted}`"

    def span(self, window_months: float) -> Span:
        """From zero to every day in the most expensive state; unbounded if events or moves are priced, or people differ."""
        of_moves = [*self.per_move.values(), *(price for one in self.per_move_by_stratum.values() for price in one.values())]
        low = -inf if any(outcome_span_of(price)[0] < 0 for price in of_moves) else 0.0
        has_no_end = self.per_event or self.per_spell_day or self.between_people_sd is not None
        if has_no_end or any(outcome_span_of(price)[1] > 0 for price in of_moves):
            return low, inf
        by_state = []
        for state, price in self.per_day.items():
            factor = 1.0
            for series in (self.by_months_since_entry.get(state), self.by_months_in_state.get(state)):
                values: Sequence[Quantity] = () if series is None or series.factor is None else series.factor
                factor = product(factor, max([1.0, *(outcome_span_of(one)[1] for one in values)]))
            by_state.append(product(outcome_span_of(price)[1], factor))
        # Simpson's rule counts every second month for four thirds.
        most = max(by_state, default=0.0) * window_months * DAYS_PER_MONTH * (4 / 3 if self.counted == "simpson" else 1.0)
        spread = 1.0 if self.between_people_half_width is None else 1 + outcome_span_of(self.between_people_half_width)[1]
        return low, product(most, spread)

    @property
    def prices_months(self) -> bool:
        """Whether days in states have a price."""
        return bool(self.per_day)

    @property
    def price_changes(self) -> frozenset[EffectForms]:
        """By which series, and whether it is discounted."""
        changes: dict[EffectForms, bool] = {
            "since_entry": bool(self.by_months_since_entry),
            "in_state": bool(self.by_months_in_state),
            "discounted": self.discount_rate_per_year is not None,
        }
        return frozenset(change for change, is_so in changes.items() if is_so)

    @property
    def month_priced_by(self) -> str:
        """As it is said under `counted`."""
        return self.counted

    @property
    def differs_by(self) -> str | None:
        """One of the two ways in which people differ."""
        ways = ("between_people_sd", "between_people_half_width")
        return next((key for key in ways if getattr(self, key) is not None), None)

    def fill(self, page: Page) -> None:
        """Fill what steps, events and moves are worth, and the factors on them."""
        clock, draws = page.clock, page.draws
        for state in self.per_day:
            price = draws[f"{page.path}.per_day.{state}"]
            page.per_month[:, page.states.index(state)] = price * DAYS_PER_MONTH / clock.steps
        for event in self.per_event:
            page.per_event[:, page.events.index(event)] = draws[f"{page.path}.per_event.{event}"]
        for event in self.per_spell_day:
            page.per_spell_day[:, page.events.index(event)] = draws[f"{page.path}.per_spell_day.{event}"]
        for state, series in self.by_months_since_entry.items():
            path = f"{page.path}.by_months_since_entry.{state}"
            series_factor(page.by_entry[:, page.states.index(state)], series, path, clock.entry, clock.steps, draws)
        for state, series in self.by_months_in_state.items():
            path = f"{page.path}.by_months_in_state.{state}"
            series_factor(page.by_stay[:, page.states.index(state)], series, path, 0, clock.steps, draws)
        if self.discount_rate_per_year is not None:
            step = np.arange(clock.length + 2) - clock.entry
            rate = draws[f"{page.path}.discount_rate_per_year"]
            page.discount[:] = (1 + rate[:, None]) ** (-step[None, :] / (12 * clock.steps))
        for move in self.per_move:
            page.per_move[:, :, page.moves.index(move)] = draws[f"{page.path}.per_move.{move}"][:, None]
        for move, by_stratum in self.per_move_by_stratum.items():
            for stratum in by_stratum:
                price = draws[f"{page.path}.per_move_by_stratum.{move}.{stratum}"]
                page.per_move[:, page.strata.index(stratum), page.moves.index(move)] = price

    def fill_factors(self, size: Floats, address: tuple[np.uint64, Integers, np.uint64], people: People, factor: Floats) -> None:
        """Draw a gamma factor with mean 1, or a uniform one around 1."""
        if self.between_people_sd is not None:
            fill_frailty(*address, size**2, people, factor)
        else:
            fill_uniforms(*address, people, factor)
            factor[:] = 1.0 + size[people.row] * (2.0 * factor - 1.0)
