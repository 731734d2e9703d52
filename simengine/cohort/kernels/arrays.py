"""The bundles of arrays that the kernels of the people share.

Letters of the axes: b = replications of a block, p = persons of a batch, g = segments of a batch (persons of one replication
who stand side by side), k = strata, s = states, v = moves, c = courses, j = effects, f = factors, e = events, o = outcomes,
w = windows, m = months of the clock, x = stays.

The clock runs from the beginning of a person's history: with a history of h months, entry is at clock h. `row` of a table
with one row serves all replications.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Flags, Floats, Integers

PackedWords = NDArray[np.uint32]
Shorts = NDArray[np.int32]


class People(NamedTuple):
    """The persons of a batch, those of one replication side by side."""

    begin: Integers  # (g + 1,) segment g holds the persons begin[g] to begin[g + 1] - 1
    row: Shorts  # (p,) row of the block
    number: PackedWords  # (p,) the person's number in the wave
    attempt: PackedWords  # (p,) the candidate's number, shifted to the high half of an address
    stratum: Shorts  # (p,)
    state: Shorts  # (p,) at clock 0
    end: Shorts  # (p,) clock at the horizon
    calendar: Shorts  # (p,) month of the calendar at clock 0, counted from the first month of the tables
    course: Shorts  # (2, p) before and from the switch on
    switch: Shorts  # (p,) clock at which the second course begins
    factor: Floats  # (f, p) of frailties, sites and volume


class Stays(NamedTuple):
    """Who was where, in the order of each person's life; the last stay stops after the horizon."""

    person: Shorts  # (x,) index into the batch
    state: Shorts  # (x,)
    first: Shorts  # (x,) first month of the clock
    stop: Shorts  # (x,) month after the last
    since: Shorts  # (x,) month in which the time in the state began


class Effects(NamedTuple):
    """What the service changes among the targets of one kind, ordered by target."""

    of: Integers  # (target + 1,) the effects on target t are of[t] to of[t + 1] - 1
    form: Integers  # (j,) index into the forms below
    value: Floats  # (b, j) the logarithm of a ratio, or a difference
    clock: Floats  # (b, j, 3) ramp, start of fading, half-life, in months
    acts: Flags  # (j, k)
    weight: Floats  # (b or 1, c, j) multiplies the value


HAZARD_RATIO, RELATIVE_RISK, ODDS_RATIO, DIFFERENCE, LENGTH_RATIO = range(5)


class Moves(NamedTuple):
    """The moves between states without the service, ordered by the state that they leave."""

    of: Integers  # (s + 1,) the moves out of state s are of[s] to of[s + 1] - 1
    to: Integers  # (v,)
    hazard: Floats  # (b, k, v) per month
    by_entry: Floats  # (b or 1, k or 1, v, m) factor by months of the clock
    by_stay: Floats  # (b or 1, k or 1, v, m) factor by months in the state
    by_calendar: Floats  # (b or 1, v, calendar month) factor
    period: Floats  # (s,) months over which effects on probabilities act
    clock: Integers  # (s,) states with the same number share their time in the state
    acts: Flags  # (f, v) whether a factor multiplies the hazard
    is_walked: Flags  # (s,) states whose hazards change with more than the clock


class EventRates(NamedTuple):
    """The events without the service."""

    rate: Floats  # (b, e, s) per month
    by_stratum: Floats  # (b, e, k)
    by_entry: Floats  # (b or 1, e, m)
    by_calendar: Floats  # (b or 1, e, calendar month)
    acts: Flags  # (f, e) whether a factor multiplies the rate
    length: Integers  # (e,) kind of distribution between spells, -1 for none
    length_first: Floats  # (b, e) first parameter of the distribution, in days
    length_second: Floats  # (b, e)


class WindowArrays(NamedTuple):
    """Months of the clock over which outcomes are counted."""

    begin: Integers  # (w,)
    stop: Integers  # (w,) the month after the last


class WorthArrays(NamedTuple):
    """What the months in states and the events are worth to each outcome that adds up."""

    per_month: Floats  # (b, o, s)
    gathered: Floats  # (b or 1, o, s or 1, w, m) weights of the months before each month of the clock
    by_entry: Floats  # (b or 1, o, s or 1, m) factor by months of the clock
    by_stay: Floats  # (b or 1, o, s, m) factor by months in the state
    has_by_stay: Flags  # (o,)
    per_event: Floats  # (b, o, e)
    per_spell_day: Floats  # (b, o, e)
    from_day: Floats  # (o,) days of a spell before those that count
    to_day: Floats  # (o,) the last that counts
    discount: Floats  # (b or 1, o, m) of what happens in a month
    scale: Floats  # (o, p) factor of each person; (0, 0) where nobody differs


class Answers(NamedTuple):
    """What is read of people at one date."""

    month: Integers  # (o,) of the clock; -1 for an outcome of another kind
    probability: Floats  # (b, o, s)
    odds_per_month: Floats  # (b, o, s) logarithm of the odds ratio of a month in each state
    acts: Flags  # (f, o) whether a factor multiplies the odds
    by_calendar: Floats  # (b or 1, o, calendar month) factor on the odds


class ScoreArrays(NamedTuple):
    """Levels that are normal between people."""

    month: Integers  # (o,) of the clock; -1 for an outcome of another kind
    mean: Floats  # (b, o, 2) at entry and at the date
    sd: Floats  # (b, o, 2)
    correlation: Floats  # (b, o)
    by_state: Floats  # (b, o, s)
    is_gain: Flags  # (o,)
