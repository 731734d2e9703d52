"""The notebooks run from top to bottom, each in an empty folder, and show what they say they show."""

from __future__ import annotations

import ast
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tests.conftest import CHECKOUT

NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.py"))


def execute(text: str, folder: Path) -> NotebookNode:
    notebook = jupytext.reads(text, fmt="py:percent")
    NotebookClient(notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def output_kinds(notebook: NotebookNode) -> set[str]:
    return {
        kind for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs for kind in output.get("data", {})
    }


def private_imports(text: str) -> list[str]:
    """List the modules of the package that a notebook imports: what readers are offered is in `simengine` itself."""
    nodes = list(ast.walk(ast.parse(text)))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return [module for module in modules if module.startswith("simengine.")]


def test_notebooks__exist() -> None:
    assert [path.name for path in NOTEBOOKS] == ["bench.py", "norrkoping.py", "sizing.py"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook__runs_and_shows_tables_and_a_picture(path: Path, tmp_path: Path) -> None:
    notebook = execute(path.read_text(encoding="utf-8"), tmp_path)
    assert {"image/png", "text/html"} <= output_kinds(notebook)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook__imports_what_is_public(path: Path) -> None:
    assert private_imports(path.read_text(encoding="utf-8")) == []


def test_private_imports__are_seen() -> None:
    text = "import pandas\nfrom simengine import ask\nfrom simengine.risk import limits\nimport simengine.report.document\n"
    assert private_imports(text) == ["simengine.risk", "simengine.report.document"]


def test_execute__a_cell_that_fails_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="no statistic of this name"):
        execute("# %%\nraise KeyError('no statistic of this name')\n", tmp_path)
