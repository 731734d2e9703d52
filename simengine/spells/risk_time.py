"""Who was at risk of an event for how long, in which state and month; and how long each event lasted while it could."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.records.arrays import Axes, Record
from simengine.spells.event_records import Events
from simengine.spells.records import Spells

_DAYS = 1 << 23
"""More days than any date has: a person and a day as one number, so that one search finds a spell."""


@dataclass(frozen=True, eq=False)
class RiskTime(Record):
    """Time at risk of one event; the axis `cell` runs over pairs of a person and a class of state, stratum and month that occur."""

    person: Annotated[Integers, Axes("cell")]
    """Index of the person."""
    risk_class: Annotated[Integers, Axes("cell")]
    """Index of the class."""
    months: Annotated[Floats, Axes("cell", "months")]
    """Time at risk; none while the event lasts."""
    n_events: Annotated[Floats, Axes("cell")]
    """Events that began."""
    state: Annotated[Integers, Axes("class")]
    """State of the class."""
    stratum: Annotated[Integers, Axes("class")]
    """Stratum of the class."""
    month: Annotated[Integers, Axes("class", "months since 1970-01")]
    """Month of the calendar; 0 in all where months are not told apart."""


@dataclass(frozen=True, eq=False)
class Lengths(Record):
    """How long the events of one kind lasted, in whole days: as far as they were seen, and could last."""

    days: Annotated[Floats, Axes("event", "days")]
    """Days until it ended, or was no longer seen."""
    is_over: Annotated[Flags, Axes("event")]
    """Whether it ended; else it lasted so long or longer (censored)."""
    from_day: Annotated[Floats, Axes("event", "days")]
    """Days that it had lasted when its person was first observed; 0 if it began later (left truncation)."""
    person: Annotated[Integers, Axes("event")]
    """Index of the person."""
    n_cut: int
    """Events that lasted beyond the states in which they can begin, or beyond the observation of their person."""


def states_at_start(spells: Spells, events: Events) -> Integers:
    """Return by event the state of its person on its first day, or at entry if that was later; shape (event,)."""
    return np.asarray(spells.state[_spell_at(spells, events.person, _seen_from(spells, events))])


def _seen_from(spells: Spells, events: Events) -> Floats:
    return np.maximum(events.first_day, spells.entry_day[events.person])


def _spell_at(spells: Spells, person: Integers, day: Floats) -> Integers:
    """Return the spell in which a person is on a day of observation."""
    begins = spells.person * _DAYS + _shifted(np.maximum(spells.first_day, spells.entry_day[spells.person]))
    return np.searchsorted(begins, person * _DAYS + _shifted(day), side="right") - 1


def _shifted(day: Floats) -> Integers:
    """Count days from 1900 on, so that none is negative."""
    return np.asarray(day + 25_567, dtype=np.int64)


def runs_of(spells: Spells, states: tuple[int, ...]) -> Floats:
    """Return by spell in one of the states the day on which its person leaves them for another; shape (spell,)."""
    is_in = np.isin(spells.state, states)
    goes_on = np.append(is_in[1:] & is_in[:-1] & (spells.person[1:] == spells.person[:-1]), False)
    last = np.where(goes_on, len(spells), np.arange(len(spells)))
    return np.asarray(spells.end_day[np.minimum.accumulate(last[::-1])[::-1]])


def lengths_of(spells: Spells, events: Events, kind: int, states: tuple[int, ...]) -> Lengths:
    """Return how long the events of a kind lasted that began, or were going on at entry, in one of the states."""
    at = np.flatnonzero((events.kind == kind) & np.isin(states_at_start(spells, events), states))
    person, first = events.person[at], events.first_day[at]
    seen = _seen_from(spells, events)[at]
    stop = runs_of(spells, states)[_spell_at(spells, person, seen)]
    end = np.minimum(events.end_day[at], stop)
    is_cut = events.end_day[at] > stop
    return Lengths(end - first, ~(events.is_open[at] | is_cut), seen - first, person, int(is_cut.sum()))


def risk_time(
    spells: Spells, events: Events, kind: int, states: tuple[int, ...], stratum: Integers, *, lasts: bool, by_month: bool
) -> RiskTime:
    """Count time at risk and events of a kind.

    Parameters
    ----------
    spells, events
        Read and joined.
    kind
        Index of the event.
    states
        States in which it can begin.
    stratum
        Index of the stratum, shape (person,).
    lasts
        Whether nobody is at risk while the event lasts.
    by_month
        Whether months of the calendar are told apart.
    """
    inside = np.flatnonzero(np.isin(spells.state, states))
    begin = np.maximum(spells.first_day, spells.entry_day[spells.person])[inside]
    parts = [(inside, begin, spells.end_day[inside], np.ones(len(inside)))]
    of_kind = np.flatnonzero(events.kind == kind)
    place = states_at_start(spells, events)[of_kind]
    of_kind = of_kind[np.isin(place, states)]
    seen = _seen_from(spells, events)[of_kind]
    spell = _spell_at(spells, events.person[of_kind], seen)
    if lasts and len(of_kind):
        stop = np.minimum(events.end_day[of_kind], runs_of(spells, states)[spell])
        parts.append(_during(spells, events.person[of_kind], spell, seen, stop))
    row, low, high, sign = (np.concatenate([part[i] for part in parts]) for i in range(4))
    if by_month:
        row, low, high, sign = _by_month(row.astype(np.int64), low, high, sign)
    row = row.astype(np.int64)
    is_new = events.first_day[of_kind] == seen
    at = np.concatenate([row, spell[is_new]]).astype(np.int64)
    day = np.concatenate([low, seen[is_new]])
    month = months_of(day) if by_month else np.zeros(len(day), dtype=np.int64)
    months = np.concatenate([(high - low) * sign / DAYS_PER_MONTH, np.zeros(int(is_new.sum()))])
    counts = np.concatenate([np.zeros(len(row)), np.ones(int(is_new.sum()))])
    person = spells.person[at]
    classes, risk_class = np.unique(np.stack([spells.state[at], stratum[person], month], axis=1), axis=0, return_inverse=True)
    cells, cell = np.unique(person * len(classes) + risk_class.ravel(), return_inverse=True)
    return RiskTime(
        person=cells // len(classes),
        risk_class=cells % len(classes),
        # What is left of a time that an event filled may lie below zero by the last bit.
        months=np.maximum(np.bincount(cell, months, len(cells)), 0.0),
        n_events=np.bincount(cell, counts, len(cells)).astype(np.float64),
        state=classes[:, 0],
        stratum=classes[:, 1],
        month=classes[:, 2],
    )


def _during(
    spells: Spells, person: Integers, spell: Integers, seen: Floats, stop: Floats
) -> tuple[Integers, Floats, Floats, Floats]:
    """Return the parts of spells that events fill, as time to be taken away."""
    last = _spell_at(spells, person, stop - 1)
    number = last - spell + 1
    row = np.repeat(spell, number) + np.arange(int(number.sum())) - np.repeat(np.cumsum(number) - number, number)
    low = np.maximum(np.repeat(seen, number), spells.first_day[row])
    high = np.minimum(np.repeat(stop, number), spells.end_day[row])
    return row, low, high, np.full(len(row), -1.0)


def months_of(day: Floats) -> Integers:
    """Return the month of the calendar of some days, in months since 1970-01."""
    return np.asarray(np.floor(day).astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def _by_month(row: Integers, low: Floats, high: Floats, sign: Floats) -> tuple[Integers, Floats, Floats, Floats]:
    """Cut times at the beginning of every month."""
    first, last = months_of(low), months_of(np.maximum(np.ceil(high) - 1, low))
    number = last - first + 1
    at = np.repeat(np.arange(len(row)), number)
    month = first[at] + np.arange(int(number.sum())) - np.repeat(np.cumsum(number) - number, number)
    begins = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64).astype(np.float64)
    ends = (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64).astype(np.float64)
    return row[at], np.maximum(low[at], begins), np.minimum(high[at], ends), sign[at]
