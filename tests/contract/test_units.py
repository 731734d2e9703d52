"""Units of metrics: synonyms are one unit, and a contract adds, compares and pays only like with like."""

from __future__ import annotations

import pytest

from simengine.config.consistency import contract_problems
from simengine.contract.spec import Contract
from simengine.contract.units import ContractUnit, unit_of

READ = {
    "share": ContractUnit("share"),
    "Share of pupils": ContractUnit("share"),
    "share (1 or 0 in a replay)": ContractUnit("share"),
    "per cent": ContractUnit("share", "100"),
    "%": ContractUnit("share", "100"),
    "percentage points": ContractUnit("share", "100"),
    "per 100": ContractUnit("", "100"),
    "per 100 people": ContractUnit("", "100"),
    "reconvictions per hundred men": ContractUnit("", "100"),
    "days per 100 people": ContractUnit("days", "100"),
    "per 1,000 people": ContractUnit("", "other"),
    "SEK": ContractUnit("money", currency="SEK"),
    "SEK per person": ContractUnit("money", "person", "SEK"),
    "EUR a head": ContractUnit("money", "person", "EUR"),
    "EUR a year": ContractUnit("money", "other", "EUR"),
    "millions of SEK": ContractUnit("money", currency="SEK", is_scaled=True),
    "MSEK": ContractUnit("money", currency="SEK", is_scaled=True),
    "XTS": ContractUnit("money", currency="XTS"),
    "SDQ": ContractUnit(""),
    "days": ContractUnit("days"),
    "days in jail": ContractUnit("days"),
    "person-months": ContractUnit("months", is_of_people=True),
    "child-years": ContractUnit("years", is_of_people=True),
    "persons": ContractUnit("people"),
    "children": ContractUnit("people"),
    "points in the test": ContractUnit("points"),
    "QALYs": ContractUnit(""),
}


@pytest.mark.parametrize("text", READ)
def test_unit__is_read_from_words(text: str) -> None:
    assert unit_of(text, "XTS") == READ[text]


METRICS = {
    "saving": {"meaning": "x", "unit": "SEK"},
    "other": {"meaning": "x", "unit": "SEK per person"},
    "school": {"meaning": "x", "unit": "share"},
    "rate": {"meaning": "x", "unit": "per cent"},
    "free": {"meaning": "x", "unit": "QALYs"},
}


def problems(derived: object = None, unit: str = "SEK", **more: object) -> list[str]:
    raw = {"title": "x", "currency": "SEK", "commitment": 100, "terms": {"t": {"share": 1, "of": "saving"}}, "metrics": METRICS}
    if derived is not None:
        raw["metrics"] = METRICS | {"both": {"meaning": "x", "unit": unit, "derived": derived}}
    contract = Contract.model_validate(raw | more)
    return [f"{path}: {rule}; found {found}" for path, rule, found, _ in contract_problems(contract)]


FOLLOWS = "metrics.both.unit: a derived metric must be in the unit of what it follows from; found"
DERIVED = {
    "the unit of its parts": ({"sum": ["saving", "other"]}, "SEK", []),
    "another unit than its part": (
        "school",
        "per cent",
        [f"{FOLLOWS} `per cent`, and `share` of its parts"],
    ),
    "money of unlike parts": (
        {"least": ["saving", "school"]},
        "SEK",
        ["metrics.both.derived.least: what is added, compared or subtracted must be in one unit; found `SEK` and `share`"],
    ),
    "a share of a percentage": (
        {"greatest": ["rate", "school"]},
        "share",
        ["metrics.both.derived.greatest: what is added, compared or subtracted must be in one unit; found `per cent` and `share`"],
    ),
    "a factor": ({"sum": [{"share": 0.01, "of": "rate"}, "school"]}, "share", []),
    "free text": ({"sum": ["free", "saving"]}, "points", [f"{FOLLOWS} `points`, and `SEK` of its parts"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_derived_metric__is_in_the_unit_of_its_parts(name: str) -> None:
    derived, unit, expected = DERIVED[name]

    assert problems(derived, unit) == expected


UNLIKE = {
    "a sum": ({"sum": ["saving", "school"]}, "terms.t.sum", "`SEK` and `share`"),
    "the money drawn": ({"share": 1, "of": "school", "above": "drawn"}, "terms.t.share", "`share` and `SEK`"),
    "deadweight": ({"price": 5, "per": "school", "deadweight": "rate"}, "terms.t.price", "`share` and `per cent`"),
    "inside": ({"share": 1, "of": {"greatest": ["saving", "rate"]}}, "terms.t.of.greatest", "`SEK` and `per cent`"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_term__puts_only_like_things_together(name: str) -> None:
    term, path, found = UNLIKE[name]

    rule = "what is added, compared or subtracted must be in one unit"
    assert problems(terms={"t": term}) == [f"{path}: {rule}; found {found}"]


def test_money__is_in_the_currency_of_the_contract() -> None:
    metrics = {"saving": {"meaning": "x", "unit": "EUR per person"}}

    assert problems(metrics=metrics) == [
        "metrics.saving.unit: money must be in the currency of the contract, SEK; found `EUR per person`"
    ]
