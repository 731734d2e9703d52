"""The command `simengine conform`, and the function: their answers, their exit codes, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simengine import SimengineError, conform
from simengine.config.conformance import conformance_files
from simengine.conformance.balances import Between, balances_of
from tests.command import in_this_process

CONTRACT = "augsburg_all_or_nothing"
SOURCE = next(path for path in conformance_files() if path.stem == CONTRACT)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def case(content: dict[str, Any], name: str = "exactly_twenty") -> dict[str, Any]:
    return content["cases"][name]  # type: ignore[no-any-return]


def write(name: str, change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    """Write the contract of Augsburg with a change into the current folder."""
    content = json.loads(SOURCE.read_text(encoding="utf-8"))
    change(content)
    Path(name).write_text(json.dumps(content, indent=1))
    return name


def asked(*words: object) -> tuple[int, str, str]:
    done = in_this_process(["conform", *words])
    return done.returncode, done.stdout, done.stderr


def results(name: str, cases: object, contract: str = CONTRACT) -> str:
    Path(name).write_text(json.dumps({"results": {contract: cases}}))
    return name


def test_one_file__agrees_and_exits_with_0(here: Path) -> None:
    code, printed, said = asked(write("mine.json"))
    assert (code, said) == (0, "")
    assert "simengine: 8 of 8 cases in 1 contract agree." in printed
    assert "refused" in printed


def test_a_wrong_expectation__is_shown_and_exits_with_1(here: Path) -> None:
    code, printed, said = asked(write("mine.json", lambda one: case(one)["expected"][0].update(amount=25_750_001)))
    assert (code, said) == (1, "")
    assert "7 of 8 cases in 1 contract agree, 1 differs." in printed
    row = next(line for line in printed.splitlines() if "exactly_twenty" in line and "mine" in line)
    assert row.split()[-3:] == ["257,500.01", "257,500.00", "-0.01"]


def test_json__has_the_same_numbers_and_exit_code(here: Path) -> None:
    name = write("mine.json", lambda one: case(one)["expected"][0].update(amount=1))
    code, printed, _ = asked(name, "--json")
    content = json.loads(printed)
    assert code == 1
    assert (content["n_cases"], content["n_agree"], content["n_differ"], content["n_not_given"]) == (8, 7, 1, 0)
    assert content["cases"][0]["payments"] == [
        {"date": "settlement", "month": None, "payer": "outcome_payer", "payee": "investor", "expected": 1, "found": 25_750_000,
         "difference": 25_749_999}
    ]  # fmt: skip


def test_a_refusal_that_is_not_expected__differs(here: Path) -> None:
    def unmeasured(content: dict[str, Any]) -> None:
        del case(content)["measured"]

    code, printed, _ = asked(write("mine.json", unmeasured))
    assert code == 1
    assert "exactly_twenty 257,500.00 refused 257,500.00 differs" in " ".join(printed.split())


def test_export__then_settle__then_compare_with_the_results(here: Path) -> None:
    assert asked("--export", "taken")[0] == 0
    assert {path.name for path in Path("taken").glob("*.json")} == {path.name for path in conformance_files()}
    assert json.loads(Path("taken/schema/conformance.json").read_text())["title"] == "simengine: a conformance file"
    code, printed, _ = asked("taken", "-o", "kept")
    assert code == 0
    assert {path.name for path in Path("kept").iterdir()} == {"conform.json", "results.json", "run-again.txt", "SHA256SUMS"}
    assert Path("kept/run-again.txt").read_text() == "simengine conform taken\n"
    assert json.loads(Path("kept/conform.json").read_text())["n_differ"] == 0
    code, printed, _ = asked("--results", "kept/results.json")
    assert code == 0
    assert printed.splitlines()[-1].startswith("results.json: ")


def test_results_of_another_program__are_compared(here: Path) -> None:
    # Source: hand: the amount is split in two rows, one of them written backwards; a cent is missing; one is refused, others not given.
    payments = [
        {"date": "settlement", "from": "outcome_payer", "to": "investor", "amount": 25_000_000},
        {"date": "settlement", "from": "investor", "to": "outcome_payer", "amount": -750_000},
    ]
    off = [payments[0] | {"amount": 25_749_999}]
    name = results("theirs.json", {"exactly_twenty": payments, "far_above": off, "one_below": "refused", "nobody": []})
    found = conform(write(f"{CONTRACT}.json"), name)
    verdicts = {one["case"]: one["verdict"] for one in found.cases}
    assert verdicts == {
        "exactly_twenty": "agrees", "far_above": "differs", "one_below": "differs", "nobody": "agrees", "just_below": "not given",
        "less_was_lent": "not given", "nothing_was_lent": "not given", "not_counted": "not given",
    }  # fmt: skip
    assert not found.agrees
    assert repr(found) == "<Conformance: 2 of 8 cases agree>"
    assert asked(f"{CONTRACT}.json", "--results", name)[0] == 1
    table = found.to_pandas()
    assert table[table["case"] == "far_above"]["difference"].tolist() == [-1]


def test_balances__net_what_runs_both_ways() -> None:
    # Source: hand: 100 there, 130 back, and 5 + 5 of another date that cancel.
    rows = [
        (Between("end", 12, "a", "b"), 100),
        (Between("end", 12, "b", "a"), 130),
        (Between("start", 0, "a", "b"), 5),
        (Between("start", 0, "b", "a"), 5),
    ]
    assert balances_of(rows) == {Between("end", 12, "b", "a"): 30}


def drop(content: dict[str, Any], key: str) -> None:
    del content[key]


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "version": (lambda one: one.update(conformance=2), "conformance: must be 1; found 2"),
    "no words": (lambda one: drop(one, "words"), "words: must be given"),
    "basis": (lambda one: one.update(basis="heard"), "basis: must be signed, shape of signed or made up; found 'heard'"),
    "no source": (
        lambda one: drop(one, "sources"),
        "sources: terms that come from a signed contract must have a source; found none",
    ),
    "a fraction": (lambda one: case(one)["expected"][0].update(amount=1.5), "expected.0.amount: must be a whole number; found 1.5"),
    "nothing": (lambda one: case(one)["expected"][0].update(amount=0), "expected.0.amount: must be at least 1; found 0"),
    "date": (
        lambda one: case(one)["expected"][0].update(date="end"),
        "expected.0.date: must be a date of the contract; found `end`",
    ),
    "month": (lambda one: case(one)["expected"][0].update(month=3), "expected.0.month: must be given where the contract has dates"),
    "party": (lambda one: case(one)["expected"][0].update({"from": "city"}), "expected.0.from: must be a party of the contract"),
    "itself": (lambda one: case(one)["expected"][0].update({"to": "outcome_payer"}), "payer and payee must be two parties"),
    "both": (
        lambda one: case(one).update(refused="why"),
        "a case must have payments that are `expected`, or say why it is `refused`",
    ),
    "no reason": (lambda one: drop(case(one, "nobody"), "worked_out"), "a case in which nothing is paid must say why"),
    "metric": (
        lambda one: case(one)["measured"][0].update(metric="plced"),
        "must be a metric of the contract that somebody measures",
    ),
    "measured on": (lambda one: case(one)["measured"][0].update(date="y1"), "It is measured once: leave the date out"),
    "twice": (lambda one: case(one)["measured"].append({"metric": "placed", "value": 1}), "outcome placed: must be given once"),
    "too much drawn": (
        lambda one: case(one).update(drawn=300_000),
        "the money drawn must lie between 0 and the commitment of 250,000",
    ),
    "people": (lambda one: case(one).update(people=[{"number": 3}]), "must be that of a `wave`, or of `milestones`; found neither"),
    "rows": (lambda one: case(one).update(reached=[{"person": "A"}]), "must belong to a contract that counts `outcomes`"),
    "half a row": (lambda one: case(one).update(reached=[{"person": "A", "month": 1}]), "an outcome must have the month"),
    "contract": (lambda one: drop(one["contract"], "terms"), "contract.terms: must be given"),
    "unknown key": (lambda one: one.update(currency="EUR"), "currency: this key is unknown"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_file__is_one_message_with_its_place(name: str, here: Path) -> None:
    change, expected = MALFORMED[name]
    code, printed, said = asked(write("bad.json", change))
    assert (code, printed) == (2, "")
    assert said.startswith("simengine: bad.json:")
    assert expected in said
    with pytest.raises(SimengineError):
        conform("bad.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conformance: 1\n", "bad.json:1:1: must be JSON, which every program can read"),
        ("", "bad.json: must say something; found an empty file"),
        ('{"a": 1, "a": 2}', "a key must stand once; found `a` twice"),
        ("\x00", "bad.json"),
    ],
)
def test_file_that_is_no_json__is_refused(text: str, expected: str, here: Path) -> None:
    Path("bad.json").write_text(text)
    code, printed, said = asked("bad.json")
    assert (code, printed) == (2, "")
    assert expected in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "results: must be a JSON object with `results`"),
        ('{"results": ', "theirs.json:1:13: must be JSON"),
        ('{"results": {"a": {}, "a": {}}}', "a key must stand once; found `a` twice"),
        (
            '{"results": {"augsburg_all_or_nothin": {}}}',
            "must be a contract of the set; found 'augsburg_all_or_nothin'. Did you mean",
        ),
        ('{"results": {"augsburg_all_or_nothing": 3}}', "must hold cases by name; found 3"),
        (
            '{"results": {"augsburg_all_or_nothing": {"exactly_twent": []}}}',
            "must be a case of the contract; found 'exactly_twent'",
        ),
        ('{"results": {"augsburg_all_or_nothing": {"nobody": 3}}}', 'must be a list of payments, or "refused"; found 3'),
        (
            '{"results": {"augsburg_all_or_nothing": {"nobody": [{"date": "x"}]}}}',
            "a payment must have date, month, from, to, amount",
        ),
        (
            '{"results": {"augsburg_all_or_nothing": {"nobody": [{"date": "x", "from": "a", "to": "b", "amount": 1.5}]}}}',
            "nobody.0.amount: must be a whole number from -100,000,000,000,000,000 to 100,000,000,000,000,000; found 1.5",
        ),
        (
            '{"results": {"augsburg_all_or_nothing": {"nobody": [{"date": "x", "from": 1, "to": "b", "amount": 1}]}}}',
            "nobody.0.from: must be text; found 1",
        ),
        ('{"results": NaN}', "must be a file that can be read; found NaN, which is no number of JSON"),
        ("[" * 100_000, "theirs.json"),
    ],
)
def test_results_that_cannot_be__are_refused(text: str, expected: str, here: Path) -> None:
    Path("theirs.json").write_text(text)
    code, printed, said = asked("--results", "theirs.json")
    assert (code, printed) == (2, "")
    assert expected in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("nowhere.json",), "nowhere.json: no such file"),
        (("--results", "nowhere.json"), "nowhere.json: no such file"),
        ((".",), "a folder of conformance files must hold files that end in .json; found none"),
        (("--export", "x", "--json"), "--export: must stand without --results, --json and -o; found one of them"),
        (("-o", ""), "-o: must be the name of a file or folder; found an empty one"),
    ],
)
def test_command__refuses_in_words(words: tuple[str, ...], expected: str, here: Path) -> None:
    code, printed, said = asked(*words)
    assert (code, printed) == (2, "")
    assert expected in said
    assert list(here.iterdir()) == []
