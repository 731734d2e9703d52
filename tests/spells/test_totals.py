"""Published totals by year: read from every form in which agencies give them, and turned into numbers of a study."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import yaml
from scipy import stats

import simengine
from simengine.errors import SimengineError, StudyError
from simengine.spells.fit_totals import TotalsFit, costs_of, entries_of, start_of
from simengine.spells.totals_mapping import TotalsMapping
from simengine.spells.totals_table import read_totals
from tests.command import in_this_process
from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "configs" / "spells"
FILE, MAPPING = FOLDER / "totals_made_up.csv", FOLDER / "totals_mapping.yaml"
TINY = CHECKOUT / "configs" / "tiny.yaml"
COUNTS = {
    ("HVB", "2021"): 90.0,
    ("HVB", "2022"): 110.0,
    ("HVB", "2023"): None,
    ("Jourhem", "2021"): 40.0,
    ("Jourhem", "2022"): 0.0,
    ("Jourhem", "2023"): 44.5,
}
WORDS, YEARS = ("HVB", "Jourhem"), ("2021", "2022", "2023")
ASKED: dict[str, Any] = {"entries": {"where": {"Insats": "HVB"}}}


def shown(found: TotalsFit, of: str) -> dict[str, dict[int, float]]:
    by_state: dict[str, dict[int, float]] = {}
    for one in found.content["numbers"]:
        if one.of == of:
            by_state.setdefault(one.state, {})[one.year] = one.value
    return by_state


def long_text(sep: str, decimal: str, nothing: str) -> str:
    def cell(value: float | None) -> str:
        return nothing if value is None else "-" if value == 0 else f"{value:g}".replace(".", decimal)

    rows = "".join(f"{word}{sep}{year}{sep}{cell(COUNTS[word, year])}\n" for word, year in COUNTS)
    return f"Insats{sep}År{sep}Antal\n{rows}"


def by_column(_: Path) -> str:
    def cell(value: float | None) -> str:
        return ".." if value is None else f"{value:g}"

    rows = "".join(f'"{word}",{",".join(cell(COUNTS[word, year]) for year in YEARS)}\n' for word in WORDS)
    return f'"Made-up title"\n\n"Insats",{",".join(f"{chr(34)}Antal {year}{chr(34)}" for year in YEARS)}\n{rows}'


def pxweb(_: Path) -> str:
    columns = [
        {"code": "I", "text": "Insats", "type": "d"},
        {"code": "T", "text": "tid", "type": "t"},
        {"code": "A", "text": "Antal", "type": "c"},
    ]
    data = [{"key": list(key), "values": [".." if value is None else str(value)]} for key, value in COUNTS.items()]
    return json.dumps({"columns": columns, "comments": [], "data": data})


def json_stat(_: Path) -> str:
    dimension = {
        "I": {"label": "Insats", "category": {"index": {"b": 0, "a": 1}, "label": {"b": "HVB", "a": "Jourhem"}}},
        "T": {"label": "tid", "category": {"index": list(YEARS)}},
    }
    told = {"class": "dataset", "version": "2.0", "id": ["I", "T"], "size": [2, 3], "role": {"time": ["T"]}, "dimension": dimension}
    return json.dumps({**told, "value": [COUNTS[word, year] for word in WORDS for year in YEARS]})


FORMS: dict[str, Callable[[Path], str]] = {
    "a row for each number": lambda _: long_text(";", ",", "X"),
    "tabs and points": lambda _: long_text("\t", ".", ""),
    "a column for each year": by_column,
    "PxWeb": pxweb,
    "JSON-stat": json_stat,
    "JSON-stat by number": lambda path: json.dumps(
        {**(told := json.loads(json_stat(path))), "value": {str(n): v for n, v in enumerate(told["value"]) if v is not None}}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_form__holds_the_same_numbers(form: str, tmp_path: Path) -> None:
    path = tmp_path / "totals"
    path.write_text(FORMS[form](path), encoding="utf-8")
    header = {"header_row": 3} if form == "a column for each year" else {}
    read = read_totals(path, TotalsMapping.model_validate(header))
    assert {(one.words["Insats"], str(one.year)): one.value for one in read.totals} == COUNTS


def test_kolada__is_read(tmp_path: Path) -> None:
    values = [
        {"count": 1, "gender": "T", "status": "", "value": 6402.5},
        {"count": 1, "gender": "K", "status": "Missing", "value": None},
    ]
    content = {"count": 1, "values": [{"kpi": "N00001", "municipality": "0000", "period": 2022, "values": values}]}
    (tmp_path / "kolada.json").write_text(json.dumps(content))
    read = read_totals(tmp_path / "kolada.json", TotalsMapping())
    assert [(dict(one.words), one.year, one.value) for one in read.totals] == [
        ({"kpi": "N00001", "municipality": "0000", "gender": "T"}, 2022, 6402.5),
        ({"kpi": "N00001", "municipality": "0000", "gender": "K"}, 2022, None),
    ]


def test_workbook__is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [("Insats", "2021", "2022", "2023"), ("HVB", 90, 110, ".."), ("Jourhem", 40, "\u2013", 44.5)]:
        book.active.append(row)
    book.save(tmp_path / "totals.xlsx")
    read = read_totals(tmp_path / "totals.xlsx", TotalsMapping())
    assert {(one.words["Insats"], str(one.year)): one.value for one in read.totals} == COUNTS


# ------------------------------------------------------- estimates -------------------------------------------------------


def test_entries__vary_as_a_negative_binomial_number() -> None:
    """The variance of a year is m + m² / r, and of its unknown mean (m + m² / r) / n; by draws the wave has both."""
    counts = {2018: 80, 2019: 120, 2020: 95, 2021: 140, 2022: 65}
    mean, size = entries_of(counts, 12, 1.0, [])
    seen = np.array(list(counts.values()))
    assert (mean, size["per_month_each"]) == (100, 8.333)
    # Var = m + m²/a must be S²(1 + 1/n), with S² the variance of the years.
    assert mean + mean**2 / size["shape"] == pytest.approx(seen.var(ddof=1) * (1 + 1 / 5), rel=1e-3)
    part = entries_of(counts, 12, 0.1, [])
    assert (part[0], part[1]["shape"]) == (10, size["shape"])
    notes: list[str] = []
    alone = entries_of({2022: 50}, 12, 1.0, notes)[1]
    assert (alone["shape"], len(notes)) == (50, 1)


def test_shares__are_as_uncertain_as_years_differ() -> None:
    """Chi-square over its degrees of freedom is that of scipy.stats.chi2_contingency."""
    series = {"a": {2021: 400.0, 2022: 520.0}, "b": {2021: 600.0, 2022: 480.0}}
    expected = stats.chi2_contingency([[400, 520], [600, 480]], correction=False).statistic
    dispersion, shares = start_of(series, 1.0, [])
    assert dispersion == pytest.approx(expected)
    assert shares["a"]["count"] == pytest.approx(520 / expected + 0.5, rel=1e-5)
    assert start_of(series, 0.1, [])[1]["b"]["count"] == pytest.approx(48 / expected + 0.5, rel=1e-5)
    alike = {"a": {2021: 400.0, 2022: 400.0}, "b": {2021: 600.0, 2022: 600.0}}
    assert start_of(alike, 1.0, [])[0] == 1


def test_cost__may_change_as_it_has_from_year_to_year() -> None:
    """Changes of ln 1.1, ln 1.0 and ln 1.21: standard deviation 0.09531, Student's t of 2 degrees 2.9200: a factor of exp(0.2783)."""
    notes: list[str] = []
    found = costs_of({"x": {2020: 100, 2021: 110, 2022: 110, 2023: 133.1}, "y": {2022: 5, 2023: 6}}, 10.0, notes)
    assert found["x"]["interval_90"] == pytest.approx([1331 * np.exp(-0.2783), 1331 * np.exp(0.2783)], rel=1e-3)
    assert found["y"] == {"value": 60}
    assert "fewer than three years" in notes[0]


