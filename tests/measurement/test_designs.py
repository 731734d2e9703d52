"""Every design by hand arithmetic, and on people drawn from a distribution: variance, standard error and coverage by closed form."""

import numpy as np
import pytest
from scipy import stats

from tests.measurement.made import measured, of_share, tallies_of, told

FALSE_ALARM = 4.5  # standard errors: once in 150,000 fresh seeds for each comparison
POINTS = {"estimate": "per_100_difference"}
RELATIVE = {"estimate": "relative_reduction"}


# By hand.


def test_randomised__is_the_difference_of_two_means():
    # Source: hand arithmetic. Control 20, 40: mean 30, s^2 200; service 10, 20, 30: mean 20, s^2 100. 10; 200/2 + 100/3.
    got = told(measured(tallies_of({"service": [10, 20, 30], "twin": [20, 30, 40], "control": [20, 40]}), "randomised"))

    assert got == pytest.approx((10, np.sqrt(100 + 100 / 3), 10))


def test_randomised__clusters_multiply_each_variance_by_their_own_design_effect():
    # Source: Donner and Klar 2000: 1 + (m - 1) rho. Two sites: 4 service users, m = 2, factor 1.5 at rho = 0.5; 8 in control,
    # m = 4, factor 2.5. s^2 of 0, 2, 0, 2 is 4/3, of twice as many 8/7: 1.5 x 4/3/4 + 2.5 x 8/7/8 = 0.5 + 5/14.
    people = {"service": [0, 2] * 2, "twin": [0, 2] * 2, "control": [0, 2] * 4}
    control = {"clusters": {"number": 2, "intra_cluster_correlation": 0.5}}

    assert told(measured(tallies_of(people), "randomised", sections={"control": control}))[1] == pytest.approx(
        np.sqrt(0.5 + 5 / 14)
    )


def test_matched__looks_at_those_who_were_matched_alone():
    # Source: hand arithmetic. Users 1, 2, 9; the last has no match. Others of weight 1/2: 4, 6 for the first, 5, 5 for the second.
    # 5 - 1.5 = 3.5; s^2 of users 0.5; of others, (1 + 1) / 2 / 2 = 0.5 about 5, over 1 - 1/4: 2/3. 0.5/2 + 2/3/4.
    others = ([4, 6, 5, 5], [0] * 4, [0.5] * 4)
    people = {"service": [1, 2, 9], "matched_service": [1, 2], "matched": others, "twin": [1, 2, 9]}

    assert told(measured(tallies_of(people), "matched"))[:2] == pytest.approx((3.5, np.sqrt(0.25 + 2 / 3 / 4)))
    # A total stands for all the service users.
    total = measured(tallies_of(people), "matched", metric={"estimate": "total_difference"})
    assert told(total)[:2] == pytest.approx((3 * 3.5, 3 * np.sqrt(0.25 + 2 / 3 / 4)))


def test_matched__hidden_bias_raises_the_level_that_is_seen():
    # Source: hand arithmetic. Others at 5 appear at 10 with a bias of log 2, their variance four times as large.
    people = {"service": [1, 2], "matched_service": [1, 2], "matched": [4, 6], "twin": [1, 2]}
    got = told(measured(tallies_of(people), "matched", numbers={"measurement.matched.hidden_bias": np.log(2)}))

    assert got[:2] == pytest.approx((8.5, np.sqrt(0.25 + 4 * 2 / 2)))


def test_before_after__is_a_paired_difference():
    # Source: hand arithmetic. After 1, 2, 6; before 3, 5, 10: differences 2, 3, 4: mean 3, s^2 = 1.
    got = told(measured(tallies_of({"service": ([1, 2, 6], [3, 5, 10]), "twin": [1, 2, 6]}), "before_after"))

    assert got == pytest.approx((3, np.sqrt(1 / 3), 0))


def test_before_after__scales_the_months_before_entry_to_the_window():
    # Source: hand arithmetic. 6 months before hold 2 and 4: 4 and 8 in 12. After 3, 5: differences 1, 3: mean 2, s^2 = 2.
    got = told(measured(tallies_of({"service": ([3, 5], [2, 4]), "twin": [3, 5]}, history=6), "before_after"))

    assert got[:2] == pytest.approx((2, 1))


