"""Read a table of outcomes, person by person or as counts, from a file of comma-separated values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from simengine.config.table_file import read_table
from simengine.contract.listed import reached_from
from simengine.contract.spec import Contract
from simengine.distributions.names import month_of_year
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.records import Reached

_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>0?[1-9]|1[0-2])(-(0?[1-9]|[12]\d|3[01]))?", re.ASCII)


def read_reached(path: Path | str, contract: Contract, start: str | None = None) -> Reached:
    """Read who reached what and when.

    Parameters
    ----------
    path
        A file with a header: `person,outcome,month`, with `units`, `wave` and `group` where the contract has them; or
        `outcome,month,number`. In place of `month`, the month from the start at whose end it was reached, there may be a `date`.
    contract
        For the names of outcomes, waves and groups.
    start
        The month in which the contract begins, as 2030-01: for a file with dates.

    Raises
    ------
    UsageError
        If the start is no month.
    StudyError
        With every line that cannot be.
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
    return reached_from(contract, rows, str(path))


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
