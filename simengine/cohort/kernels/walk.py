"""Walk people through their states, month by month.

In month m (m = 0, 1, ...) a person is in one state for the whole month; the move, if any, happens at the end of the month. Each
month of the clock has one random word of 32 bits, the person's own (`months.py`). The moves out of a state divide the words
among themselves in order, each by its probability in that month; the words above the last of them stay. So

- a person who is in the same state in two arms has the same draw there, whatever happened before: with no effect the arms are
  equal person by person, and after a detour they meet again;
- with a larger hazard nobody leaves a state later.

Here people go one by one, by all that a study may say. Where all of a stratum have the same hazards they go abreast:
`walk_vector.py`, with the same words and thresholds.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.arrays import Flags, Index, Integers
from simengine.cohort.kernels.arrays import Effects, Moves, People, Stays
from simengine.cohort.kernels.enter import largest_segment
from simengine.cohort.kernels.hazards import fill_replication, fill_steps, most_moves
from simengine.cohort.kernels.leave import STAYS, factor_of_state, leave_walked, pick_by_table
from simengine.cohort.kernels.months import after, word_of
from simengine.streams import fill_words


@kernel
def walk_people(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    until: int,  # clock at which the walk stops, where the horizon does not stop it before
    is_walked: Flags | None,  # (s,) as in moves; nothing where no state is walked: then what walks is not even compiled
    people: People,
    moves: Moves,
    effects: Effects,
    stays: Stays,  # filled
    clipped: Integers,  # (b,) added to
) -> tuple[int, int]:
    """Send the people of a batch through their states.

    Gives the segments and the stays that are done: when the room for stays runs out the last segments are left undone.
    """
    n_courses, n_strata, n_months, n_moves = effects.weight.shape[1], moves.hazard.shape[1], moves.by_entry.shape[3], len(moves.to)
    n_states, n_segments, room = len(moves.of) - 1, len(people.begin) - 1, len(stays.person)
    n_slots, n_cells = most_moves(moves.of), n_courses * n_strata * n_states
    change, hazards = np.empty((n_courses, len(effects.form), n_months)), np.empty(n_moves)
    running, threshold = np.zeros((n_months, n_slots, n_cells)), np.zeros((n_months, n_slots, n_cells), np.uint32)
    is_step, rows, opens = np.zeros((n_states, n_months), np.bool_), np.zeros(n_months, np.int64), np.zeros(n_months + 1, np.int64)
    if len(moves.by_entry) == 1:
        fill_steps(moves, 0, is_step)
    words, own = np.empty((4, largest_segment(people.begin)), np.uint32), np.empty(4, np.uint32)
    clipped_here, has_factors, last, moves_of = np.zeros(1, np.int64), len(moves.acts) > 0, n_slots - 1, moves.of
    person, state, first_of, stop_of, since_of = stays
    done = 0
    for g in range(n_segments):
        begin, stop, before = people.begin[g], people.begin[g + 1], done
        if begin == stop:
            continue
        b = people.row[begin]
        clipped_here[0] = fill_replication(b, history, is_step, moves, effects, change, rows, opens, hazards, running, threshold)
        fill_words(seed, np.uint64(replications[b]), purpose, people.attempt[begin:stop], people.number[begin:stop], words)
        for p in range(begin, stop):
            s, end = people.state[p], min(people.end[p], until)
            first: Index = 0
            since: Index = 0
            if done + end + 1 > room:
                return g, before
            cell = (people.course[0, p] * n_strata + people.stratum[p]) * n_states
            later = (people.course[1, p] * n_strata + people.stratum[p]) * n_states
            x = p - begin
            w_0, w_1, w_2, w_3 = np.uint64(words[0, x]), np.uint64(words[1, x]), np.uint64(words[2, x]), np.uint64(words[3, x])
            switch = people.switch[p]
            while True:
                month, v = end, STAYS
                if is_walked is not None and is_walked[s]:
                    own[0], own[1], own[2], own[3] = np.uint32(w_0), np.uint32(w_1), np.uint32(w_2), np.uint32(w_3)
                    month, v = leave_walked(own, first, end, b, p, s, since, people, moves, effects, change, hazards, clipped_here)
                    w_0, w_1, w_2, w_3 = np.uint64(own[0]), np.uint64(own[1]), np.uint64(own[2]), np.uint64(own[3])
                elif last >= 0:
                    factor = factor_of_state(p, s, people, moves) if has_factors else 1.0
                    for m in range(first, end):
                        at, row = (cell if m < switch else later) + s, rows[np.uint32(m)]
                        word = np.int64(word_of(w_0, w_3))
                        w_0, w_1, w_2, w_3 = after(w_0, w_1, w_2, w_3)
                        i = pick_by_table(word, threshold, running, row, at, factor)
                        if i != STAYS:
                            month, v = m, moves_of[s] + i
                            break
                if month == end:
                    break
                person[done], state[done], first_of[done], stop_of[done], since_of[done] = p, s, first, month + 1, since
                done += 1
                to = moves.to[v]
                since = since if moves.clock[to] == moves.clock[s] else month + 1
                s, first = to, month + 1
            person[done], state[done], first_of[done], stop_of[done], since_of[done] = p, s, first, end + 1, since
            done += 1
        clipped[b] += clipped_here[0]
    return n_segments, done
