"""A target: another outcome that reached an edge."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from simengine.cohort.choose import taken_by
from simengine.cohort.kernels.accumulate import reach_target
from simengine.cohort.outcomes.base import Batch, NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit
from simengine.cohort.spec.population import Selection
from simengine.distributions import Name, Number
from simengine.distributions.spans import Span


class TargetOutcome(OutcomeKind):
    """Whether another outcome of the same person reached an edge within the window; the edge counts."""

    scale: ClassVar[OutcomeScaleName] = "share"
    unit: ClassVar[OutcomeUnit] = "people"
    reading: ClassVar[OutcomeReading] = "within_a_window"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = False
    rests_on_rule: ClassVar[str] = "a target asks for an outcome that is not itself a target or a claim"

    kind: Literal["target"]
    outcome: Name
    """The other outcome, one of `outcomes` that is not itself a target or a claim."""
    at_least: Number | None = None
    """Lower threshold, inclusive. One of the two is needed; absent: no lower threshold."""
    at_most: Number | None = None
    """Upper threshold, inclusive; absent: no upper threshold."""
    among: Selection | None = None
    """The payment group: only people whose outcome before entry was within these limits can reach it; absent: everybody."""

    @model_validator(mode="after")
    def _one_edge(self) -> TargetOutcome:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a target must have an `at_least` or an `at_most`")
        return self

    @property
    def named(self) -> NamedStates:
        """The outcome that is asked for."""
        return NamedStates(outcomes={"outcome": (self.outcome,)})

    def may_rest_on(self, other: OutcomeKind) -> bool:
        """On whatever rests on nothing else."""
        return not other.rests_on

    @property
    def without_moments(self) -> str | None:
        """Nobody has worked them out."""
        return f"of kind {self.kind}"

    @property
    def is_told_at_end(self) -> bool:
        """At most so much is known when the window closes; at least so much, as soon as it is reached."""
        return self.at_most is not None

    @property
    def payment_group(self) -> Selection | None:
        """As it is said under `among`."""
        return self.among

    def span(self, window_months: float) -> Span:
        """No or yes."""
        del window_months
        return 0.0, 1.0

    def derive(self, name: str, of: Batch) -> None:
        """Hold the outcome that is asked for against the edge, in windows in which it is known."""
        place, is_least = of.place_of(name), self.at_least is not None
        edge = float(self.at_least if self.at_least is not None else self.at_most)  # type: ignore[arg-type]
        known = of.outcomes[self.outcome].is_known(of.windows, of.clock)
        reach_target(place, of.place_of(self.outcome), edge, is_least, known, of.people, of.windows, of.total)
        if self.among is not None:
            of.total[~taken_by(self.among, of.total[:, of.place_of(self.among.outcome), -1]), place] = 0.0
