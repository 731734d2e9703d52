"""A score: a level that is measured once."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator

from simengine.cohort.outcomes.base import NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit, Page
from simengine.cohort.spec.names import PositiveFixed
from simengine.distributions import Months, Name, NotNegative, Quantity, within
from simengine.distributions.spans import ANYTHING, Span


class Score(OutcomeKind):
    """A number measured at one date after entry, normal between people, correlated with its level at entry."""

    scale: ClassVar[OutcomeScaleName] = "score"
    unit: ClassVar[OutcomeUnit] = "points"
    reading: ClassVar[OutcomeReading] = "at_a_month"
    has_zero: ClassVar[bool] = False
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = False

    kind: Literal["score"]
    at_month: Months
    """Months after entry at which it is measured."""
    mean: Quantity
    """Mean at that date, without the service."""
    sd: PositiveFixed
    """Standard deviation between people at that date."""
    mean_at_entry: Quantity | None = None
    """Mean at entry; absent: as `mean`."""
    sd_at_entry: PositiveFixed | None = None
    """Standard deviation between people at entry; absent: as `sd`."""
    error_sd_at_entry: NotNegative | None = None
    """Standard deviation of the error with which the level at entry is measured, beside that between people; absent: none."""
    correlation: Annotated[Quantity, AfterValidator(within(-1, 1, "a correlation must lie between -1 and 1"))]
    """Between a person's level at entry, without the error, and at that date."""
    by_state: dict[Name, Quantity] = {}
    """By state: added to the level in the state at that date; 0 where a state is not named."""
    reported: Literal["level", "gain"] = "level"
    """`level`: the level at that date; `gain`: the level less that at entry."""

    @property
    def named(self) -> NamedStates:
        """The states at the date that move the level."""
        return NamedStates(states={"by_state": self.by_state})

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
        """It has no scale on which a factor would act."""
        return ("difference",)

    def span(self, window_months: float) -> Span:
        """Any number."""
        del window_months
        return ANYTHING

    def fill(self, page: Page) -> None:
        """Fill mean and spread at entry and at the date, and the correlation between the two."""
        draws, path, mean, sd = page.draws, page.path, page.mean, page.sd
        page.score_at[:] = self.step_of_reading(page.clock)
        page.is_gain[:] = self.reported == "gain"
        mean[:, 1], sd[:, 1] = draws[f"{path}.mean"], draws[f"{path}.sd"]
        mean[:, 0] = draws[f"{path}.mean_at_entry"] if self.mean_at_entry is not None else mean[:, 1]
        sd[:, 0] = draws[f"{path}.sd_at_entry"] if self.sd_at_entry is not None else sd[:, 1]
        page.correlation[:] = draws[f"{path}.correlation"]
        if self.error_sd_at_entry is not None:
            # The level that is read at entry is normal as well, and goes with the later one by so much less (Spearman 1904).
            read = np.hypot(sd[:, 0], draws[f"{path}.error_sd_at_entry"])
            page.correlation[:] *= np.divide(sd[:, 0], read, out=np.ones(len(draws)), where=read > 0)
            sd[:, 0] = read
        for state in self.by_state:
            page.by_state[:, page.states.index(state)] = draws[f"{path}.by_state.{state}"]
