"""What rows must be to each other: one person's spells do not overlap, repeat, or contradict each other."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.errors import Problem, StudyError
from simengine.spells.bad_rows import PERSON_LEFT, REVERSED, TWICE, BadRows, Fault
from simengine.spells.dates import next_months, written_day
from simengine.spells.judge import RowsRead
from simengine.spells.mapping import NOT_OBSERVED, SpellsMapping
from simengine.spells.records import counts_shown

_DIFFERS = "differs between rows of a person"
_NO_DAYS: Fault = (
    "lasts no day",
    "must be after the first date",
    "If the last date is a day in the state, say so in the mapping: `last_day_counts: true`",
)
_BEFORE_ENTRY: Fault = (
    "ends before entry",
    "must not end before the person is observed",
    "Is the date of entry right? A spell before it may only be the one that still lasts then",
)
_OVERLAPS: Fault = ("overlap", "must begin when the person's spell before it has ended, or later", "")
_NOBODY_LEFT: Fault = (PERSON_LEFT, "a person must have one good row", "If it is a row of totals, delete it")


@dataclass(frozen=True, eq=False)
class Days:
    """When each row lasts, and each person is observed."""

    first: Floats
    """Shape (n_rows,): first day."""
    end: Floats
    """Shape (n_rows,): first day no longer in the state; of an open spell the end of observation."""
    group: Integers
    """Shape (n_people,): index; -1 where no good row gives one."""
    entry: Floats
    """Shape (n_people,): first day of observation as the person's column gives it; NaN where it does not."""
    until: Floats
    """Shape (n_people,): first day after observation; NaN where nothing says it."""
    last_day_counts: bool


def day_number(day: str) -> float:
    """Return a date as 2024-12-31 as days since 1970-01-01."""
    return float((datetime.date.fromisoformat(day) - datetime.date(1970, 1, 1)).days)


def check_rows(
    rows: RowsRead,
    mapping: SpellsMapping,
    mapping_at: str,
    bad: BadRows,
    headers: Mapping[str, str],
    notes: list[str],
    small_cells: int,
) -> Days:
    """Check rows against each other and against the time of observation; what is wrong goes to `bad`.

    Raises
    ------
    StudyError
        If nothing says when observation ends, or whether the last date is a day in the state.
    """
    group = _of_person(rows.group.astype(np.float64), rows.group >= 0, rows, bad, headers.get("group", ""))
    entry = _of_person(rows.entry, ~np.isnan(rows.entry), rows, bad, headers.get("entry", ""))
    until = _of_person(rows.until, ~np.isnan(rows.until), rows, bad, headers.get("observed_until", ""))
    bad.add(("missing value", "must be given", ""), rows.lacks_group & np.isnan(_by_row(group, rows)), headers.get("group", ""))
    until = _ends(rows, mapping, mapping_at, until, bad)
    counts = _last_day_counts(rows, mapping, mapping_at, bad, headers["to"], notes, small_cells)
    end = np.where(rows.last_is_month & counts, next_months(np.nan_to_num(rows.last)), rows.last + counts)
    row_until = _by_row(until, rows)
    end = np.where(rows.is_open, row_until, end)
    _check_days(rows, end, row_until, bad, headers)
    _check_entry(rows, end, entry, row_until, bad, headers, mapping)
    days = Days(rows.first, end, np.nan_to_num(group, nan=-1).astype(np.int64), entry, until, counts)
    _check_order(rows, days, bad)
    has_good = np.bincount(rows.person[~bad.is_bad & _is_known(rows)], minlength=rows.n_people) > 0
    people, first_at = np.unique(rows.person[_is_known(rows)], return_index=True)
    left = np.flatnonzero(_is_known(rows))[first_at[~has_good[people]]]
    bad.add(_NOBODY_LEFT, np.sort(left), headers["person"])
    return days


def _is_known(rows: RowsRead) -> Flags:
    return np.asarray(rows.person >= 0)


