"""Decide what can be fitted: which moves, by stratum or together, in which pieces; where few people were seen, less is told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.arrays import Integers
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.config.document import Document
from simengine.config.validate import refuse
from simengine.errors import Finding, one_of
from simengine.spells.choices import FitChoices, StayByMonths
from simengine.spells.episodes import moves_of
from simengine.spells.records import Spells, counts_shown

EVERYBODY = "everybody"


@dataclass(frozen=True)
class MovePlan:
    """How one move is fitted."""

    name: str
    """Reads `from -> to`."""
    origin: int
    """Index of the state that is left."""
    target: int
    """Index of the state that is entered."""
    in_class: int | None
    """Where fewer people made it than may be shown: how many counts the class has that alone is told; else none."""
    by_stratum: bool
    """Whether every stratum has a rate of its own."""
    cuts: tuple[int, ...]
    """Months in the state from which it has another rate."""
    has_shape: bool
    """Whether it has a Weibull shape."""
    has_trend: bool
    """Whether it has a trend."""
    is_frail: bool
    """Whether the frailty acts on it."""

    @property
    def is_small(self) -> bool:
        """Whether fewer people made it than may be shown."""
        return self.in_class is not None

    @property
    def is_conjugate(self) -> bool:
        """Whether events and time at risk are all that there is to know."""
        return not (self.has_shape or self.has_trend or self.is_frail or (self.by_stratum and self.cuts))


@dataclass(frozen=True)
class FitPlan:
    """How a whole pathway is fitted."""

    states: tuple[str, ...]
    """In the order of the pathway."""
    order: tuple[int, ...]
    """By state of the pathway: its index in the file."""
    strata: tuple[str, ...]
    """Names of the strata."""
    stratum: Integers
    """Index of the stratum, shape (person,)."""
    moves: tuple[MovePlan, ...]
    """The moves that are fitted."""
    notes: tuple[str, ...] = field(default=())
    """What was not told apart, and why, in sentences."""


def plan_fit(spells: Spells, choices: FitChoices, document: Document, *, has_events: bool = False) -> FitPlan:
    """Decide what can be fitted; with events, nobody needs to have moved.

    Raises
    ------
    StudyError
        If the choices do not suit the file, with every problem that was found.
    """
    refuse(document, _problems(spells, choices, has_events=has_events))
    seen = moves_of(spells)
    strata, stratum, notes = _strata(spells, choices)
    names = choices.moves or tuple(_name(spells, pair) for pair in _in_order(spells, choices, seen))
    moves = []
    for name in names:
        move, told = _plan_move(spells, choices, name, seen, stratum if len(strata) > 1 and choices.strata == "moves" else None)
        moves.append(move)
        notes += told
    left_out = [one for one in (_name(spells, pair) for pair in seen) if one not in names]
    if left_out:
        notes.append(f"Moves that are not fitted end the time at risk of their stays: {', '.join(left_out)}.")
    states = choices.states or spells.states
    return FitPlan(states, tuple(spells.states.index(one) for one in states), strata, stratum, tuple(moves), tuple(notes))


def _name(spells: Spells, pair: tuple[int, int]) -> str:
    return f"{spells.states[pair[0]]} -> {spells.states[pair[1]]}"


def _in_order(spells: Spells, choices: FitChoices, seen: Mapping[tuple[int, int], Integers]) -> list[tuple[int, int]]:
    """Put moves in the order of the states of the pathway."""
    place = [(choices.states or spells.states).index(name) for name in spells.states]
    return sorted(seen, key=lambda pair: (place[pair[0]], place[pair[1]]))


def _problems(spells: Spells, choices: FitChoices, *, has_events: bool) -> Iterator[Finding]:
    states = choices.states or spells.states
    if choices.states:
        for name in choices.states:
            if name not in spells.states:
                yield "states", "must be states of the file", f"`{name}`", one_of(spells.states)
        if missing := [name for name in spells.states if name not in choices.states]:
            way_out = "Add them, or let the mapping call them by the name of another state"
            yield "states", "must hold every state of the file", f"none of {', '.join(missing)}", way_out
    least = spells.small_cells
    if spells.n_people < least:
        yield "", f"a file must hold {least} people or more", counts_shown(spells.n_people, least), ""
    for name in spells.states:
        if name in states and _people_in(spells, spells.states.index(name)) < least:
            way_out = "Let the mapping call it by the name of another state"
            yield "states", f"{least} people or more must have been in every state", f"fewer in `{name}`", way_out
    seen = {_name(spells, pair): pair for pair in moves_of(spells)}
    if not seen and not has_events:
        yield "", "somebody must have moved from one state to another", "nobody who did", "Check the mapping, and the last dates"
    yield from _unknown_states("absorbing", choices.absorbing, states)
    yield from _unknown_states("stays", choices.stays, states)
    for name in choices.moves:
        if name not in seen:
            yield "moves", "must be moves that were seen", f"`{name}`", one_of(tuple(seen))
    for name, (origin, _) in seen.items():
        if spells.states[origin] in choices.absorbing:
            yield "absorbing", "nobody must leave an absorbing state", f"`{name}` in the file", "Correct the spells, or the mapping"
    yield from _moves_named(spells, choices, seen)


def _moves_named(spells: Spells, choices: FitChoices, seen: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    """Look at the moves that a frailty or a trend names."""
    fitted = choices.moves or tuple(seen)
    made, least = moves_of(spells), spells.small_cells
    for key, names in (("frailty", choices.frailty), ("trend", choices.trend)):
        for name in names:
            if name not in fitted or name not in seen:
                yield key, "must name moves that are fitted", f"`{name}`", one_of(fitted)
            elif len(np.unique(spells.person[made[seen[name]]])) < least:
                yield key, f"must name moves that {least} people or more made", f"`{name}`, made by fewer", "Leave it out"


def _unknown_states(key: str, names: Sequence[str] | Mapping[str, object], states: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        if name not in states:
            yield f"{key}.{name}" if isinstance(names, Mapping) else key, "must be a state", f"`{name}`", one_of(states)


def _people_in(spells: Spells, state: int) -> int:
    return len(np.unique(spells.person[spells.state == state]))


def _strata(spells: Spells, choices: FitChoices) -> tuple[tuple[str, ...], Integers, list[str]]:
    """Return the strata, the stratum of each person, and what was put together."""
    nobody_apart = (EVERYBODY,), np.zeros(spells.n_people, np.int64)
    if choices.strata == "none" or len(spells.groups) == 1:
        return *nobody_apart, []
    people, least = np.bincount(spells.group, minlength=len(spells.groups)), spells.small_cells
    if (people < least).any():
        return *nobody_apart, [f"A group has fewer than {least} people: all groups are fitted as one stratum, `{EVERYBODY}`."]
    return spells.groups, spells.group, []


def _plan_move(
    spells: Spells, choices: FitChoices, name: str, seen: Mapping[tuple[int, int], Integers], stratum: Integers | None
) -> tuple[MovePlan, list[str]]:
    """Decide how one move is fitted, and say what of the choices does not hold for it."""
    origin, target = (spells.states.index(one) for one in name.split(" -> "))
    at, least = seen[origin, target], spells.small_cells
    stay, notes = choices.stays.get(spells.states[origin], "constant"), []
    is_small = len(np.unique(spells.person[at])) < least
    if is_small:
        notes.append(f"`{name}`: fewer than {least} people made it; one constant rate, wide enough for every count it may have.")
        return MovePlan(name, origin, target, least, False, (), False, False, False), notes
    by_stratum = stratum is not None and not _has_small_cell(
        spells.person[at], stratum[spells.person[at]], int(stratum.max()) + 1, least
    )
    if stratum is not None and not by_stratum:
        notes.append(f"`{name}`: fewer than {least} people of a stratum made it; one rate for all strata.")
    wanted = stay.by_months if isinstance(stay, StayByMonths) else ()
    months = (spells.end_day[at] - spells.first_day[at]) / DAYS_PER_MONTH
    cuts = _without_small_pieces(spells.person[at], months, wanted, least)
    if cuts != wanted:
        held = ", ".join(map(str, cuts)) or "none"
        notes.append(f"`{name}`: fewer than {least} people made it in some of its months; its rate changes at months: {held}.")
    has_trend, is_frail = name in choices.trend, name in choices.frailty
    return MovePlan(name, origin, target, None, by_stratum, cuts, stay == "weibull", has_trend, is_frail), notes


def _has_small_cell(person: Integers, cell: Integers, n_cells: int, least: int) -> bool:
    return any(len(np.unique(person[cell == one])) < least for one in range(n_cells))


def _without_small_pieces(person: Integers, months: np.ndarray, cuts: Sequence[int], least: int) -> tuple[int, ...]:
    """Leave out cuts until enough people made the move in every piece: a piece with too few is joined to the one before it."""
    kept = list(cuts)
    while kept:
        piece = np.searchsorted(kept, months, side="left")  # a stay that ends at a cut ends in the piece before it
        small = [one for one in range(len(kept) + 1) if len(np.unique(person[piece == one])) < least]
        if not small:
            break
        del kept[max(small[-1] - 1, 0)]
    return tuple(kept)
