"""A table of events beside one of spells, or alone: every bad row listed with its line and rule, or left out and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simengine.errors import StudyError, UsageError
from simengine.spells.bad_rows import BadRowsError
from simengine.spells.event_records import OwnTables
from simengine.spells.read_tables import read_tables
from tests.conftest import CHECKOUT
from verification import made_up_sick_leave, made_up_spells

SPELLS = "person;state;from;to\nA17;home;2020-01-01;2020-03-01\nA17;hvb;2020-03-01;2021-01-01\nB2;home;2020-02-01;2021-01-01\n"
MAPPING: dict[str, Any] = {
    "last_day_counts": False,
    "after_last_spell": "not_observed",
    "observed_until": "2021-01-01",
    "events": {"kinds": {"Sjuk": "sick", "VAB": "child_sick"}, "open": ["pågår"], "last_day_counts": True},
}
HEADER = "id;Händelse;from;to\n"
GOOD = "A17;sjuk;2020-02-10;2020-02-12\n"
CASES = {
    "cells": ("B2;sjuk;2020-03-01", "wrong number of cells", "", "1 fewer"),
    "no person": (";sjuk;2020-03-01;2020-03-02", "missing value", "id", ""),
    "no kind": ("B2;;2020-03-01;2020-03-02", "missing value", "Händelse", ""),
    "no first day": ("B2;sjuk;;2020-03-02", "missing value", "from", ""),
    "no last day": ("B2;sjuk;2020-03-01;", "missing value", "to", ""),
    "unknown kind": ("B2;semester;2020-03-01;2020-03-02", "unknown event", "Händelse", "'semester'"),
    "unreadable": ("B2;sjuk;i våras;2020-03-02", "unreadable date", "from", "'i våras'"),
    "reversed": ("B2;sjuk;2020-03-02;2020-02-20", "ends before it begins", "to", "2020-02-21 after 2020-03-02"),
    "stranger": ("C3;sjuk;2020-03-01;2020-03-02", "person without spells", "id", ""),
    "too early": (
        "B2;sjuk;2020-01-02;2020-01-31",
        "outside observation",
        "from",
        "2020-01-02, and observed from 2020-02-01 until 2021-01-01",
    ),
    "too late": (
        "B2;sjuk;2021-01-01;pågår",
        "outside observation",
        "from",
        "2021-01-01, and observed from 2020-02-01 until 2021-01-01",
    ),
    "duplicate": ("A17;Sjuk;2020-02-10;2020-02-12", "duplicate", "", "line 2"),
    "overlap": ("A17;sjuk;2020-02-12;2020-02-20", "overlap", "", "line 2"),
}


def write(folder: Path, *rows: str, header: str = HEADER, first: str = GOOD) -> tuple[Path, Path]:
    (folder / "spells.csv").write_text(SPELLS, encoding="utf-8")
    (folder / "events.csv").write_text(header + first + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return folder / "spells.csv", folder / "events.csv"


def told(tables: OwnTables) -> list[tuple[int, str, float, float, bool]]:
    events = tables.events
    assert events is not None
    rows = zip(events.person, events.kind, events.first_day, events.end_day, events.is_open, strict=True)
    return [(int(p), events.kinds[k], float(a), float(b), bool(c)) for p, k, a, b, c in rows]


def day(text: str) -> float:
    return float(np.datetime64(text).astype(int))


@pytest.mark.parametrize("case", CASES)
def test_bad_event__is_refused_and_listed_or_left_out_and_counted(case: str, tmp_path: Path) -> None:
    row, reason, header, found = CASES[case]
    files = write(tmp_path, row)
    problems = tmp_path / "problems.csv"
    with pytest.raises(BadRowsError) as error:
        read_tables(*files, MAPPING, problems_of_events=problems)
    first = next(iter(error.value.bad_rows))
    assert (first.row, first.reason, first.header, first.found) == (3, reason, header, found)
    assert str(error.value).startswith("events.csv: line 3")
    assert problems.read_text(encoding="utf-8-sig").count("\n") == 2
    for name in ("A17", "B2", "C3"):
        assert name not in str(error.value) + problems.read_text()
    left = read_tables(*files, MAPPING, without_bad_rows=True)
    assert left.events is not None
    assert left.events.file.left_out == ((reason, 1),)
    assert told(left) == told(read_tables(*write(tmp_path), MAPPING))


def test_events__are_joined_to_the_people_of_the_spells(tmp_path: Path) -> None:
    """The person of the second row is the second of the spells; the last day counts; an open event ends with observation."""
    files = write(tmp_path, "B2;vab;2020-12-24;pågår", "A17;sjuk;2020-02-13;2020-02-13", "B2;sjuk;2020-01-20;2020-02-02")
    assert told(read_tables(*files, MAPPING)) == [
        (0, "sick", day("2020-02-10"), day("2020-02-13"), False),
        (0, "sick", day("2020-02-13"), day("2020-02-14"), False),
        (1, "child_sick", day("2020-12-24"), day("2021-01-01"), True),
        (1, "sick", day("2020-01-20"), day("2020-02-03"), False),
    ]


def test_events_over_before_observation__are_left_out_and_counted_but_not_bad(tmp_path: Path) -> None:
    files = write(tmp_path, "B2;sjuk;2019-01-20;2019-01-21", "Z9;sjuk;2019-01-20;2019-01-21")
    tables = read_tables(*files, {**MAPPING, "observed_from": "2020-01-15"})
    assert len(told(tables)) == 1
    assert tables.events is not None
    assert "Events over before observation, and left out: fewer than 5." in tables.events.file.notes


def test_person_whose_spells_were_bad__has_no_events(tmp_path: Path) -> None:
    spells, events = write(tmp_path, "B2;sjuk;2020-03-01;2020-03-02")
    spells.write_text(SPELLS.replace("B2;home;2020-02-01;2021-01-01", "B2;home;2020-02-01;2020-01-01"))
    tables = read_tables(spells, events, MAPPING, without_bad_rows=True)
    assert tables.events is not None
    assert tables.events.file.left_out == (("person without spells", 1),)


def test_events_with_a_date_alone__have_no_length(tmp_path: Path) -> None:
    files = write(tmp_path, "B2;2020-04-01", header="Löpnr;Datum\n", first="A17;2020-02-01\n")
    tables = read_tables(*files, {**MAPPING, "events": {"event": "report"}})
    assert tables.events is not None
    assert (tables.events.kinds, tables.events.has_length) == (("report",), False)
    assert np.isnan(tables.events.end_day).all()


@pytest.mark.parametrize(
    ("header", "events", "message"),
    [
        ("id;date;from;to\n", {}, "events must have either `date`, or `from` and `to`; found columns for both"),
        ("id;from\n", {}, "events with a length must have `from` and `to`; found one of them"),
        ("id;when\n", {}, "a column must hold `date`, or two `from` and `to`"),
        ("who;date\n", {}, "a column must hold `person`; found no ordinary header of it. Say in the mapping which it is: `events.columns"),
        ("id;date\n", {"columns": {"event": "kind"}}, "events.columns.event: must be a header of the table; found 'kind'"),
        ("id;date\n", {"columns": {"date": "a", "from": "b"}}, "events must have either `date`, or `from` and `to`; found both"),
        ("id;date\n", {"people": {"all": 7}}, "events.people: must be absent where a table of spells says who was observed"),
        ("id;date\n", {"kinds": {"A": "a", "a ": "b"}}, "kinds: a word must mean one thing"),
    ],
)  # fmt: skip
def test_table_of_events__that_cannot_be_read_says_so(header: str, events: dict[str, Any], message: str, tmp_path: Path) -> None:
    files = write(tmp_path, header=header, first="A17;2020-02-01\n")
    with pytest.raises(StudyError) as error:
        read_tables(*files, {**MAPPING, "events": events})
    assert message in str(error.value)


def test_last_day__must_be_told(tmp_path: Path) -> None:
    events = {**MAPPING["events"], "last_day_counts": None}
    with pytest.raises(StudyError, match=r"events\.last_day_counts: must say whether the last date is a day of the event"):
        read_tables(*write(tmp_path), {**MAPPING, "events": events})


def test_no_table__is_refused() -> None:
    with pytest.raises(UsageError, match="a table of spells, or of events, must be given"):
        read_tables(None)
    with pytest.raises(UsageError, match="problems: must be given with a table of spells"):
        read_tables(None, "events.csv", problems="p.csv")
    with pytest.raises(UsageError, match="problems_of_events: must be given with a table of events"):
        read_tables("spells.csv", problems_of_events="p.csv")


# ----------------------------------------------------- events alone -----------------------------------------------------

ALONE: dict[str, Any] = {
    "observed_from": "2020-01-01",
    "observed_until": "2021-01-01",
    "groups": {"K": "women", "M": "men"},
    "events": {"event": "sick", "last_day_counts": True, "state": "employed", "people": {"women": 6, "men": 4}},
}
LEAVE = "id;from;to;group\n7;2020-02-10;2020-02-12;K\n9;2020-05-01;2020-05-01;M\n7;2019-12-20;2020-01-03;K\n"


def alone(folder: Path, text: str = LEAVE, **changes: Any) -> OwnTables:
    (folder / "leave.csv").write_text(text)
    return read_tables(None, folder / "leave.csv", {**ALONE, **changes})


def test_events_alone__are_of_people_in_one_state_who_are_counted_in_the_mapping(tmp_path: Path) -> None:
    tables = alone(tmp_path)
    spells = tables.spells
    assert (spells.n_people, spells.states, spells.groups, tables.has_spells) == (10, ("employed",), ("men", "women"), False)
    assert np.bincount(spells.group).tolist() == [4, 6]
    assert set((spells.observed_until - spells.entry_day).tolist()) == {366.0}
    events = tables.events
    assert events is not None
    assert [spells.groups[spells.group[one]] for one in events.person] == ["men", "women", "women"]
    assert len(set(events.person.tolist())) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observed_from": None}, "observed_from: must be given where there is no table of spells"),
        ({"events": {**ALONE["events"], "people": {}}}, "events.people: must say how many people were observed"),
        ({"events": {**ALONE["events"], "people": {"all": 9}}}, "events.people: must name the groups of the file; found all. Groups: men, women"),
        ({"events": {**ALONE["events"], "people": {"women": 0, "men": 4}}}, "must be at least 1"),
    ],
)  # fmt: skip
def test_mapping_of_events_alone__that_says_too_little_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as error:
        alone(tmp_path, **changes)
    assert message in str(error.value)


def test_more_people_with_events_than_people__are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{n};2020-02-10;2020-02-12;M\n" for n in range(20, 25))
    with pytest.raises(
        StudyError, match=r"events.people.men: must not be fewer people than have events in `men`; found 4 people, and 6 with"
    ):
        alone(tmp_path, LEAVE + rows)


def test_group_that_differs__is_a_bad_row(tmp_path: Path) -> None:
    with pytest.raises(BadRowsError, match=r"line 5, group: must be the same in all rows of a person"):
        alone(tmp_path, LEAVE + "7;2020-08-01;2020-08-01;M\n")


def test_made_up_tables_of_events__are_those_of_their_scripts() -> None:
    leave, reports = made_up_spells.text(made_up_sick_leave.lines()), made_up_spells.text(made_up_spells.report_lines())
    assert made_up_sick_leave.FILE.read_bytes() == leave.encode("cp1252")
    assert made_up_spells.REPORTS_FILE.read_bytes() == reports.encode("cp1252")
    assert "made-up" in (CHECKOUT / "configs" / "spells" / "sick_leave_mapping.yaml").read_text(encoding="utf-8").lower()
