"""What JSON says of what was learned."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from simengine.config import Study
from simengine.questions.learn.answer import Learned, LearnedNumber
from simengine.questions.learn.posterior import Fit, Round
from simengine.questions.learn.results import RESULT_COLUMNS
from simengine.report.answers import Heading, answer_heading


class CorrelationContent(TypedDict):
    """A correlation that was written."""

    between: tuple[str, str]
    """The two numbers."""
    value: float
    """The correlation of their normal scores."""


class LearnedContent(Heading):
    """The posterior of the numbers of a study."""

    results: tuple[Fit, ...]
    rounds: tuple[Round, ...]
    effective_sample_size: float
    distinct: int
    numbers: Mapping[str, LearnedNumber]
    correlations: list[CorrelationContent]
    """The correlations of the learned study that are posterior."""
    untouched: tuple[str, ...]
    tolerance: float
    farthest: float


def learned_content(study: Study, found: Learned) -> LearnedContent:
    """Return what was learned as plain numbers."""
    written = [
        CorrelationContent(between=one.between, value=one.value)
        for name, one in found.study.correlations.items()
        if study.correlations.get(name) != one
    ]
    return {
        **answer_heading(study, found),
        "results": found.results,
        "rounds": found.rounds,
        "effective_sample_size": found.effective_sample_size,
        "distinct": found.distinct,
        "numbers": found.numbers,
        "correlations": written,
        "untouched": found.untouched,
        "tolerance": found.tolerance,
        "farthest": found.farthest,
    }


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows of results as the table from which they can be read again."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(RESULT_COLUMNS)
    for row in rows:
        table.writerow(["" if row.get(name) is None else row[name] for name in RESULT_COLUMNS])
    return text.getvalue()
