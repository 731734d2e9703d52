"""Problems of sizing: what a contract pays for a count of successes, and the exact distribution of that count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card
from simengine.bench.choices.problem import ChoiceLimit, ChoiceProblem, Choices, ChoiceTerm
from simengine.bench.estimation.closed import of_fund_payments
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.bench.estimation.small import FUND_PAID_IN, fund_of_eight
from simengine.late import stats

_PEOPLE, _LENT = 60, 20.0
_BUDGETS = (10_000, 40_000, 160_000)
_MEAN, _P_LOSS = AskedQuantity("mean", "payment"), AskedQuantity("below", "net")
_CVAR = AskedQuantity("cvar", "net", 0.95)
Payment = Callable[[Floats, Mapping[str, Floats]], Floats]
"""From counts, shape (1, n), and terms, shape (k, 1) each, to payments, shape (k, n), which rise with the count."""


def _card(name: str, title: str, question: str, difficulty: str, answer_from: str = "") -> Card:
    source = answer_from or "enumeration of all choices, each over the exact beta-binomial distribution of successes"
    return Card(name, "sizing", title, question, difficulty, source, "none but rounding", _BUDGETS, "a line of NumPy")


def unknown_successes() -> Floats:
    """Return the probabilities of 0 to 60 successes: beta-binomial, 8 of 20 known before."""
    return np.asarray(stats.betabinom.pmf(np.arange(_PEOPLE + 1), _PEOPLE, 8, 12))


def paid_for_successes(payment: Payment) -> tuple[Callable[..., dict[str, Floats]], Callable[[Choices], dict[str, Floats]]]:
    """Return the simulator and the exact values of a contract that pays for successes."""
    chances = unknown_successes()
    below = np.cumsum(chances)
    # As payments rise with the count, the worst 5 % are those of the fewest successes.
    in_tail = np.diff(np.minimum(below, 0.05), prepend=0.0)

    def simulator(points: Floats, terms: Mapping[str, float]) -> dict[str, Floats]:
        count = np.minimum(np.searchsorted(below, points[:, 0]), _PEOPLE).astype(np.float64)
        paid = payment(count[None, :], {name: np.array([[value]]) for name, value in terms.items()})[0]
        return {"payment": paid, "net": np.round(paid - _LENT, 9)}

    def exact(choices: Choices) -> dict[str, Floats]:
        counts = np.arange(_PEOPLE + 1, dtype=np.float64)[None, :]
        paid = payment(counts, {name: value[:, None] for name, value in choices.items()})
        net = np.round(paid - _LENT, 9)
        found = {"mean_payment": paid @ chances, "p_loss": (net < 0) @ chances, "cvar95": -(net @ in_tail) / 0.05}
        return {"objective": found["mean_payment"], "mean_net": net @ chances, **found}

    return simulator, exact


def _least(
    card: Card, payment: Payment, terms: Mapping[str, ChoiceTerm], limits: Mapping[str, ChoiceLimit], person_periods: float = 60.0
) -> ChoiceProblem:
    """Make a problem that asks for the least mean payment."""
    simulator, exact = paid_for_successes(payment)
    constants = {"people": _PEOPLE, "successes_before": 8, "failures_before": 12, "lent": _LENT}
    return ChoiceProblem(card, terms, "least", _MEAN, 1, exact, limits, constants, person_periods, simulator=simulator)


def _p_loss(at_most: float) -> ChoiceLimit:
    return ChoiceLimit(_P_LOSS, 0.1, at_most=at_most)


def small_sizing_problems() -> Iterator[ChoiceProblem]:
    """Yield the problems of sizing."""
    yield from (*_with_one_term(), *_with_more_terms(), *_without_a_solution(), places_to_fund(), _fund())


def _with_one_term() -> Iterator[ChoiceProblem]:
    yield _least(
        _card(
            "a_price_that_covers",
            "A price that covers the loan",
            "The least price of a success at which the lender loses with a probability of 10 % at most.",
            "the probability jumps with the price: it is known only to the noise of a simulation",
        ),
        lambda count, terms: terms["price"] * count,
        {"price": ChoiceTerm(0.5, 3.0, 0.01)},
        {"p_loss": _p_loss(0.1)},
    )
    yield _least(
        _card(
            "a_guaranteed_amount",
            "A guaranteed amount",
            "The least amount that is repaid whatever happens, so that the worst 5 % lose 8 on average at most.",
            "the limit is on a tail mean, which few replications carry",
        ),
        lambda count, terms: np.maximum(terms["guarantee"], count),
        {"guarantee": ChoiceTerm(0.0, 20.0, 0.05)},
        {"cvar95": ChoiceLimit(_CVAR, 2.0, at_most=8.0)},
    )


def _with_more_terms() -> Iterator[ChoiceProblem]:
    yield _least(
        _card(
            "a_guarantee_and_a_price",
            "A guarantee and a price",
            "The guarantee and the price of a success with the least mean payment that keep P(loss) to 20 % and the CVaR to 6.",
            "two limits that bind at once, and an objective that both terms raise",
        ),
        lambda count, terms: np.maximum(terms["guarantee"], terms["price"] * count),
        {"guarantee": ChoiceTerm(0.0, 15.0, 0.25), "price": ChoiceTerm(0.0, 3.0, 0.02)},
        {"p_loss": _p_loss(0.2), "cvar95": ChoiceLimit(_CVAR, 2.0, at_most=6.0)},
    )
    yield _least(
        _card(
            "a_start_a_price_and_a_cap",
            "A start, a price and a cap",
            "From which success, at what price and up to which cap the payer pays least, with P(loss) of 25 % at most and a mean net "
            "of 2 at least.",
            "three terms, of which one counts in whole successes; most choices are far from any limit",
        ),
        lambda count, terms: np.minimum(terms["price"] * np.maximum(count - terms["start"], 0.0), terms["cap"]),
        {"start": ChoiceTerm(0, 30, 1), "price": ChoiceTerm(0.2, 4.0, 0.1), "cap": ChoiceTerm(10, 60, 1)},
        {"p_loss": _p_loss(0.25), "mean_net": ChoiceLimit(AskedQuantity("mean", "net"), 5.0, at_least=2.0)},
    )
    yield _least(
        _card(
            "a_trigger_and_a_prize",
            "A trigger and a prize",
            "The trigger and the prize with the least mean payment that keep P(loss) to 40 % and leave the lender 1 on average.",
            "the payment is a step: nothing has a derivative",
        ),
        lambda count, terms: terms["prize"] * (count >= terms["trigger"]),
        {"trigger": ChoiceTerm(5, 40, 1), "prize": ChoiceTerm(0.0, 80.0, 0.5)},
        {"p_loss": _p_loss(0.4), "mean_net": ChoiceLimit(AskedQuantity("mean", "net"), 5.0, at_least=1.0)},
    )
    yield _least(
        _card(
            "two_prices_and_a_guarantee",
            "Two prices and a guarantee",
            "A price up to the twentieth success, another beyond it, and a guarantee: the least mean payment with P(loss) of 20 % at "
            "most and a CVaR of 5 at most.",
            "three terms of which each can stand in for another",
        ),
        lambda count, terms: np.maximum(
            terms["guarantee"], terms["first"] * np.minimum(count, 20) + terms["beyond"] * np.maximum(count - 20, 0)
        ),
        {"first": ChoiceTerm(0.0, 2.0, 0.05), "beyond": ChoiceTerm(0.0, 3.0, 0.1), "guarantee": ChoiceTerm(0.0, 15.0, 0.5)},
        {"p_loss": _p_loss(0.2), "cvar95": ChoiceLimit(_CVAR, 2.0, at_most=5.0)},
    )


def _without_a_solution() -> Iterator[ChoiceProblem]:
    yield _least(
        _card(
            "no_deal_in_sight",
            "No deal in sight",
            "A price at which P(loss) is 10 % at most and the mean payment 25 at most; there may be none.",
            "no choice keeps both limits; the right answer is to say so",
        ),
        lambda count, terms: terms["price"] * count,
        {"price": ChoiceTerm(0.5, 3.0, 0.01)},
        {"p_loss": _p_loss(0.1), "mean_payment": ChoiceLimit(_MEAN, 5.0, at_most=25.0)},
    )
    yield _least(
        _card(
            "no_deal_by_a_hair",
            "No deal by a hair",
            "A guarantee and a price with P(loss) of 15 % at most, a CVaR of 6 at most and a mean payment of 30 at most; there may be none.",
            "the best choice breaks a limit by so little that only many replications tell",
        ),
        lambda count, terms: np.maximum(terms["guarantee"], terms["price"] * count),
        {"guarantee": ChoiceTerm(0.0, 15.0, 0.25), "price": ChoiceTerm(0.0, 3.0, 0.02)},
        {
            "p_loss": _p_loss(0.15),
            "cvar95": ChoiceLimit(_CVAR, 2.0, at_most=6.0),
            "mean_payment": ChoiceLimit(_MEAN, 5.0, at_most=30.0),
        },
    )


PRICE_OF_A_PLACE, COST_OF_A_PLACE = 9.0, 6.0


def demand() -> tuple[Floats, Floats]:
    """Return numbers of referrals and their probabilities: 10 referrers, 1.2 a month each on average, for 24 months."""
    counts = np.arange(1200, dtype=np.float64)
    return counts, np.asarray(stats.nbinom.pmf(counts, 20, (5 / 3) / (5 / 3 + 24)))


def places_to_fund() -> ChoiceProblem:
    """Make the newsvendor's problem: places must be paid for before anybody knows how many come."""
    counts, chances = demand()
    below = np.cumsum(chances)

    def simulator(points: Floats, terms: Mapping[str, float]) -> dict[str, Floats]:
        came = np.minimum(np.searchsorted(below, points[:, 0]), len(counts) - 1).astype(np.float64)
        return {"net": PRICE_OF_A_PLACE * np.minimum(came, terms["places"]) - COST_OF_A_PLACE * terms["places"]}

    def exact(choices: Choices) -> dict[str, Floats]:
        places = choices["places"][:, None]
        return {"objective": (PRICE_OF_A_PLACE * np.minimum(counts, places) - COST_OF_A_PLACE * places) @ chances}

    card = _card(
        "places_to_fund",
        "Places to fund",
        "How many places to pay 6 for in advance, if each that is taken is paid with 9 and referrals are uncertain.",
        "the objective is flat around its best, and a negative binomial count is wide",
        "enumeration; the newsvendor's critical quantile gives the same",
    )
    constants = {"price": PRICE_OF_A_PLACE, "cost": COST_OF_A_PLACE}
    terms = {"places": ChoiceTerm(100, 500, 1)}
    return ChoiceProblem(card, terms, "most", AskedQuantity(), 1, exact, {}, constants, 288.0, simulator=simulator)


