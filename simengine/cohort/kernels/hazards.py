"""Turn the hazards of the moves out of every state into thresholds: a month's random word below one of them ends the stay."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Floats, Integers, Moves, Words
from simengine.cohort.kernels.effects import acts_on_probabilities, change_leaving, row_for

Index = int | np.int64

TWO_TO_32 = 2.0**32
LARGEST = 2**32 - 1
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


@inlined
def threshold_of(probability: float) -> int:
    """Give the number of words of 32 bits that fall below a probability: word w stands for (w + 1/2) / 2^32."""
    return min(max(int(np.ceil(probability * TWO_TO_32 - 0.5)), 0), LARGEST)


@device
def fill_thresholds(hazards: Floats, first: Index, stop: Index, m: Index, cell: Index, threshold: Words) -> None:
    """Fill where the moves `first` to `stop` - 1 out of a state end, one after the other; hazards: (v,), threshold: (m, i, cell).

    Behind the last move, the number of the others repeats where all have ended: the words from there on stay.
    """
    total = 0.0
    for v in range(first, stop):
        total += hazards[v]
    shared = -np.expm1(-total) / total if total > 0.0 else 0.0
    running = 0.0
    for i in range(threshold.shape[1]):
        running += hazards[first + i] if first + i < stop else 0.0
        threshold[m, i, cell] = threshold_of(running * shared)


@device
def fill_hazards(
    b: Index, c: Index, k: Index, first: Index, stop: Index, m: Index, moves: Moves, effects: Effects, change: Floats, out: Floats
) -> None:
    """Fill the hazards of the moves `first` to `stop` - 1 in a month of the clock, under the effects that multiply them.

    change: (c, j, m); out: (v,).
    """
    entry_row, entry_k = row_for(moves.by_entry, b), k if moves.by_entry.shape[1] > 1 else 0
    for v in range(first, stop):
        out[v] = moves.hazard[b, k, v] * moves.by_entry[entry_row, entry_k, v, m]
        for j in range(effects.of[v], effects.of[v + 1]):
            if effects.form[j] == HAZARD_RATIO and effects.acts[j, k]:
                out[v] *= change[c, j, m]


@device
def fill_tables(
    b: int,
    kind: Integers,
    moves: Moves,
    effects: Effects,
    change: Floats,
    hazards: Floats,
    hazard: Floats,
    threshold: Words,
) -> int:
    """Fill what the moves out of every state that is not walked come to in one replication.

    There is a cell for each course, in it each stratum and in it each state. change: (c, j, m); hazards: (v,), room; hazard:
    (cell, m) of leaving; threshold: (m, i, cell), where a word ends the stay by move i. One month stands for all where all states
    are steady. Gives how many probabilities were clipped.
    """
    n_courses, n_strata, n_states, n_months = effects.weight.shape[1], moves.hazard.shape[1], len(kind), moves.by_entry.shape[3]
    n_filled, clipped = len(threshold), 0
    for c in range(n_courses):
        for k in range(n_strata):
            for s in range(n_states):
                cell, first, stop = (c * n_strata + k) * n_states + s, moves.of[s], moves.of[s + 1]
                if kind[s] == WALKED:
                    continue
                on_probabilities = acts_on_probabilities(effects, first, stop)
                for m in range(n_filled):
                    if m > 0 and kind[s] == STEADY:
                        hazard[cell, m] = hazard[cell, 0]
                        for i in range(threshold.shape[1]):
                            threshold[m, i, cell] = threshold[0, i, cell]
                        continue
                    fill_hazards(b, c, k, first, stop, m, moves, effects, change, hazards)
                    if on_probabilities:
                        found = change_leaving(effects, change, c, k, m, first, stop, moves.period[s], hazards)
                        clipped += found * (n_months if kind[s] == STEADY else 1)
                    total = 0.0
                    for v in range(first, stop):
                        total += hazards[v]
                    hazard[cell, m] = total
                    fill_thresholds(hazards, first, stop, m, cell, threshold)
    return clipped
