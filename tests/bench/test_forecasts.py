"""Forecasts of contracts: who has an answer and which one, by hand and by a program of its own; nothing of the answer is told."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from simengine.bench import Trial, choose_problems, find_problem, run_methods
from simengine.bench.attempt import attempt
from simengine.bench.forecasting.methods import so_far_goes_on
from simengine.bench.forecasting.problem import ForecastProblem
from simengine.bench.methods import BASELINES
from simengine.errors import UsageError
from tests.conftest import CHECKOUT
from verification.bench import forecasts
from verification.outside_view import folder_of_tables

MADE_UP = CHECKOUT / "configs" / "indigo_made_up"


def on(tables: Path, name: str) -> ForecastProblem:
    found = find_problem(name, tables)
    assert isinstance(found, ForecastProblem)
    return found


def came(tables: Path, name: str) -> dict[str, float]:
    return {one.project.removeprefix("MADE-UP-"): one.value for one in on(tables, name).contracts}


def test_answers__are_those_of_a_program_that_shares_nothing() -> None:
    # Source: slow twin: `verification/bench/forecasts.py` puts every amount into its months, one by one.
    by_hand = forecasts.answers(MADE_UP)
    for problem in choose_problems(["forecasts"], MADE_UP):
        assert isinstance(problem, ForecastProblem)
        found = {one.project: one.value for one in problem.contracts}
        assert found == pytest.approx(by_hand[problem.card.name]), problem.card.name


def test_answers__are_worked_out_by_hand() -> None:
    # Source: hand, from the rows of the made-up tables. 04: 3 x 6,000 of the 4 x 10,000 of the first year were paid in three
    # quarters, and a fourth: 24,000 / 40,000. 02 begins a quarter late: 3 x 20,000 of 80,000. 05's plan repeats its first year.
    first = came(MADE_UP, "paid_in_the_first_year")
    assert (first["01"], first["02"], first["04"]) == pytest.approx((0.9, 0.75, 0.6))
    assert "05" not in first
    # 05: 4 x 11,000 of 4 x 10,000 in the second year.
    assert came(MADE_UP, "paid_in_the_second_year")["05"] == pytest.approx(1.1)
    # 02: half of 8 x 20,000 is planned by the 12th month, paid, as payments begin a quarter late, by the 15th.
    assert came(MADE_UP, "half_of_the_plan_paid")["02"] == pytest.approx(3 / 12)
    # 03: 7,500 a quarter instead of 5,000: the 20,000 that are half are reached in the 8th month instead of the 12th.
    assert came(MADE_UP, "half_of_the_plan_paid")["03"] == pytest.approx(-4 / 12)
    # 01: 110 of 120 people; 04 goes on.
    people = came(MADE_UP, "people_reached_of_planned")
    assert people["01"] == pytest.approx(110 / 120)
    assert "04" not in people


def test_what_is_told__has_no_answer_in_it() -> None:
    for problem in choose_problems(["forecasts"], MADE_UP):
        assert isinstance(problem, ForecastProblem)
        for instance in range(problem.instances):
            told = problem.describe(instance)
            others = told["others"][told["column"]]
            assert np.sort(np.append(others, problem.values[instance])) == pytest.approx(np.sort(problem.values))
            assert "is_finished" not in told
            assert not {one.project for one in problem.contracts} & {str(value) for value in told.values()}


@pytest.mark.parametrize("problem", choose_problems(["forecasts"], MADE_UP), ids=lambda one: one.card.name)
def test_baselines__forecast_every_contract(problem: ForecastProblem) -> None:
    for name, method in BASELINES["forecasts"].items():
        found = attempt(problem, method, name, budget=1000, repeat=1)
        expected = "done" if name != "so_far_goes_on" or problem.card.name == "paid_in_the_second_year" else "not_applicable"
        assert found.status == expected, found.message


def test_ratio_so_far__goes_on_and_changes_as_in_the_others() -> None:
    # Source: hand: the made-up contracts whose two years are known pay both at the same ratio, but for 02 (0.75, then 1) and 05, whose
    # plan repeats its first year (1, then 1.1): the median change of 01 is the mean of the logarithms of 4/3, 1, 1 and 1.1.
    problem = on(MADE_UP, "paid_in_the_second_year")
    place = [one.project for one in problem.contracts].index("MADE-UP-01")
    changes = [
        np.log(one.value / float(one.told["paid_over_planned_before"])) for k, one in enumerate(problem.contracts) if k != place
    ]
    samples = so_far_goes_on(Trial(problem, 100, place), 1)["samples"]
    assert np.median(samples) == pytest.approx(0.9 * np.exp(np.mean(changes)), rel=1e-6)
    assert {round(float(np.exp(one)), 4) for one in changes} == {round(4 / 3, 4), 1.0, 1.1}


def test_bad_answers_and_few_contracts__are_refused(tmp_path: Path) -> None:
    def negative(trial: Trial, seed: int) -> dict[str, np.ndarray]:
        return {"samples": np.linspace(-1, 1, 50)}

    refused = attempt(on(MADE_UP, "paid_when_finished"), negative, "mine", budget=10)
    assert (refused.status, "must be numbers above 0" in refused.message) == ("bad_answer", True)
    assert attempt(on(MADE_UP, "half_of_the_plan_paid"), negative, "mine", budget=10).status == "done"
    few = Path(shutil.copytree(MADE_UP, tmp_path / "few"))
    rows = list(csv.reader((few / "projects.csv").read_text().splitlines()))
    with (few / "projects.csv").open("w", newline="") as file:
        csv.writer(file).writerows([rows[0]] + [[*row[:-1], ""] for row in rows[1:]])
    with pytest.raises(UsageError, match=r"must have three contracts that answer people_reached_of_planned; found 0"):
        run_methods(["other_contracts"], ["people_reached_of_planned"], tables=few)
    with pytest.raises(UsageError, match=r"paid_in_the_first_year: must have the public tables; found none"):
        run_methods(["other_contracts"], ["paid_in_the_first_year"])


def test_no_contract__is_forecast_twice() -> None:
    found = run_methods(["plan_holds"], ["paid_in_the_second_year"], repeats=50, tables=MADE_UP)
    assert [one.repeat for one in found] == [0, 1, 2, 3, 4]


def test_real_tables__have_as_many_contracts_as_the_cards_say() -> None:
    # Source: the program of its own; the numbers at the head of the cards are those of the tables of May 2025.
    tables = folder_of_tables()
    if tables is None:
        pytest.skip("no download of the INDIGO tables: set SIMENGINE_INDIGO to its folder")
    by_hand = forecasts.answers(tables)
    for problem in choose_problems(["forecasts"], tables):
        assert isinstance(problem, ForecastProblem)
        assert {one.project: one.value for one in problem.contracts} == pytest.approx(by_hand[problem.card.name])
