"""Days: how long the spells of a person lasted."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, model_validator

from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.cohort.outcomes.base import NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit, Page
from simengine.cohort.spec.names import OneOrMore
from simengine.distributions import Constant, Fixed, within
from simengine.distributions.spans import Span


class DaysInSpells(OutcomeKind):
    """How many days of spells a person had."""

    scale: ClassVar[OutcomeScaleName] = "amount"
    unit: ClassVar[OutcomeUnit] = "days"
    reading: ClassVar[OutcomeReading] = "over_time"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = True

    kind: Literal["days"]
    events: OneOrMore
    """Events with a length, added up."""
    from_day: Annotated[Fixed, AfterValidator(within(1, 1e5, "the days of a spell must be numbered from 1"))] = Constant(
        value=1.0, certainty="choice", note="the default: from its first day"
    )
    """First day of a spell that counts."""
    to_day: Annotated[Fixed, AfterValidator(within(1, 1e5, "the days of a spell must be numbered from 1"))] | None = None
    """Last day of a spell that counts, not below `from_day`; absent: all."""

    @model_validator(mode="after")
    def _in_order(self) -> DaysInSpells:
        if self.to_day is not None and self.to_day.value < self.from_day.value:
            raise ValueError(f"to_day must not be before from_day; found {self.from_day} and {self.to_day}")
        return self

    @property
    def named(self) -> NamedStates:
        """The events whose spells are counted."""
        return NamedStates(spells={"events": self.events})

    @property
    def without_moments(self) -> str | None:
        """Nobody has worked them out."""
        return f"of kind {self.kind}"

    def span(self, window_months: float) -> Span:
        """At most every day of the window, for each event."""
        return 0.0, len(self.events) * window_months * DAYS_PER_MONTH

    def fill(self, page: Page) -> None:
        """Let each day of a spell that counts be worth 1."""
        page.per_spell_day[:, [page.events.index(event) for event in self.events]] = 1.0
        page.from_day[:] = self.from_day.value - 1
        page.to_day[:] = self.to_day.value if self.to_day is not None else np.inf
