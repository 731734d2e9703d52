"""Scores by hand, against closed forms, against a slow double sum, and over many seals of forecasts that are true."""

from __future__ import annotations

from math import exp, log, pi, sqrt

import numpy as np
import pytest
from scipy import stats

from simengine.seals.distribution import sealed_distribution
from simengine.seals.outcome import Outcome
from simengine.seals.scoring import crps, log_score, scored, uniform_of_seal
from simengine.streams import uniforms
from tests.seals.made import seal_of

N_SEALS = 200
HAND = seal_of({"x": [0, 0, 0, 0, 0, 4, 6, 10, 10, 10]})
"""Half at 0; then 4 and 6, once each; 10 three times."""


def exact_crps(mean: float, sd: float, value: float) -> float:
    """Source: Gneiting, Raftery, Westveld and Goldman 2005, Monthly Weather Review 133, 1098-1118, equation 5."""
    z = (value - mean) / sd
    return sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / sqrt(pi))


def slow_crps(sample: list[float], value: float) -> float:
    """E|X - y| - E|X - X'| / 2, pair by pair."""
    n = len(sample)
    pairs = sum(abs(one - other) for one in sample for other in sample)
    return sum(abs(one - value) for one in sample) / n - pairs / (2 * n * n)


def test_a_figure_at_an_atom__by_hand():
    found = scored(HAND, Outcome("x", 0.0))
    u = float(uniforms(int(HAND.sha256[:16], 16), "score/x", np.array([0]))[0])
    # P(X < 0) = 0 and P(X = 0) = 5/10, so the PIT is half of the uniform.
    assert found.below.value == 0.0
    assert found.inside.value == 0.5
    assert found.pit.value == pytest.approx(0.5 * u)
    assert found.log_score.score.value == pytest.approx(log(0.5))
    # E|X - 0| = (4 + 6 + 30) / 10 = 4. The unordered pairs that differ: 0-4: 5 x 4 = 20; 0-6: 5 x 6 = 30; 0-10: 15 x 10 = 150;
    # 4-6: 2; 4-10: 3 x 6 = 18; 6-10: 3 x 4 = 12; 232 in all. E|X - X'| = 2 x 232 / 100 = 4.64; CRPS = 4 - 2.32 = 1.68.
    assert found.crps.value == pytest.approx(1.68)
    assert found.brier is None


def test_a_rounded_figure__by_hand():
    found = scored(HAND, Outcome("x", 5.0, rounded_to=2.0))
    # Within 4 to 6, both included: two of ten. Below 4: five of ten.
    assert (found.below.value, found.inside.value) == (0.5, 0.2)
    u = uniform_of_seal(HAND, "x")
    assert found.pit.value == pytest.approx(0.5 + 0.2 * u)
    assert found.log_score.score.value == pytest.approx(log(0.2))
    assert found.log_score.of == "probability"
    # E|X - 5| = (25 + 1 + 1 + 15) / 10 = 4.2; CRPS = 4.2 - 2.32 = 1.88.
    assert found.crps.value == pytest.approx(1.88)


def test_a_direction__by_hand():
    found = scored(HAND, Outcome("x", 4.0, stands="above"))
    # 6 and three times 10: 4 of 10. Brier (1 - 0.4)^2 = 0.36.
    assert found.inside.value == pytest.approx(0.4)
    assert found.brier.value == pytest.approx(0.36)
    # Its slope is 2 x 0.6, the error of the probability sqrt(0.24 / 10).
    assert found.brier.se == pytest.approx(1.2 * sqrt(0.024))
    assert found.log_score.score.value == pytest.approx(log(0.4))
    assert found.log_score.score.se == pytest.approx(sqrt(0.024) / 0.4)
    assert (found.pit, found.crps) == (None, None)
    assert scored(HAND, Outcome("x", 4.0, stands="at_least")).inside.value == 0.5
    assert scored(HAND, Outcome("x", 0.0, stands="below")).inside.value == 0.0
    assert scored(HAND, Outcome("x", 0.0, stands="at_most")).inside.value == 0.5