def _fund() -> ChoiceProblem:
    paid = of_fund_payments()
    amounts = np.arange(len(paid), dtype=np.float64)
    in_tail = np.diff(np.minimum(np.cumsum(paid), 0.05), prepend=0.0)

    def payment(amount: Floats, terms: Mapping[str, Floats]) -> Floats:
        return np.maximum(terms["floor"], terms["factor"] * amount)

    def simulator(points: Floats, terms: Mapping[str, float]) -> dict[str, Floats]:
        found = payment(fund_of_eight(points, {"lent": 0.0})["net"], {name: np.asarray(one) for name, one in terms.items()})
        return {"payment": found, "net": np.round(found - FUND_PAID_IN, 9)}

    def exact(choices: Choices) -> dict[str, Floats]:
        found = payment(amounts[None, :], {name: one[:, None] for name, one in choices.items()})
        net = np.round(found - FUND_PAID_IN, 9)
        return {"objective": found @ paid, "p_loss": (net < 0) @ paid, "cvar95": -(net @ in_tail) / 0.05}

    card = _card(
        "a_fund_with_a_floor",
        "A fund with a floor",
        "The factor on all prices of a fund of eight projects, and the floor below its payments, with the least mean payment that keep "
        "P(loss) to 25 % and the CVaR to 120.",
        "the loss depends on the year that all projects share",
        "enumeration of all choices over the convolution of binomial counts, mixed over the years",
    )
    limits = {"p_loss": _p_loss(0.25), "cvar95": ChoiceLimit(_CVAR, 40.0, at_most=120.0)}
    terms = {"factor": ChoiceTerm(0.6, 1.4, 0.01), "floor": ChoiceTerm(0.0, 500.0, 10.0)}
    return ChoiceProblem(card, terms, "least", _MEAN, 9, exact, limits, {"lent": FUND_PAID_IN}, 225.0, simulator=simulator)
