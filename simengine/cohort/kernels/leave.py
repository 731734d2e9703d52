"""Say whether somebody leaves a state in a month, and by which move, where the hazards are the person's own."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.arrays import Floats, Index, Integers
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Moves, PackedWords, People
from simengine.cohort.kernels.effects import acts_on_probabilities, change_leaving, row_for
from simengine.cohort.kernels.hazards import TWO_TO_32, leaving_over, limited, threshold_of
from simengine.cohort.kernels.months import after, word_of

STAYS = -1


@inlined
def cannot_leave(word: Index, hazard: float) -> bool:
    """Return whether a word is above the threshold of all moves together, without their exponential: 1 - exp(-h) is at most h."""
    return bool(word >= hazard * TWO_TO_32 + 1.0)


@inlined
def pick_move(word: Index, hazards: Floats, first: Index, stop: Index) -> int:
    """Return the move among `first` to `stop` - 1 that a word makes, or say that the person stays; hazards: (v,).

    The thresholds are those of `fill_tables`.
    """
    total, running, chosen = 0.0, 0.0, STAYS
    for v in range(first, stop):
        total += hazards[v]
    if not cannot_leave(word, total):
        shared = leaving_over(total)
        for v in range(first, stop):
            running += hazards[v]
            if chosen == STAYS and word < threshold_of(running * shared):
                chosen = int(v)
    return chosen


@inlined
def pick_by_table(word: Index, threshold: PackedWords, running: Floats, row: Index, cell: Index, factor: float) -> int:
    """Do what `pick_move` does, by the tables of `fill_tables` and a factor on all moves; gives the place among them."""
    last, chosen = threshold.shape[1] - 1, STAYS
    if factor == 1.0:
        if word < threshold[np.uint32(row), np.uint32(last), np.uint32(cell)]:
            chosen = 0
            for i in range(last):
                chosen += word >= threshold[row, i, cell]
    elif not cannot_leave(word, running[row, last, cell] * factor):
        shared = leaving_over(running[row, last, cell] * factor) * factor
        for i in range(last, -1, -1):
            if word < threshold_of(running[row, i, cell] * shared):
                chosen = i
    return chosen


@device
def leave_walked(
    words: PackedWords,
    month: Index,
    end: Index,
    b: Index,
    p: Index,
    s: Index,
    since: Index,
    people: People,
    moves: Moves,
    effects: Effects,
    change: Floats,
    hazards: Floats,
    clipped: Integers,
) -> tuple[Index, int]:
    """Return the month from `month` on at whose end a state is left whose hazards change with more than the clock, and by which move.

    words: (4,), the state of the person's words, changed; change: (c, j, m); hazards: (v,), room; clipped: (1,), added to.
    """
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    hazard, by_entry, by_stay, by_calendar = moves.hazard, moves.by_entry, moves.by_stay, moves.by_calendar
    is_hit, factor, effects_of, form, acts = moves.acts, people.factor, effects.of, effects.form, effects.acts
    k, calendar, switch = people.stratum[p], people.calendar[p], people.switch[p]
    course, later = people.course[0, p], people.course[1, p]
    first, stop, period = moves.of[s], moves.of[s + 1], moves.period[s]
    entry_row, stay_row, calendar_row = row_for(by_entry, b), row_for(by_stay, b), row_for(by_calendar, b)
    entry_k, stay_k = k if by_entry.shape[1] > 1 else 0, k if by_stay.shape[1] > 1 else 0
    on_probabilities = acts_on_probabilities(effects_of, form, first, stop)
    w_0, w_1, w_2, w_3 = np.uint64(words[0]), np.uint64(words[1]), np.uint64(words[2]), np.uint64(words[3])
    chosen = STAYS
    while month < end and chosen == STAYS:
        c = course if month < switch else later
        for v in range(first, stop):
            rate = hazard[b, k, v] * by_entry[entry_row, entry_k, v, month] * by_stay[stay_row, stay_k, v, month - since]
            rate *= by_calendar[calendar_row, v, calendar + month]
            for f in range(len(is_hit)):
                if is_hit[f, v]:
                    rate *= factor[f, p]
            for j in range(effects_of[v], effects_of[v + 1]):
                if form[j] == HAZARD_RATIO and acts[j, k]:
                    rate *= change[c, j, month]
            hazards[v] = limited(rate)
        if on_probabilities:
            clipped[0] += change_leaving(effects, change, c, k, month, first, stop, period, hazards)
        chosen = pick_move(np.int64(word_of(w_0, w_3)), hazards, first, stop)
        w_0, w_1, w_2, w_3 = after(w_0, w_1, w_2, w_3)
        month += 1
    words[0], words[1], words[2], words[3] = np.uint32(w_0), np.uint32(w_1), np.uint32(w_2), np.uint32(w_3)
    return month - 1 if chosen != STAYS else end, chosen


@device
def factor_of_state(p: Index, s: Index, people: People, moves: Moves) -> float:
    """Return the person's factor on all moves out of a state that is not walked: it is the same for each of them."""
    factor = 1.0
    v = moves.of[s]
    if v < moves.of[s + 1]:
        for f in range(len(moves.acts)):
            if moves.acts[f, v]:
                factor *= people.factor[f, p]
    return limited(factor)
