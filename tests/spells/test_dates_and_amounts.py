"""Dates and amounts as people write them; expected days from the standard library's calendar."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simengine.spells.amounts import NEGATIVE, NO_AMOUNT, TOO_LARGE, read_amounts
from simengine.spells.dates import IMPOSSIBLE, MONTH_ALONE, TOO_EARLY, UNREADABLE, next_months, read_dates, written_day

EPOCH = date(1970, 1, 1)
ENGLISH = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
SWEDISH = ["januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"]
FORMS = {
    "ISO": lambda d: d.isoformat(),
    "without zeros": lambda d: f"{d.year}-{d.month}-{d.day}",
    "year first with points": lambda d: f"{d.year}.{d.month:02}.{d.day:02}",
    "midnight": lambda d: f"{d.isoformat()}T00:00:00",
    "together": lambda d: f"{d:%Y%m%d}",
    "day of Excel": lambda d: str((d - date(1899, 12, 30)).days),
    "date": lambda d: d,
    "time": lambda d: datetime(d.year, d.month, d.day),
    "English": lambda d: f"{d.day} {ENGLISH[d.month - 1].title()} {d.year}",
    "American": lambda d: f"{ENGLISH[d.month - 1][:3].title()} {d.day}, {d.year}",
    "Swedish": lambda d: f"den {d.day} {SWEDISH[d.month - 1]} {d.year}",
    "Swedish short": lambda d: f"{d.day}-{SWEDISH[d.month - 1][:3]}-{d.year}",
}


@pytest.mark.parametrize("form", FORMS)
@given(day=st.dates(date(1930, 1, 1), date(2150, 12, 31)))
def test_date__is_the_day_that_was_written(form: str, day: date) -> None:
    read = read_dates([FORMS[form](day)], None)
    assert read.wrong == ("",)
    assert written_day(read.day[0]) == day.isoformat()
    assert read.day[0] == (day - EPOCH).days


@given(days=st.lists(st.dates(date(1930, 1, 1), date(2100, 12, 31)), min_size=1, unique=True), sign=st.sampled_from("./-"))
def test_order_of_day_and_month__is_that_of_the_column_or_is_not_decided(days: list[date], sign: str) -> None:
    texts = [f"{day.day}{sign}{day.month:02}{sign}{day.year}" for day in days]
    read = read_dates(texts, None)
    if any(day.day > 12 for day in days):
        assert (read.order, read.undecided) == ("day-first", ())
        assert days[read.shown_by or 0].day > 12
        assert read.day.tolist() == [(day - EPOCH).days for day in days]
    elif any(day.day != day.month for day in days):
        assert read.undecided
    assert read_dates(texts, "day-first").day.tolist() == [(day - EPOCH).days for day in days]


def test_order__month_first() -> None:
    read = read_dates(["1/3/2024", "1/31/2024"], None)
    assert (read.order, read.shown_by) == ("month-first", 1)
    assert [written_day(day) for day in read.day] == ["2024-01-03", "2024-01-31"]


def test_order__that_two_dates_contradict_is_not_decided() -> None:
    assert read_dates(["13/1/2024", "1/13/2024"], None).undecided == (0, 1)
    assert read_dates(["13/1/2024", "1/13/2024"], "day-first").wrong == ("", IMPOSSIBLE)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2024-02-30", IMPOSSIBLE),
        ("2023-02-29", IMPOSSIBLE),
        ("2024-13-01", IMPOSSIBLE),
        ("20240230", IMPOSSIBLE),
        ("1899-12-31", TOO_EARLY),
        ("2024-03", MONTH_ALONE),
        ("mars 2024", MONTH_ALONE),
        ("2024", UNREADABLE),
        ("240301", UNREADABLE),
        ("1/3/24", UNREADABLE),
        ("pågår", UNREADABLE),
        ("1 Brumaire 2024", UNREADABLE),
        ("45352,5", UNREADABLE),
        (True, UNREADABLE),
        (45352.5, UNREADABLE),
        ("\uff12\uff10\uff12\uff14-03-01", UNREADABLE),
    ],
)
def test_date__that_is_none_says_why(text: object, rule: str) -> None:
    read = read_dates([text], None)
    assert read.wrong == (rule,)
    assert np.isnan(read.day[0])


def test_months_alone__are_dates_where_it_is_said() -> None:
    read = read_dates(["2024-02", "dec 2023", "2024-02-15"], "year-month")
    assert [written_day(day) for day in read.day] == ["2024-02-01", "2023-12-01", "2024-02-15"]
    assert read.is_month.tolist() == [True, True, False]
    assert [written_day(day) for day in next_months(read.day)] == ["2024-03-01", "2024-01-01", "2024-03-01"]


def test_time_of_day__is_told() -> None:
    read = read_dates(["2024-03-01 13:45", "2024-03-01 00:00", datetime(2024, 3, 1, 7)], None)
    assert read.has_time.tolist() == [True, False, True]
    assert len(set(read.day)) == 1


BLANKS = ["", " ", "\u00a0", "\u202f", "\u2009", "'", "\u2019"]


@given(value=st.decimals(0, 10_000_000, places=2), blank=st.sampled_from(BLANKS), decimal=st.sampled_from(["comma", "point"]))
def test_amount__is_the_number_that_was_written(value: object, blank: str, decimal: str) -> None:
    text = f"{value:,.2f}".replace(",", blank).replace(".", {"comma": ",", "point": "."}[decimal])
    read = read_amounts([text], None)
    assert read.decimal == decimal
    assert read.amount[0] == float(str(value))


@pytest.mark.parametrize(
    ("texts", "amounts"),
    [
        (["1.234,50", "7"], [1234.5, 7]),
        (["1,234.50", "1,234"], [1234.5, 1234]),
        (["1.234.567"], [1_234_567]),
        (["0.125", "1.234"], [0.125, 1.234]),
        ([3, 4.5, "7"], [3, 4.5, 7]),
        (["12", None, "1 000"], [12, np.nan, 1000]),
    ],
)
def test_amounts__decide_their_sign_together(texts: list[object], amounts: list[float]) -> None:
    read = read_amounts(texts, None)
    assert read.wrong == ("",) * len(texts)
    np.testing.assert_array_equal(read.amount, amounts)


def test_amounts__in_doubt_or_against_each_other_are_not_decided() -> None:
    assert read_amounts(["12", "1,234"], None).undecided == (1,)
    assert set(read_amounts(["1,5", "1.5"], None).undecided) == {0, 1}
    assert read_amounts(["1,234"], "comma").amount.tolist() == [1.234]
    assert read_amounts(["1,234"], "point").amount.tolist() == [1234]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("-5", NEGATIVE),
        ("-1 000,50", NEGATIVE),
        ("12 kr", NO_AMOUNT),
        ("1e3", NO_AMOUNT),
        ("nan", NO_AMOUNT),
        ("inf", NO_AMOUNT),
        ("9" * 400, TOO_LARGE),
        ("1000000000000", TOO_LARGE),
        (1e308, TOO_LARGE),
        (True, NO_AMOUNT),
    ],
)
def test_amount__that_is_none_says_why(text: object, rule: str) -> None:
    read = read_amounts([text], None)
    assert read.wrong == (rule,)
    assert np.isnan(read.amount[0])
