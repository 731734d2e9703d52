"""What the page on other programs shows of DuckDB and EMA Workbench is run where they are installed."""

import re
from pathlib import Path

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


def shown(library: str) -> str:
    return next(body for body in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if library in body)


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
