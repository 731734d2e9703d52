"""What goes wrong in seeing people: lost ones, misread answers, estimates that are drawn towards a prior."""

import numpy as np
import pytest
from scipy import stats

from tests.measurement.made import measured, of_share, tallies_of, told
from tests.measurement.test_designs import FALSE_ALARM, assert_covers, assert_honest, pairs, z_of_mean

R = 4000
MISREAD = {"sensitivity": 0.9, "specificity": 0.95}


def repeat(people, n=R):
    """Let a group stand in many replications: what differs is the luck of the evaluator alone."""
    return tuple(np.broadcast_to(part, (n, *np.shape(part))) for part in people)


def shares(service, control, n=2000, **metric):
    """Return the estimates of many evaluators of the same n people a side."""
    people = {"service": repeat(of_share(n, round(n * service))), "twin": repeat(of_share(n, round(n * control)))}
    people["control"] = repeat(of_share(n, round(n * control)))
    return measured(tallies_of(people), "randomised", kind="share", metric=metric)


# Misread answers.


@pytest.mark.statistical
def test_misclassification__draws_shares_together():
    # Source: methods 3.3: Se .9, Sp .95: .40 and .30 are read as .390 and .305; the risk ratio .75 as .78205, the difference
    # -.10 as -.085. Each share has the variance of its readers: (p .9 x .1 + (1 - p) .95 x .05) / n.
    got = shares(0.30, 0.40, misclassification=MISREAD)
    ratio = shares(0.30, 0.40, misclassification=MISREAD, estimate="relative_reduction")

    readers = sum((p * 0.09 + (1 - p) * 0.0475) / 2000 for p in (0.3, 0.4))
    assert got.truth[0, 0] == pytest.approx(0.10)
    assert abs(z_of_mean(got.estimate[:, 0], 0.085)) < FALSE_ALARM
    assert abs(z_of_mean((got.estimate[:, 0] - 0.085) ** 2, readers)) < FALSE_ALARM
    # The ratio of two means, to second order.
    bend = 0.78205128 * (0.4 * 0.09 + 0.6 * 0.0475) / 2000 / 0.39**2
    assert abs(z_of_mean(1 - ratio.estimate[:, 0], 0.78205128 + bend)) < FALSE_ALARM


@pytest.mark.statistical
@pytest.mark.parametrize(("yes", "seen"), [(0.4, 0.390), (0.3, 0.305)])
def test_misclassification__of_one_share(yes, seen):
    # Source: methods 3.3, by a rate card without deadweight.
    tallies = tallies_of({"service": repeat(of_share(1000, round(1000 * yes))), "twin": repeat(of_share(1000, 0))})
    got = measured(tallies, "rate_card", kind="share", metric={"misclassification": MISREAD, "better": "higher"})

    assert abs(z_of_mean(got.estimate[:, 0], seen)) < FALSE_ALARM


def test_misclassification__of_a_perfect_reader_is_none():
    perfect = {"sensitivity": 1.0, "specificity": 1.0}
    with_reader, without = shares(0.3, 0.4, misclassification=perfect), shares(0.3, 0.4)

    np.testing.assert_allclose(with_reader.estimate, without.estimate, atol=1e-12)
    np.testing.assert_allclose(with_reader.standard_error, without.standard_error, atol=1e-12)


def test_misclassification__of_a_reader_who_always_errs_turns_answers_round():
    assert told(shares(0.3, 0.4, misclassification={"sensitivity": 0.0, "specificity": 0.0}))[0] == pytest.approx(-0.1)


@pytest.mark.statistical
def test_misclassification__reads_the_months_before_entry_alike():
    # Invariant: nothing changed between the two, so nothing seems to; and the evaluator is honest about what readers add.
    people = repeat(of_share(1000, 300, before=300, both=200))
    metric = {"misclassification": MISREAD}
    got = measured(tallies_of({"service": people, "twin": people[0]}), "before_after", kind="share", metric=metric)

    readers = 2 * (0.3 * 0.09 + 0.7 * 0.0475) / 1000
    assert abs(z_of_mean(got.estimate[:, 0], 0.0)) < FALSE_ALARM
    assert abs(z_of_mean(got.estimate[:, 0] ** 2, readers)) < FALSE_ALARM


