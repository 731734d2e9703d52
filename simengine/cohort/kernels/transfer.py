"""Cut histories at a month: that of moving out of the area, or one of the calendar; and add up the observed part."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.arrays import Flags, Floats, Integers
from simengine.cohort.kernels.arrays import People, Stays
from simengine.streams import uniform_pair


@kernel
def last_months_here(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    leaving: Floats,  # (b, s) hazard per month
    people: People,
    stays: Stays,
    n_stays: int,
    month: Integers,  # (p,) filled for those who move away: the first month of the clock that they spend elsewhere
) -> None:
    """Let the hazard gather over the stays after entry; who has spent the own share of it moves at the end of that month."""
    n_people = len(people.row)
    to_spend, is_gone = np.empty(n_people), np.zeros(n_people, np.bool_)
    for p in range(n_people):
        replication = np.uint64(replications[people.row[p]])
        u, _ = uniform_pair(seed, np.uint64(people.attempt[p]), np.uint64(people.number[p]), replication, purpose)
        to_spend[p] = -np.log(u)
    for x in range(n_stays):
        p, s, first, stop = stays.person[x], stays.state[x], max(stays.first[x], history), stays.stop[x]
        if is_gone[p] or stop <= first:
            continue
        gathered = leaving[people.row[p], s] * (stop - first)
        if gathered > to_spend[p]:
            month[p] = first + 1 + int(to_spend[p] / leaving[people.row[p], s])
            is_gone[p] = True
        to_spend[p] -= gathered


@kernel
def add_seen(
    people: People,
    outcome: Floats,  # (p, o, w) as it is seen
    total: Floats,  # (p, o, w) whole; with a history the last window is that before entry
    is_seen: Flags,  # (p, w)
    weight: Floats,  # (p,)
    has_history: bool,
    weights: Floats,  # (b, 2, w) added to
    sums: Floats,  # (b, 5, o, w) added to
) -> None:
    """Add up what is seen: the outcome, its square, that before entry, its square, and the product of the two."""
    n_people, n_outcomes, n_windows = total.shape
    for p in range(n_people):
        b, of = people.row[p], weight[p]
        for w in range(n_windows):
            if not is_seen[p, w]:
                continue
            weights[b, 0, w] += of
            weights[b, 1, w] += of * of
            for o in range(n_outcomes):
                value, before = outcome[p, o, w], total[p, o, n_windows - 1] if has_history else 0.0
                sums[b, 0, o, w] += of * value
                sums[b, 1, o, w] += of * value * value
                sums[b, 2, o, w] += of * before
                sums[b, 3, o, w] += of * before * before
                sums[b, 4, o, w] += of * value * before


@kernel
def add_later(
    people: People,
    earlier: Floats,  # (p, o, w) what came about before the month
    total: Floats,  # (p, o, w) whole; with a history the last window is that before entry
    weight: Floats,  # (p,)
    has_history: bool,
    moments: Floats,  # (b, 9, o, w) added to, in the order of the records
) -> None:
    """Add up what came about from a month of the calendar on, its square and its products."""
    n_people, n_outcomes, n_windows = total.shape
    for p in range(n_people):
        b, of = people.row[p], weight[p]
        for o in range(n_outcomes):
            h = total[p, o, n_windows - 1] if has_history else 0.0
            k = h - earlier[p, o, n_windows - 1] if has_history else 0.0
            for w in range(n_windows):
                x = total[p, o, w]
                y = x - earlier[p, o, w]
                to = moments[b, :, o, w]
                to[0] += of * y
                to[1] += of * y * y
                to[2] += of * x * y
                to[3] += of * k
                to[4] += of * k * k
                to[5] += of * h * k
                to[6] += of * y * h
                to[7] += of * x * k
                to[8] += of * y * k
