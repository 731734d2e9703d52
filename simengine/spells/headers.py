"""Which column of a table holds what: by its mapping, or by ordinary English and Swedish headers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from simengine.errors import Problem, StudyError
from simengine.spells.dates import read_dates
from simengine.spells.discretion import shown_header
from simengine.spells.events_mapping import EventRole
from simengine.spells.mapping import ColumnRole
from simengine.spells.scores_mapping import ScoreRole
from simengine.spells.words import plain_word

ORDINARY: dict[ColumnRole, tuple[str, ...]] = {
    "person": ("person", "person id", "id", "client", "client id", "case", "löpnr", "löpnummer", "klient", "klient id", "ärende"),
    "state": ("state", "status", "placement", "placement type", "tillstånd", "insats", "insatstyp", "placering", "placeringsform"),
    "from": ("from", "start", "start date", "begin", "from date", "fr.o.m.", "fr o m", "fom", "från", "från och med", "startdatum"),
    "to": ("to", "end", "end date", "stop", "to date", "t.o.m.", "t o m", "tom", "till", "till och med", "slutdatum"),
    "cost_per_day": ("cost per day", "daily cost", "dygnskostnad", "dygnspris", "kostnad per dygn"),
    "group": ("group", "stratum", "grupp", "målgrupp"),
    "entry": ("entry", "entry date", "inträde", "inträdesdatum", "inskrivningsdatum"),
    "observed_until": ("observed until", "observerad till"),
}
"""Headers that need no mapping; capitals, and `_`, `-` or a point for a blank, do not matter."""
ORDINARY_OF_EVENTS: dict[EventRole, tuple[str, ...]] = {
    "person": (*ORDINARY["person"], "employee", "employee id", "anställd", "anställningsnummer"),
    "event": ("event", "event type", "kind", "händelse", "händelsetyp", "frånvaroorsak"),
    "date": ("date", "event date", "datum", "händelsedatum"),
    "from": ORDINARY["from"],
    "to": ORDINARY["to"],
    "group": ORDINARY["group"],
}
"""The same of a table of events."""
ORDINARY_OF_SCORES: dict[ScoreRole, tuple[str, ...]] = {
    "person": ORDINARY_OF_EVENTS["person"],
    "scale": ("scale", "measure", "instrument", "questionnaire", "skala", "formulär", "mätning", "instrument namn"),
    "date": ("date", "test date", "reading date", "datum", "mätdatum", "provdatum"),
    "month": ("month", "months since entry", "månad", "månader sedan start"),
    "score": ("score", "value", "points", "result", "poäng", "värde", "resultat"),
    "group": (*ORDINARY["group"], "arm"),
    "entry": ORDINARY["entry"],
}
"""The same of a table of scores."""
Role = TypeVar("Role", bound=str)
_SHOWN = 12
"""Headers that a message lists."""


def find_columns(
    header: Sequence[str],
    named_columns: Mapping[Role, str],
    ordinary: Mapping[Role, Sequence[str]],
    needed: Sequence[Role],
    where: str,
    place_of: Callable[[str], str],
    at_key: str = "columns",
) -> dict[str, tuple[int, str]]:
    """Find the column of everything that the table has: its place, from 0, and its header.

    Parameters
    ----------
    header
        The headers, as the file has them.
    named_columns
        By what it holds: the header of a column, as the mapping says it.
    ordinary
        By what it holds: headers that need no mapping.
    needed
        What a column must hold.
    where
        The place of the header, for messages.
    place_of
        The place of a path of the mapping.
    at_key
        The path of the mapping at which columns are named.

    Raises
    ------
    StudyError
        With every column that is needed and not found, or found twice.
    """
    problems: list[Problem] = []
    found: dict[str, tuple[int, str]] = {}
    taken = {_plain(name) for name in named_columns.values()}
    lacking: list[Role] = []
    for role in ordinary:
        named = named_columns.get(role)
        known = [_plain(named)] if named is not None else [name for name in map(_plain, ordinary[role]) if name not in taken]
        at = [place for place, name in enumerate(header) if _plain(name) in known]
        exact = [place for place in at if header[place].strip() == (named or "").strip()]
        at = exact if len(exact) == 1 else at
        if len(at) == 1:
            found[role] = (at[0], header[at[0]].strip())
        elif at:
            listed = ", ".join(shown_header(header[place]) for place in at)
            way_out = f"Give the columns names of their own, and say which it is: `{at_key}: {{{role}: ...}}`"
            problems.append(Problem(where, "", f"one column must hold `{role}`", listed, way_out))
        elif named is not None:
            key = f"{at_key}.{role}"
            problems.append(Problem(place_of(key), key, "must be a header of the table", repr(named), _nearest(named, header)))
        elif role in needed:
            lacking.append(role)
    if lacking:
        problems.append(_lacking(lacking, header, where, at_key))
    if problems:
        raise StudyError(problems)
    return found


def _lacking(roles: Sequence[str], header: Sequence[str], where: str, at_key: str) -> Problem:
    """Say once which columns are not found, and both ways out: the columns have other names, or another line names them."""
    rule = "a column must hold " + "; one must hold ".join(f"`{role}`" for role in roles)
    found = "no ordinary header of " + ("it" if len(roles) == 1 else "these")
    columns = ", ".join(f"{role}: ..." for role in roles)
    row = at_key.replace("columns", "header_row")
    way_out = f"Say in the mapping which it is: `{at_key}: {{{columns}}}`; or which line names the columns: `{row}: ...`"
    return Problem(where, "", rule, found, f"{way_out}. {_listed(header)}")


def _plain(header: str) -> str:
    return re.sub(r"[\s._-]+", " ", plain_word(header)).strip()


def _listed(header: Sequence[str]) -> str:
    if np.isfinite(read_dates(header, "day-first").day).any():
        return "The line has dates, as the row of a person: its cells are not shown"
    more = f" and {len(header) - _SHOWN} more" if len(header) > _SHOWN else ""
    return f"Headers: {', '.join(map(shown_header, header[:_SHOWN]))}{more}"


def _nearest(name: str, header: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, list(header), n=1)
    other_line = "or another line names the columns: `header_row: ...`"
    return f"Did you mean {shown_header(close[0])}?" if close else f"{_listed(header)}; {other_line}"