def answers(rng, n, share, rho=0.6):
    """Draw yes or no before and after: a person keeps the answer with probability rho, else answers afresh."""
    before = rng.random((R, n)) < share
    return np.where(rng.random((R, n)) < rho, before, rng.random((R, n)) < share).astype(float), before.astype(float)


@pytest.mark.statistical
@pytest.mark.parametrize("design", ["before_after", "difference_in_differences", "randomised"])
def test_misclassification__is_known_to_the_standard_error(design):
    # Source: closed form. The covariance over time shrinks by (Se + Sp - 1)^2, the variance is that of the share read.
    rng = np.random.default_rng(1)
    own, other = answers(rng, 300, 0.3), answers(rng, 300, 0.3)
    people = {"service": own, "twin": own[0], "control": other, "parallel": other}
    got = measured(tallies_of(people), design, kind="share", metric={"misclassification": MISREAD})

    read = 0.9 * 0.3 + 0.05 * 0.7
    variance = {"randomised": 1}.get(design, 2) * read * (1 - read) - (design != "randomised") * 2 * 0.6 * 0.21 * 0.85**2
    assert_honest(got, 0.0, variance / 300 * (1 if design == "before_after" else 2))


# Lost people.


@pytest.mark.statistical
def test_attrition__moves_a_mean_by_its_share_times_the_gap():
    # Source: methods 3.1: a g. The service loses 20 % who are 0.5 worse off, the control 10 %: 0.1 x 0.5.
    rng = np.random.default_rng(2)
    x, y = (rng.normal(3, 1, (R, 200)) for _ in range(2))
    metric = {"attrition": {"share": 0.2, "share_comparison": 0.1, "gap": 0.5}}
    got = measured(tallies_of({"service": x, "twin": x, "control": y}), "randomised", metric=metric)

    assert abs(z_of_mean(got.estimate[:, 0], 0.2 * 0.5 - 0.1 * 0.5)) < FALSE_ALARM
    assert not got.truth.any()


@pytest.mark.statistical
def test_attrition__of_the_comparison_is_that_of_the_service_unless_said():
    rng = np.random.default_rng(2)
    x, y = (rng.normal(3, 1, (R, 200)) for _ in range(2))
    people = tallies_of({"service": x, "twin": x, "control": y})
    got = measured(people, "randomised", metric={"attrition": {"share": 0.3, "gap": 1.0}})

    assert_honest(got, 0.0, 2 / 140)


@pytest.mark.statistical
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(
    ("design", "factor"),
    [
        ("before_after", lambda rho: 2 * (1 - rho)),
        ("randomised", lambda rho: 2.0),
        ("difference_in_differences", lambda rho: 4 * (1 - rho)),
    ],
)
def test_attrition__at_random_costs_people_and_nothing_else(design, factor, rho):
    # Source: closed form: the variance of 100 people becomes that of 70, whatever one compares them with.
    rng = np.random.default_rng(3)
    own, other = pairs(rng, (R, 100), rho), pairs(rng, (R, 100), rho)
    people = {"service": own, "twin": own[0], "control": other, "parallel": other}
    got = measured(tallies_of(people), design, metric={"attrition": {"share": 0.3}})

    assert_honest(got, 0.0, 4 * factor(rho) / 70)


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["amount", "share"])
def test_attrition__of_ten_matched_people_is_that_of_ten(kind):
    # Source: closed form: s^2 / n (1 + 1/10) / (1 - a): those matched weigh a tenth each and are lost one by one.
    rng = np.random.default_rng(4)
    draw = (lambda size: rng.normal(10, 2, size)) if kind == "amount" else (lambda size: (rng.random(size) < 0.4).astype(float))
    x, others = draw((R, 50)), draw((R, 500))
    people = {"service": x, "matched_service": x, "twin": x, "matched": (others, 0.0, 0.1)}
    got = measured(tallies_of(people), "matched", kind=kind, metric={"attrition": {"share": 0.5, "share_comparison": 0.2}})

    # Few are lost of the service users where half are: one in n' is a harmonic mean, 25 (1 + 1/50).
    variance = (4.0 if kind == "amount" else 0.24) * (1.02 / 25 + 1 / 400)
    assert abs(z_of_mean(got.estimate[:, 0] ** 2, variance)) < FALSE_ALARM
    assert_covers(got, 0.0, 0.94 if kind == "share" else 0.945, slack=0.01)


