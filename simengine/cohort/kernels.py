"""Walk people through their states, month by month; tally sums, keep no person.

One uniform decides how long a person stays in a state, another where the person goes. Both have the address (person, month
of entry into the state), so a person who enters the same state in the same month of two arms has the same luck from there
on: with no effect the arms are equal person by person.

The clock: in month m after entry (m = 0, 1, ...) a person is in one state for the whole month and pays its price; the
move, if any, happens at the end of the month. A window of w months holds the months 0 to w - 1. An outcome read at month a
is read from the state in which month a begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, kernel
from simengine.streams import uniform_pair

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@device
def effect_strength(month: int, ramp_months: float, fades_after_months: float, half_life_months: float) -> float:
    """Give the share of the full effect (of its logarithm) in the middle of a month after entry."""
    time = month + 0.5
    strength = 1.0 - np.exp(-time / ramp_months) if ramp_months > 0.0 else 1.0
    if time > fades_after_months:
        strength *= 0.5 ** ((time - fades_after_months) / half_life_months) if half_life_months > 0.0 else 0.0
    return strength


@device
def fill_month(hazard: Floats, log_multiplier: Floats, stay: Floats, reach: Floats) -> None:
    """Turn the hazards of one month into the probability of staying and the running sum of the moves' shares.

    hazard, log_multiplier: (stratum, from, to); stay: (stratum, from); reach: (stratum, from, to), rising to 1.
    """
    n_strata, n_states = stay.shape
    for k in range(n_strata):
        for i in range(n_states):
            total = 0.0
            for j in range(n_states):
                total += hazard[k, i, j] * np.exp(log_multiplier[k, i, j])
                reach[k, i, j] = total
            stay[k, i] = np.exp(-total)
            for j in range(n_states):
                reach[k, i, j] = reach[k, i, j] / total if total > 0.0 else 0.0


@device
def pick(cumulative: Floats, uniform: float) -> int:
    """Give the first index whose cumulative share exceeds the uniform, or the last index that has a share of its own."""
    last = 0
    previous = 0.0
    for j in range(len(cumulative)):
        if cumulative[j] > previous:
            last = j
            previous = cumulative[j]
        if uniform < cumulative[j]:
            return j
    return last


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
    price_per_month: Floats,  # (r, o, s)
    read_month: Integers,  # (o,) month of a binary outcome, -1 for an amount
    purpose_outcome: NDArray[np.uint64],  # (o,)
    probability: Floats,  # (r, o, s)
    sums: Floats,  # (r, o, w) filled
    squares: Floats,  # (r, o, w) filled
    person_months: Floats,  # (r, s, w) filled
    by_year: Floats,  # (r, o, y) filled
) -> None:
    """Simulate one wave in one arm for a block of replications; everything filled starts at zero."""
    # r = replications, k = strata, s = states, e = effects, o = outcomes, w = windows, y = calendar years
    n_strata, n_states = start.shape[1], start.shape[2]
    n_effects, n_outcomes, n_windows = len(effect_move), len(read_month), len(windows)
    n_tables = horizon_months if n_effects > 0 else 1
    stay = np.empty((n_tables, n_strata, n_states))
    reach = np.empty((n_tables, n_strata, n_states, n_states))
    log_multiplier = np.empty((n_strata, n_states, n_states))
    total = np.empty(n_outcomes)
    months_in = np.empty(n_states)
    zero, one = np.uint64(0), np.uint64(1)

    for r in range(len(replications)):
        replication = np.uint64(replications[r])
        for month in range(n_tables):
            log_multiplier[:] = 0.0
            for e in range(n_effects):
                clock = effect_clock[r, e]
                strength = effect_strength(month, clock[0], clock[1], clock[2])
                log_multiplier[:, effect_move[e, 0], effect_move[e, 1]] += strength * log_ratio[r, e]
            fill_month(hazard[r], log_multiplier, stay[month], reach[month])

        for i in range(n_people):
            person = np.uint64(i)
            u_stratum, u_start = uniform_pair(seed, zero, person, replication, purpose_entry)
            u_enrolment, _ = uniform_pair(seed, one, person, replication, purpose_entry)
            k = pick(strata[r], u_stratum)
            state = pick(start[r, k], u_start)
            entry = from_month + int(u_enrolment * enrolment_months[r])
            u_leave, u_target = uniform_pair(seed, zero, person, replication, purpose_moves)
            survival = 1.0
            window = 0
            total[:] = 0.0
            months_in[:] = 0.0
            for month in range(horizon_months - entry + 1):
                for o in range(n_outcomes):
                    if read_month[o] == month:
                        u_outcome, _ = uniform_pair(seed, zero, person, replication, purpose_outcome[o])
                        total[o] = 1.0 if u_outcome < probability[r, o, state] else 0.0
                while window < n_windows and windows[window] == month:
                    for o in range(n_outcomes):
                        sums[r, o, window] += total[o]
                        squares[r, o, window] += total[o] * total[o]
                    for s in range(n_states):
                        person_months[r, s, window] += months_in[s]
                    window += 1
                if month == horizon_months - entry:
                    break
                months_in[state] += 1.0
                year = (entry + month) // 12
                for o in range(n_outcomes):
                    if read_month[o] < 0:
                        total[o] += price_per_month[r, o, state]
                        by_year[r, o, year] += price_per_month[r, o, state]
                table = month if n_tables > 1 else 0
                survival *= stay[table, k, state]
                if survival <= u_leave:
                    state = pick(reach[table, k, state], u_target)
                    survival = 1.0
                    u_leave, u_target = uniform_pair(seed, np.uint64(month + 1), person, replication, purpose_moves)
