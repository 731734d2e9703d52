"""What a pair of groups of sixteen people does from one look at them to the next: months, counts, stays.

A person is a lane; the person's stratum and state together are a *cell*, and a table of a number for each cell fits into one
register of a processor. A month is the same few instructions for sixteen people: look up each cell's thresholds, count how many of
them the word reaches, look up where that leads. Nothing branches, so it costs the same whether people move or stay.

The months in each state are counted on the way: every lane has a counter of some bits for each state, all in one number, which is
unpacked before any of them is full.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.arrays import Floats, Index, Integers
from simengine.cohort.kernels.arrays import PackedWords, Shorts, Stays
from simengine.cohort.kernels.months import after_all, words_of
from simengine.cohort.kernels.vector_operations import (
    WIDTH,
    Lanes,
    add,
    add_where_reached,
    both,
    fill,
    load,
    look_up,
    place_of_lowest,
    reaches,
    shift_right,
    store_lanes,
    where_changed_before,
)

PAIR = 2 * WIDTH
"""People who walk at once."""
WRITTEN_OUT = 4
"""Moves out of a state for which there is always room in the tables."""
MONTHS = 64
"""Months that a pair walks before anybody looks what became of it, at most."""


@inlined
def pair_reached(by: Lanes, shift: Lanes, word: Lanes, cell: Lanes, of_move: Lanes) -> Lanes:
    """Add the shift of one move where the word is not below its threshold in the cell."""
    return add_where_reached(by, shift, word, look_up(of_move, cell))


@inlined
def four_reached(shift: Lanes, word: Lanes, cell: Lanes, first: Lanes, second: Lanes, third: Lanes, fourth: Lanes) -> Lanes:
    """Add up the shifts of the first four moves, written out: a loop of so few steps costs as much as what it does."""
    by = pair_reached(fill(np.uint32(0)), shift, word, cell, first)
    by = pair_reached(by, shift, word, cell, second)
    by = pair_reached(by, shift, word, cell, third)
    return pair_reached(by, shift, word, cell, fourth)


@device
def room_for(n: int) -> PackedWords:
    """Make room for words of 32 bits that begins where a line of the processor's cache does: lanes fill one, not two halves."""
    room = np.zeros(n + WIDTH, np.uint32)
    before = -(room.ctypes.data // 4) % WIDTH
    return room[before : before + n]


@device
def fill_month_words(n_months: int, state: PackedWords, words: PackedWords) -> None:
    """Fill the next words of a pair, (month, group, lane); state: (group, word of the state, lane), changed."""
    u_0, u_1, u_2, u_3 = load(state, 0), load(state, WIDTH), load(state, 2 * WIDTH), load(state, 3 * WIDTH)
    v_0, v_1, v_2, v_3 = load(state, 4 * WIDTH), load(state, 5 * WIDTH), load(state, 6 * WIDTH), load(state, 7 * WIDTH)
    for i in range(n_months):
        store_lanes(words, i * PAIR, words_of(u_0, u_3))
        store_lanes(words, i * PAIR + WIDTH, words_of(v_0, v_3))
        u_0, u_1, u_2, u_3 = after_all(u_0, u_1, u_2, u_3)
        v_0, v_1, v_2, v_3 = after_all(v_0, v_1, v_2, v_3)
    store_lanes(state, 0, u_0)
    store_lanes(state, WIDTH, u_1)
    store_lanes(state, 2 * WIDTH, u_2)
    store_lanes(state, 3 * WIDTH, u_3)
    store_lanes(state, 4 * WIDTH, v_0)
    store_lanes(state, 5 * WIDTH, v_1)
    store_lanes(state, 6 * WIDTH, v_2)
    store_lanes(state, 7 * WIDTH, v_3)


@device
def walk_months(
    first: int,
    stop: int,
    words: PackedWords,
    cells: PackedWords,
    packed: PackedWords,
    end: PackedWords,
    threshold: PackedWords,
    rows: Integers,
    has_second: bool,
    threshold_2: PackedWords,
    rows_2: Integers,
    n_slots: int,
    fixed: PackedWords,
    wants_stays: bool,
    trace: PackedWords,
    leaving: Integers,
) -> None:
    """Send a pair of groups through the months `first` to `stop` - 1, in one arm or two.

    words: (month, group, lane); cells: (arm, group, lane), changed; packed: the same shape, filled; end: (group, lane). Where stays
    are wanted, trace: (month, arm, group, lane), where they are afterwards, and leaving: (arm, month), a bit for each who moved.

    Two groups in two arms are four chains of instructions, of which one does not wait for another. All that changes stays in a
    processor's registers: so no array is handed on in the loop, which would count references.
    """
    a, a_beside, b, b_beside = load(cells, 0), load(cells, WIDTH), load(cells, 2 * WIDTH), load(cells, 3 * WIDTH)
    in_a = in_a_beside = in_b = in_b_beside = fill(np.uint32(0))
    leads, one_month, shift, step = load(fixed, 0), load(fixed, WIDTH), load(fixed, 2 * WIDTH), n_slots * WIDTH
    for m in range(first, stop):
        word, beside = load(words, (m - first) * PAIR), load(words, (m - first) * PAIR + WIDTH)
        in_a, in_a_beside = add(in_a, look_up(one_month, a)), add(in_a_beside, look_up(one_month, a_beside))
        at, to = rows[m] * step, (m - first) * 2 * PAIR
        one, two = load(threshold, at), load(threshold, at + WIDTH)
        three, four = load(threshold, at + 2 * WIDTH), load(threshold, at + 3 * WIDTH)
        by, by_beside = (
            four_reached(shift, word, a, one, two, three, four),
            four_reached(shift, beside, a_beside, one, two, three, four),
        )
        for i in range(WRITTEN_OUT, n_slots):
            of_move = load(threshold, at + i * WIDTH)
            by, by_beside = pair_reached(by, shift, word, a, of_move), pair_reached(by_beside, shift, beside, a_beside, of_move)
        then, then_beside = shift_right(look_up(leads, a), by), shift_right(look_up(leads, a_beside), by_beside)
        if wants_stays:
            now = fill(np.uint32(m))
            who = where_changed_before(a, then, now, load(end, 0))
            leaving[0, m - first] = who | (where_changed_before(a_beside, then_beside, now, load(end, WIDTH)) << WIDTH)
            store_lanes(trace, to, then)
            store_lanes(trace, to + WIDTH, then_beside)
        a, a_beside = then, then_beside
        if has_second:
            in_b, in_b_beside = add(in_b, look_up(one_month, b)), add(in_b_beside, look_up(one_month, b_beside))
            at = rows_2[m] * step
            one, two = load(threshold_2, at), load(threshold_2, at + WIDTH)
            three, four = load(threshold_2, at + 2 * WIDTH), load(threshold_2, at + 3 * WIDTH)
            by = four_reached(shift, word, b, one, two, three, four)
            by_beside = four_reached(shift, beside, b_beside, one, two, three, four)
            for i in range(WRITTEN_OUT, n_slots):
                of_move = load(threshold_2, at + i * WIDTH)
                by, by_beside = pair_reached(by, shift, word, b, of_move), pair_reached(by_beside, shift, beside, b_beside, of_move)
            then, then_beside = shift_right(look_up(leads, b), by), shift_right(look_up(leads, b_beside), by_beside)
            if wants_stays:
                now = fill(np.uint32(m))
                who = where_changed_before(b, then, now, load(end, 0))
                leaving[1, m - first] = who | (where_changed_before(b_beside, then_beside, now, load(end, WIDTH)) << WIDTH)
                store_lanes(trace, to + PAIR, then)
                store_lanes(trace, to + PAIR + WIDTH, then_beside)
            b, b_beside = then, then_beside
    store_lanes(cells, 0, a)
    store_lanes(cells, WIDTH, a_beside)
    store_lanes(cells, 2 * WIDTH, b)
    store_lanes(cells, 3 * WIDTH, b_beside)
    store_lanes(packed, 0, in_a)
    store_lanes(packed, WIDTH, in_a_beside)
    store_lanes(packed, 2 * WIDTH, in_b)
    store_lanes(packed, 3 * WIDTH, in_b_beside)


@device
def unpack(packed: PackedWords, bits: int, n_states: int, months: PackedWords) -> None:
    """Add the packed counters of a pair, (group, lane), to its months, (group, s, lane)."""
    most = fill(np.uint32((1 << bits) - 1))
    for group in range(2):
        for s in range(n_states):
            at = WIDTH * (group * n_states + s)
            here = both(shift_right(load(packed, WIDTH * group), fill(np.uint32(bits * s))), most)
            store_lanes(months, at, add(load(months, at), here))


@device
def close_window(month: int, horizon: PackedWords, months: PackedWords, n_states: int, closed: PackedWords, w: int) -> None:
    """Add the months of those who are followed until a month, (group, s, lane), to a window, (w, s, lane)."""
    for group in range(2):
        is_open = reaches(load(horizon, WIDTH * group), fill(np.uint32(month)))
        for s in range(n_states):
            at, to = WIDTH * (group * n_states + s), WIDTH * (w * n_states + s)
            store_lanes(closed, to, add(load(closed, to), both(load(months, at), is_open)))


@device
def write_stays(
    at: Index,
    month: int,
    n_months: int,
    n_states: int,
    trace: PackedWords,
    leaving: Integers,
    here: PackedWords,
    first: Shorts,
    since: Shorts,
    clock: Integers,
    stays: Stays,
    done: int,
) -> int:
    """Write the stays of those who leave in the months from `month` on; gives how many there are then, or -1: no room.

    trace: (month, arm, group, lane) from this arm on, leaving: (month,), as `walk_months` fills them; here, first, since: (x,),
    where they are, changed.
    """
    person, state, first_of, stop_of, since_of = stays
    for i in range(n_months):
        who = leaving[i]
        if who != 0 and done + PAIR > len(person):
            return -1
        while who != 0:
            x = place_of_lowest(who)
            who &= who - 1
            there = trace[i * 2 * PAIR + x] & np.uint32(WIDTH - 1)
            s, to, then = here[x] % n_states, there % n_states, month + i + 1
            person[done], state[done], first_of[done], stop_of[done], since_of[done] = at + x, s, first[x], then, since[x]
            done += 1
            here[x], first[x] = there, then
            if clock[to] != clock[s]:
                since[x] = then
    return done


@device
def write_last_stays(
    at: Index, n: Index, n_states: int, end: PackedWords, here: PackedWords, first: Shorts, since: Shorts, stays: Stays, done: int
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
def add_lanes(closed: PackedWords, b: int, person_months: Floats) -> None:
    """Add all lanes of the closed windows, (w, s, lane), to the months in states; person_months: (b, s, w)."""
    _, n_states, n_windows = person_months.shape
    for w in range(n_windows):
        for s in range(n_states):
            total = 0
            for lane in range(WIDTH):
                total += closed[(w * n_states + s) * WIDTH + lane]
            person_months[b, s, w] += total