@pytest.mark.parametrize("kind", ["share", "score"])
def test_before_after__does_not_scale_an_answer_or_a_level(kind):
    # Invariant: half of the people stay half of them, however long one looks.
    got = told(measured(tallies_of({"service": ([1, 0], [1, 0]), "twin": [1, 0]}, history=6), "before_after", kind=kind))

    assert got[0] == pytest.approx(0, abs=1e-12)


OWN, ELSEWHERE = ([1, 2, 6], [3, 5, 10]), ([4, 8, 9], [2, 4, 9])


def did(form="additive", own=OWN, other=ELSEWHERE, numbers=None, kind="amount", history=12, **metric):
    tallies = tallies_of({"service": own, "twin": own, "parallel": other}, history=history)
    sections = {"parallel": {"form": form}}
    return told(measured(tallies, "difference_in_differences", sections=sections, numbers=numbers, kind=kind, metric=metric))


def test_difference_in_differences__subtracts_the_change_elsewhere():
    # Source: hand arithmetic. Own changes -2, -3, -4: mean -3, s^2 1; elsewhere 2, 4, 0: mean 2, s^2 4. 5; 1/3 + 4/3.
    assert did()[:2] == pytest.approx((5, np.sqrt(5 / 3)))


def test_difference_in_differences__ratio_multiplies_by_the_change_elsewhere():
    # Source: hand arithmetic. 6 x 7 / 5 = 8.4 expected, 3 seen: 5.4, or 64.29 %. The ratio of four means has the variance
    # (r)^2 (sum of squared relative errors less twice the covariances): worked out by hand with these moments.
    s2 = {"x": 7, "b": 13, "X": 7, "B": 13}  # after and before, own and elsewhere, each over 3
    cov = {"own": np.cov(OWN[0], OWN[1])[0, 1], "else": np.cov(ELSEWHERE[0], ELSEWHERE[1])[0, 1]}
    kept = 3 / 8.4
    parts = s2["x"] / 9 + s2["b"] / 36 + s2["X"] / 49 + s2["B"] / 25 - 2 * cov["own"] / (3 * 6) - 2 * cov["else"] / (7 * 5)
    assert did("ratio")[0] == pytest.approx(5.4)
    assert did("ratio", **RELATIVE)[:2] == pytest.approx((1 - kept, kept * np.sqrt(parts / 3)))


def test_difference_in_differences__regression_takes_the_common_slope():
    # Source: analysis of covariance by least squares on the six people: y = a + t group + slope before.
    x, b = np.concatenate([OWN[0], ELSEWHERE[0]]), np.concatenate([OWN[1], ELSEWHERE[1]])
    design = np.column_stack([np.ones(6), np.repeat([1.0, 0.0], 3), b])
    coefficient = np.linalg.lstsq(design, x, rcond=None)[0]

    assert did("regression")[0] == pytest.approx(-coefficient[1])


@pytest.mark.parametrize("form", ["additive", "ratio", "regression"])
def test_difference_in_differences__sees_the_change_elsewhere_grow_with_its_gap(form):
    # Source: hand arithmetic. Middle of the 12 months before to middle of the 12 after: one year. A gap of log 2 a year doubles
    # the 7 seen elsewhere to 14; the months before are as they were.
    more = did(form, numbers={"measurement.parallel.trend_gap_per_year": np.log(2)})[0] - did(form)[0]
    if form == "regression":
        x, b = np.concatenate([OWN[0], 2 * np.array(ELSEWHERE[0])]), np.concatenate([OWN[1], ELSEWHERE[1]])
        design = np.column_stack([np.ones(6), np.repeat([1.0, 0.0], 3), b])
        assert did(form)[0] + more == pytest.approx(-np.linalg.lstsq(design, x, rcond=None)[0][1])
    else:
        assert more == pytest.approx({"additive": 7, "ratio": 8.4}[form])


def test_difference_in_differences__gap_acts_from_middle_to_middle():
    # Source: hand arithmetic. 6 months before (scaled by 2) and 12 after lie 9 months apart: exp(0.75 gap).
    own, other = ([4, 4], [2, 2]), ([8, 8], [4, 4])
    got = did(own=own, other=other, history=6, numbers={"measurement.parallel.trend_gap_per_year": 0.4})[0]

    assert got == pytest.approx(4 + 8 * np.exp(0.3) - 8 - 4)


