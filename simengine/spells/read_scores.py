"""Read a table of scores: every row is used, or listed with what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.asked import place_asked
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.errors import Problem, StudyError
from simengine.spells.bad_rows import TWICE, BadRows
from simengine.spells.between_rows import day_number
from simengine.spells.columns import read_cells
from simengine.spells.headers import ORDINARY_OF_SCORES, find_columns
from simengine.spells.judge import Judge
from simengine.spells.mapping import MappingGiven, SpellsMapping
from simengine.spells.read import (
    asked_of_bad_rows,
    meant_by,
    open_table,
    place_of_header,
    refuse_bad_rows,
    said_of_columns,
)
from simengine.spells.records import SpellsFile, small_cells_asked
from simengine.spells.score_records import ScoreReadings
from simengine.spells.table import Progress, find_file, one_problem
from simengine.spells.words import DateOrder


def read_score_table(
    path: Path | str,
    mapping: MappingGiven = None,
    *,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
    small_cells: int | None = None,
    progress: Progress = lambda share: None,  # noqa: ARG005
) -> ScoreReadings:
    """Read scores from CSV, an Excel workbook or Parquet: who was given how many points when.

    Parameters
    ----------
    path
        The table: a header, and a row for each reading of one scale. Nothing of it but the result and its checksum is kept.
    mapping
        What its columns and words mean, under `scores`.
    dates
        How dates as 1/3/2024 are meant, in place of what the mapping says.
    without_bad_rows
        Leave bad rows out, and count them by reason, in place of refusing the file.
    problems
        A new file for the list of all bad rows, if it is wanted.
    small_cells
        A smaller number of people is never shown, from 3 to 100; 5 where none is given.
    progress
        Called from time to time with the share of the file that is read, from 0 to 1.

    Raises
    ------
    StudyError
        If the file or a whole column cannot be understood, or (`BadRowsError`) with every bad row.
    ResultsError
        If the list of bad rows cannot be written.
    """
    place = place_asked(path, "scores")
    meant, place_of = meant_by(mapping, dates)
    listed, least = asked_of_bad_rows(without_bad_rows, problems), small_cells_asked(small_cells)
    of, found = meant.scores, find_file(place)
    table = open_table(found, of.sheet, of.header_row, progress)
    header_at = place_of_header(found, table)
    places = find_columns(table.header, of.columns, ORDINARY_OF_SCORES, ("person", "score"), header_at, place_of, "scores.columns")
    if ("date" in places) == ("month" in places):
        way_out = "Say in the mapping which it is: `scores: {columns: {date: ...}}`, or `month` for months since entry"
        found_here = "columns for both" if "date" in places else "no ordinary header of either"
        raise one_problem(header_at, "a column must hold `date`, or one `month`", found_here, way_out)
    cells = read_cells(table, places)
    if not len(cells.row):
        raise one_problem(place.name, "must have a row for each score", "a header alone")
    notes = [*table.notes, *said_of_columns(table, places)]
    bad = BadRows(place.name, table.noun, cells.row)
    judge = Judge(cells, of, bad, header_at, notes, least, "score", "scores.")
    headers = {role: header for role, (_, header) in places.items()}
    return _Rows(judge, meant, headers, place_of("")).scores(
        SpellsFile(place.name, found.sha256, len(cells.row), small_cells=least),
        without_bad_rows=without_bad_rows,
        problems=listed,
    )


class _Rows:
    """What each row says, shape (n_rows,) all; only rows that are not bad say all of it."""

    def __init__(self, judge: Judge, meant: SpellsMapping, headers: Mapping[str, str], mapping_at: str) -> None:
        self.bad, self.notes, self.headers, of = judge.bad, judge.notes, headers, meant.scores
        self.observed_until, self.mapping_at = meant.observed_until, mapping_at
        problems: list[Problem] = []
        judge.widths()
        self.person, self.n_people = judge.people()
        self.scale, self.scales = np.zeros(len(self.person), dtype=np.int64), (of.scale,)
        if "scale" in headers:
            self.scale, self.scales = judge.collected(problems, judge.names, "scale", of.scales)
        self.group, self.groups = judge.collected(problems, judge.names, "group", meant.groups)
        self.day = judge.collected(problems, judge.days, "date")[0]
        self.month = judge.collected(problems, judge.amounts, "month", of.decimal, signed=True)
        self.entry = judge.collected(problems, judge.days, "entry", may_be_empty=True)[0]
        self.score = judge.collected(problems, judge.amounts, "score", of.decimal, signed=True)
        if problems:
            raise StudyError(problems)
        for role in ("score", "month"):
            if role in headers:
                judge.flag_empty(role)
        if "group" in headers:
            self.bad.add(("missing value", "must be given", ""), judge.lacks_group(), headers["group"])
        limits = (
            ("below the lowest", of.lowest, self.score < _or(of.lowest, -np.inf), "or more"),
            ("above the highest", of.highest, self.score > _or(of.highest, np.inf), "or less"),
        )
        for reason, limit, is_beyond, words in limits:
            shown = tuple(f"{one:g}" for one in self.score[is_beyond])
            self.bad.add((reason, f"must be {_or(limit, 0):g} {words}", ""), is_beyond, headers["score"], shown)

    def scores(self, file: SpellsFile, *, without_bad_rows: bool, problems: Path | None) -> ScoreReadings:
        """Put the rows in order, with everybody's entry and end of observation."""
        entry = self._of_person(self.entry, "entry")
        group = self._of_person(np.where(self.group < 0, np.nan, self.group.astype(np.float64)), "group")
        usable = np.flatnonzero((self.person >= 0) & ~self.bad.is_bad)
        until = np.inf
        if "date" in self.headers:
            first = np.full(self.n_people, np.inf)
            np.minimum.at(first, self.person[usable], self.day[usable])
            entry = np.where(np.isnan(entry), first, entry)
            if "entry" not in self.headers:
                self.notes.append("Entry of each person: the date of the first reading.")
            self.month = (self.day - np.append(entry, np.nan)[self.person]) / DAYS_PER_MONTH
            until = self._until(usable)
        else:
            entry = np.zeros(self.n_people)
        self._flag_twice()
        refuse_bad_rows(self.bad, without_bad_rows=without_bad_rows, problems=problems)
        at = np.flatnonzero((self.person >= 0) & ~self.bad.is_bad)
        if not len(at):
            raise one_problem(file.name, "must hold scores of one person or more", "none that is good")
        at = at[np.lexsort((self.month[at], self.scale[at], self.person[at]))]
        people, person = np.unique(self.person[at], return_inverse=True)
        used, scale = np.unique(self.scale[at], return_inverse=True)
        notes = tuple(self.notes)
        file = SpellsFile(file.name, file.sha256, file.n_rows, self.bad.by_reason, notes=notes, small_cells=file.small_cells)
        return ScoreReadings(
            scales=tuple(self.scales[one] for one in used),
            groups=self.groups,
            person=person.astype(np.int64),
            scale=scale.astype(np.int64),
            month=self.month[at],
            score=self.score[at],
            group=np.nan_to_num(group[people]).astype(np.int64),
            observed_months=np.asarray((until - entry[people]) / DAYS_PER_MONTH),
            file=file,
        )

    def _until(self, usable: Integers) -> float:
        """Return when observation ends; later dates are bad."""
        if self.observed_until is None:
            self.notes.append("Observation ends on the last date of the file.")
            return float(self.day[usable].max(initial=0.0))
        until = day_number(self.observed_until)
        fault = ("after observation", f"must be before {self.observed_until}, where observation ends", "")
        self.bad.add(fault, (self.person >= 0) & ~self.bad.is_bad & (self.day >= until), self.headers["date"])
        return until

    def _of_person(self, values: Floats, role: str) -> Floats:
        """Return by person the value of the first good row that gives one; rows that give another are bad."""
        of_person, first = np.full(self.n_people, np.nan), np.zeros(self.n_people, dtype=np.int64)
        at = np.flatnonzero(np.isfinite(values) & (self.person >= 0) & ~self.bad.is_bad)[::-1]
        of_person[self.person[at]], first[self.person[at]] = values[at], at
        differs = at[of_person[self.person[at]] != values[at]][::-1]
        fault = ("differs between rows of a person", "must be the same in all rows of a person; another value stands above", "")
        self.bad.add(fault, differs, self.headers.get(role, ""), first[self.person[differs]])
        return of_person

    def _flag_twice(self) -> None:
        """Flag readings of a person on one scale that stand twice at one time, the later row of two."""
        at = np.flatnonzero((self.person >= 0) & ~self.bad.is_bad)
        keys = (self.month, self.scale, self.person)
        at = at[np.lexsort((at, *(key[at] for key in keys)))]
        is_same = np.zeros(len(at), dtype=bool)
        is_same[1:] = np.all([key[at[1:]] == key[at[:-1]] for key in keys], axis=0)
        original = at[np.maximum.accumulate(np.where(is_same, 0, np.arange(len(at))))]
        order = np.argsort(at[is_same])
        self.bad.add(TWICE, at[is_same][order], "", original[is_same][order])


def _or(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit
