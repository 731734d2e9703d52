"""Rows become spells: against a twin in plain Python, and examples by hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simengine.errors import StudyError
from simengine.spells.bad_rows import BadRowsError
from simengine.spells.read import read_spells
from simengine.spells.records import Spells
from tests.conftest import sized
from tests.reference.spells import Cleaned, TwinRow, clean

ORIGIN = date(2020, 1, 1)
FIRST = (ORIGIN - date(1970, 1, 1)).days
UNTIL = 16


def written(day: int | None) -> str:
    return "" if day is None else (ORIGIN + timedelta(days=day)).isoformat()


def table(rows: list[TwinRow]) -> str:
    lines = ["person;state;from;to;daily cost;entry"]
    for row in rows:
        cost = "" if row.cost is None else f"{row.cost:.2f}".replace(".", ",")
        lines.append(f"{row.person};{row.state};{written(row.first)};{written(row.last)};{cost};{written(row.entry)}")
    return "\n".join(lines) + "\n"


def as_twin(spells: Spells, people: list[str]) -> tuple[dict[str, list[tuple[str, int, int, float | None]]], dict[str, int]]:
    """The spells of a record in the words of the twin; people of whom some are left, in the order of the file."""
    found: dict[str, list[tuple[str, int, int, float | None]]] = {}
    for person, name in enumerate(people):
        at = range(int(spells.first_spell[person]), int(spells.first_spell[person + 1]))
        found[name] = [
            (
                spells.states[spells.state[one]],
                int(spells.first_day[one]) - FIRST,
                int(spells.end_day[one]) - FIRST,
                None if np.isnan(spells.cost_per_day[one]) else round(float(spells.cost_per_day[one]), 6),
            )
            for one in at
        ]
    return found, {name: int(spells.entry_day[person]) - FIRST for person, name in enumerate(people)}


@st.composite
def tables(draw: st.DrawFn) -> list[TwinRow]:
    rows = []
    entries = {person: draw(st.sampled_from([None, None, 0, 2, 3, 5, 8, 17])) for person in "abc"}
    for number in range(2, 2 + draw(st.integers(1, 14))):
        person, first = draw(st.sampled_from("abc")), draw(st.integers(0, 17))
        last = None if draw(st.integers(0, 7)) == 0 else first + draw(st.sampled_from([1, 2, 3, 1, 2, 4, 0, -1, 8]))
        cost = draw(st.none() | st.sampled_from([100.0, 250.5]))
        entry = 3 if draw(st.integers(0, 30)) == 0 else entries[person]
        rows.append(TwinRow(number, person, draw(st.sampled_from(["x", "y", "home"])), first, last, cost, entry))
    return rows


@settings(max_examples=sized(300, 2000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables(),
    counts=st.booleans(),
    after=st.sampled_from([None, "home", "gone"]),
    observed_from=st.sampled_from([None, 2, 3, 4, 5, 9]),
)
def test_cleaning__is_that_of_the_slow_twin(
    rows: list[TwinRow], counts: bool, after: str | None, observed_from: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "spells.csv"
    path.write_text(table(rows))
    mapping: dict[str, Any] = {
        "open": [""],
        "last_day_counts": counts,
        "between_spells": "home",
        "after_last_spell": after or "not_observed",
        "observed_until": written(UNTIL),
        "decimal": "comma",
        **({} if observed_from is None else {"observed_from": written(observed_from)}),
    }
    twin = clean(rows, until=UNTIL, counts=counts, between="home", after=after, observed_from=observed_from)
    refused = bad_rows_of(path, mapping)
    assert {number: reasons[0] for number, reasons in refused.items()} == twin.bad
    if not twin.spells:
        with pytest.raises(StudyError, match="must hold spells of one person or more"):
            read_spells(path, mapping, without_bad_rows=True)
        return
    spells = read_spells(path, mapping, without_bad_rows=True)
    assert sum(n for _, n in spells.file.left_out) == len(twin.bad)
    assert spells.file.n_outside == twin.n_outside
    found, entry = as_twin(spells, list(twin.spells))
    assert found == {
        person: [(state, first, end, None if cost is None else round(cost, 6)) for state, first, end, cost in several]
        for person, several in twin.spells.items()
    }
    assert entry == twin.entry
    check_record(spells)


def bad_rows_of(path: Path, mapping: dict[str, Any]) -> dict[int, list[str]]:
    try:
        read_spells(path, mapping)
    except BadRowsError as error:
        found: dict[int, list[str]] = {}
        for one in error.bad_rows:
            if one.reason != "person without a good row":
                found.setdefault(one.row, []).append(one.reason)
        return found
    except StudyError as error:
        assert "must hold spells" in str(error)  # noqa: PT017
    return {}


def check_record(spells: Spells) -> None:
    """What the record promises of any table."""
    same = spells.person[1:] == spells.person[:-1]
    assert (spells.end_day > spells.first_day).all()
    assert (spells.end_day[:-1][same] == spells.first_day[1:][same]).all()
    assert (spells.state[:-1][same] != spells.state[1:][same]).all()
    last = spells.first_spell[1:] - 1
    assert spells.is_open.sum() == spells.n_people
    assert spells.is_open[last].all()
    assert (spells.end_day[last] == spells.observed_until).all()
    first = spells.first_spell[:-1]
    assert (spells.entry_day >= spells.first_day[first]).all()
    assert (spells.entry_day < spells.end_day[first]).all()


def read(tmp_path: Path, text: str, **mapping: Any) -> Spells:
    path = tmp_path / "spells.csv"
    path.write_text(text)
    return read_spells(path, mapping)


def test_cleaning__by_hand(tmp_path: Path) -> None:
    """Foster care from 1 to 11 January and on to the 21st at another cost: one spell of 20 days at (10 x 100 + 10 x 200) / 20 = 150.

    Then nothing until 1 February, residential care for a day, and home until observation ends on 10 February.
    """
    text = (
        "person;state;from;to;daily cost\n7;foster;2020-01-11;2020-01-21;200\n"
        "7;foster;2020-01-01;2020-01-11;100\n7;hvb;2020-02-01;2020-02-02;\n"
    )
    spells = read(tmp_path, text, last_day_counts=False, between_spells="home", observed_until="2020-02-10")
    assert [spells.states[state] for state in spells.state] == ["foster", "home", "hvb", "home"]
    assert (spells.end_day - spells.first_day).tolist() == [20, 11, 1, 8]
    assert spells.cost_per_day[0] == 150
    assert np.isnan(spells.cost_per_day[1:]).all()
    assert (spells.file.n_rows, spells.file.n_joined, spells.file.n_filled) == (3, 1, 2)
    assert repr(spells) == "<Spells: spell 4, bound 2, person 1>"


def test_last_day__counts_as_the_file_shows(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,2020-01-10\n1,b,2020-01-11,2020-01-20\n"
    spells = read(tmp_path, text, after_last_spell="not_observed")
    assert (spells.end_day - spells.first_day).tolist() == [10, 10]
    assert "the last date is the last day in the state: fewer than 5 spells begin on the date" in spells.file.notes[0]
    text = text.replace("2020-01-11", "2020-01-10")
    assert (read(tmp_path, text, after_last_spell="not_observed").end_day - FIRST).tolist() == [9, 19]


def test_last_day__is_refused_where_the_file_does_not_show_it(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,2020-01-10\n2,b,2020-01-11,2020-01-20\n"
    with pytest.raises(StudyError, match=r"last_day_counts: must say whether the last date is a day in the state; found 0 spells"):
        read(tmp_path, text, after_last_spell="not_observed")


def test_last_day__that_the_file_contradicts_is_said(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,2020-01-10\n1,b,2020-01-11,2020-01-20\n"
    spells = read(tmp_path, text, after_last_spell="not_observed", last_day_counts=False, between_spells="home")
    assert "yet the mapping says `last_day_counts: false`" in spells.file.notes[0]


def test_hand_over__on_one_day_is_no_overlap(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,2020-01-10\n1,b,2020-01-10,2020-01-20\n"
    spells = read(tmp_path, text, after_last_spell="not_observed", last_day_counts=True)
    assert (spells.end_day - FIRST).tolist() == [9, 20]
    assert spells.file.n_shortened == 1


def test_gaps__are_refused_without_a_state_between(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,2020-01-10\n1,b,2020-01-12,2020-01-20\n"
    with pytest.raises(StudyError) as error:
        read(tmp_path, text, observed_until="2021-01-01", last_day_counts=False)
    assert (
        "spells.csv: spells of a person must follow each other without a day between; found 1 gap, the first between line 2 and line 3"
        in str(error.value)
    )
    assert "`between_spells: home`" in str(error.value)
    assert "found 1 spell without a next one, the first on line 3" in str(error.value)


def test_end__is_needed_where_spells_last(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,pågår\n"
    with pytest.raises(StudyError, match="observed_until: must say when observation ends; found 1 spells that still last"):
        read(tmp_path, text, open=["Pågår"])
    spells = read(tmp_path, text, open=["Pågår"], observed_until="2020-01-31")
    assert spells.observed_until.tolist() == [FIRST + 30]


def test_entry__within_a_spell_truncates_it(tmp_path: Path) -> None:
    text = "person,state,from,to,entry\n1,a,2020-01-01,2020-02-01,2020-01-15\n2,a,2020-01-01,2020-02-01,\n"
    spells = read(tmp_path, text, after_last_spell="not_observed", last_day_counts=False)
    assert (spells.entry_day - FIRST).tolist() == [14, 0]
    assert (spells.first_day - FIRST).tolist() == [0, 0]


def test_start_of_observation__leaves_out_what_had_ended(tmp_path: Path) -> None:
    text = "person,state,from,to\n1,a,2020-01-01,2020-01-10\n1,b,2020-01-12,2020-01-20\n2,a,2020-01-01,2020-01-11\n"
    mapping = {"last_day_counts": False, "after_last_spell": "not_observed", "between_spells": "home"}
    spells = read(tmp_path, text, observed_from="2020-01-10", **mapping)
    assert (spells.first_day - FIRST).tolist() == [11, 0]
    assert (spells.entry_day - FIRST).tolist() == [11, 9]
    assert (spells.file.n_outside, spells.file.n_filled) == (1, 0)


def test_end_of_observation__of_each_person(tmp_path: Path) -> None:
    text = "person,state,from,to,observed until\n1,a,2020-01-01,,2020-01-15\n2,a,2020-01-01,,\n"
    spells = read(tmp_path, text, open=[""], observed_until="2020-03-01")
    assert (spells.observed_until - FIRST).tolist() == [14, 60]


def test_groups__are_of_people(tmp_path: Path) -> None:
    text = "person,state,from,to,Kön\n1,a,2020-01-01,,K\n2,a,2020-01-01,,M\n3,a,2020-01-01,,K\n"
    mapping = {"open": [""], "observed_until": "2020-03-01", "columns": {"group": "Kön"}, "groups": {"K": "girls", "M": "boys"}}
    spells = read(tmp_path, text, **mapping)
    assert [spells.groups[one] for one in spells.group] == ["girls", "boys", "girls"]


def test_twin__sees_an_overlap() -> None:
    rows = [TwinRow(2, "a", "x", 0, 10), TwinRow(3, "a", "y", 5, 12), TwinRow(4, "a", "y", 10, 12)]
    twin: Cleaned = clean(rows, until=40, counts=False, between="home", after="home", observed_from=None)
    assert twin.bad == {3: "overlap"}
    assert twin.spells == {"a": [("x", 0, 10, None), ("y", 10, 12, None), ("home", 12, 40, None)]}
