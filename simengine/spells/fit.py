"""Fit the pathway and the events of a study to a municipality's own tables."""

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
from simengine.spells.answer import FitContent, moves_content
from simengine.spells.answer_file import file_content
from simengine.spells.choices import FitChoices, read_choices
from simengine.spells.costs import fit_costs
from simengine.spells.episodes import moves_of
from simengine.spells.event_answer import EventsContent, events_content
from simengine.spells.event_fit import FittedEvent, fit_events
from simengine.spells.event_goodness import EventsGoodness, judge_events
from simengine.spells.event_plan import plan_events
from simengine.spells.event_records import OwnTables
from simengine.spells.goodness import Goodness, judge_fit
from simengine.spells.hazards import FittedMoves, fit_hazards
from simengine.spells.mapping import MappingGiven
from simengine.spells.people import fit_entries, fit_start
from simengine.spells.plan import FitPlan, plan_fit
from simengine.spells.read_tables import read_tables
from simengine.spells.records import Spells, small_cells_asked
from simengine.spells.risk_time import months_of
from simengine.spells.section import cost_outcome_of, into_study, section_of
from simengine.spells.words import DateOrder

PathwayGiven: TypeAlias = Path | str | Mapping[str, Any] | FitChoices | None


@dataclass(frozen=True, eq=False)
class PathwayFit:
    """A pathway and events that were fitted: the section, how well it fits, and a study with it if one was named."""

    content: FitContent
    """What the fit says of itself, as plain numbers."""
    section: Mapping[str, Any]
    """`population`, `pathway`, `events`, `outcomes` and `correlations`, as a study says them, and the files under `study.sources`."""
    goodness: Goodness
    """What was observed against what was fitted."""
    events_goodness: EventsGoodness | None
    """The same of events; none without them."""
    choices: FitChoices
    """What was asked for."""
    study: Study | None
    """The study with the section in it; none where none was named."""

    def __repr__(self) -> str:
        file, moves = self.content["file"], self.content["moves"]
        of_events = self.content["events"]
        events = "" if of_events is None else f", {len(of_events['fitted'])} events"
        states = len(self.content["states"])
        return f"<PathwayFit: {file['name']}; {file['people']} people; {states} states, {len(moves)} moves{events}>"

    def section_text(self) -> str:
        """Write the section as YAML."""
        return yaml_text(self.section, numbers_in_line=True)

    def picture(self) -> bytes:
        """Draw observed against fitted shares, as PNG."""
        from simengine.spells.picture import draw_fit

        return draw_fit(self.content["file"]["name"], self.goodness, self.events_goodness)


def fit(
    spells: Path | str | Spells | OwnTables | None,
    pathway: PathwayGiven = None,
    mapping: MappingGiven = None,
    *,
    events: Path | str | None = None,
    into: Study | Path | str | None = None,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
    problems_of_events: Path | str | None = None,
    small_cells: int | None = None,
) -> PathwayFit:
    """Fit the pathway of a study to spells, who was in which state from when until when; and its events to those of the same people.

    Parameters
    ----------
    spells
        A table of spells (CSV, an Excel workbook or Parquet), or what `read_spells` or `read_tables` returned; none where everybody
        was in one state, and only events are fitted.
    pathway
        What is fitted: a file, the same as data, or nothing for constant rates of all moves that were seen.
    mapping
        What the columns and words of the tables mean; nothing where their headers are ordinary.
    events
        A table of events of the same people: what happened to whom when, and until when.
    into
        A study in which the fitted section takes the place of the pathway, the strata and the daily costs.
    dates
        How dates as 1/3/2024 are meant, in place of what the mapping says.
    without_bad_rows
        Leave bad rows out, and count them by reason, in place of refusing the file.
    problems, problems_of_events
        New files for the lists of all bad rows, if they are wanted.
    small_cells
        A smaller number of people is never shown, nor told apart, from 3 to 100; 5 where none is given. What was read before has the
        number with which it was read.

    Raises
    ------
    StudyError
        If a file or a choice cannot be used, with every problem that was found.
    UsageError
        If the spells do not determine what is asked for.
    ResultsError
        If the list of bad rows cannot be written.
    """
    if not isinstance(spells, Path | str | Spells | OwnTables | None):
        raise UsageError(f"spells: must be a file, or what read_spells returned; found {shorten(spells)}")
    if events is not None and isinstance(spells, Spells | OwnTables):
        rule = "events: must stand beside a file of spells, for spells that were read name nobody"
        raise UsageError(f"{rule}; found what was read. Read both together with read_tables")
    choices, document = choices_given(pathway)
    study = into if isinstance(into, Study) or into is None else load_study(into)
    origin = _origin(choices, study)
    has_spells = spells.has_spells if isinstance(spells, OwnTables) else spells is not None
    # Events alone have no daily costs.
    outcome = cost_outcome_of(study, choices) if has_spells else ""
    if isinstance(spells, Spells):
        tables = OwnTables(spells)
    elif isinstance(spells, OwnTables):
        tables = spells
    else:
        tables = read_tables(
            *(spells, events, mapping),
            dates=dates,
            without_bad_rows=without_bad_rows,
            problems=problems,
            problems_of_events=problems_of_events,
            small_cells=small_cells,
        )
    if (asked := small_cells_asked(small_cells)) != tables.spells.small_cells and small_cells is not None:
        found = f"{asked} for tables that were read with {tables.spells.small_cells}"
        raise UsageError(f"small_cells: must be given when tables are read; found {found}. Give it to read_spells or read_tables")
    if tables.events is None and choices.events:
        raise UsageError(
            "events: must be asked for with a table of events; found none. Name it, or leave `events` out of the pathway"
        )
    if choices.scores:
        raise UsageError("scores: must be asked for with a table of scores; found none. Fit it with `--scores`, or fit_scores")
    plan = plan_fit(tables.spells, choices, document, has_events=tables.events is not None)
    origin_day = _first_of_month(tables.spells.observed_until.max()) if origin is None else origin
    fitted, content, judged = _of_events(tables, choices, plan, document, origin_day)
    moves = fit_hazards(tables.spells, plan, choices, origin_day)
    return _told(tables, choices, plan, moves, study, outcome, origin_day, fitted, content, judged)


