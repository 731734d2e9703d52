"""What a seal keeps of a distribution: atoms exactly, and everything else within the bounds that it states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.errors import UsageError
from simengine.seals.distribution import Knot, SealedDistribution, sealed_distribution
from simengine.seals.scoring import crps

PAYMENTS = np.concatenate([np.zeros(3000), np.full(1500, 7.5e6), np.random.default_rng(1).uniform(0, 7.5e6, 5500)])
"""A payment with an atom at nothing and one at its cap."""
HEAVY = np.random.default_rng(2).standard_t(2, 20_000)


def share_below(sample: np.ndarray, value: float) -> float:
    return float(np.mean(sample < value))


def test_atoms__are_kept_exactly_with_their_counts():
    sealed = sealed_distribution(PAYMENTS)
    assert [(one.value, one.below, one.at) for one in sealed.atoms] == [(0.0, 0, 3000), (7.5e6, 8500, 1500)]
    assert sealed.n_replications == 10_000


def test_a_sample_of_a_hundred__is_kept_whole():
    sample = np.random.default_rng(3).normal(size=100)
    sealed = sealed_distribution(sample)
    assert np.array_equal(sealed.sample, np.sort(sample))
    assert (sealed.lost_probability, sealed.lost_crps) == (0.0, 0.0)


@pytest.mark.parametrize("sample", [PAYMENTS, HEAVY, np.round(HEAVY)], ids=["payments", "heavy", "whole"])
def test_no_score__is_off_by_more_than_the_seal_says(sample):
    sealed = sealed_distribution(sample)
    values = np.concatenate([np.quantile(sample, np.linspace(0, 1, 400)), [sample.min() - 1, sample.max() + 1]])
    apart = [abs(share_below(sample, value) - share_below(sealed.sample, value)) for value in values]
    assert max(apart) <= sealed.lost_probability + 1e-12
    assert sealed.lost_probability <= 0.01
    everything = [abs(crps(np.sort(sample), value).value - crps(sealed.sample, value).value) for value in values[::20]]
    assert max(everything) <= sealed.lost_crps
    assert len(sealed.knots) < 350
    # The bound is no empty one: it is reached to a part of it, and small beside the score itself.
    assert max(apart) > sealed.lost_probability / 5 or sealed.lost_probability == 0
    assert sealed.lost_crps < 0.1 * crps(np.sort(sample), float(np.median(sample))).value


def test_tails__are_finer_than_the_rest():
    sealed = sealed_distribution(HEAVY)
    beyond = [knot for knot in sealed.knots if knot.value >= np.quantile(HEAVY, 0.99)]
    assert len(beyond) >= 7
    assert beyond[-1].value == HEAVY.max()


@settings(max_examples=150)
@given(st.lists(st.one_of(st.integers(-3, 3), st.floats(-1e12, 1e12)), min_size=2, max_size=700))
def test_any_sample__is_known_within_what_is_lost(values):
    sample = np.array(values, dtype=np.float64)
    sealed = sealed_distribution(sample)
    # Two step functions differ most at one of their steps; a part of them is looked at on either side of every value.
    for value in sample[:: max(len(sample) // 50, 1)]:
        for known, kept in ((sample < value, sealed.sample < value), (sample <= value, sealed.sample <= value)):
            assert abs(known.mean() - kept.mean()) <= sealed.lost_probability + 1e-12
    assert sealed.lost_probability <= 0.01
    assert 2 * np.abs(np.sort(sample) - sealed.sample).mean() <= sealed.lost_crps * (1 + 1e-12)
    assert len(sealed.sample) == len(sample)
    assert np.all(np.diff(sealed.sample) >= 0)


@pytest.mark.parametrize(
    ("knots", "message"),
    [
        ((), "must be at least one"),
        ((Knot(0.0, 1, 1),), "must stand in order, from the smallest value on"),
        ((Knot(0.0, 0, 1), Knot(0.0, 1, 1)), "must stand in order"),
        ((Knot(0.0, 0, 2), Knot(1.0, 1, 1)), "must stand in order"),
        ((Knot(0.0, 0, 0),), "must stand in order"),
        ((Knot(1e19, 0, 1),), "must lie within 1e+18"),
        ((Knot(float("nan"), 0, 1),), "must lie within 1e+18"),
        ((Knot(0.0, 0, 20_000_000),), "at most 2,000,000 replications"),
    ],
)
def test_knots_of_no_sample__are_refused(knots, message):
    with pytest.raises(UsageError) as refused:
        SealedDistribution(knots, 0.0, 0.0)
    assert message in str(refused.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e19])
def test_a_value_that_no_seal_holds__is_refused(value):
    with pytest.raises(UsageError, match="must"):
        sealed_distribution(np.array([0.0, value]))
