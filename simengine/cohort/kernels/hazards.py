"""Turn the hazards of the moves out of every state into thresholds: a month's random word below one of them ends the stay."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.arrays import Flags, Floats, Integers
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Moves, PackedWords
from simengine.cohort.kernels.effects import change_leaving, fill_changes, row_for

TWO_TO_32 = 2.0**32
LARGEST = 2.0**32 - 1.0
LARGEST_HAZARD = 1e150
"""Who has a larger one leaves all the same; sums and products of so large ones are still numbers."""


@device
def most_moves(of: Integers) -> int:
    """Return the largest number of moves out of one state; of: as in moves."""
    most = 0
    for s in range(len(of) - 1):
        most = max(most, of[s + 1] - of[s])
    return most


@device
def fill_steps(moves: Moves, b: int, is_step: Flags) -> None:
    """Say of every state and month whether a move out of it has another factor than in the month before; is_step: (s, m).

    Of states that are walked nothing is said.
    """
    by_entry, of, is_walked = moves.by_entry, moves.of, moves.is_walked
    row = row_for(by_entry, b)
    is_step[:] = False
    for s in range(len(is_walked)):
        if is_walked[s]:
            continue
        for k in range(by_entry.shape[1]):
            for v in range(of[s], of[s + 1]):
                for m in range(1, is_step.shape[1]):
                    is_step[s, m] |= by_entry[row, k, v, m] != by_entry[row, k, v, m - 1]


@device
def fill_rows(is_step: Flags, change: Floats, rows: Integers, opens: Integers) -> int:
    """Return months side by side that have the same hazards one row of the tables, and say how many rows there are.

    Factors come in steps, and most effects neither grow nor fade: then few rows serve all months. is_step: (s, m); rows: (m,);
    opens: (row + 1,), the first month of each row, and behind the last the number of months; change: (c, j, m).
    """
    last = 0
    rows[:] = 0
    for s in range(is_step.shape[0]):
        for m in range(1, len(rows)):
            rows[m] |= is_step[s, m]
    for c in range(change.shape[0]):
        for j in range(change.shape[1]):
            for m in range(1, len(rows)):
                rows[m] |= change[c, j, m] != change[c, j, m - 1]
    opens[0] = 0
    for m in range(1, len(rows)):
        if rows[m]:
            last += 1
            opens[last] = m
        rows[m] = last
    opens[last + 1] = len(rows)
    return last + 1


@inlined
def limited(hazard: float) -> float:
    """Return a hazard, or a factor on hazards, with which one can calculate, however large it is."""
    return LARGEST_HAZARD if hazard > LARGEST_HAZARD else hazard


@inlined
def threshold_of(probability: float) -> int:
    """Return the number of words of 32 bits that fall below a probability: word w stands for (w + 1/2) / 2^32."""
    return int(min(max(np.ceil(probability * TWO_TO_32 - 0.5), 0.0), LARGEST))


@inlined
def leaving_over(hazard: float) -> float:
    """Return the probability of leaving in a month over its hazard; what cancels here is far below a threshold's step of 2^-32."""
    return (1.0 - np.exp(-hazard)) / hazard if hazard > 0.0 else 0.0


@device
def fill_tables(
    b: int,
    n_rows: int,
    opens: Integers,
    is_step: Flags,
    moves: Moves,
    effects: Effects,
    change: Floats,
    hazards: Floats,
    running: Floats,
    threshold: PackedWords,
) -> int:
    """Fill what the moves out of every state that is not walked come to in one replication.

    There is a cell for each course, in it each stratum and in it each state. opens, is_step: as `fill_rows` and `fill_steps` fill
    them; change: (c, j, m); hazards: (v,), room; threshold: (row, i, cell), where a word ends the stay by move i; running: the same
    shape, what the hazards of the moves up to i add up to, or (0, 0, 0) where nobody asks. Behind the last move both repeat: the
    words from there on stay. Gives how many probabilities were clipped.
    """
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    base, by_entry, of_moves, period, is_walked = moves.hazard, moves.by_entry, moves.of, moves.period, moves.is_walked
    of_effects, form, acts = effects.of, effects.form, effects.acts
    n_courses, n_strata, n_states = effects.weight.shape[1], base.shape[1], len(is_walked)
    n_cells = n_courses * n_strata * n_states
    n_slots, entry_row, clipped, is_kept = threshold.shape[1], row_for(by_entry, b), 0, len(running) > 0
    for row in range(n_rows):
        m, last_m = opens[row], opens[max(row - 1, 0)]
        for i in range(n_slots if row > 0 else 0):  # what makes a new row for one state leaves most others as they are
            for cell in range(n_cells):
                threshold[row, i, cell] = threshold[row - 1, i, cell]
            for cell in range(n_cells if is_kept else 0):
                running[row, i, cell] = running[row - 1, i, cell]
        for s in range(n_states):
            first, stop = of_moves[s], of_moves[s + 1]
            is_new, on_probabilities = row == 0 or is_step[s, m], False
            for j in range(of_effects[first], of_effects[stop]):
                on_probabilities |= form[j] != HAZARD_RATIO
                for c in range(n_courses):
                    is_new |= change[c, j, m] != change[c, j, last_m]
            if is_walked[s] or not (is_new or on_probabilities):
                continue
            for c in range(n_courses):
                for k in range(n_strata):
                    entry_k, cell = k if by_entry.shape[1] > 1 else 0, (c * n_strata + k) * n_states + s
                    for v in range(first, stop):
                        hazards[v] = base[b, k, v] * by_entry[entry_row, entry_k, v, m]
                        for j in range(of_effects[v], of_effects[v + 1]):
                            if form[j] == HAZARD_RATIO and acts[j, k]:
                                hazards[v] *= change[c, j, m]
                        hazards[v] = limited(hazards[v])
                    if on_probabilities:
                        found = change_leaving(effects, change, c, k, m, first, stop, period[s], hazards)
                        clipped += found * (opens[row + 1] - m)
                    total = 0.0
                    for v in range(first, stop):
                        total += hazards[v]
                    shared, before = leaving_over(total), 0.0
                    for i in range(n_slots):
                        before += hazards[first + i] if first + i < stop else 0.0
                        threshold[row, i, cell] = threshold_of(before * shared)
                        if is_kept:
                            running[row, i, cell] = before
    return clipped


@inlined
def fill_replication(
    b: int,
    history: int,
    is_step: Flags,
    moves: Moves,
    effects: Effects,
    change: Floats,
    rows: Integers,
    opens: Integers,
    hazards: Floats,
    running: Floats,
    threshold: PackedWords,
) -> int:
    """Fill the tables of one replication: changes, rows and thresholds. Gives how many probabilities were clipped.

    is_step: (s, m), filled before where one table of factors serves all replications. The others as in `fill_changes`, `fill_rows`
    and `fill_tables`.
    """
    fill_changes(effects, b, history, change)
    if len(moves.by_entry) > 1:
        fill_steps(moves, b, is_step)
    n_rows = fill_rows(is_step, change, rows, opens)
    return int(fill_tables(b, n_rows, opens, is_step, moves, effects, change, hazards, running, threshold))
