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
from simengine.cohort.kernels.hazards import fill_rows, fill_steps, fill_tables
from simengine.cohort.kernels.lanes import (
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
    store,
    where_changed_before,
)
from simengine.cohort.kernels.months import after_all, words_of
from simengine.streams import fill_words

Index = int | np.int64

MOST_CELLS = WIDTH
"""Strata times states."""
MOST_MOVES = 7
"""Out of one state: a number of 32 bits holds eight cells, one for each move and one for staying."""
_BITS_OF_A_CELL = 4
_PAIR = 2 * WIDTH
"""People who walk at once."""
_MONTHS = 64
"""Months that they walk before anybody looks what became of them, at most."""
_WORDS, _CELLS = 8 * WIDTH, 4 * WIDTH
"""Numbers that hold the state of the words of a pair, and where a pair is in two arms."""


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


@device
def slots_for(of: Integers) -> int:
    """Give room for the moves out of a state in the tables: two, four, or as many as there are; of: as in moves."""
    most = 0
    for s in range(len(of) - 1):
        most = max(most, of[s + 1] - of[s])
    return max(most, 2) if most <= 2 else max(most, 4)


@inlined
def reached(
    by: Lanes, beside: Lanes, cells: tuple[Lanes, Lanes], words: tuple[Lanes, Lanes], threshold: Words, at: int, shift: Lanes
) -> tuple[Lanes, Lanes]:
    """Add the shift of one move where its threshold is reached, in two groups."""
    of_move = load(threshold, at)
    by = add_where_reached(by, shift, words[0], look_up(of_move, cells[0]))
    return by, add_where_reached(beside, shift, words[1], look_up(of_move, cells[1]))


@device
def moved(
    cells: tuple[Lanes, Lanes], words: tuple[Lanes, Lanes], threshold: Words, row: int, n_slots: int, fixed: Words
) -> tuple[Lanes, Lanes]:
    """Give the cells of the next month, of two groups in one arm, in the four lowest bits; the others hold nothing of use.

    Most studies have four moves out of a state at most: those are written out, for a loop of so few steps costs what it does.
    """
    leads, shift = load(fixed, 0), load(fixed, 2 * WIDTH)
    by = beside = fill(np.uint32(0))
    by, beside = reached(by, beside, cells, words, threshold, row, shift)
    by, beside = reached(by, beside, cells, words, threshold, row + WIDTH, shift)
    if n_slots > 2:
        by, beside = reached(by, beside, cells, words, threshold, row + 2 * WIDTH, shift)
        by, beside = reached(by, beside, cells, words, threshold, row + 3 * WIDTH, shift)
    for i in range(4, n_slots):
        by, beside = reached(by, beside, cells, words, threshold, row + i * WIDTH, shift)
    return shift_right(look_up(leads, cells[0]), by), shift_right(look_up(leads, cells[1]), beside)


