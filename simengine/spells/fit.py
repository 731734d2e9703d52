"""Fit the pathway of a study to a municipality's own spells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from simengine.config import Study, load_study
from simengine.config.document import Document
from simengine.config.validate import validate
from simengine.errors import UsageError, shorten
from simengine.report.document import yaml_text
from simengine.spells.answer import FitContent, file_content, moves_content
from simengine.spells.choices import FitChoices, read_choices
from simengine.spells.costs import fit_costs
from simengine.spells.goodness import Goodness, judge_fit
from simengine.spells.hazards import FittedMoves, fit_hazards
from simengine.spells.mapping import DateOrder, MappingGiven
from simengine.spells.people import fit_entries, fit_start
from simengine.spells.plan import FitPlan, plan_fit
from simengine.spells.read import read_spells
from simengine.spells.records import Spells
from simengine.spells.section import cost_outcome_of, into_study, section_of

PathwayGiven: TypeAlias = Path | str | Mapping[str, Any] | FitChoices | None


@dataclass(frozen=True, eq=False)
class PathwayFit:
    """A pathway that was fitted to spells: the section, how well it fits, and a study with it if one was named."""

    content: FitContent
    """What the fit says of itself, as plain numbers."""
    section: Mapping[str, Any]
    """`population`, `pathway`, `outcomes` and `correlations`, as a study says them, and the file under `study.sources`."""
    goodness: Goodness
    """What was observed against what was fitted."""
    choices: FitChoices
    """What was asked for."""
    study: Study | None
    """The study with the section in it; none where none was named."""

    def __repr__(self) -> str:
        file, moves = self.content["file"], self.content["moves"]
        return f"<PathwayFit: {file['name']}; {file['people']} people; {len(self.content['states'])} states, {len(moves)} moves>"

    def section_text(self) -> str:
        """Write the section as YAML."""
        return yaml_text(self.section, numbers_in_line=True)

    def picture(self) -> bytes:
        """Draw observed against fitted shares, as PNG."""
        from simengine.spells.picture import draw_fit

        return draw_fit(self.content["file"]["name"], self.goodness)


def fit(
    spells: Path | str | Spells,
    pathway: PathwayGiven = None,
    mapping: MappingGiven = None,
    *,
    into: Study | Path | str | None = None,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
) -> PathwayFit:
    """Fit the pathway of a study to spells: who was in which state from when until when.

    Parameters
    ----------
    spells
        A table of spells (CSV, an Excel workbook or Parquet), or what `read_spells` returned.
    pathway
        What is fitted: a file, the same as data, or nothing for constant rates of all moves that were seen.
    mapping
        What the columns and words of the table mean; nothing where its headers are ordinary.
    into
        A study in which the fitted section takes the place of the pathway, the strata and the daily costs.
    dates
        How dates as 1/3/2024 are meant, in place of what the mapping says.
    without_bad_rows
        Leave bad rows out, and count them by reason, in place of refusing the file.
    problems
        A new file for the list of all bad rows, if it is wanted.

    Raises
    ------
    StudyError
        If a file or a choice cannot be used, with every problem that was found.
    UsageError
        If the spells do not determine what is asked for.
    ResultsError
        If the list of bad rows cannot be written.
    """
    if not isinstance(spells, Path | str | Spells):
        raise UsageError(f"spells: must be a file, or what read_spells returned; found {shorten(spells)}")
    choices, document = _choices(pathway)
    study = into if isinstance(into, Study) or into is None else load_study(into)
    origin = _origin(choices, study)
    outcome = cost_outcome_of(study, choices)
    if not isinstance(spells, Spells):
        spells = read_spells(spells, mapping, dates=dates, without_bad_rows=without_bad_rows, problems=problems)
    plan = plan_fit(spells, choices, document)
    origin_day = _first_of_month(spells.observed_until.max()) if origin is None else origin
    moves = fit_hazards(spells, plan, choices, origin_day)
    return _told(spells, choices, plan, moves, study, outcome, origin_day)


def _told(
    spells: Spells,
    choices: FitChoices,
    plan: FitPlan,
    moves: FittedMoves,
    study: Study | None,
    outcome: str,
    origin_day: float,
) -> PathwayFit:
    """Put together what was fitted."""
    from simengine.report.steps import steps_content

    start, entries = fit_start(spells, plan), fit_entries(spells, int(choices.enrolment_months.value))
    costs, cost_notes = fit_costs(spells, plan)
    section = section_of(spells.file, choices, plan, moves, start, entries, costs, outcome)
    found, gone = (None, ()) if study is None else into_study(study, section, keeps_start=choices.start == "study")
    goodness = judge_fit(spells, plan, moves, origin_day)
    content: FitContent = {
        "file": file_content(spells.file, spells.n_people),
        "states": list(plan.states),
        "strata": list(plan.strata),
        "moves": moves_content(spells, plan, choices.priors, goodness.moves),
        "numbers": list(moves.numbers),
        "frailty_variance": moves.variance or None,
        "survival": goodness.survival,
        "occupancy": goodness.occupancy,
        "costs": costs,
        "entries": entries,
        "notes": [*plan.notes, *start.notes, *cost_notes],
        "left_out": list(gone),
        "steps": None if found is None else steps_content(found),
        "section": section,
    }
    return PathwayFit(content, section, goodness, choices, found)


def _choices(pathway: PathwayGiven) -> tuple[FitChoices, Document]:
    if isinstance(pathway, FitChoices):
        return pathway, Document({}, default_place="the pathway")
    if not isinstance(pathway, Path | str | Mapping | None):
        raise UsageError(f"pathway: must be a file, the same as data, or nothing; found {shorten(pathway)}")
    if isinstance(pathway, Mapping):
        document = Document(dict(pathway), default_place="the pathway")
        return validate(FitChoices, document), document
    return read_choices(None if pathway is None else Path(pathway))


def _origin(choices: FitChoices, study: Study | None) -> float | None:
    """Return month 0 of the study, in days since 1970-01-01; none where nobody names it."""
    named = {one for one in (choices.study_start, study and study.study.start) if one}
    if len(named) > 1:
        found = f"{choices.study_start} and, in the study, {study and study.study.start}"
        raise UsageError(f"study_start: must be the start of the study that is named; found {found}. Leave it out")
    return float(np.datetime64(named.pop(), "M").astype("datetime64[D]").astype(np.int64)) if named else None


def _first_of_month(day: float) -> float:
    return float(np.datetime64(int(day), "D").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))
