"""Read a municipality's own spells from a file: every row is used, or listed with what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from simengine.asked import one_of_words, place_asked
from simengine.errors import UsageError, shorten
from simengine.spells.arrange import arrange
from simengine.spells.bad_rows import BadRows, BadRowsError
from simengine.spells.between_rows import check_rows
from simengine.spells.columns import read_cells
from simengine.spells.headers import find_columns
from simengine.spells.judge import Judge
from simengine.spells.mapping import DateOrder, MappingGiven, SpellsMapping, load_mapping_document
from simengine.spells.records import Spells, SpellsFile
from simengine.spells.table import FileFound, OpenTable, Progress, find_file, one_problem
from simengine.spells.text_table import open_text
from simengine.spells.typed_table import open_excel, open_parquet


def _untold(share: float) -> None:
    """Tell nobody how far the work is."""


def read_spells(
    path: Path | str,
    mapping: MappingGiven = None,
    *,
    dates: DateOrder | None = None,
    without_bad_rows: bool = False,
    problems: Path | str | None = None,
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
    path, (meant, place_of) = place_asked(path, "path"), load_mapping_document(mapping)
    listed = None if problems is None else place_asked(problems, "problems")
    if not isinstance(without_bad_rows, bool):
        raise UsageError(f"without_bad_rows: must be True or False; found {shorten(without_bad_rows)}")
    if dates is not None:
        meant = meant.model_copy(update={"dates": one_of_words(dates, "dates", get_args(DateOrder))})
    found = find_file(path)
    table = _opened(found, meant, progress)
    header_at = f"{path.name}:{table.header_row}" if table.noun == "line" else path.name
    places = find_columns(table.header, meant, header_at, place_of)
    cells = read_cells(table, places)
    if not len(cells.row):
        raise one_problem(path.name, "must have a row for each spell", "a header alone")
    notes = [*table.notes]
    if len(places) < len(table.header):
        notes.append(f"Columns that were not read: {len(table.header) - len(places)} of {len(table.header)}.")
    bad = BadRows(path.name, table.noun, cells.row)
    rows = Judge(cells, meant, bad, header_at, notes).rows()
    days = check_rows(rows, meant, place_of(""), bad, {role: header for role, (_, header) in places.items()}, notes)
    if listed is not None:
        bad.write(listed)
    if bad.n and not without_bad_rows:
        raise BadRowsError(bad)
    progress(1.0)
    file = SpellsFile(path.name, found.sha256, len(cells.row), left_out=bad.by_reason, notes=tuple(notes))
    return arrange(rows, days, meant, bad, file)


def _opened(found: FileFound, mapping: SpellsMapping, progress: Progress) -> OpenTable:
    if found.kind == "excel":
        return open_excel(found, mapping.sheet, mapping.header_row, progress)
    if found.kind == "parquet":
        return open_parquet(found, progress)
    return open_text(found, mapping.header_row, progress)
