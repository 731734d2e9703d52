"""Small problems of estimation: what each simulates from uniforms, written so that it can be read beside its closed form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.arrays import Floats
from simengine.late import special, stats

SimulatedColumns = dict[str, Floats]
TermNumbers = Mapping[str, float]

SMOOTH = {"base": 1000.0, "cost": 900.0}
SMOOTH_EXPONENTS = np.array([0.3, 0.2, 0.2, 0.1, 0.1])


def smooth_saving(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate a saving that is a product of five log-normal factors, less a cost."""
    return {"net": terms["base"] * np.exp(special.ndtri(points) @ SMOOTH_EXPONENTS) - terms["cost"]}


SAVING_MEAN, SAVING_SD = 1000.0, 600.0


def capped_share(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate a share of a normal saving, not below 0 and not above a cap; lent is what the contract plans to repay."""
    saving = SAVING_MEAN + SAVING_SD * special.ndtri(points[:, 0])
    payment = np.clip(terms["share"] * saving, 0.0, terms["cap"])
    return {"payment": payment, "net": payment - terms["lent"], "payer": saving - payment}


def raised_cap(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate a share of a saving that is the sum of three normal parts, under a cap."""
    saving = SAVING_MEAN + SAVING_SD * special.ndtri(points).sum(axis=1) / np.sqrt(3)
    return {"net": np.clip(0.5 * saving, 0.0, terms["cap"])}


EFFECT_MEAN, EFFECT_SD, ERROR_SD = 0.084, 0.05, 0.043


def threshold_bonus(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate a bonus where the measured fall reaches a threshold: an uncertain effect and the error of its estimate."""
    score = special.ndtri(points)
    estimate = EFFECT_MEAN + EFFECT_SD * score[:, 0] + ERROR_SD * score[:, 1]
    return {"net": terms["bonus"] * (estimate >= terms["threshold"])}


REFERRERS = 12


def delays(points: Floats, terms: TermNumbers) -> SimulatedColumns:  # noqa: ARG001
    """Simulate the sum of twelve exponential delays of a month on average."""
    return {"delay": -np.log1p(-points).sum(axis=1)}


PEOPLE, CHANCE = 60, 0.4


def people_alone(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate sixty people, a uniform each, of whom each succeeds with the same chance."""
    successes = (points < CHANCE).sum(axis=1).astype(np.float64)
    return {"successes": successes, "net": terms["price"] * successes}


def deep_tail(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate a cost that is log-normal by two sources of equal weight, out of a fixed fee."""
    score = special.ndtri(points).sum(axis=1) / np.sqrt(2)
    return {"net": terms["fee"] - terms["median_cost"] * np.exp(terms["sigma"] * score)}


PAID_IN, PLAN, PAID_YEARS = 100.0, np.array([40.0, 80.0]), np.array([1.0, 3.0])
MULTIPLE_MEDIAN, MULTIPLE_SIGMA = 1.0, 0.25


def rate_of_return(multiple: Floats) -> Floats:
    """Return the rate at which the plan times a multiple repays what was paid in: bisection of the discount factor."""
    low, high = np.full(len(multiple), 1e-6), np.full(len(multiple), 1e3)
    for _ in range(80):
        middle = np.sqrt(low * high)
        is_above = multiple * (PLAN[0] * middle ** PAID_YEARS[0] + PLAN[1] * middle ** PAID_YEARS[1]) > PAID_IN
        low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
    return np.asarray(1 / np.sqrt(low * high) - 1)


def two_payments(points: Floats, terms: TermNumbers) -> SimulatedColumns:  # noqa: ARG001
    """Simulate two payments that come to the same log-normal multiple of their plan, and the rate of return on what was paid in."""
    score = special.ndtri(points).sum(axis=1) / np.sqrt(2)
    multiple = MULTIPLE_MEDIAN * np.exp(MULTIPLE_SIGMA * score)
    return {"irr": rate_of_return(multiple), "net": multiple * PLAN.sum() - PAID_IN}


PROJECTS = ((20, 5.0), (30, 5.0), (40, 5.0), (25, 10.0), (15, 10.0), (50, 5.0), (10, 20.0), (35, 5.0))
"""By project of the fund: people, and what is paid for a success."""
YEARS = ((0.2, 0.25), (0.6, 0.45), (0.2, 0.6))
"""By kind of year: its chance, and the chance of a success in every project."""
FUND_PAID_IN = 550.0


def fund_of_eight(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate eight projects in the same year, good, middling or bad for all of them."""
    ends = np.cumsum([chance for chance, _ in YEARS])
    year = np.minimum(np.searchsorted(ends, points[:, 0]), len(YEARS) - 1)
    paid = np.zeros(len(points))
    for j, (people, price) in enumerate(PROJECTS):
        for k, (_, chance) in enumerate(YEARS):
            cumulative = stats.binom.cdf(np.arange(people), people, chance)
            is_here = year == k
            paid[is_here] += price * np.searchsorted(cumulative, points[is_here, 1 + j])
    return {"net": paid - terms["lent"]}


CARD_OUTCOMES = tuple((5 + (7 * k) % 11, 0.1 + 0.035 * ((5 * k) % 24), float(1 + (3 * k) % 13)) for k in range(24))
"""By outcome of the card: how many could be reached, the chance of each, its price in thousands."""


def card_of_24(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate a rate card of 24 outcomes under one cap on all payments."""
    paid = np.zeros(len(points))
    for k, (number, chance, price) in enumerate(CARD_OUTCOMES):
        paid += price * np.searchsorted(stats.binom.cdf(np.arange(number), number, chance), points[:, k])
    payment = np.minimum(paid, terms["cap"])
    return {"net": payment - terms["lent"], "payment": payment}


PILOT_MEAN, PILOT_SD, PERSON_SD = -20.0, 50.0, 400.0


def decision_after_pilot(points: Floats, terms: TermNumbers) -> SimulatedColumns:
    """Simulate what a decision is worth if it is taken by the mean of so many people: continue where it is above 0.

    `decided` is what the whole sample says, `by_halves` the mean of what its two halves say: their difference is what a multilevel
    method needs. With more and more people `decided` tends to the value of knowing the truth.
    """
    score, inner = special.ndtri(points), terms["people"]
    truth = PILOT_MEAN + PILOT_SD * score[:, 0]
    halves = truth[:, None] + PERSON_SD / np.sqrt(inner / 2) * score[:, 1:]
    return {"decided": np.maximum(halves.mean(axis=1), 0.0), "by_halves": np.maximum(halves, 0.0).mean(axis=1)}
