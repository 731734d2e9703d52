"""Payments and stops come after all that they look at: metrics, milestones, people, other terms."""

from __future__ import annotations

import pytest

from simengine.config import load_study
from simengine.errors import StudyError
from tests.conftest import CHECKOUT

EVERYTHING = CHECKOUT / "tests" / "cases" / "everything.yaml"
OUTCOMES = [
    "study.horizon_months=60",
    "population.waves={a: {size: 10, enrolment_months: 12}, b: {size: 10, from_month: 12, enrolment_months: 6}}",
    "outcomes={spells: {kind: count, events: sick}, days: {kind: days, events: sick}, cost: {kind: amount, per_day: {out: 800}}, "
    "score: {kind: score, at_month: 12, mean: 0, sd: 1, correlation: 0.6}, out_ever: {kind: reached, states: out, stay_months: 3}, "
    "qualified: {kind: binary, at_month: 18, probability: {work: 0.5, out: 0.2, gone: 0}}, "
    "passed: {kind: target, outcome: score, at_least: 0}, "
    "claim: {kind: claim, prices: {qualified: 10, out_ever: 20, passed: 30}}}",
]
"""By hand: wave a enters until month 11, wave b until 17. The longest window has 24 months; `qualified` is read 18 months after
entry, `passed` rests on a score read after 12."""
HEAD = "contract={title: x, currency: SEK, commitment: 100, metrics: {cost: {meaning: x, unit: SEK}}, "
HEAD += "milestones: {qualified: x, out_ever: x, passed: x}, waves: {a: x, b: x}, "
DATES = "dates: {early: {month: 10}, d29: {month: 29}, d35: {month: 35}, d41: {month: 41}}, "


def problems(contract: str, *changes: str) -> list[str]:
    drawn = "capital={drawn_share: 1, drawdown_months: 1}"
    try:
        load_study(EVERYTHING, [*OUTCOMES, HEAD + contract, drawn, *changes])
    except StudyError as error:
        return [f"{problem.key}: {problem.rule}; found {problem.found}" for problem in error.problems]
    return []


RULE = "a payment must follow the measurement it depends on; found paid as early as month {paid}, measured as late as month {known}"
PEOPLE = "terms: {{t: {{milestones: {{{priced}}}{more}, at: [{at}]}}}}}}"
TOO_EARLY = {
    # The last enters in month 17 and is read 18 months later: 35.
    "a milestone that is read": ("qualified: 10", "", "early", "d35", 10, 35),
    # 17 and 24 months, the longest window.
    "a milestone that is reached": ("out_ever: 20", "", "d35", "d41", 35, 41),
    "a milestone on a score": ("passed: 30", "", "early", "d29", 10, 29),
    "milestones in order of those before them": ("passed: 30", ", in_order: true", "d35", "d41", 35, 41),
    "the last of several": ("qualified: 10, out_ever: 20", "", "d35", "d41", 35, 41),
}


@pytest.mark.parametrize("name", TOO_EARLY)
def test_milestone__is_paid_after_it_can_be_known(name: str) -> None:
    priced, more, early, late, paid, known = TOO_EARLY[name]

    found = problems(DATES + PEOPLE.format(priced=priced, more=more, at=early))

    assert found == [f"contract.terms.t: {RULE.format(paid=paid, known=known)}"]
    assert problems(DATES + PEOPLE.format(priced=priced, more=more, at=late)) == []


THROUGH_OTHERS = {
    "of one wave": ("{t: {per_wave: {milestones: {qualified: 10}}, waves: [a], at: [early]}}", "terms.t", 29),
    "a share of another term": (
        "{people: {milestones: {qualified: 10}, delay_months: 40, at: [early]}, t: {share: 1, of: people, at: [early]}}",
        "terms.t",
        35,
    ),
    "a gate on another term": (
        "{people: {milestones: {qualified: 10}, delay_months: 40, at: [early]}, "
        "t: {amount: 5, only_if: {people: {above: 0}}, at: [early]}}",
        "terms.t",
        35,
    ),
    "what the total cap leaves": (
        "{people: {milestones: {qualified: 10}, delay_months: 40, at: [early]}, t: {amount: 5, at: [early]}}, total_cap: 100",
        "terms.t",
        35,
    ),
    # Weighted by the people of the waves, who are all there in month 17; the metric has a window of 24 months.
    "people of a wave": ("{t: {per_wave: {share: 1, of: cost}, cumulative: true, waves: [b], at: [d35]}}", "terms.t", 41),
}


@pytest.mark.parametrize("name", THROUGH_OTHERS)
def test_payment__follows_all_that_it_looks_at(name: str) -> None:
    terms, path, known = THROUGH_OTHERS[name]

    found = problems(DATES + "terms: " + terms + "}")

    paid = 35 if "d35" in terms else 10
    assert found == [f"contract.{path}: {RULE.format(paid=paid, known=known)}"]


def test_payment_month_of_a_study__comes_after_milestones_too() -> None:
    month = "capital.payment_month={t: 34}"
    expected = [f"capital.payment_month.t: {RULE.format(paid=34, known=35)}"]

    assert problems("terms: {t: {milestones: {qualified: 10}}}}", month) == expected
    assert problems("terms: {t: {milestones: {qualified: 10}}}}", month.replace("34", "35")) == []


def test_stop__is_decided_after_what_it_looks_at() -> None:
    # By hand: a cost within 24 months, of people who enter until month 17. Nothing is paid after the stop but a fee in month 41.
    stop = (
        "stops: {{halt: {{at: {at}, only_if: {{cost: {{below: 0}}}}, by: [investor]}}}}, terms: {{fee: {{amount: 1, at: [d41]}}}}}}"
    )

    assert problems(DATES + stop.format(at="early")) == [
        "contract.stops.halt.at: a stop must be decided after the measurement that it looks at; found decided in month 10, "
        "measured as late as month 41"
    ]
    assert problems(DATES + stop.format(at="d41")) == []


def test_milestone_read_after_the_longest_window__is_refused() -> None:
    found = problems(DATES + PEOPLE.format(priced="qualified: 10", more="", at="d41"), "outcomes.qualified.at_month=25")

    assert (
        "contract.milestones.qualified: the milestones must be reached within the longest window of a metric, 24 months; found "
        "`qualified`, read 25 months after entry" in found
    )