def test_attrition__of_forty_matched_people_leaves_somebody():
    # Source: exact distribution: 40 people are all lost with a chance of 2^-40, 4 with one of 1 / 16.
    users, others = np.zeros((R, 4)), np.ones((R, 40))
    people = {"service": users, "matched_service": users, "twin": users, "matched": (others, 0.0, 0.1)}
    got = measured(tallies_of(people), "matched", metric={"attrition": {"share": 0.0, "share_comparison": 0.5}})

    np.testing.assert_allclose(got.estimate, 1)


@pytest.mark.statistical
def test_misclassification__of_ten_matched_people_is_that_of_ten():
    # Source: closed form: readers of 500 people add p Se (1 - Se) + (1 - p) Sp (1 - Sp) over 500.
    people = repeat(of_share(50, 20))
    others = (np.broadcast_to(of_share(500, 200)[0], (R, 500)), 0.0, 0.1)
    tallies = tallies_of({"service": people, "matched_service": people, "twin": people[0], "matched": others})
    got = measured(tallies, "matched", kind="share", metric={"misclassification": MISREAD})

    readers = (0.4 * 0.09 + 0.6 * 0.0475) * (1 / 50 + 1 / 500)
    assert abs(z_of_mean(got.estimate[:, 0] ** 2, readers)) < FALSE_ALARM


@pytest.mark.parametrize(("lost", "estimate"), [(0.0, 10.0), (1.0, np.nan)])
def test_attrition__of_nobody_and_of_all(lost, estimate):
    # Source: the definition; of nobody nothing is known.
    people = {"service": [10, 20, 30], "twin": [20, 30, 40], "control": [20, 40]}
    got = told(measured(tallies_of(people), "randomised", metric={"attrition": {"share": lost, "gap": 5.0}}))

    assert got[0] == pytest.approx(estimate, nan_ok=True)
    assert np.isnan(got[1]) == np.isnan(estimate)
    assert got[2] == 10


@pytest.mark.statistical
def test_attrition__loses_whole_people():
    # Invariant: a share of yeses is a whole number of people seen, and who is lost is Binomial(n, a).
    people = repeat(of_share(30, 12))
    tallies = tallies_of({"service": people, "twin": people[0]})
    metric = {"attrition": {"share": 0.4}, "better": "higher"}
    rate, points = (
        measured(tallies, "rate_card", kind="share", metric=metric | {"estimate": estimate})
        for estimate in ("rate_difference", "per_100_difference")
    )

    # With m seen, y of them yes: whatever m is, y / m has a denominator of at most 30.
    wholes = [rate.estimate[:, 0] * m for m in range(1, 31)]
    assert (np.min([np.abs(part - np.round(part)) for part in wholes], axis=0) < 1e-9).all()
    # Metrics of other names meet luck of their own, the same name the same luck.
    np.testing.assert_allclose(points.estimate, 100 * rate.estimate)


# Estimates drawn towards a prior.


def test_shrinkage__by_credibility():
    # Source: hand arithmetic: 0.3 x 10 + 0.7 x 4, error 0.3 x as large.
    people = tallies_of({"service": [10, 20, 30], "twin": [20, 30, 40], "control": [20, 40]})
    got = told(measured(people, "randomised", metric={"shrinkage": {"prior": 4.0, "credibility": 0.3}}))

    assert got == pytest.approx((5.8, 0.3 * np.sqrt(100 + 100 / 3), 10))


