"""From good rows to spells that follow each other without a gap, from entry to the end of observation of each person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.errors import Problem, StudyError
from simengine.spells.bad_rows import BadRows
from simengine.spells.between_rows import Days, day_number
from simengine.spells.judge import RowsRead
from simengine.spells.mapping import NOT_OBSERVED, SpellsMapping
from simengine.spells.records import Spells, SpellsFile, counts_shown


@dataclass(frozen=True, eq=False)
class _Sequence:
    """Spells sorted by person and first day, shape (n_spells,) all."""

    person: Integers
    state: Integers
    first: Floats
    end: Floats
    cost: Floats
    row: Integers
    """Index of the row; -1 of a spell in no row."""

    def take(self, at: Integers | Flags) -> _Sequence:
        return _Sequence(self.person[at], self.state[at], self.first[at], self.end[at], self.cost[at], self.row[at])

    @property
    def is_first(self) -> Flags:
        """Whether it is the first of its person."""
        return np.asarray(np.diff(self.person, prepend=-1) != 0)

    @property
    def is_last(self) -> Flags:
        return np.asarray(np.diff(self.person, append=-1) != 0)


def arrange(rows: RowsRead, days: Days, mapping: SpellsMapping, bad: BadRows, file: SpellsFile) -> tuple[Spells, Integers]:
    """Sort good rows by person and day, fill gaps as the mapping says, and join spells that continue each other.

    Returns
    -------
    The spells; and by person the index that the person has in the rows.

    Raises
    ------
    StudyError
        If nobody is left, or there are gaps of which the mapping says nothing.
    """
    names = sorted({*rows.states, *filter(None, (mapping.between_spells, mapping.after_last))} - {NOT_OBSERVED})
    place_of = np.array([names.index(name) for name in rows.states], dtype=np.int64)
    at = np.flatnonzero(~bad.is_bad)
    at = at[np.lexsort((days.first[at], rows.person[at]))]
    known = _Sequence(rows.person[at], place_of[rows.state[at]], days.first[at], days.end[at].copy(), rows.cost_per_day[at], at)
    if mapping.observed_from is not None:
        known = known.take(known.end > day_number(mapping.observed_from))
    if not len(known.person):
        raise StudyError([Problem(file.name, "", "must hold spells of one person or more", "none that is good and observed")])
    file = replace(file, n_outside=len(at) - len(known.person))
    known, n_shortened = _shortened(known)
    entry = (
        days.entry
        if mapping.observed_from is None
        else np.fmax(days.entry, np.where(np.isnan(days.entry), np.nan, day_number(mapping.observed_from)))
    )
    filled = _with_gaps_filled(known, entry, days.until, mapping, names, bad)
    whole = _joined(filled)
    file = replace(
        file,
        n_shortened=n_shortened,
        n_filled=len(filled.person) - len(known.person),
        n_joined=len(filled.person) - len(whole.person),
    )
    lost = _gaps_after_bad_rows(filled, rows, bad) if file.left_out else 0
    file = replace(file, notes=(*file.notes, *_notes(file, lost)))
    return _spells(whole, names, rows.groups, days, mapping, file)


def _notes(file: SpellsFile, lost: int) -> list[str]:
    """Say what became of rows; a small number is not shown, since each row is somebody's."""
    counts = {
        "Spells that end before observation, and were left out": file.n_outside,
        "Days that two spells share, counted for the later one": file.n_shortened,
        "Spells that stand in no row, put in as the mapping says": file.n_filled,
        "Of these where a bad row was left out": lost,
        "Spells joined to the one before, in the same state": file.n_joined,
    }
    return [f"{said}: {counts_shown(n, file.small_cells)}." for said, n in counts.items() if n]


def _shortened(known: _Sequence) -> tuple[_Sequence, int]:
    """End a spell when the next one begins, where both claim one day."""
    shares = ~known.is_last[:-1] & (known.end[:-1] > known.first[1:])
    end = known.end.copy()
    end[:-1][shares] = known.first[1:][shares]
    return replace(known, end=end), int(shares.sum())


def _with_gaps_filled(
    known: _Sequence, entry: Floats, until: Floats, mapping: SpellsMapping, names: list[str], bad: BadRows
) -> _Sequence:
    """Add the spells that stand in no row: before the first one, between two, and after the last one."""
    first, last = np.flatnonzero(known.is_first), np.flatnonzero(known.is_last)
    late = first[entry[known.person[first]] < known.first[first]]
    before = np.flatnonzero(~known.is_last)[known.end[~known.is_last] < known.first[~known.is_first]]
    open_ended = last[~(known.end[last] >= until[known.person[last]])] if mapping.after_last != NOT_OBSERVED else last[:0]
    problems = [
        *_gap_problems(known, late, before, mapping, bad),
        *_end_problems(known, open_ended, mapping, bad),
    ]
    if problems:
        raise StudyError(problems)
    between = -1 if mapping.between_spells is None else names.index(mapping.between_spells)
    after = -1 if mapping.after_last in (None, NOT_OBSERVED) else names.index(str(mapping.after_last))
    parts = [
        (known.person[late], between, entry[known.person[late]], known.first[late]),
        (known.person[before], between, known.end[before], known.first[before + 1]),
        (known.person[open_ended], after, known.end[open_ended], until[known.person[open_ended]]),
    ]
    more = [
        _Sequence(person, np.full(len(person), state), begin, end, np.full(len(person), np.nan), np.full(len(person), -1))
        for person, state, begin, end in parts
    ]
    joined = {name: np.concatenate([getattr(part, name) for part in (known, *more)]) for name in _Sequence.__dataclass_fields__}
    every = _Sequence(**joined)
    return every.take(np.lexsort((every.first, every.person)))


