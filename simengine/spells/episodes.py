"""Cut spells into episodes: parts of stays in which everything but the time in the state is constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.records.arrays import Axes, Record
from simengine.spells.records import Spells

DAYS_PER_YEAR = 12 * DAYS_PER_MONTH
NO_MOVE = -1


@dataclass(frozen=True, eq=False)
class Episodes(Record):
    """Parts of stays in states that can be left, sorted by person and time; the axis `episode` runs over all of them.

    A stay that had begun before its person was observed has a part *before*: nothing could be seen there, but the person was in the
    state, so it says how long, and of which people only some were still there to be observed.
    """

    person: Annotated[Integers, Axes("episode")]
    """Index of the person."""
    stratum: Annotated[Integers, Axes("episode")]
    """Index of the stratum."""
    state: Annotated[Integers, Axes("episode")]
    """Index of the state."""
    from_month: Annotated[Floats, Axes("episode", "months in the state")]
    """Time in the state at the beginning."""
    until_month: Annotated[Floats, Axes("episode", "months in the state")]
    """Time in the state at the end."""
    years: Annotated[Floats, Axes("episode", "years")]
    """Years from the origin of the calendar to the middle."""
    move: Annotated[Integers, Axes("episode")]
    """Index of the move at its end; -1 where there is none."""
    is_before: Annotated[Flags, Axes("episode")]
    """Whether it lies before its person is observed."""

    def part(self, chosen: Flags) -> Episodes:
        """Return some of them."""
        return Episodes(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


def moves_of(spells: Spells) -> dict[tuple[int, int], Integers]:
    """Return, by origin and target, the spells at whose end the move was seen, by their index."""
    if not len(spells):
        return {}
    ends = np.flatnonzero(~spells.is_open)
    pairs = np.stack([spells.state[ends], spells.state[ends + 1]], axis=1)
    return {(int(a), int(b)): ends[(pairs == (a, b)).all(axis=1)] for a, b in np.unique(pairs, axis=0)}


def episodes_of(
    spells: Spells,
    moves: Sequence[tuple[int, int]],
    strata: Integers,
    cuts: Mapping[int, Sequence[float]],
    origin_day: float = 0.0,
) -> Episodes:
    """Cut the spells in states that the moves leave.

    Parameters
    ----------
    spells
        Read and checked.
    moves
        Origin and target of each; a move that is not among them ends a stay as the end of observation does.
    strata
        Index of the stratum, shape (person,).
    cuts
        By state: months in the state at which an episode ends, increasing.
    origin_day
        Origin of the calendar, in days since 1970-01-01.
    """
    index_of = {pair: number for number, pair in enumerate(moves)}
    states = {origin for origin, _ in moves}
    parts = [_of_state(spells, state, np.asarray(cuts.get(state, ()), dtype=np.float64), index_of) for state in sorted(states)]
    spell, from_month, until_month, move, is_before = (
        np.concatenate([part[i] for part in parts]) if parts else np.zeros(0) for i in range(5)
    )
    order = np.lexsort((from_month, spell))
    spell, from_month, until_month = spell[order].astype(np.int64), from_month[order], until_month[order]
    middle = spells.first_day[spell] + (from_month + until_month) / 2 * DAYS_PER_MONTH
    person = spells.person[spell]
    return Episodes(
        person=person,
        stratum=strata[person],
        state=spells.state[spell],
        from_month=from_month,
        until_month=until_month,
        years=(middle - origin_day) / DAYS_PER_YEAR,
        move=move[order].astype(np.int64),
        is_before=is_before[order].astype(np.bool_),
    )


def _of_state(
    spells: Spells, state: int, cuts: Floats, index_of: Mapping[tuple[int, int], int]
) -> tuple[Integers, Floats, Floats, Integers, Flags]:
    """Cut the spells in one state: indices of spells, months from and until, moves, whether before observation."""
    spell = np.flatnonzero(spells.state == state)
    entered = np.maximum(spells.entry_day[spells.person[spell]] - spells.first_day[spell], 0.0) / DAYS_PER_MONTH
    length = (spells.end_day[spell] - spells.first_day[spell]) / DAYS_PER_MONTH
    target = np.where(spells.is_open[spell], NO_MOVE, spells.state[np.minimum(spell + 1, len(spells) - 1)])
    number = np.array([index_of.get((state, int(one)), NO_MOVE) for one in target], dtype=np.int64)
    observed = _cut(entered, length, cuts)
    before = _cut(np.zeros(len(spell)), entered, cuts)
    last = observed[2] == length[observed[0]]
    rows = np.concatenate([observed[0], before[0]])
    return (
        spell[rows],
        np.concatenate([observed[1], before[1]]),
        np.concatenate([observed[2], before[2]]),
        np.concatenate([np.where(last, number[observed[0]], NO_MOVE), np.full(len(before[0]), NO_MOVE)]),
        np.concatenate([np.zeros(len(observed[0]), np.bool_), np.ones(len(before[0]), np.bool_)]),
    )


def _cut(begin: Floats, end: Floats, cuts: Floats) -> tuple[Integers, Floats, Floats]:
    """Cut intervals at some points: index of the interval, begin and end of each part that is not empty."""
    first, last = np.searchsorted(cuts, begin, side="right"), np.searchsorted(cuts, end, side="left")
    number = np.where(end > begin, np.maximum(last - first, 0) + 1, 0)
    row = np.repeat(np.arange(len(begin)), number)
    place = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    bounds = np.concatenate([cuts, [np.inf]])
    start = np.where(place == 0, begin[row], bounds[np.maximum(first[row] + place - 1, 0)])
    stop = np.where(place == number[row] - 1, end[row], bounds[np.minimum(first[row] + place, len(cuts))])
    return row, start, stop


def piece_of(from_month: Floats, cuts: Sequence[float]) -> Integers:
    """Return in which piece of the time in a state an episode lies, 0 before the first cut."""
    return np.searchsorted(np.asarray(cuts, dtype=np.float64), from_month, side="right").astype(np.int64)
