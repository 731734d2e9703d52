"""Repeated cross-sections: the people before and after are different people of the same places."""

import numpy as np
import pytest

from simengine.measurement import measure
from simengine.pipeline import kinds_of, simulate
from simengine.records import ARMS, PARALLEL, PARALLEL_BEFORE, SERVICE, SERVICE_BEFORE
from tests.measurement.made import measured, tallies_of, told
from tests.measurement.small import problems_of, study_of
from tests.measurement.test_designs import FALSE_ALARM, z_of_mean

ACROSS = {"cross_section": {}}
N = 300


def test_difference__by_hand():
    # Hand arithmetic: (6, 10) after, others (9, 13, 11) before; elsewhere (7, 9) after and (4, 8) before. 11 + 8 - 6 = 13 would
    # have been, against 8: 5 better. Variances 8 / 2 + 4 / 3 + 2 / 2 + 8 / 2 = 10.333; the past of the same people does not count.
    tallies = tallies_of(
        {
            "service": ([6, 10], [99, 0]),
            "service_before": ([0, 0, 0], [9, 13, 11]),
            "parallel": ([7, 9], [55, 0]),
            "parallel_before": ([0, 0], [4, 8]),
            "twin": ([6, 10], [99, 0]),
        }
    )

    assert told(measured(tallies, "difference_in_differences", sections=ACROSS)) == pytest.approx((5, np.sqrt(31 / 3), 0))
    assert told(measured(tallies, "before_after", sections=ACROSS))[:2] == pytest.approx((3, np.sqrt(4 + 4 / 3)))


@pytest.fixture(scope="module")
def lived():
    study = study_of(
        {
            "measurement.parallel": {},
            "measurement.cross_section": {"ratio": 2},
            "measurement.metrics.reduction.estimate": "rate_difference",
            "measurement.design": "difference_in_differences",
            "effect.fewer.hazard_ratio": 0.8,
        }
    )
    return study, simulate(study, 8, np.arange(N))


@pytest.mark.statistical
def test_difference__has_the_variance_of_four_groups_without_a_correlation(lived):
    # Source: closed form: s^2 (1/n + 1/n + 1/2n + 1/2n) with negative binomial s^2 = m + m^2: 3.75 untreated, 1.2 + 1.44 treated.
    # The same people would have 2 (1 - rho) instead of each pair.
    study, evidence = lived
    got = evidence.measurements
    variance = (1.2 + 1.44) / 100 + 3.75 / 100 + 2 * 3.75 / 200

    assert abs(z_of_mean(got.estimate[:, 0], 0.3)) < FALSE_ALARM
    assert abs(z_of_mean((got.estimate[:, 0] - 0.3) ** 2, variance)) < FALSE_ALARM
    assert abs(z_of_mean(got.standard_error[:, 0] ** 2, variance)) < FALSE_ALARM
    covered = (np.abs(got.estimate[:, 0] - 0.3) < 1.96 * got.standard_error[:, 0]).mean()
    assert abs(covered - 0.95) < FALSE_ALARM * np.sqrt(0.95 * 0.05 / N) + 0.01
    same = measure(
        study.measurement.model_copy(update={"cross_section": None}), evidence.tallies, kinds_of(study), ("one",), evidence.draws
    )
    # Their correlation: the frailty's share of the variance, 2.25 / 3.75 untreated.
    assert same.standard_error[:, 0].mean() < 0.8 * got.standard_error[:, 0].mean()


@pytest.mark.statistical
def test_people__before_live_like_the_others_did_and_are_nobody_else(lived):
    tallies = lived[1].tallies
    for arm, others in ((SERVICE_BEFORE, SERVICE), (PARALLEL_BEFORE, PARALLEL)):
        assert (tallies.n_people[:, 0, arm] == 200).all()
        mean = tallies.sums_before[:, 0, arm, 0] / 200
        assert abs(z_of_mean(mean, 1.5)) < FALSE_ALARM
        other = tallies.sums_before[:, 0, others, 0]
        assert abs(np.corrcoef(mean, other)[0, 1]) < FALSE_ALARM / np.sqrt(N)
        assert not tallies.sums[:, 0, arm].any()


def test_cross_section__changes_nobody_else(lived):
    study, evidence = lived
    without = simulate(
        study.model_copy(update={"measurement": study.measurement.model_copy(update={"cross_section": None})}), 8, np.arange(N)
    )
    for arm in range(len(ARMS) - 2):
        np.testing.assert_array_equal(without.tallies.sums[:, :, arm], evidence.tallies.sums[:, :, arm])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"measurement__parallel": {"form": "regression"}}, "measurement.parallel.form"),
        ({"population__history_months": 0}, "measurement.cross_section"),
    ],
)
def test_cross_section__that_cannot_be_is_refused(changes, path):
    assert path in problems_of(measurement__cross_section={}, **changes)
