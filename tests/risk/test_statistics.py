"""Statistics and their standard errors: exact distributions by z-score, payouts with atoms by hand, and what must hold for any sample."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting
from tests.conftest import sized

N_SEEDS = 200
N = 4000
LEVEL = 0.95

# With n independent normal z-scores their mean is normal with sd 1 / sqrt(n), and their variance is chi-square with n - 1
# degrees of freedom, divided by these. Each bound would be passed once in 100,000 fresh sets of seeds.
FALSE_ALARM = 1e-5
LARGEST_MEAN = stats.norm.ppf(1 - FALSE_ALARM / 2) / np.sqrt(N_SEEDS)
LEAST_VARIANCE, LARGEST_VARIANCE = stats.chi2(N_SEEDS - 1).ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2]) / (N_SEEDS - 1)

STATISTICS = {
    "mean": statistics.mean,
    "sd": statistics.sd,
    "probability": lambda sample: statistics.probability(sample > 1.0),
    "quantile": lambda sample: statistics.quantile(sample, LEVEL),
    "var": lambda sample: statistics.value_at_risk(sample, LEVEL),
    "cvar": lambda sample: statistics.conditional_value_at_risk(sample, LEVEL),
}

# By distribution: how it is drawn, and by statistic the exact value and n times the variance of its estimator.
# Mean: s^2. Sd: (m4 - s^4) / (4 s^2). Probability: p (1 - p). Quantile: a (1 - a) / f(q)^2.
# CVaR: [Var(X | tail) + a (CVaR - q)^2] / (1 - a).
P_NORMAL = float(stats.norm.sf(1.0))
DISTRIBUTIONS = {
    "normal": (
        lambda rng: rng.standard_normal(N),
        {
            "mean": (0.0, 1.0),
            "sd": (1.0, 0.5),
            "probability": (P_NORMAL, P_NORMAL * (1 - P_NORMAL)),
            "quantile": (1.6448536, 4.46556),
            "var": (1.6448536, 4.46556),
            "cvar": (2.0627128, 6.07905),
        },
    ),
    # From 0 to 2: m4 = 1/5, s^2 = 1/3; f = 1/2; the tail is uniform from 1.9 to 2 with variance 0.1^2 / 12.
    "uniform": (
        lambda rng: 2 * rng.random(N),
        {
            "mean": (1.0, 1 / 3),
            "sd": (np.sqrt(1 / 3), (1 / 5 - 1 / 9) / (4 / 3)),
            "probability": (0.5, 0.25),
            "quantile": (1.9, 0.95 * 0.05 * 4),
            "var": (1.9, 0.95 * 0.05 * 4),
            "cvar": (1.95, (0.01 / 12 + 0.95 * 0.05**2) / 0.05),
        },
    ),
    # m4 = 9, s = 1; f(q) = 0.05; what exceeds q is exponential again, with mean and variance 1.
    "exponential": (
        lambda rng: rng.standard_exponential(N),
        {
            "mean": (1.0, 1.0),
            "sd": (1.0, 2.0),
            "probability": (np.exp(-1), np.exp(-1) * (1 - np.exp(-1))),
            "quantile": (-np.log(0.05), 0.95 * 0.05 / 0.05**2),
            "var": (-np.log(0.05), 19.0),
            "cvar": (1 - np.log(0.05), (1 + 0.95) / 0.05),
        },
    ),
}


@cache
def estimates(distribution, name):
    """Return values and standard errors of a statistic, one row per seed."""
    draw, _ = DISTRIBUTIONS[distribution]
    found = [STATISTICS[name](draw(np.random.default_rng(seed))) for seed in range(N_SEEDS)]
    return np.array([[statistic.value, statistic.se] for statistic in found])


def complaints(values, standard_errors, exact):
    """Say what is wrong with the z-scores of an estimator against the exact value."""
    z = (values - exact) / standard_errors
    found = []
    if abs(z.mean()) > LARGEST_MEAN:
        found.append(f"mean of z {z.mean():.2f}")
    if not LEAST_VARIANCE < z.var(ddof=1) < LARGEST_VARIANCE:
        found.append(f"variance of z {z.var(ddof=1):.2f}")
    return found


@pytest.mark.statistical
@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_statistic__has_z_scores_of_mean_0_and_variance_1(distribution, name):
    # Source: closed forms of the three distributions (above); normal quantile and CVaR as tabulated to seven digits.
    exact, _ = DISTRIBUTIONS[distribution][1][name]

    assert complaints(*estimates(distribution, name).T, exact) == []


@pytest.mark.statistical
@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_standard_error__is_right_on_average(distribution, name):
    # Source: closed forms of the three distributions (above). The mean of 200 standard errors lies within 3 % of the exact one.
    _, n_times_variance = DISTRIBUTIONS[distribution][1][name]

    got = estimates(distribution, name)[:, 1].mean()

    assert got == pytest.approx(np.sqrt(n_times_variance / N), rel=0.03)


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["quantile", "cvar"])
def test_z_scores__catch_a_bias_of_one_per_cent_and_a_wrong_standard_error(name):
    # Source: planted errors; a check that cannot fail shows nothing.
    values, standard_errors = estimates("normal", name).T
    exact, _ = DISTRIBUTIONS["normal"][1][name]

    assert complaints(1.01 * values, standard_errors, exact)
    assert complaints(0.99 * values, standard_errors, exact)
    assert complaints(values, 0.75 * standard_errors, exact)
    assert complaints(values, 1.4 * standard_errors, exact)


# ---------------------------------------------------- by hand ----------------------------------------------------


def test_mean_and_sd__of_four_numbers():
    # Source: hand arithmetic on 1, 2, 3, 4. s^2 = 5/3, so the mean 2.5 has the error sqrt(5/3) / 2. m4 = (2 x 1.5^4 +
    # 2 x 0.5^4) / 4 = 2.5625; Var(s^2) = (2.5625 - (25/9)(1/3)) / 4 = 0.4091435; error of s = sqrt(0.4091435) / (2 s).
    sample = np.array([4.0, 1.0, 3.0, 2.0])

    mean, sd = statistics.mean(sample), statistics.sd(sample)

    assert (mean.value, mean.se) == pytest.approx((2.5, np.sqrt(5 / 3) / 2))
    assert (sd.value, sd.se) == pytest.approx((np.sqrt(5 / 3), np.sqrt(0.4091435) / (2 * np.sqrt(5 / 3))), rel=1e-7)


def test_sd__of_two_equal_atoms_is_nearly_without_error():
    # Source: hand arithmetic on 50 times -1 and 50 times 1. s^2 = 100/99 and m4 / s^4 = 0.9801, hardly above (n - 3) / (n - 1).
    spread = statistics.sd(np.repeat([-1.0, 1.0], 50))

    assert (spread.value, spread.se) == pytest.approx((np.sqrt(100 / 99), np.sqrt(100 / 99 * (0.9801 - 97 / 99) / 100) / 2))


@pytest.mark.parametrize(
    ("cases", "value", "se", "upper", "lower"),
    [
        ([True, False, False, False] * 50, 0.25, np.sqrt(0.25 * 0.75 / 200), None, None),
        ([True] * 300, 1.0, 0.0, None, 0.99),
        ([True] * 2, 1.0, 0.0, None, 0.0),
        ([False] * 300, 0.0, 0.0, 0.01, None),
        ([False] * 3, 0.0, 0.0, 1.0, None),
        ([False] * 2, 0.0, 0.0, 1.0, None),
    ],
)
def test_probability__of_counted_cases(cases, value, se, upper, lower):
    # Source: hand arithmetic, sqrt(p (1 - p) / n); no case in n gives the upper bound 3 / n, and n cases in n the lower bound
    # 1 - 3 / n, by the rule of three; no bound lies outside of 0 and 1.
    assert statistics.probability(np.array(cases)) == Statistic(value, pytest.approx(se), upper, lower_95=lower)


@pytest.mark.parametrize("n_cases", [1, 10, 29, 1971, 1999])
def test_probability__of_few_cases_has_the_interval_of_clopper_and_pearson(n_cases):
    # Source: definition. At the lower end as many cases or more have the probability 2.5 %, at the upper end as many or fewer; the
    # binomial distribution is scipy.stats.binom's.
    got = statistics.probability(np.arange(2000) < n_cases)

    low, high = got.interval_95
    assert not got.covers
    assert stats.binom(2000, low).sf(n_cases - 1) == pytest.approx(0.025)
    assert stats.binom(2000, high).cdf(n_cases) == pytest.approx(0.025)


@pytest.mark.parametrize(("n_cases", "n"), [(30, 2000), (1000, 2000), (1970, 2000), (30, 96), (30, 124), (94, 124)])
def test_probability__of_many_cases_has_a_standard_error_that_covers(n_cases, n):
    # Source: the rule; 30 cases and 30 of the other kind, also where rounding makes 29.99999999 of them.
    got = statistics.probability(np.arange(n) < n_cases)
    assert got.covers
    assert got.interval_95 is None


def test_probability__bound_covers_what_it_promises():
    # Source: hand arithmetic. With p = 3 / n no case in n has probability (1 - 3 / n)^n, just below 5 %.
    bound = statistics.probability(np.zeros(1000, dtype=bool)).upper_95

    assert 0.049 < (1 - bound) ** 1000 < 0.05


@pytest.mark.parametrize(
    ("sample", "value", "se"),
    [
        # n = 2: the weights of Beta(1.5, 1.5) are a half each, so the variance of 0 and 1 is 1/4.
        ([0.0, 1.0], 0.0, 0.5),
        # n = 3: Beta(2, 2) gives 3 x^2 - 2 x^3 = 7/27 up to 1/3, so -1, 0, 1 have the weights 7/27, 13/27, 7/27.
        ([1.0, -1.0, 0.0], 0.0, np.sqrt(14 / 27)),
    ],
)
def test_quantile__of_two_and_three_numbers(sample, value, se):
    # Source: hand arithmetic, after Maritz and Jarrett (1978).
    quantile = statistics.quantile(np.array(sample), 0.5)

    assert (quantile.value, quantile.se) == pytest.approx((value, se))


def test_quantile__is_the_smallest_number_that_enough_do_not_exceed():
    # Source: hand arithmetic. Of 0, 1, 2, 3, 4 at least 30 % do not exceed 1, and 40 % neither; 20 % do not exceed 0.
    sample = np.array([3.0, 0.0, 4.0, 1.0, 2.0])
    assert [statistics.quantile(sample, level).value for level in (0.2, 0.3, 0.4, 0.41)] == [0.0, 1.0, 1.0, 2.0]


@settings(deadline=None, max_examples=sized(80, 200))
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60).map(np.array), st.sampled_from([0.05, 0.25, 0.5, 0.75, 0.95]))
def test_quantile__can_occur_and_splits_the_sample(sample, level):
    # Invariant: the definition, counted; also of rows that weigh differently.
    n = len(sample)
    sample = sample.astype(np.float64)
    for weighting in (None, Weighting(n, weight=np.full(n, 0.5))) if n > 1 else (None,):
        value = statistics.quantile(sample, level, weighting).value
        assert value in sample
        assert np.count_nonzero(sample <= value) >= level * n - 1e-6
        assert np.count_nonzero(sample < value) < level * n


@pytest.mark.parametrize(("n", "is_atom"), [(94, True), (95, False)])
def test_quantile__lies_beside_an_atom_that_takes_a_tenth_of_its_interval(n, is_atom):
    # Source: the definition. The interval of the median of 94 numbers holds 20 of them, that of 95 numbers 21; two are equal.
    low, high = statistics.quantile_ranks(n, 0.5)
    assert high - low + 1 == (20 if is_atom else 21)
    sample = np.arange(float(n))
    sample[n // 2 + 3] = sample[n // 2 + 2]

    assert statistics.quantile(sample, 0.5).covers is not is_atom


def test_quantile__beside_an_atom_has_an_interval_of_values_that_occur_and_no_error_that_seems_to_cover():
    # Source: hand arithmetic. Of 1,000 numbers 505 are 0 and 495 are 1. Binomial(1000, 1/2) has its 2.5 % quantile at 469 and its
    # 97.5 % quantile at 531, so the interval goes from the 469th to the 532nd number: from 0 to 1.
    got = statistics.quantile(np.repeat([0.0, 1.0], [505, 495]), 0.5)

    assert (got.value, got.interval_95, got.covers) == (0.0, (0.0, 1.0), False)
    assert got.value + 1.96 * got.se == pytest.approx(1.0, abs=1e-4)


def payout_with_guarantee():
    """A payout of 4 M in 700 replications, and of 4 to 10 M in the others."""
    return np.concatenate([np.full(700, 4e6), np.linspace(4.02e6, 10e6, 300)])


@pytest.mark.parametrize("level", [0.05, 0.25, 0.5])
def test_quantile__has_no_error_inside_an_atom(level):
    # Source: the definition; every sample of this size has its quantile at the guarantee.
    got = statistics.quantile(payout_with_guarantee(), level)

    assert (got.value, got.se, got.interval_95) == (4e6, 0.0, (4e6, 4e6))
    # That it is the guarantee is sure to 95 % only: nothing is said to be off by 0.
    assert not got.covers


def test_quantile__has_an_error_above_an_atom_and_at_its_edge():
    sample = payout_with_guarantee()

    edge, above = statistics.quantile(sample, 0.7), statistics.quantile(sample, 0.9)

    # Source: hand arithmetic. Above, the density is 0.3 / 6 M, so the error is sqrt(0.09 / 1000) x 6 M / 0.3 = 190 k.
    assert above.se == pytest.approx(np.sqrt(0.09 / 1000) * 6e6 / 0.3, rel=0.05)
    assert 0 < edge.se < above.se * 2


def test_cvar__shares_an_atom_between_tail_and_body():
    # Source: hand arithmetic. Of 100 losses 90 are 0, 8 are 5 and 2 are 10: the worst 5 are 10, 10, 5, 5, 5 with mean 7.
    # The error is that of (X - 5)+ / 0.05, which is 100 twice and 0 otherwise: s^2 = (2 x 98^2 + 98 x 2^2) / 99.
    loss = np.array([0.0] * 90 + [5.0] * 8 + [10.0] * 2)

    value_at_risk = statistics.value_at_risk(loss, 0.95)
    cvar = statistics.conditional_value_at_risk(loss, 0.95)

    assert value_at_risk.value == 5.0
    assert cvar.value == pytest.approx(7.0)
    # Two replications carry this error: it is stretched, and not said to cover.
    assert cvar.se > np.sqrt((2 * 98**2 + 98 * 4) / 99 / 100)
    assert (cvar.tail_points, cvar.covers) == (2, False)


def test_cvar__is_the_largest_loss_where_that_is_an_atom():
    # Source: hand arithmetic; nothing exceeds the quantile, and the mean of "losses above it" would have no members.
    loss = np.array([-1.0] * 60 + [6.0] * 40)

    got = [statistics.value_at_risk(loss, 0.95), statistics.conditional_value_at_risk(loss, 0.95)]
    assert [(one.value, one.se) for one in got] == [(6.0, 0.0), (6.0, 0.0)]


@pytest.mark.parametrize("n", [2, 3, 100])
@pytest.mark.parametrize("value", [0.0, 4e6, -0.1])
def test_every_statistic__of_equal_numbers_is_that_number_without_error(n, value):
    # Source: the definitions.
    sample = np.full(n, value)

    got = [statistics.mean(sample), *(statistics.quantile(sample, level) for level in (0.01, 0.5, 0.99))]
    got += [statistics.conditional_value_at_risk(sample, 0.95)]

    assert [statistic.value for statistic in got] == pytest.approx([value] * 5, rel=1e-15)
    assert [statistic.se for statistic in [*got, statistics.sd(sample)]] == pytest.approx([0] * 6, abs=1e-16)
    assert statistics.sd(sample).value == pytest.approx(0, abs=1e-16)


def test_every_statistic__is_finite_for_two_numbers():
    # Source: hand arithmetic on -1 and 3: mean 1, s = sqrt(8), error of the mean 2; at 95 % the quantile is the larger.
    sample = np.array([3.0, -1.0])

    table = statistics.summary(sample) | {"cvar": statistics.conditional_value_at_risk(sample, 0.95)}

    assert all(np.isfinite([statistic.value, statistic.se]).all() for statistic in table.values())
    assert table["mean"] == Statistic(1.0, pytest.approx(2.0))
    assert table["sd"].value == pytest.approx(np.sqrt(8))
    assert table["p95"].value == 3.0


def test_distribution__names_its_quantiles_by_their_levels():
    # Source: hand arithmetic; the quantile of 0, 1, ..., 100 at p is 100 p.
    table = statistics.summary(np.arange(101.0))

    assert list(table) == ["mean", "sd", "p05", "p25", "p50", "p75", "p95"]
    assert [table[name].value for name in ("p05", "p25", "p50", "p75", "p95")] == pytest.approx([5, 25, 50, 75, 95])


# ---------------------------------------------------- distributions ----------------------------------------------------

SAMPLES = st.lists(st.sampled_from([0.0, 4.0, -2.0]) | st.floats(-1e6, 1e6), min_size=2, max_size=40).map(np.array)


@settings(deadline=None, max_examples=sized(40, 100))
@given(SAMPLES, st.sampled_from([0.5, 0.9, 0.95]))
def test_cvar__is_no_smaller_than_var_and_mean(sample, level):
    # Invariant: coherence.
    cvar = statistics.conditional_value_at_risk(sample, level).value

    assert cvar >= statistics.value_at_risk(sample, level).value
    assert cvar >= statistics.mean(sample).value - 1e-9 * np.abs(sample).max()


@pytest.mark.parametrize("n", [2, 5, 19, 22, 50])
def test_cvar__is_the_mean_of_the_worst_share_for_any_number_of_replications(n):
    # Source: hand arithmetic. The losses 1, ..., n each have the weight 1 / n; the worst 5 % take the largest first, and the
    # last of them in part.
    left, expected = 0.05, 0.0
    for loss in range(n, 0, -1):
        weight = min(1 / n, left)
        expected, left = expected + weight * loss / 0.05, left - weight

    assert statistics.conditional_value_at_risk(np.arange(1.0, n + 1), 0.95).value == pytest.approx(expected)


@settings(deadline=None, max_examples=sized(40, 100))
@given(SAMPLES, st.floats(0.1, 100), st.floats(-1e6, 1e6))
def test_every_statistic__moves_and_scales_with_its_sample(sample, scale, shift):
    # Invariant: a + b X has the value a + b v and the error b se; sd has no a.
    tolerance = 1e-9 * (scale * np.abs(sample).max() + abs(shift) + 1)
    for name in ("mean", "sd", "quantile", "cvar"):
        before, after = STATISTICS[name](sample), STATISTICS[name](scale * sample + shift)
        assert after.value == pytest.approx(scale * before.value + (name != "sd") * shift, abs=tolerance)
        assert after.se == pytest.approx(scale * before.se, abs=1e3 * tolerance)


@settings(deadline=None, max_examples=sized(25, 50))
@given(SAMPLES, st.randoms(use_true_random=False))
def test_every_statistic__forgets_the_order_of_its_sample(sample, random):
    # Invariant: symmetry in the replications.
    shuffled = sample.copy()
    random.shuffle(shuffled)

    for name, statistic in STATISTICS.items():
        one, other = statistic(sample), statistic(shuffled)
        assert (one.value, one.se) == pytest.approx((other.value, other.se), rel=1e-9, abs=1e-6), name
