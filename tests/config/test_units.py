"""Units across files: what an estimate yields must be what the contract says that it pays on."""

from __future__ import annotations

from pathlib import Path

import pytest

from simengine.config import load_study
from simengine.errors import StudyError

OUTCOMES = {
    "amount": "{kind: amount, per_day: {placed: 3_000}}",
    "answer": "{kind: binary, at_month: 12, probability: {home: 0.6, placed: 0.4}}",
    "reached": "{kind: reached, states: home}",
    "score": "{kind: score, at_month: 12, mean: 0, sd: 1, correlation: 0.5}",
    "count": "{kind: count, events: fall}",
    "days": "{kind: days, events: fall}",
    "claim": "{kind: claim, prices: {one: 5}}",
}
TOTAL, RATE, HUNDRED, RELATIVE = "total_difference", "rate_difference", "per_100_difference", "relative_reduction"
# By the definitions of the estimates: n (m_c - m_s), m_c - m_s, 100 (m_c - m_s), (m_c - m_s) / m_c. By outcome and estimate: units
# that are right, and units that are not.
FITTING = {
    ("answer", RATE): ("share, proportion, share of pupils", "per cent, per 100, people, SEK, days, points, share per person"),
    ("answer", HUNDRED): ("per cent, per 100, pupils per 100, percentage points", "share, people, SEK, per 1000, days per 100"),
    ("answer", TOTAL): ("people, pupils, jobs, child-years", "share, per cent, per 100, SEK, days, points"),
    ("answer", RELATIVE): ("share", "per cent, people, points, QALYs"),
    ("reached", RATE): ("share", "per cent, number, months"),
    ("amount", TOTAL): ("SEK, days, person-months, QALYs", "share, per cent, EUR, SEK per person, millions of SEK, per 100"),
    ("amount", RATE): ("SEK, SEK per person, days, days per person", "share, per cent, EUR, days per 100 people, points"),
    ("amount", HUNDRED): ("SEK per 100 people, days per 100", "SEK, share, per cent, days"),
    ("amount", RELATIVE): ("share", "SEK, per cent, days"),
    ("count", TOTAL): ("number, events, reconvictions", "share, SEK, days, per 100, points"),
    ("count", RATE): ("number per person, number", "share, per cent, months, per 100"),
    ("count", HUNDRED): ("per 100, reconvictions per 100 men", "number, share"),
    ("days", TOTAL): ("days, person-days, sick days", "months, share, SEK, number, days per person, per 100"),
    ("days", RATE): ("days, days per person", "months, share, hours, per cent"),
    ("score", RATE): ("points, points per person, SDQ, share", "per cent, per 100"),
    ("score", HUNDRED): ("points per 100 people", "points, share"),
    ("score", TOTAL): ("points", "share, per cent"),
    ("claim", TOTAL): ("SEK, points", "EUR, share, days, people"),
}  # fmt: skip


def study(tiny_path: Path, tmp_path: Path, outcome: str, estimate: str, unit: str) -> None:
    """The smallest study, with a metric of another kind of outcome, and a contract that says its unit."""
    text = tiny_path.read_text(encoding="utf-8")
    answers = "".join(f"  {name}: {one}\n" for name, one in OUTCOMES.items())
    answers += "  one: {kind: reached, states: home}\n"
    falls = "fall: {rates: {home: {rate_per_year: 1}}, length: {kind: lognormal, mean_days: 5, sd_days: 3}}"
    text = text.replace(
        "\noutcomes:\n",
        f"\nevents: {{{falls}}}\n\noutcomes:\n{answers}",
    )
    text = text.replace("    school: {outcome: school_qualified, window_months: 12, estimate: rate_difference, better: higher}",
        f"    school: {{outcome: {outcome}, window_months: 12, estimate: {estimate}, better: higher}}")  # fmt: skip
    text = text.replace("unit: share}", f'unit: "{unit}"}}')
    (tmp_path / "study.yaml").write_text(text)
    load_study(tmp_path / "study.yaml")


@pytest.mark.parametrize(("outcome", "estimate"), FITTING)
def test_unit__must_be_that_of_the_estimate(outcome: str, estimate: str, tiny_path: Path, tmp_path: Path) -> None:
    right, wrong = FITTING[outcome, estimate]
    for unit in right.split(", "):
        study(tiny_path, tmp_path, outcome, estimate, unit)
    for unit in wrong.split(", "):
        with pytest.raises(StudyError) as refusal:
            study(tiny_path, tmp_path, outcome, estimate, unit)
        assert "contract.metrics.school.unit: " in str(refusal.value), unit


def test_refusal__names_both_places(tiny_path: Path) -> None:
    with pytest.raises(StudyError) as refusal:
        load_study(tiny_path, ["measurement.metrics.school.estimate=per_100_difference"])

    (problem,) = refusal.value.problems
    assert problem.where.endswith("tiny.yaml:52")
    assert str(problem).partition("contract.metrics")[2] == (
        ".school.unit: must be in the unit of measurement.metrics.school, a per_100_difference of `school_qualified`: per 100; "
        "found `share`. Write `unit: per 100`, with prices and levels to match, or choose another `estimate`"
    )


def test_amount_that_is_valued_as_it_is__is_money(tiny_path: Path) -> None:
    # `public_value.placement_cost_sek` says no value of a unit, so that a unit is one of the currency.
    with pytest.raises(StudyError, match=r"contract\.metrics\.saving\.unit: .*: SEK; found `days`"):
        load_study(tiny_path, ["contract.metrics.saving.unit=days"])