def test_difference_in_differences__ratio_does_not_mind_another_level_and_addition_does():
    # Source: hand arithmetic. Three times the level elsewhere: three times the change of 2 by addition, the same factor.
    level = {"measurement.parallel.level": np.log(3)}
    assert did("additive", numbers=level)[0] == pytest.approx(6 + 6 - 3)
    assert did("ratio", numbers=level)[:2] == pytest.approx(did("ratio")[:2])


def test_difference_in_differences__of_a_score_adds_its_level():
    # Source: hand arithmetic. A gap of 2 a year over one year adds 2; a level cancels.
    numbers = {"measurement.parallel.level": 5.0, "measurement.parallel.trend_gap_per_year": 2.0}
    assert did(numbers=numbers, kind="score")[:2] == pytest.approx((7, np.sqrt(5 / 3)))


def test_difference_in_differences__of_a_share_has_the_spread_of_the_level_that_is_seen():
    # Source: hand arithmetic. Elsewhere 1/2 before and after, odds of 3: 3/4, variance 3/16 for 1/4, so 3/4 of it and of the
    # covariance. 8 people: s^2 = 2/7, cov 0 where half of either were both.
    own, other = of_share(8, 4, before=4, both=2), of_share(8, 4, before=4, both=2)
    got = did(own=own, other=other, numbers={"measurement.parallel.level": np.log(3)}, kind="share")

    assert got[:2] == pytest.approx((0, np.sqrt(2 * 2 / 7 / 8 * (1 + 3 / 4))))


def test_rate_card__counts_and_takes_deadweight_off():
    # Source: hand arithmetic. 3 of 4 reach it, a quarter would anyway, a tenth is claimed twice: 0.75 x 1.1 x 0.75; s^2 = 1/4.
    numbers = {"measurement.rate_card.deadweight": 0.25, "measurement.rate_card.double_claims": 0.1}
    tallies = tallies_of({"service": [1, 1, 1, 0], "twin": [1, 0, 0, 0]})
    got = told(measured(tallies, "rate_card", kind="share", numbers=numbers, metric={"better": "higher"}))

    assert got == pytest.approx((0.75 * 1.1 * 0.75, 1.1 * 0.75 * np.sqrt(1 / 16), 0.5))


def test_relative_reduction__has_the_error_of_a_ratio():
    # Source: delta method by hand. Control 20, 40 (mean 30, variance 100), service 10, 20, 30 (20, 100/3): kept 2/3,
    # error sqrt(100/3 + 4/9 x 100) / 30.
    got = told(
        measured(tallies_of({"service": [10, 20, 30], "twin": [20, 30, 40], "control": [20, 40]}), "randomised", metric=RELATIVE)
    )

    assert got == pytest.approx((1 / 3, np.sqrt(100 / 3 + 400 / 9) / 30, 1 / 3))


def test_per_100__is_a_hundred_times_the_rate():
    tallies = tallies_of({"service": [10, 20, 30], "twin": [20, 30, 40], "control": [20, 40]})
    rate, points = told(measured(tallies, "randomised")), told(measured(tallies, "randomised", metric=POINTS))

    assert points == pytest.approx([100 * part for part in rate])


def test_mix__weighs_designs_and_adds_their_errors():
    # Source: hand arithmetic: 0.8 x 10 + 0.2 x 3 and the same of the errors, which share the service users.
    people = {"service": ([10, 20, 30], [13, 23, 33]), "twin": [20, 30, 40], "control": [20, 40]}
    sections = {"control": {}, "mix": {"randomised": 0.8, "before_after": 0.2}}
    got = told(measured(tallies_of(people), "mix", sections=sections))

    assert got[:2] == pytest.approx((8.6, 0.8 * np.sqrt(100 + 100 / 3)))


