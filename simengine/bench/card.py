"""What a problem says of itself: its card, and the measures by which an answer to it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BENCH_FAMILIES: Mapping[str, str] = {
    "estimation": "Estimation: what a contract comes to, from as few replications as possible",
    "sizing": "Sizing: the best terms under limits",
    "design": "Evaluation design: how to measure, so that the payment is right",
    "incentives": "Incentives: terms for a provider who responds to them",
    "inference": "Inference: the numbers behind what was observed",
    "forecasts": "Forecasts of real contracts: what will be paid of what was planned",
}
"""By family: its title."""


@dataclass(frozen=True)
class Card:
    """What somebody reads before choosing a problem."""

    name: str
    family: str
    """A word of `BENCH_FAMILIES`."""
    title: str
    question: str
    difficulty: str
    """What is hard about it."""
    answer_from: str
    """Where the reference answer comes from."""
    error: str
    """The error of the reference answer."""
    budgets: tuple[int, ...]
    """Replications that a method may simulate, from few to many; a run takes the first unless told otherwise."""
    cost: str
    """What a replication costs."""
    sources: tuple[str, ...] = ()
    made_by: str = ""
    """The command that makes the reference answer again; empty: `simengine bench answers` and the name."""

    @property
    def command(self) -> str:
        """The command that makes the reference answer again."""
        return self.made_by or f"simengine bench answers {self.name}"


@dataclass(frozen=True)
class Judgement:
    """One measure of an answer."""

    measure: str
    value: float
    is_error: bool = True
    """Whether less is better, and methods are ranked by it; else it is only told, as whether an interval covered."""
