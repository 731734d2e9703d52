"""Rows of text with separators, as CSV, with the number of the line on which each begins."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import TextIO

from simengine.spells.table import FileFound, OpenTable, Progress, Row, one_problem

_SEPARATORS = {";": "semicolons", ",": "commas", "\t": "tabs"}
_NAMED_SEPARATOR = re.compile(r'"?sep=(.)"?\s*')
"""The line that Excel writes above a table to say its separator."""
_EVERY = 20_000
"""Rows after which progress is told."""


def open_text(found: FileFound, header_row: int, progress: Progress) -> OpenTable:
    """Open a table of text; its separator is that of the header.

    Raises
    ------
    StudyError
        If it has no header or no separator; while rows are read, if quotes are not closed.
    """
    with found.path.open(encoding=found.encoding, newline="") as file:
        first = file.readline()
        named = _NAMED_SEPARATOR.fullmatch(first)
        above = header_row - 1 + (named is not None and header_row == 1)
        lines = [first, *(file.readline() for _ in range(above))]
    name, header_line = found.path.name, lines[above]
    if not header_line.strip():
        way_out = "`header_row` of the mapping says on which line it stands"
        raise one_problem(f"{name}:{above + 1}", "the header must name the columns", "an empty line", way_out)
    separator = named[1] if named else _separator_of(header_line)
    if separator is None:
        way_out = "Save it as CSV; `header_row` of the mapping says on which line the header stands"
        raise one_problem(
            f"{name}:{above + 1}", "columns must be separated by semicolons, commas or tabs", "a header without any", way_out
        )
    rows = _rows(found, separator, progress)
    for number, cells in rows:
        if number == above + 1:
            header = tuple(cells)
            break
    else:
        raise one_problem(f"{name}:{above + 1}", "the header must name the columns", "a line within quotes that begin above it")
    return OpenTable(header, above + 1, rows, "line", _notes(found))


def _notes(found: FileFound) -> tuple[str, ...]:
    if found.not_utf_8_at is None:
        return ()
    encoding = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}[found.encoding]
    return (f"The file was read as {encoding}: its byte {found.not_utf_8_at:,} is not UTF-8.",)


def _separator_of(header: str) -> str | None:
    """Return the separator that stands most often outside quotes; the first of `;`, `,` and tab where two do."""
    bare = re.sub(r'"[^"]*"', "", header)
    most = max(_SEPARATORS, key=bare.count)
    return most if most in bare else None


def _rows(found: FileFound, separator: str, progress: Progress) -> Iterator[Row]:
    """Yield every line that is not empty, from the first one."""
    line = 1
    with found.path.open(encoding=found.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            for n, cells in enumerate(reader):
                if cells:
                    yield line, cells
                line = reader.line_num + 1
                if n % _EVERY == 0:
                    progress(_share_read(file, found))
        except csv.Error as error:
            if "field limit" in str(error):
                longest, way_out = csv.field_size_limit(), "Look for a quote that is not closed, on this line or above"
                raise one_problem(
                    f"{found.path.name}:{line}", f"a cell must have {longest:,} characters at most", "more", way_out
                ) from None
            way_out = "Look for a quote that is missing, or stands within a text, on this line or above"
            rule = "a cell in quotes must be closed by a quote before the next separator"
            raise one_problem(f"{found.path.name}:{line}", rule, "another character, or none", way_out) from None


def _share_read(file: TextIO, found: FileFound) -> float:
    # `tell` of a text is not allowed while its lines are read; that of the bytes below it is a block ahead.
    return min(file.buffer.tell() / found.n_bytes, 1.0)
