"""In which unit numbers are written: by hand, from what each is."""

from __future__ import annotations

from typing import Any

import pytest

from simengine.config import Study, find_study, load_study
from simengine.report.units import cell, metric_title, metric_unit, money_unit, unit_of_money
from simengine.risk.statistics import Statistic


def tiny(*overrides: str) -> Study:
    return load_study(find_study("tiny"), overrides)


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (2_000_000, (1e6, "millions of SEK")),
        (1e6, (1e6, "millions of SEK")),
        (999_999, (1e3, "thousands of SEK")),
        (-2_000_000, (1e6, "millions of SEK")),
        (999, (1.0, "SEK")),
        (0, (1.0, "SEK")),
    ],
)
def test_unit_of_money__goes_by_the_amount(amount: float, unit: Any) -> None:
    assert unit_of_money(amount, "SEK") == unit


def test_metric_unit__of_a_total_of_money_is_that_of_the_money() -> None:
    assert metric_unit(tiny(), "saving") == money_unit(tiny()) == (1e6, "millions of SEK")


def test_metric_unit__of_persons_or_days_is_one() -> None:
    persons = tiny("measurement.metrics.school.estimate=total_difference", "contract.metrics.school.unit=pupils")
    assert metric_unit(persons, "school") == (1.0, "pupils")
    # An amount of 1 a day in a state is no money, where the contract says so.
    valued = "public_value.placement_cost_sek.outcome_payer={value_per_unit: 3_000}"
    days = tiny("outcomes.placement_cost_sek.per_day={placed: 1}", "contract.metrics.saving.unit=days", valued)
    assert metric_unit(days, "saving") == (1.0, "days")
    assert [metric_title(days, name) for name in ("saving", "school")] == ["saving (days)", "school (share)"]


def test_metric_unit__of_what_no_contract_names_goes_by_what_is_counted() -> None:
    def silent(study: Study) -> Study:
        return study.model_copy(update={"contract": study.contract.model_copy(update={"metrics": {}})})

    study = tiny("measurement.metrics.school.estimate=total_difference", "contract.metrics.school.unit=pupils")
    assert metric_unit(silent(study), "school") == (1.0, "persons")
    assert metric_unit(silent(study), "saving") == (1e6, "millions of SEK")
    # What has a price of its own is not money itself; and of what nobody values, nobody knows.
    assert metric_unit(silent(tiny("public_value={}")), "saving") == (1.0, "")
    priced = tiny("public_value.placement_cost_sek.outcome_payer={value_per_unit: 3_000}")
    assert metric_unit(silent(priced), "saving") == (1.0, "")


@pytest.mark.parametrize(
    ("value", "error", "scale", "text"),
    [
        (1_234_567.0, 8_000.0, 1e6, "1.235 ±0.008"),
        (1_234_567.0, 8_000.0, 1.0, "1,234,567 ±8,000"),
        (0.0, 0.0, 1e6, "0.000 ±0.000"),
        (-1e-9, 1e-3, 1.0, "0.000 ±0.001"),
        # 400 of a contract in millions is not nothing.
        (400.0, 30.0, 1e6, "0.00040 ±0.00003"),
        (40.0, 0.0, 1e6, "0.00004 ±0.00000"),
        # What may well be 0 is written as 0.
        (40.0, 50.0, 1e6, "0.000 ±0.000"),
    ],
)
def test_cell__writes_to_the_digit_at_which_the_error_begins(value: float, error: float, scale: float, text: str) -> None:
    assert cell(Statistic(value, error), scale) == text
