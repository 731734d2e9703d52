"""The best response on problems with known answers, fed as payoff functions: closed forms and hand arithmetic."""

from itertools import product

import numpy as np
import pytest
from scipy import optimize
from scipy.stats import norm

from simengine.questions.incentives.best_response import best_response, giving_up
from simengine.records import Floats

TAU, S = 0.15, 0.08


def sure(value: float) -> Floats:
    """A payoff that is the same in every replication."""
    return np.full(2, value)


@pytest.mark.parametrize(
    ("c", "effort", "p_pay", "worth"),
    [(10, 0.245297, 0.883215, 0.582362), (20, 0.201946, 0.741936, 0.334114), (40, 0.110065, 0.308825, 0.066538)],
)
def test_threshold__effort_bunches_beyond_the_edge_until_it_is_too_dear(c, effort, p_pay, worth):
    # Source: the root of phi((e - tau) / s) / s = c e with the larger payoff, solved by scipy to six digits; V(0) = .030396.
    levels = np.linspace(0, 0.5, 20_001)
    payoffs = [sure(value) for value in norm.cdf((levels - TAU) / S) - c * levels**2 / 2]
    found = best_response(payoffs)
    assert levels[found.best] == pytest.approx(effort, abs=2.6e-5)
    assert norm.cdf((levels[found.best] - TAU) / S) == pytest.approx(p_pay, abs=2e-4)
    assert found.worth[found.best].value == pytest.approx(worth, abs=1e-6)
    assert found.worth[0].value == pytest.approx(0.030396, abs=1e-6)
    assert found.is_decided  # without noise the smallest difference decides


def test_threshold__seen_sharply_is_given_up_at_once_as_effort_becomes_dearer():
    # Closed form: the cost c at which the two peaks of Phi((e - tau) / s) - c e² / 2 are equally high, found by another program.
    s = 0.04

    def peak(c: float, low: float, high: float) -> tuple[float, float]:
        options = {"xatol": 1e-12}
        found = optimize.minimize_scalar(
            lambda e: c * e**2 / 2 - norm.cdf((e - TAU) / s), bounds=(low, high), method="bounded", options=options
        )
        return found.x, -found.fun

    exact = optimize.brentq(lambda c: peak(c, 0.1, 0.4)[1] - peak(c, 0.0, 0.05)[1], 30, 60)
    levels = np.linspace(0, 0.5, 5_001)
    found = giving_up(levels, [sure(norm.cdf((e - TAU) / s)) for e in levels], [sure(e**2 / 2) for e in levels])
    assert found.multiple.value == pytest.approx(exact, rel=1e-5)
    assert levels[found.high] == pytest.approx(peak(exact, 0.1, 0.4)[0], abs=2e-3)
    assert levels[found.low] == pytest.approx(peak(exact, 0.0, 0.05)[0], abs=2e-3)
    assert levels[found.high] - levels[found.low] > 0.15


def test_threshold__seen_dimly_collapses_without_a_jump():
    # Closed form: with s = .08 the payoff has one peak at every cost; phi((e - tau) / s) / s = c e falls from .11007 at c = 40 to
    # .03637 at c = 50, through all that lies between.
    levels = np.linspace(0, 0.3, 301)

    def chosen(c: float) -> float:
        return float(levels[best_response([sure(norm.cdf((e - TAU) / S) - c * e**2 / 2) for e in levels]).best])

    assert (chosen(40), chosen(50)) == pytest.approx((0.11007, 0.03637), abs=6e-4)
    assert giving_up(levels, [sure(norm.cdf((e - TAU) / S)) for e in levels], [sure(e**2 / 2) for e in levels]) is None


def test_linear_pay__fades_out_and_falls_nowhere():
    # Hand: e* = 1 / m for cost m e² / 2: every level is the best for some m.
    levels = np.linspace(0, 1, 11)
    assert giving_up(levels, [sure(e) for e in levels], [sure(e**2 / 2) for e in levels]) is None


def test_giving_up__is_a_straight_line_between_two_choices():
    # Hand: a prize of 10 from effort 2 on, costs 0, 2, 8: worth 0, 0, 10; given up where 10 - 8 m = 0.
    found = giving_up([0.0, 1.0, 2.0], [sure(0), sure(0), sure(10)], [sure(0), sure(2), sure(8)])
    assert (found.multiple.value, found.high, found.low) == (1.25, 2, 0)


