"""Turn the hazards of the moves out of every state into thresholds: a month's random word below one of them ends the stay."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Floats, Integers, Moves, Shorts, Words
from simengine.cohort.kernels.effects import acts_on_probabilities, change_leaving, row_for

Index = int | np.int64

TWO_TO_32 = 2.0**32
LARGEST = 2.0**32 - 1.0
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
def fill_kinds(history: int, begin: Integers, row: Shorts, moves: Moves, effects: Effects, kind: Integers) -> bool:
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
    return int(min(max(np.ceil(probability * TWO_TO_32 - 0.5), 0.0), LARGEST))


@inlined
def leaving_over(hazard: float) -> float:
    """Give the probability of leaving in a month over its hazard; what cancels here is far below a threshold's step of 2^-32."""
    return (1.0 - np.exp(-hazard)) / hazard if hazard > 0.0 else 0.0


@device
def fill_tables(
    b: int,
    kind: Integers,
    moves: Moves,
    effects: Effects,
    change: Floats,
    hazards: Floats,
    running: Floats,
    threshold: Words,
) -> int:
    """Fill what the moves out of every state that is not walked come to in one replication.

    There is a cell for each course, in it each stratum and in it each state. change: (c, j, m); hazards: (v,), room; threshold:
    (m, i, cell), where a word ends the stay by move i; running: the same shape, what the hazards of the moves up to i add up to, or
    (0, 0, 0) where nobody asks. Behind the last move both repeat: the words from there on stay. One month stands for all where all
    states are steady. Gives how many probabilities were clipped.
    """
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    base, by_entry, of_moves, period = moves.hazard, moves.by_entry, moves.of, moves.period
    of_effects, form, acts = effects.of, effects.form, effects.acts
    n_courses, n_strata, n_states, n_months = effects.weight.shape[1], base.shape[1], len(kind), by_entry.shape[3]
    n_filled, n_slots, entry_row, clipped, is_kept = len(threshold), threshold.shape[1], row_for(by_entry, b), 0, len(running) > 0
    for c in range(n_courses):
        for k in range(n_strata):
            entry_k = k if by_entry.shape[1] > 1 else 0
            for s in range(n_states):
                cell, first, stop = (c * n_strata + k) * n_states + s, of_moves[s], of_moves[s + 1]
                if kind[s] == WALKED:
                    continue
                on_probabilities = acts_on_probabilities(of_effects, form, first, stop)
                for m in range(n_filled if kind[s] == BY_MONTH else 1):
                    for v in range(first, stop):
                        hazards[v] = base[b, k, v] * by_entry[entry_row, entry_k, v, m]
                        for j in range(of_effects[v], of_effects[v + 1]):
                            if form[j] == HAZARD_RATIO and acts[j, k]:
                                hazards[v] *= change[c, j, m]
                    if on_probabilities:
                        found = change_leaving(effects, change, c, k, m, first, stop, period[s], hazards)
                        clipped += found * (n_months if kind[s] == STEADY else 1)
                    total = 0.0
                    for v in range(first, stop):
                        total += hazards[v]
                    shared, before = leaving_over(total), 0.0
                    for i in range(n_slots):
                        before += hazards[first + i] if first + i < stop else 0.0
                        threshold[m, i, cell] = threshold_of(before * shared)
                        if is_kept:
                            running[m, i, cell] = before
                for m in range(1, n_filled if kind[s] == STEADY else 0):
                    for i in range(n_slots):
                        threshold[m, i, cell] = threshold[0, i, cell]
                        if is_kept:
                            running[m, i, cell] = running[0, i, cell]
    return clipped
