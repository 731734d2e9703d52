"""Exported tables: they are the run, replication by replication, in every format, and each column is told."""

import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from pyarrow import parquet

from docs import columns as page_of_columns
from simengine import ask, export_run, find_study, load_study, run
from simengine.errors import ResultsError, UsageError
from simengine.export import files
from simengine.export.columns import TABLES
from simengine.questions.trace.answer import trace
from simengine.report.checksums import verify
from tests.command import in_this_process
from tests.seals.conftest import change_cash

N = 60


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By name: a run of two lenders, one measured twice, one of a rate card; and their exports, `<name>_data`."""
    place = tmp_path_factory.mktemp("export")
    asked = {"two_lenders": ("two_lenders", N), "measured": ("tiny", N, "--measured", 2), "card": ("fair_chance_fund", 12)}
    for name, (study, n, *more) in asked.items():
        done = in_this_process(["run", find_study(study), "-n", n, "--seed", 3, *more, "-o", place / name])
        assert done.returncode == 0, done.stderr
        export_run(place / name, place / f"{name}_data")
    return {path.name: path for path in place.iterdir()}


def read(folder: Path, table: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{table}.parquet")


def test_cash__is_that_of_the_run(folders):
    # Source: the rows of the run, and the answer of `cash`, which adds up accounts where this table adds up postings.
    cash, kept = read(folders["two_lenders_data"], "cash"), pd.read_parquet(folders["two_lenders"] / "replications.parquet")
    total = cash.groupby(["replication", "party"], observed=True)["amount"].sum().unstack(fill_value=0)
    for party in ("bank", "foundation", "region", "service_provider", "suppliers"):
        np.testing.assert_allclose(total[party], kept[f"{party}.cash"], atol=1e-6)
    np.testing.assert_allclose(cash.groupby(["replication", "month"])["amount"].sum(), 0, atol=1e-6)
    assert (cash["amount"] != 0).all()
    months = ask("cash", load_study(find_study("two_lenders")), n=N, seed=3).to_pandas_by_row()
    mine = cash[cash["party"] == "bank"].groupby(["replication", "month"])["amount"].sum()
    theirs = months[months["party"] == "bank"].set_index(["replication", "month"])["cash"]
    np.testing.assert_allclose(mine.reindex(theirs.index, fill_value=0), theirs, atol=1e-6)


def test_cash_by_year__adds_the_months_up(folders):
    # Slow twin: a group by of the postings.
    data = folders["two_lenders_data"]
    cash, years = read(data, "cash"), read(data, "cash_by_year")
    cash["year"] = cash["date"].astype(str).str[:4].astype(int)
    added = cash.groupby(["replication", "year", "party"], observed=True)["amount"].sum()
    told = years.set_index(["replication", "year", "party"])["amount"]
    np.testing.assert_allclose(added.reindex(told.index, fill_value=0), told, atol=1e-6)
    last = years[years["year"] == years["year"].max()].set_index(["replication", "party"])["cumulative"]
    np.testing.assert_allclose(last, told.groupby(["replication", "party"], observed=True).sum().reindex(last.index), atol=1e-6)
    summary = read(data, "cash_by_year_summary").set_index(["year", "party", "quantity", "statistic"])
    of = years[(years["year"] == 2033) & (years["party"] == "bank")]["cumulative"]
    assert summary.loc[(2033, "bank", "cumulative", "mean"), "value"] == pytest.approx(of.mean())
    assert summary.loc[(2033, "bank", "cumulative", "mean"), "se"] == pytest.approx(of.std() / np.sqrt(N))
    assert "p05" not in summary.index.get_level_values("statistic")


def test_inputs_and_results__are_those_of_the_run(folders):
    # Source: the draws of the same run from Python, and the rows that it kept.
    drawn = run(load_study(find_study("tiny")), N, 3, measured=2).draws()
    inputs = read(folders["measured_data"], "inputs").set_index(["replication", "measurement"]).sort_index()
    pd.testing.assert_frame_equal(inputs[list(drawn.columns)], drawn, check_index_type=False)
    kept = pd.read_parquet(folders["measured"] / "replications.parquet")
    results = read(folders["measured_data"], "results")
    for party in ("investor", "outcome_payer", "service_provider"):
        own = results[results["party"] == party]
        for name in ("cash", "net", "npv", "irr", "payment"):
            if f"{party}.{name}" in kept:
                np.testing.assert_array_equal(own[name], kept[f"{party}.{name}"])
            else:
                assert own[name].isna().all()
        assert list(own["measurement"]) == [1, 2] * N
        assert list(own["group"]) == list(kept["group"])


@pytest.mark.parametrize("measurement", [1, 2])
def test_metrics_and_outcomes__are_those_of_a_trace(measurement, folders):
    # Source: one replication followed line by line.
    study = load_study(find_study("tiny"))
    from simengine.sampling import Sampling

    found = trace(study, 3, 7, Sampling(False, {}, 2), measurement=measurement)
    metrics = read(folders["measured_data"], "metrics").query("replication == 7 and measurement == @measurement and wave == ''")
    told = {row["metric"]: (row["estimate"], row["standard_error"], row["truth"]) for row in found.metrics}
    assert {row.metric: (row.estimate, row.standard_error, row.truth) for row in metrics.itertuples()} == told
    outcomes = read(folders["measured_data"], "outcomes").query("replication == 7")
    for row in found.outcomes:
        mine = outcomes[(outcomes["outcome"] == row["outcome"]) & (outcomes["arm"] == row["arm"])]
        mine = mine[mine["window_months"] == row["window_months"]]
        assert (mine["mean"] * mine["persons"]).sum() == pytest.approx(row["sum"])
        assert mine["persons"].sum() == row["persons"]


def test_reached__adds_up_to_the_numbers_of_the_run(folders):
    kept = pd.read_parquet(folders["card"] / "replications.parquet")
    reached = read(folders["card_data"], "reached").groupby(["replication", "outcome"], observed=True)["number"].sum().unstack()
    assert reached.to_numpy().sum() > 0
    for outcome in reached:
        np.testing.assert_allclose(reached[outcome], kept[f"outcome.{outcome}.number"])


def test_summary__is_that_of_the_run(folders):
    said = json.loads((folders["two_lenders"] / "summary.json").read_text())
    summary = read(folders["two_lenders_data"], "summary").set_index("statistic")
    assert summary.loc["bank.net.mean", ["value", "se"]].tolist() == list(said["bank"]["net"]["mean"].values())


def test_formats__hold_the_same(folders, tmp_path):
    export_run(folders["measured"], tmp_path / "csv", format="csv")
    export_run(folders["measured"], tmp_path / "excel", format="excel")
    sheets = pd.read_excel(tmp_path / "excel" / "data.xlsx", sheet_name=None, keep_default_na=False, na_values=[""])
    for path in sorted(folders["measured_data"].glob("*.parquet")):
        table = pd.read_parquet(path)
        plain = table.astype({name: str for name in table if table[name].dtype == "category"}).replace("", np.nan)
        for other in (pd.read_csv(tmp_path / "csv" / f"{path.stem}.csv", keep_default_na=False, na_values=[""]), sheets[path.stem]):
            assert list(other) == list(plain)
            assert len(other) == len(plain)
            for name in plain:
                if plain[name].dtype.kind in "if":
                    np.testing.assert_allclose(other[name].astype(float), plain[name].astype(float), rtol=1e-15)
                else:
                    assert list(other[name].astype(str)) == list(plain[name].astype(str)), (path.stem, name)
    book = openpyxl.load_workbook(tmp_path / "excel" / "data.xlsx")
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n", "b", "inlineStr"}


def test_dictionary__tells_every_column_of_every_file(folders):
    tables = set()
    for name in ("two_lenders_data", "measured_data", "card_data"):
        verify(folders[name], ("columns.json",))
        said = json.loads((folders[name] / "columns.json").read_text())["tables"]
        assert {one["file"] for one in said.values()} == {path.name for path in folders[name].glob("*.parquet")}
        for table, one in said.items():
            schema = parquet.read_schema(folders[name] / one["file"])
            assert schema.names == [column["name"] for column in one["columns"]], table
            assert one["rows"] == parquet.read_metadata(folders[name] / one["file"]).num_rows
            for column in one["columns"]:
                assert column["meaning"]
                assert schema.field(column["name"]).metadata == {
                    b"unit": column["unit"].encode(),
                    b"meaning": column["meaning"].encode(),
                }
        tables |= said.keys()
    assert tables == {table.name for table in TABLES}


def test_page_of_columns__is_that_of_the_registry():
    assert page_of_columns.PAGE.read_text(encoding="utf-8") == page_of_columns.page(), "run `python -m docs.columns`"


@pytest.mark.parametrize("format_", ["parquet", "csv", "excel"])
def test_export__is_the_same_at_any_number_of_threads(format_, folders, tmp_path):
    for threads in (1, 3):
        export_run(folders["measured"], tmp_path / str(threads), format=format_, threads=threads)
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert [(tmp_path / "1" / name).read_bytes() for name in names] == [(tmp_path / "3" / name).read_bytes() for name in names]


def test_refusals__leave_nothing(folders, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="--format: must be"):
        export_run(folders["card"], tmp_path / "a", format="xml")
    with pytest.raises(ResultsError, match="must be a file of a folder that `simengine run -o` wrote"):
        export_run(tmp_path, tmp_path / "a")
    changed = tmp_path / "changed"
    shutil.copytree(folders["measured"], changed)
    change_cash(changed, "investor.cash")
    with pytest.raises(ResultsError, match=r"found other values of investor\.cash"):
        export_run(changed, tmp_path / "a")
    monkeypatch.setattr(files, "MOST_ROWS", 100)
    done = in_this_process(["export", folders["measured"], "-o", tmp_path / "a", "--format", "excel"])
    assert (done.returncode, done.stdout) == (2, "")
    assert "--format excel: a sheet of Excel must have 100 rows at most; found more of `" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["changed"]


def test_command__says_where_the_tables_are(folders, tmp_path):
    done = in_this_process(["export", folders["card"], "-o", tmp_path / "tables", "--format", "csv"])
    assert (done.returncode, done.stdout) == (0, f"Tables: {tmp_path / 'tables'}\n")
    again = in_this_process(["export", folders["card"], "-o", tmp_path / "tables"])
    assert (again.returncode, again.stdout) == (2, "")
    assert "the folder must be new or empty; found files in it" in again.stderr