def test_by_wave__puts_designs_together_by_their_people():
    # Source: hand arithmetic. Wave a before and after: 3 people gain 3, variance 0; b against a control: 2 people gain 10,
    # variance 50 / 2 + 2 / 2. Rate (3 x 3 + 2 x 10) / 5; total 9 + 20, each with an error of 2 sqrt(26), over 5 of the rate.
    waves = ({"service": ([1, 2, 3], [4, 5, 6]), "twin": [1, 2, 3]}, {"service": [19, 21], "control": [25, 35], "twin": [20]})
    sections = {"control": {}, "by_wave": {"w0": "before_after"}}
    rate = measured(tallies_of(*waves), "randomised", sections=sections)
    total = measured(tallies_of(*waves), "randomised", sections=sections, metric={"estimate": "total_difference"})

    assert told(rate)[:2] == pytest.approx((29 / 5, 2 * np.sqrt(26) / 5))
    assert told(total)[:2] == pytest.approx((29, 2 * np.sqrt(26)))
    np.testing.assert_allclose(rate.by_wave[0, :, 0], [3, 10])
    np.testing.assert_allclose(rate.cumulative[0, :, 0], [3, 29 / 5])


def test_by_wave__is_each_alone_and_cumulative_is_all_so_far():
    # Source: hand arithmetic: gains of 1, 3 and 8 by 1, 1 and 2 people: together 1, 2 and 5.
    waves = [{"service": [0.0] * n, "twin": [0.0] * n, "control": [gain] * n} for gain, n in ((1.0, 1), (3.0, 1), (8.0, 2))]
    got = measured(tallies_of(*waves), "randomised")

    np.testing.assert_allclose(got.by_wave[0, :, 0], [1, 3, 8])
    np.testing.assert_allclose(got.cumulative[0, :, 0], [1, 2, 5])


# On people drawn from a distribution.

N, M, SD, MEAN, REPLICATIONS = 80, 120, 2.0, 10.0, 3000


def pairs(rng, size, rho, mean=MEAN, mean_before=MEAN):
    """Draw values after and before: two normals of standard deviation `SD` that are correlated."""
    before = rng.normal(0, SD, size)
    after = rho * before + np.sqrt(1 - rho**2) * rng.normal(0, SD, size)
    return after + mean, before + mean_before


def drawn(rng, rho=0.0, effect=0.0, k=1):
    """Draw everybody with whom one may compare; the service lowers each person's outcome by the effect."""
    x, b = pairs(rng, (REPLICATIONS, N), rho)
    service = (x - effect, b)
    others = pairs(rng, (REPLICATIONS, M), rho)
    matched = (*pairs(rng, (REPLICATIONS, N * k), rho), 1 / k)
    people = {"service": service, "matched_service": service, "twin": x, "matched": matched}
    return tallies_of(people | dict.fromkeys(("baseline", "control", "parallel"), others))


def z_of_mean(sample, exact):
    return (sample.mean() - exact) / (sample.std(ddof=1) / np.sqrt(len(sample)))


def assert_honest(got, truth, variance):
    """Check error, its variance, the squared standard errors and the coverage of an evaluator who is right."""
    error, own = got.estimate[:, 0] - truth, got.standard_error[:, 0] ** 2
    assert abs(z_of_mean(error, 0.0)) < FALSE_ALARM
    assert abs(z_of_mean(error**2, variance)) < FALSE_ALARM
    # The estimated variance may be off by what a small sample does to a slope or a ratio: 1 % here.
    assert abs(own.mean() / variance - 1) < 0.01 + FALSE_ALARM * own.std() / variance / np.sqrt(len(own))
    assert_covers(got, truth, 0.95, slack=0.003)


def assert_covers(got, truth, share, slack=0.0):
    inside = np.abs(got.estimate[:, 0] - truth) < 1.959964 * got.standard_error[:, 0]
    assert abs(inside.mean() - share) < slack + FALSE_ALARM * np.sqrt(share * (1 - share) / len(inside))


VARIANCES = {
    "historical": lambda rho: SD**2 * (1 / N + 1 / M),
    "randomised": lambda rho: SD**2 * (1 / N + 1 / M),
    "matched": lambda rho: SD**2 * 2 / N,
    "before_after": lambda rho: 2 * SD**2 * (1 - rho) / N,
}


