"""The commands `seal` and `score`: what they print, keep and refuse."""

from __future__ import annotations

import json
import re

import pytest

from tests.command import in_this_process
from tests.conftest import CHECKOUT
from tests.seals.conftest import kept_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A folder with a run and a seal of it."""
    folder = tmp_path_factory.mktemp("seals")
    kept_run(folder / "run", CHECKOUT / "configs" / "tiny.yaml", "-n", 400, "--seed", 1)
    done = in_this_process(["seal", "run", "--results", "investor.net, metric.saving.estimate", "-o", "a.seal.json"], folder)
    assert done.returncode == 0, done.stderr
    assert "Seal: a.seal.json" in done.stdout
    return folder


def test_seal__prints_what_it_wrote(folder):
    done = in_this_process(["seal", "run", "--results", "investor.net,metric.saving.estimate", "--json"], folder)
    kept = json.loads((folder / "a.seal.json").read_text())
    assert json.loads(done.stdout) == kept
    assert kept["sha256"] in in_this_process(["seal", "run", "--results", "metric.saving.estimate,investor.net"], folder).stdout


def test_score__prints_keeps_and_runs_again(folder):
    words = ["score", "a.seal.json", "--outcome", "investor.net=0±50_000", "--outcome", "metric.saving.estimate>0"]
    shown = in_this_process([*words, "-o", "scored"], folder)
    assert shown.returncode == 0, shown.stderr
    assert "found out in 10 % of cases" in " ".join(shown.stdout.split())
    assert sorted(path.name for path in (folder / "scored").iterdir()) == [
        *("SHA256SUMS", "outcomes.csv", "run-again.txt", "score.json", "seals"),
    ]
    first = json.loads((folder / "scored" / "score.json").read_text())
    again = (folder / "scored" / "run-again.txt").read_text().split()
    assert again == ["simengine", "score", "seals/a.seal.json", "--outcomes", "outcomes.csv"]
    second = json.loads(in_this_process([*again[1:], "--json"], folder / "scored").stdout)
    del first["provenance"], second["provenance"]
    assert first == second
    (row, direction) = first["outcomes"]
    assert row["rounded_to"] == 100_000
    assert 0 <= row["pit"]["value"] <= 1
    assert direction["brier"]["value"] == pytest.approx((1 - direction["p_inside"]["value"]) ** 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seal", "run", "--results", "investor.net,,"], "--results: must be names of results, each once, with commas between"),
        (["seal", "run", "--results", "investor.nett"], "must be results of the run; found 'investor.nett'"),
        (["seal", "nothing"], "must be a file of a folder that `simengine run -o` wrote"),
        (["seal", "run", "-o", "a.seal.json"], "-o a.seal.json: a seal must be a new file; found one of this name"),
        (["seal", "run", "-o", "no/a.seal.json"], "-o no/a.seal.json: must lie in a folder that exists; found none"),
        (["seal", ""], "RUN: must be the name of a file or folder; found an empty one"),
        (["score", "a.seal.json"], "score: must have either --outcome or --outcomes; found neither"),
        (["score", "a.seal.json", "--outcome", "investor.net=1", "--outcomes", "o.csv"], "found both"),
        (["score", "none.seal.json", "--outcome", "x=1"], "none.seal.json: must be a seal that can be read; found: No such file"),
        (["score", "a.seal.json", "--outcome", "x=1"], "a: outcome: must be one that exists; found 'x'"),
        (["score", "a.seal.json", "a.seal.json", "--outcome", "x=1"], "must have a name each; found several of the name a"),
        (
            ["score", "broken.seal.json", "--outcome", "x=1"],
            "broken.seal.json: the seal is broken: it must be as `simengine seal` wrote it",
        ),
        (["score", "a.seal.json", "--outcome", "investor.net=1", "-o", "run"], "-o run: the folder must be new or empty"),
    ],
)
def test_commands__refuse_in_one_line(words, message, folder):
    text = (folder / "a.seal.json").read_text()
    (folder / "broken.seal.json").write_text(re.sub(r"\d(?=,\d+,\d+\])", lambda digit: str(9 - int(digit[0])), text, count=1))
    done = in_this_process(words, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
