"""A count: how many times something happened to a person, or was done by one."""

from __future__ import annotations

from math import inf
from typing import ClassVar, Literal

from pydantic import model_validator

from simengine.cohort.outcomes.base import NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit, Page
from simengine.cohort.spec.names import NoneOrMore
from simengine.distributions.spans import Span


class CountOfEvents(OutcomeKind):
    """How many times events happened to a person, or how many times the person made some moves."""

    scale: ClassVar[OutcomeScaleName] = "number"
    unit: ClassVar[OutcomeUnit] = "number"
    reading: ClassVar[OutcomeReading] = "over_time"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = True

    kind: Literal["count"]
    events: NoneOrMore = ()
    """Events that count, added up. Events or moves are needed."""
    moves: NoneOrMore = ()
    """Moves that count, each time that they are made."""

    @model_validator(mode="after")
    def _counts_something(self) -> CountOfEvents:
        if not (self.events or self.moves):
            raise ValueError("a count must name `events` or `moves`; found neither")
        return self

    @property
    def named(self) -> NamedStates:
        """The events and moves that are counted."""
        return NamedStates(events={"events": self.events}, moves={"moves": self.moves})

    @property
    def without_moments(self) -> str | None:
        """Exact moments are those of one event."""
        return None if len(self.events) == 1 and not self.moves else "a count of moves, or of several events"

    @property
    def event_of_moments(self) -> str | None:
        """The event, where there is one."""
        return self.events[0] if self.events else None

    def span(self, window_months: float) -> Span:
        """Any number from 0."""
        del window_months
        return 0.0, inf

    def fill(self, page: Page) -> None:
        """Let each event and each move be worth 1."""
        page.per_event[:, [page.events.index(event) for event in self.events]] = 1.0
        page.per_move[:, :, [page.moves.index(move) for move in self.moves]] = 1.0
