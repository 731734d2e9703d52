"""Money of different years in the prices of one: by an index that may not be the true one."""

import numpy as np
import pytest

from simengine.pipeline import simulate
from tests.measurement.made import measured, tallies_of, told
from tests.measurement.small import problems_of, study_of

CALENDAR = {"population.waves.w0.from_month": 6.0, "population.waves.w0.enrolment_months": 13.9}
SPENT = {"service": [80.0, 100.0], "twin": [100.0, 120.0], "baseline": [100.0, 140.0], "control": [100.0, 120.0]}
PRICES = {"growth_per_year": 0.05, "index_per_year": 0.02}


def seen(design, prices, numbers=None, estimate="rate_difference", **arms):
    tallies = tallies_of({**SPENT, **arms})
    metric = {"estimate": estimate, "prices": prices}
    return told(measured(tallies, design, numbers=CALENDAR | (numbers or {}), m=metric))


def test_prices__that_grow_faster_than_the_index_blow_up_what_was_saved():
    # Hand arithmetic: people enter from month 6 to 18 (13 whole months), in month 12 on average; the middle of their year is month
    # 18, a year and a half after the base. Both groups look e^(.03 x 1.5) times as dear, and so does the difference of 20.
    estimate, error, truth = seen("randomised", PRICES)

    assert estimate == pytest.approx(20 * np.exp(0.045))
    # The variances of 200 each, of two people each.
    assert error == pytest.approx(np.sqrt(200.0) * np.exp(0.045))
    assert truth == 20


def test_prices__of_another_base_month_count_from_there():
    # Hand arithmetic: two years before the start, so 3.5 years to the middle.
    assert seen("randomised", PRICES | {"base_month": -24})[0] == pytest.approx(20 * np.exp(0.03 * 3.5))


@pytest.mark.parametrize("design", ["randomised", "historical", "before_after"])
def test_prices__that_the_index_knows_change_nothing(design):
    # Invariant: an index that is right is no index at all.
    past = {"service": ([80.0, 100.0], [90.0, 110.0])}
    numbers = {"measurement.baseline.years_before": 4.0}
    right = {"growth_per_year": 0.07, "index_per_year": 0.07}

    assert seen(design, right, numbers, **past) == pytest.approx(seen(design, None, numbers, **past))


def test_prices__make_earlier_people_look_cheap_where_nobody_corrects():
    # Hand arithmetic: four years before, the middle of their year is month -30: they cost 120 e^(-.05 x 2.5), the service users
    # 90 e^(.05 x 1.5), with the prices of the start. A true saving of 30 against them is seen as 8.9.
    numbers = {"measurement.baseline.years_before": 4.0}
    estimate, _, truth = seen("historical", PRICES | {"index_per_year": 0.0}, numbers)

    assert estimate == pytest.approx(120 * np.exp(-0.125) - 90 * np.exp(0.075)) == pytest.approx(8.89, abs=1e-3)
    assert truth == 20


def test_prices__of_the_year_before_lie_a_year_before():
    # Hand arithmetic: of the same people, month 6 and month 18.
    past = {"service": ([80.0, 100.0], [90.0, 110.0])}
    estimate = seen("before_after", PRICES, **past)[0]
    assert estimate == pytest.approx(100 * np.exp(0.03 * 0.5) - 90 * np.exp(0.03 * 1.5))


def test_prices__cancel_in_a_reduction_against_people_of_the_same_time():
    assert seen("randomised", PRICES, estimate="relative_reduction")[0] == pytest.approx(2 / 11)


MONEY = {
    "outcomes.cost": {"kind": "amount", "per_event": {"spell": 1000}},
    "measurement.metrics.reduction.outcome": "cost",
    "measurement.metrics.reduction.prices": PRICES,
}


def test_prices__may_have_a_distribution_and_say_nothing_of_the_people():
    # Invariant: each replication has an index of its own, and the same lives.
    changes = {"measurement.metrics.reduction.estimate": "rate_difference", "effect.fewer.hazard_ratio": 0.8}
    distribution = {"growth_per_year": {"distribution": "normal", "mean": 0.02, "sd": 0.02}, "index_per_year": 0.02}
    with_distribution, without = (
        simulate(study_of({**MONEY, **changes, "measurement.metrics.reduction.prices": prices}), 3, np.arange(50))
        for prices in (distribution, None)
    )

    np.testing.assert_array_equal(with_distribution.measurements.truth, without.measurements.truth)
    assert (with_distribution.measurements.estimate != without.measurements.estimate).all()
    gap = with_distribution.draws["measurement.metrics.reduction.prices.growth_per_year"] - 0.02
    tallies = with_distribution.tallies
    mean, before = (
        sums[:, 0, 0, list(tallies.outcomes).index("cost")] / 100 for sums in (tallies.sums[..., 0], tallies.sums_before)
    )
    np.testing.assert_allclose(with_distribution.measurements.estimate[:, 0], before * np.exp(-gap / 2) - mean * np.exp(gap / 2))


@pytest.mark.parametrize(
    "changes",
    [{"measurement.metrics.reduction.outcome": "spells"}, {"measurement.metrics.reduction.outcome": "any"}],
)
def test_prices__of_what_is_no_money_are_refused(changes):
    assert "measurement.metrics.reduction.prices" in problems_of(**MONEY | changes)
