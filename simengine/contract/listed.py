"""Outcomes that somebody lists, person by person or as counts: what a replay of a rate card settles on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from simengine.contract.card import cards_of
from simengine.contract.spec import Contract, PublishedCase
from simengine.errors import Problem, StudyError, one_of, shorten
from simengine.records import Reached

_BY_PERSON = ("person", "outcome", "month", "units", "wave", "group")
_BY_COUNT = ("outcome", "month", "number", "wave", "group")
_LATEST = 1200
_MOST_PEOPLE = 1_000_000


@dataclass(frozen=True)
class _Row:
    """A line of the table, read."""

    where: str
    person: str
    outcome: str
    """Empty for a person who reached nothing."""
    month: int
    quantity: float
    wave: str
    group: str


def reached_from(contract: Contract, rows: Iterable[tuple[str, Mapping[str, Any]]], table: str = "reached") -> Reached:
    """Turn a table of outcomes into what a contract is settled on: one replication.

    Parameters
    ----------
    contract
        For the names of outcomes, waves and groups.
    rows
        Each with the place where it stands. Of people: `person`, `outcome`, `month` (reached at the end of so many months from the
        start), and `units` of an outcome that has them; a line without an outcome names a person who reached nothing. Of counts:
        `outcome`, `month` and `number`, of as many different people. Either may say `wave` and `group`.
    table
        What the table is called in messages.

    Raises
    ------
    StudyError
        With every line that cannot be.
    """
    listed = list(rows)
    problems: list[Problem] = []
    first = listed[0][1] if listed else {}
    is_counts = "number" in first
    known = _BY_COUNT if is_counts else _BY_PERSON
    for key in first:
        if key not in known:
            rule = f"a table of {'counts' if is_counts else 'people'} must have the columns {', '.join(known)}"
            problems.append(Problem(table, str(key), rule, shorten(key), one_of(known)))
    needed = [key for key in known[:3] if key not in first]
    if needed:
        rule = "a table must have the columns person, outcome and month, or outcome, month and number"
        problems.append(Problem(table, "", rule, f"no {', '.join(needed)}" if listed else "no line", ""))
    if problems:
        raise StudyError(problems)
    read = []
    for where, line in listed:
        found = list(_problems(contract, where, line, is_counts=is_counts))
        problems += found
        if not found:
            read.append(_row(where, line, is_counts=is_counts))
    if is_counts:
        problems += _told_by_people_alone(contract, table)
    problems += _contradictions(read) if not is_counts else []
    if problems:
        raise StudyError(problems)
    return _as_record(contract, _one_by_one(contract, read) if is_counts else read)


def counted_in(contract: Contract, case: PublishedCase) -> Reached | None:
    """Return what a published case says that people reached; nothing where it says nothing."""
    if not case.reached:
        return None
    rows = [
        {"outcome": one.outcome, "month": one.month.value, "number": one.number.value, "wave": one.wave, "group": one.group}
        for one in case.reached
    ]
    return reached_from(contract, [(f"reached.{number}", row) for number, row in enumerate(rows)])


def _problems(contract: Contract, where: str, line: Mapping[str, Any], *, is_counts: bool) -> Iterator[Problem]:
    outcome = _text(line, "outcome")
    if not is_counts and not _text(line, "person"):
        yield Problem(where, "person", "every line must name a person, by any text", "nothing", "")
    if not outcome and (is_counts or _text(line, "month")):
        yield Problem(where, "outcome", "every line with a month must name an outcome", "nothing", one_of(contract.outcomes))
    if outcome and outcome not in contract.outcomes:
        yield Problem(where, "outcome", "must be an outcome of the contract", shorten(outcome), one_of(contract.outcomes))
    for key, known in (("wave", contract.waves), ("group", contract.groups)):
        named = _text(line, key)
        if named and named not in known:
            yield Problem(where, key, f"must be a {key} of the contract", shorten(named), one_of(known) or f"It has no `{key}s`")
        if not named and known and key == "wave":
            yield Problem(where, key, "each person must have a wave where the contract has waves", "nothing", one_of(known))
    if not outcome:
        return
    month = _number(line, "month")
    if month is None or not month.is_integer() or not 0 <= month <= _LATEST:
        rule = f"must be a whole number of months from the start, from 0 to {_LATEST}"
        yield Problem(where, "month", rule, shorten(line.get("month", "nothing")), "")
    key = "number" if is_counts else "units"
    has_units = outcome in contract.outcomes and contract.outcomes[outcome].has_units
    if not is_counts and not has_units:
        if _text(line, "units") and _number(line, "units") != 1:
            yield Problem(where, "units", "an outcome of people must have no units", shorten(line["units"]), "Leave it empty")
        return
    quantity = _number(line, key)
    if quantity is None or not 0 <= quantity <= 1e12 or (not has_units and not quantity.is_integer()):
        rule = f"must be {'a number' if has_units else 'a whole number of people'}, not negative"
        yield Problem(where, key, rule, shorten(line.get(key, "nothing")), "")
    elif not has_units and quantity > _MOST_PEOPLE:
        yield Problem(where, key, f"must be at most {_MOST_PEOPLE:,} people", f"{quantity:,.0f}", "")


def _text(line: Mapping[str, Any], key: str) -> str:
    value = line.get(key)
    return "" if value is None or value != value else str(value).strip()


def _number(line: Mapping[str, Any], key: str) -> float | None:
    """Read a number; nothing where there is none."""
    try:
        number = float(_text(line, key))
    except ValueError:
        return None
    return number if isfinite(number) else None


def _row(where: str, line: Mapping[str, Any], *, is_counts: bool) -> _Row:
    outcome = _text(line, "outcome")
    quantity = 1.0 if not outcome else _number(line, "number" if is_counts else "units")
    return _Row(
        where=where,
        person=_text(line, "person"),
        outcome=outcome,
        month=int(_number(line, "month") or 0),
        quantity=1.0 if quantity is None else quantity,
        wave=_text(line, "wave"),
        group=_text(line, "group"),
    )


def _contradictions(rows: Iterable[_Row]) -> Iterator[Problem]:
    """Find an outcome of one person twice in one month, and a person in two waves or groups."""
    seen: dict[tuple[str, str, int], str] = {}
    traits: dict[tuple[str, str], tuple[str, str]] = {}
    for row in rows:
        if row.outcome:
            other = seen.setdefault((row.person, row.outcome, row.month), row.where)
            if other != row.where:
                found = f"`{row.outcome}` of {shorten(row.person)} in month {row.month}, here and at {other}"
                yield Problem(row.where, "month", "a person must reach an outcome once in a month", found, "Leave one out")
        for key in ("wave", "group"):
            named, where = traits.setdefault((key, row.person), (getattr(row, key), row.where))
            if named != getattr(row, key):
                found = f"`{getattr(row, key)}` here, `{named}` at {where}"
                yield Problem(row.where, key, f"a person must be in one {key}", found, "")


def _told_by_people_alone(contract: Contract, table: str) -> Iterator[Problem]:
    """Find what a card says of persons, which counts of outcomes do not tell."""
    for name, card in cards_of(contract).items():
        asks = ["cap_per_person"] if card.cap_per_person is not None else []
        for key in ("needs", "lost_by", "net_of", "beyond_units"):
            asks += [f"rate_card.{outcome}.{key}" for outcome, one in card.rate_card.items() if getattr(one, key)]
        if asks:
            rule = f"`{asks[0]}` of `{name}` must be settled on what each person reached"
            yield Problem(table, "number", rule, "counts, which do not say who", "Give a table of people: person, outcome, month")


def _one_by_one(contract: Contract, rows: Iterable[_Row]) -> list[_Row]:
    """Let counts be as many different people."""
    found = []
    for number, row in enumerate(rows):
        has_units = contract.outcomes[row.outcome].has_units
        for i in range(1 if has_units else int(row.quantity)):
            quantity = row.quantity if has_units else 1.0
            found.append(_Row(row.where, f"{number}/{i}", row.outcome, row.month, quantity, row.wave, row.group))
    return found


def _as_record(contract: Contract, rows: list[_Row]) -> Reached:
    """Put rows in the order of the record."""
    people = list(dict.fromkeys(row.person for row in rows))
    number = {person: place for place, person in enumerate(people)}
    traits = {row.person: (row.wave, row.group) for row in rows}
    waves, groups, outcomes = list(contract.waves), list(contract.groups), list(contract.outcomes)
    ordered = sorted(
        (row for row in rows if row.outcome), key=lambda row: (row.month, number[row.person], outcomes.index(row.outcome))
    )
    wave = [waves.index(traits[person][0]) if waves else 0 for person in people]
    group = [groups.index(traits[person][1]) if traits[person][1] else -1 for person in people]
    return Reached(
        outcomes=tuple(outcomes),
        waves=tuple(waves),
        groups=tuple(groups),
        horizon=_LATEST,
        first_row=np.array([0, len(ordered)], dtype=np.int64),
        first_person=np.array([0, len(people)], dtype=np.int64),
        wave=np.array(wave, dtype=np.int16),
        group=np.array(group, dtype=np.int16),
        entry=np.zeros(len(people), dtype=np.int16),
        person=np.array([number[row.person] for row in ordered], dtype=np.int32),
        outcome=np.array([outcomes.index(row.outcome) for row in ordered], dtype=np.int16),
        month=np.array([row.month for row in ordered], dtype=np.int16),
        units=np.array([row.quantity for row in ordered]),
    )
