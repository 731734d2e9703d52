"""Fill the hazards of the moves out of every state: how fast it is left, and where those who leave go."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Floats, Integers, Moves
from simengine.cohort.kernels.effects import acts_on_probabilities, change_leaving, row_for

Index = int | np.int64

STEADY, BY_MONTH, WALKED = range(3)
"""States whose hazards stay as they are; change with the clock; change with more than the clock."""


@device
def is_constant(table: Floats, row: int, first: Index, stop: Index) -> bool:
    """Say whether the moves `first` to `stop` - 1 have one factor in all months; table: (row, k, v, m)."""
    for k in range(table.shape[1]):
        for v in range(first, stop):
            for m in range(1, table.shape[3]):
                if table[row, k, v, m] != table[row, k, v, 0]:
                    return False
    return True


@device
def fill_kinds(history: int, begin: Integers, row: Integers, moves: Moves, effects: Effects, kind: Integers) -> bool:
    """Say of every state what its hazards change with in any replication of a batch; kind: (s,). Says whether all are steady.

    begin: (g + 1,) and row: (p,), of the people.
    """
    is_all_steady = True
    for s in range(len(kind)):
        first, stop = moves.of[s], moves.of[s + 1]
        from_effect, to_effect = effects.of[first], effects.of[stop]
        is_steady = not moves.is_walked[s] and (history == 0 or from_effect == to_effect)
        if is_steady and len(moves.by_entry) == 1:
            is_steady = is_constant(moves.by_entry, 0, first, stop)
        for g in range(len(begin) - 1):
            if is_steady and begin[g] < begin[g + 1]:
                b = row[begin[g]]
                for j in range(from_effect, to_effect):
                    is_steady &= effects.clock[b, j, 0] <= 0.0 and effects.clock[b, j, 1] == np.inf
                if len(moves.by_entry) > 1:
                    is_steady &= is_constant(moves.by_entry, b, first, stop)
        kind[s] = WALKED if moves.is_walked[s] else (STEADY if is_steady else BY_MONTH)
        is_all_steady &= is_steady
    return is_all_steady


@device
def fill_tables(
    b: int,
    at: int,
    kind: Integers,
    moves: Moves,
    effects: Effects,
    change: Floats,
    hazard: Floats,
    running: Floats,
    pace: Floats,
    mean: Floats,
    gathered: Floats,
) -> int:
    """Fill the hazards of one replication, from row `at` of the tables on: a row for each course and, in it, each stratum.

    change: (c, j, m); hazard: (row, v, m). Of steady states: running, what the hazards of the moves add up to, (row, v); pace, all
    of them, and mean, the mean stay, (row * s,). Of states by month: gathered, from 0, (row * s * (m + 1),). Gives how many
    probabilities were clipped.
    """
    n_courses, n_strata, n_states, n_months = effects.weight.shape[1], moves.hazard.shape[1], len(kind), moves.by_entry.shape[3]
    entry_row = row_for(moves.by_entry, b)
    one = np.empty(len(moves.to))
    clipped = 0
    for c in range(n_courses):
        for k in range(n_strata):
            row = at + c * n_strata + k
            entry_k = k if moves.by_entry.shape[1] > 1 else 0
            for s in range(n_states):
                line, first, stop = row * n_states + s, moves.of[s], moves.of[s + 1]
                if kind[s] == WALKED:
                    continue
                filled = 1 if kind[s] == STEADY else n_months
                for v in range(first, stop):
                    for m in range(filled):
                        hazard[row, v, m] = moves.hazard[b, k, v] * moves.by_entry[entry_row, entry_k, v, m]
                    for j in range(effects.of[v], effects.of[v + 1]):
                        if effects.form[j] == HAZARD_RATIO and effects.acts[j, k]:
                            for m in range(filled):
                                hazard[row, v, m] *= change[c, j, m]
                if acts_on_probabilities(effects, first, stop):
                    for m in range(filled):
                        for v in range(first, stop):
                            one[v] = hazard[row, v, m]
                        found = change_leaving(effects, change, c, k, m, first, stop, moves.period[s], one)
                        clipped += found * (n_months // filled)
                        for v in range(first, stop):
                            hazard[row, v, m] = one[v]
                if kind[s] == STEADY:
                    total = 0.0
                    for v in range(first, stop):
                        total += hazard[row, v, 0]
                        running[row, v] = total
                    pace[line] = total
                    mean[line] = 1.0 / total if total > 0.0 else 1e300
                    continue
                mean[line] = 0.0
                here = gathered[line * (n_months + 1) : (line + 1) * (n_months + 1)]
                here[:] = 0.0
                for v in range(first, stop):
                    for m in range(n_months):
                        here[m + 1] += hazard[row, v, m]
                for m in range(n_months):
                    here[m + 1] += here[m]
    return clipped