def _gap_problems(known: _Sequence, late: Integers, before: Integers, mapping: SpellsMapping, bad: BadRows) -> list[Problem]:
    if mapping.between_spells is not None or not len(late) + len(before):
        return []
    way_out = "Say in the mapping in which state a person is meanwhile, as `between_spells: home`"
    problems = []
    if len(before):
        one, two = bad.row[known.row[before[0]]], bad.row[known.row[before[0] + 1]]
        found = f"{_several(len(before), 'gap')}, the first between {bad.noun} {one:,} and {bad.noun} {two:,}"
        problems.append(
            Problem(bad.file_name, "", "spells of a person must follow each other without a day between", found, way_out)
        )
    if len(late):
        found = f"{_several(len(late), 'gap')}, the first before {bad.noun} {bad.row[known.row[late[0]]]:,}"
        problems.append(Problem(bad.file_name, "", "the first spell of a person must begin at entry or before", found, way_out))
    return problems


def _end_problems(known: _Sequence, ended: Integers, mapping: SpellsMapping, bad: BadRows) -> list[Problem]:
    if mapping.after_last is not None or not len(ended):
        return []
    row = bad.row[known.row[ended[0]]]
    found = f"{_several(len(ended), 'spell')} without a next one, the first on {bad.noun} {row:,}"
    way_out = (
        f"Say in the mapping in which state a person is then, as `after_last_spell: home`, or `after_last_spell: {NOT_OBSERVED}`; "
        "a spell that still lasts is open"
    )
    rule = "the mapping must say what follows a spell that ends before observation does"
    return [Problem(bad.file_name, "", rule, found, way_out)]


def _several(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n:,} {noun}s"


def _gaps_after_bad_rows(filled: _Sequence, rows: RowsRead, bad: BadRows) -> int:
    """Count spells in no row within which a row that was left out begins."""
    gap = np.flatnonzero(filled.row < 0)
    lost = np.flatnonzero(bad.is_bad & (rows.person >= 0) & ~np.isnan(rows.first))
    # People and days as one number, so that one search finds the gap of a row.
    width = 1 << 23
    begins = filled.person[gap] * width + filled.first[gap].astype(np.int64)
    ends = filled.person[gap] * width + filled.end[gap].astype(np.int64)
    at = rows.person[lost] * width + rows.first[lost].astype(np.int64)
    place = np.searchsorted(begins, at, side="right") - 1
    is_within = (place >= 0) & (at < ends[place]) if len(gap) else np.zeros(len(lost), dtype=bool)
    return len(np.unique(place[is_within]))


def _joined(every: _Sequence) -> _Sequence:
    """Join spells of a person in one state; the cost per day is their mean by days, of those that have one."""
    begins = every.is_first | (np.diff(every.state, prepend=-1) != 0)
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(begins)) - 1
    has_cost = ~np.isnan(every.cost)
    lasted = np.where(has_cost, every.end - every.first, 0.0)
    total, over = np.add.reduceat(np.where(has_cost, every.cost, 0.0) * lasted, start), np.add.reduceat(lasted, start)
    # A spell that was not joined keeps its cost to the last bit.
    cost = np.where(end == start, every.cost[start], np.divide(total, over, out=np.full(len(start), np.nan), where=over > 0))
    return replace(every.take(start), end=every.end[end], cost=cost)


def _spells(
    whole: _Sequence, names: list[str], groups: tuple[str, ...], days: Days, mapping: SpellsMapping, file: SpellsFile
) -> tuple[Spells, Integers]:
    people, first_spell, person = np.unique(whole.person, return_index=True, return_inverse=True)
    last = np.append(first_spell[1:], len(person)) - 1
    states, state = np.unique(whole.state, return_inverse=True)
    used, group = np.unique(days.group[people], return_inverse=True)
    entry = np.where(np.isnan(days.entry[people]), whole.first[first_spell], days.entry[people])
    if mapping.observed_from is not None:
        entry = np.fmax(entry, day_number(mapping.observed_from))
    is_open = np.zeros(len(person), dtype=bool)
    is_open[last] = True
    arrays: dict[str, Any] = {
        "person": person.astype(np.int64),
        "state": state.astype(np.int64),
        "first_day": whole.first,
        "end_day": whole.end,
        "is_open": is_open,
        "cost_per_day": whole.cost,
        "first_spell": np.append(first_spell, len(person)),
        "group": group.astype(np.int64),
        "entry_day": entry,
        "observed_until": whole.end[last],
    }
    spells = Spells(states=tuple(names[one] for one in states), groups=tuple(groups[one] for one in used), file=file, **arrays)
    return spells, people
