"""The base of every kind of outcome: its traits, and how it is counted.

A kind is a frozen model in its own file. Other code uses the traits defined here and never the kind, so that a new kind is one file
and one line in the list of kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from simengine.arrays import Flags
from simengine.cohort.kernels.arrays import People, Stays, WindowArrays
from simengine.cohort.moves import MoveClock
from simengine.cohort.spec import Selection
from simengine.distributions import Fixed, Name, Spec
from simengine.distributions.spans import Span
from simengine.records import Draws, Floats, Integers

OutcomeScaleName = Literal["amount", "number", "share", "score"]
"""How a level shifts: by a factor, of an amount as of a number of events; by a factor on the odds; by addition."""
OutcomeReading = Literal["over_time", "at_a_month", "within_a_window"]
"""When an outcome is known: it adds up day by day; it is read at one month after entry; it is told when a window closes."""
OutcomeUnit = Literal["people", "number", "days", "money or another amount", "money or points", "points"]
"""What is added up over people."""
EffectForms = Literal["since_entry", "in_state", "discounted"]
"""With what the price of a month changes: months since entry, months in the state, or by discounting to entry."""


@dataclass(frozen=True)
class NamedStates:
    """What an outcome names of its study, by the key under which it does; all of it must exist there."""

    states: Mapping[str, Collection[str]] = field(default_factory=dict)
    every_state: tuple[str, ...] = ()
    """Keys under which no state may be left out."""
    events: Mapping[str, Collection[str]] = field(default_factory=dict)
    spells: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Events with a length."""
    moves: Mapping[str, Collection[str]] = field(default_factory=dict)
    strata: Mapping[str, Collection[str]] = field(default_factory=dict)
    outcomes: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class PriceList:
    """What a person is paid for, milestone by milestone."""

    prices: Mapping[Name, Fixed]
    """By milestone, a yes-or-no outcome."""
    cap_per_person: Fixed | None

    def by_combination(self) -> Floats:
        """Price each combination of milestones, capped per person.

        Returns
        -------
        Shape (2^n_milestones,), in the unit of the prices: bit i of a combination says whether milestone i was reached.
        """
        combination = np.arange(1 << len(self.prices))
        reached = (combination[:, None] >> np.arange(len(self.prices))) & 1
        prices = np.asarray(reached @ np.array([price.value for price in self.prices.values()]))
        return prices if self.cap_per_person is None else np.minimum(prices, self.cap_per_person.value)


@dataclass(frozen=True)
class Page:
    """One outcome's part of every table that the kernels read, for the outcome to fill; see `kernels.arrays` for the tables."""

    path: str
    """Of the outcome in its study."""
    states: Sequence[str]
    events: Sequence[str]
    strata: Sequence[str]
    moves: Sequence[str]
    """Those that some outcome counts or prices."""
    clock: MoveClock
    draws: Draws
    shock: Floats | None
    """Shape (n_replications, n_steps): factor on the odds by step of the calendar; absent where no shock acts."""
    per_month: Floats
    """Shape (n_replications, n_states): worth of a step in a state."""
    per_event: Floats
    """Shape (n_replications, n_events)."""
    per_spell_day: Floats
    """Shape (n_replications, n_events)."""
    from_day: Floats
    """Shape (1,): days of a spell before those that count."""
    to_day: Floats
    """Shape (1,): the last that counts."""
    by_entry: Floats
    """Shape (n_replications, n_states, n_steps): factor on `per_month`; one of each where no price changes since entry."""
    by_stay: Floats
    """The same by steps in the state."""
    discount: Floats
    """Shape (n_replications or 1, n_steps)."""
    per_move: Floats
    """Shape (n_replications, n_strata, n_moves)."""
    answer_at: Integers
    """Shape (1,): step of the clock at which a yes or no is read; -1 for none."""
    probability: Floats
    """Shape (n_replications, n_states): of a yes."""
    odds_per_month: Floats
    """Shape (n_replications, n_states): logarithm of the odds ratio of a step in a state."""
    odds_on_calendar: Floats
    """Shape (n_replications or 1, n_steps + 1): factor on the odds by step of the calendar."""
    score_at: Integers
    """Shape (1,): step of the clock at which a level is read; -1 for none."""
    mean: Floats
    """Shape (n_replications, 2): at entry and at the date."""
    sd: Floats
    """Shape (n_replications, 2)."""
    correlation: Floats
    """Shape (n_replications,)."""
    by_state: Floats
    """Shape (n_replications, n_states): added to the level."""
    is_gain: Flags
    """Shape (1,): whether the level at entry is taken off."""


