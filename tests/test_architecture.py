"""The map against the land: import rules, the tree in ARCHITECTURE.md, the public names, the limits on size."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import simengine
from simengine.cohort.outcomes import OUTCOME_KINDS
from simengine.contract.terms import FAMILIES, TERM_KINDS
from tests.conftest import CHECKOUT

SOURCES = sorted((CHECKOUT / "simengine").rglob("*.py"))


def test_imports__point_one_way(checkout: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_map__names_every_module_and_folder(checkout: Path) -> None:
    text = (checkout / "ARCHITECTURE.md").read_text()
    tree = text[text.index("simengine/\n") : text.index("\nconfigs/")]
    listed = {name.rstrip("/") for name in re.findall(r"\b(\w+\.py|\w+/)", tree)} - {"simengine"}
    package = checkout / "simengine"
    existing = {p.name for p in package.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    existing |= {p.name for p in package.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert existing <= listed
    assert {name for name in listed if not (package / name).exists() and not list(package.rglob(name))} == set()


def test_list_of_files__is_that_of_the_package(checkout: Path) -> None:
    files = runpy.run_path(str(checkout / "docs" / "files.py"))
    assert files["PAGE"].read_text(encoding="utf-8") == files["page"](), "run `python docs/files.py`"


def test_quick__names_what_there_is(checkout: Path) -> None:
    listed = re.search(r"^QUICK := (.*?)(?<!\\\\)\n", (checkout / "Makefile").read_text(), re.MULTILINE | re.DOTALL)
    assert listed is not None
    paths = [word for word in listed[1].split() if word != "\\"]
    assert len(paths) > 5
    assert [path for path in paths if not (checkout / path).exists()] == []


def test_page_of_measures__is_that_of_the_registry(checkout: Path) -> None:
    measures = runpy.run_path(str(checkout / "docs" / "measures.py"))
    assert measures["PAGE"].read_text(encoding="utf-8") == measures["page"](), "run `python docs/measures.py`"


def test_places_of_changes__exist(checkout: Path) -> None:
    """Every file and folder that the map names as the place of a change."""
    text = (checkout / "ARCHITECTURE.md").read_text()
    table = text[text.index("## Where a change belongs") :]
    named = [name for name in re.findall(r"`([\w/.]+)`", table) if "/" in name or name.endswith(".py")]
    assert len(named) > 15
    for name in named:
        assert (checkout / "simengine" / name).exists() or (checkout / name).exists(), name


def test_public_names__are_listed_and_importable() -> None:
    for name in simengine.__all__:
        assert getattr(simengine, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        simengine.nonsense  # noqa: B018


def test_import__loads_no_numba() -> None:
    code = "import sys, simengine; print('numba' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_source__is_small_enough_to_read(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and "kernels" not in path.with_suffix("").parts:
            documentation = ast.get_docstring(node, clean=False) or ""
            assert node.end_lineno - node.lineno - documentation.count("\n") <= 60, node.name


def test_kinds_of_outcome__are_known_in_their_room_alone() -> None:
    """Elsewhere the traits of an outcome are asked: nobody can ask for its class who cannot name it."""
    room = CHECKOUT / "simengine" / "cohort" / "outcomes"
    kinds = {kind.__name__ for kind in OUTCOME_KINDS}
    for path in SOURCES:
        text = path.read_text()
        if path.parent != room and "simengine.cohort" in text:
            imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
            named = {one.name for node in imports if (node.module or "").startswith("simengine.cohort") for one in node.names}
            assert not named & {*kinds, "KINDS"}, path


ABOUT_CARDS = ("contract/card*.py", "contract_text/card*.py", "contract/listed.py")
"""Files about rate cards, which alone may name this one kind, and the rows of which it is made."""


def test_kinds_of_term__are_known_in_their_room_alone() -> None:
    """Elsewhere the term is asked: nobody can ask for its class who cannot name it, or look it up by its key."""
    package = CHECKOUT / "simengine"
    room, about_cards = package / "contract" / "terms", {path for pattern in ABOUT_CARDS for path in package.glob(pattern)}
    kinds = {kind.__name__ for kind in TERM_KINDS.values()}
    files = {family.__name__ for family in FAMILIES}
    assert {"RateCard", "FixedAmount"} <= kinds
    assert len(about_cards) > 4
    for path in SOURCES:
        if path.parent == room or "contract.terms" not in path.read_text():
            continue
        names, modules = set[str](), set[str]()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simengine.contract.terms"):
                names |= {one.name for one in node.names}
                modules |= {node.module or "", *(f"{node.module}.{one.name}" for one in node.names)}
            elif isinstance(node, ast.Import):
                modules |= {one.name for one in node.names}
        excused = {"RateCard", "simengine.contract.terms.rate_card"} if path in about_cards else set()
        assert not (names & {*kinds, "TERM_KINDS", "FAMILIES"} | modules & files) - excused, path


def test_numba_flags__stand_in_one_place() -> None:
    for path in SOURCES:
        if path.name != "compilation.py":
            assert "njit" not in path.read_text(), path


def test_versions__agree(checkout: Path) -> None:
    version = f'version = "{simengine.__version__}"'
    assert version in (checkout / "pyproject.toml").read_text()
    assert f"version: {simengine.__version__}" in (checkout / "CITATION.cff").read_text()


def test_committed_text__names_no_registry_and_no_machine(checkout: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=checkout, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"(?:pypi|npmjs)\.(?:org|com)|(?<![\w.])/(?:home|Users)/\w")
    for name in listed.stdout.split("\n"):
        path = checkout / name
        if (
            path.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ".cff", ""}
            and path.is_file()
            and path.name != Path(__file__).name
        ):
            assert not pattern.search(path.read_text()), name
