"""A yes or no that is read once."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from simengine.cohort.outcomes.base import NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit, Page
from simengine.cohort.spec.effect import FORMS_OF_EFFECT
from simengine.distributions import Months, Name, NotNegative, Probability
from simengine.distributions.spans import Span


class Binary(OutcomeKind):
    """Yes or no at one date after entry, with a probability that depends on the person's way to that date."""

    scale: ClassVar[OutcomeScaleName] = "share"
    unit: ClassVar[OutcomeUnit] = "people"
    reading: ClassVar[OutcomeReading] = "at_a_month"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = False
    can_be_recounted: ClassVar[bool] = True

    kind: Literal["binary"]
    at_month: Months
    """Months after entry at which it is read."""
    probability: dict[Name, Probability]
    """By state: probability of yes in the state at that date, without the service; every state is named."""
    odds_ratio_per_month_in: dict[Name, NotNegative] = {}
    """By state: factor on the odds for every month spent there, from entry to that date; 1 where a state is not named; absent:
    1."""

    @property
    def named(self) -> NamedStates:
        """The states at the date, and those on the way to it."""
        states = {"probability": self.probability, "odds_ratio_per_month_in": self.odds_ratio_per_month_in}
        return NamedStates(states=states, every_state=("probability",))

    @property
    def without_moments(self) -> str | None:
        """Nobody has worked them out."""
        return f"of kind {self.kind}"

    @property
    def read_at_month(self) -> float:
        """As it is said under `at_month`."""
        return self.at_month.value

    @property
    def forms_of_effect(self) -> tuple[str, ...]:
        """Whatever changes a probability."""
        return FORMS_OF_EFFECT["outcome"]

    @property
    def takes_factors(self) -> bool:
        """Its odds may be multiplied."""
        return True

    def span(self, window_months: float) -> Span:
        """No or yes."""
        del window_months
        return 0.0, 1.0

    def fill(self, page: Page) -> None:
        """Fill the probability by state, and what the way and the calendar do to the odds."""
        page.answer_at[:] = self.step_of_reading(page.clock)
        for s, state in enumerate(page.states):
            page.probability[:, s] = page.draws[f"{page.path}.probability.{state}"]
        for state in self.odds_ratio_per_month_in:
            ratio = page.draws[f"{page.path}.odds_ratio_per_month_in.{state}"]
            page.odds_per_month[:, page.states.index(state)] = np.log(np.maximum(ratio, 1e-300)) / page.clock.steps
        if page.shock is not None:
            page.odds_on_calendar[:, :-1] = page.shock
            page.odds_on_calendar[:, -1] = page.odds_on_calendar[:, -2]
