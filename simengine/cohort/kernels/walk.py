"""Send people through their states, stay by stay.

One uniform decides how long a person stays in a state, another where the person goes. Both have the address (person, month
of the clock at which the state is entered), so a person who enters the same state in the same month of two arms has the same
luck from there on: with no effect the arms are equal person by person.

The clock: in month m (m = 0, 1, ...) a person is in one state for the whole month; the move, if any, happens at the end of
the month. A stay that begins in month a ends with the first month m whose cumulative hazard, from the beginning of a to the
end of m, reaches -log(u): the same law as one draw a month, for one draw a stay.

Everybody's next stay is drawn in one sweep over several segments. A sweep goes through short loops, one after the other, most
of which the compiler turns into vector instructions: draws and their logarithms, the end of each stay as if its hazard were
steady, then the ends of the others, then the moves of those who move. The next sweep begins where it wrote them: behind it.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.cohort.kernels.arrays import Effects, Flags, Integers, Moves, People, Stays
from simengine.cohort.kernels.draws import fill_draws
from simengine.cohort.kernels.effects import fill_changes
from simengine.cohort.kernels.hazards import BY_MONTH, STEADY, WALKED, fill_kinds, fill_tables
from simengine.cohort.kernels.leave import LONG, factor_of_state, last_month, leave_switching, leave_walked, pick_move

_ROOM_FOR_TABLES = 1 << 15
"""Numbers in the tables of the segments that share a sweep, about: what a processor's second cache holds easily."""
_AT_ONCE = 512
"""Stays that are drawn side by side: what a processor's first cache holds."""


