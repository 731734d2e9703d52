"""Dates as people write them: read once for each different text, the order of day and month decided for a whole column."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from simengine.arrays import Flags, Floats
from simengine.spells.words import DateOrder

FIRST_YEAR = 1900
UNREADABLE = "must be a date, as 2024-12-31"
IMPOSSIBLE = "must be a day that the calendar has"
TOO_EARLY = f"must be {FIRST_YEAR} or later"
MONTH_ALONE = "must be a day, not a month"
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_EXCEL_EPOCH = datetime.date(1899, 12, 30).toordinal()
_MONTHS = (
    *("jan januari january", "feb februari february", "mar mars march", "apr april", "maj may", "jun juni june", "jul juli july"),
    *("aug augusti august", "sep sept september", "okt oktober oct october", "nov november", "dec december"),
)
_MONTH_OF = {word: month for month, words in enumerate(_MONTHS, start=1) for word in words.split()}
_TIME = r"(?:[T ]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(?:Z|[+-]\d{2}:?\d{2})?)?"
_ORDINAL = r"(?:st|nd|rd|th|:e|:a|\.)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_TIME}", re.ASCII)
_TOGETHER = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", re.ASCII)
_YEAR_LAST = re.compile(rf"(?P<one>\d{{1,2}})([-/.])\s?(?P<two>\d{{1,2}})\2\s?(?P<year>\d{{4}}){_TIME}", re.ASCII)
_DAY_NAMED = re.compile(rf"(?:den )?(?P<day>\d{{1,2}}){_ORDINAL}[ -]?(?P<name>[a-z]+)\.?[ ,-]{{0,2}}(?P<year>\d{{4}})", re.ASCII)
_NAMED_DAY = re.compile(rf"(?P<name>[a-z]+)\.? (?P<day>\d{{1,2}}){_ORDINAL},? (?P<year>\d{{4}})", re.ASCII)
_MONTH_ONLY = (
    re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})", re.ASCII),
    re.compile(r"(?P<name>[a-z]+)\.?[ -](?P<year>\d{4})", re.ASCII),
)
_EXCEL_DAY = re.compile(r"(\d{5})(?:[.,]0+)?", re.ASCII)
"""A number of five digits, 1927 to 2173; fewer digits may be a year."""


@dataclass(frozen=True)
class DatesRead:
    """The dates of a column, by its different texts: all of shape (n_texts,)."""

    day: Floats
    """Days since 1970-01-01; the first of a month that stands alone; NaN where it is no date."""
    is_month: Flags
    wrong: tuple[str, ...]
    """The rule that is broken; empty where none is."""
    is_excel_number: Flags
    has_time: Flags
    """Whether a time of day other than midnight was left out."""
    order: DateOrder | None
    """What was decided of dates as 1/3/2024; absent where there is nothing to decide."""
    shown_by: int | None
    """The text that decided it; absent where the mapping or an option did."""
    undecided: tuple[int, ...]
    """Texts that leave the order open, or that contradict each other: the column must be refused."""


@dataclass(frozen=True)
class _Written:
    """A date as it is written; the parts of one as 1/3/2024 wait for the order."""

    year: int = 0
    month: int = 0
    day: int = 0
    waits: bool = False
    is_month: bool = False
    is_excel_number: bool = False
    has_time: bool = False
    ordinal: int = 0
    """The day itself, where it is known without a calendar; 0 where it is not."""
    wrong: str = ""


def read_dates(values: Sequence[Any], order: DateOrder | None) -> DatesRead:
    """Read the different cells of a column as dates.

    Parameters
    ----------
    values
        Texts, dates or numbers; each once.
    order
        What the mapping or an option says of dates as 1/3/2024, or of months alone; absent: it is decided by a date as 31/3/2024.
    """
    written = [_written(value) for value in values]
    waiting = [at for at, one in enumerate(written) if one.waits]
    day_first = next((at for at in waiting if written[at].day > 12 >= written[at].month), None)
    month_first = next((at for at in waiting if written[at].month > 12 >= written[at].day), None)
    shown_by, undecided, decided = None, tuple[int, ...](), order if order in ("day-first", "month-first") else None
    if decided is None and waiting:
        differ = [at for at in waiting if written[at].day != written[at].month]
        if day_first is not None and month_first is not None:
            undecided = (day_first, month_first)
        elif day_first is None and month_first is None and differ:
            undecided = (differ[0],)
        elif month_first is not None:
            decided, shown_by = "month-first", month_first
        elif day_first is not None:
            decided, shown_by = "day-first", day_first
    read = [_day_of(one, decided == "month-first", months_alone=order == "year-month") for one in written]
    return DatesRead(
        day=np.array([day for day, _ in read], dtype=np.float64),
        is_month=np.array([one.is_month for one in written], dtype=bool),
        wrong=tuple(wrong for _, wrong in read),
        is_excel_number=np.array([one.is_excel_number for one in written], dtype=bool),
        has_time=np.array([one.has_time for one in written], dtype=bool),
        order=decided,
        shown_by=shown_by,
        undecided=undecided,
    )


def _day_of(one: _Written, is_month_first: bool, *, months_alone: bool) -> tuple[float, str]:
    """Return a day and no rule, or none and the rule that is broken."""
    if one.wrong:
        return np.nan, one.wrong
    if one.is_month and not months_alone:
        return np.nan, MONTH_ALONE
    ordinal = one.ordinal
    if not ordinal:
        month, day = (one.day, one.month) if one.waits and is_month_first else (one.month, one.day)
        try:
            ordinal = datetime.date(one.year, month, day).toordinal()
        except ValueError:
            return np.nan, IMPOSSIBLE
    if ordinal < datetime.date(FIRST_YEAR, 1, 1).toordinal():
        return np.nan, TOO_EARLY
    return float(ordinal - _EPOCH), ""


def _written(value: Any) -> _Written:
    if isinstance(value, datetime.datetime):
        return _Written(ordinal=value.toordinal(), has_time=value.time() != datetime.time(0))
    if isinstance(value, datetime.date):
        return _Written(ordinal=value.toordinal())
    if isinstance(value, int | float | Decimal):
        is_whole = not isinstance(value, bool) and value == value // 1
        return _of_text(str(int(value))) if is_whole else _Written(wrong=UNREADABLE)
    return _of_text(" ".join(str(value).split()).casefold())


def _of_text(text: str) -> _Written:
    if (found := _YEAR_FIRST.fullmatch(text.upper()) or _TOGETHER.fullmatch(text)) is not None:
        year, month, day = (int(found[part]) for part in ("year", "month", "day"))
        return _Written(year, month, day, has_time=_is_time_of_day(found.groupdict().get("time")))
    if (found := _YEAR_LAST.fullmatch(text.upper())) is not None:
        # Until the order is decided, the first number is the day.
        return _Written(
            int(found["year"]), int(found["two"]), int(found["one"]), waits=True, has_time=_is_time_of_day(found["time"])
        )
    if (found := _EXCEL_DAY.fullmatch(text)) is not None:
        return _Written(ordinal=int(found[1]) + _EXCEL_EPOCH, is_excel_number=True)
    for pattern in (_DAY_NAMED, _NAMED_DAY):
        if (found := pattern.fullmatch(text)) is not None and found["name"] in _MONTH_OF:
            return _Written(int(found["year"]), _MONTH_OF[found["name"]], int(found["day"]))
    for pattern in _MONTH_ONLY:
        if (found := pattern.fullmatch(text)) is not None:
            month = _MONTH_OF.get(found["name"], 0) if "name" in found.groupdict() else int(found["month"])
            return _Written(int(found["year"]), month, 1, is_month=True) if month else _Written(wrong=UNREADABLE)
    return _Written(wrong=UNREADABLE)


def _is_time_of_day(time: str | None) -> bool:
    return time is not None and any(digit in "123456789" for digit in time)


def next_months(days: Floats) -> Floats:
    """Return the first day of the month after each of some days, in days since 1970-01-01.

    Examples
    --------
    >>> next_months(np.array([0.0, 30.0, 31.0]))
    array([31., 31., 59.])
    """
    months = days.astype("datetime64[D]").astype("datetime64[M]") + 1
    return np.asarray(months.astype("datetime64[D]").astype(np.float64))


def written_day(day: float) -> str:
    """Write a day as 2024-12-31."""
    return datetime.date.fromordinal(int(day) + _EPOCH).isoformat()
