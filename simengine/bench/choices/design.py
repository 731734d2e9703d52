"""Problems of evaluation design: how an outcome is measured, so that what is paid is near what is right, within a cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card
from simengine.bench.choices.problem import ChoiceLimit, ChoiceProblem, Choices, ChoiceTerm
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.late import special

_BUDGETS = (10_000, 40_000, 160_000)
_SD = 10.0
OfTerms = Callable[[Mapping[str, Floats]], Floats]
"""From terms, by name, to a number for each choice."""
_COST = AskedQuantity("mean", "cost")


def _card(name: str, title: str, question: str, difficulty: str, answer_from: str, *sources: str) -> Card:
    return Card(name, "design", title, question, difficulty, answer_from, "none but rounding", _BUDGETS, "a line of NumPy", sources)


def _squared_error(
    card: Card,
    terms: Mapping[str, ChoiceTerm],
    variance: OfTerms,
    cost: OfTerms,
    at_most: float,
    *,
    bias: OfTerms = lambda terms: np.zeros_like(next(iter(terms.values()))),
    constants: Mapping[str, float] | None = None,
) -> ChoiceProblem:
    """Make a problem that asks for the least mean squared error of a normal estimate within a cost."""

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        arrays = {name: np.asarray(value) for name, value in chosen.items()}
        error = bias(arrays) + np.sqrt(variance(arrays)) * special.ndtri(points[:, 0])
        return {"squared_error": error**2, "cost": np.full(len(points), float(cost(arrays)))}

    def exact(choices: Choices) -> dict[str, Floats]:
        return {"objective": bias(choices) ** 2 + variance(choices), "cost": cost(choices)}

    limits = {"cost": ChoiceLimit(_COST, at_most / 10, at_most=at_most)}
    told = {"sd": _SD, **(constants or {})}
    return ChoiceProblem(
        card, terms, "least", AskedQuantity("mean", "squared_error"), 1, exact, limits, told, 100.0, simulator=simulator
    )


def design_problems() -> Iterator[ChoiceProblem]:
    """Yield the problems of evaluation design."""
    yield from (_ratio(), _clusters(), *_of_records(), *_of_time(), _attrition(), threshold(), _no_design())


_PEOPLE = ChoiceTerm(20, 300, 1)
_IN_ALL = "enumeration of all choices over bias and variance in closed form"


def _ratio() -> ChoiceProblem:
    return _squared_error(
        _card(
            "a_ratio_within_a_budget",
            "A ratio within a budget",
            "How many people to serve and how many to compare with, if one costs 9 and the other 1 and 1,800 may be spent.",
            "the error is flat along the budget",
            f"{_IN_ALL}; the ratio is the root of the ratio of costs",
            "Neyman, J. (1934), On the two different aspects of the representative method, Journal of the Royal Statistical Society 97",
        ),
        {"served": _PEOPLE, "compared": ChoiceTerm(20, 900, 5)},
        lambda terms: _SD**2 * (1 / terms["served"] + 1 / terms["compared"]),
        lambda terms: 9 * terms["served"] + terms["compared"],
        1800.0,
    )


def _clusters() -> ChoiceProblem:
    return _squared_error(
        _card(
            "schools_and_pupils",
            "Schools and pupils",
            "How many schools and how many pupils of each to measure, if a school costs 50, a pupil 2, and 5 % of the variance lies "
            "between schools.",
            "more pupils of a school tell less and less",
            f"{_IN_ALL}; pupils of a school: the root of 50 / 2 x 0.95 / 0.05, 21.8",
        ),
        {"schools": ChoiceTerm(4, 60, 1), "pupils": ChoiceTerm(2, 80, 1)},
        lambda terms: _SD**2 / terms["schools"] * (0.05 + 0.95 / terms["pupils"]),
        lambda terms: terms["schools"] * (50 + 2 * terms["pupils"]),
        2000.0,
        constants={"intraclass_correlation": 0.05},
    )


def _of_records() -> Iterator[ChoiceProblem]:
    yield _squared_error(
        _card(
            "how_many_are_matched",
            "How many are matched to each",
            "How many records to match to each of the people served, if every further one is less alike.",
            "bias grows as variance shrinks",
            _IN_ALL,
        ),
        {"people": _PEOPLE, "matched": ChoiceTerm(1, 20, 1)},
        lambda terms: _SD**2 / terms["people"] * (1 + 1 / terms["matched"]),
        lambda terms: terms["people"] * (8 + 0.5 * terms["matched"]),
        1500.0,
        bias=lambda terms: 0.06 * (terms["matched"] - 1),
        constants={"bias_per_further_match": 0.06},
    )
    yield _squared_error(
        _card(
            "three_designs",
            "Three designs",
            "Before and after against a comparison group, the same with the level before as a covariate, or the level after alone: which "
            "(0, 1 or 2), with how many people.",
            "one term is a name; records of before cost as well",
            f"{_IN_ALL}: 2 s^2 (1 - r) , s^2 (1 - r^2) and s^2 times 2 / n, r = 0.35",
        ),
        {"design": ChoiceTerm(0, 2, 1), "people": _PEOPLE},
        lambda terms: _SD**2 * 2 / terms["people"] * np.choose(np.rint(terms["design"]).astype(int), [2 * 0.65, 1 - 0.35**2, 1.0]),
        lambda terms: terms["people"] * np.where(np.rint(terms["design"]) == 2, 5.0, 5.6),
        1000.0,
        constants={"correlation_before_after": 0.35},
    )


def _of_time() -> Iterator[ChoiceProblem]:
    yield _squared_error(
        _card(
            "how_long_to_follow",
            "How long to follow",
            "For how many months to follow how many people, if an effect of 3 that halves in 18 months is to be known at 36 months.",
            "a short window misses how the effect fades, a long one costs and its records drift",
            _IN_ALL,
        ),
        {"months": ChoiceTerm(3, 36, 1), "people": _PEOPLE},
        lambda terms: _SD**2 * 2 / terms["people"] * (1 + 0.01 * terms["months"]),
        lambda terms: terms["people"] * (6 + 0.4 * terms["months"]),
        1500.0,
        bias=lambda terms: 3 * (np.exp2(-terms["months"] / 18) - np.exp2(-2.0)),
        constants={"effect": 3.0, "half_life_months": 18.0},
    )
    yield _squared_error(
        _card(
            "how_long_a_baseline",
            "How long a baseline",
            "Over how many years before to average the level with which 61 people are compared, if it drifts by 0.3 a year.",
            "an older baseline is larger and less right",
            _IN_ALL,
        ),
        {"years": ChoiceTerm(1, 15, 1), "per_year": ChoiceTerm(20, 60, 1)},
        lambda terms: _SD**2 * (1 / 61 + 1 / (terms["years"] * terms["per_year"])),
        lambda terms: 3 * terms["years"] * terms["per_year"] ** 0.5 + 0.5 * terms["years"] * terms["per_year"],
        250.0,
        bias=lambda terms: 0.15 * (terms["years"] + 1),
        constants={"drift_per_year": 0.3},
    )


def _attrition() -> ChoiceProblem:
    return _squared_error(
        _card(
            "who_is_found_again",
            "Who is found again",
            "How many people to enrol, and to what share of them to find again, if those who are lost differ by 4 and every further one "
            "is harder to find.",
            "money spent on finding people lowers bias, money spent on more people lowers variance",
            _IN_ALL,
        ),
        {"people": _PEOPLE, "found": ChoiceTerm(0.5, 0.99, 0.01)},
        lambda terms: _SD**2 * 2 / (terms["people"] * terms["found"]),
        lambda terms: terms["people"] * (4 + 1 / (1 - terms["found"])),
        1500.0,
        bias=lambda terms: 4 * (1 - terms["found"]),
        constants={"difference_of_those_lost": 4.0},
    )


def _no_design() -> ChoiceProblem:
    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        error = np.sqrt(_SD**2 * 2 / chosen["people"]) * special.ndtri(points[:, 0])
        return {"squared_error": error**2, "cost": np.full(len(points), 10 * chosen["people"])}

    def exact(choices: Choices) -> dict[str, Floats]:
        cost, error = 10 * choices["people"], _SD**2 * 2 / choices["people"]
        return {"objective": cost, "cost": cost, "squared_error": error}

    card = _card(
        "no_trial_for_the_money",
        "No trial for the money",
        "How many people for a mean squared error of 1 at most and a cost of 1,950 at most; there may be no such number.",
        "the best that the money buys misses the limit by a fortieth",
        "hand: 200 / 195 is above 1",
    )
    error = ChoiceLimit(AskedQuantity("mean", "squared_error"), 0.5, at_most=1.0)
    limits = {"cost": ChoiceLimit(_COST, 200.0, at_most=1950.0), "squared_error": error}
    return ChoiceProblem(card, {"people": _PEOPLE}, "least", _COST, 1, exact, limits, {"sd": _SD}, 100.0, simulator=simulator)


EFFECT_MEAN_OF_DESIGN, EFFECT_SD_OF_DESIGN, RIGHT_FROM = 3.0, 2.0, 2.5
_PRIZE, _PRICE_OF_A_PERSON = 1000.0, 1.0
_NODES = 80


def threshold() -> ChoiceProblem:
    """Make the problem of a prize for an estimate: how many people, and which threshold.

    The prize is right where the true effect is 2.5 or more. What is lost is a prize paid or withheld wrongly, and the cost.
    """

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        score = special.ndtri(points)
        effect = EFFECT_MEAN_OF_DESIGN + EFFECT_SD_OF_DESIGN * score[:, 0]
        estimate = effect + _SD * np.sqrt(2 / chosen["people"]) * score[:, 1]
        is_wrong = (estimate >= chosen["threshold"]) != (effect >= RIGHT_FROM)
        return {"lost": _PRIZE * is_wrong + _PRICE_OF_A_PERSON * chosen["people"], "is_wrong": is_wrong.astype(np.float64)}

    def exact(choices: Choices) -> dict[str, Floats]:
        return {"objective": _PRIZE * wrong(choices) + _PRICE_OF_A_PERSON * choices["people"]}

    card = _card(
        "a_threshold_and_its_noise",
        "A threshold and its noise",
        "How many people per arm and which threshold of the estimate, if a prize of 1,000 is right from a true effect of 2.5 on and a "
        "person costs 1: the least of money wrongly paid or withheld and cost.",
        "what is lost is a jump in two dimensions, and the best threshold is not the true one",
        "Gauss-Legendre quadrature over the true effect on either side of 2.5",
    )
    terms = {"people": ChoiceTerm(10, 200, 1), "threshold": ChoiceTerm(0.0, 5.0, 0.05)}
    constants = {"sd": _SD, "effect_mean": EFFECT_MEAN_OF_DESIGN, "effect_sd": EFFECT_SD_OF_DESIGN, "right_from": RIGHT_FROM}
    return ChoiceProblem(card, terms, "least", AskedQuantity("mean", "lost"), 2, exact, {}, constants, 100.0, simulator=simulator)


def wrong(choices: Choices) -> Floats:
    """Return the probability that a prize is paid or withheld wrongly: the true effect integrated over, on either side."""
    edge = (RIGHT_FROM - EFFECT_MEAN_OF_DESIGN) / EFFECT_SD_OF_DESIGN
    # Below the edge it is wrong to pay, above it to withhold; nine standard deviations out nothing is left.
    return _integral(-9.0, edge, -1.0, choices) + _integral(edge, 9.0, 1.0, choices)


def _integral(low: float, high: float, sign: float, choices: Choices) -> Floats:
    """Integrate the chance of the wrong decision over standard normal scores from low to high."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    noise = _SD * np.sqrt(2 / choices["people"])[:, None]
    score = (low + high) / 2 + (high - low) / 2 * nodes
    density = np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi) * weights * (high - low) / 2
    away = (choices["threshold"][:, None] - EFFECT_MEAN_OF_DESIGN - EFFECT_SD_OF_DESIGN * score) / noise
    return np.asarray(special.ndtr(sign * away) @ density)
