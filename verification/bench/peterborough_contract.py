"""What the Peterborough contract pays, summed over the exact distributions of the two cohorts' counts: no part of the engine.

A cohort's fall in reconvictions is 1 - S / A, with S its count and A the count that its matched men stand for; that of all together
is 1 - (S1 + S2) / (A1 + A2). A cohort whose fall reaches its trigger is paid its price times the fall; if none does, and the fall
of all together reaches a lower trigger, another price is paid for that. All payments together stop at a cap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from verification.bench.reconvictions import Floats, Integers


class Terms(NamedTuple):
    """The contract, in GBP and as shares: own prices and triggers of the cohorts, those of all together, the cap, what is drawn."""

    price_1: float
    price_2: float
    price_pooled: float
    trigger_1: float
    trigger_2: float
    trigger_pooled: float
    cap: float
    drawn_low: float
    drawn_high: float


@njit(cache=True)
def below(paid: float, terms: Terms) -> float:
    """Return the probability that more is drawn than is paid."""
    return min(max((terms.drawn_high - paid) / (terms.drawn_high - terms.drawn_low), 0.0), 1.0)


@njit(cache=True)
def own_payment(distribution: Floats, base: int, matched: float, trigger: float, price: float, terms: Terms) -> tuple[int, Floats]:
    """Sum what a cohort is paid by itself over its counts `base + x`.

    Parameters
    ----------
    distribution
        Shape (width,): the probabilities of x.
    matched
        The count that the matched men stand for: that of as many men without the service.

    Returns
    -------
    How many x are paid for, the lowest ones; and probability, sum of the payment, of its square, and of being paid less than drawn.
    """
    n_paid = int(min(max(np.floor((1 - trigger) * matched) - base + 1, 0), len(distribution)))
    found = np.zeros(4)
    for x in range(n_paid):
        paid = min(price * (1 - (base + x) / matched), terms.cap)
        found += distribution[x] * np.array((1.0, paid, paid * paid, below(paid, terms)))
    return n_paid, found


@njit(cache=True)
def expected(distributions: Floats, bases: Integers, matched: Floats, terms: Terms) -> Floats:
    """Sum over the counts of both cohorts: all payments, their square, the probability of a loss, and that nothing is paid.

    distributions: (2, width), the probabilities of the counts from the bases on; bases, matched: (2,).
    """
    distribution_1, distribution_2, cap, width = distributions[0], distributions[1], terms.cap, distributions.shape[1]
    n_1, own_1 = own_payment(distribution_1, bases[0], matched[0], terms.trigger_1, terms.price_1, terms)
    n_2, own_2 = own_payment(distribution_2, bases[1], matched[1], terms.trigger_2, terms.price_2, terms)
    out = np.zeros(4)
    for i in range(1, 4):
        out[i - 1] = own_1[i] * (1 - own_2[0]) + (1 - own_1[0]) * own_2[i]
    # Both are paid for: the cap, less what is missing of it where the two together do not reach it.
    both = own_1[0] * own_2[0]
    out[0] += cap * both
    out[1] += cap * cap * both
    out[2] += below(cap, terms) * both
    for x in range(n_1 - 1, -1, -1):
        paid_1, is_capped = terms.price_1 * (1 - (bases[0] + x) / matched[0]), True
        for y in range(n_2 - 1, -1, -1):
            paid = paid_1 + terms.price_2 * (1 - (bases[1] + y) / matched[1])
            if paid >= cap:
                break
            weight, is_capped = distribution_1[x] * distribution_2[y], False
            out[0] += weight * (paid - cap)
            out[1] += weight * (paid * paid - cap * cap)
            out[2] += weight * (below(paid, terms) - below(cap, terms))
        if is_capped:
            break
    # Neither is: what all together are paid for.
    nothing, whole = (1 - own_1[0]) * (1 - own_2[0]), matched[0] + matched[1]
    most = (1 - terms.trigger_pooled) * whole - bases[0] - bases[1]
    for x in range(n_1, width):
        if x + n_2 > most:
            break
        for y in range(n_2, width):
            if x + y > most:
                break
            weight = distribution_1[x] * distribution_2[y]
            paid = min(terms.price_pooled * (1 - (bases[0] + bases[1] + x + y) / whole), cap)
            out[0] += weight * paid
            out[1] += weight * paid * paid
            out[2] += weight * below(paid, terms)
            nothing -= weight
    out[2] += nothing
    out[3] = nothing
    return out


@njit(cache=True)
def over_luck(distributions: Floats, bases: Integers, matched: Floats, terms: Terms) -> Floats:
    """Sum over the counts at each point; distributions: (n, 2, width), of the counts modulo width. Gives shape (n, 4)."""
    out, moved = np.empty((len(distributions), 4)), np.empty(distributions.shape[1:])
    for i in range(len(distributions)):
        for c in range(2):
            for x in range(distributions.shape[2]):
                moved[c, x] = distributions[i, c, (bases[i, c] + x) % distributions.shape[2]]
        out[i] = expected(moved, bases[i], matched[i], terms)
    return out
