"""Distributions from an interval, from two quantiles, from a list: against SciPy, hand arithmetic and quadrature."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import integrate, special, stats

from simengine.config.document import read_value
from simengine.distributions import Beta, Gamma, NotNegative, Probability, Quantity, Share, two_quantiles
from simengine.distributions.two_quantiles import Points, beta_through, gamma_through
from simengine.risk import coverage
from tests.conftest import sized

UNIFORMS = np.array([1e-9, 0.001, 0.05, 0.25, 0.5, 0.6, 0.75, 0.95, 0.999, 1 - 1e-9])


def read(raw, kind=Quantity):
    return TypeAdapter(kind).validate_python(raw)


def ends(distribution, *levels):
    """Return quantiles of a distribution of SciPy at two levels, as a list for `interval_90` or a mapping for `quantiles`."""
    return (
        dict(zip(levels, map(float, distribution.ppf(levels)), strict=True))
        if levels
        else list(map(float, distribution.ppf([0.05, 0.95])))
    )


DISTRIBUTIONS = {
    # Shapes 1 + 4 x 1 / 4 = 2 and 1 + 4 x 3 / 4 = 4.
    "pert": ({"distribution": "pert", "low": 1, "mode": 2, "high": 5}, stats.beta(2, 4, loc=1, scale=4)),
    "pert falling": ({"distribution": "pert", "low": -1, "mode": -1, "high": 1}, stats.beta(1, 5, loc=-1, scale=2)),
    "pert rising": ({"distribution": "pert", "low": 0, "mode": 2, "high": 2}, stats.beta(5, 1, scale=2)),
    "normal from quantiles": ({"distribution": "normal", "quantiles": ends(stats.norm(-3, 2), 0.1, 0.5)}, stats.norm(-3, 2)),
    "lognormal from quantiles": (
        {"distribution": "lognormal", "quantiles": ends(stats.lognorm(0.4, scale=3), 0.25, 0.99)},
        stats.lognorm(0.4, scale=3),
    ),
    "gamma from an interval": (
        {"distribution": "gamma", "interval_90": ends(stats.gamma(4, scale=1.5))},
        stats.gamma(4, scale=1.5),
    ),
    "gamma from quantiles": (
        {"distribution": "gamma", "quantiles": ends(stats.gamma(0.3, scale=20), 0.2, 0.9)},
        stats.gamma(0.3, scale=20),
    ),
    "beta from an interval": ({"distribution": "beta", "interval_90": ends(stats.beta(8, 12))}, stats.beta(8, 12)),
    "beta from quantiles": ({"distribution": "beta", "quantiles": ends(stats.beta(0.4, 30), 0.5, 0.75)}, stats.beta(0.4, 30)),
    # Half below 1, a fifth from 1 to 3, the rest to 10: one uniform distribution after the other.
    "quantiles": (
        {"distribution": "quantiles", "levels": [0, 0.5, 0.7, 1], "values": [0, 1, 3, 10]},
        stats.rv_histogram(([0.5, 0.2, 0.3], [0, 1, 3, 10]), density=False),
    ),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_inverse__agrees_with_the_quantile_function_of_scipy(name):
    # Source: scipy.stats, with the parameters worked out above; the two given quantiles are SciPy's own.
    raw, expected = DISTRIBUTIONS[name]

    got = read(raw).inverse(UNIFORMS)

    np.testing.assert_allclose(got, expected.ppf(UNIFORMS), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_centre_and_support__agree_with_scipy(name):
    # Source: scipy.stats, mean and support of the same distribution.
    raw, expected = DISTRIBUTIONS[name]

    quantity = read(raw)

    assert quantity.centre == pytest.approx(expected.mean(), rel=1e-9)
    assert quantity.support == pytest.approx(expected.support())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_centre__is_the_mean_of_what_is_drawn(name):
    # Source: integral of the quantile function over (0, 1), by adaptive quadrature.
    distribution = read(DISTRIBUTIONS[name][0])

    got = integrate.quad(lambda u: float(distribution.inverse(np.array([u]))[0]), 0, 1, limit=500, points=[0.5, 0.7])[0]

    assert distribution.centre == pytest.approx(got, rel=1e-6)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_inverse__rises_and_stays_inside_the_support(name):
    # Source: the definition of a quantile function.
    distribution = read(DISTRIBUTIONS[name][0])

    drawn = distribution.inverse(np.concatenate([[2.0**-53], np.linspace(1e-6, 1 - 1e-6, 1001), [1 - 2.0**-53]]))

    assert (np.diff(drawn) >= 0).all()
    assert (np.diff(drawn[1:-1]) > 0).all()
    assert distribution.support[0] <= drawn[0]
    assert drawn[-1] <= distribution.support[1]


LEVELS = st.tuples(st.floats(0.001, 0.999), st.floats(0.001, 0.999)).map(sorted).filter(lambda pair: pair[1] - pair[0] > 0.01)


@settings(deadline=None, max_examples=sized(60, 200))
@given(LEVELS, st.floats(1e-6, 1e6), st.floats(1.001, 1e4))
def test_gamma__passes_through_its_quantiles(levels, low, ratio):
    # Source: the definition of a quantile, with the distribution function of SciPy.
    shape, scale = gamma_through(Points(levels[0], low, levels[1], low * ratio))

    np.testing.assert_allclose(stats.gamma(shape, scale=scale).cdf([low, low * ratio]), levels, rtol=0, atol=1e-10)


@settings(deadline=None, max_examples=sized(60, 200))
@given(LEVELS, st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_beta__passes_through_its_quantiles(levels, one, other):
    # Source: the definition of a quantile, with the distribution function of SciPy.
    low, high = sorted((one, other))
    assume(high - low > 1e-3 * min(low, 1 - high))
    shapes = beta_through(Points(levels[0], low, levels[1], high))

    np.testing.assert_allclose(stats.beta(*shapes).cdf([low, high]), levels, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "raw",
    [
        {"distribution": "beta", "quantiles": {0.001: 0.001, 0.40625: 0.40625}},
        {"distribution": "beta", "successes": 1 + 2.0**-52, "failures": 1 + 2.0**-51},
        {"distribution": "beta", "mean": 0.5, "sd": 12**-0.5},
    ],
)
def test_beta__near_the_uniform_distribution_is_the_uniform_distribution(raw):
    # Source: beta(1, 1) is uniform. The solved shapes are a few bits off 1, where SciPy's inverse gives 0.5 for 0.3.
    np.testing.assert_allclose(read(raw).inverse(UNIFORMS), UNIFORMS, rtol=1e-12)


@settings(deadline=None, max_examples=sized(40, 100))
@given(LEVELS, st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_normal__passes_through_its_quantiles(levels, low, width):
    # Source: the definition of a quantile.
    distribution = read({"distribution": "normal", "quantiles": dict(zip(levels, (low, low + width), strict=True))})

    np.testing.assert_allclose(distribution.inverse(np.array(levels)), [low, low + width], rtol=1e-9, atol=1e-7 * width)


@pytest.mark.parametrize("distribution", ["normal", "lognormal", "gamma", "beta"])
def test_interval__is_the_same_distribution_as_its_two_quantiles(distribution):
    # Source: the definition of a central 90 % interval.
    interval, quantiles = (
        read({"distribution": distribution} | form) for form in ({"interval_90": [0.2, 0.6]}, {"quantiles": {0.95: 0.6, 0.05: 0.2}})
    )

    assert interval.inverse(UNIFORMS).tobytes() == quantiles.inverse(UNIFORMS).tobytes()
    assert interval.centre == quantiles.centre


def test_quantiles_of_a_distribution__may_be_read_from_a_file():
    # Source: hand arithmetic; a quantile of a normal distribution at 50 % is its mean. YAML gives levels as text.
    distribution = read(read_value("{distribution: normal, quantiles: {0.05: 1.5, 0.5: 2}}"))

    assert distribution.centre == 2
    assert distribution.inverse(np.array([0.05]))[0] == pytest.approx(1.5, rel=1e-12)


def test_pert__weighs_the_mode_four_times():
    # Source: hand arithmetic. (2 + 4 x 3 + 10) / 6 = 4.
    assert read({"distribution": "pert", "low": 2, "mode": 3, "high": 10}).centre == 4


def test_empirical__gives_each_value_its_share_of_the_uniforms():
    # Source: hand arithmetic. Sorted 1, 2, 2, 7: a quarter, half, a quarter.
    distribution = read({"distribution": "empirical", "values": [7, 2, 1, 2]})

    got = distribution.inverse(np.array([1e-9, 0.25, 0.2501, 0.75, 0.7501, 1 - 1e-16]))

    np.testing.assert_array_equal(got, [1, 1, 2, 2, 7, 7])
    assert (distribution.centre, distribution.support) == (3, (1, 7))


def test_empirical__gives_each_value_its_weight():
    # Source: hand arithmetic. Weights 1, 6, 3 of 10 for 5, 2, 9: 0.6 x 2 + 0.1 x 5 + 0.3 x 9 = 4.4.
    distribution = read({"distribution": "empirical", "values": [5, 2, 9], "weights": [1, 6, 3]})

    drawn = distribution.inverse((np.arange(1000) + 0.5) / 1000)

    assert [int((drawn == value).sum()) for value in (2, 5, 9)] == [600, 100, 300]
    assert distribution.centre == pytest.approx(4.4, rel=1e-15)


def test_normal__is_symmetric_in_its_interval_to_the_last_bit():
    # Source: the definition of a central interval.
    for low, high in ((0.1, 0.7), (-0.3, 0.2), (1.1, 9.7), (3.3, 3.4), (-7.7, 0.1)):
        assert read({"distribution": "normal", "interval_90": [low, high]}).centre == (low + high) / 2


def test_quantiles__step_over_no_bound():
    # Source: the definition; straight lines alone come to 1 + 2e-16 here.
    distribution = read({"distribution": "quantiles", "levels": [0, 0.31, 1], "values": [0, 0.1, 1]})
    assert distribution.inverse(np.array([1 - 2.0**-53])) <= 1


def test_empirical__does_not_mind_the_order_of_its_values():
    # Invariant: a list of cases has no order.
    one = read({"distribution": "empirical", "values": [5, 2, 9, 4], "weights": [0.1, 0.6, 0.3, 0.7]})
    other = read({"distribution": "empirical", "values": [9, 4, 5, 2], "weights": [0.3, 0.7, 0.1, 0.6]})

    uniforms = np.linspace(1e-6, 1 - 1e-6, 1001)
    assert one.inverse(uniforms).tobytes() == other.inverse(uniforms).tobytes()


def test_empirical__reaches_its_last_value_whatever_the_rounding():
    # Source: ten tenths add up to less than 1 in binary; the largest uniform is 1 - 2^-53.
    distribution = read({"distribution": "empirical", "values": list(range(10)), "weights": [0.1] * 10})

    assert distribution.inverse(np.array([1 - 2.0**-53]))[0] == 9


def test_quantiles__are_joined_by_straight_lines():
    # Source: hand arithmetic. Mean 0.5 x 0.5 + 0.2 x 2 + 0.3 x 6.5 = 2.6; half-way from 50 to 70 % lies 2.
    distribution = read({"distribution": "quantiles", "levels": [0, 0.5, 0.7, 1], "values": [0, 1, 3, 10]})

    np.testing.assert_allclose(distribution.inverse(np.array([0.25, 0.5, 0.6, 0.85])), [0.5, 1, 2, 6.5], rtol=1e-15)
    assert distribution.centre == pytest.approx(2.6, rel=1e-15)


def test_distribution__gives_the_same_bits_for_any_number_of_uniforms():
    # Invariant: the block size changes no result.
    uniforms = np.linspace(1e-6, 1 - 1e-6, 200)
    for raw, _ in DISTRIBUTIONS.values():
        distribution = read(raw)
        alone = np.concatenate([distribution.inverse(uniforms[i : i + 1]) for i in range(len(uniforms))])
        assert alone.tobytes() == distribution.inverse(uniforms).tobytes(), raw


def test_solved_distributions__are_specs_of_their_own():
    # Made without a study, a distribution is solved all the same.
    assert Gamma(distribution="gamma", interval_90=(1, 4)).inverse(np.array([0.05]))[0] == pytest.approx(1, rel=1e-10)
    assert Beta(distribution="beta", interval_90=(0.1, 0.4)).inverse(np.array([0.95]))[0] == pytest.approx(0.4, rel=1e-10)


REFUSED = {
    "one quantile": (
        {"distribution": "normal", "quantiles": {0.5: 1}},
        "a distribution of two parameters must have exactly two quantiles; found 1",
    ),
    "three quantiles": (
        {"distribution": "beta", "quantiles": {0.05: 0.1, 0.5: 0.2, 0.95: 0.3}},
        "a distribution of two parameters must have exactly two quantiles; found 3",
    ),
    "one level twice": ({"distribution": "normal", "quantiles": {"0.5": 1, "0.50": 2}}, "exactly two quantiles"),
    "level 0": ({"distribution": "normal", "quantiles": {0: 1, 0.5: 2}}, "Input should be greater than 0"),
    "level in per cent": ({"distribution": "normal", "quantiles": {5: 1, 95: 2}}, "Input should be less than 1"),
    "level in words": ({"distribution": "normal", "quantiles": {"median": 1, 0.95: 2}}, "Input should be a valid number"),
    "falling quantiles": (
        {"distribution": "gamma", "quantiles": {0.9: 1, 0.1: 2}},
        "the quantile at 0.1 must be below the quantile at 0.9; found 2 and 1",
    ),
    "text for a quantile": ({"distribution": "normal", "quantiles": {0.5: "1", 0.9: 2}}, "Input should be a valid number"),
    "interval and quantiles": (
        {"distribution": "gamma", "interval_90": [1, 2], "quantiles": {0.05: 1, 0.95: 2}},
        "a gamma distribution must be given by mean and sd or interval_90 or quantiles; found interval_90, quantiles",
    ),
    "half a gamma": (
        {"distribution": "gamma", "mean": 1},
        "a gamma distribution must be given by mean and sd or interval_90 or quantiles; found mean",
    ),
    "gamma from 0": ({"distribution": "gamma", "interval_90": [0, 2]}, "a gamma distribution must have positive numbers; found 0"),
    "lognormal from below 0": (
        {"distribution": "lognormal", "quantiles": {0.1: -1, 0.5: 2}},
        "a lognormal distribution must have positive numbers; found -1",
    ),
    "beta from 0": (
        {"distribution": "beta", "interval_90": [0, 0.5]},
        "the quantiles of a beta distribution must lie between 0 and 1; found 0 and 0.5",
    ),
    "beta above 1": ({"distribution": "beta", "quantiles": {0.1: 0.3, 0.9: 1.2}}, "lie between 0 and 1; found 0.3 and 1.2"),
    "reversed beta": ({"distribution": "beta", "interval_90": [0.5, 0.1]}, "lower_end must be below upper_end; found 0.5 and 0.1"),
    "beta too narrow": (
        {"distribution": "beta", "interval_90": [0.3, 0.3 + 1e-9]},
        "the beta distribution with quantile 0.3 at 0.05 and 0.300000001 at 0.95 cannot be computed: the quantiles are too close "
        "or too far apart",
    ),
    "pert reversed": ({"distribution": "pert", "low": 3, "mode": 2, "high": 1}, "low must be below high; found 3 and 1"),
    "pert mode outside": (
        {"distribution": "pert", "low": 0, "mode": 4, "high": 3},
        "the mode must lie between low and high; found 0, 4, 3",
    ),
    "one value": ({"distribution": "empirical", "values": [3]}, "Tuple should have at least 2 items"),
    "one value twice": (
        {"distribution": "empirical", "values": [3, 3]},
        "an empirical distribution must have at least two different values. For a value without spread write `value:`",
    ),
    "too few weights": (
        {"distribution": "empirical", "values": [1, 2, 3], "weights": [1, 1]},
        "every value must have one weight; found 3 values and 2 weights",
    ),
    "weight 0": ({"distribution": "empirical", "values": [1, 2], "weights": [1, 0]}, "Input should be greater than 0"),
    "infinite value": ({"distribution": "empirical", "values": [1, float("inf")]}, "Input should be a finite number"),
    "levels that do not begin at 0": (
        {"distribution": "quantiles", "levels": [0.1, 1], "values": [1, 2]},
        "the levels must go from 0 to 1; found 0.1 to 1",
    ),
    "levels that do not end at 1": ({"distribution": "quantiles", "levels": [0, 0.9], "values": [1, 2]}, "found 0 to 0.9"),
    "levels that fall": (
        {"distribution": "quantiles", "levels": [0, 0.6, 0.5, 1], "values": [1, 2, 3, 4]},
        "the levels must increase; found 0, 0.6, 0.5, 1",
    ),
    "values that stand still": (
        {"distribution": "quantiles", "levels": [0, 0.5, 1], "values": [1, 1, 4]},
        "the values must increase; found 1, 1, 4",
    ),
    "more levels than values": (
        {"distribution": "quantiles", "levels": [0, 0.5, 1], "values": [1, 4]},
        "every level must have one value; found 3 levels and 2 values",
    ),
    "dirichlet for a number": ({"distribution": "dirichlet", "count": 3}, "shares of a whole also know the distribution dirichlet"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_distribution__refuses_what_it_cannot_be(name):
    raw, text = REFUSED[name]
    with pytest.raises(ValidationError, match=re.escape(text)):
        read(raw)


OUT_OF_RANGE = {
    "probability above 1": (
        Probability,
        {"distribution": "empirical", "values": [0.5, 1.5]},
        "a probability must lie between 0 and 1",
    ),
    "probability from a gamma": (
        Probability,
        {"distribution": "gamma", "interval_90": [0.1, 0.2]},
        "found a distribution on 0 to inf (gamma",
    ),
    "negative price": (
        NotNegative,
        {"distribution": "pert", "low": -1, "mode": 0, "high": 1},
        "must not be negative; found a distribution on -1 to 1",
    ),
    "negative quantile": (NotNegative, {"distribution": "quantiles", "levels": [0, 1], "values": [-1, 1]}, "must not be negative"),
    "empty count": (Share, {"distribution": "dirichlet", "count": 0}, "Input should be greater than or equal to 0.1"),
    "share by a normal distribution": (
        Share,
        {"distribution": "normal", "mean": 0.5, "sd": 0.1},
        "a probability must lie between 0 and 1",
    ),
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_range__refuses_what_can_leave_it(name):
    kind, raw, text = OUT_OF_RANGE[name]
    with pytest.raises(ValidationError, match=re.escape(text)) as caught:
        read(raw, kind)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"distribution": "pert", "low": 0, "mode": 1, "high": 2000}, "pert 0, 1, 2,000"),
        ({"distribution": "empirical", "values": [4, 1, 1200]}, "empirical, 3 values from 1 to 1,200"),
        ({"distribution": "empirical", "values": [4, 1], "weights": [1, 2]}, "empirical, 2 weighted values from 1 to 4"),
        ({"distribution": "quantiles", "levels": [0, 0.5, 1], "values": [0, 2, 9]}, "quantiles from 0 over 2 to 9"),
        # A normal distribution from 0 to 3.2897 in 90 %: mean 1.64485, sd 1.
        ({"distribution": "normal", "interval_90": [0, 3.28970725]}, "normal 1.64485, sd 1"),
        ({"distribution": "beta", "interval_90": [0.05, 0.95]}, "beta, mean 0.5, 90 % from 0.05 to 0.95"),
        ({"distribution": "gamma", "interval_90": ends(stats.gamma(4, scale=1.5))}, "gamma, mean 6, sd 3"),
    ],
)
def test_quantity__reads_as_a_phrase(raw, text):
    assert str(read(raw)) == text


def test_dirichlet__gives_weights_of_a_gamma_distribution():
    # Source: scipy.stats; each weight has its own gamma distribution with the count as shape and scale 1.
    distribution = read({"distribution": "dirichlet", "count": 48, "source": "S1"}, Share)

    np.testing.assert_allclose(distribution.inverse(UNIFORMS), stats.gamma(48).ppf(UNIFORMS), rtol=1e-10)
    assert (distribution.centre, distribution.support, str(distribution), distribution.source) == (
        48,
        (0, np.inf),
        "dirichlet, count 48",
        "S1",
    )


def test_dirichlet__the_smallest_count_never_gives_a_weight_of_0():
    # Invariant: weights of 0 all round would have no shares. The smallest uniform is 2^-53.
    assert read({"distribution": "dirichlet", "count": 0.1}, Share).inverse(np.array([2.0**-53]))[0] > 0


def test_quantiles__that_are_written_down_are_those_of_the_normal_distribution():
    # Source: scipy.special. They are written down so that nobody waits for SciPy who needs no more of it.
    assert special.ndtri(0.95) == two_quantiles.Z_90
    assert special.ndtri(0.975) == coverage.Z_95
