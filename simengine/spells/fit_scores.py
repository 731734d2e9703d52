"""Fit the scores of a study to a municipality's own table of scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simengine.config import Study, load_study
from simengine.config.validate import refuse
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.report.document import yaml_text
from simengine.spells.answer_file import file_content
from simengine.spells.choices import FitChoices, ScoreChoices
from simengine.spells.fit import PathwayGiven, choices_given
from simengine.spells.mapping import MappingGiven
from simengine.spells.read_scores import read_score_table
from simengine.spells.records import small_cells_asked
from simengine.spells.score_answer import FittedScoreContent, ScoresContent
from simengine.spells.score_fit import FittedScore, fit_score
from simengine.spells.score_goodness import ScoreGoodness, judge_score
from simengine.spells.score_pairs import choose_pairs, month_with_most, problems_of_scores
from simengine.spells.score_records import ScoreReadings
from simengine.spells.score_section import scores_into_study, section_of_scores
from simengine.spells.words import DateOrder


@dataclass(frozen=True, eq=False)
class ScoresFit:
    """Scores that were fitted: the section, how well it fits, and a study with it if one was named."""

    content: ScoresContent
    """What the fit says of itself, as plain numbers."""
    section: Mapping[str, Any]
    """`outcomes`, `correlations` and, where a metric is named, its attrition, as a study says them."""
    goodness: Mapping[str, ScoreGoodness]
    """By score: what was read against what was fitted."""
    choices: FitChoices
    """What was asked for."""
    study: Study | None
    """The study with the section in it; none where none was named."""

    def __repr__(self) -> str:
        file = self.content["file"]
        return f"<ScoresFit: {file['name']}; {file['people']} people; {', '.join(self.content['fitted'])}>"

    def section_text(self) -> str:
        """Write the section as YAML."""
        return yaml_text(self.section, numbers_in_line=True)

    def picture(self) -> bytes:
        """Draw observed against fitted scores, as PNG."""
        from simengine.spells.score_picture import draw_scores

        return draw_scores(self.content["file"]["name"], self.goodness)


def fit_scores(
    scores: Path | str | ScoreReadings,
    pathway: PathwayGiven = None,
    mapping: MappingGiven = None,
    *,
    into: Study | Path | str | None = None,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
    small_cells: int | None = None,
) -> ScoresFit:
    """Fit the outcomes of kind `score` to readings of people at entry and at a date after it.

    Parameters
    ----------
    scores
        A table of scores (CSV, an Excel workbook or Parquet), or what `read_score_table` returned.
    pathway
        How each is fitted, under `scores`: a file, the same as data, or nothing for the defaults.
    mapping
        What the columns and words of the table mean, under `scores`.
    into
        A study in which the fitted scores take the place of those of the same names.
    dates
        How dates as 1/3/2024 are meant, in place of what the mapping says.
    without_bad_rows
        Leave bad rows out, and count them by reason, in place of refusing the file.
    problems
        A new file for the list of all bad rows, if it is wanted.
    small_cells
        A smaller number of people is never shown, from 3 to 100; 5 where none is given.

    Raises
    ------
    StudyError
        If the file or a choice cannot be used, with every problem that was found.
    UsageError
        If the scores do not determine what is asked for.
    ResultsError
        If the list of bad rows cannot be written.
    """
    if not isinstance(scores, Path | str | ScoreReadings):
        raise UsageError(f"scores: must be a file, or what read_score_table returned; found {shorten(scores)}")
    choices, document = choices_given(pathway)
    study = into if isinstance(into, Study) or into is None else load_study(into)
    least = small_cells_asked(small_cells)
    if isinstance(scores, ScoreReadings):
        read = scores
        if small_cells is not None and least != read.file.small_cells:
            found = f"{least} for a table that was read with {read.file.small_cells}"
            raise UsageError(f"small_cells: must be given when a table is read; found {found}. Give it to read_score_table")
    else:
        read = read_score_table(
            *(scores, mapping), dates=dates, without_bad_rows=without_bad_rows, problems=problems, small_cells=small_cells
        )
    refuse(document, problems_of_scores(read, choices.scores))
    if read.n_people < read.file.small_cells:
        rule = f"a file must hold {read.file.small_cells} people or more"
        raise StudyError([Problem(read.file.name, "", rule, f"fewer than {read.file.small_cells}")])
    names = tuple(choices.scores) or read.scales
    fitted = [_fitted(read, name, choices, study) for name in names]
    return _told(read, fitted, choices, study)


def _fitted(read: ScoreReadings, name: str, choices: FitChoices, study: Study | None) -> FittedScore:
    """Fit one score, with what the study says of it where nothing was asked."""
    asked, scale = choices.scores.get(name, ScoreChoices()), read.scales.index(name)
    before = None if study is None else study.outcomes.get(name)
    of_study = before if before is not None and before.scale == "score" else None
    at_month = asked.at_month
    if at_month is None:
        at_month = month_with_most(read, scale, asked) if of_study is None else int(of_study.read_at_month or 0)
    if at_month is None:
        rule = f"scores.{name}: somebody must have a reading more than {asked.entry_within_months:g} months after entry; found none"
        raise UsageError(f"{rule}. Is the column of dates or months the right one?")
    reported = str(asked.reported or getattr(of_study, "reported", "level"))
    pairs = choose_pairs(read, scale, asked, at_month)
    return fit_score(name, pairs, asked, choices.priors, at_month, reported, read.file.small_cells)


def _told(read: ScoreReadings, fitted: list[FittedScore], choices: FitChoices, study: Study | None) -> ScoresFit:
    """Put together what was fitted."""
    least = read.file.small_cells
    section = section_of_scores(read.file, fitted)
    found, gone = (None, ()) if study is None else scores_into_study(study, section)
    judged = {one.name: judge_score(one, least) for one in fitted}
    notes = [note for one in fitted for note in one.notes]
    notes += [
        f"`{one.name}`: readings that are neither at entry nor at the date are not used." for one in fitted if one.pairs.n_unused
    ]
    content: ScoresContent = {
        "file": file_content(read.file, read.n_people, hides=any(_hides(one, least) for one in fitted)),
        "fitted": {one.name: _content(one, judged[one.name], least) for one in fitted},
        "notes": notes,
        "left_out": list(gone),
        "section": section,
    }
    return ScoresFit(content, section, judged, choices, found)


def _hides(one: FittedScore, least: int) -> bool:
    """Return whether a number of people who lack a reading is too small to be shown: rows would tell it."""
    n = len(one.pairs.entry)
    return any(0 < n - int(np.isfinite(read).sum()) < least for read in (one.pairs.entry, one.pairs.at_date))


def _content(one: FittedScore, judged: ScoreGoodness, least: int) -> FittedScoreContent:
    by_key = {number.path.rpartition(".")[2]: number.mean for number in one.numbers}
    return {
        "at_month": one.at_month,
        "both": f"{int(one.pairs.has_both.sum()) // least * least:,}",
        "change": by_key["mean"] - by_key["mean_at_entry"],
        "numbers": list(one.numbers),
        "tests": judged.tests,
        "drop_out": one.drop_out,
    }