@dataclass(frozen=True)
class Batch:
    """People whose outcomes are filled, but for those that follow from their stays and from other outcomes."""

    outcomes: Mapping[str, OutcomeKind]
    states: Sequence[str]
    clock: MoveClock
    windows: WindowArrays
    people: People
    stays: Stays
    n_stays: int
    total: Floats
    """Shape (n_people, n_outcomes, n_windows): filled."""
    combinations: Mapping[str, Integers]
    """By outcome with a price list: shape (n_replications, n_windows, n_combinations), people; added to."""

    def place_of(self, outcome: str) -> int:
        """Return the number of an outcome in `total`."""
        return list(self.outcomes).index(outcome)


DECLARED = ("scale", "unit", "reading", "has_zero", "is_known_before_entry", "can_be_recounted")
"""The traits without a default that are one word; `named`, `without_moments` and `span` are the others."""


class OutcomeKind(Spec, ABC):
    """A kind of outcome. What stands here without an answer every kind answers for itself; the rest most kinds have no part in."""

    kind: str
    """The kind of outcome, by which the other keys follow."""

    scale: ClassVar[OutcomeScaleName]
    """How its level shifts."""
    unit: ClassVar[OutcomeUnit]
    """What is added up over people."""
    reading: ClassVar[OutcomeReading]
    """When it is known."""
    has_zero: ClassVar[bool]
    """Whether its 0 is nothing of it: shares of it can be taken, it can be claimed for, and who is not there has 0."""
    is_known_before_entry: ClassVar[bool]
    """Whether the months before entry have one."""
    can_be_recounted: ClassVar[bool]
    """Whether what comes about from a date on can be counted in another way."""
    rests_on_rule: ClassVar[str] = "an outcome of this kind rests on no other"
    """Which other outcomes it may rest on, in words."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a kind that leaves a trait open.

        Raises
        ------
        TypeError
            If a trait without a default is not declared, or is none of its words.
        """
        super().__pydantic_init_subclass__(**kwargs)
        words: dict[str, tuple[object, ...]] = {
            "scale": get_args(OutcomeScaleName),
            "unit": get_args(OutcomeUnit),
            "reading": get_args(OutcomeReading),
        }
        for trait in DECLARED:
            allowed = words.get(trait, (True, False))
            if getattr(cls, trait, None) not in allowed:
                found = getattr(cls, trait, "nothing")
                raise TypeError(f"the kind {cls.__name__} must declare `{trait}`, one of {allowed}; found {found!r}")

    # ------------------------------------------------ what every kind answers ------------------------------------------------

    @property
    @abstractmethod
    def named(self) -> NamedStates:
        """What it names of its study."""

    @property
    @abstractmethod
    def without_moments(self) -> str | None:
        """Why the exact moments of a person's outcome are not computed; nothing where they are."""

    @abstractmethod
    def span(self, window_months: float) -> Span:
        """Return the least and the greatest value of one person within a window of so many months, in its own unit."""

    # ------------------------------------------------ what follows ------------------------------------------------

    @property
    def adds_up(self) -> bool:
        """Whether it adds up over time, so that each month has a part of it."""
        return self.reading == "over_time"

    @property
    def is_yes_or_no(self) -> bool:
        """Whether a person has it or not."""
        return self.scale == "share"

    @property
    def is_amount(self) -> bool:
        """Whether it is an amount as it arises, money unless the study says otherwise: prices grow, and a unit is its own worth."""
        return self.unit == "money or another amount"

    @property
    def may_be_money(self) -> bool:
        """Whether it may be counted in the currency of the study."""
        return self.unit in ("money or another amount", "money or points")

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The other outcomes of the same person from which it follows."""
        return tuple(name for names in self.named.outcomes.values() for name in names)

    def is_known(self, windows: WindowArrays, clock: MoveClock) -> Flags:
        """Say in which windows it is known, shape (n_windows,): what is read at a month is in windows that reach it."""
        if self.read_at_month is None:
            return np.ones(len(windows.stop), dtype=np.bool_)
        is_read = self.step_of_reading(clock) <= windows.stop
        return np.where(windows.begin < clock.entry, self.is_known_before_entry, is_read)

    def step_of_reading(self, clock: MoveClock) -> int:
        """Return the step of the clock at which it is read; -1 for what is not read at one month."""
        return -1 if self.read_at_month is None else clock.entry + int(self.read_at_month) * clock.steps

    # ------------------------------------------------ what most have no part in ------------------------------------------------

    @property
    def read_at_month(self) -> float | None:
        """The month after entry at which it is read; nothing where it is not read at one month."""
        return None

    @property
    def forms_of_effect(self) -> tuple[str, ...]:
        """The ways in which an effect may change it directly."""
        return ()

    @property
    def takes_factors(self) -> bool:
        """Whether frailties, sites and shocks may multiply its odds."""
        return False

    @property
    def event_of_moments(self) -> str | None:
        """The event of which it is the number, where its moments are those of a Poisson number; else they are of days in states."""
        return None

    @property
    def price_list(self) -> PriceList | None:
        """The prices that it adds up of a person; then people are tallied by combination of milestones."""
        return None

    @property
    def payment_group(self) -> Selection | None:
        """Who alone can have it, by another outcome before entry; absent: everybody."""
        return None

    @property
    def counted_as(self) -> Literal["people", "units", "nothing"]:
        """How it is counted person by person, as it comes: a yes or no by people, what adds up by its units; a level by nothing."""
        return "people" if self.is_yes_or_no else "units" if self.adds_up else "nothing"

    @property
    def is_told_at_end(self) -> bool:
        """Whether only the end of a window tells whether a person has it: as long as it runs, a yes may become a no."""
        return False

    @property
    def has_quick_moment(self) -> bool:
        """Whether `find_moment` finds when a person reached it; else it is counted by the end of each month."""
        return False

    @property
    def prices_months(self) -> bool:
        """Whether months in states are worth something."""
        return False

    @property
    def price_changes(self) -> frozenset[EffectForms]:
        """With what the price of a month changes."""
        return frozenset()

    @property
    def month_priced_by(self) -> str:
        """Which state prices a month: `beginning`, `end`, or a within-cycle correction."""
        return "beginning"

    @property
    def differs_by(self) -> str | None:
        """The key that says by how much a factor on the whole differs between people; nothing where nobody differs."""
        return None

    def may_rest_on(self, other: OutcomeKind) -> bool:
        """Whether it may rest on another outcome; see `rests_on_rule`."""
        del other
        return False

    # ------------------------------------------------ how it is counted ------------------------------------------------

    def fill(self, page: Page) -> None:
        """Fill its part of the tables by which the kernels count it; nothing where it follows from other things."""

    def derive(self, name: str, of: Batch) -> None:
        """Fill it where it follows from stays, or from outcomes that are filled; `name`: its own."""

    def find_moment(
        self, states: Sequence[str], clock: MoveClock, people: People, stays: Stays, n_stays: int, moment: Integers
    ) -> None:
        """Fill the step of the clock at which everybody first had it, of shape (n_people,); -1 for never."""

    def fill_factors(self, size: Floats, address: tuple[np.uint64, Integers, np.uint64], people: People, factor: Floats) -> None:
        """Draw the factor of each person on the whole; only where people differ.

        Parameters
        ----------
        size
            Shape (n_replications,): the number under `differs_by`.
        address
            Seed, replications and purpose.
        people
            A batch.
        factor
            Shape (n_people,): filled.
        """
