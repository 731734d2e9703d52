"""The reported standard error in small groups and unequal clusters: against least squares by hand and against brute force."""

import numpy as np
import pytest

from simengine.cohort.sites import dealt
from simengine.pipeline import simulate
from tests.measurement.made import measured, tallies_of, told
from tests.measurement.small import problems_of, study_of

FALSE_ALARM = 4.5  # standard errors: once in 150,000 fresh seeds for each comparison
RELATIVE = {"estimate": "relative_reduction"}


def as_honest(got):
    """Hold the mean of the squared standard errors against the variance of the estimates: by how many of its errors it is off."""
    estimate, error = got.estimate[:, 0], got.standard_error[:, 0]
    gap = (estimate - estimate.mean()) ** 2 - error**2
    return gap.mean() / (gap.std(ddof=1) / np.sqrt(len(gap)))


# Analysis of covariance.


def least_squares(own, other):
    """Fit y = a + t group + b before by NumPy, with the textbook error of t: s^2 (X'X)^-1, n - 3 degrees of freedom."""
    y, x = (np.concatenate([own[i], other[i]]) for i in (0, 1))
    design = np.column_stack([np.ones(len(y)), np.repeat([1.0, 0.0], [len(own[0]), len(other[0])]), x])
    coefficient, residuals, *_ = np.linalg.lstsq(design, y, rcond=None)
    return coefficient, np.linalg.inv(design.T @ design) * residuals[0] / (len(y) - 3)


def by_regression(own, other, **metric):
    tallies = tallies_of({"service": own, "twin": own[0], "parallel": other})
    sections = {"parallel": {"form": "regression"}}
    return measured(tallies, "difference_in_differences", sections=sections, metric=metric)


@pytest.mark.parametrize(("n", "n_other"), [(2, 2), (6, 6), (10, 4), (20, 20), (1, 5)])
def test_regression__reports_the_error_of_least_squares(n, n_other):
    # Source: ordinary least squares on the same people, worked out from the design matrix.
    rng = np.random.default_rng(n)
    x, z = rng.normal(10, 2, n), rng.normal(11, 2, n_other)
    own, other = (x + rng.normal(0, 1, n), x), (0.5 * z + rng.normal(8, 1, n_other), z)
    coefficient, covariance = least_squares(own, other)

    assert told(by_regression(own, other))[:2] == pytest.approx((-coefficient[1], np.sqrt(covariance[1, 1])), rel=1e-9)


def test_regression__of_three_people_leaves_no_degree_of_freedom():
    # Source: three people, three coefficients: the fit is exact, and its error unknown.
    got = told(by_regression(([1, 4], [2, 3]), ([5], [6])))

    assert np.isfinite(got[0])
    assert np.isnan(got[1])


@pytest.mark.statistical
@pytest.mark.parametrize("n", [3, 6, 10, 20])
def test_regression__is_honest_in_small_groups(n):
    # Invariant: under the model the squared error is unbiased whatever the number of people.
    rng = np.random.default_rng(n)

    def people():
        before = rng.normal(0, 1, (20_000, n))
        return 0.8 * before + rng.normal(0, 1, before.shape), before

    assert abs(as_honest(by_regression(people(), people()))) < FALSE_ALARM


# The other designs.


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["amount", "share"])
@pytest.mark.parametrize(
    ("design", "arm"),
    [
        ("randomised", "control"),
        ("historical", "baseline"),
        ("matched", "matched"),
        ("before_after", "twin"),
        ("difference_in_differences", "parallel"),
        ("rate_card", "twin"),
    ],
)
def test_design__is_honest_in_small_groups(design, arm, kind):
    # Invariant: the variances between persons are unbiased, and so is what is made of them, for 4 and 3 people, discrete or not.
    rng = np.random.default_rng(5)

    def people(n):
        own = rng.gamma(2, 1, (20_000, n))
        draw = rng.poisson if kind == "amount" else lambda mean: (rng.random(mean.shape) < np.exp(-mean)).astype(float)
        return draw(own), draw(own)

    own = people(4)
    arms = {"service": own, "twin": own[0], "matched_service": own} | ({} if arm == "twin" else {arm: people(3)})
    metric = {"better": "higher"} if design == "rate_card" else {}

    assert abs(as_honest(measured(tallies_of(arms), design, kind=kind, metric=metric))) < FALSE_ALARM


# Clusters.

CLUSTERS = {"population.frailties": {}, "measurement.design": "randomised", "population.history_months": 0}


def of_clusters(size, sites, rho):
    control = {"clusters": {"number": sites["count"], "intra_cluster_correlation": rho}}
    place = {"sd": 0.5, "on": ["spell"]} | sites
    changes = CLUSTERS | {"population.sites": {"place": place}, "population.waves.one.size": size, "measurement.control": control}
    return study_of(changes | {"measurement.metrics.reduction.estimate": "rate_difference"})


