"""What the rows of a table of events say, and every one that is no event of somebody who was observed then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.errors import Problem, StudyError
from simengine.spells.bad_rows import REVERSED, TWICE, BadRows, Fault
from simengine.spells.dates import next_months, written_day
from simengine.spells.events_mapping import EventsMapping
from simengine.spells.judge import Judge

_STRANGER: Fault = (
    "person without spells",
    "must be a person of the table of spells, observed then",
    "Add the person's spells, or leave the row out",
)
_OUTSIDE: Fault = ("outside observation", "must happen while its person is observed", "")
_NO_DAYS: Fault = (
    "lasts no day",
    "must be after the first date",
    "If the last date is a day of the event, say so in the mapping: `events.last_day_counts: true`",
)
_OVERLAPS: Fault = ("overlap", "must begin when the person's event of this kind before it has ended, or later", "")


@dataclass(frozen=True, eq=False)
class EventRows:
    """What each row says, shape (n_rows,) all; only rows that are not bad say all of it."""

    person: Integers
    """Index of the person by first appearance; -1 where none is given."""
    kind: Integers
    """Index into `kinds`; -1 where it is none of them."""
    kinds: tuple[str, ...]
    first: Floats
    """First day, since 1970-01-01; NaN where it is none."""
    end: Floats
    """First day no longer in the event; NaN of an open one, without a length, or where it is none."""
    is_open: Flags
    has_length: bool
    group: Integers
    """Index into `groups`; -1 where it is none of them."""
    groups: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ObservedPeople:
    """When each person of the rows is observed, shape (n_people,); NaN for somebody who never is."""

    entry: Floats
    until: Floats


def read_event_rows(judge: Judge, meant: EventsMapping, groups: Mapping[str, str], mapping_at: str) -> EventRows:
    """Read all columns of a table of events.

    Raises
    ------
    StudyError
        If a whole column cannot be understood, or nothing says whether the last date is a day of the event.
    """
    judge.widths()
    problems: list[Problem] = []
    columns = judge.cells.columns
    person, _ = judge.people()
    n_rows, nothing = len(person), np.full(len(person), np.nan)
    kind, kinds = np.zeros(n_rows, dtype=np.int64), (meant.event,)
    if "event" in columns:
        kind, kinds = judge.collected(problems, judge.names, "event", meant.kinds)
    group, named = judge.collected(problems, judge.names, "group", groups)
    first, end, is_open = nothing, nothing, np.zeros(n_rows, dtype=bool)
    if "date" in columns:
        first = judge.collected(problems, judge.days, "date")[0]
    else:
        first = judge.collected(problems, judge.days, "from")[0]
        is_open = judge.is_open()
        last, is_month = judge.collected(problems, judge.days, "to", is_open)
        if not problems:
            end = _ends_of(meant, last, is_month, mapping_at)
    if problems:
        raise StudyError(problems)
    if "group" in columns:
        judge.bad.add(("missing value", "must be given", ""), judge.lacks_group(), columns["group"].header)
    return EventRows(person, kind, kinds, first, end, is_open, "date" not in columns, group, named)


def _ends_of(meant: EventsMapping, last: Floats, is_month: Flags, mapping_at: str) -> Floats:
    """Return the first day after each event; what the last date means, only the mapping can say."""
    if meant.last_day_counts is None:
        if np.isnan(last).all():
            return last
        rule, way_out = (
            "must say whether the last date is a day of the event",
            "`true` if it is, `false` if it is the first day after",
        )
        raise StudyError([Problem(mapping_at, "events.last_day_counts", rule, "nothing", way_out)])
    after = np.where(is_month, next_months(np.nan_to_num(last)), last + 1)
    return np.asarray(after if meant.last_day_counts else last)


def check_event_rows(
    rows: EventRows, observed: ObservedPeople, from_day: float | None, bad: BadRows, headers: Mapping[str, str]
) -> Flags:
    """Check rows against observation and each other; what is wrong goes to `bad`.

    Parameters
    ----------
    rows
        What they say.
    observed
        When each person is observed.
    from_day
        First day of observation of everybody, if the mapping names one.
    bad
        The bad rows, added to.
    headers
        By what it holds: the header of a column.

    Returns
    -------
    Whether a row is over before observation begins, shape (n_rows,): such rows are not bad, and not used.
    """
    begins = headers.get("date", headers.get("from", ""))
    is_known = rows.person >= 0
    entry, until = (np.append(of, np.nan)[rows.person] for of in (observed.entry, observed.until))
    is_reversed = rows.end < rows.first
    bad.add(REVERSED, is_reversed, headers.get("to", ""), _found(is_reversed, rows.end, rows.first, "{} after {}"))
    is_none = rows.end == rows.first
    bad.add(_NO_DAYS, is_none, headers.get("to", ""))
    # Where an event has no length, it is over on the day after its date.
    over = np.where(rows.is_open, np.inf, rows.end if rows.has_length else rows.first + 1)
    is_early = is_known & ~bad.is_bad & (over <= (-np.inf if from_day is None else from_day))
    usable = is_known & ~bad.is_bad & ~is_early
    bad.add(_STRANGER, usable & np.isnan(until), headers.get("person", ""))
    is_outside = usable & ((rows.first >= until) | (over <= entry))
    begun = _found(is_outside, rows.first, entry, "{}, and observed from {}", until, " until {}")
    bad.add(_OUTSIDE, is_outside, begins, begun)
    _check_each_other(rows, np.minimum(over, np.nan_to_num(until, nan=np.inf)), is_early, bad)
    return is_early


def _found(is_wrong: Flags, one: Floats, two: Floats, text: str, three: Floats | None = None, more: str = "") -> tuple[str, ...]:
    return tuple(
        text.format(written_day(one[at]), written_day(two[at])) + ("" if three is None else more.format(written_day(three[at])))
        for at in np.flatnonzero(is_wrong)
    )


def _check_each_other(rows: EventRows, over: Floats, is_early: Flags, bad: BadRows) -> None:
    """Check that events of a person and kind are different and do not overlap; of two that do, the later one is bad."""
    at = np.flatnonzero(~bad.is_bad & ~is_early & (rows.person >= 0))
    keys = (over, rows.first, rows.kind, rows.person)
    at = at[np.lexsort((at, *(key[at] for key in keys)))]
    is_same = np.zeros(len(at), dtype=bool)
    is_same[1:] = np.all([key[at[1:]] == key[at[:-1]] for key in keys], axis=0)
    original = at[np.maximum.accumulate(np.where(is_same, 0, np.arange(len(at))))]
    order = np.argsort(at[is_same])
    bad.add(TWICE, at[is_same][order], "", original[is_same][order])
    if not rows.has_length:
        return
    at = at[~is_same]
    late, before = list[int](), list[int]()
    kept = -1
    for row in at:
        is_alike = kept >= 0 and rows.person[kept] == rows.person[row] and rows.kind[kept] == rows.kind[row]
        if is_alike and rows.first[row] < over[kept]:
            late.append(int(row))
            before.append(int(kept))
        else:
            kept = int(row)
    order = np.argsort(np.array(late, dtype=np.int64))
    bad.add(_OVERLAPS, np.array(late, dtype=np.int64)[order], "", np.array(before, dtype=np.int64)[order])
