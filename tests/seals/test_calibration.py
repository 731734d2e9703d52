"""How often intervals cover, Kupiec's test of it, and the power that few contracts have."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy import stats

from simengine.errors import UsageError
from simengine.risk.backtest import acceptance_range, detection_probability
from simengine.seals.calibration import contracts_needed, coverage
from simengine.seals.outcome import Outcome
from simengine.seals.scores import score
from tests.seals.made import seal_of


def tail(n: int, p: float, least: int) -> float:
    """P(X >= least) of a binomial variable, term by term."""
    return sum(comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(least, n + 1))


@pytest.mark.parametrize(
    ("n", "level", "accepted"),
    [(255, 0.95, (7, 20)), (510, 0.95, (17, 35)), (1000, 0.95, (38, 64)), (255, 0.99, (1, 6)), (510, 0.99, (2, 10))],
)
def test_accepted_misses__are_those_that_are_published(n, level, accepted):
    # Source: Kupiec 1995, as tabulated in Jorion, Value at Risk.
    row = coverage(level, [False] * accepted[1] + [True] * (n - accepted[1]))
    assert row.accepted == accepted
    assert (row.missed, row.within, row.contracts) == (accepted[1], n - accepted[1], n)
    assert not row.is_rejected
    assert coverage(level, [False] * (accepted[1] + 1) + [True] * (n - accepted[1] - 1)).is_rejected


def test_power_of_five_contracts__by_hand():
    # Two misses of five: LR = 2 [2 ln(0.4 / 0.05) + 3 ln(0.6 / 0.95)] = 2 [4.15888 - 1.37860] = 5.5606 > 3.8415, so two reject;
    # one: LR = 2 [ln(0.2 / 0.05) + 4 ln(0.8 / 0.95)] = 2 [1.38629 - 0.68740] = 1.3978, so one does not.
    row = coverage(0.95, [True] * 4 + [False])
    assert row.accepted == (0, 1)
    assert row.p_value == pytest.approx(stats.chi2.sf(1.3978, 1), abs=1e-4)
    # P(2 or more of 5 at 10 %) = 1 - 0.9^5 - 5 x 0.1 x 0.9^4 = 1 - 0.59049 - 0.32805 = 0.08146.
    assert row.found_if_twice == pytest.approx(0.08146)
    assert row.false_alarm == pytest.approx(1 - 0.95**5 - 5 * 0.05 * 0.95**4)
    assert row.sentence == (
        "With 5 contracts a forecast whose 95 % intervals miss twice as often as they say is found out in 8 % of cases; "
        "it takes 191 contracts to find it out in 80 %."
    )


@pytest.mark.parametrize("miss", [0.05, 0.2, 0.5])
def test_contracts_needed__are_the_fewest_with_that_power(miss):
    # Slow: every number of contracts by the binomial distribution, term by term.
    n = contracts_needed(miss)
    assert n is not None
    powers = [tail(size, 2 * miss, acceptance_range(size, miss)[1] + 1) for size in range(1, n + 1)]
    assert powers[-1] >= 0.8
    assert max(powers[:-1]) < 0.8
    assert detection_probability(n, miss, 2 * miss) == pytest.approx(powers[-1])


def test_detection__refuses_what_is_no_probability():
    with pytest.raises(UsageError, match=r"true_probability: must be a probability; found 1\.1"):
        detection_probability(5, 0.05, 1.1)


def test_true_forecasts_with_atoms__cover_as_often_as_they_say():
    """By the randomised PIT, although most outcomes stand at an atom."""
    generator = np.random.default_rng(29)
    seals, outcomes = {}, {}
    for number in range(400):
        chance = generator.uniform(0.2, 0.8)
        seals[f"n{number}"] = seal_of({"paid": generator.random(600) < chance}, title=f"contract {number}", seed=number)
        outcomes[f"n{number}"] = {"paid": float(generator.random() < chance)}
    found = score(seals, outcomes)
    assert len(found.counted) == 400
    for row in found.calibration:
        assert abs(row.within / 400 - row.level) < 4.5 * np.sqrt(row.level * (1 - row.level) / 400)
        assert not row.is_rejected


def test_a_forecast_that_is_too_narrow__is_found_out_by_many_and_not_by_few():
    generator = np.random.default_rng(31)
    seals = {f"n{x}": seal_of({"x": generator.normal(0, 0.5, 400)}, title=f"{x}", seed=x) for x in range(100)}
    outcomes = {name: {"x": float(generator.normal())} for name in seals}
    many = score(seals, outcomes)
    assert all(row.is_rejected for row in many.calibration)
    few = score({name: seals[name] for name in list(seals)[:2]}, {name: outcomes[name] for name in list(seals)[:2]})
    assert not any(row.is_rejected for row in few.calibration)


def test_one_figure_of_each_contract__is_counted():
    samples = {"a": np.arange(50), "b": np.arange(50)}
    seals = {"one": seal_of(samples, "First"), "same": seal_of(samples, "First", seed=2), "other": seal_of(samples, "Second")}
    direction, figures = Outcome("a", 3.0, stands="above"), ["b=3", "a=4"]
    found = score(seals, {"one": [direction, "b=7"], "same": figures, "other": figures})
    assert dict(found.counted) == {"one": "b", "other": "b"}
    assert found.calibration[0].contracts == 2
    assert score(seals["one"], [direction]).calibration == ()
