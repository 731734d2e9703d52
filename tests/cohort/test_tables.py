"""The ways to say a pace, and the factors on it: units against each other, distributions against closed forms."""

from __future__ import annotations

from math import exp, gamma, log

import numpy as np
import pytest

from simengine.cohort.kernels.arrays import Moves
from simengine.cohort.moves import move_tables, moves_in_order
from simengine.config import cohort_of, find_study, load_study
from simengine.errors import StudyError
from simengine.pipeline import draw_numbers, simulate
from simengine.records import TWIN

SEED = 20_160_801
N_REPLICATIONS, N_PEOPLE, WINDOW = 400, 50, 12


def tiny(move: str, *overrides: str):
    """Return the tiny study with everybody in `placed` at entry, one move out of it and none back."""
    start = "{young: {placed: 1}, older: {placed: 1}}"
    pathway = f"pathway={{states: [home, placed], start: {start}, moves: {{placed -> home: {move}}}}}"
    return load_study(find_study("tiny"), [pathway, "effect={}", *overrides])


def tables_of(move: str, *overrides: str) -> Moves:
    study = tiny(move, *overrides)
    cohort = cohort_of(study)
    draws = draw_numbers(study, SEED, np.arange(5))
    return move_tables(cohort.pathway, list(cohort.population.strata), cohort.clock, {}, draws)[0]


SAME_PACES = {
    # A hazard of 0.3 a quarter, said in every unit: by hand.
    "rate_per_month: 0.1": 0.1,
    "rate_per_quarter: 0.3": 0.1,
    "rate_per_year: 1.2": 0.1,
    f"rate_per_day: {0.1 * 12 / 365.25}": 0.1,
    "mean_months: 10": 0.1,
    f"mean_years: {10 / 12}": 0.1,
    f"mean_days: {10 * 365.25 / 12}": 0.1,
    f"per_month: {1 - exp(-0.1)}": 0.1,
    f"per_quarter: {1 - exp(-0.3)}": 0.1,
    f"per_year: {1 - exp(-1.2)}": 0.1,
}


@pytest.mark.parametrize("pace", SAME_PACES)
def test_pace__is_the_same_hazard_in_every_unit(pace: str) -> None:
    """Source: arithmetic by hand: p = 1 - exp(-rate x time), mean = 1 / rate."""
    np.testing.assert_allclose(tables_of(f"{{{pace}}}").hazard, SAME_PACES[pace], rtol=1e-12)


def test_pace__a_study_in_quarters_and_one_in_months_draw_the_same_people() -> None:
    """Source: the two studies say the same thing, so they must be the same study."""
    months, quarters = (
        simulate(tiny(f"{{{pace}}}"), SEED, np.arange(50)).tallies for pace in ("rate_per_month: 0.2", "rate_per_quarter: 0.6")
    )
    np.testing.assert_array_equal(months.person_months, quarters.person_months)


def test_pace__probabilities_of_one_state_are_one_table_and_rates_come_on_top() -> None:
    """Source: by hand: p = 0.2 and 0.3 leave with hazard -log 0.5, shared 2 : 3; a rate of 0.1 is added."""
    pathway = (
        "pathway={states: [a, b, c, d], start: {young: {a: 1}, older: {a: 1}}, moves: {a -> d: {rate_per_month: 0.1}, "
        "a -> c: {per_month: 0.3}, a -> b: {per_month: 0.2}}}"
    )
    probability = "outcomes.school_qualified.probability={a: 0.6, b: 0.4, c: 0.4, d: 0.4}"
    price = "outcomes.placement_cost_sek.per_day={a: 3000}"
    study = load_study(find_study("tiny"), [pathway, "effect={}", probability, price])
    cohort = cohort_of(study)
    made, _ = move_tables(cohort.pathway, ["young"], cohort.clock, {}, draw_numbers(study, 0, np.arange(2)))
    assert [name for name, _ in moves_in_order(cohort.pathway)] == ["a -> b", "a -> c", "a -> d"]
    np.testing.assert_allclose(made.hazard[0, 0], [0.4 * log(2), 0.6 * log(2), 0.1], rtol=1e-14)
    np.testing.assert_array_equal(made.of, [0, 3, 3, 3, 3])
    np.testing.assert_array_equal(made.to, [1, 2, 3])


def expected_months(survival: list[float]) -> tuple[float, float]:
    """Return mean and variance of min(T, w) from P(T > m) = survival[m]: E X = sum P(X > m), E X^2 = sum (2 m + 1) P(X > m)."""
    mean = sum(survival)
    return mean, sum((2 * m + 1) * s for m, s in enumerate(survival)) - mean**2


# P(still there at the beginning of month m after entry), in closed form.
DISTRIBUTIONS = {
    "exponential": ("{mean_months: 8}", lambda m: exp(-m / 8)),
    "Weibull, rising, by its mean": ("{mean_months: 6, weibull_shape: 2}", lambda m: exp(-((m * gamma(1.5) / 6) ** 2))),
    "Weibull, falling, by its first month": ("{per_month: 0.4, weibull_shape: 0.5}", lambda m: 0.6 ** (m**0.5)),
    "by months in the state": (
        "{rate_per_month: 0.1, by_months_in_state: {from_months: [3, 6], factor: [3, 0]}}",
        lambda m: exp(-0.1 * (min(m, 3) + 3 * min(max(m - 3, 0), 3))),
    ),
    "by months since entry": (
        "{rate_per_month: 0.1, by_months_since_entry: {from_months: [0, 4], factor: [2, 0.5]}}",
        lambda m: exp(-0.1 * (2 * min(m, 4) + 0.5 * max(m - 4, 0))),
    ),
    # The tiny study starts in January; everybody enters in its first month.
    "by season": (
        "{rate_per_month: 0.1, by_calendar: {season: {feb: 5, mar: 0}}}",
        lambda m: exp(-0.1 * sum({1: 5, 2: 0}.get(month, 1) for month in range(m))),
    ),
    "by trend": (
        "{rate_per_month: 0.1, by_calendar: {trend_per_year: 1.2}}",
        lambda m: exp(-0.1 * sum(exp(0.1 * (month + 0.5)) for month in range(m))),
    ),
}