def test_intervals__by_hand():
    # Ranks of 10: ceil(10 x 0.1) = 1 and ceil(10 x 0.9) = 9; ceil(2.5) = 3 and ceil(7.5) = 8.
    assert scored(HAND, Outcome("x", 0.0)).intervals == {"50": (0.0, 10.0), "80": (0.0, 10.0), "95": (0.0, 10.0)}


def test_what_no_replication_came_to__has_a_bound_and_no_number():
    found = scored(HAND, Outcome("x", 20.0, stands="above"))
    # No case of ten: at most 3 / 10, by the rule of three.
    assert found.inside.upper_95 == pytest.approx(0.3)
    assert found.log_score.score.value == -np.inf
    assert found.log_score.score.upper_95 == pytest.approx(log(0.3))
    assert (found.brier.value, found.brier.lower_95) == (1.0, pytest.approx(0.49))
    sure = scored(HAND, Outcome("x", -1.0, stands="above"))
    assert (sure.log_score.score.value, sure.log_score.score.lower_95) == (0.0, pytest.approx(log(0.7)))
    assert (sure.brier.value, sure.brier.upper_95) == (0.0, pytest.approx(0.09))
    beyond = scored(seal_of({"x": np.random.default_rng(1).normal(size=1000)}), Outcome("x", 9.0))
    assert beyond.log_score.score.value == -np.inf
    assert beyond.pit.lower_95 == pytest.approx(0.997)


