"""Read a table that somebody typed, from a file of comma-separated values: its lines with their places, dates as months from a start."""

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


def table_rows(path: Path | str, start: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Read the lines of a table, each with its place; a column `date` becomes `month`, counted from the start.

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
        If the file is no table, or with every line that is none.
    """
    if start is not None:
        try:
            month_of_year(start)
        except ValueError as error:
            raise UsageError(f"start: {error}") from None
    try:
        text = bytes_of(Path(path), _MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudyError(
            [Problem(str(path), "", "a table must be text in UTF-8", "bytes that are none", "Save it as CSV UTF-8")]
        ) from None
    except (OSError, ValueError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise StudyError([Problem(str(path), "", "must be a table that can be read", found, "")]) from None
    lines = _cells_of(text, path)
    header = [name.strip().lower() for name in lines[0][1]] if lines else []
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise StudyError([Problem(f"{path}:1", "", "each column must have a name of its own", f"{shorten(twice)} twice", "")])
    rows: list[tuple[str, dict[str, Any]]] = []
    problems: list[Problem] = []
    for number, cells in lines[1:]:
        where = f"{path}:{number}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.append(Problem(where, "", f"must have {len(header)} cells, as in the header", f"{len(cells)}", ""))
            continue
        line: dict[str, Any] = dict(zip(header, cells, strict=True))
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
