"""Settle compiled terms for every replication."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import kernel
from simengine.records import CAP, FLOOR, FORMULA, GATE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@kernel
def settle_terms(
    basis: Floats,  # (r, b): 1, drawn, metrics
    share: Floats,  # (t, 4): of the formula, of what it must exceed, of the floor, of the cap
    of: Integers,  # (t, 4): index into the basis, -1 where absent
    gate_term: Integers,  # (g,)
    gate_basis: Integers,  # (g,)
    gate_edge: Floats,  # (g,)
    gate_edge_pays: NDArray[np.bool_],  # (g,)
    amount: Floats,  # (r, t) filled
    bound: NDArray[np.int8],  # (r, t) filled
) -> None:
    """Fill the amount of each term and the limit that decided it."""
    # r = replications, t = terms, b = basis, g = gates
    n_replications, n_terms = amount.shape
    for r in range(n_replications):
        for t in range(n_terms):
            exceeds = share[t, 1] * basis[r, of[t, 1]] if of[t, 1] >= 0 else 0.0
            value = share[t, 0] * (basis[r, of[t, 0]] - exceeds)
            limit = FORMULA
            if of[t, 2] >= 0 and value < share[t, 2] * basis[r, of[t, 2]]:
                value = share[t, 2] * basis[r, of[t, 2]]
                limit = FLOOR
            if of[t, 3] >= 0 and value > share[t, 3] * basis[r, of[t, 3]]:
                value = share[t, 3] * basis[r, of[t, 3]]
                limit = CAP
            amount[r, t] = value
            bound[r, t] = limit
        for g in range(len(gate_term)):
            reached = basis[r, gate_basis[g]]
            is_open = reached >= gate_edge[g] if gate_edge_pays[g] else reached > gate_edge[g]
            if not is_open:
                amount[r, gate_term[g]] = 0.0
                bound[r, gate_term[g]] = GATE
