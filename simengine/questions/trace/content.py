"""What JSON says of one replication."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from simengine.config import Study
from simengine.questions.trace.answer import MetricRow, OutcomeRow, PaymentRow, PeopleRow, PostingRow, ReachedRow, Trace


class TraceContent(TypedDict):
    """One replication; what has no sentence here is told in `Trace`."""

    title: str
    """Title of the study."""
    currency: str
    """Currency of all money."""
    seed: int
    """Seed of the run."""
    replication: int
    measurement: int
    drawn: dict[str, float]
    people: list[PeopleRow]
    outcomes: list[OutcomeRow]
    metrics: list[MetricRow]
    reached: NotRequired[list[ReachedRow]]
    payments: list[PaymentRow]
    postings: list[PostingRow]
    outturn: dict[str, Any]
    """By column: the row of the replication in a run; null for NaN."""


def trace_content(study: Study, found: Trace) -> TraceContent:
    """Return what JSON says of a trace."""
    content: TraceContent = {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replication": found.replication,
        "measurement": found.measurement,
        "drawn": found.drawn,
        "people": found.people,
        "outcomes": found.outcomes,
        "metrics": found.metrics,
        "reached": found.reached,
        "payments": found.payments,
        "postings": found.postings,
        # NaN stands for what does not exist, such as the rate of a loan that nobody drew: JSON knows no such number.
        "outturn": {name: None if value != value else value for name, value in found.result.items()},
    }
    if not found.reached:
        del content["reached"]
    return content
