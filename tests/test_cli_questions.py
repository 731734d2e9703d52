"""The questions that people ask of a deal, as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.test_cli import call, refusal, without_provenance

OTHER = CHECKOUT / "configs" / "contracts" / "norrkoping_reading_b.yaml"
NORRKOPING = CHECKOUT / "configs" / "norrkoping.yaml"
ASKED = {
    "compare": (NORRKOPING, OTHER, "-n", 200, "--level", 0.5),
    "stress": (NORRKOPING, "-n", 200, "--level", 0.5, "--stress", "volume"),
    "reverse": (NORRKOPING, "-n", 100, "--luck", 4, "--reverse", "investor.loss > 50%"),
    "sensitivity": (NORRKOPING, "-n", 20, "--points", 16, "--trajectories", 4, "--luck", 2, "--party", "investor"),
    "attribute": (NORRKOPING, "-n", 100, "--level", 0.9, "--party", "investor"),
}
KEYS = {
    "compare": {"titles", "parties", "standings", "switches", "quantiles"},
    "stress": {"base", "stresses", "not_applicable", "parties", "level"},
    "reverse": {"criterion", "p_break", "nearest", "boxes", "n_luck", "n_assumptions"},
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

    again = call(*shlex.split((folder / "run-again.txt").read_text())[1:], "--json", "--threads", 1, cwd=folder)
    assert again.returncode == 0, again.stderr
    assert without_provenance(again.stdout) == without_provenance(kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", NORRKOPING, OTHER, "--level", 1), "--level: the level of a tail must lie between 0 and 1; found 1"),
        (("compare", NORRKOPING, OTHER, OTHER), "CONTRACT: each contract has a file name of its own"),
        (("attribute", NORRKOPING, "--level", 0, "-n", 100), "--level: the level of a tail must lie between 0 and 1; found 0"),
        (
            ("attribute", NORRKOPING, "-n", 125, "--party", "bank"),
            "--party: a party of the study whose money is counted; found 'bank'",
        ),
        (("stress", NORRKOPING, "--stress", "plague"), "found 'plague'. One of: volume"),
        (("stress", NORRKOPING, "--reverse", "investor"), "--reverse: `<party>"),
        (("stress", NORRKOPING, "--boxes"), "--boxes: boxes are looked for together with --reverse"),
        (("stress", NORRKOPING, "--stress", "volume", "--reverse", "investor.loss > 0"), "is no part of a search"),
        (("sensitivity", NORRKOPING, "-n", 2, "--points", 100), "--points: a power of 2, at least 16; found 100"),
    ],
)
def test_nonsense__is_refused(arguments: tuple[object, ...], message: str) -> None:
    assert message in refusal(*arguments)


def test_boxes__without_the_workbench_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from simengine.analysis.scenarios import require_workbench
    from simengine.errors import UsageError

    monkeypatch.setitem(sys.modules, "ema_workbench.analysis", None)
    with pytest.raises(UsageError, match=r"Install it with `pip install 'simengine\[discovery\]'`"):
        require_workbench()
