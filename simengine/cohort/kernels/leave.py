"""Say when a stay ends and where it leads, for states whose hazards are not steady."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device
from simengine.cohort.kernels.arrays import HAZARD_RATIO, Effects, Floats, Integers, Moves, People
from simengine.cohort.kernels.effects import acts_on_probabilities, change_leaving, row_for

Index = int | np.int64

LONG = 1e6
"""Months; longer than any clock."""


@device
def last_month(gathered: Floats, at: Index, first: Index, end: Index, to_spend: float) -> Index:
    """Give the month at whose end a stay that began with month `first` ends; `end` if it lasts until then.

    gathered: (m + 1,) of one line of the tables after another, from `at` on of this line.
    """
    target = gathered[np.uint32(at + first)] + to_spend
    if gathered[np.uint32(at + end)] < target:
        return end
    # A hazard that stays as it is would be spent here; a changing one is searched from there.
    pace = gathered[np.uint32(at + first + 1)] - gathered[np.uint32(at + first)]
    month = first
    if pace > 0.0:
        month = first + int(min(np.divide(to_spend, pace), float(end - 1 - first)))
    while gathered[np.uint32(at + month + 1)] < target:
        month += 1
    while month > first and gathered[np.uint32(at + month)] >= target:
        month -= 1
    return month


@device
def pick_move(hazard: Floats, row: Index, m: Index, first: Index, stop: Index, uniform: float) -> int:
    """Choose among the moves `first` to `stop` - 1 by their hazards in a month; hazard: (row, v, m).

    Counting instead of branching: a processor cannot guess where somebody goes.
    """
    total = 0.0
    for v in range(first, stop):
        total += hazard[row, v, m]
    goal = uniform * total
    running = 0.0
    chosen = last = first
    for v in range(first, stop):
        share = hazard[row, v, m]
        running += share
        chosen += running <= goal
        last = v if share > 0.0 else last
    # Rounding may leave the goal above the last running sum.
    return int(min(chosen, last))


@device
def fill_row(
    b: int,
    p: Index,
    s: Index,
    m: Index,
    since: Index,
    people: People,
    moves: Moves,
    effects: Effects,
    change: Floats,
    out: Floats,
) -> int:
    """Fill the hazards of one person's moves out of a walked state in month m; change: (c, j, m), out: (v,).

    Gives how many probabilities were clipped.
    """
    c = people.course[0, p] if m < people.switch[p] else people.course[1, p]
    k, first, stop = people.stratum[p], moves.of[s], moves.of[s + 1]
    entry_row, stay_row, calendar_row = row_for(moves.by_entry, b), row_for(moves.by_stay, b), row_for(moves.by_calendar, b)
    entry_k, stay_k = k if moves.by_entry.shape[1] > 1 else 0, k if moves.by_stay.shape[1] > 1 else 0
    for v in range(first, stop):
        out[v] = moves.hazard[b, k, v] * moves.by_entry[entry_row, entry_k, v, m] * moves.by_stay[stay_row, stay_k, v, m - since]
        out[v] *= moves.by_calendar[calendar_row, v, people.calendar[p] + m]
        for f in range(len(moves.acts)):
            if moves.acts[f, v]:
                out[v] *= people.factor[f, p]
        for j in range(effects.of[v], effects.of[v + 1]):
            if effects.form[j] == HAZARD_RATIO and effects.acts[j, k]:
                out[v] *= change[c, j, m]
    if acts_on_probabilities(effects, first, stop):
        return change_leaving(effects, change, c, k, m, first, stop, moves.period[s], out)
    return 0


@device
def leave_walked(
    b: int,
    g: Index,
    p: Index,
    s: Index,
    begin: Index,
    since: Index,
    end: Index,
    to_spend: float,
    uniform: float,
    people: People,
    moves: Moves,
    effects: Effects,
    change: Floats,
    one: Floats,
    clipped: Integers,
) -> tuple[Index, int]:
    """Do what `last_month` and `pick_move` do, month by month, for a state whose hazards change with more than the clock.

    change: (c, j, m); one: (v,), room; clipped: (g,), added to.
    """
    first, stop = moves.of[s], moves.of[s + 1]
    gathered = 0.0
    month = begin
    while month < end:
        clipped[g] += fill_row(b, p, s, month, since, people, moves, effects, change, one)
        before = gathered
        for v in range(first, stop):
            gathered += one[v]
        if gathered >= to_spend:
            goal = before + uniform * (gathered - before)
            last = first
            for v in range(first, stop):
                before += one[v]
                last = v if one[v] > 0.0 else last
                if before > goal:
                    break
            return month, last
        month += 1
    return end, 0


@device
def leave_switching(
    is_steady: bool,
    pace: Floats,
    mean: Floats,
    gathered: Floats,
    n_dates: int,
    line: Index,
    to: Index,
    begin: Index,
    switch: Index,
    end: Index,
    to_spend: float,
) -> Index:
    """Give the month at whose end a stay ends whose course switches meanwhile, from a line of the tables `to` lines on."""
    if is_steady:
        last = min(begin + int(min(to_spend * mean[line], LONG)), switch)
        to_spend -= (switch - begin) * pace[line]
    else:
        at = line * n_dates
        last = last_month(gathered, at, begin, switch, to_spend)
        to_spend -= gathered[np.uint32(at + switch)] - gathered[np.uint32(at + begin)]
    if last < switch:
        return last
    if is_steady:
        return min(switch + int(min(max(to_spend, 0.0) * mean[line + to], LONG)), end)
    return last_month(gathered, (line + to) * n_dates, switch, end, to_spend)


@device
def factor_of_state(p: Index, s: Index, people: People, moves: Moves) -> float:
    """Give the person's factor on all moves out of a state that is not walked: it is the same for each of them."""
    factor = 1.0
    v = moves.of[s]
    if v < moves.of[s + 1]:
        for f in range(len(moves.acts)):
            if moves.acts[f, v]:
                factor *= people.factor[f, p]
    return factor
