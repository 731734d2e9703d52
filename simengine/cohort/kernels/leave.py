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
    # Plain arrays in the loops: a bundle costs a count of references each time that something is taken from it.
    hazard, by_entry, by_stay, by_calendar = moves.hazard, moves.by_entry, moves.by_stay, moves.by_calendar
    is_hit, factor, effects_of, form, acts = moves.acts, people.factor, effects.of, effects.form, effects.acts
    k, calendar, switch = people.stratum[p], people.calendar[p], people.switch[p]
    course, later = people.course[0, p], people.course[1, p]
    first, stop, period = moves.of[s], moves.of[s + 1], moves.period[s]
    entry_row, stay_row, calendar_row = row_for(by_entry, b), row_for(by_stay, b), row_for(by_calendar, b)
    entry_k, stay_k = k if by_entry.shape[1] > 1 else 0, k if by_stay.shape[1] > 1 else 0
    on_probabilities = acts_on_probabilities(effects, first, stop)
    gathered = 0.0
    month = begin
    while month < end:
        c = course if month < switch else later
        for v in range(first, stop):
            rate = hazard[b, k, v] * by_entry[entry_row, entry_k, v, month] * by_stay[stay_row, stay_k, v, month - since]
            rate *= by_calendar[calendar_row, v, calendar + month]
            for f in range(len(is_hit)):
                if is_hit[f, v]:
                    rate *= factor[f, p]
            for j in range(effects_of[v], effects_of[v + 1]):
                if form[j] == HAZARD_RATIO and acts[j, k]:
                    rate *= change[c, j, month]
            one[v] = rate
        if on_probabilities:
            clipped[g] += change_leaving(effects, change, c, k, month, first, stop, period, one)
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
