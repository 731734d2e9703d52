"""What the page on other programs shows of DuckDB, EMA Workbench and R is run where they are installed."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simengine import export_run, find_study
from tests.command import in_this_process
from tests.conftest import CHECKOUT

PAGE = (CHECKOUT / "docs" / "how-to" / "analyse-a-run-elsewhere.md").read_text()


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    done = in_this_process(["run", find_study("tiny"), "-n", 400, "--seed", 1, "-o", tmp_path / "kept"])
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    return export_run("kept", "tables")


def shown(library: str, language: str = "python") -> str:
    return next(body for body in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if library in body)


@pytest.mark.parametrize("library", ["duckdb", "ema_workbench"])
@pytest.mark.filterwarnings("ignore")
def test_snippet__runs(library, tables, capsys):
    pytest.importorskip(library)
    names: dict[str, object] = {}
    exec(shown(library), names)
    if library == "duckdb":
        printed = capsys.readouterr().out
        years = pd.read_parquet("tables/cash_by_year.parquet").query("party == 'investor'").groupby("year").amount.mean()
        assert all(str(year) in printed and f"{mean:.1f}" in printed for year, mean in years.round().items())
    else:
        assert names["box"] is not None


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r__reads_the_tables_and_finds_the_quantiles(tables: Path) -> None:
    """Source: the order statistics of the rows, by NumPy; the draws under the paths of their numbers."""
    export_run("kept", "tables-csv", format="csv")
    code = (
        shown("read.csv", "r").replace("quantile(", "found <- quantile(")
        + "cat(sprintf('%.10g', found), names(inputs), sep = '\\n')"
    )
    done = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True)

    found, names = done.stdout.splitlines()[:3], done.stdout.splitlines()[3:]
    results = pd.read_parquet("tables/results.parquet").query("party == 'investor'").net
    assert [float(one) for one in found] == pytest.approx(np.quantile(results, [0.05, 0.5, 0.95], method="inverted_cdf"), rel=1e-9)
    assert names == list(pd.read_parquet("tables/inputs.parquet"))
