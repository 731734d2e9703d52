"""Precision and ways of drawing as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import call, refusal, without_provenance


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--until", "p_loss 0.01"), "--until: a goal must read NAME se<VALUE"),
        (
            ("--until", "p_los se<0.01"),
            "--until: a goal must name a statistic of the risk table; found 'p_los'. Did you mean `p_loss`?",
        ),
        (("--until", "p_loss se<0.01", "-n", 2000), "found -n as well. Use --at-most for a limit"),
        (("--until", "p_loss se<0.01", "--at-most", 10), "from 1,000 replications on; found 10"),
        (("--at-most", 5000), "must stand with --until, which it limits; found none"),
        (("--tilt", "effect.sooner_home.hazard_ratio"), "a tilt must read PATH=SHIFT"),
        (("--tilt", "nonsense=1"), "a tilted number must have a distribution; found `nonsense`"),
        (("--sobol", "-n", 1000), "Use -n 512 or -n 1024"),
        (("--tilt", "effect.sooner_home.hazard_ratio=1", "--control-variates"), "found --tilt as well"),
    ],
)
def test_nonsense__is_one_message(options: tuple[object, ...], message: str, tiny_path: Path) -> None:
    assert message in refusal("run", tiny_path, "--seed", 1, *options)


@pytest.mark.usefixtures("pictures_unsaved")
def test_until__ends_with_a_run_that_can_be_made_again(tiny_path: Path, tmp_path: Path) -> None:
    asked = ("--until", "p_loss se<0.012", "--measured", 2)
    done = call("run", tiny_path, "--seed", 1, *asked, "-o", "out", "--json", cwd=tmp_path)
    content = json.loads(done.stdout)
    assert content["precision"]["goals"][0]["reached"] < 0.012
    assert content["precision"]["sizes"][-1] == content["replications"]
    again = (tmp_path / "out" / "run-again.txt").read_text().split()[1:]
    assert again[-2:] == ["--measured", "2"]
    repeated = without_provenance(call(*again, "--json", cwd=tmp_path / "out").stdout)
    assert repeated["precision"] is None
    del content["provenance"]
    assert repeated | {"precision": None} == content | {"precision": None}


def test_table__says_what_was_asked_for_and_shows_the_diagnostics(tiny_path: Path) -> None:
    done = call("run", tiny_path, "--seed", 1, "--until", "p_loss se<2%", "--diagnostics", COLUMNS="120")
    assert "As precise as asked for after" in done.stdout
    assert "Running mean of each party's net" in done.stdout
    assert "Repayment of the money drawn" in done.stdout
