"""Closed forms and enumerations of the small problems: none of them calls a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.bench.estimation import small
from simengine.bench.estimation.exact import four_answers
from simengine.late import optimize, stats

ClosedAnswers = dict[str, float]


def of_smooth_saving() -> ClosedAnswers:
    """Return mean exp(s^2 / 2) and variance exp(s^2) (exp(s^2) - 1) of a log-normal factor, s^2 the sum of the squared exponents."""
    squared, base = float(np.sum(small.SMOOTH_EXPONENTS**2)), small.SMOOTH["base"]
    return {
        "mean": base * exp(squared / 2) - small.SMOOTH["cost"],
        "sd": base * sqrt(exp(squared) * (exp(squared) - 1)),
    }


def mean_of_clipped(mean: float, sd: float, cap: float) -> float:
    """Return E min(max(X, 0), cap) of a normal X: the difference of two calls, E max(X - k, 0) = (m - k) P(X > k) + s phi."""

    def call(strike: float) -> float:
        z = (mean - strike) / sd
        return float((mean - strike) * stats.norm.cdf(z) + sd * stats.norm.pdf(z))

    return call(0.0) - call(cap)


def of_capped_share() -> ClosedAnswers:
    """Return what holds for share 0.5, cap 700, lent 500: the cap binds where the saving is above 1,400."""
    share, cap, lent = 0.5, 700.0, 500.0
    saving = stats.norm(small.SAVING_MEAN, small.SAVING_SD)
    low, high = 0.0, cap / share
    between = saving.cdf(high) - saving.cdf(low)
    # E[S; low < S < high] = m P(between) - s^2 (f(high) - f(low)).
    part = small.SAVING_MEAN * between - small.SAVING_SD**2 * (saving.pdf(high) - saving.pdf(low))
    mean = mean_of_clipped(share * small.SAVING_MEAN, share * small.SAVING_SD, cap)
    return {
        "mean": mean - lent,
        "p_loss": float(saving.cdf(lent / share)),
        "p_cap": float(saving.sf(high)),
        # What the payer keeps rises with the saving, and is below 0 where the saving is.
        "payer_mean": small.SAVING_MEAN - mean,
        "payer_p_loss": float(saving.cdf(0.0)),
        # At 25 % the saving lies between 0 and where the cap binds: the payer keeps 1 - share of it.
        "payer_quantile25": float((1 - share) * saving.ppf(0.25)),
        "by_cap": float(saving.sf(high)),
        "by_share": float(part),
    }


def of_raised_cap() -> ClosedAnswers:
    """Return the difference of two clipped means."""
    mean, sd = 0.5 * small.SAVING_MEAN, 0.5 * small.SAVING_SD
    return {"gain": mean_of_clipped(mean, sd, 710.0) - mean_of_clipped(mean, sd, 700.0)}


def of_threshold_bonus() -> ClosedAnswers:
    """Return, as the estimate is normal, a probability, its slope -bonus x density, and the difference of two probabilities."""
    estimate = stats.norm(small.EFFECT_MEAN, sqrt(small.EFFECT_SD**2 + small.ERROR_SD**2))
    return {
        "mean": 1000 * float(estimate.sf(0.1)),
        "gain": 1000 * float(estimate.sf(0.075) - estimate.sf(0.1)),
        "by_threshold": -1000 * float(estimate.pdf(0.1)),
    }


ONE_IN_A_MILLION = 36.0
SO_FEW = 7


def of_delays() -> ClosedAnswers:
    """Return the tail of a sum of exponential delays: Erlang distribution."""
    return {"p_breach": float(stats.gamma.sf(ONE_IN_A_MILLION, small.REFERRERS))}


def of_people_alone() -> ClosedAnswers:
    """Return a binomial probability."""
    return {"p_call": float(stats.binom.cdf(SO_FEW, small.PEOPLE, small.CHANCE))}


def of_deep_tail() -> ClosedAnswers:
    """Return quantile and tail mean of a log-normal cost: E[C; C > q] = median exp(s^2 / 2) Phi(s - z)."""
    fee, median, sigma, level = 1000.0, 500.0, 0.8, 0.995
    z = float(stats.norm.ppf(level))
    tail = median * exp(sigma**2 / 2) * float(stats.norm.cdf(sigma - z)) / (1 - level)
    return {
        "quantile005": fee - median * exp(sigma * z),
        "cvar995": tail - fee,
        "p_loss": float(stats.norm.sf(np.log(fee / median) / sigma)),
    }


def of_two_payments() -> ClosedAnswers:
    """Return the rates at the quantiles of the multiple, with which they rise (Brent's method)."""

    def rate(multiple: float) -> float:
        def npv(one: float) -> float:
            return float(multiple * (small.PLAN / (1 + one) ** small.PAID_YEARS).sum() - small.PAID_IN)

        return float(optimize.brentq(npv, -0.99, 50.0, xtol=1e-14))

    multiples = np.exp(small.MULTIPLE_SIGMA * stats.norm.ppf([0.05, 0.5, 0.95]))
    low, middle, high = (rate(float(one)) for one in multiples)
    p_loss = float(stats.norm.cdf(np.log(small.PAID_IN / small.PLAN.sum()) / small.MULTIPLE_SIGMA))
    return {"irr_quantile05": low, "irr_quantile50": middle, "irr_quantile95": high, "p_loss": p_loss}


def sum_of_counts(parts: Sequence[tuple[int, float, int]]) -> Floats:
    """Return the probabilities of a sum of independent binomial counts times whole prices, from 0 on: by convolution."""
    found = np.ones(1)
    for number, chance, price in parts:
        spaced = np.zeros(number * price + 1)
        spaced[::price] = stats.binom.pmf(np.arange(number + 1), number, chance)
        found = np.convolve(found, spaced)
    return found


def of_fund_payments() -> Floats:
    """Return the probabilities of what the fund is paid, from 0 on: over the kinds of year, sums of independent counts."""
    in_year = [
        share * sum_of_counts([(people, chance, int(price)) for people, price in small.PROJECTS]) for share, chance in small.YEARS
    ]
    return np.asarray(np.sum(in_year, axis=0))


def of_fund_of_eight() -> ClosedAnswers:
    """Return the answers of a mixture over the kinds of year."""
    paid = of_fund_payments()
    net = np.arange(len(paid), dtype=np.float64) - small.FUND_PAID_IN
    quantile = float(net[np.searchsorted(np.cumsum(paid), 0.05)])
    return {**four_answers((net, paid)), "quantile05": quantile}


CARD_CAP, CARD_LENT = 900.0, 800.0


def of_card_of_24() -> ClosedAnswers:
    """Convolve the sum of 24 independent counts times their prices, and cut it at the cap."""
    paid = sum_of_counts([(number, chance, int(price)) for number, chance, price in small.CARD_OUTCOMES])
    total = np.arange(len(paid)).astype(np.float64)
    found = four_answers((np.minimum(total, CARD_CAP) - CARD_LENT, paid))
    return {**found, "p_cap": float(paid[total >= CARD_CAP].sum())}


def of_decision_after_pilot() -> ClosedAnswers:
    """Return E max(T, 0) of a normal T: m Phi(m / s) + s phi(m / s)."""
    z = small.PILOT_MEAN / small.PILOT_SD
    return {"value": float(small.PILOT_MEAN * stats.norm.cdf(z) + small.PILOT_SD * stats.norm.pdf(z))}
