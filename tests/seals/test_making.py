"""Seals of runs: the same bytes from the same study, what they fix, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

import simengine
from simengine import load_study, score, seal
from simengine.errors import ResultsError, SimengineError, StudyError, UsageError
from simengine.report.checksums import write_checksums
from simengine.report.document import as_text
from simengine.seals.document import read_seal
from simengine.streams import STREAM_VERSION
from tests.command import in_this_process
from tests.conftest import CHECKOUT
from tests.seals.conftest import kept_run
from tests.seals.made import seal_of

TINY = CHECKOUT / "configs" / "tiny.yaml"
NAMES = ["investor.net", "metric.saving.estimate"]


def test_a_seal__says_of_what_it_is(tiny_run):
    made = seal(tiny_run, NAMES)
    text = (tiny_run / "study.yaml").read_bytes()
    study = load_study(tiny_run / "study.yaml")
    assert made.study == {
        "title": "A tiny contract for twelve people",
        "currency": "SEK",
        "variant": None,
        "overrides": [],
        "text_sha256": hashlib.sha256(text).hexdigest(),
        "contract_sha256": hashlib.sha256(as_text(study.contract).encode()).hexdigest(),
    }
    assert (made.seed, made.n_replications, made.simengine, made.streams) == (1, 400, simengine.__version__, STREAM_VERSION)
    rows = parquet.read_table(tiny_run / "replications.parquet")
    for name, one in made.results.items():
        values = np.asarray(rows[name])
        assert one.knots[0].value == values.min()
        assert sum(values == one.atoms[0].value) == one.atoms[0].at if one.atoms else True
    assert len(made.text) < 10_000


def test_the_hash_of_the_contract__is_that_of_the_file_that_explain_writes(tiny_run, tmp_path):
    done = in_this_process(["explain", tiny_run / "study.yaml", "-o", tmp_path / "explained"])
    assert done.returncode == 0, done.stderr
    written = hashlib.sha256((tmp_path / "explained" / "contract.yaml").read_bytes()).hexdigest()
    assert seal(tiny_run, NAMES).study["contract_sha256"] == written


def test_a_seal__is_the_same_bytes_from_another_run_of_the_study(tiny_run, tmp_path):
    first, second = tmp_path / "one.seal.json", tmp_path / "two.seal.json"
    seal(tiny_run, NAMES, first)
    again = kept_run(tmp_path / "again", TINY, "-n", 400, "--seed", 1, "--threads", 2, "--block-size", 13)
    seal(again, NAMES[::-1], second)
    assert first.read_bytes() == second.read_bytes()
    other = kept_run(tmp_path / "other", tiny_run / "study.yaml", "-n", 400, "--seed", 1)
    assert seal(other, NAMES).text == first.read_text()
    assert read_seal(first).sha256 == seal(tiny_run, NAMES).sha256


def test_a_seal__knows_the_variant_and_the_changes(tmp_path):
    change = "contract.terms.guarantee.share=0.5"
    run = kept_run(
        tmp_path / "run",
        CHECKOUT / "configs" / "norrkoping.yaml",
        "-n",
        20,
        "--seed",
        3,
        "--variant",
        "three_year_window",
        "--set",
        change,
    )
    made = seal(run)
    assert (made.study["variant"], made.study["overrides"]) == ("three_year_window", [change])
    plain = kept_run(tmp_path / "plain", CHECKOUT / "configs" / "norrkoping.yaml", "-n", 20, "--seed", 3)
    differs = seal(plain)
    assert differs.study["text_sha256"] != made.study["text_sha256"]
    assert differs.study["contract_sha256"] != made.study["contract_sha256"]
    assert set(made.results) > {"investor.net", "metric.saving.estimate", "outcome_payer.payment"}


def test_a_wave__is_measured_again_with_the_numbers_of_the_run(tmp_path):
    from simengine.questions.retrospect.answer import columns_of

    place = CHECKOUT / "configs" / "botkyrka_ornskoldsvik.yaml"
    name = "metric.first_year.estimate.ornskoldsvik"
    run = kept_run(tmp_path / "run", place, "-n", 8, "--seed", 5)
    made = seal(run, [name])
    columns = columns_of(load_study(place), 5, np.arange(8))
    assert np.array_equal(made.results[name].sample, np.sort(columns[name]))
    settings = run / "summary.json"
    content = json.loads(settings.read_text())
    content["provenance"]["settings"]["seed"] = 6
    settings.write_text(json.dumps(content))
    write_checksums(run)
    with pytest.raises(
        ResultsError, match=r"must be measured again with the numbers of the run; found other numbers in metric\.first"
    ):
        seal(run, [name])


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (["investor.nett"], "must be results of the run; found 'investor.nett'. Did you mean `investor.net`?"),
        (["investor.irr_status"], "must be results that are numbers; found 'investor.irr_status', a column of words"),
        (["investor.payback_months"], "must be a number in every replication; found 'investor.payback_months' without one in"),
        ("investor.net", "--results: must be a list of names; found 'investor.net'"),
    ],
)
def test_results_that_cannot_be_sealed__are_refused(tiny_run, results, message):
    with pytest.raises(UsageError) as refused:
        seal(tiny_run, results)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--sobol", ("-n", 64, "--sobol")),
        ("--measured", ("-n", 20, "--measured", 2)),
        ("--tilt", ("-n", 40, "--tilt", "effect.sooner_home.hazard_ratio=1")),
    ],
)
def test_replications_that_do_not_weigh_the_same__are_refused(option, words, tmp_path):
    run = kept_run(tmp_path / "run", TINY, *words, "--seed", 1)
    with pytest.raises(UsageError, match=f"must be of independent replications that weigh the same; found a run with {option}"):
        seal(run)


def test_a_run_that_was_changed__is_not_sealed(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    study = tmp_path / "run" / "study.yaml"
    study.write_text(study.read_text().replace("twelve", "thirteen"))
    with pytest.raises(ResultsError, match="must be as the run wrote it; found another content"):
        seal(tmp_path / "run")
    with pytest.raises(ResultsError, match="must be a file of a folder that `simengine run -o` wrote"):
        seal(tmp_path)


SEAL = seal_of({"x": range(20), "y": range(20)})


@pytest.mark.parametrize(
    ("seals", "outcomes", "message"),
    [
        (SEAL, ["z=1"], "1: outcome: must be one that exists; found 'z'"),
        (SEAL, ["x"], "must be written NAME=VALUE, or NAME=VALUE±HALF of its rounding; found 'x'"),
        (SEAL, ["x=one"], "--outcome x: must be a number; found 'one'"),
        (SEAL, ["x=nan"], "outcome of x: must be a number from -1e+18 to 1e+18; found nan"),
        (SEAL, ["x=1±-1"], "--outcome x, after ±: must be 0 or more; found '-1'"),
        (SEAL, ["x>1±1"], "outcome of x: a direction must have no rounding; found 2"),
        (SEAL, ["x=1", "x=2"], "outcomes of 1: must be given once for each result; found x twice"),
        (SEAL, {"x": "1"}, "outcome of x: must be a number"),
        (SEAL, [1], "must be outcomes, or texts NAME=VALUE; found 1"),
        (SEAL, 1, "must be a list, or a number by the name of each result; found 1"),
        (SEAL, [], "must have at least one of every seal; found none of 1"),
        ([SEAL, SEAL], {"1": ["x=1"], "2": ["x=1"]}, "must be different ones; found 1 and 2, which are the same"),
        ({"a": SEAL, "b": seal_of({"x": [1, 2]})}, ["x=1"], "of several seals outcomes must be given by the name of each"),
        ({"a": SEAL, "b": seal_of({"x": [1, 2]})}, {"a": ["x=1"]}, "found none of b"),
        ({"a": SEAL, "b": seal_of({"x": [1, 2]})}, {"c": ["x=1"]}, "must be of one of the seals a, b; found 'c'"),
        ([1], ["x=1"], "must be seals, or places of their files; found 1"),
        ([], ["x=1"], "must be from 1 to 10,000; found 0"),
    ],
)
def test_what_cannot_be_scored__is_refused(seals, outcomes, message):
    with pytest.raises(SimengineError) as refused:
        score(seals, outcomes)
    assert message in str(refused.value)


def test_outcomes__are_the_same_in_every_way_of_giving_them(tmp_path):
    table = tmp_path / "outcomes.csv"
    table.write_text("seal;result;value;rounded_to;stands\n1;x;3;2;\n1;y;4;;above\nother;x;1;;\n")
    ways = (["x=3±1", "y>4"], ["x = 3 +- 1", "y > 4.0"], table, {"1": ["x=3+/-1", "y>4"]})
    found = [score(SEAL, way).outcomes for way in ways]
    assert all(one == found[0] for one in found)
    assert [one.outcome.rounded_to for one in found[0]["1"]] == [2.0, 0.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("result,value\nx,one\n", "outcomes.csv:2: value: must be a number; found 'one'"),
        ("result,value\nx,1\nx,2\n", "outcomes.csv:3: an outcome must be given once; found x twice"),
        ("result\nx\n", "outcomes.csv:1: value: a table of outcomes must have the columns result, value and a row"),
        ("result,value,worth\nx,1,2\n", "outcomes.csv:1: worth: columns must be among seal, result, stands, value, rounded_to"),
        ("result,value,stands\nx,1,over\n", "stands: must be one of at, above, at_least, below, at_most; found 'over'"),
        ("result,value\nx\n", "outcomes.csv:2: must have 2 cells, as in the header; found 1"),
        ("", "a table of outcomes must have the columns result, value and a row"),
    ],
)
def test_a_table_that_cannot_be__is_refused(text, message, tmp_path):
    (tmp_path / "outcomes.csv").write_text(text)
    with pytest.raises(StudyError) as refused:
        score(SEAL, tmp_path / "outcomes.csv")
    assert message in str(refused.value)


def test_a_folder_of_seals__is_scored_as_its_files(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.seal.json").write_text(seal_of({"x": range(9)}, str(number)).text)
    (tmp_path / "notes.txt").write_text("no seal")
    assert list(score(tmp_path, {"1": {"x": 1}, "2": {"x": 2}}).seals) == ["1", "2"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ResultsError, match="must hold files that end with"):
        score(Path(empty), ["x=1"])
