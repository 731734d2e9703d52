"""Count what months in states are worth, and add persons up.

A window from month a to month b of the clock counts for people who are followed to its end. The state in which a month
begins fills it; the date at which a life ends counts too, for outcomes that are read at the end of a month.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, kernel
from simengine.arrays import Flags, Floats, Index, Integers
from simengine.cohort.kernels.arrays import People, Stays, WindowArrays, WorthArrays
from simengine.cohort.kernels.effects import row_for


@kernel
def count_states(people: People, stays: Stays, n_stays: int, windows: WindowArrays, person_months: Floats) -> None:
    """Count the months in each state; person_months: (b, s, w), added to."""
    # Indices are unsigned: of a signed one the compiler asks each time whether it counts from the end.
    person, state, first, stop = stays.person, stays.state, stays.first, stays.stop
    row, end = people.row, people.end
    for w in range(len(windows.stop)):
        opens, closes = windows.begin[w], windows.stop[w]
        for x in range(n_stays):
            p = np.uint32(person[x])
            inside = min(stop[x], closes) - max(first[x], opens)
            if inside > 0 and closes <= end[p]:
                person_months[np.uint32(row[p]), np.uint32(state[x]), np.uint32(w)] += inside


@device
def months_worth(worth: WorthArrays, b: Index, o: Index, s: Index, w: Index, first: Index, stop: Index, since: Index) -> float:
    """Return the weight of the months `first` to `stop` - 1 of a stay in one window."""
    row = row_for(worth.gathered, b)
    of_state = s if worth.gathered.shape[2] > 1 else 0
    if not worth.has_by_stay[o]:
        return float(worth.gathered[row, o, of_state, w, stop] - worth.gathered[row, o, of_state, w, first])
    stay_row = row_for(worth.by_stay, b)
    total = 0.0
    for m in range(first, stop):
        weight = worth.gathered[row, o, of_state, w, m + 1] - worth.gathered[row, o, of_state, w, m]
        total += weight * worth.by_stay[stay_row, o, s, m - since]
    return total


@device
def count_years(
    worth: WorthArrays,
    b: Index,
    o: Index,
    s: Index,
    first: Index,
    stop: Index,
    since: Index,
    calendar: Index,
    price: float,
    by_year: Floats,
) -> None:
    """Add the price of the months `first` to `stop` - 1 of a stay to the years of the calendar; by_year: (b, o, y)."""
    row, of_state = row_for(worth.by_entry, b), s if worth.by_entry.shape[2] > 1 else 0
    stay_row = row_for(worth.by_stay, b)
    m = first
    while m < stop:
        year = (calendar + m) // 12
        until = min(stop, 12 * (year + 1) - calendar)
        weight = 0.0
        if worth.has_by_stay[o]:
            for month in range(m, until):
                of_month = month if worth.by_entry.shape[3] > 1 else 0
                weight += worth.by_entry[row, o, of_state, of_month] * worth.by_stay[stay_row, o, s, month - since]
        else:
            for month in range(m, until):
                weight += worth.by_entry[row, o, of_state, month]
        by_year[b, o, year] += price * weight
        m = until


@kernel
def count_amounts(
    adds: Integers,  # outcomes with a price per month that stays as it is
    history: int,
    calendar_offset: int,  # month of the study in the first month of the tables
    people: People,
    stays: Stays,
    n_stays: int,
    windows: WindowArrays,
    worth: WorthArrays,
    total: Floats,  # (p, o, w) added to
    by_year: Floats,  # (b, o, y) added to
) -> None:
    """Price the months in states."""
    # Names for the arrays of the loop: a bundle that is handed on whole costs more than what is done with it.
    per_month, gathered, scale, window_stop = worth.per_month, worth.gathered, worth.scale, windows.stop
    person, state, first_of, stop_of, _ = stays
    n_states, n_windows, n_years = gathered.shape[2], len(window_stop), by_year.shape[2]
    for x in range(n_stays):
        p, s, first, stop = person[x], state[x], first_of[x], stop_of[x]
        b, end = people.row[p], people.end[p]
        row, of_state = row_for(gathered, b), s if n_states > 1 else 0
        calendar = people.calendar[p] + calendar_offset
        from_month, to_month = calendar + max(first, history), calendar + min(stop, end)
        for place in range(len(adds)):
            o = adds[place]
            price = per_month[b, o, s]
            if price == 0.0:
                continue
            if len(scale) > 0:
                price *= scale[o, p]
            for w in range(n_windows):
                if window_stop[w] <= end:
                    total[p, o, w] += price * (gathered[row, o, of_state, w, stop] - gathered[row, o, of_state, w, first])
            # All years, not those of the stay alone: a processor cannot guess how many these are.
            for year in range(n_years):
                inside = min(to_month, 12 * year + 12) - max(from_month, 12 * year)
                by_year[b, o, year] += price * float(max(inside, 0))


@kernel
def count_changing_amounts(
    adds: Integers,  # outcomes with a price per month that changes with months since entry or in the state
    history: int,
    calendar_offset: int,  # month of the study in the first month of the tables
    people: People,
    stays: Stays,
    n_stays: int,
    windows: WindowArrays,
    worth: WorthArrays,
    total: Floats,  # (p, o, w) added to
    by_year: Floats,  # (b, o, y) added to
) -> None:
    """Price the months in states by prices that change."""
    for x in range(n_stays):
        p, s, first, stop, since = stays.person[x], stays.state[x], stays.first[x], stays.stop[x], stays.since[x]
        b, end = people.row[p], people.end[p]
        for place in range(len(adds)):
            o = adds[place]
            price = worth.per_month[b, o, s]
            if price == 0.0:
                continue
            if len(worth.scale) > 0:
                price *= worth.scale[o, p]
            for w in range(len(windows.stop)):
                if windows.stop[w] <= end:
                    total[p, o, w] += price * months_worth(worth, b, o, s, w, first, stop, since)
            after, calendar = max(first, history), people.calendar[p] + calendar_offset
            count_years(worth, b, o, s, after, min(stop, end), since, calendar, price, by_year)


@kernel
def reach_target(
    o: int,
    of: int,  # the outcome whose edge is asked for
    edge: float,
    is_least: bool,  # whether the edge is the least that counts, else the most
    known: Flags,  # (w,) whether that outcome is known
    people: People,
    windows: WindowArrays,
    total: Floats,  # (p, o, w) filled for outcome o
) -> None:
    """Say who reached an edge within each window that closes; the edge itself counts."""
    for p in range(len(total)):
        for w in range(len(windows.stop)):
            if known[w] and windows.stop[w] <= people.end[p]:
                value = total[p, of, w]
                is_reached = value >= edge if is_least else value <= edge
                total[p, o, w] = 1.0 if is_reached else 0.0


@kernel
def settle_claims(
    o: int,
    milestones: Integers,  # (i,) outcomes that are 0 or 1
    prices: Floats,  # (2^i,) of each combination, capped per person
    people: People,
    windows: WindowArrays,
    total: Floats,  # (p, o, w) filled for outcome o
    combinations: Integers,  # (b, w, 2^i) added to
) -> None:
    """Count who reached which combination of milestones, and what it is worth; bit i of a combination is milestone i."""
    for p in range(len(total)):
        for w in range(len(windows.stop)):
            if windows.stop[w] <= people.end[p]:
                combination = 0
                for i in range(len(milestones)):
                    combination |= (1 << i) if total[p, milestones[i], w] > 0.5 else 0
                combinations[people.row[p], w, combination] += 1
                total[p, o, w] = prices[combination]


@kernel
def add_products(
    people: People,
    total: Floats,  # (p, o, w)
    weight: Floats,  # (p,)
    pairs: Integers,  # (j, 2): two outcomes
    products: Floats,  # (b, j, w) added to; without the window before entry
) -> None:
    """Add up the products of two outcomes of the same person."""
    for p in range(total.shape[0]):
        for j in range(len(pairs)):
            for w in range(products.shape[2]):
                products[people.row[p], j, w] += weight[p] * total[p, pairs[j, 0], w] * total[p, pairs[j, 1], w]


@kernel
def add_weights(
    people: People,
    weight: Floats,  # (p,)
    weights: Floats,  # (b, 2) added to: of the weights and of their squares
) -> None:
    """Add up the weights of persons."""
    for g in range(len(people.begin) - 1):
        if people.begin[g] == people.begin[g + 1]:
            continue
        b = people.row[people.begin[g]]
        whole, of_squares = weights[b]
        for p in range(people.begin[g], people.begin[g + 1]):
            whole += weight[p]
            of_squares += weight[p] * weight[p]
        weights[b, 0], weights[b, 1] = whole, of_squares


@kernel
def add_up(
    people: People,
    total: Floats,  # (p, o, w)
    weight: Floats,  # (p,)
    has_history: bool,
    sums: Floats,  # (b, o, w) added to
    squares: Floats,  # (b, o, w) added to
    products: Floats,  # (b, o, w) added to, where there is a history
) -> None:
    """Add persons to sums, squares, and products with the last window."""
    n_people, n_outcomes, n_windows = total.shape
    for p in range(n_people):
        b = people.row[p]
        for o in range(n_outcomes):
            for w in range(n_windows):
                value = total[p, o, w]
                sums[b, o, w] += weight[p] * value
                squares[b, o, w] += weight[p] * value * value
                if has_history:
                    products[b, o, w] += weight[p] * value * total[p, o, n_windows - 1]
