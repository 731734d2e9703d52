"""The questions that people ask of a deal, as their user meets them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.test_cli import call, refusal, without_provenance

OTHER = CHECKOUT / "configs" / "contracts" / "norrkoping_reading_b.yaml"
NORRKOPING = CHECKOUT / "configs" / "norrkoping.yaml"
ASKED = {
    "compare": (NORRKOPING, OTHER, "-n", 200, "--level", 0.5),
    "stress": (NORRKOPING, "-n", 200, "--level", 0.5, "--stress", "volume"),
    "reverse": (NORRKOPING, "-n", 100, "--panel", 4, "--reverse", "investor.loss > 50%"),
    "sensitivity": (NORRKOPING, "-n", 20, "--points", 16, "--trajectories", 4, "--panel", 2, "--party", "investor"),
    "attribute": (NORRKOPING, "-n", 100, "--level", 0.9, "--party", "investor"),
}
KEYS = {
    "compare": {"titles", "parties", "standings", "switches", "quantiles"},
    "stress": {"base", "stresses", "not_applicable", "parties", "level"},
    "reverse": {"criterion", "p_break", "nearest", "boxes", "n_panel", "n_assumptions"},
    "sensitivity": {"measure", "groups", "parties", "n_points"},
    "attribute": {"layers", "burdens", "portions", "level", "measure"},
}


def command(name: str) -> str:
    return "stress" if name == "reverse" else name


@pytest.mark.parametrize("name", list(ASKED))
def test_answer__is_a_table_a_picture_and_one_json_object_that_runs_again(name: str, tmp_path: Path) -> None:
    done = call(command(name), *ASKED[name], "--seed", 1, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "seed 1" in done.stdout
    assert "±" in done.stdout
    folder, stem = tmp_path / "out", command(name)
    kept = (folder / f"{stem}.json").read_text()
    content = json.loads(kept)
    assert KEYS[name] | {"title", "currency", "seed", "replications", "provenance"} <= set(content)
    assert (folder / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    import shlex

    again = call(*shlex.split((folder / "run-again.txt").read_text())[1:], "--json", "--threads", 2, cwd=folder)
    assert again.returncode == 0, again.stderr
    assert without_provenance(again.stdout) == without_provenance(kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", NORRKOPING, OTHER, "--level", 1), "--level: the level of a tail must lie between 0 and 1; found 1"),
        (("compare", NORRKOPING, OTHER, OTHER), "CONTRACT: each must have a name of its own, that of its file"),
        (("attribute", NORRKOPING, "--level", 0, "-n", 100), "--level: the level of a tail must lie between 0 and 1; found 0"),
        (
            ("attribute", NORRKOPING, "-n", 125, "--party", "bank"),
            "--party: must be a party whose money the study moves; found `bank`",
        ),
        (("stress", NORRKOPING, "--stress", "plague"), "found 'plague'. One of: volume"),
        (("stress", NORRKOPING, "--reverse", "investor"), "--reverse: must be `<party>"),
        (("stress", NORRKOPING, "--boxes"), "--boxes: must be asked together with --reverse; found it alone"),
        (
            ("stress", NORRKOPING, "--stress", "volume", "--reverse", "investor.loss > 0"),
            "--stress: must stand without --reverse; found both",
        ),
        (("sensitivity", NORRKOPING, "-n", 2, "--points", 100), "--points: must be a power of 2, at least 16; found 100"),
    ],
)
def test_nonsense__is_refused(arguments: tuple[object, ...], message: str) -> None:
    assert message in refusal(*arguments)


def test_boxes__without_the_workbench_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from simengine.errors import UsageError
    from simengine.questions.reverse.boxes import require_workbench

    # A part that was loaded before would be found without the whole.
    for name in ["ema_workbench", *(name for name in sys.modules if name.startswith("ema_workbench."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"Install it with `pip install 'simengine\[discovery\]'`"):
        require_workbench()


@pytest.fixture
def other_workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place from which another workbench is loaded, as long as a test lasts."""
    monkeypatch.syspath_prepend(tmp_path)
    own = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "ema_workbench"}
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "ema_workbench"]:
        del sys.modules[name]
    sys.modules.update(own)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "import a_package_gone",
            "it is installed, but found ModuleNotFoundError: No module named 'a_package_gone'",
        ),
        ("raise AttributeError('_ARRAY_API\\n not found')", "but found AttributeError: _ARRAY_API not found. Install it"),
    ],
)
def test_boxes__with_a_broken_workbench_say_what_is_broken(content: str, message: str, other_workbench: Path) -> None:
    from simengine.errors import UsageError
    from simengine.questions.reverse.boxes import require_workbench

    (other_workbench / "ema_workbench").mkdir()
    (other_workbench / "ema_workbench" / "__init__.py").write_text(content)
    with pytest.raises(UsageError) as refused:
        require_workbench()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("version", "fits"), [("2.5.0", True), ("2.99", True), ("3.0.0", False), ("10.1", False)])
def test_boxes__refuse_a_workbench_that_is_called_in_another_way(version: str, fits: bool, other_workbench: Path) -> None:
    from simengine.errors import UsageError
    from simengine.questions.reverse.boxes import require_workbench

    package, facts = other_workbench / "ema_workbench" / "analysis", other_workbench / f"ema_workbench-{version}.dist-info"
    package.mkdir(parents=True)
    facts.mkdir()
    for path in (package.parent / "__init__.py", package / "__init__.py", package / "prim.py"):
        path.write_text("")
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ema-workbench\nVersion: {version}\n")
    if fits:
        assert require_workbench().__name__ == "ema_workbench.analysis.prim"
        return
    with pytest.raises(UsageError, match=rf"must be below 3; found {version}"):
        require_workbench()


def test_boxes__none_found_is_said_and_not_asked_is_null() -> None:
    from dataclasses import replace

    from rich.console import Console

    from simengine.config import find_study, load_study
    from simengine.questions.reverse.answer import read_criterion, reverse_stress
    from simengine.questions.reverse.tables import reverse_tables
    from simengine.replications.ensemble import Ensemble
    from simengine.report.answers import answer

    study = load_study(find_study("tiny"))
    found = reverse_stress(study, read_criterion("investor.loss > 10%"), Ensemble(1, 60), 4)
    console = Console(width=140)
    shown = {}
    for name, boxes in (("not asked", None), ("none", ())):
        with console.capture() as capture:
            console.print(reverse_tables(study, replace(found, boxes=boxes)))
        shown[name] = capture.get()
    assert found.boxes is None
    assert answer(study, found)["boxes"] is None
    assert "No box" in shown["none"]
    assert "No box" not in shown["not asked"]