def _by_row(of_person: Floats, rows: RowsRead) -> Floats:
    """Return by row what holds of its person; NaN where nobody is named."""
    return np.append(of_person, np.nan)[rows.person]


def _of_person(values: Floats, is_given: Flags, rows: RowsRead, bad: BadRows, header: str) -> Floats:
    """Return by person the value of the first good row that gives one; rows that give another are bad."""
    at = np.flatnonzero(is_given & _is_known(rows) & ~bad.is_bad)[::-1]
    of_person, first = np.full(rows.n_people, np.nan), np.zeros(rows.n_people, dtype=np.int64)
    of_person[rows.person[at]] = values[at]
    first[rows.person[at]] = at
    differs = at[of_person[rows.person[at]] != values[at]][::-1]
    bad.add(
        (_DIFFERS, "must be the same in all rows of a person; another value stands above", ""),
        differs,
        header,
        first[rows.person[differs]],
    )
    return of_person


def _ends(rows: RowsRead, mapping: SpellsMapping, mapping_at: str, until: Floats, bad: BadRows) -> Floats:
    """Return when observation of each person ends: as the person's column says, and not after the mapping's date."""
    if mapping.observed_until is not None:
        return np.fmin(until, day_number(mapping.observed_until))
    is_lacking = _is_known(rows) & ~bad.is_bad & np.isnan(_by_row(until, rows))
    is_open = is_lacking & rows.is_open
    follows = mapping.after_last not in (None, NOT_OBSERVED)
    if is_open.any() or (follows and is_lacking.any()):
        n = int(is_open.sum())
        found = f"{n:,} spells that still last" if is_open.any() else f"a state after the last spell, `{mapping.after_last}`"
        way_out = "Give it: the day after the last one on which the file is complete, as that on which it was made"
        raise StudyError([Problem(mapping_at, "observed_until", "must say when observation ends", found, way_out)])
    return until


def _last_day_counts(
    rows: RowsRead, mapping: SpellsMapping, mapping_at: str, bad: BadRows, header: str, notes: list[str], small_cells: int
) -> bool:
    """Return whether the last date is a day in the state: as the mapping says, else as spells follow each other."""
    is_usable = ~bad.is_bad & _is_known(rows)
    at = np.flatnonzero(is_usable)
    at = at[np.lexsort((rows.first[at], rows.person[at]))]
    one, two = at[:-1], at[1:]
    follows = (rows.person[one] == rows.person[two]) & ~rows.last_is_month[one] & (rows.first[two] > rows.first[one])
    days = (rows.first[two] - rows.last[one])[follows]
    same, after = int((days == 0).sum()), int((days == 1).sum())
    text = "{} spells begin on the date on which the one before ends, and {} on the day after"
    told, kept = text.format(f"{same:,}", f"{after:,}"), text.format(*(counts_shown(n, small_cells) for n in (same, after)))
    if mapping.last_day_counts is not None:
        if (after > same) if not mapping.last_day_counts else (same > after):
            notes.append(f"{header}: {kept}; yet the mapping says `last_day_counts: {str(mapping.last_day_counts).lower()}`.")
        return mapping.last_day_counts
    is_closed = is_usable & ~rows.is_open
    if not is_closed.any():
        return False
    if (same > 0) == (after > 0) or rows.last_is_month[is_closed].any():
        rule = "must say whether the last date is a day in the state"
        way_out = "`last_day_counts: true` if it is, `false` if it is the first day after the spell"
        raise StudyError([Problem(mapping_at, "last_day_counts", rule, told, way_out)])
    notes.append(f"{header}: the last date is {'the last day in the state' if after else 'the first day after it'}: {kept}.")
    return after > 0


