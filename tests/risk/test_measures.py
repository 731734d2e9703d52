"""Measures and limits: what they say, against arithmetic by hand and the statistics of the same name."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.risk import statistics
from simengine.risk.limits import Limit, contradiction, read_limit, read_measure
from simengine.risk.measures import MEASURES, Measure
from simengine.risk.returns import NEVER, PAID_BACK
from simengine.risk.weighting import Weighting
from tests.conftest import sized

NEVER_BACK = float(NEVER)
COLUMNS = {
    # Four loans of 4: back 0, 2, 4, 10; the second comes back after 30 months in part, the third after 40, the last after 20.
    "investor.moic": np.array([0.0, 0.5, 1.0, 2.5]),
    "investor.irr": np.array([-1.0, -0.2, 0.0, 0.3]),
    "investor.peak_funding": np.array([4.0, 4.0, 3.0, 1.0]),
    "investor.payback_months": np.array([np.nan, np.nan, 40.0, 20.0]),
    "investor.payback_status": np.array([NEVER_BACK, NEVER_BACK, PAID_BACK, PAID_BACK]),
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
        ("investor.expected_moic", 1.0),  # (0 + 0.5 + 1 + 2.5) / 4
        ("investor.expected_peak_funding", 3.0),
        ("investor.p_moic_below(1)", 0.5),  # 1 is no less than 1
        ("investor.p_irr_below(0.1)", 0.75),
        ("investor.p_peak_funding_over(3)", 0.5),
        ("investor.p_payback_after(25)", 0.75),  # 40 months, and two never
        ("investor.certainty_equivalent(2)", -2 * np.log(np.mean(np.exp([2.5, 0.5, -0.5, -2.5])))),
    ],
)
def test_measure__is_what_hand_arithmetic_says(text: str, expected: float) -> None:
    measure = read_measure(text)
    assert measure.of(COLUMNS).value == pytest.approx(expected, rel=1e-12)
    assert np.mean(measure.scores(COLUMNS)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("investor.var(0.5)", 0.0),  # losses 4, 2, 0, -6: half of them are not above 0
        ("investor.net_quantile", -2.0),
        ("investor.npv_quantile(0.75)", 1.0),
        ("investor.moic_quantile(0.5)", 0.5),
        ("investor.irr_quantile(0.25)", -1.0),
        ("investor.peak_funding_quantile", 4.0),
        ("investor.payback_quantile(0.5)", 40.0),  # of 20, 40, never, never
        ("investor.payback_quantile(0.75)", np.inf),
    ],
)
def test_quantile__is_a_number_that_occurs(text: str, expected: float) -> None:
    assert read_measure(text).of(COLUMNS).value == expected


def test_rate__that_a_replication_has_not_takes_no_part_in_a_quantile_and_is_below_no_hurdle() -> None:
    # Of -0.2, none, 0.1 and 0.3 the median of three is 0.1; one of four is below 0.
    columns = {"a.irr": np.array([-0.2, np.nan, 0.1, 0.3])}
    assert read_measure("a.irr_quantile").of(columns).value == 0.1
    assert read_measure("a.p_irr_below(0)").of(columns).value == 0.25
    assert np.isnan(read_measure("a.irr_quantile").of({"a.irr": np.full(3, np.nan)}).value)


def test_measure__of_weighted_rows_is_that_of_the_rows_repeated() -> None:
    """A row of weight 3 counts as three rows."""
    weight = np.array([1.0, 3.0, 2.0, 2.0])
    again = {name: np.repeat(column, weight.astype(int)) for name, column in COLUMNS.items()}
    for text in ("p_loss", "expected_moic", "p_payback_after(25)", "irr_quantile(0.6)", "var(0.6)", "cvar(0.5)"):
        measure = read_measure(text, "investor")
        assert measure.of(COLUMNS, Weighting(4, weight)).value == pytest.approx(measure.of(again).value), text


@pytest.mark.statistical
@pytest.mark.parametrize("text", ["p_loss", "cvar(0.9)", "expected_npv", "npv_quantile(0.25)", "var(0.8)"])
def test_difference__has_the_error_that_it_has_between_samples(text: str) -> None:
    """Money N(0, 1), and the same with 0.5 more and a little luck of its own: z of 200 samples about what a long one says.

    The error of a quantile, for which groups of rows are left out, is on the safe side.
    """
    random, measure, n = np.random.default_rng(5), read_measure(text, "a"), 800

    def sample(size: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        x, y = random.normal(size=(2, size))
        return {"a.net": x, "a.npv": x}, {"a.net": x + 0.5 + 0.3 * y, "a.npv": x + 0.5 + 0.3 * y}

    truth = measure.difference(*sample(2_000_000)).value
    found = [measure.difference(*sample(n)) for _ in range(sized(100, 200))]
    z = (np.array([one.value for one in found]) - truth) / np.array([one.se for one in found])
    assert abs(z.mean()) < 4.5 / np.sqrt(len(z))
    assert (0.6 if "quantile" in text or "var" in text else 0.8) < z.std() < 1.25


def test_difference__of_a_probability_that_no_row_changes_is_bounded() -> None:
    # No case among 100 has a probability of at most 3 / 100; where no money moves it is 0 for sure.
    net = np.linspace(1, 2, 100)
    before, after = {"a.net": net}, {"a.net": 2 * net}
    found = read_measure("a.p_loss").difference(before, after)
    assert (found.value, found.interval_95, found.covers) == (0.0, (-0.03, 0.03), False)
    assert read_measure("a.p_loss").difference(before, before).covers


def test_title__says_the_number_in_its_unit() -> None:
    titles = {"cvar(0.9)": "CVaR 90 % (loss)", "p_irr_below(0.03)": "P(IRR < 3 %)", "p_npv_below(-1e6)": "P(NPV < -1,000,000)"}
    titles |= {"p_payback_after(60)": "P(payback > 60 months)", "irr_quantile": "IRR, quantile 50 %"}
    assert {text: read_measure(text, "a").title for text in titles} == titles


def test_limit__on_what_has_no_value_is_not_kept() -> None:
    assert read_limit("a.irr_quantile >= 0").excess(float("nan")) == np.inf
    assert read_limit("a.payback_quantile <= 60").excess(float("inf")) == np.inf


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
    for name, kind in MEASURES.items():
        number = {"level": 0.9}.get(kind.number, 3.0) if kind.number else 0.0
        measure = Measure("bank", name, number)
        assert read_measure(str(measure)) == measure
        assert kind.meaning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p_loss", "a measure must be written party.measure"),
        ("investor.p_lose", "a measure must be one of expected_net"),
        ("investor.p_cost_over", "p_cost_over must have a number, its budget"),
        ("investor.p_loss(3)", "p_loss must stand without a number; found 3"),
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
        ("investor.p_loss < 0.1", "a limit must be a measure, <= or >=, and a number"),
        ("investor.p_loss <= much", "a limit must be a measure"),
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


def test_quantile__of_rows_with_control_variates_is_that_of_the_statistic() -> None:
    # Where every row has the amount, how the rows were drawn stays whole: control variates correct a quantile as they do a VaR.
    random = np.random.default_rng(6)
    net = random.normal(size=400)
    weighting = Weighting(400, control_variates=(net + random.normal(size=400))[:, None])
    expected = statistics.quantile(net, 0.3, weighting)
    found = read_measure("a.net_quantile(0.3)").of({"a.net": net}, weighting)
    assert (found.value, found.se, found.interval_95) == (expected.value, expected.se, expected.interval_95)
