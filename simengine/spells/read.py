"""Read a municipality's own spells from a file: every row is used, or listed with what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sized
from pathlib import Path
from typing import get_args

import numpy as np

from simengine.asked import one_of_words, place_asked
from simengine.errors import UsageError, shorten
from simengine.spells.arrange import arrange
from simengine.spells.bad_rows import BadRows, BadRowsError
from simengine.spells.between_rows import check_rows
from simengine.spells.columns import read_cells
from simengine.spells.headers import ORDINARY, find_columns
from simengine.spells.judge import Judge
from simengine.spells.mapping import NEEDED, MappingGiven, SpellsMapping, load_mapping_document
from simengine.spells.records import Spells, SpellsFile, small_cells_asked
from simengine.spells.table import FileFound, OpenTable, Progress, find_file, one_problem
from simengine.spells.text_table import open_text
from simengine.spells.typed_table import open_excel, open_parquet
from simengine.spells.words import DateOrder


def _untold(share: float) -> None:
    """Tell nobody how far the work is."""


def read_spells(
    path: Path | str,
    mapping: MappingGiven = None,
    *,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
    small_cells: int | None = None,
    progress: Progress = _untold,
) -> Spells:
    """Read spells from CSV, an Excel workbook or Parquet, whichever the file itself is.

    Parameters
    ----------
    path
        The table: a header, and a row for each spell. Nothing of it but the result and its checksum is kept.
    mapping
        What its columns and words mean: a mapping file, the same as data, or nothing where headers are ordinary.
    dates
        How dates as 1/3/2024 are meant, in place of what the mapping says.
    without_bad_rows
        Leave bad rows out, and count them by reason, in place of refusing the file.
    problems
        A new file for the list of all bad rows, if it is wanted.
    small_cells
        A smaller number of people is never shown, from 3 to 100; 5 where none is given. It stays with the spells.
    progress
        Called from time to time with the share of the file that is read, from 0 to 1.

    Raises
    ------
    StudyError
        If the file or a whole column cannot be understood, or (`BadRowsError`) with every bad row.
    ResultsError
        If the list of bad rows cannot be written.
    UsageError
        If a workbook is to be read and openpyxl is not installed; or if an argument is none of what it may be.
    """
    return read_with_people(
        *(place_asked(path, "path"), mapping),
        dates=dates,
        without_bad_rows=without_bad_rows,
        problems=problems,
        small_cells=small_cells,
        progress=progress,
    )[0]


def read_with_people(
    path: Path,
    mapping: MappingGiven,
    *,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
    small_cells: int | None = None,
    progress: Progress = _untold,
) -> tuple[Spells, dict[str, int]]:
    """Read spells as `read_spells` does, and return too, by what names a person in the file, the index of the person in the spells.

    Only a second table of the same people needs the names; whoever has read it forgets them.
    """
    meant, place_of = meant_by(mapping, dates)
    listed, least = asked_of_bad_rows(without_bad_rows, problems), small_cells_asked(small_cells)
    found = find_file(path)
    table = open_table(found, meant.sheet, meant.header_row, progress)
    header_at = place_of_header(found, table)
    places = find_columns(table.header, meant.columns, ORDINARY, NEEDED, header_at, place_of)
    cells = read_cells(table, places)
    if not len(cells.row):
        raise one_problem(path.name, "must have a row for each spell", "a header alone")
    notes = [*table.notes, *said_of_columns(table, places)]
    bad = BadRows(path.name, table.noun, cells.row)
    judge = Judge(cells, meant, bad, header_at, notes, least)
    rows = judge.rows(meant)
    headers = {role: header for role, (_, header) in places.items()}
    days = check_rows(rows, meant, place_of(""), bad, headers, notes, least)
    refuse_bad_rows(bad, without_bad_rows=without_bad_rows, problems=listed)
    progress(1.0)
    file = SpellsFile(path.name, found.sha256, len(cells.row), left_out=bad.by_reason, notes=tuple(notes), small_cells=least)
    spells, people = arrange(rows, days, meant, bad, file)
    index = np.full(rows.n_people, -1)
    index[people] = np.arange(len(people))
    return spells, {name: int(index[number]) for name, number in judge.number_of.items() if index[number] >= 0}


def meant_by(mapping: MappingGiven, dates: DateOrder | None) -> tuple[SpellsMapping, Callable[[str], str]]:
    """Read a mapping, with an order of dates in the place of what it says; and the place of each of its paths."""
    meant, place_of = load_mapping_document(mapping)
    if dates is not None:
        order = one_of_words(dates, "dates", get_args(DateOrder))
        events = meant.events.model_copy(update={"dates": order})
        meant = meant.model_copy(update={"dates": order, "events": events})
    return meant, place_of


def place_of_header(found: FileFound, table: OpenTable) -> str:
    """Return the place of the header, for messages."""
    return f"{found.path.name}:{table.header_row}" if table.noun == "line" else found.path.name


def said_of_columns(table: OpenTable, places: Sized) -> list[str]:
    """Say how many columns were not read."""
    more = len(table.header) - len(places)
    return [f"Columns that were not read: {more} of {len(table.header)}."] if more else []


def asked_of_bad_rows(without_bad_rows: object, problems: object) -> Path | None:
    """Return the place of the list of bad rows, or refuse what is none of what may be asked of them."""
    listed = None if problems is None else place_asked(problems, "problems")
    if not isinstance(without_bad_rows, bool):
        raise UsageError(f"without_bad_rows: must be True or False; found {shorten(without_bad_rows)}")
    return listed


def refuse_bad_rows(bad: BadRows, *, without_bad_rows: bool, problems: Path | str | None) -> None:
    """Write the list of bad rows if it is wanted, and refuse them unless they are to be left out.

    Raises
    ------
    BadRowsError
        With every bad row.
    ResultsError
        If the list cannot be written.
    """
    if problems is not None:
        bad.write(Path(problems))
    if bad.n and not without_bad_rows:
        raise BadRowsError(bad)


def open_table(found: FileFound, sheet: str | None, header_row: int, progress: Progress) -> OpenTable:
    """Open a table of any kind, and read its header."""
    if found.kind == "excel":
        return open_excel(found, sheet, header_row, progress)
    if found.kind == "parquet":
        return open_parquet(found, progress)
    return open_text(found, header_row, progress)