def test_crps__is_the_slow_double_sum():
    generator = np.random.default_rng(5)
    for n in (1, 2, 7, 60):
        sample = sorted(np.round(generator.normal(1e6, 2, n), 1).tolist())
        for value in (1e6 - 9, 1e6 + 0.3, sample[0]):
            assert crps(np.array(sample), value).value == pytest.approx(slow_crps(sample, value), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("value", [-2.0, 0.0, 0.5, 4.0])
def test_crps__is_the_closed_form_of_the_normal(value):
    sample = np.sort(np.random.default_rng(7).normal(1.0, 2.0, 400_000))
    found, kept = crps(sample, value), crps(sealed_distribution(sample).sample, value)
    assert abs(found.value - exact_crps(1.0, 2.0, value)) < 4.5 * found.se
    assert abs(kept.value - found.value) <= sealed_distribution(sample).lost_crps


def density_of_normal(low: float, high: float) -> float:
    return float((stats.norm.cdf(high) - stats.norm.cdf(low)) / (high - low))


@pytest.mark.parametrize("value", [-1.6, 0.2, 2.2])
def test_standard_errors__are_the_spread_between_seals(value):
    """Z-scores of 200 seals against exact values have mean 0, and no larger variance than 1, each within 4.5 standard errors.

    Between knots a seal is smoother than the replications, so that where few of them lie the variance is smaller.
    """
    generator = np.random.default_rng(11)
    z: dict[str, list[float]] = {name: [] for name in ("crps", "below", "pit", "rounded", "density")}
    low, high = value - 0.1, value + 0.1
    chance = float(stats.norm.cdf(high) - stats.norm.cdf(low))
    for seed in range(N_SEALS):
        seal = seal_of({"x": generator.normal(size=2000)}, seed=seed)
        exact, wide = scored(seal, Outcome("x", value)), scored(seal, Outcome("x", value, rounded_to=0.2))
        z["crps"].append((exact.crps.value - exact_crps(0, 1, value)) / exact.crps.se)
        z["below"].append((exact.below.value - stats.norm.cdf(value)) / exact.below.se)
        true_pit = stats.norm.cdf(low) + uniform_of_seal(seal, "x") * chance
        z["pit"].append((wide.pit.value - true_pit) / wide.pit.se)
        z["rounded"].append((wide.log_score.score.value - log(chance)) / wide.log_score.score.se)
        density = exact.log_score
        assert density.of == "density"
        assert density.between[0] <= value <= density.between[1]
        z["density"].append((density.score.value - log(density_of_normal(*density.between))) / density.score.se)
    for name, found in z.items():
        assert abs(np.mean(found)) < 4.5 / sqrt(N_SEALS), name
        assert 0.4 < np.var(found) < 1 + 4.5 * sqrt(2 / N_SEALS), name
        assert np.mean(np.abs(found) < 1.96) > 0.95 - 4.5 * sqrt(0.95 * 0.05 / N_SEALS), name


def test_density__is_near_that_of_the_forecast():
    sealed = sealed_distribution(np.random.default_rng(13).normal(size=50_000))
    for value in (-2.5, -1.0, 0.0, 1.7):
        found = log_score(sealed, Outcome("x", value)).score
        # The mean over an interval of a per cent, beside the density at the value itself.
        assert abs(found.value - stats.norm.logpdf(value)) < 4.5 * found.se + 0.1


def test_density__leaves_out_atoms():
    generator = np.random.default_rng(17)
    sample = np.concatenate([np.zeros(5000), generator.uniform(0, 10, 5000)])
    found = log_score(sealed_distribution(sample), Outcome("x", 0.02))
    # Half of the replications are spread over 10: a density of 0.05, whatever stands at 0.
    assert found.of == "density"
    assert abs(found.score.value - log(0.05)) < 4.5 * found.score.se
    assert log_score(sealed_distribution(sample), Outcome("x", 0.0)).of == "probability"


def payments(generator: np.random.Generator, most: float, size: int | None = None) -> np.ndarray:
    """A payment: 0 in three of ten cases, a cap in two, exponential in the others; drawn here, not by the engine."""
    kind = generator.random(size)
    return np.where(kind < 0.3, 0.0, np.where(kind < 0.5, most, np.minimum(-np.log(1 - generator.random(size)), most)))


def pits_of(shift: float) -> np.ndarray:
    generator, pits = np.random.default_rng(19), []
    for seed in range(200):
        most = float(generator.uniform(0.5, 3))
        seal = seal_of({"x": payments(generator, most, 1000)}, seed=seed)
        came = min(float(payments(generator, most)) + shift, most)
        pits.append(scored(seal, Outcome("x", came)).pit.value)
    return np.array(pits)


def test_pit__is_uniform_where_the_forecast_is_true():
    true, wrong = pits_of(0.0), pits_of(0.4)
    assert stats.kstest(true, "uniform").pvalue > 0.01
    # Mean 1/2 and variance 1/12 of a uniform, each within 4.5 standard errors: sqrt(1/12/200) and sqrt(1/180/200).
    assert abs(true.mean() - 0.5) < 4.5 * sqrt(1 / 12 / 200)
    assert abs(true.var() - 1 / 12) < 4.5 * sqrt(1 / 180 / 200)
    assert stats.kstest(wrong, "uniform").pvalue < 1e-6


def test_uniform__is_another_one_in_every_seal_and_of_every_result():
    found = {uniform_of_seal(seal_of({"x": [0, 1]}, seed=seed), name) for seed in range(50) for name in ("x", "y")}
    assert len(found) == 100


def test_log_score__is_proper_on_average():
    """The true forecast beats one that is too narrow and one that is too wide: expected scores by their closed form.

    Source: of normals the expected log score is -log(s) - (1/s^2) / 2 less a constant, largest at s = 1.
    """
    generator, n = np.random.default_rng(23), 20_000
    values = generator.normal(size=400)
    means = {}
    for sd in (0.6, 1.0, 1.7):
        sealed = sealed_distribution(generator.normal(0, sd, n))
        found = [log_score(sealed, Outcome("x", round(value, 1), rounded_to=0.1)).score.value for value in values]
        means[sd] = float(np.mean([max(one, log(1e-5)) for one in found]))
    assert means[1.0] > means[0.6]
    assert means[1.0] > means[1.7]
    assert exp(means[1.0]) < 0.05
