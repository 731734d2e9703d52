"""A state reached, and kept for some time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator

from simengine.cohort.kernels.arrays import People, Stays
from simengine.cohort.kernels.reached import reach_first
from simengine.cohort.moves import MoveClock
from simengine.cohort.outcomes.base import Batch, NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit
from simengine.cohort.spec.names import OneOrMore
from simengine.distributions import Constant, Count, within
from simengine.distributions.spans import Span
from simengine.records import Integers


class StateReached(OutcomeKind):
    """Whether a person came into one of some states, and stayed there for some months on end, within the window."""

    scale: ClassVar[OutcomeScaleName] = "share"
    unit: ClassVar[OutcomeUnit] = "people"
    reading: ClassVar[OutcomeReading] = "within_a_window"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = False

    kind: Literal["reached"]
    states: OneOrMore
    """The states; moves between them do not end the stay."""
    stay_months: Annotated[Count, AfterValidator(within(0, 1200, "a stay must have from 0 to 1200 months"))] = Constant(
        value=0.0, certainty="choice", note="the default: coming there is enough"
    )
    """Consecutive months of the stay; 0: entering is enough."""

    @property
    def named(self) -> NamedStates:
        """The states to be reached."""
        return NamedStates(states={"states": self.states})

    @property
    def without_moments(self) -> str | None:
        """Nobody has worked them out."""
        return f"of kind {self.kind}"

    def span(self, window_months: float) -> Span:
        """No or yes."""
        del window_months
        return 0.0, 1.0

    @property
    def has_quick_moment(self) -> bool:
        """The stays tell."""
        return True

    def find_moment(
        self, states: Sequence[str], clock: MoveClock, people: People, stays: Stays, n_stays: int, moment: Integers
    ) -> None:
        """Look through the stays."""
        belongs = np.array([state in self.states for state in states], dtype=np.bool_)
        reach_first(belongs, int(self.stay_months.value) * clock.steps, clock.entry, people, stays, n_stays, moment)

    def derive(self, name: str, of: Batch) -> None:
        """Look through the stays; the time before a window begins counts for no stay in it."""
        belongs = np.array([state in self.states for state in of.states], dtype=np.bool_)
        stay, windows, people, place = int(self.stay_months.value) * of.clock.steps, of.windows, of.people, of.place_of(name)
        moment = np.empty(len(people.row), dtype=np.int64)
        for begin in np.unique(windows.begin):
            reach_first(belongs, stay, int(begin), people, of.stays, of.n_stays, moment)
            for w in np.flatnonzero(windows.begin == begin):
                stop = windows.stop[w]
                of.total[(moment >= 0) & (moment <= stop) & (stop <= people.end), place, w] = 1.0
