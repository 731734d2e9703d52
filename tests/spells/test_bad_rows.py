"""Every kind of bad row: listed with its line, the rule and what was found; left out only where somebody asks; nobody is named."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from simengine.errors import ResultsError, StudyError
from simengine.spells.bad_rows import BadRowsError
from simengine.spells.discretion import HIDDEN, shown_header, shown_value
from simengine.spells.read import read_spells
from simengine.spells.records import Spells

HEADER = "person;state;from;to;daily cost;sex;entry\n"
GOOD = "A17;hvb;2020-01-01;2020-02-01;100,50;M;2020-01-01\n"
MAPPING: dict[str, Any] = {
    "columns": {"group": "sex"},
    "states": {"HVB": "residential", "Familjehem": "foster"},
    "open": ["pågår"],
    "last_day_counts": False,
    "between_spells": "home",
    "observed_until": "2024-01-01",
    "decimal": "comma",
}
CASES = {
    "cells": ("B2;hvb;2020-01-01;2020-02-01;1;250;M;2020-01-01", "wrong number of cells", "", "1 more"),
    "cells lacking": ("B2;hvb;2020-01-01", "wrong number of cells", "", "4 fewer"),
    "no person": (";hvb;2020-01-01;2020-02-01;1;M;", "missing value", "person", ""),
    "no state": ("B2;;2020-01-01;2020-02-01;1;M;", "missing value", "state", ""),
    "no first day": ("B2;hvb;;2020-02-01;1;M;", "missing value", "from", ""),
    "no last day": ("B2;hvb;2020-01-01;;1;M;", "missing value", "to", ""),
    "no group": ("B2;hvb;2020-01-01;2020-02-01;1;;", "missing value", "sex", ""),
    "unreadable": ("B2;hvb;i våras;2020-02-01;1;M;", "unreadable date", "from", "'i våras'"),
    "month": ("B2;hvb;2020-01;2020-02-01;1;M;", "unreadable date", "from", "'2020-01'"),
    "impossible": ("B2;hvb;2020-02-30;2020-03-01;1;M;", "impossible date", "from", "'2020-02-30'"),
    "too early": ("B2;hvb;1820-02-01;2020-03-01;1;M;", "impossible date", "from", "'1820-02-01'"),
    "begins too late": ("B2;hvb;2024-01-01;pågår;1;M;", "impossible date", "from", "2024-01-01, and observation until 2024-01-01"),
    "ends too late": ("B2;hvb;2020-01-01;2024-01-02;1;M;", "impossible date", "to", "2024-01-02, and observation until 2024-01-01"),
    "reversed": ("B2;hvb;2020-03-01;2020-02-01;1;M;", "ends before it begins", "to", "2020-02-01 after 2020-03-01"),
    "no days": ("B2;hvb;2020-03-01;2020-03-01;1;M;", "lasts no day", "to", "2020-03-01 to 2020-03-01"),
    "state": ("B2;hotell;2020-03-01;2020-04-01;1;M;", "unknown state", "state", "'hotell'"),
    "cost": ("B2;hvb;2020-03-01;2020-04-01;12 kr;M;", "unreadable cost", "daily cost", "'12 kr'"),
    "negative": ("B2;hvb;2020-03-01;2020-04-01;-12;M;", "negative cost", "daily cost", "'-12'"),
    "duplicate": ("A17;HVB;2020-01-01;2020-02-01;3;M;", "duplicate", "", "line 2"),
    "overlap": ("A17;Familjehem;2020-01-31;2020-02-01;3;M;", "overlap", "", "line 2"),
    "another group": ("A17;hvb;2020-03-01;2020-04-01;3;K;", "differs between rows of a person", "sex", "line 2"),
    "another entry": ("A17;hvb;2020-03-01;2020-04-01;3;M;2020-01-02", "differs between rows of a person", "entry", "line 2"),
    "entry later": ("B2;hvb;2020-03-01;2020-04-01;3;M;2020-05-01", "ends before entry", "to", "entry 2020-05-01, end 2020-04-01"),
    "entry after all": (
        "B2;hvb;2020-03-01;pågår;3;M;2024-05-01",
        "ends before entry",
        "to",
        "entry 2024-05-01, end 2024-01-01",
    ),
}


def write(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "placements.csv"
    path.write_text(header + GOOD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("case", CASES)
def test_bad_row__is_refused_and_listed_or_left_out_and_counted(case: str, tmp_path: Path) -> None:
    row, reason, header, found = CASES[case]
    path = write(tmp_path, row)
    with pytest.raises(BadRowsError) as error:
        read_spells(path, MAPPING)
    first = next(iter(error.value.bad_rows))
    assert (first.row, first.reason, first.header, first.found) == (3, reason, header, found)
    message = str(error.value)
    assert message.startswith(f"placements.csv: line 3{', ' if header else ''}{header}: must ")
    assert f"1 bad row of 2: {reason} 1. Mend the file, or leave these rows out with `--without-bad-rows`" in message
    assert "A17" not in message
    assert "B2" not in message
    assert str(tmp_path) not in message
    spells = read_spells(path, MAPPING, without_bad_rows=True)
    assert spells.file.left_out == ((reason, 1),)
    assert alone(spells) == alone(read_spells(write(tmp_path), MAPPING))


def alone(spells: Spells) -> tuple[Any, ...]:
    return (
        spells.states,
        spells.groups,
        *(getattr(spells, name).tolist()[0] for name in ("first_day", "end_day", "state", "group")),
    )


def test_good_row__is_none_of_them(tmp_path: Path) -> None:
    spells = read_spells(write(tmp_path), MAPPING)
    assert spells.file.left_out == ()
    assert (spells.states, spells.groups) == (("home", "residential"), ("m",))


def test_person_without_a_good_row__is_listed_after_all_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "B2;hvb;2020-03-01;2020-02-01;1;M;", "B2;hotell;2020-01-01;2020-02-01;1;M;")
    with pytest.raises(BadRowsError) as error:
        read_spells(path, MAPPING)
    assert [(one.row, one.reason) for one in error.value.bad_rows] == [
        (3, "ends before it begins"),
        (4, "unknown state"),
        (3, "person without a good row"),
    ]
    assert read_spells(path, MAPPING, without_bad_rows=True).n_people == 1


def test_many_bad_rows__are_counted_and_written_in_full(tmp_path: Path) -> None:
    rows = [f"P{n};=cmd|' /C calc'!A0;2020-03-01;2020-04-01;1;M;" for n in range(30)]
    path, problems = write(tmp_path, *rows, "Q;\x1b[2J;2020-03-01;2020-04-01;1;M;"), tmp_path / "problems.csv"
    with pytest.raises(BadRowsError) as error:
        read_spells(path, MAPPING, problems=problems)
    lines = str(error.value).split("\n")
    # 31 rows, and 31 people of whom nothing is left: 62 in all, of which five of each of the two kinds are shown.
    assert len(lines) == 12
    assert lines[10] == "and 52 more"
    assert lines[11].startswith("placements.csv: 31 bad rows of 32: unknown state 31.")
    text = problems.read_text(encoding="utf-8-sig")
    table = list(csv.reader(text.splitlines(), delimiter=";"))
    assert table[0] == ["line", "column", "reason", "must", "found", "way out"]
    assert len(table) == 63
    assert [int(row[0]) for row in table[1:32]] == list(range(3, 34))
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in table for cell in row)
    assert "\x1b" not in text + str(error.value)
    assert not any(f"P{n}" in text for n in range(30))
    assert problems.stat().st_mode & 0o077 == 0


def test_many_bad_rows_of_one_kind__do_not_hide_another(tmp_path: Path) -> None:
    path = write(tmp_path, *(f"P{n};hvb;2020-03-01;2020-02-01;1;M;" for n in range(30)), "Q;hotell;2020-03-01;2020-04-01;1;M;")
    with pytest.raises(BadRowsError) as error:
        read_spells(path, MAPPING)
    shown = str(error.value).split("\n")
    assert [sum(word in line for line in shown[:-2]) for word in ("must not be before the first date", "hotell")] == [5, 1]


def test_list_of_problems__replaces_no_file(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(ResultsError, match="must be the name of a new file; found one that exists"):
        read_spells(path, MAPPING, problems=path)
    with pytest.raises(ResultsError, match="must be the name of a new file that can be written"):
        read_spells(path, MAPPING, problems=tmp_path / "nowhere" / "problems.csv")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["placements.csv"]


def test_gap_where_a_bad_row_was__is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "A17;hotell;2020-02-01;2020-03-01;1;M;", "A17;hvb;2020-03-01;2020-04-01;1;M;")
    spells = read_spells(path, MAPPING, without_bad_rows=True)
    assert spells.file.notes[-1] == "Of these where a bad row was left out: fewer than 5."


def test_columns_in_each_others_place__name_nobody(tmp_path: Path) -> None:
    """The column of persons was taken for the first date: what stands there is not shown."""
    path = tmp_path / "swapped.csv"
    path.write_text("person;state;from;to\n2020-01-01;hvb;19121212-1212;2020-02-01\n2020-01-01;A17;2020-01-01;2020-02-01\n")
    with pytest.raises(BadRowsError) as error:
        read_spells(path, {**MAPPING, "columns": {}})
    assert "1212" not in str(error.value)
    assert HIDDEN in str(error.value)


def test_table_without_a_header__names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "headless.csv"
    for person in ("19121212-1212", "Made-up Name", "7"):
        path.write_text(f"{person};hvb;2020-01-01;2020-02-01\n{person};hvb;2020-02-01;2020-03-01\n")
        for mapping in ({}, {"columns": {"person": "Klient"}}):
            with pytest.raises(StudyError) as error:
                read_spells(path, mapping)
            assert "The line has dates, as the row of a person: its cells are not shown" in str(error.value)
            assert person not in str(error.value)


@pytest.mark.parametrize(
    "text", ["121212-1212", "19121212-1212", "191212121212", "121212+1212", "19121212 1212", "fam 19121212-T123"]
)
def test_what_looks_like_a_number_of_somebody__is_not_shown(text: str) -> None:
    assert shown_value(text) == HIDDEN
    assert shown_header(text) == "(not shown)"


@pytest.mark.parametrize("text", ["2020-01-01", "20200101", "2020-01-01 12:30", "1 234,50", "hotell"])
def test_what_does_not__is_shown(text: str) -> None:
    assert shown_value(text) == repr(text)


def test_whole_columns__are_refused_together(tmp_path: Path) -> None:
    path = tmp_path / "doubt.csv"
    path.write_text("person;state;from;to;daily cost\n1;a;1/3/2024;2024-05-01;1,234\n")
    with pytest.raises(StudyError) as error:
        read_spells(path, {**MAPPING, "columns": {}, "states": {}, "decimal": None})
    assert str(error.value).split("\n") == [
        "doubt.csv:1: from: dates must show whether the day or the month comes first; found '1/3/2024' on line 2. "
        "Say which it is: `--dates day-first` or `--dates month-first`, or `dates:` in the mapping",
        "doubt.csv:1: daily cost: amounts must show whether a comma or a point separates decimals; found '1,234' on line 2. "
        "Say which it is in the mapping: `decimal: comma` or `decimal: point`",
    ]