def test_shrinkage__by_the_spread_of_the_prior():
    # Source: hand arithmetic: before and after, 3 with a variance of 1/3; prior 0 with a variance of 1: Z = 3/4.
    people = tallies_of({"service": ([1, 2, 6], [3, 5, 10]), "twin": [1, 2, 6]})
    got = told(measured(people, "before_after", metric={"shrinkage": {"prior": 0.0, "prior_sd": 1.0}}))

    assert got[:2] == pytest.approx((2.25, 0.75 / np.sqrt(3)))


@pytest.mark.statistical
def test_winners_curse__and_the_shrinkage_that_takes_it_away():
    # Source: methods 3.3. Truths N(.06, .08^2), standard error .08: estimates that pass 1.96 of them (share .19611) average
    # .21961 while the truth averages .13980. Shrunk by that prior they average what is true.
    rng, n = np.random.default_rng(12), 400
    effect = rng.normal(0.06, 0.08, (12_000, 1))
    spread = 0.08 / np.sqrt(2 / n)
    control, luck = (rng.normal(0, spread / np.sqrt(n), (12_000, 1)) for _ in range(2))
    # People who stand as far from their mean as the next ones: the standard error is .08 in every replication.
    around = np.tile([-1.0, 1.0], n // 2) * spread * np.sqrt((n - 1) / n)
    people = {"service": 1 + luck - effect + around, "twin": 1 + luck + around, "control": 1 + control + around}
    plain, shrunk = (
        measured(tallies_of(people), "randomised", metric=metric)
        for metric in ({}, {"shrinkage": {"prior": 0.06, "prior_sd": 0.08}})
    )

    np.testing.assert_allclose(plain.standard_error, 0.08, rtol=1e-9)
    np.testing.assert_allclose(plain.truth, effect, atol=1e-12)
    passes = plain.estimate[:, 0] > 1.96 * plain.standard_error[:, 0]
    assert abs(passes.mean() - 0.19611) < FALSE_ALARM * np.sqrt(0.19611 * 0.80389 / len(passes))
    assert abs(z_of_mean(plain.estimate[passes, 0], 0.21961)) < FALSE_ALARM
    assert abs(z_of_mean(effect[passes, 0], 0.13980)) < FALSE_ALARM
    assert abs(z_of_mean(shrunk.estimate[passes, 0], 0.13980)) < FALSE_ALARM
    assert abs(z_of_mean(shrunk.estimate[passes, 0] - effect[passes, 0], 0.0)) < FALSE_ALARM


@pytest.mark.statistical
def test_type_s_and_m__of_a_small_effect():
    # Source: Gelman and Carlin's closed form; D = 2, s = 8.1: power .0570, sign wrong in .2396 of what is significant, which
    # exaggerates 9.537 times.
    size, around = 60_000, np.array([-1.0, 1.0, -1.0, 1.0]) * 8.1 * np.sqrt(2) * np.sqrt(3 / 4)
    luck = np.random.default_rng(13).normal(0, 8.1, (size, 1))
    got = measured(
        tallies_of({"service": 48 + luck + around, "twin": 50 + luck + around, "control": 50 + 0 * luck + around}), "randomised"
    )

    np.testing.assert_allclose(got.standard_error, 8.1)
    np.testing.assert_allclose(got.truth, 2)
    found = got.estimate[np.abs(got.estimate[:, 0]) > 1.959964 * got.standard_error[:, 0], 0]
    power = stats.norm.sf(1.959964 - 2 / 8.1) + stats.norm.cdf(-1.959964 - 2 / 8.1)
    assert power == pytest.approx(0.0570, abs=5e-5)
    assert abs(len(found) / size - power) < FALSE_ALARM * np.sqrt(power / size)
    assert abs(z_of_mean((found < 0).astype(float), 0.2396)) < FALSE_ALARM
    assert abs(z_of_mean(np.abs(found) / 2, 9.537)) < FALSE_ALARM
