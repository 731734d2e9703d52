"""Read a municipality's own tables together: spells, and events of the same people; or events alone, of people in one state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.errors import Problem, StudyError, UsageError
from simengine.spells.bad_rows import BadRows
from simengine.spells.between_rows import day_number
from simengine.spells.columns import read_cells
from simengine.spells.event_records import Events, OwnTables
from simengine.spells.event_rows import EventRows, ObservedPeople, check_event_rows, read_event_rows
from simengine.spells.headers import ORDINARY_OF_EVENTS, find_columns
from simengine.spells.judge import Judge
from simengine.spells.mapping import MappingGiven, SpellsMapping
from simengine.spells.read import (
    meant_by,
    open_table,
    place_of_header,
    read_with_people,
    refuse_bad_rows,
    said_of_columns,
)
from simengine.spells.records import Spells, SpellsFile, counts_shown, small_cells_asked
from simengine.spells.table import FileFound, Progress, find_file, one_problem
from simengine.spells.words import DateOrder

NOBODY_APART = "all"
"""The group of everybody where there are none."""


def read_tables(
    spells: Path | str | None,
    events: Path | str | None = None,
    mapping: MappingGiven = None,
    *,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
    problems_of_events: Path | str | None = None,
    small_cells: int | None = None,
    progress: Progress = lambda share: None,  # noqa: ARG005
) -> OwnTables:
    """Read spells, events, or both, each from CSV, an Excel workbook or Parquet.

    Parameters
    ----------
    spells
        The table of spells; none where everybody was in one state throughout, which the mapping then names, with how many they were.
    events
        The table of events of the same people.
    mapping
        What the columns and words of both mean.
    dates
        How dates as 1/3/2024 are meant, in place of what the mapping says.
    without_bad_rows
        Leave bad rows out, and count them by reason, in place of refusing a file.
    problems, problems_of_events
        New files for the lists of all bad rows, if they are wanted.
    small_cells
        A smaller number of people is never shown, from 3 to 100; 5 where none is given. It stays with the tables.
    progress
        Called from time to time with the share of the first file that is read.

    Raises
    ------
    StudyError
        If a file or a whole column cannot be understood, or (`BadRowsError`) with every bad row of the first file that has any.
    ResultsError
        If a list of bad rows cannot be written.
    UsageError
        If there is no table at all.
    """
    if spells is None and events is None:
        raise UsageError("a table of spells, or of events, must be given; found neither")
    if events is None and problems_of_events is not None:
        raise UsageError("problems_of_events: must be given with a table of events; found none")
    if spells is None and problems is not None:
        raise UsageError("problems: must be given with a table of spells; found none. Bad events are listed by problems_of_events")
    of, names, least = None, dict[str, int](), small_cells_asked(small_cells)
    if spells is not None:
        of, names = read_with_people(
            *(Path(spells), mapping),
            dates=dates,
            without_bad_rows=without_bad_rows,
            problems=problems,
            small_cells=least,
            progress=progress,
        )
    if events is None:
        assert of is not None
        return OwnTables(of)
    meant, place_of = meant_by(mapping, dates)
    _check_mapping(meant, place_of, has_spells=of is not None)
    return _Reading(Path(events), meant, place_of, progress, least).joined(
        of, names, without_bad_rows=without_bad_rows, problems=problems_of_events
    )


def _check_mapping(meant: SpellsMapping, place_of: Callable[[str], str], *, has_spells: bool) -> None:
    """Refuse a mapping that says too little of events alone, or too much of events beside spells."""
    found: list[Problem] = []
    if has_spells and meant.events.people:
        rule = "must be absent where a table of spells says who was observed"
        found.append(Problem(place_of("events.people"), "events.people", rule, "numbers of people"))
    if not has_spells:
        for key in ("observed_from", "observed_until"):
            if getattr(meant, key) is None:
                rule = "must be given where there is no table of spells: everybody is observed from and until then"
                found.append(Problem(place_of(""), key, rule, "nothing"))
        if not meant.events.people:
            rule = "must say how many people were observed, with or without an event, where there is no table of spells"
            way_out = f"As `events: {{people: {{{NOBODY_APART}: 5200}}}}`, or by group; if people come and go, give their spells"
            found.append(Problem(place_of(""), "events.people", rule, "nothing", way_out))
    if found:
        raise StudyError(found)


class _Reading:
    """One table of events, while it is read."""

    def __init__(self, path: Path, meant: SpellsMapping, place_of: Callable[[str], str], progress: Progress, least: int) -> None:
        self.meant, self.place_of, self.small_cells = meant, place_of, least
        self.found: FileFound = find_file(path)
        table = open_table(self.found, meant.events.sheet, meant.events.header_row, progress)
        header_at = place_of_header(self.found, table)
        places = find_columns(
            table.header, meant.events.columns, ORDINARY_OF_EVENTS, ("person",), header_at, place_of, "events.columns"
        )
        _check_columns(places, header_at)
        self.headers: Mapping[str, str] = {role: header for role, (_, header) in places.items()}
        cells = read_cells(table, places)
        if not len(cells.row):
            raise one_problem(path.name, "must have a row for each event", "a header alone")
        self.notes = [*table.notes, *said_of_columns(table, places)]
        self.bad = BadRows(path.name, table.noun, cells.row)
        self.judge = Judge(cells, meant.events, self.bad, header_at, self.notes, least, "event", "events.")
        self.rows: EventRows = read_event_rows(self.judge, meant.events, meant.groups, place_of(""))

    def joined(
        self, spells: Spells | None, names: Mapping[str, int], *, without_bad_rows: bool, problems: Path | str | None
    ) -> OwnTables:
        """Join events to the people of the spells, or make up the spells of people who were all in one state."""
        rows, number_of = self.rows, self.judge.number_of
        index = np.full(len(number_of), -1)
        if spells is None:
            alone, index = self._alone()
        else:
            alone = spells
            for name, number in number_of.items():
                index[number] = names.get(name, -1)
            self.bad.people = {*number_of, *names}
            if "group" in self.headers:
                self.notes.append(f"{self.headers['group']}: not used, since the table of spells says the group of each person.")
        observed = ObservedPeople(*(np.where(index >= 0, days[index], np.nan) for days in (alone.entry_day, alone.observed_until)))
        from_day = None if self.meant.observed_from is None else day_number(self.meant.observed_from)
        is_early = check_event_rows(rows, observed, from_day, self.bad, self.headers)
        refuse_bad_rows(self.bad, without_bad_rows=without_bad_rows, problems=problems)
        file = SpellsFile(
            self.found.path.name, self.found.sha256, len(rows.person), left_out=self.bad.by_reason, small_cells=self.small_cells
        )
        at = np.flatnonzero(~self.bad.is_bad & ~is_early)
        if not len(at):
            raise one_problem(file.name, "must hold events of one person or more", "none that is good and observed")
        if is_early.any():
            self.notes.append(
                f"Events over before observation, and left out: {counts_shown(int(is_early.sum()), self.small_cells)}."
            )
        events = _arranged(rows, at, index, alone, replace(file, notes=tuple(self.notes)))
        if spells is None:
            alone = replace(alone, file=events.file)
        return OwnTables(alone, events, has_spells=spells is not None)

    def _alone(self) -> tuple[Spells, Integers]:
        """Make the spells of everybody: in one state, observed from before until after; those with events are of the people counted."""
        meant, rows = self.meant, self.rows
        groups = tuple(sorted(meant.events.people))
        is_apart = "group" in self.headers
        wanted = tuple(sorted(rows.groups)) if is_apart else (NOBODY_APART,)
        if missing := [one for one in wanted if one not in groups] or [
            one for one in groups if not is_apart and one != NOBODY_APART
        ]:
            rule = (
                "must name the groups of the file"
                if is_apart
                else f"must be under `{NOBODY_APART}` where no column holds the group"
            )
            place = self.place_of("events.people")
            raise StudyError([Problem(place, "events.people", rule, ", ".join(groups), f"Groups: {', '.join(missing)}")])
        of_person = self._groups_of_people(groups, is_apart)
        start = np.cumsum([0, *(meant.events.people[one] for one in groups)])
        index = np.full(len(of_person), -1)
        for number, name in enumerate(groups):
            at = np.flatnonzero(of_person == number)
            if len(at) > meant.events.people[name]:
                rule = f"must not be fewer people than have events in `{name}`"
                found = f"{meant.events.people[name]:,} people, and {counts_shown(len(at), self.small_cells)} with events"
                raise StudyError([Problem(self.place_of("events.people"), f"events.people.{name}", rule, found)])
            index[at] = start[number] + np.arange(len(at))
        group = np.repeat(np.arange(len(groups)), [meant.events.people[one] for one in groups])
        return _in_one_state(meant, groups, group, self.small_cells), index

    def _groups_of_people(self, groups: tuple[str, ...], is_apart: bool) -> Integers:
        """Return the group of each person by first appearance; -1 of somebody without a good row."""
        rows, number_of = self.rows, self.judge.number_of
        of_person = np.full(len(number_of), -1)
        usable = np.flatnonzero((rows.person >= 0) & ~self.bad.is_bad & (rows.group >= 0))[::-1]
        places = np.array([groups.index(one) for one in rows.groups]) if is_apart else np.zeros(1, dtype=np.int64)
        of_row = places[np.maximum(rows.group, 0)]
        first = np.zeros(len(number_of), dtype=np.int64)
        of_person[rows.person[usable]], first[rows.person[usable]] = of_row[usable], usable
        differs = usable[of_person[rows.person[usable]] != of_row[usable]][::-1]
        fault = ("differs between rows of a person", "must be the same in all rows of a person; another value stands above", "")
        self.bad.add(fault, differs, self.headers.get("group", ""), first[rows.person[differs]])
        return of_person


def _check_columns(places: Mapping[str, object], header_at: str) -> None:
    """Refuse a table that has both, or neither, of a date and of two."""
    has_two = "from" in places or "to" in places
    if "date" in places and has_two:
        rule, found = "events must have either `date`, or `from` and `to`", "columns for both"
    elif has_two and not {"from", "to"} <= set(places):
        rule, found = "events with a length must have `from` and `to`", "one of them"
    elif "date" not in places and not has_two:
        rule, found = "a column must hold `date`, or two `from` and `to`", "no ordinary header of any"
    else:
        return
    raise one_problem(header_at, rule, found, "Say in the mapping which columns they are: `events: {columns: {date: ...}}`")


def _arranged(rows: EventRows, at: Integers, index: Integers, spells: Spells, file: SpellsFile) -> Events:
    """Sort good rows by person, kind and day; an open event lasts to the end of observation of its person."""
    person = index[rows.person[at]]
    at = at[np.lexsort((rows.first[at], rows.kind[at], person))]
    person = index[rows.person[at]]
    until: Floats = spells.observed_until[person]
    used, kind = np.unique(rows.kind[at], return_inverse=True)
    return Events(
        kinds=tuple(rows.kinds[one] for one in used),
        has_length=rows.has_length,
        person=person,
        kind=kind.astype(np.int64),
        first_day=rows.first[at],
        end_day=np.where(rows.is_open[at], until, rows.end[at]),
        is_open=rows.is_open[at],
        file=file,
    )


def _in_one_state(meant: SpellsMapping, groups: tuple[str, ...], group: Integers, small_cells: int) -> Spells:
    """Make spells of people who were in one state on all days; it began on the day before, so nobody entered while observed."""
    first, until = day_number(str(meant.observed_from)), day_number(str(meant.observed_until))
    n = len(group)
    return Spells(
        states=(meant.events.state,),
        groups=groups,
        person=np.arange(n),
        state=np.zeros(n, dtype=np.int64),
        first_day=np.full(n, first - 1),
        end_day=np.full(n, until),
        is_open=np.ones(n, dtype=bool),
        cost_per_day=np.full(n, np.nan),
        first_spell=np.arange(n + 1),
        group=group,
        entry_day=np.full(n, first),
        observed_until=np.full(n, until),
        file=SpellsFile("", "", 0, small_cells=small_cells),
    )
