"""The conformance set that comes with the package: valid, worked out twice without the program, and agreed with."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from simengine import conform
from simengine.config.conformance import conformance_files, load_conformance
from simengine.config.schema import schema_of
from simengine.contract.terms import TERM_KINDS
from simengine.contract.terms.rate_card import CardPrice, LostBy, RateCard
from simengine.currencies import units_of
from tests.conformance.arithmetic import equations, holds, result_of
from verification.conformance.__main__ import calculators, differences
from verification.conformance.ledger import CannotSettleError, Story, stories

FILES = conformance_files()
FILE = {path.stem: path for path in FILES}
BY_LOT = {"audit", "dispute"}
"""What a case cannot say: which claims are drawn."""
files = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema_of("conformance"))


def keys_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {*node, *(key for child in node.values() for key in keys_in(child))}
    return {key for child in node for key in keys_in(child)} if isinstance(node, list) else set()


def content_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_program__pays_what_is_known_to_be_paid() -> None:
    # Source: hand arithmetic, shown in the files, and the calculators of verification/conformance.
    found = conform()
    assert [case for case in found.cases if case["verdict"] != "agrees"] == []
    assert len({case["contract"] for case in found.cases}) >= 30
    assert any(case["is_refusal_expected"] for case in found.cases)


def test_calculators__come_to_what_the_files_say() -> None:
    # Source: small calculators in fractions that read the words and never the terms.
    number, wrong = differences()
    assert wrong == []
    assert number == sum(len(content_of(path)["cases"]) for path in FILES)
    assert set(calculators()) == set(FILE)


def test_calculators__see_a_changed_case() -> None:
    story, expected = stories("augsburg_all_or_nothing")["exactly_twenty"]
    story.measured["placed"] = Fraction(19)
    calculators()["augsburg_all_or_nothing"](story)
    assert expected is not None
    assert story.balances() != expected
    with pytest.raises(CannotSettleError):
        calculators()["augsburg_all_or_nothing"](Story({}, [], [], Fraction(1), 100))


@files
def test_file__follows_the_published_schema(path: Path, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(content_of(path))] == []


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"conformance": 2}, "conformance"),
        ({"basis": "heard of"}, "basis"),
        ({"cases": {}}, "cases"),
        ({"contract": {"title": "no terms"}}, "contract"),
    ],
)
def test_schema__refuses_what_is_no_conformance_file(change: dict[str, Any], at: str, validator: Draft202012Validator) -> None:
    errors = list(validator.iter_errors(content_of(FILES[0]) | change))
    assert {str(error.absolute_path[0]) for error in errors} == {at}


@files
def test_arithmetic__that_a_file_shows_is_right(path: Path) -> None:
    # Source: every equation worked out again in fractions; the last number is the amount.
    content = content_of(path)
    units, n_equations = units_of(content["contract"]["currency"]), 0
    for name, case in content["cases"].items():
        for payment in case.get("expected", ()):
            text = payment["worked_out"]
            assert result_of(text) * units == payment["amount"], (name, text)
            wrong = [f"{left} = {right}" for left, right in equations(text) if not holds(left, right)]
            assert wrong == [], (name, text)
            n_equations += len(equations(text))
    assert n_equations or path.stem == "rikers_ladder_and_guarantor"


def test_arithmetic__sees_a_wrong_equation() -> None:
    assert equations("the share 0.6 x 5,000,000 = 3,000,000, and 1 + 1 = 3") == [("0.6 x 5,000,000", "3,000,000"), ("1 + 1", "3")]
    assert holds("0.6 x 5,000,000", "3,000,000")
    assert not holds("1 + 1", "3")
    assert holds("1.02^1.5", "1.0301495")
    assert not holds("10 x (2 - 0.5)", "15.1")
    assert result_of("600 + 1 = 601.5, rounded to 602") == 602


def test_set__has_every_kind_of_term_and_every_key_of_a_rate_card() -> None:
    found = set().union(*(keys_in(content_of(path)["contract"]) for path in FILES))
    cards = {key for model in (RateCard, CardPrice, LostBy) for key in model.model_fields}
    assert set(TERM_KINDS) - found == set()
    assert cards - found == BY_LOT
    assert {"stops", "variations", "milestones", "waves", "groups", "parties", "total_cap", "measured_on", "when_missing"} <= found


def test_set__has_currencies_with_no_two_and_three_decimals_and_all_origins() -> None:
    loaded = [load_conformance(path) for path in FILES]
    assert {units_of(file.contract.currency) for file in loaded} == {1, 100, 1000}
    assert {file.basis for file in loaded} == {"signed", "shape of signed", "made up"}
    assert all(file.sources for file in loaded if file.basis != "made up")
