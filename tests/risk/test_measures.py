"""Measures and limits: what they say, against arithmetic by hand and the statistics of the same name."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.risk import statistics
from simengine.risk.measures import KINDS, Limit, Measure, contradiction, read_limit, read_measure

COLUMNS = {
    "investor.net": np.array([-4.0, -2.0, 0.0, 6.0]),
    "investor.npv": np.array([-5.0, -1.0, 1.0, 5.0]),
    "contingent_payment": np.array([0.0, 1.0, 1.0, 0.0]),
    "metric.a.truth": np.array([-1.0, 0.0, 2.0, -1.0]),
    "metric.b.truth": np.array([-1.0, -1.0, -1.0, -1.0]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("investor.expected_net", 0.0),  # (-4 - 2 + 0 + 6) / 4
        ("investor.expected_npv", 0.0),
        ("investor.p_loss", 0.5),  # two of four below 0; 0 is no loss
        ("investor.p_npv_below(1)", 0.5),  # -5 and -1
        ("investor.p_cost_over(2)", 0.25),  # costs 4, 2, 0, -6: one is above 2
        ("investor.cvar(0.5)", 3.0),  # the two largest losses are 4 and 2
        ("investor.p_paid_without_effect", 0.25),  # paid twice, once of these although no truth is above 0
        ("investor.certainty_equivalent(2)", -2 * np.log(np.mean(np.exp([2.5, 0.5, -0.5, -2.5])))),
    ],
)
def test_measure__is_what_hand_arithmetic_says(text: str, expected: float) -> None:
    measure = read_measure(text)
    assert measure.of(COLUMNS).value == pytest.approx(expected, rel=1e-12)
    assert np.mean(measure.scores(COLUMNS)) == pytest.approx(expected, rel=1e-12)


def test_cvar__is_the_statistic_of_the_same_name() -> None:
    loss = np.random.default_rng(1).normal(size=5000)
    got = read_measure("investor.cvar").of({"investor.net": -loss})
    expected = statistics.conditional_value_at_risk(loss, 0.95)
    assert (got.value, got.se) == pytest.approx((expected.value, expected.se), rel=1e-12)


def test_certainty_equivalent__of_normal_money_is_mean_less_half_the_variance_over_the_tolerance() -> None:
    """CE = m - s^2 / (2 T) of a normal amount (Pratt 1964): 3 - 4 / 10 = 2.6; the standard error is that of many samples."""
    random, n = np.random.default_rng(2), 2000
    measure = read_measure("investor.certainty_equivalent(5)")
    found = [measure.of({"investor.npv": random.normal(3, 2, n)}) for _ in range(200)]
    z = (np.array([one.value for one in found]) - 2.6) / np.array([one.se for one in found])
    assert abs(z.mean()) < 4.5 / np.sqrt(200)
    assert 0.8 < z.std() < 1.2
    large = measure.of({"investor.npv": np.array([1e6, 2e6])})
    assert large.value == pytest.approx(1e6 + 5 * np.log(2))


def test_every_kind__says_what_it_means_and_reads_what_it_writes() -> None:
    for name, kind in KINDS.items():
        number = {"level": 0.9}.get(kind.number, 3.0) if kind.number else 0.0
        measure = Measure("bank", name, number)
        assert read_measure(str(measure)) == measure
        assert kind.meaning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p_loss", "a measure is written party.measure"),
        ("investor.p_lose", "a measure is one of expected_net"),
        ("investor.p_cost_over", "p_cost_over takes a number, its budget"),
        ("investor.p_loss(3)", "p_loss takes no number; found 3"),
        ("investor.cvar(1)", "the level of cvar must lie between 0 and 1; found 1"),
        ("investor.certainty_equivalent(0)", "must lie between 0 and inf; found 0"),
    ],
)
def test_read_measure__refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        read_measure(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("investor.p_loss < 0.1", "a limit is a measure, <= or >=, and a number"),
        ("investor.p_loss <= much", "a limit is a measure"),
        ("investor.p_loss <= 10", "the limit of a probability must lie between 0 and 1"),
        ("investor.p_loss >= -0.1", "the limit of a probability must lie between 0 and 1"),
    ],
)
def test_read_limit__refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_limit(text)


def test_limit__excess_is_positive_where_it_is_broken() -> None:
    most, least = read_limit("investor.p_loss <= 0.10"), read_limit("investor.expected_net >= -1_000")
    assert most.excess(0.15) == pytest.approx(0.05)
    assert most.excess(0.10) == 0
    assert least.excess(-1500) == 500
    assert read_limit(str(least)) == least


def test_contradiction__is_found_on_the_same_measure_alone() -> None:
    most, least = read_limit("a.p_loss <= 0.1"), read_limit("a.p_loss >= 0.2")
    assert contradiction([most, least]) == (least, most)
    assert contradiction([most, read_limit("b.p_loss >= 0.2")]) is None
    assert contradiction([most, Limit(most.measure, True, 0.1)]) is None
