"""A contract in words: every kind of term has a phrase, numbers and names arrive, and each payment function has a picture."""

import pytest
from hypothesis import HealthCheck, given, settings

from simengine.config import load_contract, shipped_contracts
from simengine.contract.spec import Contract
from simengine.contract.terms import TERM_KINDS
from simengine.contract_text import words
from simengine.contract_text.curves import draw_curves
from simengine.contract_text.explain import explanation, phrase
from tests.conftest import sized
from tests.contract.random_contracts import contracts

CONTRACTS = {path.stem: path for path in shipped_contracts()}
COMMON = {"floor", "cap", "only_if", "contingent", "at", "delay_months", "payer", "payee", "repays_principal", "despite_stop"}
TABLES = {"rate_card"}
"""What is said in a table of its own."""


def test_words__say_every_kind_and_every_part_of_it():
    assert words.KIND_WORDS.keys() == TERM_KINDS.keys()
    for key, (main, clauses) in words.KIND_WORDS.items():
        said = main + "".join(clauses.values())
        silent = [
            name
            for name in TERM_KINDS[key].model_fields
            if name not in COMMON | TABLES | set(clauses) and f"{{{name}}}" not in said
        ]
        assert silent == [], key


@settings(max_examples=sized(40, 200), suppress_health_check=list(HealthCheck))
@given(contracts())
def test_explanation__says_any_contract(raw):
    contract = Contract.model_validate(raw)
    for name, term in contract.terms.items():
        said = phrase(term)
        assert "{" not in said
        assert "Constant(" not in said
        assert name in raw["terms"]


@pytest.mark.parametrize("name", CONTRACTS)
def test_explanation__names_all_terms_and_ends_in_a_worked_example(name):
    contract = load_contract(CONTRACTS[name])
    text = explanation(contract)
    for term in contract.terms:
        assert f"- {term}: " in text
    assert words.PHRASES["example"] in text
    assert "Together" in text.split("\n")[-1]
    assert max(map(len, text.split("\n"))) <= 100


def test_explanation__of_norrkoping_reads_as_it_was_negotiated():
    text = " ".join(explanation(load_contract(CONTRACTS["norrkoping"])).split())
    assert "guarantee: the outcome payer pays the investor 40 % of the money drawn. It is paid for delivery" in text
    assert "60 % of saving, but at least 0, and at most 60 % of the money drawn" in text
    assert "only if school is above 0, otherwise nothing" in text
    # Source: hand arithmetic for a saving of 25 M: 4 + 6 + 2.
    assert "Together 12,000,000.00 SEK." in text


@pytest.mark.parametrize("name", CONTRACTS)
def test_curves__draw_every_term_the_same_way_twice(name):
    contract = load_contract(CONTRACTS[name])
    pictures = draw_curves(contract)
    assert list(pictures) == list(contract.terms)
    assert all(image.startswith(b"\x89PNG") and len(image) > 5_000 for image in pictures.values())
    assert name != "kobe_diabetes" or pictures == draw_curves(contract)


@pytest.mark.parametrize("unpriced", [{}, {"card": {"rate_card": {"job": {}}}}])
def test_example__of_people_whom_no_card_pays_for_says_what_is_paid_for_their_number(unpriced):
    # By hand: two of the three people reach the job in the first year, nobody after it: 2 x 100 on both dates.
    contract = Contract.model_validate(
        {
            "title": "A number of people",
            "currency": "SEK",
            "commitment": 1e6,
            "metrics": {},
            "outcomes": {"job": {"meaning": "a job"}, "days": {"meaning": "days at work", "unit": "days"}},
            "dates": {"one": {"month": 12}, "two": {"month": 24}},
            "terms": {**unpriced, "jobs": {"price": 100, "per": {"reached": "job"}}},
        }
    )
    lines = explanation(contract).splitlines()
    assert [line for line in lines if line.startswith(("- jobs, ", "Together"))] == [
        "- jobs, one: 200.00 SEK, by its formula.",
        "- jobs, two: 200.00 SEK, by its formula.",
        "Together 400.00 SEK.",
    ]