@device
def room_for(n: int) -> Words:
    """Make room for words of 32 bits that begins where a line of the processor's cache does: lanes fill one, not two halves."""
    room = np.zeros(n + WIDTH, np.uint32)
    before = -(room.ctypes.data // 4) % WIDTH
    return room[before : before + n]


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
def walk_months(
    first: int,
    stop: int,
    state: Words,
    cells: Words,
    packed: Words,
    end: Words,
    threshold: Words,
    rows: Integers,
    has_second: bool,
    threshold_2: Words,
    rows_2: Integers,
    n_slots: int,
    fixed: Words,
    wants_stays: bool,
    trace: Words,
    leaving: Integers,
) -> None:
    """Send a pair of groups through the months `first` to `stop` - 1, in one arm or two.

    state: (group, word of the state, lane), cells and packed: (arm, group, lane), all changed; end: (group, lane).
    Where stays are wanted, trace: (month, arm, group, lane), where they are afterwards, and leaving: (arm, month), a bit for each
    who moved. Everything stays in a processor's registers: nothing is called in the loop.
    """
    u_0, u_1, u_2, u_3 = load(state, 0), load(state, WIDTH), load(state, 2 * WIDTH), load(state, 3 * WIDTH)
    v_0, v_1, v_2, v_3 = load(state, 4 * WIDTH), load(state, 5 * WIDTH), load(state, 6 * WIDTH), load(state, 7 * WIDTH)
    a_0, a_1, b_0, b_1 = load(cells, 0), load(cells, WIDTH), load(cells, 2 * WIDTH), load(cells, 3 * WIDTH)
    in_a_0, in_a_1, in_b_0, in_b_1 = load(packed, 0), load(packed, WIDTH), load(packed, 2 * WIDTH), load(packed, 3 * WIDTH)
    end_0, end_1, one_month, step = load(end, 0), load(end, WIDTH), load(fixed, WIDTH), n_slots * WIDTH
    for m in range(first, stop):
        word, beside, now, at = words_of(u_0, u_3), words_of(v_0, v_3), fill(np.uint32(m)), (m - first) * _CELLS
        u_0, u_1, u_2, u_3 = after_all(u_0, u_1, u_2, u_3)
        v_0, v_1, v_2, v_3 = after_all(v_0, v_1, v_2, v_3)
        in_a_0, in_a_1 = add(in_a_0, look_up(one_month, a_0)), add(in_a_1, look_up(one_month, a_1))
        then_0, then_1 = moved((a_0, a_1), (word, beside), threshold, rows[m] * step, n_slots, fixed)
        if wants_stays:
            who = where_changed_before(a_0, then_0, now, end_0)
            leaving[0, m - first] = who | (where_changed_before(a_1, then_1, now, end_1) << WIDTH)
            store(trace, at, then_0)
            store(trace, at + WIDTH, then_1)
        a_0, a_1 = then_0, then_1
        if has_second:
            in_b_0, in_b_1 = add(in_b_0, look_up(one_month, b_0)), add(in_b_1, look_up(one_month, b_1))
            then_0, then_1 = moved((b_0, b_1), (word, beside), threshold_2, rows_2[m] * step, n_slots, fixed)
            if wants_stays:
                who = where_changed_before(b_0, then_0, now, end_0)
                leaving[1, m - first] = who | (where_changed_before(b_1, then_1, now, end_1) << WIDTH)
                store(trace, at + _PAIR, then_0)
                store(trace, at + _PAIR + WIDTH, then_1)
            b_0, b_1 = then_0, then_1
    store(state, 0, u_0)
    store(state, WIDTH, u_1)
    store(state, 2 * WIDTH, u_2)
    store(state, 3 * WIDTH, u_3)
    store(state, 4 * WIDTH, v_0)
    store(state, 5 * WIDTH, v_1)
    store(state, 6 * WIDTH, v_2)
    store(state, 7 * WIDTH, v_3)
    store(cells, 0, a_0)
    store(cells, WIDTH, a_1)
    store(cells, 2 * WIDTH, b_0)
    store(cells, 3 * WIDTH, b_1)
    store(packed, 0, in_a_0)
    store(packed, WIDTH, in_a_1)
    store(packed, 2 * WIDTH, in_b_0)
    store(packed, 3 * WIDTH, in_b_1)


@device
def write_stays(
    at: Index,
    month: int,
    n_months: int,
    n_states: int,
    trace: Words,
    leaving: Integers,
    here: Words,
    first: Shorts,
    since: Shorts,
    clock: Integers,
    stays: Stays,
    done: int,
) -> int:
    """Write the stays of those who leave in the months from `month` on; gives how many there are then, or -1: no room.

    trace: (month, arm, group, lane) from this arm on, leaving: (month,); here, first, since: (x,), where they are, changed.
    """
    person, state, first_of, stop_of, since_of = stays
    for i in range(n_months):
        who = leaving[i]
        if who != 0 and done + _PAIR > len(person):
            return -1
        while who != 0:
            x = place_of_lowest(who)
            who &= who - 1
            there = trace[i * _CELLS + x] & np.uint32(MOST_CELLS - 1)
            s, to, then = here[x] % n_states, there % n_states, month + i + 1
            person[done], state[done], first_of[done], stop_of[done], since_of[done] = at + x, s, first[x], then, since[x]
            done += 1
            here[x], first[x] = there, then
            if clock[to] != clock[s]:
                since[x] = then
    return done


@device
def write_last_stays(
    at: Index, n: Index, n_states: int, end: Words, here: Words, first: Shorts, since: Shorts, stays: Stays, done: int
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


@device
def set_out(begin: Index, stop: Index, until: int, n_states: int, people: People, cell: Words, end: Words, horizon: Words) -> None:
    """Fill where the people of a segment are at first and until when they are followed; all (x,), and nobody behind the last."""
    n = stop - begin
    for x in range(n):
        cell[x] = np.uint32(people.stratum[begin + x] * n_states + people.state[begin + x])
        horizon[x] = np.uint32(people.end[begin + x])
        end[x] = np.uint32(min(people.end[begin + x], until))
    for x in range(n, n + -n % _PAIR):
        cell[x] = horizon[x] = end[x] = 0


@device
def seat(at: int, words: Words, cell: Words, end: Words, state: Words, cells: Words) -> int:
    """Put the words and the cells of a pair where it walks, from place `at` on; gives until when the last of them is followed.

    words: (4, x); cell, end: (x,); state: (group, word of the state, lane); cells: (arm, group, lane).
    """
    for group in range(2):
        for i in range(4):
            store(state, (4 * group + i) * WIDTH, load(words[i], at + group * WIDTH))
        here = load(cell, at + group * WIDTH)
        store(cells, group * WIDTH, here)
        store(cells, (2 + group) * WIDTH, here)
    longest = np.uint32(0)
    for x in range(_PAIR):
        longest = max(longest, end[at + x])
    return int(longest)


@kernel
def walk_abreast(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    until: int,  # clock at which the walk stops, where the horizon does not stop it before
    windows: Windows,
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
    n_strata, n_months = moves.hazard.shape[1], moves.by_entry.shape[3]
    n_states, n_segments, n_windows = len(moves.of) - 1, len(people.begin) - 1, len(windows.stop)
    n_slots = slots_for(moves.of)
    largest = 0
    for g in range(n_segments):
        largest = max(largest, people.begin[g + 1] - people.begin[g])
    bits = min(32 // n_states, 16)
    most = (1 << bits) - 1
    hazards, no_sums = np.empty(len(moves.to)), np.empty((0, 0, 0))
    change, change_2 = np.empty((1, len(effects.form), n_months)), np.empty((1, len(effects_2.form), n_months))
    threshold = room_for(n_months * n_slots * WIDTH).reshape((n_months, n_slots, WIDTH))
    threshold_2 = room_for(n_months * n_slots * WIDTH).reshape((n_months, n_slots, WIDTH))
    is_step, is_step_2 = np.zeros((n_states, n_months), np.bool_), np.zeros((n_states, n_months), np.bool_)
    rows, rows_2, opens = np.zeros(n_months, np.int64), np.zeros(n_months, np.int64), np.zeros(n_months + 1, np.int64)
    if len(moves.by_entry) == 1:
        fill_steps(moves, 0, is_step)
        fill_steps(moves_2, 0, is_step_2)
    fixed = room_for(3 * WIDTH)
    fill_cells(n_strata, n_slots, bits, moves, fixed)
    # Of a segment, in whole pairs of groups: the beginning of everybody's words, who is where, until when.
    n_places = largest + -largest % _PAIR
    words, cell = room_for(4 * n_places).reshape((4, n_places)), room_for(n_places)
    end, horizon = room_for(n_places), room_for(n_places)
    # Of the pair that walks: its words, where it is, the months of each arm and group since entry, and the stay of everybody.
    size = n_states * WIDTH
    state, cells, packed, months = room_for(_WORDS), room_for(_CELLS), room_for(_CELLS), room_for(4 * size)
    trace, leaving = room_for(_MONTHS * _CELLS if wants_stays else 0), np.zeros((2, _MONTHS), np.int64)
    here, first, since = np.zeros((2, _PAIR), np.uint32), np.zeros((2, _PAIR), np.int32), np.zeros((2, _PAIR), np.int32)
    closed = room_for(2 * n_windows * size)
    done, done_2 = 0, 0
    for g in range(n_segments):
        begin, stop, before, before_2 = people.begin[g], people.begin[g + 1], done, done_2
        if begin == stop:
            continue
        b = people.row[begin]
        fill_changes(effects, b, history, change)
        if len(moves.by_entry) > 1:
            fill_steps(moves, b, is_step)
        n_filled = fill_rows(is_step, change, rows, opens)
        clips, clips_2 = fill_tables(b, n_filled, opens, is_step, moves, effects, change, hazards, no_sums, threshold), 0
        if has_second:
            fill_changes(effects_2, b, history, change_2)
            if len(moves_2.by_entry) > 1:
                fill_steps(moves_2, b, is_step_2)
            n_filled = fill_rows(is_step_2, change_2, rows_2, opens)
            clips_2 = fill_tables(b, n_filled, opens, is_step_2, moves_2, effects_2, change_2, hazards, no_sums, threshold_2)
        fill_words(seed, np.uint64(replications[b]), purpose, people.attempt[begin:stop], people.number[begin:stop], words)
        set_out(begin, stop, until, n_states, people, cell, end, horizon)
        closed[:] = 0
        for at in range(0, stop - begin, _PAIR):
            longest = seat(at, words, cell, end, state, cells)
            if wants_stays:
                for arm in range(2):
                    for x in range(_PAIR):
                        here[arm, x], first[arm, x], since[arm, x] = cell[at + x], 0, 0
            months[:] = 0
            m = 0
            while m < longest:
                cut = next_cut(m, min(most, _MONTHS, longest - m), history, windows.stop)
                packed[:] = 0
                walk_months(
                    m, cut, state, cells, packed, end[at : at + _PAIR], threshold, rows, has_second, threshold_2, rows_2,
                    n_slots, fixed, wants_stays, trace, leaving,
                )  # fmt: skip
                if wants_stays:
                    done = write_stays(
                        begin + at, m, cut - m, n_states, trace, leaving[0], here[0], first[0], since[0], moves.clock, stays, done
                    )
                    if done >= 0 and has_second:
                        done_2 = write_stays(
                            begin + at, m, cut - m, n_states, trace[_PAIR:], leaving[1], here[1], first[1], since[1], moves.clock,
                            stays_2, done_2,
                        )  # fmt: skip
                    if done < 0 or done_2 < 0:
                        return g, before, before_2
                unpack(packed, bits, n_states, months)
                m = cut
                for w in range(n_windows):
                    if windows.stop[w] == m:
                        close_window(m, horizon[at : at + _PAIR], months, n_states, closed, w, n_windows)
                if m == history:
                    months[:] = 0
            if wants_stays:
                n, followed = min(_PAIR, stop - begin - at), end[at : at + _PAIR]
                done = write_last_stays(begin + at, n, n_states, followed, here[0], first[0], since[0], stays, done)
                if done >= 0 and has_second:
                    done_2 = write_last_stays(begin + at, n, n_states, followed, here[1], first[1], since[1], stays_2, done_2)
                if done < 0 or done_2 < 0:
                    return g, before, before_2
        add_lanes(closed, 0, b, person_months)
        clipped[b] += clips
        if has_second:
            add_lanes(closed, n_windows * size, b, person_months_2)
            clipped_2[b] += clips_2
    return n_segments, done, done_2
