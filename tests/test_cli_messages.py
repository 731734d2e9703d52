"""What a command refuses, and what it says to do instead."""

from __future__ import annotations

import shutil

import pytest

from simengine.config import find_study
from tests.command import in_this_process

TINY = find_study("tiny")
CONTRACT = next((TINY.parent / "contracts").glob("*.yaml"))
SHARE = "contract.terms.saving_share.share"

SAID = {
    "thousands with a comma": (
        ("run", TINY, "-n", "1,000"),
        "--replications: must be a whole number from 2 to 4,294,967,296; found '1,000'. Write 1000",
    ),
    "a contract": (
        ("check", CONTRACT),
        "must be a study, with a section `study`; found a contract. `simengine lint` looks for flaws in it, `explain` says it in words",
    ),
    "a replication without a seed": (
        ("trace", TINY, "--replication", 0, "--set", "run.seed=null"),
        "found no seed. Add `--seed N`, the seed printed in the heading of the run",
    ),
    "an amount for a measure": (
        ("run", TINY, "-n", 20, "--measure", "moic"),
        "must be a measure; found 'moic', an amount. Write expected_moic or p_moic_below(1) or moic_quantile(0.5)",
    ),
    "an unknown party": (("stress", TINY, "-n", 20, "--party", "nobody"), "--party: must be a party whose money the study moves"),
}


@pytest.mark.parametrize("name", SAID)
def test_refusal__says_what_to_write(name: str) -> None:
    words, said = SAID[name]

    done = in_this_process(words)

    assert done.returncode == 2
    assert said in done.stderr


def test_folder__must_be_new_or_empty(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    done = in_this_process(["run", TINY, "-n", 20, "-o", tmp_path])

    assert done.stderr == f"simengine: -o {tmp_path}: the folder must be new or empty; found files in it. Give another name\n"


def test_compare__calls_kept_studies_after_their_folders(tmp_path, monkeypatch) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        shutil.copy(TINY, tmp_path / name / "study.yaml")
    monkeypatch.chdir(tmp_path)

    done = in_this_process(["compare", "first/study.yaml", "second/study.yaml", "-n", 20, "--seed", 1])

    assert done.returncode == 0
    assert "Going over from this study to second" in done.stdout


def test_check__names_numbers_that_are_hardly_meant() -> None:
    done = in_this_process(["check", TINY, "--set", f"{SHARE}=60"])

    assert f"{SHARE}: a share of 60 means that 60 SEK are paid for each SEK of saving" in done.stdout
    assert "Write 0.6 for 60 %" in done.stdout
    assert "a share of" not in in_this_process(["check", TINY]).stdout
    # So many SEK for each day are a price.
    days = [
        "contract.metrics.saving.unit=days",
        "outcomes.placement_cost_sek.per_day={placed: 1}",
        f"{SHARE}=3000",
        "public_value={}",
    ]
    priced = in_this_process(["check", TINY, *(word for one in days for word in ("--set", one))])
    assert priced.returncode == 0
    assert "a share of" not in priced.stdout
