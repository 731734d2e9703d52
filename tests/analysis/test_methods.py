"""The same people by every design: closed forms on normal scores, and what the contract pays by each."""

import numpy as np
import pytest
from scipy import stats

from simengine.config import load_study
from simengine.questions.methods.answer import ON_TRUTH, PRESCRIBED, compare_methods
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.risk import statistics
from tests.analysis.made import CHOSEN, DIFFERENCE, SCORES, SD, N, study_of

ERROR = SD * np.sqrt(2 / N)
DRIFTING = (
    "measurement.baseline={size: 40, years_before: 1}",
    "measurement.metrics.gain.drift_per_year=2",
    "measurement.rate_card={deadweight: 0.2}",
    "measurement.mix={randomised: 0.8, historical: 0.2}",
)


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    return compare_methods(study_of(SCORES, tmp_path_factory.mktemp("scores"), *DRIFTING), Ensemble(7, 2000))


def z(statistic, exact):
    return (statistic.value - exact) / statistic.se


@pytest.mark.statistical
def test_designs__have_the_bias_spread_and_coverage_of_their_closed_forms(scores):
    # Source: closed form. By lot the estimate is normal about the truth of 3 with ERROR. A score that grew by 2 in a year
    # makes earlier people look 2 worse: a bias of 2; a mix of 80 and 20 has 0.4, its error sqrt(0.8^2 + 0.2^2 + 1) / sqrt(2).
    readings = scores.metrics["gain"].designs
    assert set(readings) == {"randomised", "historical", "mix"}  # a rate card counts; a score cannot be counted
    for design, bias, spread in (("randomised", 0, 1), ("historical", 2, 1), ("mix", 0.4, np.sqrt((0.8**2 + 0.2**2 + 1) / 2))):
        reading = readings[design]
        assert abs(z(reading.bias, bias)) < 4.5, design
        assert abs(z(reading.estimate, DIFFERENCE + bias)) < 4.5, design
        assert abs(z(reading.sd, ERROR * spread)) < 4.5, design
    assert abs(z(readings["randomised"].coverage, 1 - 2 * stats.t.sf(1.959963984540054, 2 * N - 2))) < 4.5
    assert readings["historical"].coverage.value < 0.9


@pytest.mark.statistical
def test_paid__is_what_each_design_would_have_earned(scores):
    # Source: closed form; the prize of 1,000 is paid for an estimate of at least 1.5.
    for design, bias in (("randomised", 0), ("historical", 2)):
        chance = stats.norm.sf((1.5 - DIFFERENCE - bias) / ERROR)
        assert abs(z(scores.paid[design].p_pay, chance)) < 4.5
        assert scores.paid[design].payment.value == pytest.approx(1000 * scores.paid[design].p_pay.value)
    assert scores.paid[ON_TRUTH].p_pay.value == 1


def test_bias__is_the_estimate_less_the_truth(scores):
    for readings in scores.metrics["gain"].designs.values():
        assert readings.bias.value == pytest.approx(readings.estimate.value - scores.metrics["gain"].truth.value)


def test_prescribed__design_pays_what_a_run_pays(tiny):
    results = run_study(tiny, 3, 60)

    found = compare_methods(tiny, Ensemble(3, 60))

    assert found.prescribed == "historical"
    assert found.paid["historical"].payment == statistics.mean(results["contingent_payment"])
    assert found.metrics["saving"].designs["historical"].estimate == statistics.mean(results["metric.saving.estimate"])


def test_metric_that_a_design_cannot_measure__is_measured_as_prescribed(tiny_path):
    study = load_study(tiny_path, ["population.history_months=12"])

    found = compare_methods(study, Ensemble(3, 40))

    assert set(found.metrics["saving"].designs) == {"before_after", "historical"}
    assert set(found.metrics["school"].designs) == {"historical"}
    assert found.paid["before_after"].borrowed == ("school",)
    assert found.paid["historical"].borrowed == ()
    assert found.paid["before_after"] != found.paid["historical"]


def test_before_after__needs_a_history(tiny):
    assert set(compare_methods(tiny, Ensemble(3, 4)).paid) == {"historical", ON_TRUTH}


def test_waves_with_designs_of_their_own__stand_beside_the_designs(tmp_path):
    waves = "population.waves={one: {size: 30, enrolment_months: 6}, two: {size: 20, from_month: 6, enrolment_months: 1}}"
    study = study_of(CHOSEN, tmp_path, waves, "measurement.by_wave={two: randomised}")

    found = compare_methods(study, Ensemble(3, 20))

    assert found.prescribed == PRESCRIBED
    mixed, before_after, randomised = (
        found.metrics["reduction"].designs[name].estimate.value for name in (PRESCRIBED, "before_after", "randomised")
    )
    assert min(before_after, randomised) < mixed < max(before_after, randomised)


def test_result__is_the_same_on_any_threads_and_in_any_blocks(tmp_path):
    study = study_of(CHOSEN, tmp_path)

    assert compare_methods(study, Ensemble(9, 23, 1, 1000)) == compare_methods(study, Ensemble(9, 23, 2, 5))
