"""The likelihood against slow twins and other libraries; posteriors against closed forms."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from scipy import integrate, stats

from simengine.errors import UsageError
from simengine.spells.choices import Priors
from simengine.spells.episodes import Episodes, episodes_of, piece_of
from simengine.spells.hazards import fit_hazards, posterior_of_count
from simengine.spells.likelihood import Block
from simengine.spells.plan import MovePlan
from simengine.spells.posterior import _mode, posterior_of
from tests.spells.made import months, planned, spells_of
from tests.spells.test_observed import ENTRY, IS_EVENT, STOP

NEARLY_FLAT = Priors.model_validate({"rate": {"events": 0}, "weibull_shape": {"median": 1, "sd_of_log": 10}})


def episodes(entry: np.ndarray, stop: np.ndarray, is_event: np.ndarray, years: np.ndarray | None = None) -> Episodes:
    """One stay each: the part before observation, then the part observed."""
    n, is_late = len(stop), entry > 0
    rows = np.concatenate([np.flatnonzero(is_late), np.arange(n)])
    is_before = np.arange(len(rows)) < is_late.sum()
    order = np.lexsort((~is_before, rows))
    rows, is_before = rows[order], is_before[order]
    return Episodes(
        person=rows,
        stratum=np.zeros(len(rows), np.int64),
        state=np.zeros(len(rows), np.int64),
        from_month=np.where(is_before, 0.0, entry[rows]),
        until_month=np.where(is_before, entry[rows], stop[rows]),
        years=np.zeros(len(rows)) if years is None else years[rows],
        move=np.where(is_event[rows] & ~is_before, 0, -1),
        is_before=is_before,
    )


def plan(**traits: object) -> MovePlan:
    given = {"in_class": None, "by_stratum": False, "cuts": (), "has_shape": False, "has_trend": False, "is_frail": False}
    return MovePlan("in -> out", 0, 1, **{**given, **traits})  # type: ignore[arg-type]


def test_weibull__is_that_of_scipy_without_truncation() -> None:
    seen = stats.CensoredData(uncensored=STOP[IS_EVENT], right=STOP[~IS_EVENT])
    shape, _, scale = stats.weibull_min.fit(seen, floc=0)
    block = Block([plan(has_shape=True)], [0], episodes(np.zeros(len(STOP)), STOP, IS_EVENT), 1, NEARLY_FLAT)
    mode, _ = _mode(block, "it")
    assert exp(mode[1]) == pytest.approx(shape, rel=2e-3)
    assert exp(mode[0]) == pytest.approx(scale**-shape, rel=2e-2)


def test_weibull__is_that_of_lifelines_with_left_truncation() -> None:
    """lifelines 0.30.3, WeibullFitter().fit(STOP, IS_EVENT, entry=ENTRY): lambda 13.795478, rho 1.115047; se of rho 0.273849."""
    block = Block([plan(has_shape=True)], [0], episodes(ENTRY, STOP, IS_EVENT), 1, NEARLY_FLAT)
    mode, factor = _mode(block, "it")
    assert exp(mode[1]) == pytest.approx(1.115047, rel=2e-3)
    assert exp(mode[0]) == pytest.approx(13.795478**-1.115047, rel=2e-2)
    se = float(np.sqrt((factor @ factor.T)[1, 1])) * exp(mode[1])
    assert se == pytest.approx(0.273849, rel=0.02)


def test_frailty__is_the_integral_over_the_frailties() -> None:
    """Two stays of one person under the frailty, the first seen from its third month on; SciPy integrates over the gamma density."""
    of = Episodes(
        person=np.zeros(3, np.int64),
        stratum=np.zeros(3, np.int64),
        state=np.zeros(3, np.int64),
        from_month=np.array([0.0, 3.0, 0.0]),
        until_month=np.array([3.0, 8.0, 5.0]),
        years=np.zeros(3),
        move=np.array([-1, 0, -1]),
        is_before=np.array([True, False, False]),
    )
    flat = Priors.model_validate({"rate": {"events": 0}, "frailty_variance": {"median": 1, "sd_of_log": 10}})
    block = Block([plan(is_frail=True)], [0], of, 1, flat)

    def by_hand(rate: float, variance: float) -> float:
        density = stats.gamma(1 / variance, scale=variance).pdf
        seen = integrate.quad(lambda u: density(u) * u * rate * exp(-u * rate * 13), 0, np.inf)[0]
        still_there = integrate.quad(lambda u: density(u) * exp(-u * rate * 3), 0, np.inf)[0]
        return log(seen / still_there) - (log(variance) / 10) ** 2 / 2

    for rate, variance in ((0.1, 0.5), (0.3, 0.9), (0.05, 0.2)):
        found = block.log_posterior(np.log([rate, variance]))[0]
        assert found == pytest.approx(by_hand(rate, variance), abs=1e-7)


@pytest.mark.parametrize(
    "traits",
    [
        {"has_shape": True, "has_trend": True, "is_frail": True},
        {"cuts": (6,), "by_stratum": True, "is_frail": True},
        {"has_trend": True},
    ],
)
def test_gradient__is_that_of_differences(traits: dict[str, object]) -> None:
    years = np.random.default_rng(1).normal(size=len(STOP))
    block = Block([plan(**traits)], [0], episodes(ENTRY, STOP, IS_EVENT, years), 1, Priors())
    point = block.start() + 0.2
    by_hand = [
        (block.log_posterior(point + step)[0] - block.log_posterior(point - step)[0]) / 2e-5 for step in 1e-5 * np.eye(len(point))
    ]
    assert block.log_posterior(point)[1].tolist() == pytest.approx(by_hand, abs=1e-5)


def test_posterior__of_a_rate_is_the_gamma_distribution() -> None:
    """A trend that is known to be nil leaves a gamma posterior: 12 events, plus half, in the months at risk."""
    priors = Priors.model_validate({"trend_sd": 0.001})
    block = Block([plan(has_trend=True)], [0], episodes(ENTRY, STOP, IS_EVENT), 1, priors)
    found = posterior_of(block, "it")
    exact = stats.gamma(IS_EVENT.sum() + 0.5, scale=1 / (STOP - ENTRY).sum())
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    assert np.exp(found.quantiles(levels)[:, 0]).tolist() == pytest.approx(exact.ppf(levels).tolist(), rel=5e-3)


def test_posterior__correlation_is_that_of_the_curvature() -> None:
    """With much data the posterior is normal: its correlation is that of the inverse curvature."""
    rng = np.random.default_rng(2)
    stop = rng.weibull(1.3, 4000) * 10
    block = Block([plan(has_shape=True)], [0], episodes(np.zeros(4000), stop, np.ones(4000, bool)), 1, Priors())
    _, factor = _mode(block, "it")
    covariance = factor @ factor.T
    exact = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert posterior_of(block, "it").correlation()[0, 1] == pytest.approx(exact, abs=0.02)


def test_posterior__that_nothing_determines_is_refused() -> None:
    flat = Priors.model_validate({"weibull_shape": {"median": 1, "sd_of_log": 10}, "rate": {"events": 0}})
    one = Block([plan(has_shape=True)], [0], episodes(np.zeros(1), np.array([1.0]), np.array([False])), 1, flat)
    with pytest.raises(UsageError, match=r"the spells must determine the numbers of it; found .* Ask for less"):
        posterior_of(one, "it")


def test_rate_from_counts__by_hand() -> None:
    """Ten people, each 6 months in, then out for 4: 10 moves in 60 person-months; the prior adds half a move."""
    spells = spells_of([[("in", 0, months(6)), ("out", months(6), months(10))]] * 10)
    found = fit_hazards(spells, *planned(spells), 0.0)
    (number,) = found.numbers
    assert number.path == "pathway.moves.in -> out.rate_per_month"
    assert number.quantity == {"distribution": "seen_events", "events": 10.5, "at_risk": 60.0}
    assert number.mean == pytest.approx(10.5 / 60)
    assert (number.low, number.high) == pytest.approx(stats.gamma(10.5, scale=1 / 60).ppf([0.05, 0.95]))


def test_pieces__by_hand() -> None:
    """Eight leave after 2 months, six after 5, both before and after month 3; two stay 10 months.

    Before month 3: 8 x 2 + 8 x 3 = 40 person-months, 8 moves. After it: 6 x 2 + 2 x 7 = 26 person-months, 6 moves.
    """
    people = [[("in", 0, months(n)), ("out", months(n), months(20))] for n in [2] * 8 + [5] * 6] + [[("in", 0, months(10))]] * 2
    spells = spells_of(people)
    found = fit_hazards(spells, *planned(spells, stays={"in": {"by_months": [3]}}), 0.0)
    assert [(one.path.split(".", 3)[-1], one.quantity["events"], one.quantity["at_risk"]) for one in found.numbers] == [
        ("rate_per_month", 8.5, pytest.approx(40)),
        ("by_months_in_state.rate_per_month.0", 6.5, pytest.approx(26)),
    ]


def test_left_truncation__counts_from_the_day_of_entry_and_in_the_right_piece() -> None:
    """A stay of 10 months that is observed from its fourth month on has 2 months before month 6, and 4 after it."""
    spells = spells_of([[("in", 0, months(10)), ("out", months(10), months(12))]], entry={0: months(4)})
    of = episodes_of(spells, [(0, 1)], np.zeros(1, np.int64), {0: [6.0]})
    assert of.from_month == pytest.approx([0, 4, 6])
    assert of.until_month == pytest.approx([4, 6, 10])
    assert of.is_before.tolist() == [True, False, False]
    assert of.move.tolist() == [-1, -1, 0]
    assert piece_of(of.from_month, [6.0]).tolist() == [0, 0, 1]


def test_small_count__is_a_class_of_five() -> None:
    """Classes 1 to 5 and 6 to 10: mean 3.5 and variance 3.5 + 2, so shape 3.5² / 5.5."""
    k, at_risk = posterior_of_count(2, 55, Priors(), 5)
    assert (k, at_risk) == (pytest.approx(12.25 / 5.5), pytest.approx(55 * 3.5 / 5.5))
    assert posterior_of_count(5, 55, Priors(), 5) == (k, at_risk)
    assert posterior_of_count(6, 55, Priors(), 5) != (k, at_risk)


def test_trend__is_that_of_the_closed_form() -> None:
    """The hazard rate × exp(trend × years) has the integral rate × 12 / trend × (exp(trend × end) - exp(trend × begin)).

    Moves count where they happen, not in the middle of their episode: that alone would bias a trend by -0.03 a year here.
    """
    rng = np.random.default_rng(4)
    begin, length = rng.uniform(0, 5, 300), rng.exponential(10, 300)
    people = [
        [("in", 365.25 * b, 365.25 * b + months(n)), ("out", 365.25 * b + months(n), 4000)]
        for b, n in zip(begin, length, strict=True)
    ]
    of = episodes_of(spells_of(people), [(0, 1)], np.zeros(300, np.int64), {0: list(range(3, 400, 3))})
    block = Block([plan(has_trend=True)], [0], of, 1, Priors.model_validate({"rate": {"events": 0}, "trend_sd": 10}))

    def by_hand(log_rate: float, trend: float) -> float:
        end = begin + length / 12
        hazard = np.exp(log_rate) * 12 / trend * (np.exp(trend * end) - np.exp(trend * begin))
        return float((log_rate + trend * end - hazard).sum() - (trend / 10) ** 2 / 2)

    for point in ((-2.5, 0.1), (-2.0, -0.2), (-2.3, 0.4)):
        assert block.log_posterior(np.array(point))[0] == pytest.approx(by_hand(*point), rel=1e-3)