def _of_events(
    tables: OwnTables, choices: FitChoices, plan: FitPlan, document: Document, origin_day: float
) -> tuple[tuple[FittedEvent, ...], EventsContent | None, EventsGoodness | None]:
    """Fit the events of the second table: nothing without one."""
    events = tables.events
    if events is None:
        return (), None, None
    plans, notes = plan_events(tables.spells, events, plan, choices, document)
    origin_month = int(months_of(np.array([origin_day]))[0])
    fitted = fit_events(tables.spells, events, plan, plans, choices.priors, origin_month)
    judged = judge_events(fitted, tables.spells.small_cells)
    hides = any(one.plan.small for one in fitted) or len(fitted) < len(events.kinds)
    file = file_content(events.file, tables.spells.n_people, hides=hides)
    return fitted, events_content(tables.spells, file, fitted, judged, choices.priors, notes), judged


def _told(
    tables: OwnTables,
    choices: FitChoices,
    plan: FitPlan,
    moves: FittedMoves,
    study: Study | None,
    outcome: str,
    origin_day: float,
    events: tuple[FittedEvent, ...],
    of_events: EventsContent | None,
    judged: EventsGoodness | None,
) -> PathwayFit:
    """Put together what was fitted."""
    from simengine.report.steps import steps_content

    spells = tables.spells
    start, entries = fit_start(spells, plan), fit_entries(spells, int(choices.enrolment_months.value))
    costs, cost_notes = fit_costs(spells, plan)
    events_file = None if tables.events is None else tables.events.file
    section = section_of(spells.file, choices, plan, moves, start, entries, costs, outcome, events, events_file)
    keeps = {"keeps_start": choices.start == "study", "keeps_pathway": not tables.has_spells}
    found, gone = (None, ()) if study is None else into_study(study, section, **keeps)
    goodness = judge_fit(spells, plan, moves, origin_day)
    content: FitContent = {
        "file": file_content(spells.file, spells.n_people, hides=_hides(tables, of_events)),
        "states": list(plan.states),
        "strata": list(plan.strata),
        "moves": moves_content(spells, plan, choices.priors, goodness.moves),
        "numbers": list(moves.numbers),
        "frailty_variance": moves.variance or None,
        "survival": goodness.survival,
        "occupancy": goodness.occupancy,
        "costs": costs,
        "entries": entries,
        "events": of_events,
        "notes": [*plan.notes, *start.notes, *cost_notes],
        "left_out": list(gone),
        "steps": None if found is None else steps_content(found),
        "section": section,
    }
    return PathwayFit(content, section, goodness, judged, choices, found)


def _hides(tables: OwnTables, of_events: EventsContent | None) -> bool:
    """Return whether a number of what the rows of the first table say is too small to be shown; it is that of events where they are alone."""
    if not tables.has_spells:
        return of_events is not None and of_events["file"]["rows"] is None
    person, least = tables.spells.person, tables.spells.small_cells
    return any(len(np.unique(person[made])) < least for made in moves_of(tables.spells).values())


def choices_given(pathway: PathwayGiven) -> tuple[FitChoices, Document]:
    """Read what is to be fitted, a file or the same as data, and the lines on which it stands."""
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