@pytest.mark.statistical
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_stay__has_the_mean_and_variance_of_its_distribution(name: str) -> None:
    """Source: the closed form of each distribution's survival. z below 4.5 at a fixed seed: false alarm 7 in a million per figure."""
    move, survival = DISTRIBUTIONS[name]
    study = tiny(move, "population.waves.all={size: 50, enrolment_months: 1}")
    tallies = simulate(study, SEED, np.arange(N_REPLICATIONS)).tallies
    months = tallies.person_months[:, 0, TWIN, 1, tallies.windows.index(WINDOW)]
    mean, variance = expected_months([survival(m) for m in range(WINDOW)])
    assert abs(months.mean() - N_PEOPLE * mean) < 4.5 * (N_PEOPLE * variance / N_REPLICATIONS) ** 0.5
    # The sum of 50 people is close to normal, for which Var(s^2) = 2 sigma^4 / (n - 1); 1.2 allows for its kurtosis.
    spread = months.var(ddof=1) / (N_PEOPLE * variance) - 1
    assert abs(spread) < 4.5 * 1.2 * (2 / (N_REPLICATIONS - 1)) ** 0.5


@pytest.mark.statistical
def test_stay__check_can_fail() -> None:
    """Source: the Weibull distribution read as an exponential one with the same mean must be seen."""
    study = tiny(DISTRIBUTIONS["Weibull, rising, by its mean"][0], "population.waves.all={size: 50, enrolment_months: 1}")
    tallies = simulate(study, SEED, np.arange(N_REPLICATIONS)).tallies
    months = tallies.person_months[:, 0, TWIN, 1, tallies.windows.index(WINDOW)]
    mean, variance = expected_months([exp(-m / 6) for m in range(WINDOW)])
    assert abs(months.mean() - N_PEOPLE * mean) > 4.5 * (N_PEOPLE * variance / N_REPLICATIONS) ** 0.5


def test_calendar__moves_with_the_start_of_the_study() -> None:
    """Source: by hand: February is month 1 of a study that starts in January and month 11 of one that starts in March."""
    season = "{rate_per_month: 0.1, by_calendar: {season: {feb: 5}}}"
    january, march = tables_of(season), tables_of(season, "study.start=2030-03")
    np.testing.assert_array_equal(np.flatnonzero(january.by_calendar[0, 0] == 5), [1, 13])
    np.testing.assert_array_equal(np.flatnonzero(march.by_calendar[0, 0] == 5), [11, 23])


def test_factors__may_have_distributions() -> None:
    """Source: the drawn values themselves."""
    move = "{rate_per_month: 0.1, by_months_in_state: {from_months: [2], factor: [{distribution: uniform, low: 1, high: 3}]}}"
    made = tables_of(move)
    assert made.by_stay.shape == (5, 1, 1, 24)
    assert (made.by_stay[:, 0, 0, :2] == 1).all()
    assert len(np.unique(made.by_stay[:, 0, 0, 2])) == 5
    assert made.by_entry.shape == (1, 1, 1, 24)


REFUSALS = {
    "{per_month: 0.1, mean_months: 3}": "a pace must be given in exactly one way",
    "{}": "a pace must be given in exactly one way",
    "{mean_months: 0}": "a duration or count here must be above 0; found 0",
    "{rate_per_month: -1}": "must not be negative; found -1",
    "{per_quarter: 0.2, weibull_shape: 2}": "a Weibull move must have the pace of its first month",
    "{per_month: 0.2, weibull_shape: 0}": "a Weibull shape must lie between 0.05 and 50; found 0",
    "{per_month: 0.2, by_months_in_state: {from_months: [3, 1], factor: [1, 2]}}": "the months must increase; found 3, 1",
    "{per_month: 0.2, by_months_in_state: {from_months: [3], factor: [1, 2]}}": "found 1 months and 2 numbers",
    "{per_month: 0.2, by_calendar: {season: {february: 2}}}": "season",
    "{by_stratum: {young: {per_month: 0.2}}, per_month: 0.1}": "a pace must be given in exactly one way",
    "{by_stratum: {yuong: {per_month: 0.2}}}": "a pace must belong to a stratum; found `yuong`",
}


@pytest.mark.parametrize("move", REFUSALS)
def test_pace__that_says_nothing_or_too_much_is_refused(move: str) -> None:
    with pytest.raises(StudyError) as refusal:
        tiny(move)
    assert REFUSALS[move] in str(refusal.value)


def test_pace__probabilities_of_several_periods_out_of_one_state_are_refused() -> None:
    moves = "pathway.moves={placed -> home: {by_stratum: {young: {per_month: 0.1}}}, home -> placed: {per_year: 0.2}}"
    load_study(find_study("tiny"), [moves])
    pathway = (
        "pathway={states: [home, placed, gone], start: {young: {placed: 1}, older: {placed: 1}}, "
        "moves: {placed -> home: {per_month: 0.1}, placed -> gone: {per_year: 0.1}}}"
    )
    with pytest.raises(StudyError, match="of one period; found per_month and per_year out of `placed`"):
        load_study(find_study("tiny"), [pathway])