@pytest.mark.statistical
@pytest.mark.parametrize("effect", [0.0, 1.5])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("design", list(VARIANCES))
def test_design__is_honest_where_its_assumptions_hold(design, rho, effect):
    # Source: closed form; methods section 3.1.
    got = measured(drawn(np.random.default_rng(5), rho, effect), design)

    np.testing.assert_allclose(got.truth, effect, atol=1e-9)
    assert_honest(got, effect, VARIANCES[design](rho))


@pytest.mark.statistical
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
@pytest.mark.parametrize(
    ("form", "factor"),
    [("additive", lambda rho: 2 * (1 - rho)), ("ratio", lambda rho: 2 * (1 - rho)), ("regression", lambda rho: 1 - rho**2)],
)
def test_difference_in_differences__has_the_variance_of_its_form(form, factor, rho):
    # Source: 2 s^2 (1 - rho) (1/n + 1/m); with analysis of covariance s^2 (1 - rho^2) in place of 2 s^2 (1 - rho). A ratio
    # at equal means has that of addition, to first order.
    got = measured(drawn(np.random.default_rng(6), rho, 1.0), "difference_in_differences", sections={"parallel": {"form": form}})

    if form == "ratio":
        got = measured(drawn(np.random.default_rng(6), rho), "difference_in_differences", sections={"parallel": {"form": form}})
    assert_honest(got, 0.0 if form == "ratio" else 1.0, SD**2 * factor(rho) * (1 / N + 1 / M))


def test_difference_in_differences__at_a_correlation_of_one_half_is_no_better_than_looking_after():
    # Source: methods 3.1: 2 (1 - 1/2) = 1; analysis of covariance 1 - 1/4 = 0.75, times 30 / 29: of 32 people it
    # leaves 29 degrees of freedom, not 30. The sample is made to have these moments, and no imbalance before.
    x = np.array([1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, -1, 1, -1], float)
    y = np.array([1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, -1, 1, -1, 1], float)  # 12 agree, 4 do not: rho 0.5
    people = {"service": (x, y), "twin": x, "parallel": (x, y), "control": x}
    post = told(measured(tallies_of(people), "randomised"))[1]

    def of(form):
        return told(measured(tallies_of(people), "difference_in_differences", sections={"parallel": {"form": form}}))[1]

    assert of("additive") ** 2 / post**2 == pytest.approx(1.0, abs=1e-9)
    assert of("regression") ** 2 / post**2 == pytest.approx(0.75 * 30 / 29, abs=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize(("k", "factor"), [(1, 1.4142), (2, 1.2247), (5, 1.0954), (10, 1.0488)])
def test_matched__k_to_one_has_its_factor(k, factor):
    # Source: methods 3.1, sqrt(1 + 1/k) times s / sqrt(n).
    got = measured(drawn(np.random.default_rng(7), k=k), "matched")

    assert np.sqrt(1 + 1 / k) == pytest.approx(factor, abs=5e-5)
    assert_honest(got, 0.0, SD**2 / N * (1 + 1 / k))


@pytest.mark.parametrize(("k", "factor"), [(1, 1.4142), (2, 1.2247), (5, 1.0954), (10, 1.0488)])
def test_matched__factor_is_exact_for_equal_spreads(k, factor):
    # Invariant: deterministic, on users and others of the same variance.
    users, others = [-1.0, 1.0] * 500, ([-1.0, 1.0] * 500 * k, 0.0, 1 / k)
    got = told(measured(tallies_of({"service": users, "matched_service": users, "twin": users, "matched": others}), "matched"))

    variances = 1000 / 999 / 1000 + 1000 * k / (1000 * k - 1) / (1000 * k)
    assert got[1] == pytest.approx(np.sqrt(variances), rel=1e-9)
    assert got[1] * np.sqrt(1000) == pytest.approx(factor, abs=1e-3)


@pytest.mark.statistical
@pytest.mark.parametrize("rho", [0.0, 0.05, 0.3])
def test_randomised__clusters_have_their_design_effect(rho):
    # Source: closed form: 8 sites of 10, a factor of 1 + 9 rho on the variance of a mean. With few sites and the right rho told.
    rng = np.random.default_rng(8)

    def people():
        site = np.repeat(rng.normal(0, SD * np.sqrt(rho), (REPLICATIONS, 8)), 10, axis=1)
        return MEAN + site + rng.normal(0, SD * np.sqrt(1 - rho), (REPLICATIONS, 80))

    x = people()
    control = {"clusters": {"number": 8, "intra_cluster_correlation": rho}}
    got = measured(tallies_of({"service": x, "twin": x, "control": people()}), "randomised", sections={"control": control})

    variance = 2 * SD**2 / 80 * (1 + 9 * rho)
    assert abs(z_of_mean(got.estimate[:, 0], 0.0)) < FALSE_ALARM
    assert abs(z_of_mean(got.estimate[:, 0] ** 2, variance)) < FALSE_ALARM
    # Within 8 sites some of the variance between people is between sites: s^2 is short by rho (m - 1) / (n - 1).
    own = 2 * SD**2 / 80 * (1 + 9 * rho) * (1 - rho * 9 / 79)
    assert abs(z_of_mean(got.standard_error[:, 0] ** 2, own)) < FALSE_ALARM


def covered(shift, error):
    """Return the share of intervals that hold the truth where the estimate is off by a shift."""
    return stats.norm.cdf(1.959964 - shift / error) - stats.norm.cdf(-1.959964 - shift / error)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("design", "numbers", "metric", "factor"),
    [
        ("matched", {"measurement.matched.hidden_bias": 0.06}, {}, np.exp(0.06)),
        ("historical", {"measurement.baseline.years_before": 3.0}, {"drift_per_year": 0.02}, np.exp(-0.06)),
        ("difference_in_differences", {"measurement.parallel.trend_gap_per_year": 0.06}, {}, np.exp(0.06)),
    ],
    ids=["hidden bias", "drift", "another trend"],
)
def test_design__misses_the_truth_as_often_as_its_bias_says_where_an_assumption_fails(design, numbers, metric, factor):
    # Source: closed form: a shift of MEAN (factor - 1) and a spread that goes with the level.
    got = measured(drawn(np.random.default_rng(9), 0.5), design, numbers=numbers, metric=metric)

    size = N if design == "matched" else M
    variance = {"difference_in_differences": SD**2 / N + SD**2 * (factor**2 + 1 - factor) / M}.get(
        design, SD**2 / N + (SD * factor) ** 2 / size
    )
    shift = MEAN * (factor - 1)
    assert abs(z_of_mean(got.estimate[:, 0], shift)) < FALSE_ALARM
    assert covered(shift, np.sqrt(variance)) < 0.75
    assert_covers(got, 0.0, covered(shift, np.sqrt(variance)), slack=0.005)


