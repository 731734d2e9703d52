"""Find when people reached outcomes, and list it, one row each."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.arrays import Flags, Floats, Int16s, Int32s, Integers
from simengine.cohort.kernels.arrays import People, Stays


@kernel
def reach_first(
    belongs: Flags,  # (s,)
    stay_steps: int,
    begin: int,
    people: People,
    stays: Stays,
    n_stays: int,
    moment: Integers,  # (p,) filled; -1 for never
) -> None:
    """Find the step of the clock at which everybody had first been in some states for so long on end, from `begin` on."""
    moment[:] = -1
    since = np.full(len(people.row), -1, np.int64)
    for x in range(n_stays):
        p, first, stop = stays.person[x], stays.first[x], stays.stop[x]
        if not belongs[stays.state[x]]:
            since[p] = -1
            continue
        if since[p] < 0:
            since[p] = first
        began = max(since[p], begin)
        if moment[p] < 0 and stop > began and stop >= began + stay_steps and began + stay_steps <= people.end[p]:
            moment[p] = began + stay_steps


@kernel
def first_in_window(
    o: int,
    stop: Integers,  # (w,) ends of windows that begin at entry, increasing
    people: People,
    total: Floats,  # (p, o, w)
    moment: Integers,  # (p,) filled; -1 for never
) -> None:
    """Find the end of the first window in which everybody has an outcome that is yes or no."""
    moment[:] = -1
    for p in range(len(total)):
        for w in range(len(stop)):
            if stop[w] > people.end[p]:
                break
            if total[p, o, w] > 0.5:
                moment[p] = stop[w]
                break


@kernel
def list_rows(
    entry: int,
    steps: int,
    people: People,
    offset: Integers,  # (b,) number of the first of these people in each replication
    moment: Integers,  # (a, p) step of the clock; -1 for never
    of_moment: Integers,  # (a,) number of each outcome
    until: Integers,  # (a,) last step of the clock that counts
    total: Floats,  # (p, u, w) by the end of each window; windows begin at entry
    stop: Integers,  # (w,)
    of_total: Integers,  # (u,) place of each outcome in total
    of_units: Integers,  # (u,) number of each outcome
    until_units: Integers,  # (u,)
    is_counting: bool,  # whether rows are only counted
    row: Int32s,
    person: Int32s,
    outcome: Int16s,
    month: Int16s,
    units: Floats,
) -> int:
    """List what everybody reached, person by person; months are those of the calendar, at whose end it was reached."""
    n = 0
    for p in range(len(people.row)):
        b = people.row[p]
        number = offset[b] + np.int64(people.number[p])
        for a in range(len(of_moment)):
            if 0 <= moment[a, p] <= min(until[a], np.int64(people.end[p])):
                if not is_counting:
                    row[n], person[n], outcome[n] = b, number, of_moment[a]
                    month[n] = (people.calendar[p] + moment[a, p] - entry + steps - 1) // steps
                    units[n] = 1.0
                n += 1
        for u in range(len(of_units)):
            before = 0.0
            for w in range(len(stop)):
                if stop[w] > min(until_units[u], np.int64(people.end[p])):
                    break
                now = total[p, of_total[u], w]
                if now != before:
                    if not is_counting:
                        row[n], person[n], outcome[n] = b, number, of_units[u]
                        month[n] = (people.calendar[p] + stop[w] - entry + steps - 1) // steps
                        units[n] = now - before
                    n += 1
                before = now
    return n


@kernel
def place_by_month(
    row: Int32s,  # (x,) rows of the block, by person within each
    month: Int16s,  # (x,)
    n_rows: int,
    first: Integers,  # (n_rows + 1,) filled: where each row of the block begins
    place: Integers,  # (x,) filled: where each listed row goes
) -> None:
    """Order what was listed by replication and month, and leave people in their order."""
    n_months = 1
    for x in range(len(month)):
        n_months = max(n_months, int(month[x]) + 1)
    at = np.zeros(n_rows * n_months + 1, np.int64)
    for x in range(len(row)):
        at[np.int64(row[x]) * n_months + month[x] + 1] += 1
    for k in range(n_rows * n_months):
        at[k + 1] += at[k]
    for b in range(n_rows + 1):
        first[b] = at[b * n_months]
    for x in range(len(row)):
        k = np.int64(row[x]) * n_months + month[x]
        place[x] = at[k]
        at[k] += 1