# ------------------------------------------------------- in a study -------------------------------------------------------


def test_made_up_table__drops_into_a_study() -> None:
    meant = yaml.safe_load(MAPPING.read_text())
    meant["totals"]["start"]["states"] = {"HVB": "placed", "Familjehem": "home"}
    meant["totals"]["cost_per_day"]["states"] = {"HVB": "placed"}
    study = simengine.load_study(TINY).with_(
        {
            "population.strata": {"everybody": {"share": 1}},
            "pathway.start": {"everybody": {"placed": 1}},
            "pathway.moves.placed -> home": {"rate_per_month": 0.1},
        }
    )
    found = simengine.fit_totals(FILE, meant, into=study)
    assert found.study is not None
    assert shown(found, "entries") == {"": {2019: 702, 2020: 655, 2021: 690, 2022: 731, 2023: 668}}
    assert found.content["per_year"] == pytest.approx(0.02 * (702 + 655 + 690 + 731 + 668) / 5)
    wave = next(iter(found.study.population.waves.values()))
    assert wave.size.certainty == "D"
    assert str(wave.size.source).startswith("totals_made_up.csv ")
    assert set(found.study.pathway.start["everybody"]) == {"placed", "home"}


def test_year_that_lacks_a_number__is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    path.write_text(long_text(";", ",", "X"), encoding="utf-8")
    start = {"by": "insats", "states": {"HVB": "a", "Jourhem": "b"}}
    found = simengine.fit_totals(path, {"totals": {"start": start}})
    assert shown(found, "start") == {"a": {2021: 90, 2022: 110}, "b": {2021: 40, 2022: 0}}
    assert found.content["notes"][0] == "start: years that lack a number, and are left out: 2023."
    added = simengine.fit_totals(path, {"totals": {"entries": {"where": {"insats": ["HVB", "jourhem"]}}}})
    assert shown(added, "entries") == {"": {2021: 130, 2022: 110}}


