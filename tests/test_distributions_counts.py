"""Referrals: the Poisson-gamma distribution of enrolment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simengine.config import find_study, load_study
from simengine.distributions.counts import Referrals
from simengine.errors import StudyError
from simengine.pipeline import simulate
from simengine.records import SERVICE, TWIN
from simengine.replications.blocks import run_study
from simengine.risk import summarise

# C = 10 referrers, shape a = 2, mean 1.2 a month, T = 24: mean 288, sd 66.597 (Poisson would say 16.97), P(N <= 230) = 0.19758.
TEN_REFERRERS = {"distribution": "referrals", "referrers": 10, "per_month_each": 1.2, "shape": 2, "months": 24}
AS_TEXT = "{distribution: referrals, referrers: 10, per_month_each: 1.2, shape: 2, months: 24}"


def test_referrals__have_the_closed_form_of_the_poisson_gamma_distribution() -> None:
    # Source: arithmetic: 10 x 1.2 x 24; sqrt(288 + 10 x 1.2^2 x 24^2 / 2); and P(N <= 230) of the negative binomial.
    distribution = Referrals(**TEN_REFERRERS)
    assert distribution.centre == pytest.approx(288)
    assert str(distribution) == "referrals, mean 288, sd 66.5973"
    assert distribution.inverse(np.array([0.19757, 0.19759])).tolist() == [230, 231]


@pytest.mark.parametrize("shape", [0.1, 1, 2, 50])
def test_referrals__inverse_is_the_quantile_of_the_negative_binomial(shape: float) -> None:
    # Source: scipy.stats.nbinom.
    distribution = Referrals(**(TEN_REFERRERS | {"shape": shape}))
    uniform = np.concatenate([np.linspace(0.001, 0.999, 400), [2.0**-53, 1 - 1e-12]])
    expected = stats.nbinom.ppf(uniform, 10 * shape, (shape / 1.2) / (shape / 1.2 + 24))
    np.testing.assert_array_equal(distribution.inverse(uniform), expected)


def test_referrals__with_a_mean_that_is_no_whole_number_by_hand() -> None:
    # Source: hand arithmetic. One referrer of shape 1 is geometric with success 10 / 34: cdf(k) = 1 - (12 / 17)^(k + 1), so
    # cdf(3) = 0.7517 and cdf(4) = 0.8247.
    distribution = Referrals(distribution="referrals", referrers=1, per_month_each=0.1, shape=1, months=24)
    assert distribution.inverse(np.array([0.75, 0.77, 0.82, 0.83])).tolist() == [3, 4, 4, 5]


def test_referrals__of_a_uniform_that_is_just_reached_are_no_more_by_hand() -> None:
    # Source: hand arithmetic. One referrer of shape 1 is geometric with success 1 / 2: cdf(0) = 1 / 2 and cdf(1) = 3 / 4, exactly.
    distribution = Referrals(distribution="referrals", referrers=1, per_month_each=0.5, shape=1, months=2)
    assert distribution.inverse(np.array([0.5, 0.75])).tolist() == [0, 1]


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 50), st.floats(1e-3, 200), st.floats(0.01, 1e4), st.floats(0.1, 1200), st.floats(2.0**-53, 1 - 2.0**-53))
def test_referrals__inverse_is_the_least_count_that_reaches(
    referrers: int, mean: float, shape: float, months: float, uniform: float
) -> None:
    # Invariant: cdf(g) >= u > cdf(g - 1), for means that are whole numbers or not. The distribution function is
    # scipy.stats.nbinom's.
    distribution = Referrals(
        distribution="referrals", referrers=referrers, per_month_each=mean / months, shape=shape, months=months
    )
    count = float(distribution.inverse(np.array([uniform]))[0])
    known = stats.nbinom(referrers * shape, shape / (shape + distribution.per_month_each * months))
    assert count == np.floor(count)
    assert known.cdf(count) >= uniform - 1e-12
    assert count == 0 or known.cdf(count - 1) < uniform + 1e-12


@pytest.mark.parametrize("months", [1, 7, 24])
def test_referrals__have_their_mean(months: int) -> None:
    # Source: closed form, C m T = 0.1 T, by the midpoint rule over the uniforms; it was 2 % too low where a search ended early.
    distribution = Referrals(distribution="referrals", referrers=1, per_month_each=0.1, shape=1, months=months)
    drawn = distribution.inverse((np.arange(200_000) + 0.5) / 200_000)
    assert drawn.mean() == pytest.approx(0.1 * months, rel=1e-3)


@pytest.mark.statistical
def test_referrals__decide_how_many_people_a_wave_has() -> None:
    # Source: the closed form; z below 4.5 at a fixed seed. Both arms have the same people, and every sum knows their number.
    study = load_study(find_study("tiny"), [f"population.waves.all.size={AS_TEXT}"])
    tallies = simulate(study, 288, np.arange(2000)).tallies
    n = tallies.n_people[:, 0, SERVICE]
    assert abs(n.mean() - 288) < 4.5 * 66.597 / 2000**0.5
    assert abs((n <= 230).mean() - 0.19758) < 4.5 * (0.19758 * 0.80242 / 2000) ** 0.5
    np.testing.assert_array_equal(n, tallies.n_people[:, 0, TWIN])
    np.testing.assert_array_equal(tallies.person_months[:, 0, SERVICE].sum(axis=1), 12 * n[:, None])


def test_referrals__more_people_leave_the_luck_of_the_first_untouched() -> None:
    # Invariant: a person's luck has an address, not a place in a list.
    few, many = (
        simulate(load_study(find_study("tiny"), ["effect={}", f"population.waves.all.size={size}"]), 3, np.arange(20)).tallies
        for size in (12, "{distribution: uniform, low: 12, high: 12.5}")
    )
    np.testing.assert_array_equal(few.person_months, many.person_months)


def test_referrals__are_reported() -> None:
    study = load_study(find_study("tiny"), [f"population.waves.all.size={AS_TEXT}"])
    table = summarise(run_study(study, 288, 200))
    assert abs(table["people.service_users.mean"].value - 288) < 4.5 * 66.597 / 200**0.5
    assert table["people.service_users.sd"].value > 50


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ("{distribution: referrals, referrers: 0, per_month_each: 1, shape: 1, months: 1}", "must be at least 1"),
        ("{distribution: normal, mean: 12, sd: 3}", "a number of people must not be negative"),
        ("12.5", "a count must be a whole number; found 12.5"),
        ("-1", "a count must lie between 0 and 1e9; found -1"),
        ("{distribution: uniform, low: 0, high: 1e9}", "1e7 at most on average"),
    ],
)
def test_size__that_is_no_number_of_people_is_refused(size: str, text: str) -> None:
    with pytest.raises(StudyError) as refusal:
        load_study(find_study("tiny"), [f"population.waves.all.size={size}"])
    assert text in str(refusal.value)
