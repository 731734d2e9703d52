"""The commands about a contract alone, as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simengine.config import load_contract
from tests.test_cli import call, refusal


@pytest.fixture
def contracts(checkout: Path) -> Path:
    return checkout / "configs" / "contracts"


def test_replay_all__prints_one_object_with_a_verdict_for_every_published_contract(contracts: Path) -> None:
    rows = json.loads(call("replay", "--all", "--json").stdout)["contracts"]
    assert {row["contract"] for row in rows} == {path.stem for path in contracts.glob("*.yaml") if load_contract(path).published}
    assert {row["verdict"] for row in rows} == {"strict", "form guessed", "expressiveness", "not reproduced"}
    assert all({"contract", "verdict", "published", "computed", "difference", "sources"} <= set(row) for row in rows)
    text = call("replay", "--all", COLUMNS="80").stdout
    assert "29,432,425" in text
    assert "https://" in text


def test_replay__of_a_dated_contract_says_when_and_to_whom(contracts: Path) -> None:
    arguments = ("--until", "first_look", "--outcome", "reduction.cohort_1=0.1", "--json")
    content = json.loads(call("replay", contracts / "peterborough.yaml", *arguments).stdout)
    assert content["dates"][0] == {
        "term": "cohort_1_payment", "date": "first_look", "month": 47, "payer": "outcome_payer", "payee": "investor",
        "payment": 3_220_000, "bound": "formula",
    }  # fmt: skip


REFUSED = {
    "neither": ((), "replay: must have either a contract or --all; found neither"),
    "both": (("--all", "peterborough.yaml"), "replay: must have either a contract or --all; found both"),
    "outcomes of all": (("--all", "--outcome", "x=1"), "--all: must stand without --outcome"),
    "unknown date": (
        ("peterborough.yaml", "--until", "never"),
        "--until: must be a date of the contract; found 'never'. One of: first_look, final",
    ),
    "unknown metric": (
        ("peterborough.yaml", "--outcome", "rate=1"),
        "--outcome 'rate': must be a metric that somebody measures; found `rate`. One of: reduction",
    ),
    "unknown wave": (
        ("peterborough.yaml", "--outcome", "reduction.cohort_3=1"),
        "must be a wave of the contract; found `cohort_3`. One of: cohort_1",
    ),
    "missing wave": (
        ("peterborough.yaml", "--until", "first_look"),
        "must be given for all that the contract pays on, reduction.cohort_1; missing: reduction.cohort_1",
    ),
    "derived metric": (("educate_girls.yaml", "--outcome", "performance=1"), "found `performance`. One of: enrolment"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_replay__refuses_in_words(name: str, contracts: Path) -> None:
    arguments, expected = REFUSED[name]
    assert expected in refusal("replay", *arguments, cwd=contracts)


def test_replay__refuses_a_payment_that_no_currency_can_hold(contracts: Path, tmp_path: Path) -> None:
    # Source: hand arithmetic: 400,000 times a rest of about 10^15.
    text = (contracts / "utah_preschool.yaml").read_text().replace("then: {value: 0.40", "then: {value: 400_000")
    (tmp_path / "utah.yaml").write_text(text)
    assert "a payment must stay below 1e+15 in every replication" in refusal(
        "replay", "utah.yaml", "--outcome", "avoided_cost=1e15", cwd=tmp_path
    )


def test_explain__writes_words_and_a_picture_of_each_term(contracts: Path, tmp_path: Path) -> None:
    done = call("explain", contracts / "norrkoping.yaml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "A WORKED EXAMPLE" in done.stdout
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {"guarantee.png", "saving_share.png", "upside.png"}
    assert names == {"SHA256SUMS", "contract.txt", "contract.yaml", "run-again.txt"} | pictures
    assert (tmp_path / "out" / "contract.txt").read_text() in done.stdout
    assert "found files in it" in refusal("explain", contracts / "norrkoping.yaml", "-o", "out", cwd=tmp_path)


def test_lint__gives_place_reason_and_suggestion(contracts: Path) -> None:
    content = json.loads(call("lint", contracts / "newpin_nsw.yaml", "--json").stdout)
    assert all(
        set(finding) == {"where", "key", "rule", "found", "why", "suggestion", "explained"} for finding in content["findings"]
    )
    (table,) = [finding for finding in content["findings"] if finding["rule"] == "not_monotone"]
    line = 1 + (contracts / "newpin_nsw.yaml").read_text().split("      steps:")[0].count("\n")
    assert table["where"].endswith(f"newpin_nsw.yaml:{line}")


def test_lint__takes_the_contract_of_a_study_and_names_the_contract_file(checkout: Path) -> None:
    content = json.loads(call("lint", checkout / "configs" / "norrkoping.yaml", "--json").stdout)
    assert {finding["where"].rpartition("/")[2].partition(":")[0] for finding in content["findings"]} == {"norrkoping.yaml"}
    assert all("contracts" in finding["where"] for finding in content["findings"])


@pytest.mark.parametrize("command", ["explain", "lint"])
def test_commands__refuse_a_bad_contract_with_its_line(command: str, contracts: Path, tmp_path: Path) -> None:
    text = (contracts / "augsburg_jump.yaml").read_text().replace("only_if: {placed", "only_if: {placd")
    (tmp_path / "bad.yaml").write_text(text)
    line = 1 + text.split("only_if")[0].count("\n")
    assert f"bad.yaml:{line}: terms.principal_and_interest.only_if.placd" in refusal(command, "bad.yaml", cwd=tmp_path)
