"""The distributions of numbers against SciPy and hand arithmetic, and everything that a number may not be."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from scipy import integrate, stats

from simengine.distributions import (
    ASSUMED,
    Constant,
    Count,
    FixedNotNegative,
    Months,
    NotNegative,
    Probability,
    Quantity,
    Share,
    quantities_in,
    within,
)

UNIFORMS = np.array([1e-9, 0.001, 0.05, 0.25, 0.5, 0.6, 0.75, 0.95, 0.999, 1 - 1e-9])


def read(raw, kind=Quantity):
    return TypeAdapter(kind).validate_python(raw)


def _lognorm(mean, sd):
    # E = exp(m + s^2 / 2) and Var = E^2 (exp(s^2) - 1), so s^2 = log(1 + (sd / mean)^2) and m = log(mean) - s^2 / 2.
    scale = np.sqrt(np.log(1 + (sd / mean) ** 2))
    return stats.lognorm(s=scale, scale=mean * np.exp(-(scale**2) / 2))


DISTRIBUTIONS = {
    "uniform": ({"distribution": "uniform", "low": -2, "high": 6}, stats.uniform(-2, 8)),
    "triangular": ({"distribution": "triangular", "low": 1, "mode": 2, "high": 5}, stats.triang(0.25, 1, 4)),
    "triangular rising": ({"distribution": "triangular", "low": 0, "mode": 3, "high": 3}, stats.triang(1, 0, 3)),
    "triangular falling": ({"distribution": "triangular", "low": 0, "mode": 0, "high": 3}, stats.triang(0, 0, 3)),
    "normal": ({"distribution": "normal", "mean": -3, "sd": 2}, stats.norm(-3, 2)),
    "lognormal": ({"distribution": "lognormal", "mean": 800, "sd": 300}, _lognorm(800, 300)),
    # mean 0.3 and sd 0.1: successes + failures = 0.3 x 0.7 / 0.01 - 1 = 20, shared 6 to 14.
    "beta": ({"distribution": "beta", "mean": 0.3, "sd": 0.1}, stats.beta(6, 14)),
    "beta from counts": ({"distribution": "beta", "successes": 8, "failures": 12}, stats.beta(8, 12)),
    # mean 6 and sd 3: shape = (6 / 3)^2 = 4, scale = 9 / 6 = 1.5.
    "gamma": ({"distribution": "gamma", "mean": 6, "sd": 3}, stats.gamma(4, scale=1.5)),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_inverse__agrees_with_the_quantile_function_of_scipy(name):
    # Source: scipy.stats, with the parameters of each form worked out above.
    raw, expected = DISTRIBUTIONS[name]

    got = read(raw).inverse(UNIFORMS)

    np.testing.assert_allclose(got, expected.ppf(UNIFORMS), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_centre_and_support__agree_with_scipy(name):
    # Source: scipy.stats, mean and support of the same distribution.
    raw, expected = DISTRIBUTIONS[name]

    quantity = read(raw)

    assert quantity.centre == pytest.approx(expected.mean(), rel=1e-12)
    assert quantity.support == pytest.approx(expected.support())


@pytest.mark.parametrize("name", ["normal", "lognormal", "beta", "gamma"])
def test_inverse__has_the_mean_and_sd_that_were_asked_for(name):
    # Source: integral of the quantile function and of its square over (0, 1), by adaptive quadrature.
    raw, _ = DISTRIBUTIONS[name]
    distribution = read(raw)

    first, second = (
        integrate.quad(lambda u, p=p: float(distribution.inverse(np.array([u]))[0]) ** p, 0, 1, limit=500)[0] for p in (1, 2)
    )

    assert first == pytest.approx(raw["mean"], rel=1e-6)
    assert np.sqrt(second - first**2) == pytest.approx(raw["sd"], rel=1e-5)


def test_constant__is_the_same_in_every_replication():
    # Source: hand arithmetic.
    quantity = read(3_000)

    np.testing.assert_array_equal(quantity.inverse(UNIFORMS), np.full(len(UNIFORMS), 3000.0))
    assert (quantity.centre, quantity.support) == (3000.0, (3000.0, 3000.0))


def test_triangular__has_the_quantiles_of_two_right_triangles():
    # Source: hand arithmetic. From 0 over 2 to 4 the density is x / 4, so F(x) = x^2 / 8: F(1) = 1 / 8, F(3) = 7 / 8.
    got = read({"distribution": "triangular", "low": 0, "mode": 2, "high": 4}).inverse(np.array([1 / 8, 1 / 2, 7 / 8]))

    np.testing.assert_allclose(got, [1, 2, 3], rtol=1e-15)


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_normal__gives_back_the_ends_of_its_interval(low, width):
    # Source: the definition of a central 90 % interval.
    distribution = read({"distribution": "normal", "interval_90": [low, low + width]})

    got = distribution.inverse(np.array([0.05, 0.5, 0.95]))

    np.testing.assert_allclose(got, [low, low + width / 2, low + width], rtol=1e-12, atol=1e-9 * width)


@settings(deadline=None, max_examples=50)
@given(st.floats(1e-3, 1e6), st.floats(1.01, 1e3))
def test_lognormal__gives_back_the_ends_of_its_interval(low, ratio):
    # Source: the definition of a central 90 % interval; the median of a lognormal distribution is the geometric mean of its ends.
    distribution = read({"distribution": "lognormal", "interval_90": [low, low * ratio]})

    got = distribution.inverse(np.array([0.05, 0.5, 0.95]))

    np.testing.assert_allclose(got, [low, low * np.sqrt(ratio), low * ratio], rtol=1e-10)


def test_lognormal__has_a_mean_above_its_median():
    # Source: hand arithmetic. Interval [1 / e, e]: the sd of the logarithm is 2 / (2 x 1.6448536) = 0.6079568, so the mean
    # is exp(0.6079568^2 / 2) = 1.2029847.
    distribution = read({"distribution": "lognormal", "interval_90": [np.exp(-1), np.exp(1)]})

    assert distribution.centre == pytest.approx(np.exp((1 / stats.norm.ppf(0.95)) ** 2 / 2), rel=1e-12)
    assert distribution.centre == pytest.approx(1.2029847, rel=1e-7)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_inverse__rises_and_stays_inside_the_support(name):
    # Source: the definition of a quantile function.
    distribution = read(DISTRIBUTIONS[name][0])

    drawn = distribution.inverse(np.linspace(1e-6, 1 - 1e-6, 1001))

    assert (np.diff(drawn) > 0).all()
    assert distribution.support[0] <= drawn[0]
    assert drawn[-1] <= distribution.support[1]


def test_number__may_carry_its_source():
    quantity = read({"value": 60, "source": "S3", "certainty": "Q", "note": "children", "layer": "environment"})

    assert (quantity.value, quantity.source, quantity.certainty, quantity.note, quantity.layer) == (
        60,
        "S3",
        "Q",
        "children",
        "environment",
    )


def test_number__belongs_to_the_layer_of_knowledge_unless_it_says_otherwise():
    assert read(1.5).layer == "parameters"


@pytest.mark.parametrize("certainty", ["Q", "D", "C", "P", "U", "M", "R", "assumption", "choice"])
def test_certainty__names_what_is_assumed(certainty):
    # Source: the meaning of the codes; stated, derived, conflicting and chosen numbers are not assumptions.
    quantity = read({"value": 1, "certainty": certainty})

    assert quantity.is_assumed == (certainty not in ("Q", "D", "C", "choice"))
    assert (certainty in ASSUMED) == quantity.is_assumed


def test_number__is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        read(1.0).value = 2.0


REFUSED = {
    "no form": (
        {"distribution": "normal"},
        "a normal distribution must be given by mean and sd or interval_90 or quantiles; found none of them",
    ),
    "half a form": (
        {"distribution": "lognormal", "mean": 2},
        "a lognormal distribution must be given by mean and sd or interval_90 or quantiles; found mean",
    ),
    "half a beta": (
        {"distribution": "beta", "successes": 3},
        "a beta distribution must be given by mean and sd or successes and failures or interval_90 or quantiles; found successes",
    ),
    "two forms": (
        {"distribution": "normal", "mean": 1, "sd": 1, "interval_90": [0, 2]},
        "a normal distribution must be given by mean and sd or interval_90 or quantiles; found interval_90, mean, sd",
    ),
    "one form and a half": (
        {"distribution": "beta", "mean": 0.5, "sd": 0.1, "failures": 2},
        "a beta distribution must be given by mean and sd or successes and failures or interval_90 or quantiles; found failures, mean, sd",
    ),
    "no spread": (
        {"distribution": "normal", "mean": 1, "sd": 0},
        "an sd must be above 0; found 0. For a value without spread write `value:`",
    ),
    "negative spread": ({"distribution": "lognormal", "mean": 1, "sd": -0.5}, "an sd must be above 0; found -0.5"),
    "beta without spread": ({"distribution": "beta", "mean": 0.5, "sd": 0}, "an sd must be above 0; found 0"),
    "gamma without spread": ({"distribution": "gamma", "mean": 1, "sd": 0}, "Input should be greater than 0"),
    "gamma around 0": ({"distribution": "gamma", "mean": 0, "sd": 1}, "Input should be greater than 0"),
    "equal ends": ({"distribution": "uniform", "low": 2, "high": 2}, "low must be below high; found 2 and 2"),
    "reversed ends": ({"distribution": "triangular", "low": 3, "mode": 2, "high": 1}, "low must be below high; found 3 and 1"),
    "mode outside": (
        {"distribution": "triangular", "low": 0, "mode": 4, "high": 3},
        "the mode must lie between low and high; found 0, 4, 3",
    ),
    "reversed interval": ({"distribution": "normal", "interval_90": [2, 1]}, "lower_end must be below upper_end; found 2 and 1"),
    "interval without width": (
        {"distribution": "lognormal", "interval_90": [2, 2]},
        "lower_end must be below upper_end; found 2 and 2",
    ),
    "interval from 0": (
        {"distribution": "lognormal", "interval_90": [0, 2]},
        "a lognormal distribution must have positive numbers; found 0",
    ),
    "negative interval": (
        {"distribution": "lognormal", "interval_90": [-1, 2]},
        "a lognormal distribution must have positive numbers; found -1",
    ),
    "lognormal around 0": (
        {"distribution": "lognormal", "mean": 0, "sd": 1},
        "a lognormal distribution must have positive numbers; found 0",
    ),
    "beta around 1": (
        {"distribution": "beta", "mean": 1, "sd": 0.1},
        "the mean of a beta distribution must lie between 0 and 1; found 1",
    ),
    "beta around 0": (
        {"distribution": "beta", "mean": 0, "sd": 0.1},
        "the mean of a beta distribution must lie between 0 and 1; found 0",
    ),
    # The largest sd is sqrt(0.2 x 0.8) = 0.4.
    "beta too wide": (
        {"distribution": "beta", "mean": 0.2, "sd": 0.4},
        "the sd of a beta distribution with mean 0.2 must be below 0.4; found 0.4",
    ),
    "beta of no cases": ({"distribution": "beta", "successes": 0, "failures": 3}, "Input should be greater than 0"),
    "text": ("twelve", "Input should be a valid number"),
    "digits in quotes": ("12", "Input should be a valid number"),
    "true": (True, "Input should be a valid number"),
    "nothing": (None, "Input should be a valid number"),
    "a list": ([12], "Input should be a valid number"),
    "infinite": (float("inf"), "Input should be a finite number"),
    "not a number": (float("nan"), "Input should be a finite number"),
    "infinite end": ({"distribution": "uniform", "low": 0, "high": float("inf")}, "Input should be a finite number"),
    "text in a distribution": ({"distribution": "uniform", "low": "0", "high": 1}, "Input should be a valid number"),
    "true in a distribution": ({"distribution": "beta", "mean": 0.5, "sd": True}, "Input should be a valid number"),
    "nan in an interval": ({"distribution": "normal", "interval_90": [0, float("nan")]}, "Input should be a finite number"),
    "unknown distribution": (
        {"distribution": "weibull", "mean": 1},
        "a quantity must be a number or one of the distributions uniform, triangular, pert, normal, lognormal, beta, gamma, empirical, "
        "quantiles, referrals, seen_events; shares of a whole also know the distribution dirichlet",
    ),
    "a distribution that is no word": (
        {"distribution": 3},
        "a quantity must be a number or one of the distributions",
    ),
    "a key of another distribution": ({"distribution": "uniform", "low": 0, "high": 1, "sd": 3}, "Extra inputs are not permitted"),
    "a distribution beside a value": (
        {"distribution": "uniform", "low": 0, "high": 1, "value": 3},
        "Extra inputs are not permitted",
    ),
    "unknown certainty": ({"value": 1, "certainty": "sure"}, "Input should be 'Q', 'D', 'C'"),
    "unknown layer": ({"value": 1, "layer": "noise"}, "Input should be 'sampling', 'parameters', 'measurement' or 'environment'"),
    "only a source": ({"source": "S1"}, "Field required"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_quantity__refuses_what_is_no_number(name):
    raw, text = REFUSED[name]
    with pytest.raises(ValidationError, match=re.escape(text)):
        read(raw)


BEYOND_COMPUTING = {
    "beta without a spread to speak of": {"distribution": "beta", "mean": 0.5, "sd": 1e-200},
    "gamma without a spread to speak of": {"distribution": "gamma", "mean": 1, "sd": 1e-200},
    "lognormal with an infinite mean": {"distribution": "lognormal", "mean": 1e-300, "sd": 1e300},
    "lognormal with infinite quantiles": {"distribution": "lognormal", "interval_90": [1e-300, 1e300]},
    # The sd of the logarithm is 27.6 x 2 / 3.29 = 16.8: the mean exp(16.8^2 / 2) = 1e61 lies 8.4 sd above the median, the
    # largest uniform, 1 - 2^-53, 8.2 sd.
    "lognormal with a mean that is never reached": {"distribution": "lognormal", "interval_90": [1e-12, 1e12]},
    "uniform wider than numbers are": {"distribution": "uniform", "low": -1.7e308, "high": 1.7e308},
    "pert wider than numbers are": {"distribution": "pert", "low": -1.7e308, "mode": 0, "high": 1.7e308},
    "gamma through quantiles too close": {"distribution": "gamma", "interval_90": [1, 1 + 1e-9]},
    "gamma through quantiles too far apart": {"distribution": "gamma", "interval_90": [1e-308, 1e300]},
    "beta through quantiles too close": {"distribution": "beta", "interval_90": [0.5, 0.5 + 1e-9]},
    "beta through quantiles too far apart": {"distribution": "beta", "quantiles": {0.4: 1e-320, 0.41: 1 - 1e-16}},
}


@pytest.mark.parametrize("name", BEYOND_COMPUTING)
def test_quantity__refuses_a_distribution_that_cannot_be_computed(name):
    with pytest.raises(ValidationError, match=re.escape("cannot be computed")):
        read(BEYOND_COMPUTING[name])


OUT_OF_RANGE = {
    "probability above 1": (Probability, 1.2, "a probability must lie between 0 and 1; found 1.2"),
    "probability below 0": (Probability, {"value": -0.1}, "a probability must lie between 0 and 1; found -0.1"),
    "normal probability": (
        Probability,
        {"distribution": "normal", "mean": 0.5, "sd": 0.01},
        "a probability must lie between 0 and 1; found a distribution on -inf to inf (normal 0.5, sd 0.01)",
    ),
    "lognormal probability": (
        Probability,
        {"distribution": "lognormal", "mean": 0.1, "sd": 0.01},
        "found a distribution on 0 to inf",
    ),
    "gamma probability": (
        Probability,
        {"distribution": "gamma", "mean": 0.1, "sd": 0.01},
        "found a distribution on 0 to inf (gamma",
    ),
    "uniform probability": (
        Probability,
        {"distribution": "uniform", "low": 0.5, "high": 1.1},
        "found a distribution on 0.5 to 1.1 (uniform 0.5 to 1.1)",
    ),
    "triangular probability": (
        Probability,
        {"distribution": "triangular", "low": -0.1, "mode": 0.5, "high": 1},
        "a probability must lie between 0 and 1; found a distribution on -0.1 to 1",
    ),
    "share above 1": (Share, 1.5, "a probability must lie between 0 and 1; found 1.5"),
    "share of another word": (Share, "the rest", "Input should be 'rest'"),
    "negative price": (NotNegative, -1, "a size, price, ratio or duration must not be negative; found -1"),
    "normal price": (
        NotNegative,
        {"distribution": "normal", "mean": 1e6, "sd": 1},
        "must not be negative; found a distribution on -inf to inf",
    ),
    "negative share of money": (FixedNotNegative, -0.4, "a size, price, ratio or duration must not be negative; found -0.4"),
    "distribution for a fixed number": (
        FixedNotNegative,
        {"distribution": "uniform", "low": 0, "high": 1},
        "Extra inputs are not permitted",
    ),
    "half a person": (Count, 12.5, "a count must be a whole number; found 12.5"),
    "fewer than nobody": (Count, -1, "a count must lie between 0 and 1e9; found -1"),
    "too many": (Count, 1e10, "a count must lie between 0 and 1e9; found 1e+10"),
    "no months": (Months, 0, "a number of months must lie between 1 and 1200; found 0"),
    "half a month": (Months, 1.5, "a count must be a whole number; found 1.5"),
    "more than a century": (Months, 1201, "a number of months must lie between 1 and 1200; found 1201"),
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_range__refuses_what_can_leave_it(name):
    kind, raw, text = OUT_OF_RANGE[name]
    with pytest.raises(ValidationError, match=re.escape(text)):
        read(raw, kind)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Probability, 0),
        (Probability, 1),
        (Probability, {"distribution": "beta", "mean": 0.5, "sd": 0.49}),
        (Probability, {"distribution": "uniform", "low": 0, "high": 1}),
        (Share, "rest"),
        (Share, 0.25),
        (NotNegative, 0),
        (NotNegative, {"distribution": "gamma", "mean": 1, "sd": 5}),
        (Count, 0),
        (Count, 12.0),
        (Months, 1),
        (Months, 1200),
    ],
)
def test_range__takes_its_own_edges(kind, raw):
    read(raw, kind)


def test_within__takes_a_distribution_that_touches_both_ends():
    rule = within(-1, 1, "a correlation must lie between -1 and 1")

    assert rule(Constant(value=-1)).value == -1
    with pytest.raises(ValueError, match=re.escape("a correlation must lie between -1 and 1; found 1.5")):
        rule(Constant(value=1.5))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (10_000_000, "10,000,000"),
        ({"distribution": "uniform", "low": 0, "high": 1500}, "uniform 0 to 1,500"),
        ({"distribution": "triangular", "low": 0, "mode": 1, "high": 2}, "triangular 0, 1, 2"),
        ({"distribution": "normal", "mean": 0, "sd": 0.02}, "normal 0, sd 0.02"),
        ({"distribution": "lognormal", "interval_90": [0.8, 1.8]}, "lognormal, 90 % from 0.8 to 1.8"),
        # Beta(1, 1) is uniform: its central 90 % are 0.05 to 0.95.
        ({"distribution": "beta", "successes": 1, "failures": 1}, "beta, mean 0.5, 90 % from 0.05 to 0.95"),
        ({"distribution": "gamma", "mean": 6, "sd": 3}, "gamma, mean 6, sd 3"),
    ],
)
def test_quantity__reads_as_a_phrase(raw, text):
    assert str(read(raw)) == text


def test_quantities_in__gives_every_number_with_its_path_in_the_order_of_the_models():
    class Inner(BaseModel):
        size: Quantity
        name: str = "x"
        absent: Quantity | None = None

    class Outer(BaseModel):
        first: Quantity
        groups: dict[str, Inner]
        share: Share = "rest"

    outer = Outer(groups={"b": Inner(size=Constant(value=2)), "a": Inner(size=Constant(value=3))}, first=Constant(value=1))

    got = [(path, quantity.value) for path, quantity in quantities_in(outer)]

    assert got == [("first", 1), ("groups.b.size", 2), ("groups.a.size", 3)]
