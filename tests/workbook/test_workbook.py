"""The workbook: every formula comes to what the program found, recalculated by another hand, and no text ever runs."""

import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from math import ceil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import pyxirr
import yaml

from simengine import find_study, write_workbook
from simengine.errors import ResultsError, UsageError
from simengine.languages.language import Language, language, languages
from simengine.records import LIMITS, PROJECT, SUPPLIERS
from simengine.report.kept import read_run
from simengine.risk.returns import STATUSES
from simengine.workbook import words
from simengine.workbook.book import cell_reference
from simengine.workbook.dated import rate_by_days
from simengine.workbook.figures import labels_of
from simengine.workbook.told import PLACES, choose
from tests.command import in_this_process
from tests.conftest import CHECKOUT, sized
from tests.documents.sentences import sentences
from tests.seals.conftest import change_cash, kept_run
from tests.workbook.evaluator import Sheets

CARD = re.search(
    r"<!-- save card.yaml -->\n\n```yaml\n(.*?)^```$",
    (CHECKOUT / "docs" / "how-to" / "finance-a-rate-card.md").read_text(),
    re.DOTALL | re.MULTILINE,
)
MONEY, RATE = "#,##0.00", "0.00 %"
IN_SWEDISH = "[$-41D]"
"""Before a format: numbers and dates as in Sweden (LCID 0x041D of Microsoft's list of languages)."""
TOLERANCE = {MONEY: 0.005, f"{IN_SWEDISH}{MONEY}": 0.005}
"""By format: money agrees to the smallest unit; what else there is, to 1e-8."""
NO_OFFICE = "LibreOffice (`soffice`) is not installed: workbooks are recalculated by the tests' own reader of formulas alone"
# openpyxl warns of charts that it cannot read, which no test looks at.
pytestmark = pytest.mark.filterwarnings("ignore:Unable to read chart")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By name: the folder of a run. A loan with a guarantee, a line of credit, two lenders with two payers."""
    place = tmp_path_factory.mktemp("runs")
    assert CARD is not None
    (place / "card.yaml").write_text(CARD[1])
    studies = {"norrkoping": find_study("norrkoping"), "card": place / "card.yaml", "two_lenders": find_study("two_lenders")}
    return {name: kept_run(place / name, study, "-n", 300, "--seed", 5) for name, study in studies.items()}


@pytest.fixture(scope="module")
def books(runs: dict[str, Path]) -> dict[str, Path]:
    """By name: the workbook of a run; and that of the line of credit in Swedish."""
    found = {name: write_workbook(run, run.parent / f"{name}.xlsx") for name, run in runs.items()}
    return found | {"swedish": write_workbook(runs["card"], runs["card"].parent / "swedish.xlsx", language="sv")}


def read(place: Path, *, values: bool = False) -> openpyxl.Workbook:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(place, data_only=values)


def differing(place: Path, found: object) -> list[tuple[object, ...]]:
    """List the formula cells whose kept value is none, or not what another hand found; found: from sheet, row and column."""
    formulas, kept, wrong, count = read(place), read(place, values=True), [], 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                count += 1
                held, other = kept[sheet.title][cell.coordinate].value, found(sheet.title, cell.row, cell.column)
                if isinstance(held, str) or isinstance(other, str) or held is None:
                    agrees = held is not None and held == other
                else:
                    agrees = abs(held - other) <= TOLERANCE.get(cell.number_format, 1e-8)
                if not agrees:
                    wrong.append((sheet.title, cell.coordinate, cell.value, held, other))
    assert count > 1000
    return wrong


@pytest.mark.parametrize("name", ["norrkoping", "card", "two_lenders", "swedish"])
def test_every_formula__comes_to_the_value_that_it_holds(name, books):
    # Slow twin: formulas read and worked out by `evaluator.py`; XIRR by pyxirr, IRR by the roots of its polynomial.
    assert differing(books[name], Sheets(read(books[name])).value) == []


def recalculated(place: Path, folder: Path) -> openpyxl.Workbook:
    """Let LibreOffice work out every formula anew, in a profile of its own, and read what it found."""
    settings = (
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">'
        "<value>0</value></prop></item></oor:items>"
    )
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(settings)
    command = [
        "soffice",
        "--headless",
        f"-env:UserInstallation={profile.as_uri()}",
        "--convert-to",
        "xlsx",
        "--outdir",
        folder,
        place,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return read(folder / place.name, values=True)


@pytest.mark.skipif(shutil.which("soffice") is None, reason=NO_OFFICE)
@pytest.mark.parametrize("name", ["norrkoping", "card", "two_lenders", "swedish"])
def test_libreoffice__finds_the_same(name, books, tmp_path):
    # Another program: LibreOffice Calc.
    other = recalculated(books[name], tmp_path)
    assert differing(books[name], lambda sheet, row, column: other[sheet].cell(row, column).value) == []


def test_differing__sees_a_value_that_is_off_by_a_cent(books, tmp_path):
    """A planted error: the smallest one that may not pass."""
    sheets = Sheets(read(books["card"]))
    wrong = differing(
        books["card"], lambda *where: sheets.value(*where) + 0.01 if where == ("Expected cash", 6, 3) else sheets.value(*where)
    )
    assert [one[:2] for one in wrong] == [("Expected cash", "C6")]


def table_of(book: openpyxl.Workbook, sheet: str, title: str) -> pd.DataFrame:
    """Read a part of a sheet: its head below its title, its rows to the first that is empty."""
    rows = [[cell.value for cell in row] for row in book[sheet].iter_rows()]
    begin = next(place for place, row in enumerate(rows) if row[0] == title)
    width = next((column for column, name in enumerate(rows[begin + 1]) if name is None), len(rows[begin + 1]))
    below = []
    for row in rows[begin + 2 :]:
        if row[0] is None:
            break
        below.append(row[:width])
    return pd.DataFrame(below, columns=rows[begin + 1][:width]).set_index(rows[begin + 1][0])


def chosen(run: Path, party: str, place: str) -> pd.Series:
    rows = pd.read_parquet(run / "replications.parquet").set_index("replication")
    return rows.loc[choose(read_run(run), party)[place][0]]


@pytest.mark.parametrize(("name", "party"), [("norrkoping", "investor"), ("card", "bank"), ("two_lenders", "all_lenders")])
@pytest.mark.parametrize("place", PLACES)
def test_replication__is_that_of_the_run(name, party, place, runs, books):
    # Source: the rows that the run kept.
    book, row = read(books[name], values=True), chosen(runs[name], party, place)
    sheet = words.WORDS[f"sheet.{place}"]
    left = table_of(book, sheet, words.WORDS["replication.left"])
    for one in left.index.intersection([column.removesuffix(".net") for column in row.index if column.endswith(".net")]):
        for column, title in (("cash", "cash"), ("value", "value"), ("net", "net"), ("npv", "NPV")):
            assert left.loc[one, title] == pytest.approx(row[f"{one}.{column}"], abs=0.005), (one, column)
    assert left["cash"].iloc[:-1].sum() == pytest.approx(0, abs=1e-6)
    back = table_of(book, sheet, words.WORDS["replication.returns"])
    lenders = {"norrkoping": {"tranche.loan": "investor"}, "card": {"tranche.line": "bank"}}
    names = lenders.get(name, {"tranche.senior": "bank", "tranche.junior": "foundation", "all_lenders": "all_lenders"})
    assert list(back.index) == list(names)
    for shown, lender in names.items():
        for column, title in (("money_in", "paid in"), ("money_back", "money back"), ("moic", "MOIC"), ("irr", "IRR per year")):
            assert back.loc[shown, title] == pytest.approx(row[f"{lender}.{column}"], rel=1e-9, abs=1e-9), (shown, column)
        assert back.loc[shown, "peak need"] == pytest.approx(row[f"{lender}.peak_funding"])
    if name == "two_lenders":
        assert back.loc["all_lenders", "NPV"] == pytest.approx(row["all_lenders.npv"])
        assert back["share of all paid in"].iloc[:2].sum() == pytest.approx(1)


def test_expected_rate__is_that_of_the_run(runs, books):
    # Source: `irr_of_mean_cash` of the run, from exact moments.
    for name, lender in (("norrkoping", "investor"), ("card", "bank")):
        sheet = read(books[name], values=True)["Expected cash"]
        heads = [cell.value for cell in sheet[4]]
        said = json.loads((runs[name] / "summary.json").read_text())[lender]["irr_of_mean_cash"]["value"]
        assert sheet.cell(9, heads.index(lender) + 1).value == pytest.approx(said, abs=1e-8)


def test_rate__is_an_input(runs, books):
    """Another rate in its cell gives the present values of a study with that rate."""
    other = kept_run(runs["card"].parent / "other", runs["card"] / "study.yaml", "-n", 300, "--seed", 5, "--set",
                     "parties.bank.discount_rate_per_year=0.11")  # fmt: skip
    moved = Sheets(read(books["card"]), rate_bank=0.11)
    row, before = chosen(other, "bank", "median"), chosen(runs["card"], "bank", "median")
    sheet = read(books["card"])["Median"]
    place = next(cell.row for cell in sheet["A"] if cell.value == "bank")
    assert before["bank.net"] == row["bank.net"]
    assert moved.value("Median", place, 7) == pytest.approx(row["bank.npv"], abs=1e-6)
    assert abs(row["bank.npv"] - before["bank.npv"]) > 1


def test_choice__is_the_order_statistic(runs):
    # Slow twin: rank q n, rounded up, of a sorted list.
    for name, party in (("norrkoping", "investor"), ("two_lenders", "bank"), ("card", "service_provider")):
        net = pd.read_parquet(runs[name] / "replications.parquet")[f"{party}.net"]
        found = choose(read_run(runs[name]), party)
        for place, share in PLACES.items():
            rank = max(ceil(round(share * len(net), 6)), 1)
            assert net[found[place][0]] == sorted(net)[rank - 1]
            assert (net[: found[place][0]] != net[found[place][0]]).all()


def test_choice__counts_weights(tmp_path, runs):
    # Hand arithmetic: the cumulative weights of sorted nets.
    run = kept_run(tmp_path / "tilted", find_study("tiny"), "-n", 200, "--seed", 1, "--tilt", "effect.sooner_home.hazard_ratio=-1")
    rows = pd.read_parquet(run / "replications.parquet").sort_values("investor.net", kind="stable")
    share = rows["weight"].cumsum() / rows["weight"].sum()
    found = choose(read_run(run), "investor")["median"][0]
    assert rows.set_index("replication").loc[found, "investor.net"] == rows["investor.net"][share >= 0.5].iloc[0]
    assert rows["investor.net"][share >= 0.5].iloc[0] != np.sort(rows["investor.net"])[99]


HOSTILE = (
    "=1+1",
    "+1+1",
    "-1+1",
    '@SUM("x")',
    '=HYPERLINK("x";"y")',
    "=cmd|' /C calc'!A0",
    "\t=1+1",
    "{=1+1}",
    "http://example.invalid",
)


def test_text__never_runs_as_a_formula(tmp_path, tiny_path):
    study = yaml.safe_load(tiny_path.read_text())
    study["study"]["title"] = HOSTILE[0]
    for party, text in zip(study["parties"].values(), HOSTILE[1:], strict=False):
        party["name"] = text
    study["contract"]["title"] = HOSTILE[4]
    study["study"]["takes_for_granted"] = {
        f"t{n}": {"text": text, "certainty": "M", "source": text} for n, text in enumerate(HOSTILE)
    }
    (tmp_path / "hostile.yaml").write_text(yaml.safe_dump(study))
    run = kept_run(tmp_path / "run", tmp_path / "hostile.yaml", "-n", 100, "--seed", 1)
    place = write_workbook(run, tmp_path / "hostile.xlsx")
    book, seen = read(place), set()
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert re.fullmatch(r"=[\w$':!.,()+*/^\-<>=\" %]+", cell.value)
                    assert not any(text.lstrip("=") in cell.value for text in HOSTILE[3:])
                if cell.data_type == "s" and cell.value in HOSTILE:
                    seen.add(cell.value)
                    assert cell.hyperlink is None
                    assert cell.quotePrefix or not cell.value.startswith(("=", "+", "-", "@", "\t"))
    assert {*HOSTILE[:5]} <= seen
    with zipfile.ZipFile(place) as file:
        drawings = "".join(file.read(name).decode() for name in file.namelist() if "chart" in name)
    assert not any(text in drawings for text in ("1+1", "HYPERLINK", "cmd|"))
    assert differing(place, Sheets(book).value) == []


TABLES = (
    "rates={book: {title: t, dated: '2026-02', source: s, from_year: {1: 0.035, 3: 0.02}}, "
    "curve: {title: t, dated: '2026-02', source: s, real: true, from_calendar_year: {2027: 0.01, 2029: 0.03}}}"
)


@pytest.mark.parametrize("drawing", sized([("--measured", 2)], [(), ("--sobol",), ("--measured", 2), ("--control-variates",)]))
def test_tables_of_rates__and_real_ones_are_formulas_too(drawing, tmp_path, tiny_path):
    study = yaml.safe_load(tiny_path.read_text())
    study |= yaml.safe_load("{" + TABLES.replace("=", ": ", 1) + "}")
    study["prices"] = {"growth_per_year": {"distribution": "uniform", "low": 0.01, "high": 0.04}}
    study["parties"]["investor"] = {"name": "I", "discounting": "book"}
    study["parties"]["outcome_payer"] = {"name": "O", "discounting": "curve"}
    (tmp_path / "rates.yaml").write_text(yaml.safe_dump(study))
    run = kept_run(tmp_path / "run", tmp_path / "rates.yaml", "-n", 256, "--seed", 2, *drawing)
    place = write_workbook(run, tmp_path / "rates.xlsx", party="outcome_payer", every="year")
    assert differing(place, Sheets(read(place)).value) == []
    number, measurement = choose(read_run(run), "outcome_payer")["best"]
    rows = pd.read_parquet(run / "replications.parquet")
    rows = rows[rows["replication"] == number]
    left = table_of(read(place, values=True), "Best", words.WORDS["replication.left"])
    for party in ("investor", "outcome_payer"):
        assert left.loc[party, "NPV"] == pytest.approx(rows.iloc[measurement - 1][f"{party}.npv"])


def test_study_without_lenders__has_a_workbook(tmp_path, runs):
    given = ("contract.commitment=0", "capital.tranches={}", "capital.grants={gift: {giver: foundation, at_most: 200_000}}")
    waterfall = "capital.waterfall={later_costs: {retained: 1}, surplus: {rest: {foundation: 1}}}"
    sets = [word for one in (*given, waterfall) for word in ("--set", one)]
    run = kept_run(tmp_path / "given", runs["card"] / "study.yaml", "-n", 50, "--seed", 1, *sets)
    place = write_workbook(run, tmp_path / "given.xlsx")
    assert differing(place, Sheets(read(place)).value) == []
    assert table_of(read(place, values=True), "Best", words.WORDS["replication.returns"]).empty


def test_equal_runs__give_equal_bytes(runs, books, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = write_workbook(runs["card"], tmp_path / "card.xlsx", threads=1)
    assert again.read_bytes() == books["card"].read_bytes()


def test_inputs__have_names_that_the_first_sheet_lists(books):
    book, held = read(books["two_lenders"]), read(books["two_lenders"], values=True)
    names = {
        f"rate_{party}" for party in ("bank", "foundation", "guarantor", "outcome_payer", "region", "service_provider", "manager")
    }
    names |= {"size_senior", "size_junior"}
    assert names <= set(book.defined_names)
    listed = table_of(held, "About", words.WORDS["about.inputs"])
    first = [cell.value for cell in book["About"]["A"]]
    assert names <= set(first)
    assert len(listed) == len(names) - 1  # the first of them stands where a table has its head
    sheet, place = book.defined_names["size_junior"].attr_text.split("!")
    assert book[sheet.strip("'")][place.replace("$", "")].value == 100_000


def test_sheets__are_those_that_the_first_one_lists(books):
    for place in books.values():
        book = read(place)
        listed = [cell.value for cell in book.worksheets[0]["A"] if cell.hyperlink is not None]
        assert listed == book.sheetnames


def in_other_letters(english: str) -> str:
    """Write a sentence in Cyrillic letters, one for one, but its parts in braces: no two become alike."""
    letters = str.maketrans({chr(code): chr(code + 0x400 - 0x40 + 0x10) for code in (*range(65, 91), *range(97, 123))})
    return "".join(part if part.startswith("{") else part.translate(letters) for part in re.split(r"(\{\w*\})", english))


def test_no_text__comes_from_outside_the_catalogue(runs, books, tmp_path, monkeypatch):
    swedish = language("sv")
    other = Language("sv", swedish.locale, {english: in_other_letters(english) for english in sentences()})
    monkeypatch.setattr("simengine.workbook.write.language_of", lambda _: other)
    place = write_workbook(runs["card"], tmp_path / "other.xlsx")
    content = (runs["card"] / "study.yaml").read_text() + (runs["card"] / "summary.json").read_text() + f" {PROJECT} {SUPPLIERS}"
    for sheet in read(place):
        assert not re.search("[A-Za-z]", sheet.title), sheet.title
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "s"):
            # What a study or the program calls by a name: a path, an account, a line of the ledger, the command that prints the same.
            left = re.sub(
                r"[\w-]+([._][\w-]+)+|p\d\d|simengine trace .*|2030 Q\d|SHA-256|simengine|study.yaml|EUR|GBP|SEK|[0-9a-f]{64}",
                "",
                cell.value,
            )
            unknown = [word for word in re.findall("[A-Za-z]{2,}", left) if word not in content]
            assert unknown == [], cell.value


def test_swedish_workbook__has_the_same_formulas(books):
    english, swedish = read(books["card"]), read(books["swedish"])
    catalogue = language("sv")
    names = dict(zip(english.sheetnames, swedish.sheetnames, strict=True))
    count = 0
    for one, other in zip(english, swedish, strict=True):
        for cell in (cell for row in one.iter_rows() for cell in row):
            there = other[cell.coordinate]
            if cell.data_type != "f":
                continue
            formula = re.sub("'([^']*)'!", lambda found: f"'{names[found[1]]}'!", cell.value)
            formula = re.sub('"(none|found|total_loss)"', lambda found: f'"{catalogue.text(found[1])}"', formula)
            assert there.value == formula
            assert there.number_format == IN_SWEDISH + cell.number_format
            count += 1
    assert count > 1000
    assert (swedish.sheetnames[0], swedish["Sämst"]["A1"].value[:30]) == ("Om arbetsboken", "Den sämsta simuleringen för ba")
    assert any("lånar ut" in str(cell.value) for cell in swedish["Villkor"]["A"])


@pytest.mark.parametrize("code", languages())
def test_names_of_sheets__are_those_that_excel_takes(code):
    titles = [language(code).text(text) for key, text in words.WORDS.items() if key.startswith("sheet.")]
    assert all(0 < len(title) <= 31 and not re.search(r"[\[\]:*?/\\\\]", title) for title in titles)
    assert len({title.casefold() for title in titles}) == len(titles)


@pytest.mark.parametrize("seed", range(5))
def test_rate_by_days__is_that_of_another_library(seed):
    # Another library: pyxirr.
    random = np.random.default_rng(seed)
    dates = [pd.Timestamp(2028 + month // 12, month % 12 + 1, 1).to_pydatetime() for month in range(60)]
    cash = (
        np.where(np.arange(60) < 20, -1.0, 1.0)
        * random.uniform(1, 1000, 60)
        * np.where(np.arange(60) < 20, 1, random.uniform(0, 3))
    )
    expected = pyxirr.xirr(dates, cash / 1000)
    assert rate_by_days(list(cash), dates, 0.02) == pytest.approx(expected, abs=1e-9)
    assert rate_by_days([100.0, 50.0], dates[:2], 0.02) is None


def test_labels__are_told_apart_by_formulas():
    assert labels_of(["a", "A", "false"]) == {"a": "a", "A": "A (2)", "false": "false (1)"}


def test_reference__is_that_of_openpyxl():
    # Another library.
    for column in (0, 25, 26, 701, 702, 16_383):
        letters = openpyxl.utils.get_column_letter(column + 1)
        assert cell_reference(6, column) == f"${letters}$7"


def test_words__are_all_used_and_all_there(checkout):
    text = "".join(path.read_text() for path in (checkout / "simengine" / "workbook").glob("*.py") if path.name != "words.py")
    quoted = set(re.findall(r'"([\w.]+)"', text))
    made = {f"{kind}.{name}" for kind in ("sheet", "holds", "replication.title") for name in (*PLACES, *quoted)}
    made |= {f"{kind}.{style}" for kind in ("style", "about.style") for style in ("input", "given", "value", "formula")}
    made |= {f"status.{status}" for status in STATUSES} | {f"bound.{limit}" for limit in LIMITS}
    assert set(words.WORDS) - quoted - made == set()
    assert made >= {key for key in words.WORDS if key.startswith(("status.", "bound."))}
    assert {f"status.{status}" for status in STATUSES} <= set(words.WORDS)


def test_command__writes_a_new_file_or_nothing(runs, books, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = in_this_process(["workbook", runs["card"], "--party", "service_provider", "--every", "year"])
    assert (done.returncode, done.stdout) == (0, "Workbook: card.xlsx\n")
    assert "service_provider: replication" in str(read(Path("card.xlsx"))["Worst"]["A1"].value)
    for words_given, message in (
        (["-o", "card.xlsx"], "-o card.xlsx: must be the name of a new file; found a file of that name. Give another name"),
        (["-o", "card.csv"], "-o: must be the name of a file that ends in .xlsx; found 'card.csv'"),
        (
            ["-o", "x.xlsx", "--party", "bnak"],
            "--party: must be a party whose money the study moves; found `bnak`. Did you mean `bank`?",
        ),
    ):
        done = in_this_process(["workbook", runs["card"], *words_given])
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"simengine: {message}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.xlsx"]


def test_refusals__leave_nothing(runs, tmp_path, monkeypatch):
    with pytest.raises(ResultsError, match=r"summary\.json: must be a file of a folder that `simengine run -o` wrote"):
        write_workbook(tmp_path, tmp_path / "a.xlsx")
    with pytest.raises(UsageError, match="--language: must be one of en, sv; found 'tlh'"):
        write_workbook(runs["card"], tmp_path / "a.xlsx", language="tlh")
    with pytest.raises(UsageError, match="--every: must be"):
        write_workbook(runs["card"], tmp_path / "a.xlsx", every="week")
    changed = tmp_path / "changed"
    shutil.copytree(runs["card"], changed)
    change_cash(changed, "bank.cash")
    with pytest.raises(ResultsError, match=r"must hold the cash that this version draws; found other values of bank\.cash"):
        write_workbook(changed, tmp_path / "a.xlsx")
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(
        UsageError, match=r"XlsxWriter must be installed; found no `xlsxwriter`. Install it with `pip install 'simengine\[excel\]'`"
    ):
        write_workbook(runs["card"], tmp_path / "a.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["changed"]
