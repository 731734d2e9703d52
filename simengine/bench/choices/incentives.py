"""Problems of incentives: terms for somebody who responds to them, and the best terms given the response.

The response is worked out, not simulated: who responds knows the terms, the costs and the odds. A method sees what the contract
comes to with the response, as a payer would who tries terms in a model.

References
----------
Holmstrom, B. and Milgrom, P. (1987), Aggregation and linearity in the provision of intertemporal incentives, Econometrica 55, 303-328.
Holmstrom, B. and Milgrom, P. (1991), Multitask principal-agent analyses, Journal of Law, Economics, and Organization 7, 24-52.
Innes, R. D. (1990), Limited liability and incentive contracting with ex-ante action choices, Journal of Economic Theory 52, 45-67.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card
from simengine.bench.choices.problem import ChoiceProblem, Choices, ChoiceTerm
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.late import special

_BUDGETS = (10_000, 40_000, 160_000)
_OBJECTIVE = AskedQuantity("mean", "payer")
Parts = Mapping[str, Floats]


def incentive_card(name: str, title: str, question: str, difficulty: str, answer_from: str, *sources: str) -> Card:
    """Make the card of a problem of the family."""
    return Card(
        name, "incentives", title, question, difficulty, answer_from, "none but rounding", _BUDGETS, "a line of NumPy", sources
    )


def most_for_the_payer(
    card: Card,
    terms: Mapping[str, ChoiceTerm],
    dimension: int,
    simulator: Callable[[Floats, Mapping[str, float]], dict[str, Floats]],
    exact: Callable[[Choices], Floats],
    constants: Mapping[str, Any],
) -> ChoiceProblem:
    """Make a problem that asks for the most that the payer is left with."""
    return ChoiceProblem(
        card,
        terms,
        "most",
        _OBJECTIVE,
        dimension,
        lambda choices: {"objective": exact(choices)},
        {},
        constants,
        simulator=simulator,
    )


def incentive_problems() -> Iterator[ChoiceProblem]:
    """Yield the problems of incentives."""
    yield from (linear(), two_tasks(), bonus_at_threshold(), three_results(), creaming(), gaming(), referral_fee())


AVERSION, NOISE_SD, COST_OF_EFFORT = 3.0, 1.0, 0.5


def linear() -> ChoiceProblem:
    """Make the linear contract: a fixed part and a share of the outcome, for a provider who shuns risk and may decline."""

    def response(terms: Parts) -> tuple[Floats, Floats]:
        """Return the effort, share / cost, and whether the certainty equivalent is 0 or more."""
        effort = terms["share"] / COST_OF_EFFORT
        worth = terms["fixed"] + terms["share"] * effort - COST_OF_EFFORT * effort**2 / 2
        certain = worth - AVERSION / 2 * (terms["share"] * NOISE_SD) ** 2
        return effort, np.asarray(certain >= -1e-9)

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        effort, accepts = response({name: np.asarray(value) for name, value in chosen.items()})
        outcome = effort + NOISE_SD * special.ndtri(points[:, 0])
        paid = chosen["fixed"] + chosen["share"] * outcome
        return {"payer": np.where(accepts, outcome - paid, 0.0), "paid": np.where(accepts, paid, 0.0)}

    def exact(choices: Choices) -> Floats:
        effort, accepts = response(choices)
        return np.where(accepts, effort - choices["fixed"] - choices["share"] * effort, 0.0)

    card = incentive_card(
        "a_linear_contract",
        "A linear contract",
        "The fixed part and the share of the outcome that leave the payer most, if the provider chooses its effort and may decline.",
        "the best terms are those at which the provider just accepts: one step further everything is lost",
        "enumeration with the response in closed form; the share is 1 / (1 + r c s^2) but for the steps",
        "Holmstrom and Milgrom 1987",
    )
    constants = {"risk_aversion": AVERSION, "noise_sd": NOISE_SD, "cost_of_effort": COST_OF_EFFORT}
    terms = {"fixed": ChoiceTerm(-0.8, 1.0, 0.01), "share": ChoiceTerm(0.0, 1.0, 0.01)}
    return most_for_the_payer(card, terms, 1, simulator, exact, constants)


TASK_NOISE = (0.5, 2.0)
SUBSTITUTION = 0.6
TASK_VALUES = (1.0, 1.0)


def two_tasks() -> ChoiceProblem:
    """Make the contract on two tasks that stand in for each other; the fixed part makes the provider just accept."""
    hessian = np.array([[1.0, SUBSTITUTION], [SUBSTITUTION, 1.0]])
    inverse = np.linalg.inv(hessian)

    def efforts(terms: Parts) -> Floats:
        return np.stack([terms["first"], terms["second"]], axis=-1) @ inverse

    def fixed(terms: Parts, effort: Floats) -> Floats:
        shares = np.stack([terms["first"], terms["second"]], axis=-1)
        cost = 0.5 * ((effort @ hessian) * effort).sum(axis=-1)
        risk = 0.5 * AVERSION * (shares**2 * np.array(TASK_NOISE) ** 2).sum(axis=-1)
        return np.asarray(cost + risk - (shares * effort).sum(axis=-1))

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        arrays = {name: np.asarray(value) for name, value in chosen.items()}
        effort = efforts(arrays)
        outcome = effort + np.array(TASK_NOISE) * special.ndtri(points)
        paid = fixed(arrays, effort) + outcome @ np.array([chosen["first"], chosen["second"]])
        return {"payer": outcome @ np.array(TASK_VALUES) - paid, "paid": paid}

    def exact(choices: Choices) -> Floats:
        effort = efforts(choices)
        shares = np.stack([choices["first"], choices["second"]], axis=-1)
        return np.asarray(effort @ np.array(TASK_VALUES) - fixed(choices, effort) - (shares * effort).sum(axis=-1))

    card = incentive_card(
        "two_tasks_of_which_one_is_noisy",
        "Two tasks, of which one is noisy",
        "The shares of two outcomes that leave the payer most, if effort for one takes from the other and the second is hard to measure.",
        "paying for what is measured well draws effort away from what is not",
        "enumeration with the response in closed form; (I + r C S)^-1 times the values but for the steps",
        "Holmstrom and Milgrom 1991",
    )
    constants = {"risk_aversion": AVERSION, "noise_sd": TASK_NOISE, "substitution": SUBSTITUTION, "values": TASK_VALUES}
    terms = {"first": ChoiceTerm(-0.5, 1.0, 0.01), "second": ChoiceTerm(-0.5, 1.0, 0.01)}
    return most_for_the_payer(card, terms, 2, simulator, exact, constants)


EFFORTS = np.linspace(0.0, 4.0, 161)
VALUE_OF_EFFORT, COST_OF_HARD_WORK = 3.0, 0.8


def bonus_at_threshold() -> ChoiceProblem:
    """Make the bonus at a threshold for a provider who is indifferent to risk and cannot be fined."""

    def response(terms: Parts) -> Floats:
        """Return the effort: of those on a grid the first that is worth most."""
        chance = special.ndtr(EFFORTS - terms["threshold"][..., None])
        worth = terms["bonus"][..., None] * chance - COST_OF_HARD_WORK * EFFORTS**2 / 2
        return np.asarray(EFFORTS[np.argmax(np.round(worth, 12), axis=-1)])

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        effort = response({name: np.asarray(value) for name, value in chosen.items()})
        outcome = effort + special.ndtri(points[:, 0])
        paid = chosen["bonus"] * (outcome >= chosen["threshold"])
        return {"payer": VALUE_OF_EFFORT * outcome - paid, "paid": paid}

    def exact(choices: Choices) -> Floats:
        effort = response(choices)
        return np.asarray(VALUE_OF_EFFORT * effort - choices["bonus"] * special.ndtr(effort - choices["threshold"]))

    card = incentive_card(
        "a_bonus_for_effort",
        "A bonus for effort",
        "The threshold and the bonus that leave the payer most, if the provider chooses its effort.",
        "effort is all or nothing: beyond a threshold that is too high for its bonus the provider gives up at once",
        "enumeration of all terms, each with the response on a grid of 161 efforts",
        "Innes 1990",
    )
    constants = {"value_of_effort": VALUE_OF_EFFORT, "cost_of_effort": COST_OF_HARD_WORK, "efforts": "0 to 4 in steps of 0.025"}
    terms = {"threshold": ChoiceTerm(-1.0, 5.0, 0.05), "bonus": ChoiceTerm(0.0, 12.0, 0.1)}
    return most_for_the_payer(card, terms, 1, simulator, exact, constants)


IDLE, BUSY = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
RESULT_VALUES, COST_OF_BUSY = np.array([0.0, 4.0, 12.0]), 1.5


def three_results() -> ChoiceProblem:
    """Make the contract on a bad, middling or good result, for a provider who works or does not and cannot be fined."""

    def works(terms: Parts) -> tuple[Floats, Floats]:
        payments = np.stack([terms["bad"], terms["middling"], terms["good"]], axis=-1)
        return payments, np.asarray(payments @ (BUSY - IDLE) >= COST_OF_BUSY - 1e-9)

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        payments, is_busy = works({name: np.asarray(value) for name, value in chosen.items()})
        result = np.minimum(np.searchsorted(np.cumsum(BUSY if is_busy else IDLE), points[:, 0]), 2)
        return {"payer": (RESULT_VALUES - payments)[result], "result": result.astype(np.float64)}

    def exact(choices: Choices) -> Floats:
        payments, is_busy = works(choices)
        chances = np.where(is_busy[:, None], BUSY, IDLE)
        return np.asarray((chances * (RESULT_VALUES - payments)).sum(axis=1))

    card = incentive_card(
        "three_results",
        "Three results",
        "What to pay for a bad, a middling and a good result, if the provider works only where that pays.",
        "one step too little and nobody works; money for other results than the most telling one is wasted",
        "hand: only the good result is paid, with cost over the difference of its chances, 1.5 / 0.3 = 5",
        "Innes 1990",
    )
    terms = {name: ChoiceTerm(0.0, 8.0, 0.25) for name in ("bad", "middling", "good")}
    constants = {"idle": IDLE.tolist(), "busy": BUSY.tolist(), "values": RESULT_VALUES.tolist(), "cost": COST_OF_BUSY}
    return most_for_the_payer(card, terms, 1, simulator, exact, constants)


EASY_SHARE, ALONE, SERVED, SERVICE_COST = 0.6, (0.7, 0.1), (0.8, 0.4), (1.4, 1.8)
VALUE_OF_SUCCESS, REFERRED = 10.0, 40


def creaming() -> ChoiceProblem:
    """Make the payment by kind of person for a provider who serves only those that pay; the easy ones mostly succeed alone."""

    def serves(terms: Parts) -> tuple[Floats, Floats]:
        easy = terms["for_easy"] * SERVED[0] >= SERVICE_COST[0] - 1e-9
        hard = terms["for_hard"] * SERVED[1] >= SERVICE_COST[1] - 1e-9
        return np.asarray(easy), np.asarray(hard)

    def per_person(terms: Parts) -> tuple[Floats, Floats]:
        """Return what each kind leaves the payer: the value of what the service adds less what is paid for successes."""
        easy, hard = serves(terms)
        of_easy = easy * (VALUE_OF_SUCCESS * (SERVED[0] - ALONE[0]) - terms["for_easy"] * SERVED[0])
        return of_easy, hard * (VALUE_OF_SUCCESS * (SERVED[1] - ALONE[1]) - terms["for_hard"] * SERVED[1])

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        easy, hard = serves({name: np.asarray(value) for name, value in chosen.items()})
        is_easy, u = points[:, :REFERRED] < EASY_SHARE, points[:, REFERRED:]
        is_served = np.where(is_easy, easy, hard)
        succeeds = u < np.where(is_easy, SERVED[0], SERVED[1])
        alone = u < np.where(is_easy, ALONE[0], ALONE[1])
        price = np.where(is_easy, chosen["for_easy"], chosen["for_hard"])
        added = is_served * (VALUE_OF_SUCCESS * (succeeds.astype(float) - alone) - price * succeeds)
        return {"payer": added.sum(axis=1), "served": is_served.sum(axis=1).astype(np.float64)}

    def exact(choices: Choices) -> Floats:
        of_easy, of_hard = per_person(choices)
        return np.asarray(REFERRED * (EASY_SHARE * of_easy + (1 - EASY_SHARE) * of_hard))

    card = incentive_card(
        "easy_and_hard_people",
        "Easy and hard people",
        "What to pay for a success of an easy and of a hard person, if the provider serves only those that pay and most easy people "
        "succeed alone.",
        "a common price serves the easy people first, who add least; the best terms lie on a jump",
        "hand: easy people are not worth serving, and hard ones are served from a price of 1.8 / 0.4 = 4.5 on",
    )
    constants = {
        "easy_share": EASY_SHARE,
        "alone": ALONE,
        "served": SERVED,
        "cost": SERVICE_COST,
        "value_of_success": VALUE_OF_SUCCESS,
        "referred": REFERRED,
    }
    terms = {"for_easy": ChoiceTerm(0.0, 7.0, 0.05), "for_hard": ChoiceTerm(0.0, 7.0, 0.05)}
    return most_for_the_payer(card, terms, 2 * REFERRED, simulator, exact, constants)


VALUE_OF_REAL, COST_OF_REAL, COST_OF_GAMING, COST_OF_AUDIT, FINE = 1.0, 1.0, 0.6, 0.5, 1.5


def gaming() -> ChoiceProblem:
    """Make the share and the audits for a provider who can work, or make the figures look better."""

    def response(terms: Parts) -> tuple[Floats, Floats]:
        """Return real effort and gaming, which an audit takes back with a fine."""
        real = terms["share"] / COST_OF_REAL
        gained = terms["share"] * (1 - terms["audits"]) - FINE * terms["audits"]
        return real, np.maximum(gained, 0.0) / COST_OF_GAMING

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        real, gamed = response({name: np.asarray(value) for name, value in chosen.items()})
        is_audited = points[:, 1] < chosen["audits"]
        shown = real + 0.5 * special.ndtri(points[:, 0]) + np.where(is_audited, 0.0, gamed)
        paid = chosen["share"] * shown - np.where(is_audited, FINE * gamed, 0.0)
        outcome = VALUE_OF_REAL * real
        return {"payer": outcome - paid - COST_OF_AUDIT * is_audited, "paid": paid, "gap": shown - real}

    def exact(choices: Choices) -> Floats:
        real, gamed = response(choices)
        audits = choices["audits"]
        paid = choices["share"] * (real + (1 - audits) * gamed) - audits * FINE * gamed
        return np.asarray(VALUE_OF_REAL * real - paid - COST_OF_AUDIT * audits)

    card = incentive_card(
        "figures_that_look_better",
        "Figures that look better",
        "The share of the measured outcome and the share of audits that leave the payer most, if the provider can game the figures.",
        "a higher share buys work and gaming; audits cost, and end gaming from a kink on",
        "enumeration with the response in closed form",
    )
    constants = {
        "value": VALUE_OF_REAL,
        "cost_of_effort": COST_OF_REAL,
        "cost_of_gaming": COST_OF_GAMING,
        "cost_of_audit": COST_OF_AUDIT,
        "fine": FINE,
    }
    terms = {"share": ChoiceTerm(0.0, 1.0, 0.01), "audits": ChoiceTerm(0.0, 1.0, 0.01)}
    return most_for_the_payer(card, terms, 2, simulator, exact, constants)


REFERRALS_PER_FEE, FIRST_SUITED, SUITED_FALLS, VALUE_OF_SUITED = 12.0, 0.9, 0.012, 6.0


def referral_fee() -> ChoiceProblem:
    """Make the fee for referrals, whose people are the less suited the more are sent, and the cap on their number."""

    def sent(terms: Parts) -> Floats:
        return np.minimum(5.0 + REFERRALS_PER_FEE * terms["fee"], terms["cap"])

    def suited(number: Floats) -> Floats:
        """Return the share of the people sent for whom the service is right."""
        return np.maximum(FIRST_SUITED - SUITED_FALLS * number, 0.0)

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        mean = sent({name: np.asarray(value) for name, value in chosen.items()})
        number = special.pdtrik(points[:, 0], mean)
        number = np.ceil(np.maximum(number, 0.0))
        right = np.floor(special.bdtrik(points[:, 1], np.maximum(number, 1.0), suited(mean)) + 1.0)
        right = np.clip(right, 0.0, number)
        return {"payer": VALUE_OF_SUITED * right - (chosen["fee"] + 2.0) * number, "referred": number}

    def exact(choices: Choices) -> Floats:
        number = sent(choices)
        return np.asarray(number * (VALUE_OF_SUITED * suited(number) - choices["fee"] - 2.0))

    card = incentive_card(
        "a_fee_for_referrals",
        "A fee for referrals",
        "The fee per referral and the cap on referrals that leave the payer most, if more referrals mean less suited people.",
        "the cap is idle unless the fee is high, and the noise is that of a small count",
        "enumeration with the response in closed form",
    )
    constants = {"per_fee": REFERRALS_PER_FEE, "suited": FIRST_SUITED, "falls": SUITED_FALLS, "value": VALUE_OF_SUITED}
    terms = {"fee": ChoiceTerm(0.0, 4.0, 0.05), "cap": ChoiceTerm(5, 60, 1)}
    return most_for_the_payer(card, terms, 2, simulator, exact, constants)