@kernel
def walk(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    until: int,  # clock at which the walk stops, where the horizon does not stop it before
    is_walked: Flags | None,  # (s,) as in moves; nothing where no state is walked: then what walks is not even compiled
    switch: Integers | None,  # (p,) as in people; nothing where nobody can switch courses, in the same way
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
    n_states, n_segments, n_effects, room = len(moves.of) - 1, len(people.begin) - 1, len(effects.form), len(stays.person)
    kind = np.empty(n_states, np.int64)
    is_all_steady = fill_kinds(history, people.begin, people.row, moves, effects, kind)
    has_factors = len(moves.acts) > 0
    # Tables of the segments that share a sweep: a row for each segment and, in it, each course and stratum.
    n_rows = n_courses * n_strata
    n_filled = 1 if is_all_steady else n_months
    size = n_rows * (n_moves * n_filled + n_states * n_filled) + n_courses * n_effects * n_filled
    n_together = min(max(_ROOM_FOR_TABLES // max(size, 1), 1), max(n_segments, 1))
    change = np.empty((n_together, n_courses, n_effects, n_filled))
    hazard, running = np.empty((n_together * n_rows, n_moves, n_filled)), np.empty((n_together * n_rows, n_moves))
    pace, mean = np.zeros(n_together * n_rows * n_states), np.zeros(n_together * n_rows * n_states)
    gathered = np.empty(n_together * n_rows * n_states * (n_filled + 1))
    # Of everybody still in a sweep: row of the tables, end, and address of the stay. Indices are unsigned where it is hot: of a
    # signed one the compiler asks each time whether it counts from the end.
    n_people = len(people.row)
    row, end = np.empty(n_people, np.int32), np.empty(n_people, np.int32)
    number, replication, index = np.empty(n_people, np.uint32), np.empty(n_people, np.uint32), np.empty(n_people, np.uint32)
    to_spend, to_move, uniform, fraction = np.empty(_AT_ONCE), np.empty(_AT_ONCE), np.empty(_AT_ONCE), np.empty(_AT_ONCE)
    last, move, moved = np.empty(_AT_ONCE, np.int32), np.empty(_AT_ONCE, np.int32), np.empty(_AT_ONCE, np.uint32)
    one, clipped_here = np.empty(n_moves), np.zeros(n_together, np.int64)
    person, state, first, stop_of, since = stays
    moves_of, moves_to, to_of = moves.of[:-1].copy(), moves.of[1:] - 1, moves.to
    has_clocks = False
    for s in range(n_states):
        has_clocks |= moves.clock[s] != s
    done = 0
    for g_first in range(0, n_segments, n_together):
        g_stop = min(g_first + n_together, n_segments)
        n_active = people.begin[g_stop] - people.begin[g_first]
        before = done
        if done + n_active > room:
            return g_first, before
        y = 0
        for g in range(g_first, g_stop):
            if people.begin[g] == people.begin[g + 1]:
                continue
            b, at = people.row[people.begin[g]], (g - g_first) * n_rows
            fill_changes(effects, b, history, change[g - g_first])
            clipped_here[g - g_first] = fill_tables(
                b, at, kind, moves, effects, change[g - g_first], hazard, running, pace, mean, gathered
            )
            for p in range(people.begin[g], people.begin[g + 1]):
                person[done + y], state[done + y], first[done + y], since[done + y] = p, people.state[p], 0, 0
                row[y], end[y] = at + people.course[0, p] * n_strata + people.stratum[p], min(people.end[p], until)
                number[y], index[y], replication[y] = people.number[p], people.attempt[p], np.uint32(replications[b])
                y += 1
        while n_active > 0:
            if done + 2 * n_active > room:
                return g_first, before
            n_moved = 0
            person_next, state_next = person[done + n_active :], state[done + n_active :]
            first_next, since_next = first[done + n_active :], since[done + n_active :]
            for at in range(0, n_active, _AT_ONCE):
                n = min(_AT_ONCE, n_active - at)
                here, there = slice(at, at + n), slice(done + at, done + at + n)
                row_x, end_x, number_x, replication_x, index_x = row[here], end[here], number[here], replication[here], index[here]
                person_x, state_x, since_x = person[there], state[there], since[there]
                first_x, stop_x = first[there], stop_of[there]
                fill_draws(seed, purpose, replication_x, number_x, index_x, to_spend, to_move, uniform, fraction)
                if has_factors:
                    for x in range(n):
                        if kind[state_x[x]] != WALKED:
                            to_spend[x] /= max(factor_of_state(person_x[x], state_x[x], people, moves), 1e-300)
                for x in range(n):
                    months = np.int32(min(to_spend[x] * mean[np.uint32(row_x[x] * n_states + state_x[x])], LONG))
                    last[x] = min(first_x[x] + months, end_x[x])
                if n_courses > 1 or not is_all_steady:
                    for x in range(n):
                        p, s, a = person_x[x], state_x[x], first_x[x]
                        if is_walked is not None and is_walked[s]:
                            b, g = people.row[p], row_x[x] // n_rows
                            last[x], move[x] = leave_walked(
                                b, g, p, s, a, since_x[x], end_x[x], to_spend[x], to_move[x],
                                people, moves, effects, change[g], one, clipped_here,
                            )  # fmt: skip
                            continue
                        line = row_x[x] * n_states + s
                        if switch is not None and a < switch[p] < end_x[x]:
                            beyond = (people.course[1, p] - people.course[0, p]) * n_strata * n_states
                            last[x] = leave_switching(
                                kind[s] == STEADY,
                                pace,
                                mean,
                                gathered,
                                n_filled + 1,
                                line,
                                beyond,
                                a,
                                switch[p],
                                end_x[x],
                                to_spend[x],
                            )
                        elif kind[s] == BY_MONTH and a < end_x[x]:
                            last[x] = last_month(gathered, line * (n_filled + 1), a, end_x[x], to_spend[x])
                n_leaving = 0
                for x in range(n):
                    stop_x[x] = last[x] + 1
                    moved[n_leaving] = x
                    n_leaving += last[x] < end_x[x]
                for i in range(n_leaving):
                    x = moved[i]
                    p, origin, month = person_x[x], np.uint32(state_x[x]), last[x]
                    r = then = row_x[x]
                    if switch is not None and first_x[x] < switch[p] <= month + 1:
                        then = r + (people.course[1, p] - people.course[0, p]) * n_strata
                        r = then if switch[p] <= month else r
                    v = moves_of[origin]
                    if kind[origin] == STEADY:
                        before, stop = v, moves_to[origin]
                        goal = to_move[x] * running[np.uint32(r), np.uint32(stop)]
                        for w in range(before, stop):
                            v += running[np.uint32(r), np.uint32(w)] <= goal
                    elif kind[origin] == BY_MONTH:
                        v = pick_move(hazard, r, month, v, moves_to[origin] + 1, to_move[x])
                    else:
                        v = move[x]
                    new, to = np.uint32(n_moved), to_of[np.uint32(v)]
                    person_next[new], state_next[new], first_next[new] = p, to, month + 1
                    since_next[new] = since_x[x] if has_clocks and moves.clock[to] == moves.clock[origin] else month + 1
                    row[new], end[new], number[new], replication[new] = then, end_x[x], number_x[x], replication_x[x]
                    index[new] = index_x[x] + np.uint32(month + 1 - first_x[x])
                    n_moved += 1
            done += n_active
            n_active = n_moved
        for g in range(g_first, g_stop):
            if people.begin[g] < people.begin[g + 1]:
                clipped[people.row[people.begin[g]]] += clipped_here[g - g_first]
    return n_segments, done