def design_effect(size, sites, rho):
    """Return by how much the reported variance is larger than without clusters."""
    study = of_clusters(size, sites, rho)
    plain = of_clusters(size, sites, 0.0)
    with_rho, without = (simulate(one, 3, np.arange(3)).measurements.standard_error for one in (study, plain))
    return (with_rho / without) ** 2


@pytest.mark.parametrize(
    ("size", "sites", "rho", "factor"),
    [
        # Eldridge and others 2006: 1 + ((.5^2 + 1) 20 - 1) .05 = 2.20; sizes of 10 and 30 have a mean of 20 and a cv of .5.
        (200, {"count": 10, "sizes": [10, 30] * 5}, 0.05, 2.2),
        # Sites of equal size: 1 + (m - 1) rho.
        (200, {"count": 10, "sizes": [1] * 10}, 0.05, 1.95),
        # Joined at random cv^2 = (1 - 1 / k) / m, so that (cv^2 + 1) m - 1 = (n - 1) / k: 1.99 x .29 and 1.98 x .29.
        (200, {"count": 100}, 0.29, 1.5771),
        (100, {"count": 50}, 0.29, 1.5742),
    ],
)
def test_clusters__have_the_design_effect_of_their_sizes(size, sites, rho, factor):
    np.testing.assert_allclose(design_effect(size, sites, rho), factor, rtol=1e-9)


def lived_in_sites(rng, join, n_replications, n, rho):
    """Draw people who share the luck of their site, in plain NumPy: the site is that which `join` gives."""
    site = join(rng, n_replications, n)
    luck = rng.normal(0, np.sqrt(rho), (n_replications, site.max() + 1))
    return np.take_along_axis(luck, site, axis=1) + rng.normal(0, np.sqrt(1 - rho), site.shape)


def at_random(k):
    return lambda rng, replications, n: rng.integers(0, k, (replications, n))


def in_proportion(sizes):
    return lambda rng, replications, n: np.broadcast_to(np.repeat(np.arange(len(sizes)), sizes), (replications, n))


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("n", "sites", "join"),
    [(200, 100, at_random(100)), (100, 50, at_random(50)), (400, (5.0, 15.0) * 20, in_proportion([5, 15] * 20))],
)
def test_clusters__are_honest_by_brute_force(n, sites, join):
    # Source: people drawn in NumPy; the evaluator is told who joins how, and the right correlation of .29.
    rng, rho = np.random.default_rng(n), 0.29
    people = {"service": lived_in_sites(rng, join, 4000, n, rho), "control": lived_in_sites(rng, join, 4000, n, rho)}
    number = sites if isinstance(sites, int) else len(sites)
    tallies = tallies_of(people | {"twin": people["service"]}, sites={"place": sites})
    sections = {"control": {"clusters": {"number": number, "intra_cluster_correlation": rho}}}
    got = measured(tallies, "randomised", sections=sections)

    ratio = np.sqrt((got.standard_error**2).mean() / got.estimate.var())
    # The spread between persons is short by about rho / k of what it is in many sites: .3 to .7 %.
    assert abs(ratio - 1) < FALSE_ALARM / np.sqrt(2 * 4000) + 0.004


def test_sites__get_people_in_proportion_to_their_sizes():
    # Hand arithmetic: sizes 10 and 30 in turn, of 200 people; of half as many half of it.
    for n in (200, 100):
        dealt_to = dealt(np.arange(n, dtype=np.uint32), np.full(n, n), [10, 30] * 5)
        np.testing.assert_array_equal(np.bincount(dealt_to), np.array([10, 30] * 5) * n // 200)


def test_sites__of_sizes_of_ones_own_hold_the_people_in_this_proportion():
    # Invariant: with a spread between sites alone, people of one site have one rate: the variance of the mean of many of them is
    # between x sum of p^2, where 3 in 4 belong to one of two sites: 10 / 16.
    changes = {"population.sites": {"place": {"count": 2, "sizes": [1, 3], "sd": 0.4, "on": ["spell"]}}, "population.frailties": {}}
    study = study_of(changes | {"population.waves.one.size": 400, "measurement.design": "before_after"})
    tallies = simulate(study, 11, np.arange(400)).tallies
    mean = tallies.sums[:, 0, 0, 0, 0] / 400
    e1, e2 = np.exp(0.08), np.exp(0.32)
    variance = 1.5**2 * (e2 - e1**2) * 10 / 16 + 1.5 * e1 / 400
    squares = (mean - 1.5 * e1) ** 2

    assert abs(squares.mean() - variance) < FALSE_ALARM * squares.std() / np.sqrt(400)


@pytest.mark.parametrize(
    ("sites", "path"),
    [
        (
            {"a": {"count": 4, "sizes": [1, 2, 3, 4], "sd": 0.2, "on": ["spell"]}, "b": {"count": 4, "sd": 0.2, "on": ["spell"]}},
            "measurement.control.clusters.number",
        ),
    ],
)
def test_clusters__among_sites_of_two_kinds_are_refused(sites, path):
    control = {"clusters": {"number": 4, "intra_cluster_correlation": 0.1}}
    assert path in problems_of(population__sites=sites, measurement__control=control, measurement__design="randomised")
