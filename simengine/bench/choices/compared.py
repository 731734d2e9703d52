"""Problems of incentives in which a result is compared: with a peer's, with that of the year before, or with a rival's for a prize.

As in the other problems of the family the response is worked out, not simulated; here it is that of somebody who looks at more than one
result.

References
----------
Holmstrom, B. (1982), Moral hazard in teams, Bell Journal of Economics 13, 324-340, doi:10.2307/3003457: a
peer's result belongs in a contract for what it tells of the noise that both share.
Weitzman, M. L. (1980), The "ratchet principle" and performance incentives, Bell Journal of Economics 11, 302-308, doi:10.2307/3003414.
Lazear, E. P. and Rosen, S. (1981), Rank-order tournaments as optimum labor contracts, Journal of Political Economy 89, 841-864,
doi:10.1086/261010.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from simengine.arrays import Floats
from simengine.bench.choices.incentives import Parts, incentive_card, most_for_the_payer
from simengine.bench.choices.problem import ChoiceProblem, Choices, ChoiceTerm
from simengine.late import special


def compared_incentive_problems() -> Iterator[ChoiceProblem]:
    """Yield the problems of incentives in which a result is compared."""
    yield from (share_of_a_peer(), rising_target(), prize_for_the_better())


PEER_AVERSION, PEER_COST, COMMON_SD, OWN_SD = 2.0, 0.5, 1.0, 1.0


def share_of_a_peer() -> ChoiceProblem:
    """Make the shares of a provider's own and of a peer's result, both of which the same year moves.

    The peer works as much whatever is chosen here, and its result enters less that work. The fixed part makes the provider just accept.
    """

    def effort(terms: Parts) -> Floats:
        return terms["own"] / PEER_COST

    def fixed(terms: Parts) -> Floats:
        """Return the fixed part at which the certainty equivalent of the provider is 0."""
        own, peer = terms["own"], terms["peer"]
        variance = (own + peer) ** 2 * COMMON_SD**2 + (own**2 + peer**2) * OWN_SD**2
        return np.asarray(PEER_COST * effort(terms) ** 2 / 2 + PEER_AVERSION / 2 * variance - own * effort(terms))

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        terms = {name: np.asarray(value) for name, value in chosen.items()}
        year, own, peer = special.ndtri(points).T
        outcome = effort(terms) + COMMON_SD * year + OWN_SD * own
        paid = fixed(terms) + chosen["own"] * outcome + chosen["peer"] * (COMMON_SD * year + OWN_SD * peer)
        return {"payer": outcome - paid, "paid": paid}

    def exact(choices: Choices) -> Floats:
        return np.asarray(effort(choices) - fixed(choices) - choices["own"] * effort(choices))

    card = incentive_card(
        "a_share_of_a_peers_result",
        "A share of a peer's result",
        "The shares of a provider's own result and of a peer's that leave the payer most, if the same year moves both results and the "
        "provider shuns risk.",
        "what the peer does is none of the provider's work, and still belongs in the contract, with the other sign",
        "enumeration with the response in closed form; own 1 / (1 + r c s^2 (1 - k^2)) and peer -k times own, with the correlation k",
        "Holmstrom, B. (1982), Moral hazard in teams, Bell Journal of Economics 13, 324-340",
    )
    constants = {"risk_aversion": PEER_AVERSION, "cost_of_effort": PEER_COST, "common_sd": COMMON_SD, "own_sd": OWN_SD}
    terms = {"own": ChoiceTerm(0.0, 1.0, 0.01), "peer": ChoiceTerm(-1.0, 1.0, 0.01)}
    return most_for_the_payer(card, terms, 3, simulator, exact, constants)


RATCHET, LEVEL_SD, YEAR_SD = 0.6, 1.0, 1.0


def rising_target() -> ChoiceProblem:
    """Make the bonuses of two years, if the second target rises by a part of what was reached above the first.

    Aversion to risk and cost of effort are 1; a level that nobody knows at signing is in both results. Targets begin at 0, and a fixed part
    makes the provider just accept.
    """

    def weights(terms: Parts) -> tuple[Floats, Floats]:
        """Return what a unit of the first and of the second result brings the provider: its efforts, as effort costs e^2 / 2."""
        return terms["first"] - RATCHET * terms["second"], terms["second"]

    def fixed(terms: Parts) -> Floats:
        """Return the fixed part at which the certainty equivalent of the provider is 0."""
        first, second = weights(terms)
        variance = (first + second) ** 2 * LEVEL_SD**2 + (first**2 + second**2) * YEAR_SD**2
        return np.asarray((variance - first**2 - second**2) / 2)

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        terms = {name: np.asarray(value) for name, value in chosen.items()}
        level, year_1, year_2 = special.ndtri(points).T
        effort_1, effort_2 = weights(terms)
        reached_1 = effort_1 + LEVEL_SD * level + YEAR_SD * year_1
        reached_2 = effort_2 + LEVEL_SD * level + YEAR_SD * year_2
        target = RATCHET * reached_1
        paid = fixed(terms) + chosen["first"] * reached_1 + chosen["second"] * (reached_2 - target)
        return {"payer": reached_1 + reached_2 - paid, "paid": paid, "target": target}

    def exact(choices: Choices) -> Floats:
        first, second = weights(choices)
        return np.asarray(first + second - fixed(choices) - first**2 - second**2)

    card = incentive_card(
        "a_target_that_rises",
        "A target that rises with what was reached",
        "The bonus per unit above the target in the first and in the second year that leave the payer most, if the second target is 0.6 of "
        "what was reached above the first.",
        "who does well is asked for more: the second bonus takes effort from the first year, and an unknown level is in both",
        "enumeration with the response in closed form; the second is 1 / (1 + r c (2 l^2 + s^2)), the first 1.6 times that",
        'Weitzman, M. L. (1980), The "ratchet principle" and performance incentives, Bell Journal of Economics 11, 302-308',
    )
    constants = {"ratchet": RATCHET, "level_sd": LEVEL_SD, "year_sd": YEAR_SD, "risk_aversion": 1.0, "cost_of_effort": 1.0}
    terms = {"first": ChoiceTerm(-0.5, 1.5, 0.01), "second": ChoiceTerm(-0.5, 1.5, 0.01)}
    return most_for_the_payer(card, terms, 3, simulator, exact, constants)


UNIT_VALUE, RIVAL_COST, ELSEWHERE, BEGINNING = 2.0, 2.0, 3.5, 2.0
RIVAL_SD = float(2 / np.sqrt(np.pi))
"""Of each result: the difference of two then has the density 1/4 at 0."""


def prize_for_the_better() -> ChoiceProblem:
    """Make the prize for the better of two providers who are alike and indifferent to risk, and may both decline.

    Up to the largest prize that may be chosen, 14, what a provider expects is concave in its effort (14 x phi(1) / (2 s^2) = 1.33 is below the
    cost of 2): the equilibrium in which both work alike is the only response.
    """
    # The density at 0 of the difference of two normal errors, whose variance is twice that of one.
    density = 1 / (2 * RIVAL_SD * np.sqrt(np.pi))

    def response(terms: Parts) -> tuple[Floats, Floats]:
        """Return the effort of each, and whether they take part: half of the prize and what both get against effort and elsewhere."""
        effort = terms["prize"] * density / RIVAL_COST
        worth = terms["for_each"] + terms["prize"] / 2 - RIVAL_COST * effort**2 / 2
        return effort, np.asarray(worth >= ELSEWHERE - 1e-9)

    def simulator(points: Floats, chosen: Mapping[str, float]) -> dict[str, Floats]:
        effort, accept = response({name: np.asarray(value) for name, value in chosen.items()})
        results = BEGINNING + effort + RIVAL_SD * special.ndtri(points)
        paid = 2 * chosen["for_each"] + chosen["prize"]
        is_first = np.asarray(results[:, 0] >= results[:, 1], dtype=np.float64)
        return {"payer": np.where(accept, UNIT_VALUE * results.sum(axis=1) - paid, 0.0), "first_is_better": is_first}

    def exact(choices: Choices) -> Floats:
        effort, accept = response(choices)
        left = UNIT_VALUE * 2 * (BEGINNING + effort) - 2 * choices["for_each"] - choices["prize"]
        return np.where(accept, left, 0.0)

    card = incentive_card(
        "a_prize_for_the_better",
        "A prize for the better of two",
        "What to pay each of two providers and the prize for the better of them that leave the payer most, if both choose their effort "
        "and may decline.",
        "the payment hangs on who is first, not on how much is reached; one step too little and both decline",
        "enumeration with the equilibrium in closed form; the prize is the value over the density of the difference at 0, 2 / 0.25",
        "Lazear, E. P. and Rosen, S. (1981), Rank-order tournaments as optimum labor contracts, Journal of Political Economy 89, 841-864",
    )
    constants = {"value": UNIT_VALUE, "cost_of_effort": RIVAL_COST, "sd": RIVAL_SD, "elsewhere": ELSEWHERE, "beginning": BEGINNING}
    terms = {"for_each": ChoiceTerm(0.0, 6.0, 0.05), "prize": ChoiceTerm(0.0, 14.0, 0.1)}
    return most_for_the_payer(card, terms, 2, simulator, exact, constants)
