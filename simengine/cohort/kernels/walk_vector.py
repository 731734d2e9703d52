"""Walk people through their states sixteen at once, if those of a stratum have the same hazards.

The words, the thresholds and so the histories are those of `walk`. Two groups of sixteen go as a pair (`pairs.py`), whose people
are followed alike. Two arms of the same people walk together and share the words: so four groups of lanes are on their way at once,
and one instruction does not wait for the other's result. Stays are written where somebody asks for them.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, kernel
from simengine.arrays import Floats, Index, Integers
from simengine.cohort.kernels.arrays import Effects, Moves, PackedWords, People, Stays, WindowArrays
from simengine.cohort.kernels.enter import largest_segment
from simengine.cohort.kernels.hazards import fill_replication, fill_steps, most_moves
from simengine.cohort.kernels.vector_operations import WIDTH, load, store_lanes
from simengine.cohort.kernels.vector_pairs import (
    MONTHS,
    PAIR,
    WRITTEN_OUT,
    add_lanes,
    close_window,
    fill_month_words,
    room_for,
    unpack,
    walk_months,
    write_last_stays,
    write_stays,
)
from simengine.streams import fill_words

MOST_CELLS = WIDTH
"""Strata times states."""
MOST_MOVES = 7
"""Out of one state: a number of 32 bits holds eight cells, one for each move and one for staying."""
_BITS_OF_A_CELL = 4


@device
def fill_cells(n_strata: int, n_slots: int, bits: int, moves: Moves, fixed: PackedWords) -> None:
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
def next_cut(month: int, most: int, history: int, stops: Integers) -> int:
    """Return the next month before which counters are unpacked: a window closes, entry comes, or they may be full."""
    cut = month + most
    if month < history < cut:
        cut = history
    for w in range(len(stops)):
        if month < stops[w] < cut:
            cut = stops[w]
    return cut


@device
def set_out_vector(
    begin: Index, stop: Index, until: int, n_states: int, people: People, cell: PackedWords, end: PackedWords, horizon: PackedWords
) -> None:
    """Fill where the people of a segment are at first and until when they are followed; all (x,), and nobody behind the last."""
    n = stop - begin
    for x in range(n):
        cell[x] = np.uint32(people.stratum[begin + x] * n_states + people.state[begin + x])
        followed = max(people.end[begin + x], 0)  # a word knows no sign
        horizon[x], end[x] = np.uint32(followed), np.uint32(min(followed, until))
    for x in range(n, n + -n % PAIR):
        cell[x] = horizon[x] = end[x] = 0


@device
def load_group(at: int, words: PackedWords, cell: PackedWords, end: PackedWords, state: PackedWords, cells: PackedWords) -> int:
    """Put the words and the cells of a pair where it walks, from place `at` on; gives until when the last of them is followed.

    words: (4, x); cell, end: (x,); state: (group, word of the state, lane); cells: (arm, group, lane).
    """
    for group in range(2):
        for i in range(4):
            store_lanes(state, (4 * group + i) * WIDTH, load(words[i], at + group * WIDTH))
        for arm in range(2):
            store_lanes(cells, (2 * arm + group) * WIDTH, load(cell, at + group * WIDTH))
    longest = np.uint32(0)
    for x in range(PAIR):
        longest = max(longest, end[at + x])
    return int(longest)


@kernel
def walk_abreast(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    until: int,  # clock at which the walk stops, where the horizon does not stop it before
    windows: WindowArrays,
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
    n_slots = max(most_moves(moves.of), WRITTEN_OUT)
    largest = largest_segment(people.begin)
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
    n_places = largest + -largest % PAIR
    words, cell = room_for(4 * n_places).reshape((4, n_places)), room_for(n_places)
    end, horizon = room_for(n_places), room_for(n_places)
    # Of the pair that walks: its words, where it is, and of each arm the months since entry and the stay of everybody.
    size = n_states * WIDTH
    state, month_words, cells = room_for(4 * PAIR), room_for(MONTHS * PAIR), room_for(2 * PAIR)
    packed, months = room_for(2 * PAIR), room_for(4 * size).reshape((2, 2 * size))
    trace, leaving = room_for(MONTHS * 2 * PAIR), np.zeros((2, MONTHS), np.int64)
    here, first, since = np.zeros((2, PAIR), np.uint32), np.zeros((2, PAIR), np.int32), np.zeros((2, PAIR), np.int32)
    closed = room_for(2 * n_windows * size).reshape((2, n_windows * size))
    done, done_2 = 0, 0
    for g in range(n_segments):
        begin, stop, before, before_2 = people.begin[g], people.begin[g + 1], done, done_2
        if begin == stop:
            continue
        b = people.row[begin]
        clips, clips_2 = fill_replication(b, history, is_step, moves, effects, change, rows, opens, hazards, no_sums, threshold), 0
        if has_second:
            clips_2 = fill_replication(
                b, history, is_step_2, moves_2, effects_2, change_2, rows_2, opens, hazards, no_sums, threshold_2
            )
        fill_words(seed, np.uint64(replications[b]), purpose, people.attempt[begin:stop], people.number[begin:stop], words)
        set_out_vector(begin, stop, until, n_states, people, cell, end, horizon)
        closed[:] = 0
        for at in range(0, stop - begin, PAIR):
            longest = load_group(at, words, cell, end, state, cells)
            if wants_stays:
                for arm in range(2):
                    for x in range(PAIR):
                        here[arm, x], first[arm, x], since[arm, x] = cell[at + x], 0, 0
            months[:] = 0
            m, followed = 0, end[at : at + PAIR]
            while m < longest:
                cut = next_cut(m, min(most, MONTHS, longest - m), history, windows.stop)
                fill_month_words(cut - m, state, month_words)
                walk_months(
                    m, cut, month_words, cells, packed, followed, threshold, rows, has_second, threshold_2, rows_2, n_slots, fixed,
                    wants_stays, trace, leaving,
                )  # fmt: skip
                for arm in range(2):
                    unpack(packed[arm * PAIR :], bits, n_states, months[arm])
                if wants_stays:
                    done = write_stays(
                        begin + at, m, cut - m, n_states, trace, leaving[0], here[0], first[0], since[0], moves.clock, stays, done
                    )
                    if has_second:
                        done_2 = write_stays(
                            begin + at, m, cut - m, n_states, trace[PAIR:], leaving[1], here[1], first[1], since[1], moves.clock,
                            stays_2, done_2,
                        )  # fmt: skip
                if done < 0 or done_2 < 0:
                    return g, before, before_2
                m = cut
                for w in range(n_windows):
                    if windows.stop[w] == m:
                        for arm in range(2):
                            close_window(m, horizon[at : at + PAIR], months[arm], n_states, closed[arm], w)
                if m == history:
                    months[:] = 0
            if wants_stays:
                n = min(PAIR, stop - begin - at)
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
