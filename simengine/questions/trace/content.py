"""Say one replication as it is written to JSON."""

from __future__ import annotations

from typing import Any

from simengine.config import Study
from simengine.questions.trace.answer import Trace


def trace_content(study: Study, found: Trace) -> dict[str, Any]:
    """Return a trace as it is written to JSON."""
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replication": found.replication,
        "measurement": found.measurement,
        "drawn": found.drawn,
        "people": found.people,
        "outcomes": found.outcomes,
        "metrics": found.metrics,
        **({"reached": found.reached} if found.reached else {}),
        "payments": found.payments,
        "postings": found.postings,
        # NaN stands for what does not exist, such as the rate of a loan that nobody drew: JSON knows no such number.
        "outturn": {name: None if value != value else value for name, value in found.result.items()},
    }
