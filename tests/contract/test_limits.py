"""Which limit decided: by its path inside the term, and the cap on all terms apart from the term's own."""

import pytest

from simengine.config.consistency import contract_problems
from simengine.contract.spec import Contract
from simengine.contract_text.explain import explanation
from simengine.report.document import settlement
from simengine.settlement import replay

NOBODY = {"entry": 0, "job": 0, "entry+job": 0}


def contract(terms: dict, **more: object) -> Contract:
    metrics = {"x": {"meaning": "x", "unit": "number"}, "y": {"meaning": "y", "unit": "number"}}
    metrics["mix"] = {"meaning": "x", "unit": "number", "derived": {"share": 1, "of": "x", "cap": 7}}
    raw = {"title": "A test", "currency": "SEK", "commitment": 1000, "metrics": metrics, "terms": terms}
    return Contract.model_validate(raw | {"milestones": {"entry": "starts", "job": "works"}} | more)


def decided(term: dict, **outcomes: float) -> str:
    given = {"x": 0.0, "y": 0.0} | NOBODY | {key.replace("_and_", "+"): value for key, value in outcomes.items()}
    return settlement(replay(contract({"t": term}), given, 100))["bound"]["t"]


CAPPED = {"share": 1, "of": "x", "cap": 10}
# By the definitions: each term, outcomes at which no limit decides, and outcomes at which the named one does.
LIMITS = {
    "the term's own cap": (CAPPED, {"x": 10}, {"x": 11}, "cap"),
    "a cap inside": ({"share": 2, "of": CAPPED}, {"x": 10}, {"x": 11}, "of.cap"),
    "a floor inside": ({"share": 2, "of": {"share": 1, "of": "x", "floor": 3}}, {"x": 3}, {"x": 2}, "of.floor"),
    "a gate inside": (
        {"sum": [5, {"amount": 9, "only_if": {"x": {"above": 1}}}]}, {"x": 2}, {"x": 1}, "sum.1.only_if"),
    "the most units": ({"price": 3, "per": "x", "up_to": 8}, {"x": 8}, {"x": 9}, "up_to"),
    "the most units beyond deadweight": (
        {"price": 3, "per": "x", "deadweight": "y", "up_to": 8}, {"x": 9, "y": 1}, {"x": 9}, "up_to"),
    "the most of a target": ({"target": 4, "of": "x", "full": 9}, {"x": 4}, {"x": 5}, "at_most"),
    "the least of a target": ({"target": 4, "of": "x", "full": 9, "pays_from": 2}, {"x": 2}, {"x": 1}, "pays_from"),
    "the second of two": ({"least": ["x", {"share": 1, "of": "y"}]}, {"x": 4, "y": 4}, {"x": 5, "y": 4}, "least.1"),
    "the greater of two": ({"greatest": ["x", "y"]}, {"x": 4, "y": 4}, {"x": 3, "y": 4}, "greatest.1"),
    "a cap of the second of two": ({"least": ["y", CAPPED]}, {"x": 99, "y": 9}, {"x": 99, "y": 11}, "least.1.cap"),
    "a cap in a row": (
        {"steps": [{"at_least": 5, "pays": {"share": 1, "of": "y", "cap": 2}}], "of": "x"},
        {"x": 4, "y": 3}, {"x": 5, "y": 3}, "steps.0.pays.cap"),
    "a cap in the first of two rows that hold": (
        {"steps": [{"at_least": at, "pays": {"share": 1, "of": "y", "cap": cap}} for at, cap in ((5, 2), (1, 3))], "of": "x"},
        {"x": 5, "y": 2}, {"x": 5, "y": 4}, "steps.0.pays.cap"),
    "a cap of the alternative that is open": (
        {"first_of": [CAPPED | {"only_if": {"y": {"at_least": 1}}}, {"share": 1, "of": "x", "cap": 20}]},
        {"x": 11}, {"x": 21}, "first_of.1.cap"),
    "a cap of an alternative": ({"first_of": [CAPPED, 5]}, {"x": 4}, {"x": 11}, "first_of.0.cap"),
    "a cap for a person": (
        {"milestones": {"entry": 5, "job": 6}, "cap_per_person": 8},
        {"entry": 4, "job": 3}, {"entry_and_job": 1}, "cap_per_person"),
    "a cap of a derived metric": ({"share": 2, "of": "mix"}, {"x": 7}, {"x": 8}, "metrics.mix.derived.cap"),
    "an outer cap over an inner one": ({"share": 2, "of": CAPPED, "cap": 15}, {"x": 7}, {"x": 11}, "cap"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limit_that_decides__is_named_by_its_path(name: str) -> None:
    term, free, held, path = LIMITS[name]

    assert decided(term, **free) == "formula"
    assert decided(term, **held) == path


def test_cap_of_a_wave__is_named_by_its_path() -> None:
    waves = {"waves": {"first": "x", "second": "x"}, "milestones": {}}
    term = {"per_wave": CAPPED}

    for last, expected in ((10, "formula"), (11, "per_wave.cap")):
        assert settlement(replay(contract({"t": term}, **waves), {"x.first": 1, "x.second": last}, 100))["bound"] == {"t": expected}


def test_cap_on_all_terms__is_told_apart_from_the_cap_of_a_term_on_every_date() -> None:
    # By hand: 10 and 10 of 25 in the first year, 5 of 10 in the second: the cap of 25 leaves no more.
    dated = contract({"a": CAPPED, "b": CAPPED}, total_cap=25, dates={"one": {"month": 12}, "two": {"month": 24}})
    content = settlement(replay(dated, {"x": 12, "y": 0} | NOBODY, 100))

    assert [row["payment"] for row in content["dates"]] == [10, 5, 10, 0]
    assert [row["bound"] for row in content["dates"]] == ["cap", "total_cap", "cap", "total_cap"]


def test_explanation__says_which_limit_decided() -> None:
    case = {"outcome": {"x": 12}, "basis": "strict"}
    text = explanation(contract({"t": {"share": 2, "of": CAPPED}}, milestones={}, published={"end": case}))

    assert "- t: 20.00 SEK, as its of.cap decided." in text


def test_term_with_more_limits_than_can_be_told__is_refused() -> None:
    def problems(number: int) -> list[str]:
        parts = [{"share": 1, "of": "x", "cap": place} for place in range(number)]
        return [rule for _, rule, *_ in contract_problems(contract({"t": {"sum": parts}}))]

    assert problems(100) == []
    assert problems(101) == ["a term must have at most 100 limits inside, so that each can be told"]
