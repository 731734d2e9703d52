"""Say whether somebody leaves a state in a month, and by which move, where the hazards are the person's own."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Floats, Integers, Moves, People
from simengine.cohort.kernels.effects import acts_on_probabilities, change_leaving, row_for
from simengine.cohort.kernels.hazards import TWO_TO_32, leaving_over, threshold_of

Index = int | np.int64

STAYS = -1


@inlined
def cannot_leave(word: Index, hazard: float) -> bool:
    """Say whether a word is above the threshold of all moves together, without their exponential: 1 - exp(-h) is at most h."""
    return bool(word >= hazard * TWO_TO_32 + 1.0)


@device
def pick_move(word: Index, hazards: Floats, first: Index, stop: Index) -> int:
    """Give the move among `first` to `stop` - 1 that a word makes, or say that the person stays; hazards: (v,).

    The thresholds are those of `fill_tables`.
    """
    total = 0.0
    for v in range(first, stop):
        total += hazards[v]
    if total > 0.0 and not cannot_leave(word, total):
        shared, running = leaving_over(total), 0.0
        for v in range(first, stop):
            running += hazards[v]
            if word < threshold_of(running * shared):
                return int(v)
    return STAYS


@device
def pick_faster(word: Index, running: Floats, m: Index, cell: Index, factor: float) -> int:
    """Give the number of the move among those out of a state that a word makes where all hazards are multiplied, or STAYS.

    running: (m, i, cell), what the hazards add up to, as `fill_tables` fills it.
    """
    last = running.shape[1] - 1
    total = running[m, last, cell] * factor if last >= 0 else 0.0
    if total > 0.0 and not cannot_leave(word, total):
        shared = leaving_over(total) * factor
        for i in range(last + 1):
            if word < threshold_of(running[m, i, cell] * shared):
                return i
    return STAYS


@device
def leave_walked(
    word: Index,
    b: Index,
    p: Index,
    s: Index,
    c: Index,
    month: Index,
    since: Index,
    people: People,
    moves: Moves,
    effects: Effects,
    change: Floats,
    hazards: Floats,
    clipped: Integers,
) -> int:
    """Do what `pick_move` does in a state whose hazards change with more than the clock.

    change: (c, j, m); hazards: (v,), room; clipped: (1,), added to.
    """
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    hazard, by_entry, by_stay, by_calendar = moves.hazard, moves.by_entry, moves.by_stay, moves.by_calendar
    is_hit, factor, effects_of, form, acts = moves.acts, people.factor, effects.of, effects.form, effects.acts
    k, calendar = people.stratum[p], people.calendar[p]
    first, stop = moves.of[s], moves.of[s + 1]
    entry_row, stay_row, calendar_row = row_for(by_entry, b), row_for(by_stay, b), row_for(by_calendar, b)
    entry_k, stay_k = k if by_entry.shape[1] > 1 else 0, k if by_stay.shape[1] > 1 else 0
    for v in range(first, stop):
        rate = hazard[b, k, v] * by_entry[entry_row, entry_k, v, month] * by_stay[stay_row, stay_k, v, month - since]
        rate *= by_calendar[calendar_row, v, calendar + month]
        for f in range(len(is_hit)):
            if is_hit[f, v]:
                rate *= factor[f, p]
        for j in range(effects_of[v], effects_of[v + 1]):
            if form[j] == HAZARD_RATIO and acts[j, k]:
                rate *= change[c, j, month]
        hazards[v] = rate
    if acts_on_probabilities(effects_of, form, first, stop):
        clipped[0] += change_leaving(effects, change, c, k, month, first, stop, moves.period[s], hazards)
    return pick_move(word, hazards, first, stop)


@device
def factor_of_state(p: Index, s: Index, people: People, moves: Moves) -> float:
    """Give the person's factor on all moves out of a state that is not walked: it is the same for each of them."""
    factor = 1.0
    v = moves.of[s]
    if v < moves.of[s + 1]:
        for f in range(len(moves.acts)):
            if moves.acts[f, v]:
                factor *= people.factor[f, p]
    return factor
