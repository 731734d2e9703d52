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
def fill_multipliers(effect_move: Integers, log_ratio: Floats, effect_clock: Floats, by_entry: Floats, multiplier: Floats) -> None:
    """Fill the factor on each move's hazard by month after entry: the study's own, times what the effects make of it.

    effect_move: (e,); log_ratio: (e,); effect_clock: (e, 3); by_entry, multiplier: (move, month).
    """
    n_moves, n_months = multiplier.shape
    for v in range(n_moves):
        for month in range(n_months):
            multiplier[v, month] = by_entry[v, month]
    for e in range(len(effect_move)):
        v = effect_move[e]
        for month in range(n_months):
            strength = effect_strength(month, effect_clock[e, 0], effect_clock[e, 1], effect_clock[e, 2])
            multiplier[v, month] *= np.exp(log_ratio[e] * strength)


@device
def fill_cumulative(r: int, moves_of: Integers, hazard: Floats, multiplier: Floats, cumulative: Floats) -> None:
    """Fill the hazard of leaving that has gathered by the beginning of each month, for states that months alone change.

    moves_of: (s + 1,); hazard: (r, stratum, move); multiplier: (move, month); cumulative: (stratum, state, month), from 0.
    """
    n_strata, n_states, n_dates = cumulative.shape
    for k in range(n_strata):
        for s in range(n_states):
            cumulative[k, s, :] = 0.0
            for v in range(moves_of[s], moves_of[s + 1]):
                for month in range(n_dates - 1):
                    cumulative[k, s, month + 1] += hazard[r, k, v] * multiplier[v, month]
            for month in range(n_dates - 1):
                cumulative[k, s, month + 1] += cumulative[k, s, month]


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
def row_for(table: Floats, r: int) -> int:
    """Give the row of a table for replication r; a table with one row serves all."""
    return r if len(table) > 1 else 0


@inlined
def pick_move(r: int, k: int, s: int, month: Index, uniform: float, moves_of: Integers, hazard: Floats, multiplier: Floats) -> int:
    """Choose among the moves out of a state by their hazards in a month.

    Counting instead of branching: a processor cannot guess where somebody goes.
    """
    total = 0.0
    for v in range(moves_of[s], moves_of[s + 1]):
        total += hazard[r, k, v] * multiplier[v, month]
    goal = uniform * total
    running = 0.0
    chosen = last = moves_of[s]
    for v in range(moves_of[s], moves_of[s + 1]):
        share = hazard[r, k, v] * multiplier[v, month]
        running += share
        chosen += running <= goal
        last = v if share > 0.0 else last
    # Rounding may leave the goal above the last running sum.
    return int(min(chosen, last))


@device
def leave_walked(
    r: int,
    k: int,
    s: int,
    first: Index,
    end: Index,
    calendar: Index,
    hazard_to_spend: float,
    uniform: float,
    moves_of: Integers,
    hazard: Floats,
    multiplier: Floats,
    by_stay: Floats,
    by_calendar: Floats,
) -> tuple[Index, int]:
    """Do what `last_month` and `pick_move` do, month by month, for a state whose hazards change with the stay or the calendar.

    by_stay, by_calendar: (r or 1, move, month).
    """
    of_stay, of_calendar = row_for(by_stay, r), row_for(by_calendar, r)
    gathered = 0.0
    month = first
    while month < end:
        here = month - first
        before = gathered
        for v in range(moves_of[s], moves_of[s + 1]):
            factor = by_stay[of_stay, v, here] * by_calendar[of_calendar, v, calendar + here]
            gathered += hazard[r, k, v] * multiplier[v, month] * factor
        if gathered >= hazard_to_spend:
            goal = before + uniform * (gathered - before)
            last = moves_of[s]
            for v in range(moves_of[s], moves_of[s + 1]):
                factor = by_stay[of_stay, v, here] * by_calendar[of_calendar, v, calendar + here]
                share = hazard[r, k, v] * multiplier[v, month] * factor
                before += share
                last = v if share > 0.0 else last
                if before > goal:
                    break
            return month, last
        month += 1
    return end, 0


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
    gathered_weight: Floats,
    read_month: Integers,
    probability: Floats,
    u_outcome: Floats,
    total: Floats,
    person_months: Floats,
) -> None:
    """Count the months `first` to `stop` - 1 of person i in state s, out of `end` months that the person is followed."""
    row = row_for(gathered_weight, r)
    for w in range(len(windows)):
        if first < windows[w] <= end:
            inside = min(stop, windows[w])
            person_months[r, s, w] += inside - first
            for o in range(len(read_month)):
                if read_month[o] < 0:
                    weight = gathered_weight[row, o, inside] - gathered_weight[row, o, first]
                    total[i, o, w] += price_per_month[r, o, s] * weight
    for o in range(len(read_month)):
        month = read_month[o]
        is_here = first <= month < stop or (reaches_end and month == end)
        if is_here and u_outcome[o, i] < probability[r, o, s]:
            for w in range(len(windows)):
                if month <= windows[w] <= end:
                    total[i, o, w] = 1.0


