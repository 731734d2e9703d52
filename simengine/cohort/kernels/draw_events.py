"""Draw recurrent events (a Poisson process for each person) and the length of their spells.

The n-th event of a person is drawn at the address (person, n): its gap is spent like that of a stay, against the rate accumulated
while no spell lasts. Two arms with the same stays of a person have the same events; a lower rate delays each of them.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined, kernel
from simengine.arrays import Floats, Index, Integers
from simengine.cohort.kernels.arrays import DIFFERENCE, LENGTH_RATIO, Effects, EventRates, People, Stays, WindowArrays, WorthArrays
from simengine.cohort.kernels.between import between_people
from simengine.cohort.kernels.effects import change_at, row_for
from simengine.streams import uniform_pair

_ROOM_OF_A_LENGTH = 32
"""Addresses that the length of one spell may use."""
_MOST_EVENTS = 65_535
_MOST_SPELLS = _MOST_EVENTS // _ROOM_OF_A_LENGTH


@inlined
def count_event(
    b: Index,
    p: Index,
    e: int,
    m: Index,
    year: Index,
    history: int,
    end: Index,
    begins: Integers,
    stops: Integers,
    per_event: Floats,
    discount: Floats,
    scale: Floats,
    total: Floats,
    by_year: Floats,
) -> None:
    """Count one event in a month of the clock, for each outcome that has a price for it."""
    row = row_for(discount, b)
    for o in range(per_event.shape[1]):
        price = per_event[b, o, e]
        if price != 0.0:
            if len(scale) > 0:
                price *= scale[o, p]
            for w in range(len(stops)):
                if begins[w] <= m < stops[w] <= end:
                    total[p, o, w] += price * discount[row, o, m]
            if m >= history:
                by_year[b, o, year] += price


@inlined
def count_days(
    b: Index,
    p: Index,
    e: int,
    began: float,
    first: float,
    stop: float,
    days_per_month: float,
    calendar: Index,
    history: int,
    end: Index,
    begins: Integers,
    stops: Integers,
    per_spell_day: Floats,
    from_day: Floats,
    to_day: Floats,
    discount: Floats,
    scale: Floats,
    total: Floats,
    by_year: Floats,
) -> None:
    """Count the part from clock `first` to `stop` of a spell that began at `began`, month by month."""
    row = row_for(discount, b)
    for o in range(per_spell_day.shape[1]):
        price = per_spell_day[b, o, e]
        if price != 0.0:
            if len(scale) > 0:
                price *= scale[o, p]
            low = max(first, began + from_day[o] / days_per_month)
            high = min(stop, began + to_day[o] / days_per_month)
            # A spell that ends before its first day that counts has none.
            m = int(low) if low < high else end
            while m < high and m < end:
                days = (min(high, m + 1.0) - max(low, float(m))) * days_per_month
                for w in range(len(stops)):
                    if begins[w] <= m < stops[w] <= end:
                        total[p, o, w] += price * days * discount[row, o, m]
                if m >= history:
                    by_year[b, o, (calendar + m) // 12] += price * days
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
    """Let event e happen to everybody, and count it. Says whether somebody met it too often to have an address for the next."""
    n_people, n_months, n_strata = len(people.row), rates.by_entry.shape[2], rates.by_stratum.shape[2]
    to_spend, n_seen = np.empty(n_people), np.full(n_people, -1, np.int64)
    began, free = np.zeros(n_people), np.zeros(n_people)
    shape = (effects.weight.shape[1], n_strata, n_months)
    pace, extra, stretch = np.empty(shape), np.empty(shape), np.empty(shape)
    kind = rates.length[e]
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    of_person, of_state, firsts, stops_of = stays.person, stays.state, stays.first, stays.stop
    of_row, of_stratum, ends, calendars, number, attempt = (
        people.row, people.stratum, people.end, people.calendar, people.number, people.attempt
    )  # fmt: skip
    course, switch, factor = people.course, people.switch, people.factor
    rate_of, by_stratum, by_calendar, acts = rates.rate, rates.by_stratum, rates.by_calendar, rates.acts
    length_first, length_second = rates.length_first, rates.length_second
    begins, stops = windows.begin, windows.stop
    per_event, per_spell_day, from_day, to_day = worth.per_event, worth.per_spell_day, worth.from_day, worth.to_day
    discount, scale = worth.discount, worth.scale
    # One line of each table after another, and indices without a sign: of one with a sign the compiler asks each time whether it
    # counts from the end.
    of_calendar, n_calendar = by_calendar.ravel(), by_calendar.shape[2]
    paces, extras, stretches = pace.ravel(), extra.ravel(), stretch.ravel()
    filled = -1
    for x in range(n_stays):
        p, s, first = of_person[x], of_state[x], firsts[x]
        b, k, end = of_row[p], of_stratum[p], min(ends[p], until)
        stop = min(stops_of[x], end)
        if b != filled:
            fill_pace(effects, b, e, history, rates.by_entry[row_for(rates.by_entry, b), e], pace, extra, stretch)
            filled = b
        replication, person, candidate = np.uint64(replications[b]), np.uint64(number[p]), np.uint64(attempt[p])
        if n_seen[p] < 0:
            n_seen[p] = 0
            u, _ = uniform_pair(seed, candidate, person, replication, purpose)
            to_spend[p] = -np.log(u)
        rate_here = rate_of[b, e, s] * by_stratum[b, e, k]
        calendar = calendars[p] + calendar_offset
        if rate_here <= 0.0:
            free[p] = min(free[p], float(first))
            continue
        if free[p] > first:
            count_days(
                b, p, e, began[p], float(first), min(free[p], float(stop)), days_per_month, calendar, history, end,
                begins, stops, per_spell_day, from_day, to_day, discount, scale, total, by_year,
            )  # fmt: skip
        for f in range(len(acts)):
            if acts[f, e]:
                rate_here *= factor[f, p]
        at_calendar = (row_for(by_calendar, b) * by_calendar.shape[1] + e) * n_calendar + calendars[p]
        at_first, at_later = (course[0, p] * n_strata + k) * n_months, (course[1, p] * n_strata + k) * n_months
        changes = switch[p]
        spend, m = to_spend[p], max(first, int(min(free[p], float(stop))))
        while m < stop:
            at = np.uint64((at_first if m < changes else at_later) + m)
            rate = rate_here * of_calendar[np.uint64(at_calendar + m)] * paces[at] + extras[at]
            if rate < 0.0:
                clipped[b] += 1
                rate = 0.0
            time = max(float(m), free[p])
            while rate * (m + 1 - time) >= spend:
                # Rounding may reach the end of the month, which belongs to the next.
                time = min(time + spend / rate, np.nextafter(m + 1.0, 0.0))
                count_event(
                    b, p, e, m, (calendar + m) // 12, history, end, begins, stops, per_event, discount, scale, total, by_year
                )
                if kind >= 0:
                    index = candidate + np.uint64(n_seen[p] * _ROOM_OF_A_LENGTH)
                    days = stretches[at] * between_people(
                        seed, index, person, replication, purpose_length, kind, length_first[b, e], length_second[b, e]
                    )
                    began[p], free[p] = time, time + days / days_per_month
                    count_days(
                        b, p, e, time, time, min(free[p], float(stop)), days_per_month, calendar, history, end,
                        begins, stops, per_spell_day, from_day, to_day, discount, scale, total, by_year,
                    )  # fmt: skip
                    time = free[p]
                n_seen[p] += 1
                if n_seen[p] >= (_MOST_EVENTS if kind < 0 else _MOST_SPELLS):
                    return True
                u, _ = uniform_pair(seed, candidate + np.uint64(n_seen[p]), person, replication, purpose)
                spend = -np.log(u)
            spend -= rate * max(m + 1 - time, 0.0)
            # A spell may fill the months that follow.
            m = max(m + 1, int(min(time, float(stop))))
        to_spend[p] = spend
    return False
