"""The adapters that the page shows, and the pages that the program writes."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from docs import bench as family_pages
from simengine.bench import run_methods
from verification.bench.outside import ADAPTERS, shown_adapters


@pytest.mark.parametrize("method", ADAPTERS)
def test_adapter__fits_in_twenty_lines_and_runs(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library, problems, budget = ADAPTERS[method]
    pytest.importorskip(library, exc_type=ImportError)
    module = method.partition(":")[0]
    source = shown_adapters()[f"{module}.py"]
    assert len([line for line in source.splitlines() if line]) <= 20
    (tmp_path / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    attempts = run_methods([method], problems[:1], budgets=[min(budget, 8000)], repeats=1)
    assert [(one.status, one.message) for one in attempts] == [("done", "")]
    assert 0 < attempts[0].replications <= budget


def test_pages_of_families__are_those_of_the_cards() -> None:
    assert [path.name for path, text in family_pages.pages().items() if path.read_text() != text] == [], (
        "run `python -m docs.bench`"
    )
