"""The slow twin of cleaning spells: one person after the other, day by day, in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TwinRow:
    """A row as somebody wrote it; days are whole numbers, and an open spell has no last date."""

    number: int
    person: str
    state: str
    first: int
    last: int | None
    cost: float | None = None
    entry: int | None = None


@dataclass
class Cleaned:
    """What becomes of rows."""

    bad: dict[int, str] = field(default_factory=dict)
    """By number of a row: the first reason for which it is bad."""
    spells: dict[str, list[tuple[str, int, int, float | None]]] = field(default_factory=dict)
    """By person: state, first day, first day no longer in it, cost per day."""
    entry: dict[str, int] = field(default_factory=dict)
    n_outside: int = 0


def clean(rows: list[TwinRow], *, until: int, counts: bool, between: str, after: str | None, observed_from: int | None) -> Cleaned:
    """Clean rows; `after` is none where observation ends with the last spell."""
    cleaned = Cleaned()
    for person in dict.fromkeys(row.person for row in rows):
        _one_person([row for row in rows if row.person == person], cleaned, until, counts, between, after, observed_from)
    return cleaned


def _one_person(
    rows: list[TwinRow], cleaned: Cleaned, until: int, counts: bool, between: str, after: str | None, observed_from: int | None
) -> None:
    entry = next((row.entry for row in rows if row.entry is not None), None)
    good = []
    for row in rows:
        end = _end(row, until, counts)
        if row.entry is not None and row.entry != entry:
            reason = "differs between rows of a person"
        elif row.last is not None and row.last < row.first:
            reason = "ends before it begins"
        elif row.last is not None and end <= row.first:
            reason = "lasts no day"
        elif row.first >= until or (row.last is not None and end > until):
            reason = "impossible date"
        elif entry is not None and end <= entry:
            reason = "ends before entry"
        elif max((day for day in (entry, observed_from) if day is not None), default=until - 1) >= until:
            reason = "impossible date"
        else:
            good.append(row)
            continue
        cleaned.bad[row.number] = reason
    kept: list[TwinRow] = []
    seen = set()
    for row in good:
        what = (row.state, row.first, _end(row, until, counts))
        if what in seen:
            cleaned.bad[row.number] = "duplicate"
        else:
            seen.add(what)
            kept.append(row)
    kept.sort(key=lambda row: (row.first, _end(row, until, counts), row.number))
    apart: list[TwinRow] = []
    for row in kept:
        if apart:
            end = _end(apart[-1], until, counts)
            shares_a_day = counts and row.first == end - 1 and row.first > apart[-1].first
            if row.first < end and not shares_a_day:
                cleaned.bad[row.number] = "overlap"
                continue
        apart.append(row)
    inside = [row for row in apart if observed_from is None or _end(row, until, counts) > observed_from]
    cleaned.n_outside += len(apart) - len(inside)
    if inside:
        _paint(inside, cleaned, until, counts, between, after, entry, observed_from)


def _end(row: TwinRow, until: int, counts: bool) -> int:
    return until if row.last is None else row.last + (1 if counts else 0)


def _paint(
    rows: list[TwinRow],
    cleaned: Cleaned,
    until: int,
    counts: bool,
    between: str,
    after: str | None,
    entry: int | None,
    observed_from: int | None,
) -> None:
    """Say of every day in which state the person is, the later row having the last word; then count days in a row."""
    states: dict[int, tuple[str, float | None]] = {}
    for row in rows:
        for day in range(row.first, _end(row, until, counts)):
            states[day] = (row.state, row.cost)
    begins = entry if entry is None or observed_from is None else max(entry, observed_from)
    first = min(states) if begins is None else min(begins, min(states))
    ended = max(states) + 1
    for day in range(first, until if after is not None else ended):
        states.setdefault(day, (between if day < ended else str(after), None))
    spells: list[tuple[str, int, int, float | None]] = []
    day = first
    while day in states:
        begin, state, costs = day, states[day][0], Counter[float]()
        while day in states and states[day][0] == state:
            cost = states[day][1]
            if cost is not None:
                costs[cost] += 1
            day += 1
        mean = sum(cost * days for cost, days in costs.items()) / costs.total() if costs else None
        spells.append((state, begin, day, mean))
    person = rows[0].person
    cleaned.spells[person] = spells
    cleaned.entry[person] = max(d for d in (first if begins is None else begins, observed_from) if d is not None)
