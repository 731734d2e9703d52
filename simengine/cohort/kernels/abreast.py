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
_WRITTEN_OUT = 4
"""Moves out of a state for which there is always room in the tables."""
_MONTHS = 64
"""Months that they walk before anybody looks what became of them, at most."""


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
    """Give room for the moves out of a state in the tables: as many as there are, and four at least; of: as in moves."""
    most = _WRITTEN_OUT
    for s in range(len(of) - 1):
        most = max(most, of[s + 1] - of[s])
    return most


@inlined
def reached(by: Lanes, shift: Lanes, word: Lanes, cell: Lanes, of_move: Lanes) -> Lanes:
    """Add the shift of one move where the word is not below its threshold in the cell."""
    return add_where_reached(by, shift, word, look_up(of_move, cell))


@inlined
def four_reached(shift: Lanes, word: Lanes, cell: Lanes, first: Lanes, second: Lanes, third: Lanes, fourth: Lanes) -> Lanes:
    """Add up the shifts of the first four moves, written out: a loop of so few steps costs as much as what it does."""
    by = reached(fill(np.uint32(0)), shift, word, cell, first)
    by = reached(by, shift, word, cell, second)
    by = reached(by, shift, word, cell, third)
    return reached(by, shift, word, cell, fourth)


@device
def room_for(n: int) -> Words:
    """Make room for words of 32 bits that begins where a line of the processor's cache does: lanes fill one, not two halves."""
    room = np.zeros(n + WIDTH, np.uint32)
    before = -(room.ctypes.data // 4) % WIDTH
    return room[before : before + n]


@device
def unpack(packed: Words, bits: int, n_states: int, months: Words) -> None:
    """Add the packed counters of a pair, (group, lane), to its months, (group, s, lane)."""
    most = fill(np.uint32((1 << bits) - 1))
    for group in range(2):
        for s in range(n_states):
            at = WIDTH * (group * n_states + s)
            here = both(shift_right(load(packed, WIDTH * group), fill(np.uint32(bits * s))), most)
            store(months, at, add(load(months, at), here))


@device
def close_window(month: int, horizon: Words, months: Words, n_states: int, closed: Words, w: int) -> None:
    """Add the months of those who are followed until a month, (group, s, lane), to a window, (w, s, lane)."""
    for group in range(2):
        is_open = reaches(load(horizon, WIDTH * group), fill(np.uint32(month)))
        for s in range(n_states):
            at, to = WIDTH * (group * n_states + s), WIDTH * (w * n_states + s)
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
def fill_month_words(n_months: int, state: Words, words: Words) -> None:
    """Fill the next words of a pair, (month, group, lane); state: (group, word of the state, lane), changed."""
    u_0, u_1, u_2, u_3 = load(state, 0), load(state, WIDTH), load(state, 2 * WIDTH), load(state, 3 * WIDTH)
    v_0, v_1, v_2, v_3 = load(state, 4 * WIDTH), load(state, 5 * WIDTH), load(state, 6 * WIDTH), load(state, 7 * WIDTH)
    for i in range(n_months):
        store(words, i * _PAIR, words_of(u_0, u_3))
        store(words, i * _PAIR + WIDTH, words_of(v_0, v_3))
        u_0, u_1, u_2, u_3 = after_all(u_0, u_1, u_2, u_3)
        v_0, v_1, v_2, v_3 = after_all(v_0, v_1, v_2, v_3)
    store(state, 0, u_0)
    store(state, WIDTH, u_1)
    store(state, 2 * WIDTH, u_2)
    store(state, 3 * WIDTH, u_3)
    store(state, 4 * WIDTH, v_0)
    store(state, 5 * WIDTH, v_1)
    store(state, 6 * WIDTH, v_2)
    store(state, 7 * WIDTH, v_3)


@device
def walk_months(
    first: int,
    stop: int,
    words: Words,
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

    words: (month, group, lane); cells: (arm, group, lane), changed; packed: the same shape, filled; end: (group, lane). Where stays
    are wanted, trace: (month, arm, group, lane), where they are afterwards, and leaving: (arm, month), a bit for each who moved.

    Two groups in two arms are four chains of instructions, of which one does not wait for another. All that changes stays in a
    processor's registers: so no array is handed on in the loop, which would count references.
    """
    a, a_beside, b, b_beside = load(cells, 0), load(cells, WIDTH), load(cells, 2 * WIDTH), load(cells, 3 * WIDTH)
    in_a = in_a_beside = in_b = in_b_beside = fill(np.uint32(0))
    leads, one_month, shift, step = load(fixed, 0), load(fixed, WIDTH), load(fixed, 2 * WIDTH), n_slots * WIDTH
    for m in range(first, stop):
        word, beside = load(words, (m - first) * _PAIR), load(words, (m - first) * _PAIR + WIDTH)
        in_a, in_a_beside = add(in_a, look_up(one_month, a)), add(in_a_beside, look_up(one_month, a_beside))
        at, to = rows[m] * step, (m - first) * 2 * _PAIR
        one, two = load(threshold, at), load(threshold, at + WIDTH)
        three, four = load(threshold, at + 2 * WIDTH), load(threshold, at + 3 * WIDTH)
        by, by_beside = (
            four_reached(shift, word, a, one, two, three, four),
            four_reached(shift, beside, a_beside, one, two, three, four),
        )
        for i in range(_WRITTEN_OUT, n_slots):
            of_move = load(threshold, at + i * WIDTH)
            by, by_beside = reached(by, shift, word, a, of_move), reached(by_beside, shift, beside, a_beside, of_move)
        then, then_beside = shift_right(look_up(leads, a), by), shift_right(look_up(leads, a_beside), by_beside)
        if wants_stays:
            now = fill(np.uint32(m))
            who = where_changed_before(a, then, now, load(end, 0))
            leaving[0, m - first] = who | (where_changed_before(a_beside, then_beside, now, load(end, WIDTH)) << WIDTH)
            store(trace, to, then)
            store(trace, to + WIDTH, then_beside)
        a, a_beside = then, then_beside
        if has_second:
            in_b, in_b_beside = add(in_b, look_up(one_month, b)), add(in_b_beside, look_up(one_month, b_beside))
            at = rows_2[m] * step
            one, two = load(threshold_2, at), load(threshold_2, at + WIDTH)
            three, four = load(threshold_2, at + 2 * WIDTH), load(threshold_2, at + 3 * WIDTH)
            by = four_reached(shift, word, b, one, two, three, four)
            by_beside = four_reached(shift, beside, b_beside, one, two, three, four)
            for i in range(_WRITTEN_OUT, n_slots):
                of_move = load(threshold_2, at + i * WIDTH)
                by, by_beside = reached(by, shift, word, b, of_move), reached(by_beside, shift, beside, b_beside, of_move)
            then, then_beside = shift_right(look_up(leads, b), by), shift_right(look_up(leads, b_beside), by_beside)
            if wants_stays:
                now = fill(np.uint32(m))
                who = where_changed_before(b, then, now, load(end, 0))
                leaving[1, m - first] = who | (where_changed_before(b_beside, then_beside, now, load(end, WIDTH)) << WIDTH)
                store(trace, to + _PAIR, then)
                store(trace, to + _PAIR + WIDTH, then_beside)
            b, b_beside = then, then_beside
    store(cells, 0, a)
    store(cells, WIDTH, a_beside)
    store(cells, 2 * WIDTH, b)
    store(cells, 3 * WIDTH, b_beside)
    store(packed, 0, in_a)
    store(packed, WIDTH, in_a_beside)
    store(packed, 2 * WIDTH, in_b)
    store(packed, 3 * WIDTH, in_b_beside)


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

    trace: (month, arm, group, lane) from this arm on, leaving: (month,), as `walk_months` fills them; here, first, since: (x,),
    where they are, changed.
    """
    person, state, first_of, stop_of, since_of = stays
    for i in range(n_months):
        who = leaving[i]
        if who != 0 and done + _PAIR > len(person):
            return -1
        while who != 0:
            x = place_of_lowest(who)
            who &= who - 1
            there = trace[i * 2 * _PAIR + x] & np.uint32(MOST_CELLS - 1)
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
def add_lanes(closed: Words, b: int, person_months: Floats) -> None:
    """Add all lanes of the closed windows, (w, s, lane), to the months in states; person_months: (b, s, w)."""
    _, n_states, n_windows = person_months.shape
    for w in range(n_windows):
        for s in range(n_states):
            total = 0
            for lane in range(WIDTH):
                total += closed[(w * n_states + s) * WIDTH + lane]
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
        for arm in range(2):
            store(cells, (2 * arm + group) * WIDTH, load(cell, at + group * WIDTH))
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
    # Of the pair that walks: its words, where it is, and of each arm the months since entry and the stay of everybody.
    size = n_states * WIDTH
    state, month_words, cells = room_for(4 * _PAIR), room_for(_MONTHS * _PAIR), room_for(2 * _PAIR)
    packed, months = room_for(2 * _PAIR), room_for(4 * size).reshape((2, 2 * size))
    trace, leaving = room_for(_MONTHS * 2 * _PAIR), np.zeros((2, _MONTHS), np.int64)
    here, first, since = np.zeros((2, _PAIR), np.uint32), np.zeros((2, _PAIR), np.int32), np.zeros((2, _PAIR), np.int32)
    closed = room_for(2 * n_windows * size).reshape((2, n_windows * size))
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
            m, followed = 0, end[at : at + _PAIR]
            while m < longest:
                cut = next_cut(m, min(most, _MONTHS, longest - m), history, windows.stop)
                fill_month_words(cut - m, state, month_words)
                walk_months(
                    m, cut, month_words, cells, packed, followed, threshold, rows, has_second, threshold_2, rows_2, n_slots, fixed,
                    wants_stays, trace, leaving,
                )  # fmt: skip
                for arm in range(2):
                    unpack(packed[arm * _PAIR :], bits, n_states, months[arm])
                if wants_stays:
                    done = write_stays(
                        begin + at, m, cut - m, n_states, trace, leaving[0], here[0], first[0], since[0], moves.clock, stays, done
                    )
                    if has_second:
                        done_2 = write_stays(
                            begin + at, m, cut - m, n_states, trace[_PAIR:], leaving[1], here[1], first[1], since[1], moves.clock,
                            stays_2, done_2,
                        )  # fmt: skip
                if done < 0 or done_2 < 0:
                    return g, before, before_2
                m = cut
                for w in range(n_windows):
                    if windows.stop[w] == m:
                        for arm in range(2):
                            close_window(m, horizon[at : at + _PAIR], months[arm], n_states, closed[arm], w)
                if m == history:
                    months[:] = 0
            if wants_stays:
                n = min(_PAIR, stop - begin - at)
                done = write_last_stays(begin + at, n, n_states, followed, here[0], first[0], since[0], stays, done)
                if done >= 0 and has_second:
                    done_2 = write_last_stays(begin + at, n, n_states, followed, here[1], first[1], since[1], stays_2, done_2)
                if done < 0 or done_2 < 0:
                    return g, before, before_2
        add_lanes(closed[0], b, person_months)
        clipped[b] += clips
        if has_second:
            add_lanes(closed[1], b, person_months_2)
            clipped_2[b] += clips_2
    return n_segments, done, done_2
