"""Send people through their states sixteen abreast, where those of a stratum have the same hazards.

The words, the thresholds and so the lives are those of `walk`. A person is a lane; the person's stratum and state together are
a *cell*, and a table of a number for each cell fits into one register of a processor. A month is the same few instructions for
sixteen people: look up each cell's thresholds, count how many of them the word reaches, look up where that leads. Nothing
branches, so it costs the same whether people move or stay.

Two arms of the same people walk together and share the words. Four groups of lanes are on their way at once, two of each arm, for
one instruction does not wait for the other's result.

The months in each state are counted on the way: every lane has a counter of some bits for each state, all in one number, which is
unpacked before any of them is full. Stays are written where somebody asks for them.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined, kernel
from simengine.cohort.kernels.arrays import Effects, Floats, Integers, Moves, People, Shorts, Stays, Windows, Words
from simengine.cohort.kernels.effects import fill_changes
from simengine.cohort.kernels.hazards import fill_kinds, fill_tables
from simengine.cohort.kernels.lanes import (
    WIDTH,
    Lanes,
    add,
    add_where_reached,
    both,
    fill,
    load,
    look_up,
    philox_abreast,
    place_of_lowest,
    reaches,
    shift_right,
    store,
    where_changed_before,
)
from simengine.cohort.kernels.walk import WORDS_AT_AN_ADDRESS

MOST_CELLS = WIDTH
"""Strata times states."""
MOST_MOVES = 7
"""Out of one state: a number of 32 bits holds eight cells, one for each move and one for staying."""
_BITS_OF_A_CELL = 4
_PAIR = 2 * WIDTH
"""People who walk at once."""


@device
def fill_cells(n_strata: int, n_slots: int, bits: int, moves: Moves, fixed: Words) -> None:
    """Fill what the month of a cell comes to, whatever the hazards.

    That is where it leads, by the number of thresholds reached; what it adds to the packed counters; and how far a threshold
    that is reached shifts where it leads. fixed: (3 * WIDTH,), the one behind the other.
    """
    fixed[2 * WIDTH :] = _BITS_OF_A_CELL
    n_states = len(moves.of) - 1
    for k in range(n_strata):
        for s in range(n_states):
            cell = k * n_states + s
            leads = cell << (_BITS_OF_A_CELL * n_slots)
            for v in range(moves.of[s], moves.of[s + 1]):
                leads |= (k * n_states + moves.to[v]) << (_BITS_OF_A_CELL * (v - moves.of[s]))
            fixed[cell], fixed[WIDTH + cell] = leads, 1 << (bits * s)


@inlined
def moved(cell: Lanes, shift: Lanes, fixed: Words) -> Lanes:
    """Give the cells of the next month in the four lowest bits; the others hold nothing of use."""
    return shift_right(look_up(load(fixed, 0), cell), shift)


@device
def unpack(packed: Words, bits: int, n_states: int, months: Words) -> None:
    """Add the packed counters of each arm and group, (arm, group, lane), to the months, (arm, group, s, lane)."""
    most = fill(np.uint32((1 << bits) - 1))
    for group in range(4):
        for s in range(n_states):
            at = WIDTH * (group * n_states + s)
            here = both(shift_right(load(packed, WIDTH * group), fill(np.uint32(bits * s))), most)
            store(months, at, add(load(months, at), here))


@device
def close_window(month: int, horizon: Words, months: Words, n_states: int, closed: Words, w: int, n_windows: int) -> None:
    """Add the months of those who are followed until a month, (arm, group, s, lane), to a window, (arm, w, s, lane)."""
    for group in range(4):
        is_open = reaches(load(horizon, WIDTH * (group % 2)), fill(np.uint32(month)))
        for s in range(n_states):
            at, to = WIDTH * (group * n_states + s), WIDTH * ((group // 2 * n_windows + w) * n_states + s)
            store(closed, to, add(load(closed, to), both(load(months, at), is_open)))


@device
def next_cut(month: int, most: int, history: int, stops: Integers) -> int:
    """Give the next month before which counters are unpacked: a window closes, entry comes, or they may be full."""
    cut = month + most
    if month < history < cut:
        cut = history
    for w in range(len(stops)):
        if month < stops[w] < cut:
            cut = stops[w]
    return cut


@device
def write_stays(
    leaving: int,
    at: int,
    month: int,
    n_states: int,
    cell: Words,
    here: Words,
    first: Shorts,
    since: Shorts,
    clock: Integers,
    stays: Stays,
    done: int,
) -> int:
    """Write the stays of those who leave at the end of a month; gives how many are written then, or -1 where there is no room.

    leaving: a bit for each of a pair of groups; cell, here, first, since: (x,), where they go and, changed here, where they are.
    """
    person, state, first_of, stop_of, since_of = stays
    if done + _PAIR > len(person):
        return -1
    while leaving != 0:
        x = place_of_lowest(leaving)
        leaving &= leaving - 1
        there = cell[x] & np.uint32(MOST_CELLS - 1)
        s, to = here[x] % n_states, there % n_states
        person[done], state[done], first_of[done], stop_of[done], since_of[done] = at + x, s, first[x], month + 1, since[x]
        done += 1
        here[x], first[x] = there, month + 1
        if clock[to] != clock[s]:
            since[x] = month + 1
    return done


@device
def write_last_stays(
    at: int, n: int, n_states: int, end: Words, here: Words, first: Shorts, since: Shorts, stays: Stays, done: int
) -> int:
    """Write where each of `n` people is at the end, as `write_stays` does."""
    person, state, first_of, stop_of, since_of = stays
    if done + n > len(person):
        return -1
    for x in range(n):
        person[done], state[done], first_of[done] = at + x, here[x] % n_states, first[x]
        stop_of[done], since_of[done] = end[x] + 1, since[x]
        done += 1
    return done


@device
def add_lanes(closed: Words, at: int, b: int, person_months: Floats) -> None:
    """Add all lanes of the closed windows, (w, s, lane) from `at` on, to the months in states; person_months: (b, s, w)."""
    _, n_states, n_windows = person_months.shape
    for w in range(n_windows):
        for s in range(n_states):
            total = 0
            for lane in range(WIDTH):
                total += closed[at + (w * n_states + s) * WIDTH + lane]
            person_months[b, s, w] += total


@kernel
def walk_abreast(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    until: int,  # clock at which the walk stops, where the horizon does not stop it before
    windows: Windows,
    attempt: Words | None,  # (p,) as in people; nothing where everybody is the first candidate
    people: People,
    wants_stays: bool,
    moves: Moves,
    effects: Effects,
    stays: Stays,  # filled, where wanted
    person_months: Floats,  # (b, s, w) added to
    clipped: Integers,  # (b,) added to
    has_second: bool,  # whether a second arm walks; what follows is like the above, and else unused
    moves_2: Moves,
    effects_2: Effects,
    stays_2: Stays,
    person_months_2: Floats,
    clipped_2: Integers,
) -> tuple[int, int, int]:
    """Send the people of a batch through their states in one arm or two, and count their months in each state.

    Gives the segments and the stays of each arm that are done: when the room for stays runs out the last segments are left undone.
    """
    n_strata, n_months, n_states, n_segments = (
        moves.hazard.shape[1],
        moves.by_entry.shape[3],
        len(moves.of) - 1,
        len(people.begin) - 1,
    )
    n_windows, n_slots = len(windows.stop), 0
    for s in range(n_states):
        n_slots = max(n_slots, moves.of[s + 1] - moves.of[s])
    bits = min(32 // n_states, 16)
    most = (1 << bits) - 1
    kind, kind_2 = np.empty(n_states, np.int64), np.empty(n_states, np.int64)
    n_filled = 1 if fill_kinds(history, people.begin, people.row, moves, effects, kind) else n_months
    n_filled_2 = 1 if fill_kinds(history, people.begin, people.row, moves_2, effects_2, kind_2) else n_months
    hazards, hazard = np.empty(len(moves.to)), np.empty((MOST_CELLS, n_months))
    change, change_2 = np.empty((1, len(effects.form), n_filled)), np.empty((1, len(effects_2.form), n_filled_2))
    threshold = np.zeros((n_filled, n_slots, WIDTH), np.uint32)
    threshold_2 = np.zeros((n_filled_2, n_slots, WIDTH), np.uint32)
    step = n_slots * WIDTH
    fixed = np.zeros(3 * WIDTH, np.uint32)
    fill_cells(n_strata, n_slots, bits, moves, fixed)
    # Of the pair of groups that walks: who, where, until when; the months of each arm and group since entry; the closed windows of
    # the segment.
    number, index, cell = np.zeros(_PAIR, np.uint32), np.zeros(_PAIR, np.uint32), np.zeros(_PAIR, np.uint32)
    end, horizon = np.zeros(_PAIR, np.uint32), np.zeros(_PAIR, np.uint32)
    size = n_states * WIDTH
    packed, months, closed = (
        np.zeros(4 * WIDTH, np.uint32),
        np.zeros(4 * size, np.uint32),
        np.zeros(2 * n_windows * size, np.uint32),
    )
    here, first, since = np.zeros((2, _PAIR), np.uint32), np.zeros((2, _PAIR), np.int32), np.zeros((2, _PAIR), np.int32)
    zero = fill(np.uint32(0))
    done, done_2 = 0, 0
    for g in range(n_segments):
        begin, stop, before, before_2 = people.begin[g], people.begin[g + 1], done, done_2
        if begin == stop:
            continue
        b = people.row[begin]
        replication = np.uint64(replications[b])
        fill_changes(effects, b, history, change)
        clips, clips_2 = fill_tables(b, kind, moves, effects, change, hazards, hazard, threshold), 0
        if has_second:
            fill_changes(effects_2, b, history, change_2)
            clips_2 = fill_tables(b, kind_2, moves_2, effects_2, change_2, hazards, hazard, threshold_2)
        closed[:] = 0
        for at in range(begin, stop, _PAIR):
            longest = 0
            for x in range(_PAIR):
                if at + x < stop:
                    p = at + x
                    number[x], cell[x] = people.number[p], people.stratum[p] * n_states + people.state[p]
                    horizon[x], end[x] = people.end[p], min(people.end[p], until)
                    longest = max(longest, min(people.end[p], until))
                    if attempt is not None:
                        index[x] = attempt[p]
                else:
                    number[x], cell[x], horizon[x], end[x] = 0, 0, 0, 0
                here[0, x], first[0, x], since[0, x] = cell[x], 0, 0
                here[1, x], first[1, x], since[1, x] = cell[x], 0, 0
            months[:] = 0
            person_0, person_1, end_0, end_1 = load(number, 0), load(number, WIDTH), load(end, 0), load(end, WIDTH)
            a_0, a_1 = load(cell, 0), load(cell, WIDTH)
            b_0, b_1 = a_0, a_1
            in_a_0 = in_a_1 = in_b_0 = in_b_1 = zero
            u_0 = u_1 = u_2 = u_3 = v_0 = v_1 = v_2 = v_3 = zero
            cut = next_cut(0, most, history, windows.stop)
            for m in range(longest + 1):
                if m in (cut, longest):
                    store(packed, 0, in_a_0)
                    store(packed, WIDTH, in_a_1)
                    store(packed, 2 * WIDTH, in_b_0)
                    store(packed, 3 * WIDTH, in_b_1)
                    unpack(packed, bits, n_states, months)
                    in_a_0 = in_a_1 = in_b_0 = in_b_1 = zero
                    for w in range(n_windows):
                        if windows.stop[w] == m:
                            close_window(m, horizon, months, n_states, closed, w, n_windows)
                    if m == history:
                        months[:] = 0
                    cut = next_cut(m, most, history, windows.stop)
                    if m == longest:
                        break
                if m % WORDS_AT_AN_ADDRESS == 0:
                    address = np.uint64(m // WORDS_AT_AN_ADDRESS)
                    if attempt is None:
                        u_0, u_1, u_2, u_3 = philox_abreast(seed, address, person_0, replication, purpose)
                        v_0, v_1, v_2, v_3 = philox_abreast(seed, address, person_1, replication, purpose)
                    else:
                        block = fill(np.uint32(address))
                        u_0, u_1, u_2, u_3 = philox_abreast(seed, add(load(index, 0), block), person_0, replication, purpose)
                        v_0, v_1, v_2, v_3 = philox_abreast(seed, add(load(index, WIDTH), block), person_1, replication, purpose)
                one_month, shift = load(fixed, WIDTH), load(fixed, 2 * WIDTH)
                in_a_0, in_a_1 = add(in_a_0, look_up(one_month, a_0)), add(in_a_1, look_up(one_month, a_1))
                row = m * step if n_filled > 1 else 0
                by_0 = by_1 = zero
                for i in range(n_slots):
                    of_move = load(threshold, row + i * WIDTH)
                    by_0 = add_where_reached(by_0, shift, u_0, look_up(of_move, a_0))
                    by_1 = add_where_reached(by_1, shift, v_0, look_up(of_move, a_1))
                then_0, then_1 = moved(a_0, by_0, fixed), moved(a_1, by_1, fixed)
                if wants_stays:
                    now = fill(np.uint32(m))
                    leaving = where_changed_before(a_0, then_0, now, end_0) | (
                        where_changed_before(a_1, then_1, now, end_1) << WIDTH
                    )
                    if leaving != 0:
                        store(cell, 0, then_0)
                        store(cell, WIDTH, then_1)
                        done = write_stays(leaving, at, m, n_states, cell, here[0], first[0], since[0], moves.clock, stays, done)
                        if done < 0:
                            return g, before, before_2
                a_0, a_1 = then_0, then_1
                if has_second:
                    in_b_0, in_b_1 = add(in_b_0, look_up(one_month, b_0)), add(in_b_1, look_up(one_month, b_1))
                    row = m * step if n_filled_2 > 1 else 0
                    by_0 = by_1 = zero
                    for i in range(n_slots):
                        of_move = load(threshold_2, row + i * WIDTH)
                        by_0 = add_where_reached(by_0, shift, u_0, look_up(of_move, b_0))
                        by_1 = add_where_reached(by_1, shift, v_0, look_up(of_move, b_1))
                    then_0, then_1 = moved(b_0, by_0, fixed), moved(b_1, by_1, fixed)
                    if wants_stays:
                        now = fill(np.uint32(m))
                        leaving = where_changed_before(b_0, then_0, now, end_0) | (
                            where_changed_before(b_1, then_1, now, end_1) << WIDTH
                        )
                        if leaving != 0:
                            store(cell, 0, then_0)
                            store(cell, WIDTH, then_1)
                            done_2 = write_stays(
                                leaving, at, m, n_states, cell, here[1], first[1], since[1], moves.clock, stays_2, done_2
                            )
                            if done_2 < 0:
                                return g, before, before_2
                    b_0, b_1 = then_0, then_1
                u_0, u_1, u_2, v_0, v_1, v_2 = u_1, u_2, u_3, v_1, v_2, v_3
            if wants_stays:
                done = write_last_stays(at, min(_PAIR, stop - at), n_states, end, here[0], first[0], since[0], stays, done)
                if done >= 0 and has_second:
                    done_2 = write_last_stays(
                        at, min(_PAIR, stop - at), n_states, end, here[1], first[1], since[1], stays_2, done_2
                    )
                if done < 0 or done_2 < 0:
                    return g, before, before_2
        add_lanes(closed, 0, b, person_months)
        clipped[b] += clips
        if has_second:
            add_lanes(closed, n_windows * size, b, person_months_2)
            clipped_2[b] += clips_2
    return n_segments, done, done_2
