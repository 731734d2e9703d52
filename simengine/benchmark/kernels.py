"""Two scalar walks in Numba, one person and one period after the other: the plain one and one with keyed draws."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import inlined, kernel
from simengine.arrays import Floats, Index, Integers
from simengine.streams import philox

_TWO_TO_MINUS_32 = 2.0**-32


@inlined
def next_state(cumulative: Floats, s: Index, uniform: float) -> int:
    """Return the first state whose cumulative probability is above the uniform; cumulative: (from, to), the last column 1."""
    target = 0
    while cumulative[s, target] <= uniform:
        target += 1
    return target


@inlined
def fill_cumulative(rows: Floats, cumulative: Floats) -> None:
    """Fill the cumulative moves of one stratum; rows, cumulative: (from, to)."""
    for i in range(rows.shape[0]):
        running = 0.0
        for j in range(rows.shape[1]):
            running += rows[i, j]
            cumulative[i, j] = running
        cumulative[i, -1] = 1.0


@kernel
def walk_plainly(
    seed: int,
    rows: Floats,  # (r, arm, k, s, s)
    sizes: Integers,  # (k,)
    start: Integers,  # (k,)
    n_periods: int,
    occupancy: Floats,  # (r, arm, s) filled
    entries: Floats,  # (r, arm, s) filled
) -> None:
    """Walk every person through every period with the global generator: what most people write."""
    # r = replications, k = strata, s = states, t = periods
    np.random.seed(seed)  # noqa: NPY002 - the generator that Numba offers without an object
    cumulative = np.empty(rows.shape[3:])
    for r in range(rows.shape[0]):
        for arm in range(rows.shape[1]):
            for k in range(rows.shape[2]):
                fill_cumulative(rows[r, arm, k], cumulative)
                for _ in range(sizes[k]):
                    s = start[k]
                    for _t in range(n_periods):
                        occupancy[r, arm, s] += 1
                        target = next_state(cumulative, s, np.random.random())  # noqa: NPY002
                        if target != s:
                            entries[r, arm, target] += 1
                            s = target


@kernel
def walk_keyed(
    seed: np.uint64,
    purpose: np.uint64,
    replications: Integers,  # (r,) numbers of the replications
    rows: Floats,  # (r, arm, k, s, s)
    sizes: Integers,  # (k,)
    start: Integers,  # (k,)
    n_periods: int,
    occupancy: Floats,  # (r, arm, s) filled
    entries: Floats,  # (r, arm, s) filled
) -> None:
    """Walk every person through every period; the draw has the address (person, period) and is the same in both arms."""
    # r = replications, k = strata, s = states, t = periods
    cumulative = np.empty(rows.shape[3:])
    for r in range(rows.shape[0]):
        for arm in range(rows.shape[1]):
            person = 0
            for k in range(rows.shape[2]):
                fill_cumulative(rows[r, arm, k], cumulative)
                for _ in range(sizes[k]):
                    s = start[k]
                    for t in range(n_periods):
                        occupancy[r, arm, s] += 1
                        # One address gives four words: enough for four periods.
                        if t % 4 == 0:
                            a, b, c, d = philox(seed, np.uint64(t // 4), np.uint64(person), np.uint64(replications[r]), purpose)
                        else:
                            a, b, c = b, c, d
                        target = next_state(cumulative, s, float(a) * _TWO_TO_MINUS_32)
                        if target != s:
                            entries[r, arm, target] += 1
                            s = target
                    person += 1
