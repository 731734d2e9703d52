"""Simulate a batch of people, and add up their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags
from simengine.cohort.counting import Counts, Uncut, count_outcomes
from simengine.cohort.kernels.accumulate import add_products, add_up, add_weights
from simengine.cohort.kernels.arrays import People, Stays
from simengine.cohort.kernels.transfer import add_later, add_seen
from simengine.cohort.kernels.walk import walk_people
from simengine.cohort.kernels.walk_vector import walk_abreast
from simengine.cohort.people import Group
from simengine.cohort.tables import ArmTables
from simengine.cohort.transfer import STREAM, Cut, at_month, away
from simengine.records import Floats

_STAYS_PER_PERSON = 8
"""Initial size of the buffer, which doubles when it is full."""


class StayBuffer:
    """Buffer for the stays of a batch, in one arm or two, reused for the next batch; one per thread."""

    def __init__(self) -> None:
        self._per_person = _STAYS_PER_PERSON
        self._stays = _empty_stays(0), _empty_stays(0)

    def stays(self, n_people: int) -> tuple[Stays, Stays]:
        """Return room for the stays of so many people in two arms."""
        size = self._per_person * max(n_people, 1)
        if len(self._stays[0].person) < size:
            self._stays = _empty_stays(size), _empty_stays(size)
        return self._stays

    def double(self) -> None:
        """Make twice the room from now on."""
        self._per_person *= 2


def _empty_stays(size: int) -> Stays:
    return Stays(*(np.empty(size, dtype=np.int32) for _ in Stays._fields))


@dataclass(frozen=True)
class Arm:
    """Some people in one arm, and where they are counted."""

    tables: ArmTables
    """The tables of their moves, events and outcomes."""
    people: People
    """A batch."""
    counts: Counts
    """Added to."""
    weight: Floats | None = None
    """Shape (n_people,): with what weight each enters sums and squares; absent: all with 1."""
    some: tuple[Counts, Floats] | None = None
    """Other counts to which the same people are added with other weights: sums and squares alone."""


@dataclass(frozen=True)
class _Lived:
    """Simulated people of an arm, and their counts."""

    people: People
    total: Floats
    """Shape (n_people, n_outcomes, n_windows): their outcomes."""
    outcome: Floats | None = None
    """Shape (n_people, n_outcomes, n_windows): the part observed within the area; absent if nobody moves out of it."""
    is_seen: Flags | None = None
    """Shape (n_people, n_windows)."""
    earlier: tuple[Floats, ...] = ()
    """By change of definition, shape (n_people, n_outcomes, n_windows): outcomes before it."""


def live(group: Group, arms: Sequence[Arm], room: StayBuffer, until: int | None = None) -> None:
    """Simulate people to their horizon and add them to the counts.

    Parameters
    ----------
    group
        Their group, which names their random streams.
    arms
        The same people in one arm or two: they share their draws.
    room
        For their stays.
    until
        Step of the clock after which they are not counted; absent: the horizon.
    """
    clock = arms[0].tables.cohort.clock
    at = [0] * len(arms)
    for number, lived in _lives(group, arms, clock.length if until is None else until, room):
        arm = arms[number]
        here = slice(at[number], at[number] + len(lived.people.row))
        for to, weights in [(arm.counts, arm.weight), *([arm.some] if arm.some is not None else [])]:
            _add(arm.tables, lived, None if weights is None else np.ascontiguousarray(weights[here]), to)
        at[number] = here.stop


def _add(tables: ArmTables, lived: _Lived, weights: Floats | None, to: Counts) -> None:
    """Add what is counted of persons to the counts."""
    part, total, has_history = lived.people, lived.total, tables.cohort.clock.history > 0
    if weights is None:
        begin = part.begin  # a replication has one segment in a batch, so no row comes twice
        to.weights[part.row[begin[:-1]]] += (begin[1:] - begin[:-1])[:, None]
    else:
        add_weights(part, weights, to.weights)
    if not tables.cohort.outcomes:
        return
    weight = np.ones(len(part.row)) if weights is None else weights
    add_up(part, total, weight, has_history, to.sums, to.squares, to.products)
    if tables.cohort.pairs:
        add_products(part, total, weight, tables.pairs, to.pair_products)
    if to.seen is not None and lived.outcome is not None and lived.is_seen is not None:
        add_seen(part, lived.outcome, total, lived.is_seen, weight, has_history, to.seen.weights, to.seen.sums)
    for change, earlier in enumerate(lived.earlier):
        if to.later is not None:
            add_later(part, earlier, total, weight, has_history, to.later[:, change])


def outcome_before(tables: ArmTables, group: Group, people: People, outcome: str, counts: Counts, room: StayBuffer) -> Floats:
    """Return an outcome of the months before entry for each of a batch, shape (n_people,)."""
    place = list(tables.cohort.outcomes).index(outcome)
    lives = _lives(group, [Arm(tables, people, counts)], tables.cohort.clock.entry, room)
    return np.concatenate([np.empty(0), *(lived.total[:, place, -1] for _, lived in lives)])


def _lives(group: Group, arms: Sequence[Arm], until: int, room: StayBuffer) -> Iterator[tuple[int, _Lived]]:
    """Yield the number of an arm and its simulated people, in one part or several."""
    # Together if possible: each arm gives the same bits either way.
    together = [list(range(len(arms)))] if all(arm.tables.is_abreast for arm in arms) else [[n] for n in range(len(arms))]
    for numbers in together:
        left = [arms[number].people for number in numbers]
        while len(left[0].row):
            stays = room.stays(len(left[0].row))
            done, n_stays = _walk(group, [arms[number] for number in numbers], left[0], stays, until)
            if done < len(left[0].begin) - 1:
                room.double()
            if done == 0:
                continue
            for place, number in enumerate(numbers):
                part, left[place] = _split(left[place], done)
                yield number, _lived(group, arms[number], part, stays[place], n_stays[place], until)


def _walk(group: Group, arms: Sequence[Arm], people: People, stays: tuple[Stays, Stays], until: int) -> tuple[int, list[int]]:
    """Walk some people through their states; return the number of finished segments, and the stays of each arm."""
    tables, counts = arms[0].tables, arms[0].counts
    address = (group.seed(tables.draws), tables.draws.replications, group.purpose("moves"), tables.cohort.clock.entry, until)
    if not tables.is_abreast:
        is_walked = tables.moves.is_walked if tables.moves.is_walked.any() else None
        done, n_stays = walk_people(*address, is_walked, people, tables.moves, tables.on_moves, stays[0], counts.clipped)
        return done, [n_stays]
    first, second = (
        (arm.tables.moves, arm.tables.on_moves, of_arm, arm.counts.person_months, arm.counts.clipped)
        for arm, of_arm in zip((arms[0], arms[-1]), stays, strict=True)
    )
    done, *n = walk_abreast(*address, tables.windows, people, tables.asks_of_persons, *first, len(arms) > 1, *second)
    return done, n


def _lived(group: Group, arm: Arm, people: People, stays: Stays, n_stays: int, until: int) -> _Lived:
    """Count the outcomes of some people, in full, and cut at moves out of the area and at changes of definition."""
    tables, counts, clock = arm.tables, arm.counts, arm.tables.cohort.clock
    total = count_outcomes(tables, group, people, stays, n_stays, until, counts)
    if counts.reached is not None:
        counts.reached.add(group, people, stays, n_stays)

    def until_cut(cut: Cut, room: Counts) -> Floats:
        before = cut.stays_before(stays, n_stays)
        whole = Uncut(cut, stays, n_stays, total)
        return count_outcomes(tables, group, people, before, len(before.person), until, room, whole)

    earlier: tuple[Floats, ...] = ()
    if counts.scratch is not None:
        earlier = tuple(until_cut(at_month(month, clock, people), counts.scratch) for month in tables.cohort.changes)
    if tables.leaving is None or counts.here is None or until <= clock.entry:
        return _Lived(people, total, earlier=earlier)
    seed, replications = group.seed(tables.draws), tables.draws.replications
    gone = away(seed, replications, group.purpose(STREAM), clock.entry, tables.leaving, people, stays, n_stays)
    outcome = until_cut(gone, counts.here)
    if tables.cohort.transfers == "left_out":
        return _Lived(people, total, total, gone.is_behind(tables.windows), earlier)
    return _Lived(people, total, outcome, np.ones((len(people.row), len(tables.windows.stop)), dtype=np.bool_), earlier)


def _split(people: People, n_segments: int) -> tuple[People, People]:
    """Cut a batch after some segments."""
    at = int(people.begin[n_segments])
    if at == len(people.row):
        return people, people._replace(row=people.row[:0])
    halves = []
    for piece, begin in ((slice(0, at), people.begin[: n_segments + 1]), (slice(at, None), people.begin[n_segments:] - at)):
        arrays = {name: np.ascontiguousarray(getattr(people, name)[..., piece]) for name in People._fields if name != "begin"}
        halves.append(People(begin=begin.copy(), **arrays))
    return halves[0], halves[1]
