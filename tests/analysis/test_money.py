"""The jackknife and the weights of a tail against closed forms."""

import numpy as np
import pytest
from scipy import stats

from simengine.risk import statistics
from simengine.risk.jackknife import tail_weights, with_error


def test_tail_weights__give_the_cvar_with_atoms_and_add_up():
    # Source: Rockafellar and Uryasev 2000, by hand: losses 0 (x7), 5 (x2), 9 at level 0.75: 2.5 replications: (9 + 1.5 x 5) / 2.5 =
    # 6.6.
    loss = np.array([0.0] * 7 + [5.0, 5.0, 9.0])
    weights = tail_weights(loss, 0.75)
    assert weights.sum() == pytest.approx(1)
    assert weights @ loss == pytest.approx(6.6)
    assert weights @ loss == pytest.approx(statistics.conditional_value_at_risk(loss, 0.75).value)


def test_with_error__of_a_mean_is_near_the_closed_form():
    # Source: s / sqrt(n). With 50 groups the error of the error is about 10 %.
    sample = np.random.default_rng(0).exponential(size=5000)
    found = with_error(lambda rows: np.array([rows.mean()]), sample)[0]
    assert found.value == sample.mean()
    assert found.se == pytest.approx(sample.std(ddof=1) / np.sqrt(5000), rel=0.35)


@pytest.mark.statistical
def test_with_error__gives_z_scores_of_variance_1():
    # Source: closed form. CVaR 90 % of N(0, 1) is 1.7549833 (phi(1.28155) / 0.1); the z-scores over 200 seeds are t with 49
    # degrees.
    exact, z = stats.norm.pdf(stats.norm.ppf(0.9)) / 0.1, []
    for seed in range(200):
        sample = np.random.default_rng(seed).standard_normal(2000)
        found = with_error(lambda rows: np.array([tail_weights(rows, 0.9) @ rows]), sample)[0]
        z.append((found.value - exact) / found.se)
    assert abs(np.mean(z)) < 4.5 / np.sqrt(200)
    assert 0.7 < np.var(z) < 1.45


def test_with_error__of_what_one_group_carries_does_not_cover():
    # Source: hand arithmetic. Of 50 groups one holds all that is not 0: leaving it out alone changes the mean.
    sample = np.zeros(5000)
    sample[4321] = 1e6
    assert not with_error(lambda rows: np.array([rows.mean()]), sample)[0].covers
    assert with_error(lambda rows: np.array([rows.mean()]), np.random.default_rng(1).standard_normal(5000))[0].covers
