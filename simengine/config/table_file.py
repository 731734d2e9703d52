"""Read a table that somebody keeps as comma-separated values: its rows by the names of their columns, each with its file and line."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from simengine.config.document import bytes_of
from simengine.distributions.names import month_of_year
from simengine.errors import Problem, StudyError, UsageError, shorten

_MOST_BYTES = 1 << 28
_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>0?[1-9]|1[0-2])(-(0?[1-9]|[12]\d|3[01]))?", re.ASCII)


def read_table(path: Path | str) -> list[tuple[str, dict[str, str]]]:
    """Read the rows below the header of a table, each with where it stands; empty lines are left out.

    Names of columns are in lower case. Commas separate the cells, or semicolons, as some programs write.

    Raises
    ------
    StudyError
        If it cannot be read, a column has no name of its own, or a row has other cells than the header.
    """
    lines = table_lines(path)
    header = [name.strip().lower() for name in lines[0][1]] if lines else []
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise StudyError([Problem(f"{path}:1", "", "each column must have a name of its own", f"{shorten(twice)} twice", "")])
    rows = [(f"{path}:{number}", cells) for number, cells in lines[1:] if any(cell.strip() for cell in cells)]
    problems = [
        Problem(where, "", f"must have {len(header)} cells, as in the header", f"{len(cells)}", "")
        for where, cells in rows
        if len(cells) != len(header)
    ]
    if problems:
        raise StudyError(problems)
    return [(where, dict(zip(header, cells, strict=True))) for where, cells in rows]


def table_lines(path: Path | str, most_bytes: int = _MOST_BYTES) -> list[tuple[int, list[str]]]:
    """Read the cells of each line of a table, with its number; commas separate them, or semicolons where the first line has more.

    Raises
    ------
    StudyError
        If it cannot be read, or is longer than so many bytes.
    """
    return _cells_of(_text_of(path, most_bytes), path)


def table_rows(path: Path | str, start: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Read the rows of a table as `read_table` does; a column `date` becomes `month`, counted from the start.

    Parameters
    ----------
    path
        A file with a header.
    start
        The month in which the contract begins, as 2030-01: for a file with dates.

    Raises
    ------
    UsageError
        If the start is no month.
    StudyError
        If the file is no table, or with every row whose date is none.
    """
    if start is not None:
        try:
            month_of_year(start)
        except ValueError as error:
            raise UsageError(f"start: {error}") from None
    rows: list[tuple[str, dict[str, Any]]] = []
    problems: list[Problem] = []
    for where, cells in read_table(path):
        line: dict[str, Any] = dict(cells)
        if "date" in line:
            date = str(line.pop("date"))
            month = _month_of(date, start) if date.strip() else ""
            if isinstance(month, str) and month:
                problems.append(Problem(where, "date", month, shorten(date), ""))
                continue
            line["month"] = month
        rows.append((where, line))
    if problems:
        raise StudyError(problems)
    return rows


def _month_of(date: str, start: str | None) -> str | int:
    """Return the month from the start at whose end a date lies, or the rule that it breaks."""
    if start is None:
        return "a table with dates needs the month in which the contract begins (`--start 2030-01`)"
    found = _DATE.fullmatch(date.strip())
    if found is None:
        return "a date is written as 2030-01-31 or 2030-01"
    year, month = (int(part) for part in start.split("-"))
    months = 12 * (int(found["year"]) - year) + int(found["month"]) - month + 1
    return months if months >= 1 else f"a date must not be before the start, {start}"


def _text_of(path: Path | str, most_bytes: int) -> str:
    try:
        return bytes_of(Path(path), most_bytes).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudyError(
            [Problem(str(path), "", "a table must be text in UTF-8", "bytes that are none", "Save it as CSV UTF-8")]
        ) from None
    except (OSError, ValueError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise StudyError([Problem(str(path), "", "must be a table that can be read", found, "")]) from None


def _cells_of(text: str, path: Path | str) -> list[tuple[int, list[str]]]:
    """Return the cells of each line, and its number."""
    lines = csv.reader(text.splitlines(), delimiter=_separator_of(text))
    try:
        return [(lines.line_num, cells) for cells in lines]
    except csv.Error as error:
        rule = "must be a line of cells between commas"
        raise StudyError([Problem(f"{path}:{lines.line_num}", "", rule, str(error), "Save it as CSV UTF-8")]) from None


def _separator_of(text: str) -> str:
    """Return the separator of the header: a comma, or a semicolon as some programs write."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","
