"""The periods of a calendar: its months, quarters and years, as the study's own dates name them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Period:
    """Months of a study that lie in one month, quarter or year of the calendar."""

    name: str
    """2030-01, 2030 Q1, or 2030. The first and the last of a study may have fewer months than others."""
    first_month: int
    """From the start of the study, which is month 0."""
    last_month: int
    first: str
    """The same as dates: year-month."""
    last: str


def periods_of(start: str, n_months: int, every: str) -> tuple[Period, ...]:
    """Divide the months of a study by the calendar.

    Parameters
    ----------
    start
        Month 0 as year-month.
    n_months
        How many months, from 0 on.
    every
        `month`, `quarter` or `year`.

    Examples
    --------
    >>> [(one.name, one.first_month, one.last_month) for one in periods_of("2029-11", 6, "quarter")]
    [('2029 Q4', 0, 1), ('2030 Q1', 2, 4), ('2030 Q2', 5, 5)]
    """
    found = []
    for name, group in groupby(range(n_months), lambda month: _name(date_of(start, month), every)):
        months = list(group)
        found.append(Period(name, months[0], months[-1], date_of(start, months[0]), date_of(start, months[-1])))
    return tuple(found)


def date_of(start: str, month: int) -> str:
    """Return the date of a month of a study as year-month.

    Examples
    --------
    >>> date_of("2029-11", 3)
    '2030-02'
    """
    year, first = (int(part) for part in start.split("-"))
    return f"{year + (first - 1 + month) // 12:04d}-{(first - 1 + month) % 12 + 1:02d}"


def _name(date: str, every: str) -> str:
    if every == "month":
        return date
    year, month = date.split("-")
    return year if every == "year" else f"{year} Q{(int(month) + 2) // 3}"