def test_threshold__with_noise_in_common_is_found_within_its_errors():
    # Source: the closed form above; the noise of every replication is the same at every effort.
    noise = np.random.default_rng(3).normal(0, S, 20_000)
    levels = [0.0, 0.1, 0.2, 0.245297, 0.3, 0.4]
    found = best_response([(e + noise >= TAU) - 10 * e**2 / 2 for e in levels])
    assert levels[found.best] == 0.245297
    assert abs(found.worth[found.best].value - 0.582362) < 4.5 * found.worth[found.best].se
    assert found.lead.se < np.hypot(found.worth[3].se, found.worth[found.next_best].se)
    assert found.is_decided
    near = best_response([(e + noise[:200] >= TAU) - 10 * e**2 / 2 for e in (0.24, 0.245, 0.25)])
    assert not near.is_decided
    assert len(near.not_beaten) > 1


def test_linear_pay__share_of_holmstrom_and_milgrom():
    # Holmström and Milgrom 1987: beta* = 1 / (1 + r c s² / b²) = .5 and a surplus of .25 with b = c = 1, r = 2, s² = .5; the first
    # best is .5.
    noise = np.random.default_rng(1).normal(size=1_000)
    noise = (noise - noise.mean()) / noise.std(ddof=1) * np.sqrt(0.5)
    levels, betas = np.arange(0, 1.001, 0.05), np.arange(0, 1.001, 0.05)
    surplus = []
    for beta in betas:
        agent = best_response([beta * (e + noise) - e**2 / 2 for e in levels], risk_aversion=2.0)
        effort = levels[agent.best]
        assert effort == pytest.approx(beta)  # e* = beta b / c
        surplus.append((1 - beta) * effort + agent.worth[agent.best].value)
    assert betas[int(np.argmax(surplus))] == pytest.approx(0.5)
    assert max(surplus) == pytest.approx(0.25, abs=1e-9)
    assert max(e - e**2 / 2 for e in levels) == pytest.approx(0.5)


def test_multi_task__the_unpaid_task_is_crowded_out():
    # Closed form: e1 = beta / (c (1 - g²)) = 1.3333, e2 = -g e1 = -.6667 with beta = c = 1, g = .5; where e2 stops at 0, e1 = 1.
    def chosen(e2_levels: Floats) -> tuple[float, float]:
        efforts = list(product(np.arange(0, 2.0001, 1 / 30), e2_levels))
        found = best_response([sure(a - (a**2 + b**2 + 2 * 0.5 * a * b) / 2) for a, b in efforts])
        return efforts[found.best]

    assert chosen(np.arange(-1, 1.0001, 1 / 30)) == pytest.approx((4 / 3, -2 / 3), abs=1e-9)
    assert chosen(np.arange(0, 1.0001, 1 / 30)) == pytest.approx((1.0, 0.0), abs=1e-9)


def test_creaming__hours_go_where_a_probability_moves_most():
    # Closed form: d/de of 1 / (1 + exp(-a - e)) at e = 0 is p (1 - p); where the price is small against the cost, effort is
    # price p (1 - p) / c.
    probabilities, price, levels = (0.05, 0.5, 0.95), 0.02, np.arange(0, 0.01, 1e-5)
    efforts = []
    for p in probabilities:
        odds = p / (1 - p)
        payoffs = [sure(price * odds * np.exp(e) / (1 + odds * np.exp(e)) - e**2 / 2) for e in levels]
        efforts.append(levels[best_response(payoffs).best])
    assert efforts == pytest.approx([price * p * (1 - p) for p in probabilities], abs=2e-5)


def test_equal_choices__the_first_is_taken_and_nothing_is_decided():
    found = best_response([sure(1.0), sure(1.0), sure(0.5)])
    assert (found.best, found.next_best, found.not_beaten) == (0, 1, (0, 1))
    assert not found.is_decided


def test_one_choice__has_no_rival():
    found = best_response([np.array([1.0, 2.0])])
    assert (found.best, found.next_best, found.lead, found.is_decided) == (0, None, None, True)


def test_risk__is_the_mean_less_half_the_variance_times_the_aversion():
    # Hand: payoffs 0 and 4 have mean 2 and variance 8, so 2 - .1 / 2 x 8 = 1.6; a sure 1.7 is better.
    found = best_response([sure(1.7), np.array([0.0, 4.0])], risk_aversion=0.1)
    assert found.worth[1].value == pytest.approx(1.6)
    assert found.best == 0


def test_giving_up__nothing_where_effort_brings_nothing_or_its_cost_is_a_risk():
    levels, nothing = (0.0, 1.0, 2.0), [sure(0)] * 3
    prize = [sure(0), sure(0), sure(1)]
    assert giving_up(levels, nothing, [sure(0), sure(1), sure(2)]) is None
    assert giving_up(levels, prize, [sure(0), sure(1), np.array([1.0, 2.0])], risk_aversion=0.1) is None
    assert giving_up(levels, prize, [sure(0), sure(1), sure(2)], risk_aversion=0.1) is not None
