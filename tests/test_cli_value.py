"""The command that says who pays and who saves, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import call, refusal, without_provenance

RICH = "public_value.placement_cost_sek.outcome_payer.value_per_unit=9"


@pytest.mark.usefixtures("pictures_unsaved")
def test_value__json_is_the_same_on_any_threads_and_runs_again(tiny_path: Path, tmp_path: Path) -> None:
    asked = ("value", tiny_path, "-n", 40, "--seed", 0, "--set", RICH)
    one = call(*asked, "--threads", 1, "--json", "-o", "out", cwd=tmp_path)
    other = call(*asked, "--threads", 2, "--block-size", 7, "--json", cwd=tmp_path)
    assert one.returncode == other.returncode == 0, one.stderr
    assert without_provenance(one.stdout) == without_provenance(other.stdout)
    content = json.loads(one.stdout)
    received = content["side_payments"]["proportional"]["received"]
    assert sum(payment["value"] for payment in received.values()) == pytest.approx(0, abs=1e-6)
    assert set(received) == {"investor", "outcome_payer"}
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {"SHA256SUMS", "value.json", "value.png", "run-again.txt", "study.yaml"}
    repeated = call(*(folder / "run-again.txt").read_text().split()[1:], "--json", cwd=folder)
    assert without_provenance(repeated.stdout) == without_provenance((folder / "value.json").read_text())


def test_value__says_that_side_payments_are_not_possible(tiny_path: Path) -> None:
    done = call("value", tiny_path, "-n", 40, "--seed", 0, "--set", "public_value={}")
    assert done.returncode == 0, done.stderr
    assert "not possible: together they lose" in done.stdout


def test_value__refuses_an_actor_that_is_no_party(tiny_path: Path) -> None:
    assert "--among: must be a party whose money the study moves; found `nobody`" in refusal(
        "value", tiny_path, "--among", "investor,nobody"
    )