@device
def add_up(
    r: int,
    n_people: Index,
    total: Floats,
    change_by_month: Floats,
    price_per_month: Floats,
    sums: Floats,
    squares: Floats,
    by_year: Floats,
) -> None:
    """Add persons to sums and squares, and months in states to calendar years.

    total: (i, o, w); change_by_month: (s, month), the people who come minus those who go.
    """
    _, n_outcomes, n_windows = total.shape
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
    n_people: Integers,  # (r,)
    horizon_months: int,
    from_month: int,
    purpose_entry: np.uint64,
    purpose_moves: np.uint64,
    enrolment_months: Integers,  # (r,)
    strata: Floats,  # (r, k) cumulative shares
    start: Floats,  # (r, k, s) cumulative shares
    moves_of: Integers,  # (s + 1,) the moves out of state s are moves_of[s] to moves_of[s + 1] - 1
    move_to: Integers,  # (v,)
    hazard: Floats,  # (r, k, v) per month, untreated
    by_entry: Floats,  # (r or 1, v, month) factor by months after entry
    by_stay: Floats,  # (r or 1, v, month) factor by months in the state
    by_calendar: Floats,  # (r or 1, v, month) factor by months of the calendar
    is_walked: NDArray[np.bool_],  # (s,) states whose moves have a factor by stay or by calendar
    effect_move: Integers,  # (e,)
    log_ratio: Floats,  # (r, e) logarithm of the hazard ratio
    effect_clock: Floats,  # (r, e, 3) ramp, fades after, half-life, in months
    windows: Integers,  # (w,) months, increasing
    price_per_month: Floats,  # (r, o, s), 0 for a binary outcome
    gathered_weight: Floats,  # (r or 1, o, month + 1) discounted months before each month after entry
    read_month: Integers,  # (o,) month of a binary outcome, -1 for an amount
    purpose_outcome: NDArray[np.uint64],  # (o,)
    probability: Floats,  # (r, o, s)
    sums: Floats,  # (r, o, w) filled
    squares: Floats,  # (r, o, w) filled
    person_months: Floats,  # (r, s, w) filled
    by_year: Floats,  # (r, o, y) filled
) -> None:
    """Simulate one wave in one arm for a block of replications; everything filled starts at zero."""
    # r = replications, i = persons, k = strata, s = states, v = moves, e = effects, o = outcomes, w = windows, y = calendar years
    n_strata, n_states = start.shape[1], start.shape[2]
    multiplier = np.ones((len(move_to), horizon_months))
    cumulative = np.empty((n_strata, n_states, horizon_months + 1))
    change_by_month = np.empty((n_states, horizon_months + 1))
    most = n_people.max() if len(n_people) > 0 else 0
    total = np.empty((most, len(read_month), len(windows)))
    u_outcome, to_spend = np.empty((len(read_month), most)), np.empty(most)
    # Of everybody still in the sweep: who, since which month, in which stratum and state.
    person, first = np.empty(most, np.uint32), np.empty(most, np.uint32)
    stratum, state = np.empty(most, np.int64), np.empty(most, np.int64)
    months, words = np.empty(most, np.int64), np.empty((4, most), np.uint32)

    for r in range(len(replications)):
        replication = np.uint64(replications[r])
        fill_multipliers(effect_move, log_ratio[r], effect_clock[r], by_entry[row_for(by_entry, r)], multiplier)
        fill_cumulative(r, moves_of, hazard, multiplier, cumulative)
        total[:], change_by_month[:] = 0.0, 0.0
        n_active = n_people[r]
        person[:n_active] = np.arange(n_active)
        to_horizon = horizon_months - from_month
        enter(
            seed, replication, purpose_entry, purpose_outcome, r, to_horizon, enrolment_months, strata, start,
            person[:n_active], first[:n_active], words, stratum, state, months, u_outcome,
        )  # fmt: skip
        while n_active > 0:
            fill_words(seed, replication, purpose_moves, first[:n_active], person[:n_active], words)
            for x in range(n_active):
                to_spend[x] = -np.log(uniform_of(words[0, x], words[1, x]))
            n_moved = 0
            for x in range(n_active):
                i, k, s, begin = np.int64(person[x]), stratum[x], state[x], np.int64(first[x])
                end = months[i]
                calendar = horizon_months - end + begin
                move = -1
                if is_walked[s]:
                    last, move = leave_walked(
                        r, k, s, begin, end, calendar, to_spend[x], uniform_of(words[2, x], words[3, x]),
                        moves_of, hazard, multiplier, by_stay, by_calendar,
                    )  # fmt: skip
                else:
                    last = last_month(cumulative, k, s, begin, end, to_spend[x]) if begin < end else end
                stop = min(last + 1, end)
                count_stay(
                    r, i, s, begin, stop, end, last == end, windows, price_per_month, gathered_weight, read_month,
                    probability, u_outcome, total, person_months,
                )  # fmt: skip
                change_by_month[s, calendar] += 1.0
                change_by_month[s, calendar + stop - begin] -= 1.0
                if last < end:
                    if not is_walked[s]:
                        move = pick_move(r, k, s, last, uniform_of(words[2, x], words[3, x]), moves_of, hazard, multiplier)
                    person[n_moved], first[n_moved], stratum[n_moved] = person[x], last + 1, k
                    state[n_moved] = move_to[move]
                    n_moved += 1
            n_active = n_moved
        add_up(r, n_people[r], total, change_by_month, price_per_month, sums, squares, by_year)
