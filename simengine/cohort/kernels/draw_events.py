"""Draw recurrent events (a Poisson process for each person) and the length of their spells.

The gaps of a person come from one sequence of words, the lengths from another: the n-th gap is spent like that of a stay, against
the rate accumulated while no spell lasts. Two arms with the same stays of a person have the same events; a lower rate delays each.

The rates of all months are added up once for all who share them, so a stay in which nothing happens costs a difference of two sums:
where month after month was asked, a study whose people mostly meet nothing took seven times as long.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined, kernel
from simengine.arrays import Floats, Index, Integers
from simengine.cohort.kernels.arrays import (
    DIFFERENCE,
    LENGTH_RATIO,
    Effects,
    EventRates,
    PackedWords,
    People,
    Stays,
    WindowArrays,
    WorthArrays,
)
from simengine.cohort.kernels.between import Own, between_people, uniform_draw
from simengine.cohort.kernels.effects import change_at, row_for
from simengine.cohort.kernels.enter import largest_segment
from simengine.streams import fill_words

_MOST_EVENTS = 65_535


@device
def fill_windows(windows: WindowArrays, number: Integers, which: Integers) -> None:
    """List the windows that hold each month; number: (m,), which: (m, w), filled with how many and with their places."""
    for m in range(len(number)):
        number[m] = 0
        for w in range(len(windows.stop)):
            if windows.begin[w] <= m < windows.stop[w]:
                which[m, number[m]] = w
                number[m] += 1


@inlined
def add_worth(
    p: Index, o: Index, m: Index, end: Index, worth: float, number: Integers, which: Integers, stops: Integers, total: Floats
) -> None:
    """Add what happened in a month to the windows that hold it and are over by `end`; total: (p, o, w)."""
    for i in range(number[m]):
        w = which[m, i]
        if stops[w] <= end:
            total[p, o, w] += worth


@device
def fill_prices(price: Floats, e: int, counted: Integers, prices: Floats) -> int:
    """List the outcomes that have a price for event e; price: (o, e); counted, prices: (o,) filled. Gives how many they are."""
    n = 0
    for o in range(len(price)):
        if price[o, e] != 0.0:
            counted[n], prices[n] = o, price[o, e]
            n += 1
    return n


@inlined
def count_days(
    n: Index,
    counted: Integers,
    prices: Floats,
    from_day: Floats,
    to_day: Floats,
    began: float,
    first: float,
    stop: float,
    days_per_month: float,
    b: Index,
    p: Index,
    calendar: Index,
    history: int,
    end: Index,
    number: Integers,
    which: Integers,
    stops: Integers,
    discount: Floats,
    total: Floats,
    by_year: Floats,
) -> None:
    """Count the part from clock `first` to `stop` of a spell that began at `began`, month by month."""
    row = row_for(discount, b)
    for q in range(n):
        o, price = counted[q], prices[q]
        low = max(first, began + from_day[o] / days_per_month)
        high = min(stop, began + to_day[o] / days_per_month)
        # A spell that ends before its first day that counts has none.
        m = np.int64(low)
        while low < high and m < high:
            worth = (min(high, m + 1.0) - max(low, np.float64(m))) * days_per_month * price
            add_worth(p, o, m, end, worth * discount[row, o, m], number, which, stops, total)
            if m >= history:
                by_year[b, o, (calendar + m) // 12] += worth
            m += 1


@device
def fill_pace(
    effects: Effects, b: int, e: int, history: int, by_entry: Floats, pace: Floats, extra: Floats, stretch: Floats
) -> None:
    """Fill the factors of clock and effects on the rate of event e, and on the length of its spells.

    by_entry: (m,); pace, extra, stretch: (c, k, m). A rate r becomes r x pace + extra, a length l becomes l x stretch.
    """
    n_courses, n_strata, n_months = pace.shape
    for c in range(n_courses):
        for k in range(n_strata):
            for m in range(n_months):
                pace[c, k, m], extra[c, k, m], stretch[c, k, m] = by_entry[m], 0.0, 1.0
            for j in range(effects.of[e], effects.of[e + 1]):
                if effects.acts[j, k]:
                    for m in range(n_months):
                        change = change_at(effects, b, c, j, m - history)
                        if effects.form[j] == LENGTH_RATIO:
                            stretch[c, k, m] *= change
                        elif effects.form[j] == DIFFERENCE:
                            extra[c, k, m] += change
                        else:
                            pace[c, k, m] *= change


@device
def add_rates(pace: Floats, extra: Floats, by_calendar: Floats, paced: Floats, added: Floats) -> float:
    """Add up pace x calendar, and extra, from the first month on; pace, extra: (m,); paced, added: (m + 1,) filled.

    by_calendar: from that month to the last of the tables, behind which nothing is asked. Gives the rate below which some month's
    would be negative.
    """
    lowest = 0.0
    paced[0] = added[0] = 0.0
    for m in range(min(len(pace), len(by_calendar))):
        here = pace[m] * by_calendar[m]
        paced[m + 1], added[m + 1] = paced[m] + here, added[m] + extra[m]
        if extra[m] < 0.0:
            lowest = max(lowest, -extra[m] / here if here > 0.0 else np.inf)
    return lowest


@device
def add_clipped(rate: float, paced: Floats, added: Floats, at: Index, first: Index, stop: Index, to: Index) -> None:
    """Add up the rates of the months from `first` to `stop` with nothing below zero, in the places from `to` on."""
    paced[to + first] = 0.0
    for m in range(first, stop):
        rate_then = rate * (paced[at + m + 1] - paced[at + m]) + (added[at + m + 1] - added[at + m])
        paced[to + m + 1] = paced[to + m] + max(rate_then, 0.0)


@inlined
def find_month(
    rate: float, paced: Floats, added: Floats, at: Index, time: float, stop: Index, spend: float
) -> tuple[Index, float, float]:
    """Find the month before `stop` in which a gap that begins at clock `time` is spent, what is left of it then, and the rate.

    Where it is not spent: `stop`, and what is left there. paced, added: the sums of `add_rates`, those asked from place `at` on.
    """
    first = np.uint64(time)
    here = np.uint64(at) + first
    end = np.uint64(at) + np.uint64(stop)
    level = rate * paced[here] + added[here]
    here += np.uint64(1)
    after = rate * paced[here] + added[here]
    goal = spend + level + (after - level) * (time - np.float64(first))
    at_end = rate * paced[end] + added[end]
    if at_end < goal:
        return stop, goal - at_end, 0.0
    # Rounding may leave the goal at the level of a month without a rate, in which nothing can happen.
    while (after < goal or after <= level) and here < end:
        level = after
        here += np.uint64(1)
        after = rate * paced[here] + added[here]
    return np.int64(here - np.uint64(at)) - 1, goal - level, after - level


@device
def fill_own(seed: np.uint64, replications: Integers, purpose: np.uint64, people: People, own: PackedWords) -> None:
    """Fill the four words from which the sequence of each person begins; own: (p, 4)."""
    most = largest_segment(people.begin)
    words = np.empty((4, most), np.uint32)
    for g in range(len(people.begin) - 1):
        begin, stop = people.begin[g], people.begin[g + 1]
        if begin < stop:
            replication = np.uint64(replications[people.row[begin]])
            fill_words(seed, replication, purpose, people.attempt[begin:stop], people.number[begin:stop], words)
            for x in range(stop - begin):
                for w in range(4):
                    own[begin + x, w] = words[w, x]


@inlined
def own_of(own: PackedWords, p: Index) -> Own:
    """Return the state of a person's sequence; own: (p, 4)."""
    return np.uint64(own[p, 0]), np.uint64(own[p, 1]), np.uint64(own[p, 2]), np.uint64(own[p, 3])


