"""Say what a question found as one JSON object: its fields by their names, every number with its standard error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypedDict

from pydantic import BaseModel

from simengine.config import Study
from simengine.replications.answer import Answer
from simengine.report.document import plain
from simengine.risk.statistics import Statistic


class Heading(TypedDict):
    """What was asked about, and what was drawn."""

    title: str
    """Title of the study."""
    currency: str
    """Currency of all money."""
    seed: int
    """Seed of the run."""
    replications: int
    """Number of replications."""


def answer(study: Study, found: Any) -> dict[str, Any]:
    """Return the fields of an answer by their names, under the title and the currency of its study."""
    # What every answer has stands in the heading.
    of_all = {field.name for field in fields(Answer)}
    own = {field.name: getattr(found, field.name) for field in fields(found) if field.name not in of_all}
    return {**answer_heading(study, found), **own}


def answer_heading(study: Study, found: Any) -> Heading:
    """Say what was asked about, in which unit money is, and which replications were drawn."""
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replications": found.n_replications,
    }


def as_plain(value: Any) -> Any:
    """Turn a frozen bundle into objects and lists of plain numbers; what a model leaves out is left out."""
    if isinstance(value, Statistic):
        return plain(value)
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    if is_dataclass(value):
        # `from` is a word of Python: such a field has an underscore at its end.
        return {field.name.removesuffix("_"): as_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(child) for name, child in value.items()}
    return [as_plain(child) for child in value] if isinstance(value, tuple | list) else value
