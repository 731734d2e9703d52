"""Tables as they come: separators, encodings, workbooks, Parquet; and what is none."""

from __future__ import annotations

import builtins
import hashlib
import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from simengine.errors import ResultsError, StudyError, UsageError
from simengine.report.folder import results_folder
from simengine.seals.document import refuse_if_taken
from simengine.spells.bad_rows import BadRowsError
from simengine.spells.fit import fit
from simengine.spells.read import read_spells
from simengine.spells.records import Spells
from tests.conftest import CHECKOUT
from verification import made_up_spells

ROWS = [
    ("1", "Jourhem", "2020-01-01", "2020-02-01", "1 450,50"),
    ("1", "Familjehem", "2020-02-01", "pågår", "1 180,00"),
    ("2", "Jourhem", "2020-03-01", "2020-04-15", ""),
]
HEADER = ("Löpnr", "Insats", "Startdatum", "Slutdatum", "Dygnskostnad")
MAPPING: dict[str, Any] = {"open": ["pågår"], "last_day_counts": False, "between_spells": "hemma", "observed_until": "2020-12-31"}
COSTS = [1450.5, 1180.0, np.nan, np.nan]


def check(spells: Spells) -> None:
    assert [spells.states[one] for one in spells.state] == ["jourhem", "familjehem", "jourhem", "hemma"]
    assert (spells.end_day - spells.first_day).tolist() == [31, 334, 45, 260]
    np.testing.assert_array_equal(spells.cost_per_day, COSTS)


