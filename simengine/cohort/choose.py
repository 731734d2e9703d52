"""Choose among candidates: who is selected for a place, and who is like a service user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags
from simengine.cohort.kernels.arrays import People
from simengine.cohort.people import BATCH, Entrance, Group, begin_of
from simengine.cohort.spec import Selection
from simengine.errors import Problem, StudyError
from simengine.records import Floats, Integers

_CANDIDATES = 1 << 16
"""Candidates for one place, at most: half of an address counts them."""
_FIRST_CANDIDATES = 256
"""After so many for each place the first that is still open is searched to the end."""


@dataclass(frozen=True)
class Matching:
    """Matching criteria between a person of the comparison group and a service user."""

    per_person: int
    """Matches sought for each service user."""
    on: tuple[str, ...]
    """`stratum`, `state` (at the beginning of the clock)."""
    before: str | None
    """An outcome of the months before entry."""
    within: float
    """How far it may lie from the service user's."""
    candidates: int
    """Candidates for each place: without a match the place stays empty."""


def select(entrance: Entrance, group: Group, people: People, selection: Selection, before: Callable[[People], Floats]) -> People:
    """Find, for every place of a batch, the first candidate who meets the selection.

    Parameters
    ----------
    entrance
        Brings candidates in.
    group
        To whom they belong.
    people
        The first candidates.
    selection
        What is asked for.
    before
        Gives the outcome of the months before entry, shape (n_people,).

    Raises
    ------
    StudyError
        If no candidate is found among 65,536 for some place.
    """

    def fits(candidates: People, _: Integers) -> Flags:
        return taken_by(selection, before(candidates))

    chosen = _first_that_fits(entrance, group, people, fits, _FIRST_CANDIDATES)
    missing = np.flatnonzero(chosen < 0)
    # If nobody ever qualifies, one place shows it: the others need not be searched.
    if len(missing) and _first_that_fits(entrance, group, _those(people, missing[:1]), fits, _CANDIDATES)[0] >= 0:
        chosen[missing] = _first_that_fits(entrance, group, _those(people, missing), fits, _CANDIDATES)
    if (chosen < 0).any():
        # The first place of all: how many there are in a batch hangs on the blocks.
        place = int(np.argmax(chosen < 0))
        rule = f"among {_CANDIDATES:,} candidates there must be one whom the selection takes"
        found = f"none for place {people.number[place]:,} of replication {entrance.draws.replications[people.row[place]]:,}"
        raise StudyError([Problem("the run", "population.selection", rule, found, "Relax the selection, or check the rates")])
    return entrance.enter(group, people.row, people.number, chosen, people.begin)


def match(
    entrance: Entrance,
    group: Group,
    people: People,
    matching: Matching,
    had_such_a_past: Callable[[People, Integers], Flags] | None,
) -> tuple[People, Integers]:
    """Find people who are like the service users of a batch.

    Parameters
    ----------
    entrance
        Brings candidates in.
    group
        To whom the people found belong.
    people
        The service users.
    matching
        What must be alike.
    had_such_a_past
        Says of candidates, and the places of their users in the batch, whose months before entry are what is asked for; absent:
        everybody's.

    Returns
    -------
    The people found, side by side for each service user; and for each of them the place of that user in the batch.
    """
    n, k = len(people.row), matching.per_person
    users = np.repeat(np.arange(n), k)
    places = (people.number.astype(np.int64)[users] * k + np.tile(np.arange(k), n)).astype(np.uint32)
    first = entrance.enter(group, people.row[users], places, np.zeros(n * k, dtype=np.uint32), is_first_look=True)

    def fits(candidates: People, where: Integers) -> Flags:
        user = users[where]
        alike = np.ones(len(user), dtype=np.bool_)
        for trait in matching.on:
            alike &= getattr(candidates, trait) == getattr(people, trait)[user]
        if had_such_a_past is not None:
            # Simulating the months before entry takes time: it is done only for candidates who match in everything else.
            some = np.flatnonzero(alike)
            alike[some] = had_such_a_past(entrance.with_factors(group, _those(candidates, some)), user[some])
        return alike

    chosen = _first_that_fits(entrance, group, first, fits, matching.candidates, is_first_look=True)
    is_found = chosen >= 0
    return entrance.enter(group, first.row[is_found], first.number[is_found], chosen[is_found]), users[is_found]


def _those(people: People, places: Integers) -> People:
    """Return some of a batch."""
    arrays = {name: np.ascontiguousarray(getattr(people, name)[..., places]) for name in People._fields if name != "begin"}
    return People(begin=begin_of(arrays["row"]), **arrays)


def _first_that_fits(
    entrance: Entrance,
    group: Group,
    people: People,
    fits: Callable[[People, Integers], Flags],
    most: int,
    *,
    is_first_look: bool = False,
) -> Integers:
    """Return the number of the first candidate for each place that fits, -1 where none of so many does."""
    chosen = np.full(len(people.row), -1, dtype=np.int64)
    waiting, tried = np.arange(len(people.row)), 0
    while len(waiting) and tried < most:
        width = int(min(max(1, BATCH // len(waiting)), most - tried, 64))
        attempt = np.tile(np.arange(tried, tried + width), len(waiting))
        where = np.repeat(waiting, width)
        candidates = entrance.enter(group, people.row[where], people.number[where], attempt, is_first_look=is_first_look)
        does = fits(candidates, where).reshape(len(waiting), width)
        found = does.any(axis=1)
        chosen[waiting[found]] = tried + does.argmax(axis=1)[found]
        waiting, tried = waiting[~found], tried + width
    return chosen


def taken_by(selection: Selection, value: Floats) -> Flags:
    """Say whom a selection takes, shape (n_people,)."""
    low = -np.inf if selection.at_least is None else selection.at_least
    high = np.inf if selection.at_most is None else selection.at_most
    return np.asarray((value >= low) & (value <= high))
