"""Send people through their states, stay by stay; tally sums, keep no person.

One uniform decides how long a person stays in a state, another where the person goes. Both have the address (person, month
of entry into the state), so a person who enters the same state in the same month of two arms has the same luck from there
on: with no effect the arms are equal person by person.

The clock: in month m after entry (m = 0, 1, ...) a person is in one state for the whole month and pays its price; the
move, if any, happens at the end of the month. A window of w months holds the months 0 to w - 1. An outcome read at month a
is read from the state in which month a begins.

A stay that begins in month a ends with the first month m whose cumulative hazard, from the beginning of a to the end of m,
reaches -log(u): the same law as one draw a month, for one draw a stay. Everybody's next stay is drawn in one sweep, so that
the random words of a sweep are made side by side; a person who has reached the horizon leaves the sweep.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, inlined, kernel
from simengine.streams import fill_words, uniform_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Words = NDArray[np.uint32]
Index = int | np.int64


@device
def effect_strength(month: int, ramp_months: float, fades_after_months: float, half_life_months: float) -> float:
    """Give the share of the full effect (of its logarithm) in the middle of a month after entry."""
    time = month + 0.5
    strength = 1.0 - np.exp(-time / ramp_months) if ramp_months > 0.0 else 1.0
    if time > fades_after_months:
        strength *= 0.5 ** ((time - fades_after_months) / half_life_months) if half_life_months > 0.0 else 0.0
    return strength


@device
def fill_multipliers(effect_move: Integers, log_ratio: Floats, effect_clock: Floats, multiplier: Floats) -> None:
    """Fill what the effects make of each move's hazard, by month after entry.

    effect_move: (e, 2); log_ratio: (e,); effect_clock: (e, 3); multiplier: (from, to, month), 1 where no effect acts.
    """
    for e in range(len(effect_move)):
        multiplier[effect_move[e, 0], effect_move[e, 1], :] = 0.0
    for e in range(len(effect_move)):
        row = multiplier[effect_move[e, 0], effect_move[e, 1]]
        for month in range(len(row)):
            row[month] += log_ratio[e] * effect_strength(month, effect_clock[e, 0], effect_clock[e, 1], effect_clock[e, 2])
    for e in range(len(effect_move)):
        is_last = True
        for later in range(e + 1, len(effect_move)):
            if effect_move[later, 0] == effect_move[e, 0] and effect_move[later, 1] == effect_move[e, 1]:
                is_last = False
        if is_last:
            row = multiplier[effect_move[e, 0], effect_move[e, 1]]
            for month in range(len(row)):
                row[month] = np.exp(row[month])


@device
def fill_cumulative(hazard: Floats, r: int, multiplier: Floats, cumulative: Floats, last_move: Integers) -> None:
    """Fill the hazard of leaving that has gathered by the beginning of each month, and the last possible move.

    hazard: (r, stratum, from, to); multiplier: (from, to, month); cumulative: (stratum, from, month), from 0; last_move:
    (stratum, from).
    """
    n_strata, n_states, n_months = cumulative.shape
    for k in range(n_strata):
        for i in range(n_states):
            cumulative[k, i, :] = 0.0
            last_move[k, i] = 0
            for j in range(n_states):
                if hazard[r, k, i, j] > 0.0:
                    last_move[k, i] = j
                    for month in range(n_months - 1):
                        cumulative[k, i, month + 1] += hazard[r, k, i, j] * multiplier[i, j, month]
            for month in range(n_months - 1):
                cumulative[k, i, month + 1] += cumulative[k, i, month]


@inlined
def last_month(cumulative: Floats, k: int, s: int, first: Index, end: Index, hazard_to_spend: float) -> Index:
    """Give the month at whose end a stay that began with month `first` ends; `end` if it lasts until then.

    cumulative: (stratum, state, month).
    """
    target = cumulative[k, s, first] + hazard_to_spend
    if cumulative[k, s, end] < target:
        return end
    # A hazard that stays as it is would be spent here; a changing one is searched from there.
    pace = cumulative[k, s, first + 1] - cumulative[k, s, first]
    month = first
    if pace > 0.0:
        month = first + int(min(hazard_to_spend / pace, float(end - 1 - first)))
    while cumulative[k, s, month + 1] < target:
        month += 1
    while month > first and cumulative[k, s, month] >= target:
        month -= 1
    return month


@inlined
def pick_target(
    hazard: Floats,
    multiplier: Floats,
    cumulative: Floats,
    last_move: Integers,
    r: int,
    k: int,
    s: int,
    month: Index,
    uniform: float,
) -> int:
    """Choose among the moves out of a state by their hazards in a month.

    Counting instead of branching: a processor cannot guess where somebody goes.
    """
    goal = uniform * (cumulative[k, s, month + 1] - cumulative[k, s, month])
    running = 0.0
    target = 0
    for j in range(hazard.shape[3]):
        running += hazard[r, k, s, j] * multiplier[s, j, month]
        target += running <= goal
    return int(min(target, last_move[k, s]))


@device
def enter(
    seed: np.uint64,
    replication: np.uint64,
    purpose_entry: np.uint64,
    purpose_outcome: NDArray[np.uint64],
    r: int,
    months_to_horizon: int,
    enrolment_months: Integers,
    strata: Floats,
    start: Floats,
    person: Words,
    index: Words,
    words: Words,
    stratum: Integers,
    state: Integers,
    months: Integers,
    u_outcome: Floats,
) -> None:
    """Draw who enters, when and where, and the uniforms of the binary outcomes.

    person, index: (i,), the people and room for indices; words: (4, i) room; stratum, state, months followed: (i,) filled;
    u_outcome: (o, i) filled.
    """
    n_people, n_strata, n_states = len(person), start.shape[1], start.shape[2]
    for o in range(len(purpose_outcome)):
        index[:] = 0
        fill_words(seed, replication, purpose_outcome[o], index, person, words)
        for i in range(n_people):
            u_outcome[o, i] = uniform_of(words[0, i], words[1, i])
    index[:] = 1
    fill_words(seed, replication, purpose_entry, index, person, words)
    for i in range(n_people):
        months[i] = months_to_horizon - int(uniform_of(words[0, i], words[1, i]) * enrolment_months[r])
    index[:] = 0
    fill_words(seed, replication, purpose_entry, index, person, words)
    for i in range(n_people):
        u_stratum, u_start = uniform_of(words[0, i], words[1, i]), uniform_of(words[2, i], words[3, i])
        k = s = 0
        for j in range(n_strata - 1):
            k += strata[r, j] <= u_stratum
        for j in range(n_states - 1):
            s += start[r, k, j] <= u_start
        stratum[i], state[i] = k, s


@inlined
def count_stay(
    r: int,
    i: Index,
    s: int,
    first: Index,
    stop: Index,
    end: Index,
    reaches_end: bool,
    windows: Integers,
    price_per_month: Floats,
    read_month: Integers,
    probability: Floats,
    u_outcome: Floats,
    total: Floats,
    person_months: Floats,
) -> None:
    """Count the months `first` to `stop` - 1 of person i in state s, out of `end` months that the person is followed."""
    for w in range(len(windows)):
        if first < windows[w] <= end:
            inside = min(stop, windows[w]) - first
            person_months[r, s, w] += inside
            for o in range(len(read_month)):
                if read_month[o] < 0:
                    total[i, o, w] += price_per_month[r, o, s] * inside
    for o in range(len(read_month)):
        month = read_month[o]
        is_here = first <= month < stop or (reaches_end and month == end)
        if is_here and u_outcome[o, i] < probability[r, o, s]:
            for w in range(len(windows)):
                if month <= windows[w] <= end:
                    total[i, o, w] = 1.0


@device
def add_up(
    r: int, total: Floats, change_by_month: Floats, price_per_month: Floats, sums: Floats, squares: Floats, by_year: Floats
) -> None:
    """Add persons to sums and squares, and months in states to calendar years.

    total: (i, o, w); change_by_month: (s, month), the people who come minus those who go.
    """
    n_people, n_outcomes, n_windows = total.shape
    for i in range(n_people):
        for o in range(n_outcomes):
            for w in range(n_windows):
                sums[r, o, w] += total[i, o, w]
                squares[r, o, w] += total[i, o, w] * total[i, o, w]
    n_states, n_dates = change_by_month.shape
    for s in range(n_states):
        people_there = 0.0
        for month in range(n_dates - 1):
            people_there += change_by_month[s, month]
            for o in range(n_outcomes):
                by_year[r, o, month // 12] += price_per_month[r, o, s] * people_there


@kernel
def walk_people(
    seed: np.uint64,
    replications: Integers,  # (r,) numbers of the replications
    n_people: int,
    horizon_months: int,
    from_month: int,
    purpose_entry: np.uint64,
    purpose_moves: np.uint64,
    enrolment_months: Integers,  # (r,)
    strata: Floats,  # (r, k) cumulative shares
    start: Floats,  # (r, k, s) cumulative shares
    hazard: Floats,  # (r, k, s, s) per month, untreated
    effect_move: Integers,  # (e, 2) states from and to
    log_ratio: Floats,  # (r, e) logarithm of the hazard ratio
    effect_clock: Floats,  # (r, e, 3) ramp, fades after, half-life, in months
    windows: Integers,  # (w,) months, increasing
    price_per_month: Floats,  # (r, o, s), 0 for a binary outcome
    read_month: Integers,  # (o,) month of a binary outcome, -1 for an amount
    purpose_outcome: NDArray[np.uint64],  # (o,)
    probability: Floats,  # (r, o, s)
    sums: Floats,  # (r, o, w) filled
    squares: Floats,  # (r, o, w) filled
    person_months: Floats,  # (r, s, w) filled
    by_year: Floats,  # (r, o, y) filled
) -> None:
    """Simulate one wave in one arm for a block of replications; everything filled starts at zero."""
    # r = replications, i = persons, k = strata, s = states, e = effects, o = outcomes, w = windows, y = calendar years
    n_strata, n_states = start.shape[1], start.shape[2]
    multiplier = np.ones((n_states, n_states, horizon_months))
    cumulative = np.empty((n_strata, n_states, horizon_months + 1))
    last_move = np.empty((n_strata, n_states), np.int64)
    change_by_month = np.empty((n_states, horizon_months + 1))
    total = np.empty((n_people, len(read_month), len(windows)))
    u_outcome, to_spend = np.empty((len(read_month), n_people)), np.empty(n_people)
    # Of everybody still in the sweep: who, since which month, in which stratum and state.
    person, first = np.empty(n_people, np.uint32), np.empty(n_people, np.uint32)
    stratum, state = np.empty(n_people, np.int64), np.empty(n_people, np.int64)
    months, words = np.empty(n_people, np.int64), np.empty((4, n_people), np.uint32)

    for r in range(len(replications)):
        replication = np.uint64(replications[r])
        if len(effect_move) > 0:
            fill_multipliers(effect_move, log_ratio[r], effect_clock[r], multiplier)
        fill_cumulative(hazard, r, multiplier, cumulative, last_move)
        total[:], change_by_month[:] = 0.0, 0.0
        person[:] = np.arange(n_people)
        to_horizon = horizon_months - from_month
        enter(
            seed, replication, purpose_entry, purpose_outcome, r, to_horizon, enrolment_months, strata, start,
            person, first, words, stratum, state, months, u_outcome,
        )  # fmt: skip
        n_active = n_people
        while n_active > 0:
            fill_words(seed, replication, purpose_moves, first[:n_active], person[:n_active], words)
            for x in range(n_active):
                to_spend[x] = -np.log(uniform_of(words[0, x], words[1, x]))
            n_moved = 0
            for x in range(n_active):
                i, k, s, begin = np.int64(person[x]), stratum[x], state[x], np.int64(first[x])
                end = months[i]
                last = last_month(cumulative, k, s, begin, end, to_spend[x]) if begin < end else end
                stop = min(last + 1, end)
                count_stay(
                    r, i, s, begin, stop, end, last == end, windows, price_per_month, read_month, probability,
                    u_outcome, total, person_months,
                )  # fmt: skip
                change_by_month[s, horizon_months - end + begin] += 1.0
                change_by_month[s, horizon_months - end + stop] -= 1.0
                if last < end:
                    u_target = uniform_of(words[2, x], words[3, x])
                    state[n_moved] = pick_target(hazard, multiplier, cumulative, last_move, r, k, s, last, u_target)
                    person[n_moved], first[n_moved], stratum[n_moved] = person[x], last + 1, k
                    n_moved += 1
            n_active = n_moved
        add_up(r, total, change_by_month, price_per_month, sums, squares, by_year)
