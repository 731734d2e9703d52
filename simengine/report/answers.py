"""Say what a question found as one JSON object: its fields by their names, every number with its standard error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from simengine.config import Study
from simengine.replications.answer import Answer
from simengine.report.document import plain
from simengine.risk.statistics import Statistic


def answer(study: Study, found: Any) -> dict[str, Any]:
    """Return the answer to a question as plain numbers, under the title and the currency of its study."""
    content: dict[str, Any] = as_plain(found)
    # What every answer has stands in the heading.
    own = {name: part for name, part in content.items() if name not in {field.name for field in fields(Answer)}}
    return answer_heading(study, found) | own


def answer_heading(study: Study, found: Any) -> dict[str, Any]:
    """Say what was asked about, in which unit money is, and which replications were drawn."""
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replications": found.n_replications,
    }


def as_plain(value: Any) -> Any:
    """Turn a frozen bundle into objects and lists of plain numbers."""
    if isinstance(value, Statistic):
        return plain(value)
    if is_dataclass(value):
        return {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(child) for name, child in value.items()}
    return [as_plain(child) for child in value] if isinstance(value, tuple | list) else value
