"""Say who enters: stratum, first state, month of entry, part taken in the service, and what a person brings along."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, kernel
from simengine.arrays import Floats, Integers
from simengine.cohort.kernels.arrays import People
from simengine.cohort.kernels.between import gamma_draw
from simengine.streams import fill_words, philox, uniform_of, uniform_pair


@device
def largest_segment(begin: Integers) -> int:
    """Return how many persons of one replication stand side by side at most; begin: as in people."""
    largest = 0
    for g in range(len(begin) - 1):
        largest = max(largest, begin[g + 1] - begin[g])
    return largest


@kernel
def enter(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    horizon: int,  # last calendar month of the tables
    enrolment_months: Integers,  # (b,)
    strata: Floats,  # (b, k) cumulative shares
    start: Floats,  # (b, k, s) cumulative shares
    people: People,  # stratum, state, end and calendar filled
) -> None:
    """Draw stratum, state and month of entry of everybody in a batch.

    The first draw of an attempt gives the stratum and the state, the second the month. `calendar` holds the first month of
    the wave's enrolment when it comes in, as a month of the tables.
    """
    n_strata, n_states = start.shape[1], start.shape[2]
    n_segments = len(people.begin) - 1
    most = largest_segment(people.begin)
    index, words = np.empty(most, np.uint32), np.empty((4, most), np.uint32)
    of_stratum, of_state, k, s = np.empty(most), np.empty(most), np.empty(most, np.uint32), np.empty(most, np.uint32)
    for g in range(n_segments):
        begin, stop = people.begin[g], people.begin[g + 1]
        if begin == stop:
            continue
        n, b = stop - begin, people.row[begin]
        replication = np.uint64(replications[b])
        if enrolment_months[b] > 1:  # of one month nothing is to be drawn
            for x in range(n):
                index[x] = people.attempt[begin + x] + np.uint32(1)
            fill_words(seed, replication, purpose, index[:n], people.number[begin:stop], words)
            for x in range(n):
                people.calendar[begin + x] += int(uniform_of(words[0, x], words[1, x]) * enrolment_months[b])
        for x in range(n):
            people.end[begin + x] = horizon - people.calendar[begin + x]
        fill_words(seed, replication, purpose, people.attempt[begin:stop], people.number[begin:stop], words)
        # One step for all after the other: such loops become vector instructions.
        for x in range(n):
            of_stratum[x], of_state[x] = uniform_of(words[0, x], words[1, x]), uniform_of(words[2, x], words[3, x])
            k[x] = s[x] = 0
        for j in range(n_strata - 1):
            share = strata[b, j]
            for x in range(n):
                k[x] += np.uint32(share <= of_stratum[x])
        shares = start[b].reshape(n_strata * n_states)
        for j in range(n_states - 1):
            for x in range(n):
                s[x] += np.uint32(shares[np.uint32(k[x] * np.uint32(n_states) + np.uint32(j))] <= of_state[x])
        for x in range(n):
            people.stratum[begin + x], people.state[begin + x] = k[x], s[x]


@kernel
def engage(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    history: int,
    share: Floats,  # (b,) who take part
    doses: Floats,  # (b, d) cumulative shares among them
    dropout: Floats,  # (b,) hazard per month, 0 where nobody leaves
    people: People,  # course and switch filled
) -> None:
    """Draw who takes part, at which dose, and when they leave.

    Course 0 is that of people who never take part, 1 + d that at dose d, 1 + D + d that after leaving it. The first draw of an
    attempt says whether and how much, the second when: at the end of the first month whose hazard since entry exceeds -log(u).
    """
    n_doses = doses.shape[1]
    one = np.uint64(1)
    for p in range(len(people.row)):
        b = people.row[p]
        replication, person, index = np.uint64(replications[b]), np.uint64(people.number[p]), np.uint64(people.attempt[p])
        u_engage, u_dose = uniform_pair(seed, index, person, replication, purpose)
        people.course[0, p] = people.course[1, p] = 0
        if u_engage >= share[b]:
            continue
        d = 0
        for j in range(n_doses - 1):
            d += doses[b, j] <= u_dose
        people.course[0, p], people.course[1, p] = 1 + d, 1 + n_doses + d
        if dropout[b] > 0.0:
            u_leave, _ = uniform_pair(seed, index + one, person, replication, purpose)
            months = -np.log(u_leave) / dropout[b]
            if months < people.end[p]:
                people.switch[p] = history + 1 + int(months)


@kernel
def fill_frailty(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purpose: np.uint64,
    variance: Floats,  # (b,)
    people: People,
    out: Floats,  # (p,) filled
) -> None:
    """Draw a factor for everybody: gamma with mean 1 and the given variance."""
    for p in range(len(people.row)):
        b = people.row[p]
        replication, person, index = np.uint64(replications[b]), np.uint64(people.number[p]), np.uint64(people.attempt[p])
        out[p] = 1.0
        if variance[b] > 0.0:
            factor, _ = gamma_draw(philox(seed, index, person, replication, purpose), 1.0 / variance[b])
            out[p] = factor * variance[b]
