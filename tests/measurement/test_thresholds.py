"""From the evaluator's numbers to money at a threshold: the chance to be paid, and what is paid for nothing."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from simengine.contract import settle_terms
from simengine.contract.spec import Contract
from tests.measurement.made import measured, of_share, tallies_of, told
from tests.measurement.test_designs import FALSE_ALARM, POINTS, RELATIVE, z_of_mean

DRAWN = 1_000_000.0


def contract(**term):
    """Return a contract of one term on `metric`."""
    return Contract.model_validate(
        {
            "title": "One term",
            "currency": "SEK",
            "commitment": DRAWN,
            "metrics": {"metric": {"meaning": "what is measured", "unit": "share"}},
            "terms": {"payment": term},
        }
    )


def paid(measurements, **term):
    """Return what one term pays in every replication."""
    n = len(measurements.estimate)
    return settle_terms(contract(**term), measurements, np.full(n, DRAWN)).amount[:, 0]


def bonus(threshold):
    """Return all of what was drawn at a threshold, and nothing below."""
    return {"share": 1.0, "of": "drawn", "only_if": {"metric": {"at_least": threshold}}}


def noisy(effect, error, n):
    """Return n measurements of a known effect: two people a side, so that a difference of means has the error asked for."""
    rng = np.random.default_rng(21)
    service, control = (rng.normal(0, error, (n, 2)) for _ in range(2))
    tallies = tallies_of({"service": service - effect, "twin": service, "control": control})
    return measured(tallies, "randomised")


@pytest.mark.statistical
@pytest.mark.parametrize("error", [0.02, 0.05, 0.08])
@pytest.mark.parametrize("effect", [0.05, 0.10, 0.15])
def test_payment__at_a_threshold_has_its_chance(effect, error):
    # Source: methods 3.2, threshold .10; d = .05: .0062, .1587, .2660; d = .15: .9938, .8413, .7340; d = .10: 1/2 whatever s.
    table = {0.05: (0.0062, 0.1587, 0.2660), 0.10: (0.5,) * 3, 0.15: (0.9938, 0.8413, 0.7340)}
    chance = stats.norm.sf((0.10 - effect) / error)
    assert chance == pytest.approx(table[effect][(0.02, 0.05, 0.08).index(error)], abs=5e-5)

    got = paid(noisy(effect, error, 20_000), **bonus(0.10)) / DRAWN

    assert set(np.unique(got)) <= {0.0, 1.0}
    assert abs(got.mean() - chance) < FALSE_ALARM * np.sqrt(chance * (1 - chance) / len(got))


@pytest.mark.statistical
@pytest.mark.parametrize("error", [0.02, 0.08])
def test_floor__gives_money_for_no_effect(error):
    # Source: methods 3.2: a floor at zero pays .39894 s price on average for no effect; without it nothing, and |error| costs
    # sqrt(2 / pi) s price either way.
    got, price = noisy(0.0, error, 40_000), 5e6
    gift = paid(got, share=price, of="metric", floor=0)
    honest = paid(got, share=price, of="metric")

    assert abs(z_of_mean(gift / price / error, 0.39894)) < FALSE_ALARM
    assert abs(z_of_mean(honest, 0.0)) < FALSE_ALARM
    assert abs(z_of_mean(np.abs(honest) / price / error, np.sqrt(2 / np.pi))) < FALSE_ALARM


PEOPLE = st.lists(st.integers(0, 20), min_size=2, max_size=12)
THRESHOLDS = st.floats(-2, 2, allow_nan=False).map(lambda x: round(x, 3))


@given(luck=st.lists(st.floats(1e-3, 50), min_size=1, max_size=8), threshold=THRESHOLDS, k=st.integers(1, 5))
def test_payment__at_an_effect_equal_to_the_threshold_is_a_matter_of_luck(luck, threshold, k):
    # Invariant: noise that is as often up as down, whatever its distribution: exactly half of the replications are paid.
    error = np.array(luck + [-x for x in luck])[:, None] * np.ones((1, k))
    tallies = tallies_of({"service": 10 + error, "twin": 10 + error, "control": np.full_like(error, 10 + threshold)})

    assert paid(measured(tallies, "randomised"), **bonus(threshold)).sum() == pytest.approx(DRAWN * len(luck))


@given(luck=st.lists(st.floats(1e-3, 50), min_size=1, max_size=8), distance=st.floats(0.01, 5), less=st.floats(0.0, 1.0))
def test_payment__less_noise_never_helps_below_and_never_hurts_above(luck, distance, less):
    # Invariant of any symmetric noise that is scaled down.
    error = np.array(luck + [-x for x in luck])[:, None]

    def share(effect, scale):
        people = {"service": 10 - effect + scale * error, "twin": 10 + scale * error, "control": np.full_like(error, 10.0)}
        return (paid(measured(tallies_of(people), "randomised"), **bonus(1.0)) > 0).mean()

    assert share(1.0 - distance, less) <= share(1.0 - distance, 1.0)
    assert share(1.0 + distance, less) >= share(1.0 + distance, 1.0)


@pytest.mark.statistical
def test_payment__errors_vanish_with_a_large_cohort():
    # Invariant: both errors fall as people are added; closed form 1 - Phi(.05 / (sqrt(2 / n))) for a spread of 1.
    for n, most in ((50, 1.0), (800, 0.2), (20_000, 1e-6)):
        rng = np.random.default_rng(n)
        luck, control = (rng.normal(0, 1 / np.sqrt(n), (20_000, 1)) for _ in range(2))
        errors = []
        for effect in (0.05, 0.15):
            people = {"service": luck - effect, "twin": luck, "control": control}
            is_paid = paid(measured(tallies_of(people), "randomised"), **bonus(0.10)) > 0
            errors.append((is_paid if effect < 0.10 else ~is_paid).mean())
        exact = stats.norm.sf(0.05 / np.sqrt(2 / n))
        assert exact <= most
        for error in errors:
            assert abs(error - exact) < FALSE_ALARM * np.sqrt(exact * (1 - exact) / 20_000) + 1e-9


@given(waves=st.lists(st.tuples(PEOPLE, PEOPLE), min_size=1, max_size=3), threshold=THRESHOLDS)
@pytest.mark.parametrize("estimate", ["total_difference", "rate_difference", "per_100_difference", "relative_reduction"])
def test_payment__without_an_error_of_measurement_is_the_payment_on_the_truth(estimate, waves, threshold):
    # Invariant: where those compared with are the twins themselves, what is paid is what the truth pays, exactly.
    people = [{"service": service, "twin": twin, "control": twin} for service, twin in waves]
    got = measured(tallies_of(*people), "randomised", metric={"estimate": estimate})
    assume(np.isfinite(got.estimate).all())  # a share of nothing is not measured
    truth = type(got)(got.metrics, got.truth, got.standard_error, got.truth, got.truth[:, None], cumulative=got.truth[:, None])

    np.testing.assert_array_equal(got.estimate, got.truth)
    for term in (bonus(threshold), {"share": 1000.0, "of": "metric", "floor": 0}):
        np.testing.assert_array_equal(paid(got, **term), paid(truth, **term))


# Exact counts.


@pytest.mark.statistical
@pytest.mark.parametrize(("chance", "exact"), [(0.3, 0.00091285), (0.4, 0.07462369), (0.5, 0.55128909), (None, 0.2310)])
def test_binomial__threshold_of_30_among_60(chance, exact):
    # Source: methods 4.2 and 0: P(X >= 30) at p; of a chance drawn from Beta(8, 12) .231. Counted by a rate card.
    rng, size = np.random.default_rng(22), 20_000
    p = rng.beta(8, 12, (size, 1)) if chance is None else chance
    distribution = stats.betabinom(60, 8, 12) if chance is None else stats.binom(60, chance)
    assert distribution.sf(29) == pytest.approx(exact, abs=1e-4 if chance is None else 1e-8)
    x = (rng.random((size, 60)) < p).astype(float)
    got = measured(tallies_of({"service": x, "twin": x}), "rate_card", kind="share", metric={"better": "higher"})

    assert abs((paid(got, **bonus(0.5)) > 0).mean() - exact) < FALSE_ALARM * np.sqrt(exact * (1 - exact) / size) + 1e-4
    # The edge itself pays: 30 of 60 is enough, 29 is not.
    for yes, pays in ((30, DRAWN), (29, 0)):
        one = tallies_of({"service": of_share(60, yes), "twin": of_share(60, yes)})
        assert paid(measured(one, "rate_card", kind="share", metric={"better": "higher"}), **bonus(0.5)) == [pays]


@pytest.mark.statistical
@pytest.mark.parametrize(("mean", "exact"), [(1.55, 0.0059428), (1.42, 0.3412956)])
def test_negative_binomial__total_of_a_thousand_passes_ten_per_cent(mean, exact):
    # Source: methods 3.2: the total of 1,000 NB(k = 1) is NB(1000, 1 / (1 + mu)); P(total <= 1395), the control known to be 1.55.
    assert stats.nbinom(1000, 1 / (1 + mean)).cdf(1395) == pytest.approx(exact, abs=1e-7)
    size = 4000
    x = np.random.default_rng(23).geometric(1 / (1 + mean), (size, 1000)) - 1.0
    got = measured(tallies_of({"service": x, "twin": x, "control": np.full((size, 2), 1.55)}), "randomised", metric=RELATIVE)

    # A reduction of 10 % is 1,395 events: in binary the quotient may fall short of .1 by a rounding.
    is_paid = paid(got, **bonus(0.10 - 1e-12)) > 0
    np.testing.assert_array_equal(is_paid, x.sum(axis=1) <= 1395)
    assert abs(is_paid.mean() - exact) < FALSE_ALARM * np.sqrt(exact * (1 - exact) / size)


# Published: Peterborough, six months after release; frequency per 100 and share reconvicted, before (Sep08-Jun10) and after.

FREQUENCY = {"service": (0.78, 0.84), "parallel": (0.84, 0.75)}
SHARE = {"service": (386, 403), "parallel": (393, 373)}


def published(design, form="additive", **metric):
    people = {arm: ([after] * 2, [before] * 2) for arm, (after, before) in FREQUENCY.items()} | {"twin": [0.78] * 2}
    return told(measured(tallies_of(people), design, sections={"parallel": {"form": form}}, metric=metric))[0]


def test_peterborough__before_and_after():
    # Source: methods 3.2: 84 -> 78, naive -7.1429 %.
    assert published("before_after", **RELATIVE) == pytest.approx(0.071428571, abs=1e-9)


def test_peterborough__difference_in_differences():
    # Source: methods 3.2: local prisons 75 -> 84: ratio -17.0918 %, additive -15 per 100, so -16.129 % of 93.
    assert published("difference_in_differences", "ratio", **RELATIVE) == pytest.approx(1 - 78 * 75 / 84**2, abs=1e-12)
    assert published("difference_in_differences", "ratio", **RELATIVE) == pytest.approx(0.170918, abs=5e-7)
    assert published("difference_in_differences", **POINTS) == pytest.approx(15, abs=1e-9)
    assert published("difference_in_differences", **RELATIVE) == pytest.approx(15 / 93, abs=1e-9)


def test_peterborough__shares_reconvicted():
    # Source: methods 3.2: 40.3 -> 38.6 % against 37.3 -> 39.3 %: -3.7 points.
    people = {arm: of_share(1000, after, before=before, both=200) for arm, (after, before) in SHARE.items()}
    got = measured(tallies_of(people | {"twin": [0] * 1000}), "difference_in_differences", kind="share", metric=POINTS)

    assert told(got)[0] == pytest.approx(3.7, abs=1e-9)


def test_peterborough__first_cohort():
    # Source: sweden 8.2: 142 against 155 per 100: -8.39 %.
    people = {"service": [1.42] * 2, "matched_service": [1.42] * 2, "twin": [1.42] * 2, "matched": [1.55] * 2}

    assert told(measured(tallies_of(people), "matched", metric=RELATIVE))[0] == pytest.approx(0.0838710, abs=1e-7)


@pytest.mark.parametrize(
    ("sd", "error", "type_i", "pays"), [(1.6, 0.0342, 0.0017, 0.320), (2.0, 0.0428, 0.0097, 0.354), (2.4, 0.0514, 0.0258, 0.378)]
)
def test_peterborough__error_of_a_reduction_as_the_evaluator_reports_it(sd, error, type_i, pays):
    # Source: methods 3.2, table: 1,000 men against ten each, mean 1.55, no effect. Type I and chance by the normal distribution.
    spread = np.tile([-sd, sd], 500) * np.sqrt(999 / 1000)
    many = (np.tile([-sd, sd], 5000) * np.sqrt(9999 / 10_000) + 1.55, 0.0, 0.1)
    people = {"service": spread + 1.55, "matched_service": spread + 1.55, "twin": spread + 1.55, "matched": many}
    got = told(measured(tallies_of(people), "matched", metric=RELATIVE))[1]

    assert got == pytest.approx(sd / 1.55 * np.sqrt(1.1 / 1000), rel=1e-9)
    # The table takes the error at 1.55 a man in the service and 1/10 as many: .0342 = 1.6 / 1.55 sqrt(1.1 / 1000).
    assert got == pytest.approx(error, abs=6e-5)
    assert stats.norm.sf(0.10 / got) == pytest.approx(type_i, abs=2e-4)
    assert stats.norm.sf((0.10 - 0.084) / got) == pytest.approx(pays, abs=2e-3)