@pytest.mark.statistical
@pytest.mark.parametrize("design", ["randomised", "matched", "before_after", "difference_in_differences"])
def test_relative_reduction__of_counts_covers_the_truth(design):
    # Source: distribution; Poisson counts with gamma frailties, a true reduction of a fifth, 300 people; ratio to the truth in
    # people at large. The delta method is right to first order.
    rng = np.random.default_rng(10)

    def people(factor, size):
        frailty = rng.gamma(2, 1, (REPLICATIONS, size))
        return rng.poisson(factor * frailty).astype(float), rng.poisson(frailty).astype(float)

    service = people(0.8, 300)
    other = people(1.0, 300)
    who = {"service": service, "matched_service": service, "twin": service[0]} | dict.fromkeys(
        ("matched", "control", "parallel"), other
    )
    got = measured(tallies_of(who), design, sections={"parallel": {"form": "ratio"}}, metric=RELATIVE)

    assert abs(got.estimate[:, 0].mean() - 0.2) < 0.005
    assert_covers(got, 0.2, 0.95, slack=0.006)


@pytest.mark.statistical
def test_rate_card__is_honest_about_the_share_of_people_at_large():
    # Source: closed form. (1 - d) p, variance (1 - d)^2 p (1 - p) / n.
    rng = np.random.default_rng(11)
    x = (rng.random((REPLICATIONS, 200)) < 0.6).astype(float)
    numbers = {"measurement.rate_card.deadweight": 0.5}
    got = measured(tallies_of({"service": x, "twin": x}), "rate_card", kind="share", numbers=numbers, metric={"better": "higher"})

    assert_honest(got, 0.3, 0.25 * 0.24 / 200)