def text(separator: str) -> str:
    quoted = [[f'"{cell}"' if separator in cell else cell for cell in row] for row in ROWS]
    return "".join(f"{separator.join(row)}\r\n" for row in (HEADER, *quoted))


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
def test_text__is_read_in_any_encoding_with_any_separator(separator: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "spells.csv"
    path.write_bytes(text(separator).encode(encoding))
    spells = read_spells(path, MAPPING)
    check(spells)
    assert spells.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert spells.file.name == "spells.csv"
    told = [note for note in spells.file.notes if note.startswith("The file was read as Windows-1252: its byte 1 ")]
    assert len(told) == (encoding in ("cp1252", "latin-1"))


def test_text__with_bytes_that_windows_1252_lacks_is_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "spells.csv"
    path.write_bytes(text(";").replace("Dygnskostnad", "Dygnskostnad;\x81").encode("latin-1"))
    with pytest.raises(BadRowsError, match="1 fewer"):
        read_spells(path, MAPPING)


def test_utf_8__is_told_by_all_its_bytes_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With blocks of 7 bytes a letter of two bytes is cut."""
    monkeypatch.setattr("simengine.spells.table._BLOCK", 7)
    path = tmp_path / "spells.csv"
    path.write_bytes(text(";").encode())
    check(read_spells(path, MAPPING))
    path.write_bytes(text(";").encode() + b"\r\n\xc3")
    with pytest.raises(StudyError, match=f"found UTF-8 up to byte {len(text(';').encode()) + 2}, and something else there"):
        read_spells(path, MAPPING)


def test_text__of_excel_names_its_separator_and_numbers_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "spells.csv"
    lines = ["sep=;", ";".join(HEADER), "", '1;"Jour\nhem";2020-01-01;2020-02-01;1', ";;;;", "1;Jourhem;i maj;2020-03-01;1"]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(BadRowsError, match=r"spells\.csv: line 7, Startdatum: must be a date"):
        read_spells(path, MAPPING)


def test_header__may_stand_below_a_title(tmp_path: Path) -> None:
    path = tmp_path / "spells.csv"
    path.write_text("Uttag ur systemet\n\n" + text(";").replace("\r\n", "\n"))
    check(read_spells(path, {**MAPPING, "header_row": 3}))
    with pytest.raises(StudyError, match=r"spells\.csv:2: the header must name the columns; found an empty line"):
        read_spells(path, {**MAPPING, "header_row": 2})


def workbook(path: Path, rows: list[tuple[Any, ...]], *titles: str) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Insatser"
    for row in rows:
        book.active.append(row)
    for title in titles:
        book.create_sheet(title)
    book.save(path)
    return path


TYPED = [
    HEADER,
    (1, "Jourhem", datetime(2020, 1, 1), date(2020, 2, 1), 1450.5),
    (1.0, "Familjehem", 43862, "pågår", 1180),
    (None, None, None, None, None),
    (2, "Jourhem", "2020-03-01", datetime(2020, 4, 15, 13, 30), None),
]


def test_workbook__is_read_with_dates_and_numbers(tmp_path: Path) -> None:
    spells = read_spells(workbook(tmp_path / "spells.xlsx", TYPED), MAPPING)
    check(spells)
    assert spells.file.notes[:2] == (
        "Startdatum: fewer than 5 rows have a day number of Excel.",
        "Slutdatum: fewer than 5 rows have a time of day, which was left out.",
    )


def test_workbook__numbers_its_rows_and_names_its_sheet(tmp_path: Path) -> None:
    path = workbook(tmp_path / "spells.xlsx", [*TYPED, (3, "Jourhem", "snart", None, 1)], "Andra")
    with pytest.raises(
        StudyError, match=r"one sheet must hold the spells; found 2 sheets\. Say which: `sheet:` in the mapping\. One of"
    ):
        read_spells(path, MAPPING)
    with pytest.raises(BadRowsError, match=r"spells\.xlsx: row 6, Startdatum: must be a date"):
        read_spells(path, {**MAPPING, "sheet": "Insatser"})
    with pytest.raises(StudyError, match="the header must name the columns; found nothing on row 1"):
        read_spells(path, {**MAPPING, "sheet": "Andra"})


def test_workbook__needs_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, load = workbook(tmp_path / "spells.xlsx", TYPED), builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("openpyxl"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"Install it with `pip install 'simengine\[excel\]'`"):
        read_spells(path, MAPPING)


def test_parquet__is_read(tmp_path: Path) -> None:
    path = tmp_path / "spells.parquet"
    columns = {
        "Löpnr": [1, 1, 2],
        "Insats": pa.array(["Jourhem", "Familjehem", "Jourhem"]).dictionary_encode(),
        "Startdatum": [date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)],
        "Slutdatum": pa.array([datetime(2020, 2, 1), None, datetime(2020, 4, 15)], pa.timestamp("ns")),
        "Dygnskostnad": [1450.5, 1180.0, float("nan")],
        "Övrigt": [[1], [2, 3], []],
    }
    parquet.write_table(pa.table(columns), path)
    check(read_spells(path, {**MAPPING, "open": [""]}))
    with pytest.raises(BadRowsError, match=r"spells\.parquet: row 2, Slutdatum: must be given\. If the spell still lasts"):
        read_spells(path, MAPPING)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a table with a header and rows; found an empty file"),
        (b"person;state;from;to\n", "must have a row for each spell; found a header alone"),
        (b"\x00\x01\x02", "must be CSV, .xlsx or Parquet; found bytes that are none of them"),
        (b"\xd0\xcf\x11\xe0\xa1", "found a workbook of Excel 97-2003"),
        (b"PK\x03\x04 and so on", "must be a workbook of Excel"),
        (b"PAR1 and so on", "must be Parquet; found a file that begins as Parquet"),
        (b"person\n1\n", "columns must be separated by semicolons, commas or tabs; found a header without any"),
        (b'person;state;from;to\n1;"a;2020-01-01;2020-01-02\n', "table:2: a cell in quotes must be closed"),
        ("person;state;from;to\n1;a;2020-01-01;2020-02-01\n".encode("utf-16")[:-1], "found UTF-16 with something else in it"),
        ("\ufeffperson;state\n".encode("utf-16-le") + b"\x00\xd8a\x00", "found UTF-16 with something else in it"),
        (b"a;state;from;to\n1;a;2020-01-01;2020-01-02\n", "table:1: a column must hold `person`; found no ordinary header of it"),
        (
            b"Made up: placements;;;\nperson;state;from;to\n1;a;2020-01-01;2020-01-02\n",
            "table:1: a column must hold `person`; one must hold `state`; one must hold `from`; one must hold `to`; found no ordinary "
            "header of these. Say in the mapping which it is: `columns: {person: ..., state: ..., from: ..., to: ...}`; or which line "
            "names the columns: `header_row: ...`. Headers: 'Made up: placements', '', '', ''",
        ),
        (b"person;id;state;from;to\n", "table:1: one column must hold `person`; found 'person', 'id'"),
    ],
)
def test_what_is_no_table__says_so(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(StudyError) as error:
        read_spells(tmp_path / "table", MAPPING)
    assert message in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_place_that_holds_no_file__says_so(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "must be a file; found a folder"), (tmp_path / "none.csv", "none.csv: no such file")):
        with pytest.raises(StudyError, match=message):
            read_spells(path, MAPPING)


def test_mapping__says_where_a_header_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text(";"))
    (tmp_path / "mapping.yaml").write_text("source: made up\ncolumns:\n  person: Löpnummer\n")
    with pytest.raises(StudyError) as error:
        read_spells(tmp_path / "table.csv", tmp_path / "mapping.yaml")
    assert str(error.value) == (
        f"{tmp_path}/mapping.yaml:3: columns.person: must be a header of the table; found 'Löpnummer'. Did you mean 'Löpnr'?"
    )


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"betwen_spells": "home"}, "betwen_spells: this key is unknown. Did you mean `between_spells`?"),
        ({"columns": {"persn": "x"}}, "columns.persn: must be person, state, from"),
        ({"columns": {"from": "x", "to": "x"}}, "a column must hold one thing; found 'x' twice"),
        ({"states": {"HVB": "a", "hvb ": "b"}}, "a word must mean one thing, in capitals or not; found 'hvb ' twice"),
        ({"states": {"HVB": "a b"}}, "a name must have only the letters"),
        ({"observed_until": "31/12/2024"}, "observed_until: must be a date, as 2024-12-31; found '31/12/2024'"),
        ({"observed_from": "2024-01-01", "observed_until": "2024-01-01"}, "observed_from must be before observed_until"),
        ({"last_day_counts": "yes"}, "last_day_counts: must be true or false"),
        ({"dates": "year-first"}, "dates: must be day-first, month-first or year-month"),
        ({"header_row": 0}, "header_row: must be at least 1"),
    ],
)
def test_mapping__that_says_nonsense_is_refused(mapping: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as error:
        read_spells(tmp_path / "table.csv", mapping)
    assert message in str(error.value)


def test_order_of_dates__that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dates: must be one of day-first, month-first, year-month"):
        read_spells(tmp_path / "table.csv", MAPPING, dates="day")  # type: ignore[arg-type]


def test_months_alone__last_to_the_end_of_the_month_where_the_last_day_counts(tmp_path: Path) -> None:
    """From January to March 2020: 31 + 29 + 31 = 91 days; without the last one 31 + 29 = 60."""
    (tmp_path / "months.csv").write_text("person;state;from;to\n1;a;2020-01;mars 2020\n")
    for counts, days in ((True, 91), (False, 60)):
        mapping = {"last_day_counts": counts, "after_last_spell": "not_observed"}
        spells = read_spells(tmp_path / "months.csv", mapping, dates="year-month")
        assert (spells.end_day - spells.first_day).tolist() == [days]


def test_progress__is_told_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text(";"))
    told: list[float] = []
    read_spells(tmp_path / "table.csv", MAPPING, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_states_without_names__are_few(tmp_path: Path) -> None:
    rows = "".join(f"1;state {n};2020-01-01;2020-01-02\n" for n in range(41))
    (tmp_path / "table.csv").write_text("person;state;from;to\n" + rows)
    with pytest.raises(StudyError, match="must have at most 40 different words; found 41"):
        read_spells(tmp_path / "table.csv", MAPPING)


def test_states_without_names__make_different_names(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(
        "person;state;from;to\n1;natt-hem;2020-01-01;2020-01-02\n2;natthem?;2020-01-01;2020-01-02\n2;natt hem;2020-01-03;2020-01-04\n"
    )
    with pytest.raises(StudyError, match="must make different names, of letters, digits and `_`; found 'natt hem'"):
        read_spells(tmp_path / "table.csv", MAPPING)


def test_made_up_table__is_that_of_its_script() -> None:
    assert made_up_spells.FILE.read_bytes() == made_up_spells.text(made_up_spells.lines()).encode("cp1252")
    assert "made-up" in (CHECKOUT / "configs" / "spells" / "mapping.yaml").read_text(encoding="utf-8").lower()


def test_made_up_table__has_the_hazards_that_it_was_made_with() -> None:
    """Moves by month of exposure, within four standard errors (a count of n has about the standard error of its root)."""
    spells = read_spells(made_up_spells.FILE, CHECKOUT / "configs" / "spells" / "mapping.yaml")
    assert (spells.n_people, spells.file.n_rows, spells.file.left_out) == (
        300,
        io.BytesIO(made_up_spells.FILE.read_bytes()).read().count(b"\n") - 1,
        (),
    )
    months = (spells.end_day - spells.first_day) / made_up_spells.DAYS_PER_MONTH
    is_boy = np.array(spells.groups)[spells.group][spells.person] == "boys"
    follows = np.append(spells.person[1:] == spells.person[:-1], False)
    after = np.append(spells.state[1:], -1)
    for (origin, target), hazard in made_up_spells.TRUTH.items():
        at = is_boy & (spells.state == spells.states.index(origin))
        n = int((at & follows & (after == spells.states.index(target))).sum())
        assert abs(n - hazard * months[at].sum()) < 4 * np.sqrt(hazard * months[at].sum()), (origin, target)


def test_cell_longer_than_any__is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(f"person;state;from;to\n1;{'a' * 200_000};2020-01-01;2020-02-01\n")
    with pytest.raises(StudyError, match=r"table\.csv:2: a cell must have 131,072 characters at most; found more"):
        read_spells(tmp_path / "table.csv")


def test_workbook__may_have_any_name(tmp_path: Path) -> None:
    """What a file is, its content decides."""
    workbook(tmp_path / "spells.xlsx", TYPED).rename(tmp_path / "spells.csv")
    check(read_spells(tmp_path / "spells.csv", MAPPING))


@pytest.mark.parametrize("wrong", [True, 1.5, -1, [], (), b"spells.csv", object()])
def test_arguments_of_another_kind__are_refused(wrong: Any, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text(";"))
    calls: list[tuple[str, Callable[[], object]]] = [
        ("path", lambda: read_spells(wrong)),
        ("mapping", lambda: read_spells(path, wrong)),
        ("problems", lambda: read_spells(path, MAPPING, problems=wrong)),
        ("spells", lambda: fit(wrong)),
        ("study", lambda: fit(path, mapping=MAPPING, into=wrong)),
    ]
    if wrong is not True:
        calls.append(("without_bad_rows", lambda: read_spells(path, MAPPING, without_bad_rows=wrong)))
    for name, call in calls:
        with pytest.raises(UsageError, match=f"^{name}: must be "):
            call()


@pytest.mark.parametrize("place", ["a\0b", "loop/problems.csv", "loop"])
def test_place_that_no_list_can_have__is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text(";"))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ResultsError, match=r"must be the name of a new file"):
        read_spells(tmp_path / "table.csv", MAPPING, problems=tmp_path / place)
    with pytest.raises(ResultsError, match=r"^-o .*must be the name of a folder"), results_folder(tmp_path / place):
        pass
    with pytest.raises(ResultsError, match=r"^-o "):
        refuse_if_taken(tmp_path / place)
