"""What a fit of scores says of itself, as plain numbers: nothing of any person, and no number of people that is too small to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from simengine.spells.answer_file import FileContent
from simengine.spells.hazards import FittedNumber
from simengine.spells.score_fit import DropOut
from simengine.spells.score_goodness import ScoreTest


class FittedScoreContent(TypedDict):
    """One score."""

    at_month: int
    """Months after entry at which it is measured."""
    both: str
    """People with a reading at entry and one at the date, rounded down to a multiple of the smallest number that is shown."""
    change: float
    """Posterior mean of the mean at the date less that at entry."""
    numbers: list[FittedNumber]
    """Every number of it, with its distribution."""
    tests: Mapping[str, ScoreTest]
    """`at entry`, `again` and `at the date`: readings against the fit."""
    drop_out: DropOut | None
    """Who was due at the date and has no score; null where few people were, or nobody was observed for so long."""


class ScoresContent(TypedDict):
    """Fitted scores."""

    file: FileContent
    """The file that was read."""
    fitted: Mapping[str, FittedScoreContent]
    """By score."""
    notes: list[str]
    """What was decided or left out."""
    left_out: list[str]
    """Correlations and keys of the study that no longer apply."""
    section: Mapping[str, Any]
    """The section, as `scores_section.yaml` has it."""