@pytest.mark.parametrize(
    ("text", "asked", "message"),
    [
        (long_text(";", ",", "X"), {}, "totals: the mapping must say what the table holds: `entries`, `start` or `cost_per_day`"),
        (
            long_text(";", ",", "X"),
            {"entries": {}},
            "must say which words of the column `Insats` count, for a total may stand among its parts; found HVB, Jourhem",
        ),
        (long_text(";", ",", "X"), {"entries": {"where": {"Insatser": "HVB"}}}, "must name headers of the table; found 'Insatser'"),
        (long_text(";", ",", "X"), {"entries": {"where": {"Insats": "HVP"}}}, "must be words of the column `Insats`; found 'HVP'"),
        (long_text(";", ",", "X"), {**ASKED, "from_year": 2024}, "must hold numbers from 2024 on; found the last of 2023"),
        (long_text(";", ",", "tolv"), ASKED, "totals: line 4: must be an amount, as 4 250,50 or 4250.50; found 'tolv'"),
        (
            long_text(";", ",", "X").replace("2022", "i fjol"),
            ASKED,
            "totals: line 3: a year must be a year, as 2023; found 'i fjol'",
        ),
        ("Insats;Antal\nHVB;3\n", ASKED, "a column must hold the year, or the headers must end in years; found 'Insats', 'Antal'"),
        ("Insats;År;Mängd\nHVB;2020;3\n", ASKED, "a column must hold the numbers; found no ordinary header"),
        ("Insats;År;Antal;Värde\nHVB;2020;3;4\n", ASKED, "one column must hold the value; found 'Antal', 'Värde'"),
        ('{"a": 1}', ASKED, "must be a table of PxWeb, of JSON-stat 2 or of Kolada; found the keys a"),
        ('{"a": ', ASKED, "must be JSON, where it begins as JSON"),
        (
            '{"id": ["a"], "size": [2], "dimension": {}, "value": []}',
            ASKED,
            "must have all that its form of JSON has; found KeyError: 'a'",
        ),
        ("Insats;2021\nHVB;1,234\n", ASKED, "numbers must show whether a comma or a point separates decimals; found '1,234'"),
    ],
)
def test_table_that_cannot_be_used__says_so(text: str, asked: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "totals").write_text(text, encoding="utf-8")
    with pytest.raises(SimengineError) as error:
        simengine.fit_totals(tmp_path / "totals", {"totals": asked})
    assert message in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_study_with_other_strata__is_refused() -> None:
    with pytest.raises(StudyError, match="must have one stratum where the table says where people begin"):
        simengine.fit_totals(FILE, MAPPING, into=TINY)


def test_command__writes_what_was_fitted(tmp_path: Path) -> None:
    done = in_this_process(["fit", "--totals", FILE, "--mapping", MAPPING, "-o", "fitted"], tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "fitted" / "fit.json").read_text())
    assert told["section"] == yaml.safe_load((tmp_path / "fitted" / "totals_section.yaml").read_text())
    assert (
        (tmp_path / "fitted" / "run-again.txt")
        .read_text()
        .startswith("simengine fit --totals totals_made_up.csv --pathway pathway.yaml")
    )
    beside = in_this_process(["fit", "--totals", FILE, "--scores", FILE, "--small-cells", "9"], tmp_path)
    assert (beside.returncode, beside.stderr) == (
        2,
        "simengine: --totals: must stand without tables of people and their options; found --scores, --small-cells. Leave them out\n",
    )