def _check_days(rows: RowsRead, end: Floats, until: Floats, bad: BadRows, headers: Mapping[str, str]) -> None:
    """Check that each row lasts a day or more, within observation."""
    is_reversed = rows.last < rows.first
    bad.add(REVERSED, is_reversed, headers["to"], _dates_at(is_reversed, rows.last, rows.first, "{} after {}"))
    is_none = ~is_reversed & ~rows.is_open & (end <= rows.first)
    bad.add(_NO_DAYS, is_none, headers["to"], _dates_at(is_none, rows.last, rows.first, "{} to {}"))
    is_late = rows.first >= until
    bad.add(_after(""), is_late, headers["from"], _dates_at(is_late, rows.first, until, "{}, and observation until {}"))
    is_late = ~rows.is_open & (end > until)
    way_out = "A spell that still lasts then is open: `open:` in the mapping; or observation ends later: `observed_until`"
    bad.add(_after(way_out), is_late, headers["to"], _dates_at(is_late, rows.last, until, "{}, and observation until {}"))


def _after(way_out: str) -> Fault:
    return "impossible date", "must not be after the end of observation", way_out


def _dates_at(is_wrong: Flags, one: Floats, two: Floats, text: str) -> tuple[str, ...]:
    return tuple(text.format(written_day(one[at]), written_day(two[at])) for at in np.flatnonzero(is_wrong))


def _check_entry(
    rows: RowsRead, end: Floats, entry: Floats, until: Floats, bad: BadRows, headers: Mapping[str, str], mapping: SpellsMapping
) -> None:
    """Check that no spell ends before its person enters, and that nobody enters after observation."""
    row_entry = _by_row(entry, rows)
    is_before = (end <= row_entry) & ~bad.is_bad
    bad.add(_BEFORE_ENTRY, is_before, headers["to"], _dates_at(is_before, row_entry, end, "entry {}, end {}"))
    begins = row_entry if mapping.observed_from is None else np.fmax(row_entry, day_number(mapping.observed_from))
    is_late = begins >= until
    bad.add(_after(""), is_late, headers.get("entry", ""), _dates_at(is_late, begins, until, "{}, and observation until {}"))


def _check_order(rows: RowsRead, days: Days, bad: BadRows) -> None:
    """Check that spells of a person are different and do not overlap; of two that do, the later one is bad."""
    at = np.flatnonzero(~bad.is_bad)
    keys = (rows.state, days.end, days.first, rows.person)
    at = at[np.lexsort((at, *(key[at] for key in keys)))]
    is_same = (
        np.append(False, np.all([key[at[1:]] == key[at[:-1]] for key in keys], axis=0)) if len(at) else np.zeros(0, dtype=bool)
    )
    original = at[np.maximum.accumulate(np.where(is_same, 0, np.arange(len(at))))]
    order = np.argsort(at[is_same])
    bad.add(TWICE, at[is_same][order], "", original[is_same][order])
    at = at[~is_same]
    at = at[np.lexsort((at, days.end[at], days.first[at], rows.person[at]))]
    one, two = at[:-1], at[1:]
    clashes = (rows.person[one] == rows.person[two]) & ~_may_follow(days, one, two)
    overlapping, before = list[int](), list[int]()
    for person in np.unique(rows.person[one[clashes]]):
        low, high = np.searchsorted(rows.person[at], (person, person + 1))
        kept = at[low]
        for row in at[low + 1 : high]:
            if _may_follow(days, kept, row):
                kept = row
            else:
                overlapping.append(int(row))
                before.append(int(kept))
    order = np.argsort(np.array(overlapping, dtype=np.int64))
    bad.add(_OVERLAPS, np.array(overlapping, dtype=np.int64)[order], "", np.array(before, dtype=np.int64)[order])


def _may_follow(days: Days, one: Integers, two: Integers) -> Flags:
    """Return whether a spell may follow another: on the day of its end it may begin, though that day counts for both."""
    hands_over = days.last_day_counts & (days.first[two] > days.first[one])
    return np.asarray(days.first[two] >= days.end[one] - hands_over)
