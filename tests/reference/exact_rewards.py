"""Exact moments of what one person in a Markov chain comes to, date by date, in NumPy.

The person is in one of some states at the dates 0 to T, and each date is worth f_t(state). Let Y_t be the sum from date t on.
Backwards from Y_T = f_T, conditional on the state,

    E Y_t^k = sum over j of binomial(k, j) f_t^(k - j) P_t (E Y_{t+1}^j),

so that m1 = f + P m1' and m2 = f^2 + 2 f P m1' + P m2'. Where the time in a state matters, the states are unrolled: one for
every number of months in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from tests.reference.recursion import Distribution, Moments

Floats = NDArray[np.float64]
ORDER = 4


def moments_of_rewards(start: Sequence[float], moves: Floats, worth: Floats) -> Moments:
    """Return the moments 0 to 4 of the sum of the worth of all dates.

    start: (s,); moves: (T, s, s), from each date to the next; worth: (T + 1, s).
    """
    powers = np.arange(ORDER + 1)
    later = worth[-1][:, None] ** powers
    for here, move in zip(worth[-2::-1], moves[::-1], strict=True):
        after, now = move @ later, here[:, None] ** powers
        later = np.stack([sum(comb(k, j) * now[:, k - j] * after[:, j] for j in range(k + 1)) for k in range(ORDER + 1)], axis=1)
    return [float(moment) for moment in np.asarray(start) @ later]


def distribution_of_rewards(start: Sequence[float], moves: Floats, worth: Floats) -> Distribution:
    """Return mean, variance and fourth central moment of the sum of the worth of all dates."""
    return Distribution.of(moments_of_rewards(start, moves, worth))


def with_factor(moments: Moments, of_factor: Moments) -> Moments:
    """Return the moments of the product with an independent factor."""
    return [one * other for one, other in zip(moments, of_factor, strict=True)]


def uniform_moments(low: float, high: float) -> Moments:
    """Return the moments 0 to 4 of a uniform number."""
    return [(high ** (k + 1) - low ** (k + 1)) / (k + 1) / (high - low) for k in range(ORDER + 1)]


def moments_with_uniform_part(
    start: Sequence[float], moves: Floats, whole: Floats, part: Floats, low: float, high: float
) -> Moments:
    """Return the moments of the sum of `whole` and of X times `part`, X uniform between people and independent of their way.

    Gauss-Legendre with 6 nodes is exact for polynomials of degree 11, and moment k is one of degree k in X.
    """
    nodes, weights = np.polynomial.legendre.leggauss(6)
    total = np.zeros(ORDER + 1)
    for node, weight in zip(nodes, weights, strict=True):
        x = (low + high) / 2 + (high - low) / 2 * node
        total += weight / 2 * np.array(moments_of_rewards(start, moves, whole + x * part))
    return [float(moment) for moment in total]


def shares_by_date(start: Sequence[float], moves: Floats) -> Floats:
    """Return the shares of the states at all dates, shape (T + 1, s): the trace of the cohort."""
    trace = [np.asarray(start, dtype=np.float64)]
    for move in moves:
        trace.append(trace[-1] @ move)
    return np.array(trace)


def weights_of_dates(counted: str, months: int) -> Floats:
    """Return how much each of the dates 0 to `months` counts.

    `simpson` are the published weights for 75 cycles: of the dates numbered from 1 the first and the last count 1/3, the even
    ones 2/3 and the odd ones 4/3.
    """
    number = np.arange(1, months + 2)
    is_edge = (number == 1) | (number == months + 1)
    if counted == "simpson":
        return np.where(is_edge, 1 / 3, np.where(number % 2 == 0, 2 / 3, 4 / 3))
    if counted == "half_cycle":
        return np.where(is_edge, 0.5, 1.0)
    return np.where(number == (1 if counted == "end" else months + 1), 0.0, 1.0)


def discounted(weights: Floats, rate: float, value: Sequence[float] | Floats) -> Floats:
    """Return what each date is worth: shape (T + 1, s)."""
    by_date = weights * (1 + rate) ** -np.arange(len(weights), dtype=float)
    return by_date[:, None] * np.asarray(value)


# ------------------------------------------------ chains of the publications ------------------------------------------------


def probability(rate: float) -> float:
    """Return the probability that something with a constant rate happens within a cycle."""
    return float(-np.expm1(-rate))


def conditional_on_survival(hazard_ratio: float = 1.0) -> Floats:
    """Return the moves of Alarid-Escudero et al. 2023: healthy, sick, sicker, dead; all but death are conditional on survival."""
    dies = [probability(0.002 * ratio) for ratio in (1, 3, 10)]
    falls, recovers, worsens = probability(0.15), probability(0.5), probability(0.105 * hazard_ratio)
    rows = [
        [1 - falls, falls, 0.0],
        [recovers, 1 - recovers - worsens, worsens],
        [0.0, 0.0, 1.0],
    ]
    alive = [[(1 - death) * chance for chance in row] + [death] for death, row in zip(dies, rows, strict=True)]
    return np.array([*alive, [0.0, 0.0, 0.0, 1.0]])


def with_time_sick(months: int) -> Floats:
    """Return the moves of Krijkamp et al. 2018, appendix B: healthy, sick and sicker by cycles since the illness began, dead.

    In the cycle number d of an illness (1, 2, ...) the rate of death is 1 + 0.2 d times that of the basic model; the probabilities
    of recovering and of becoming sicker stay as they are.
    """
    sick, sicker, dead = range(1, months + 1), range(months + 1, 2 * months + 1), 2 * months + 1
    moves = np.zeros((dead + 1, dead + 1))
    moves[0, 0], moves[0, sick[0]], moves[0, dead] = 0.845, 0.15, 0.005
    moves[dead, dead] = 1.0
    for d in range(1, months + 1):
        here, then = d - 1, min(d, months - 1)
        death, death_sicker = (1 - 0.995 ** (ratio * (1 + 0.2 * d)) for ratio in (3, 10))
        moves[sick[here], 0], moves[sick[here], sicker[then]], moves[sick[here], dead] = 0.5, 0.105, death
        moves[sick[here], sick[then]] = 1 - 0.5 - 0.105 - death
        moves[sicker[here], dead], moves[sicker[here], sicker[then]] = death_sicker, 1 - death_sicker
    return moves


def worth_with_time_sick(months: int, healthy: float, sick: Callable[[int], float], sicker: float) -> Floats:
    """Return what a date is worth in each state of `with_time_sick`; `sick` of the months since the illness began (0, 1, ...)."""
    return np.array([healthy, *(sick(d) for d in range(months)), *[sicker] * months, 0.0])


def seen_and_seen_again(counts: Sequence[Sequence[float]], months: int) -> Floats:
    """Return the moves of one person whose probabilities have Dirichlet distributions, in a chain that never returns to a state.

    Polya's urn (Feller 1968, "An Introduction to Probability Theory", volume 1, section V.2): after d months in a state, each a
    month of staying, the next move has the counts with d added to that of staying. The states are unrolled by d; the last row
    of `counts` is absorbing. State i after d months has number i * months + d.
    """
    n = len(counts)
    moves = np.zeros((n * months, n * months))
    for i, row in enumerate(counts):
        for d in range(months):
            now, whole = i * months + d, sum(row) + d
            for j, count in enumerate(row):
                if j == i:
                    moves[now, i * months + min(d + 1, months - 1)] += (count + d) / whole
                else:
                    moves[now, j * months] += count / whole
    return moves