@inlined
def keep_own(own: PackedWords, p: Index, left: Own) -> None:
    """Keep the state in which a person's sequence was left."""
    own[p, 0], own[p, 1], own[p, 2], own[p, 3] = left


@device
def next_gap(gaps: PackedWords, p: Index) -> float:
    """Draw what a person spends until the next event, exponential with mean 1; gaps: (p, 4), left where the next draw begins."""
    u, left = uniform_draw(own_of(gaps, p))
    keep_own(gaps, p, left)
    return float(-np.log(u))


@kernel
def draw_events(
    seed: np.uint64,
    replications: Integers,  # (b,)
    e: int,
    purpose: np.uint64,
    purpose_length: np.uint64,
    history: int,
    until: int,
    calendar_offset: int,  # month of the study in the first month of the tables
    days_per_month: float,
    people: People,
    stays: Stays,
    n_stays: int,
    rates: EventRates,
    effects: Effects,
    windows: WindowArrays,
    worth: WorthArrays,
    total: Floats,  # (p, o, w) added to
    by_year: Floats,  # (b, o, y) added to
    clipped: Integers,  # (b,) added to
) -> bool:
    """Let event e happen to everybody, and count it. Says whether it happened to somebody more often than is allowed."""
    n_people, n_months, n_strata = len(people.row), rates.by_entry.shape[2], rates.by_stratum.shape[2]
    n_courses, kind = effects.weight.shape[1], rates.length[e]
    to_spend, n_seen = np.empty(n_people), np.full(n_people, -1, np.int64)
    began, free = np.zeros(n_people), np.zeros(n_people)
    gaps, lengths = np.empty((n_people, 4), np.uint32), np.empty((n_people if kind >= 0 else 0, 4), np.uint32)
    fill_own(seed, replications, purpose, people, gaps)
    if kind >= 0:
        fill_own(seed, replications, purpose_length, people, lengths)
    shape = (n_courses, n_strata, n_months)
    pace, extra, stretch = np.empty(shape), np.empty(shape), np.empty(shape)
    # A cell is a month of entry, a course and a stratum: all in it share their sums, which are made when the first of them asks.
    earliest = latest = 0
    if n_people > 0:
        earliest, latest = people.calendar.min(), people.calendar.max()
    n_cells = (latest - earliest + 1) * n_courses * n_strata
    lowest, made_for, n_sums = np.empty(n_cells), np.full(n_cells, -1), n_months + 1
    # One cell after another; behind the last a place for a person of whom some month's rate would be negative.
    paced, added, alone = np.empty((n_cells + 1) * n_sums), np.empty((n_cells + 1) * n_sums), n_cells * n_sums
    added[alone:] = 0.0
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    of_person, of_state, firsts, stops_of = stays.person, stays.state, stays.first, stays.stop
    of_row, of_stratum, ends, calendars = people.row, people.stratum, people.end, people.calendar
    course, switch, factor = people.course, people.switch, people.factor
    rate_of, by_stratum, by_calendar, acts = rates.rate, rates.by_stratum, rates.by_calendar, rates.acts
    length_first, length_second = rates.length_first, rates.length_second
    per_event, per_spell_day, from_day, to_day = worth.per_event, worth.per_spell_day, worth.from_day, worth.to_day
    discount, scale, n_outcomes = worth.discount, worth.scale, worth.per_event.shape[1]
    stops, number, which = windows.stop, np.empty(n_months, np.int64), np.empty((n_months, len(windows.stop)), np.int64)
    fill_windows(windows, number, which)
    n_once = n_daily = 0
    row: Index = 0
    once, daily = np.empty(n_outcomes, np.int64), np.empty(n_outcomes, np.int64)
    price_once, price_daily = np.empty(n_outcomes), np.empty(n_outcomes)
    filled = -1
    for x in range(n_stays):
        p, s, first = of_person[x], of_state[x], firsts[x]
        b, k, end = of_row[p], of_stratum[p], min(ends[p], until)
        stop = min(stops_of[x], end)
        if b != filled:
            fill_pace(effects, b, e, history, rates.by_entry[row_for(rates.by_entry, b), e], pace, extra, stretch)
            filled, row = b, row_for(discount, b)
            n_once = fill_prices(per_event[b], e, once, price_once)
            n_daily = fill_prices(per_spell_day[b], e, daily, price_daily)
        if n_seen[p] < 0:
            n_seen[p] = 0
            to_spend[p] = next_gap(gaps, p)
        rate = rate_of[b, e, s] * by_stratum[b, e, k]
        calendar = calendars[p] + calendar_offset
        if rate <= 0.0:
            free[p] = min(free[p], float(first))
            continue
        if len(scale) > 0:
            for q in range(n_once):
                price_once[q] = per_event[b, once[q], e] * scale[once[q], p]
            for q in range(n_daily):
                price_daily[q] = per_spell_day[b, daily[q], e] * scale[daily[q], p]
        if free[p] > first:
            count_days(
                n_daily, daily, price_daily, from_day, to_day, began[p], float(first), min(free[p], float(stop)), days_per_month,
                b, p, calendar, history, end, number, which, stops, discount, total, by_year,
            )  # fmt: skip
        for f in range(len(acts)):
            if acts[f, e]:
                rate *= factor[f, p]
        spend, time, changes = to_spend[p], max(float(first), free[p]), switch[p]
        while time < stop:
            c = course[0, p] if time < changes else course[1, p]
            part = stop if changes <= time else min(stop, changes)
            cell = ((calendars[p] - earliest) * n_courses + c) * n_strata + k
            at = cell * n_sums
            if made_for[cell] != b:
                made_for[cell] = b
                calendar_here = by_calendar[row_for(by_calendar, b), e, calendars[p] :]
                lowest[cell] = add_rates(pace[c, k], extra[c, k], calendar_here, paced[at : at + n_sums], added[at : at + n_sums])
            if rate >= lowest[cell]:
                m, spend, rate_then = find_month(rate, paced, added, at, time, part, spend)
            else:
                began_at = int(time)
                add_clipped(rate, paced, added, at, began_at, part, alone)
                m, spend, rate_then = find_month(1.0, paced, added, alone, time, part, spend)
                for passed in range(at + began_at, at + min(m + 1, part)):
                    clipped[b] += rate * (paced[passed + 1] - paced[passed]) + (added[passed + 1] - added[passed]) < 0.0
            if m == part:
                time = float(part)
                continue
            # Rounding may reach the end of the month, which belongs to the next.
            time = min(max(m + spend / rate_then, time), np.nextafter(m + 1.0, 0.0))
            for q in range(n_once):
                add_worth(p, once[q], m, end, price_once[q] * discount[row, once[q], m], number, which, stops, total)
                if m >= history:
                    by_year[b, once[q], (calendar + m) // 12] += price_once[q]
            if kind >= 0:
                days, left = between_people(own_of(lengths, p), kind, length_first[b, e], length_second[b, e])
                keep_own(lengths, p, left)
                began[p], free[p] = time, time + stretch[c, k, m] * days / days_per_month
                count_days(
                    n_daily, daily, price_daily, from_day, to_day, time, time, min(free[p], float(stop)), days_per_month,
                    b, p, calendar, history, end, number, which, stops, discount, total, by_year,
                )  # fmt: skip
                time = free[p]
            n_seen[p] += 1
            if n_seen[p] >= _MOST_EVENTS:
                return True
            spend = next_gap(gaps, p)
        to_spend[p] = spend
    return False
