"""Side payments that leave no actor worse off: proportional, and by the Shapley value.

The game. A deal runs only when everybody agrees who must pay or deliver, or who would lose by it. With x the expected position of
each actor under the deal and R those who must agree, a coalition S is worth

    v(S) = max(sum of x over S, 0)  where S holds all of R,  else 0,

because without one of R there is no deal, and with all of them the others may still leave it. Whoever need not agree keeps what
falls to it from outside: it can withhold its agreement, not the deal. So the game is convex, and its Shapley value leaves nobody
worse off than without the deal and no coalition with a reason to leave.

References
----------
Shapley, L. S. (1953), A value for n-person games, Contributions to the Theory of Games II, 307-317.
Shapley, L. S. (1971), Cores of convex games, International Journal of Game Theory 1, 11-26.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import NDArray

from simengine.records import Floats

MOST_ACTORS = 12
"""The Shapley value looks at every coalition: 4,096 of twelve actors."""


def proportional(positions: Floats) -> tuple[Floats, Floats] | None:
    """Make losers whole, paid by the gainers in proportion to their gains.

    Parameters
    ----------
    positions
        Shape (n_actors,): what each is left with.

    Returns
    -------
    What each receives, shape (n_actors,), and its derivatives by the positions, (n_actors, n_actors); nothing where the losses are
    larger than the gains.
    """
    if positions.sum() < 0:
        return None
    loses = positions < 0
    lost, gained = -positions[loses].sum(), positions[~loses].sum()
    if lost == 0:
        return np.zeros_like(positions), np.zeros((len(positions), len(positions)))
    received = np.where(loses, -positions, -positions * lost / gained)
    # A gainer pays x l / g: less by 1 / g for each unit that a loser loses less, by l / g^2 for each that another gains more.
    by_position = np.where(loses, positions[:, None] / gained, positions[:, None] * lost / gained**2)
    slope = np.where(loses[:, None], 0.0, by_position)
    slope[np.diag_indices(len(positions))] += np.where(loses, -1.0, -lost / gained)
    return received, slope


def by_shapley_value(positions: Floats, must_agree: Sequence[bool]) -> tuple[Floats, Floats] | None:
    """Return everybody its Shapley value of the game above.

    Parameters
    ----------
    positions
        Shape (n_actors,): what each is left with.
    must_agree
        By actor: whether it pays or delivers; who would lose must agree in any case.

    Returns
    -------
    What each receives, and its derivatives by the positions; nothing where the losses are larger than the gains.
    """
    if positions.sum() < 0:
        return None
    members = party_coalitions(len(positions))
    runs = members[:, np.asarray(must_agree) | (positions < 0)].all(axis=1) & (members @ positions > 0)
    received = shapley_value(np.where(runs, members @ positions, 0.0)) - positions
    # Where a coalition runs the deal, one unit more for a member is one unit more for the coalition.
    slope = np.stack([shapley_value(np.where(runs & members[:, j], 1.0, 0.0)) for j in range(len(positions))], axis=1)
    return received, slope - np.eye(len(positions))


def shapley_value(worth: Floats) -> Floats:
    """Return each player the mean of what it adds to those before it, over all orders in which they may come.

    Parameters
    ----------
    worth
        Shape (2^n_players,): of every coalition; bit i of its number says whether player i is in it.
    """
    n = len(worth).bit_length() - 1
    members = party_coalitions(n)
    sizes = members.sum(axis=1)
    orders = np.array([factorial(size) * factorial(n - size - 1) / factorial(n) if size < n else 0.0 for size in range(n + 1)])
    value = np.empty(n)
    for i in range(n):
        without = np.flatnonzero(~members[:, i])
        value[i] = orders[sizes[without]] @ (worth[without | (1 << i)] - worth[without])
    return value


def party_coalitions(n: int) -> NDArray[np.bool_]:
    """Return the members of every coalition: shape (2^n, n)."""
    return np.asarray((np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1)
