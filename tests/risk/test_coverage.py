"""How often reported errors hold what they estimate: the small form of verification/coverage.py."""

import numpy as np
import pytest

from simengine.risk import coverage as judging
from simengine.risk import statistics
from simengine.risk.coverage import Judged
from verification import coverage

N_RUNS = 60


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("way", "distribution"),
    [
        ("plain", "normal"),
        ("plain", "lognormal, sd 2"),
        ("plain", "Pareto 1.5"),
        ("plain", "Poisson 2"),
        ("plain", "99.5 % zeros"),
        ("sobol", "normal"),
        ("sobol", "lognormal, sd 1"),
        ("sobol", "Bernoulli 0.05"),
        ("measured", "Poisson 2"),
        ("tilt", "99.5 % zeros"),
        ("control variates", "exponential"),
    ],
)
def test_reported_bands__hold_the_exact_value(way, distribution):
    # Source: closed forms of the distributions, in verification/coverage.py. Fixed seeds; a band that covers 93 of 100 passes.
    rows = list(coverage.rows_of(way, distribution, N_RUNS))

    assert len(rows) >= 6
    assert [(row.statistic, row.n_given, row.n_held) for row in rows if not row.is_in_order] == []


@pytest.mark.statistical
def test_stopping__leaves_bands_that_hold_the_exact_value():
    # Source: closed form; the mean 1 of an exponential distribution.
    (row,) = coverage.rows_of(coverage.STOPPING, "exponential", N_RUNS, ["mean"])
    assert row.n_given == N_RUNS
    assert row.is_in_order


@pytest.mark.statistical
def test_table__finds_errors_that_are_taken_at_face_value(monkeypatch):
    # Source: planted; without any judgement the mean of Pareto 1.5 is held in 3 of 4 runs only.
    monkeypatch.setattr(statistics, "judged", lambda se, parts, rows=None: Judged(se))
    found = {row.statistic: row for row in coverage.rows_of("plain", "Pareto 1.5", N_RUNS, ["mean", "CVaR"])}
    assert not found["mean"].is_in_order
    assert not found["CVaR"].is_in_order


def test_stretch__gives_back_what_skewness_takes():
    # Source: Hall 1988, by hand: 2 phi(1.96) (1.96^5 + 2 1.96^3 - 3 x 1.96) / 18 = 0.247 of G^2 is lost, and each stretch of the
    # reach by a part s gives back 2 phi(1.96) 1.96 s = 0.229 s, so that s = 1.08 G^2. One part in 16 is not 0: of it 15, of the
    # others -1, so that G = (15^3 - 15) / (15^2 + 15)^(3/2) = 3360 / 3718.
    parts = [15.0] + [-1.0] * 15
    skew = 3360 / 240**1.5
    got = judging.judged(2.0, np.array(parts))
    assert got.se == pytest.approx(2.0 * (1 + 1.08 * skew**2))
    assert not got.covers
    assert judging.judged(2.0, np.array([1.0, -1.0] * 50)) == Judged(2.0)


@pytest.mark.parametrize(
    ("times", "shape", "covers"), [(36, 0.45, True), (36, 0.5, False), (13, 0.4, False), (13, 0.39, True), (300, 0.9, True)]
)
def test_heavy_tail__is_judged_by_skewness_and_shape_together(monkeypatch, times, shape, covers):
    # Source: the rule. One part in 16 is 15, the others -1: so often, G = 0.9037 / sqrt(times) = 0.151, 0.251 or 0.052.
    monkeypatch.setattr(judging, "tail_shape", lambda sample: shape)
    parts = np.tile([15.0] + [-1.0] * 15, times)
    assert judging.judged(1.0, parts).covers is covers
    assert judging.judged(1.0, -parts).covers is covers


def test_judgement__is_the_same_of_gains_and_of_losses():
    # Invariant: a mirrored sample is as far from normal.
    parts = np.array([15.0] + [-1.0] * 15)
    assert judging.judged(2.0, -parts) == judging.judged(2.0, parts)


def test_tail_of_what_is_summed__is_looked_for_on_the_side_of_the_skewness(monkeypatch):
    # Source: the definition; the long tail of a mirrored sample lies below.
    seen = []
    monkeypatch.setattr(judging, "tail_shape", lambda sample: seen.append(sample.max()) or 0.0)
    parts = np.tile([15.0] + [-1.0] * 15, 36)
    judging.judged(1.0, parts)
    judging.judged(1.0, -parts)
    assert seen == [15.0, 15.0]


@pytest.mark.parametrize(("n", "expected"), [(2, 12.706), (11, 2.228), (32, 2.040), (1000, 1.960)])
def test_reach__is_that_of_student(n, expected):
    # Source: published tables of Student's distribution at 97.5 % with 1, 10 and 31 degrees of freedom, and of the normal
    # distribution.
    assert judging.reach_95(n) == pytest.approx(expected, abs=5e-4)


def zhang_and_stephens(excess):
    """Shape of generalised Pareto excesses by equations 4 to 8 of the paper, one by one; a quartile is 0.415 of the median."""
    n, grid = len(excess), 20 + int(np.sqrt(len(excess)))
    quartile = np.log(4 / 3) / np.log(2) * np.median(excess)
    theta = [1 / max(excess) + (1 - np.sqrt(grid / (j - 0.5))) / (3 * quartile) for j in range(1, grid + 1)]
    k = [-np.mean([np.log(1 - one * x) for x in excess]) for one in theta]
    log_likelihood = [n * (np.log(one / shape) + shape - 1) for one, shape in zip(theta, k, strict=True)]
    weight = [1 / sum(np.exp(other - one) for other in log_likelihood) for one in log_likelihood]
    best = sum(one * part for one, part in zip(theta, weight, strict=True))
    return np.mean([np.log(1 - best * x) for x in excess])


@pytest.mark.parametrize(("n", "n_excesses"), [(225, 45), (10_000, 286)])
def test_tail_shape__is_that_of_zhang_and_stephens(n, n_excesses):
    # Source: the paper, above. Uniform numbers: of 225 the largest 45 are taken, a fifth; of 10,000 the largest 300 = 3 sqrt(n), of
    # which all but the last 14 carry 95 % of the squares, as all are nearly 1.
    sample = np.sort(np.random.default_rng(3).random(n))
    expected = zhang_and_stephens(sample[-n_excesses:] - sample[-n_excesses - 1])
    assert judging.tail_shape(sample) == pytest.approx(expected, rel=1e-9)
