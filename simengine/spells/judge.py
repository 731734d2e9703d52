"""What the cells of every row say: its person, state, days and cost; and every cell that says nothing which can be used."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.distributions.names import a_name
from simengine.errors import Problem, StudyError
from simengine.spells.amounts import NEGATIVE, NO_AMOUNT, TOO_LARGE, Decimals, read_amounts
from simengine.spells.bad_rows import BadRows, Fault
from simengine.spells.columns import Cells, Codes, SpellsColumn
from simengine.spells.dates import MONTH_ALONE, UNREADABLE, DatesRead, read_dates
from simengine.spells.discretion import shown_value
from simengine.spells.mapping import SpellsMapping
from simengine.spells.records import counts_shown
from simengine.spells.words import DateOrder, plain_word

MOST_NAMES = 40
"""Different states, or groups, of a table whose mapping does not name them."""
_CELLS: Fault = (
    "wrong number of cells",
    "must have as many cells as the header",
    "Look for a separator within a text, or a decimal comma between commas",
)


def missing(way_out: str = "") -> Fault:
    """Return the fault of an empty cell."""
    return "missing value", "must be given", way_out


class DatedWords(Protocol):
    """How a mapping says that dates are written."""

    @property
    def open(self) -> tuple[str, ...]:
        """Words for a last date that has not come."""

    @property
    def dates(self) -> DateOrder | None:
        """Order of day and month."""


@dataclass(frozen=True, eq=False)
class RowsRead:
    """What each row says, shape (n_rows,) all; only rows that are not bad say all of it."""

    person: Integers
    """Index of the person, by first appearance; -1 where none is given."""
    n_people: int
    state: Integers
    """Index into `states`; -1 where it is none of them."""
    states: tuple[str, ...]
    first: Floats
    """First day, since 1970-01-01; NaN where it is none."""
    last: Floats
    """Last date as it is written; NaN of an open spell, or where it is none."""
    last_is_month: Flags
    is_open: Flags
    cost_per_day: Floats
    group: Integers
    """Index into `groups`; -1 where it is none of them."""
    lacks_group: Flags
    """Whether there is a column of groups and its cell is empty."""
    groups: tuple[str, ...]
    entry: Floats
    """Day of entry; NaN where none is given."""
    until: Floats
    """First day after observation, of the row itself; NaN where none is given."""


@dataclass(eq=False)
class Judge:
    """Reads the columns of one table; what is wrong goes to `bad`, what was decided to `notes`."""

    cells: Cells
    words: DatedWords
    bad: BadRows
    header_at: str
    notes: list[str]
    small_cells: int
    """A smaller number of rows is not shown in a note."""
    noun: str = "spell"
    """What a row is."""
    at_key: str = ""
    """Where its keys stand in the mapping, with a dot at the end."""

    def __post_init__(self) -> None:
        self.number_of: dict[str, int] = {}
        """By what names a person: the index, by first appearance."""

    def rows(self, mapping: SpellsMapping) -> RowsRead:
        """Read all columns.

        Raises
        ------
        StudyError
            If a whole column cannot be understood: the order of its dates, its decimals, its names.
        """
        self.widths()
        problems: list[Problem] = []
        person, n_people = self.people()
        state, states = self.collected(problems, self.names, "state", mapping.states)
        group, groups = self.collected(problems, self.names, "group", mapping.groups)
        first = self.collected(problems, self.days, "from")
        is_open = self.is_open()
        last = self.collected(problems, self.days, "to", is_open)
        entry = self.collected(problems, self.days, "entry", may_be_empty=True)
        until = self.collected(problems, self.days, "observed_until", may_be_empty=True)
        cost = self.collected(problems, self.amounts, "cost_per_day", mapping.decimal)
        if problems:
            raise StudyError(problems)
        return RowsRead(
            *(person, n_people, state, states, first[0], last[0], last[1], is_open, cost),
            *(group, self.lacks_group(), groups, entry[0], until[0]),
        )

    def widths(self) -> None:
        """Look for rows that have more or fewer cells than the header."""
        misfit = self.cells.misfit
        at = np.flatnonzero(misfit)
        self.bad.add(_CELLS, at, "", tuple(f"{abs(int(misfit[one]))} {'more' if misfit[one] > 0 else 'fewer'}" for one in at))

    def collected(self, problems: list[Problem], read: Callable[..., Any], *of: Any, **how: Any) -> Any:
        """Read a column, and go on to the next one where it is refused as a whole."""
        try:
            return read(*of, **how)
        except StudyError as error:
            problems += error.problems
            return np.empty(0), ()

    def _fits(self) -> Flags:
        return np.asarray(self.cells.misfit == 0)

    def flag_empty(self, role: str) -> None:
        """Flag the empty cells of a column in which every row needs one."""
        column = self.cells.columns[role]
        self._flag(missing(), column.is_empty, column, shows=False)

    def _flag(self, fault: Fault, is_wrong: Flags, column: SpellsColumn, *, shows: bool = True) -> None:
        self.bad.add(fault, is_wrong & self._fits(), column.header, column if shows else None)

    def people(self) -> tuple[Integers, int]:
        """Read the column of people: by row the index of the person, -1 where none is given, and how many they are."""
        column = self.cells.columns["person"]
        numbers = self.number_of
        is_used = self._is_used(column)
        named = [
            numbers.setdefault(person_text(text), len(numbers)) if used and text is not None else -1
            for text, used in zip(column.texts, is_used, strict=True)
        ]
        self.bad.people = {person_text(text) for text in column.texts if text is not None}
        self._flag(missing(), column.is_empty, column, shows=False)
        return np.where(self._fits(), np.array(named, dtype=np.int64)[column.codes], -1), len(numbers)

    def _is_used(self, column: SpellsColumn) -> Flags:
        """Return which texts stand in rows that fit their header; in others a cell may be that of another column."""
        return np.bincount(column.codes[self._fits()], minlength=len(column.texts)) > 0

    def names(self, role: str, meant: Mapping[str, str]) -> tuple[Integers, tuple[str, ...]]:
        """Read the column of states, groups or events: by row the index of its name, -1 where it has none, and the names."""
        column = self.cells.columns.get(role)
        if column is None:
            return np.zeros(len(self.cells.row), dtype=np.int64), ("all",)
        if role != "group":
            self._flag(missing(), column.is_empty, column, shows=False)
        of_word = {plain_word(word): name for word, name in meant.items()} or self._own_names(role, column)
        names = tuple(sorted(set(of_word.values())))
        coded = [-1 if text is None else _index(names, of_word.get(plain_word(person_text(text)))) for text in column.texts]
        codes = np.array(coded, dtype=np.int64)[column.codes]
        key = self._key_of(role)
        rule = f"must be one of the {role}s of the mapping"
        self._flag((f"unknown {role}", rule, f"Name it in the mapping: `{key}: {{...}}`"), (codes < 0) & ~column.is_empty, column)
        return codes, names

    def _key_of(self, role: str) -> str:
        """Return the key of the mapping that names the words of a column."""
        return {"event": "events.kinds", "scale": "scores.scales"}.get(role, f"{role}s")

    def lacks_group(self) -> Flags:
        """Return where there is a column of groups and its cell is empty."""
        column = self.cells.columns.get("group")
        return np.zeros(len(self.cells.row), dtype=bool) if column is None else column.is_empty & self._fits()

    def _own_names(self, role: str, column: SpellsColumn) -> dict[str, str]:
        """Write the words of a column as names."""
        used = (text for text, is_used in zip(column.texts, self._is_used(column), strict=True) if is_used and text is not None)
        words = {plain_word(person_text(text)): person_text(text) for text in used}
        where, way_out = f"{self.header_at}: {column.header}", f"Name them in the mapping: `{self._key_of(role)}: {{...}}`"
        if len(words) > MOST_NAMES:
            rule = f"a column of {role}s without names in the mapping must have at most {MOST_NAMES} different words"
            raise StudyError([Problem(where, "", rule, f"{len(words):,}", way_out)])
        named: dict[str, str] = {}
        for plain, word in words.items():
            name = _as_name(plain)
            if not a_name.pattern.fullmatch(name) or name in named.values():
                rule = f"the words of a column of {role}s must make different names, of letters, digits and `_`"
                raise StudyError([Problem(where, "", rule, shown_value(word, self.bad.people), way_out)])
            named[plain] = name
        return named

    def is_open(self) -> Flags:
        """Return which rows say in place of their last date that the spell still lasts."""
        words = {plain_word(word) for word in self.words.open}
        column = self.cells.columns["to"]
        return np.array([plain_word(_as_written(text)) in words for text in column.texts], dtype=bool)[column.codes]

    def days(self, role: str, is_open: Flags | None = None, *, may_be_empty: bool = False) -> tuple[Floats, Flags]:
        """Read a column of dates: its days, and where it has months alone."""
        column, n_rows = self.cells.columns.get(role), len(self.cells.row)
        if column is None:
            return np.full(n_rows, np.nan), np.zeros(n_rows, dtype=bool)
        is_read = ~column.is_empty if is_open is None else ~(column.is_empty | is_open)
        used = np.unique(column.codes[is_read & self._fits()])
        read = read_dates([column.texts[text] for text in used], self.words.dates)
        if read.undecided:
            raise StudyError([self._undecided_dates(column, [int(used[one]) for one in read.undecided])])
        self._say_of_dates(column, read, used)
        rules = dict.fromkeys(read.wrong)
        a_row = "an event" if self.noun == "event" else f"a {self.noun}"
        ways_out = {
            UNREADABLE: f"A word for {a_row} that still lasts is named in the mapping: `{self.at_key}open: [...]`",
            MONTH_ALONE: "`--dates year-month` takes months for dates",
        }
        place = np.full(len(column.texts), -1)
        place[used] = np.arange(len(used))
        here = place[column.codes]
        is_read &= here >= 0
        for rule in filter(None, rules):
            broken = np.array([wrong == rule for wrong in read.wrong], dtype=bool)
            reason = "unreadable date" if rule in ways_out else "impossible date"
            self._flag((reason, rule, ways_out.get(rule, "")), np.asarray(is_read & broken[here]), column)
        if not may_be_empty:
            still = f'If the {self.noun} still lasts, name the empty cell in the mapping: `{self.at_key}open: [""]`'
            way_out = still if role == "to" else ""
            is_lacking = column.is_empty if is_open is None else column.is_empty & ~is_open
            self._flag(missing(way_out), is_lacking, column, shows=False)
        day = np.where(is_read, np.append(read.day, np.nan)[here], np.nan)
        return day, is_read & np.append(read.is_month, False)[here]

    def _undecided_dates(self, column: SpellsColumn, texts: Iterable[int]) -> Problem:
        shown = [
            f"{shown_value(column.texts[one], self.bad.people)} on {self.bad.noun} {self._number(column, one):,}" for one in texts
        ]
        way_out = f"Say which it is: `--dates day-first` or `--dates month-first`, or `{self.at_key}dates:` in the mapping"
        rule = "dates must show whether the day or the month comes first"
        return Problem(f"{self.header_at}: {column.header}", "", rule, " and ".join(shown), way_out)

    def _number(self, column: SpellsColumn, text: int) -> int:
        return int(self.cells.row[column.row_of(text)])

    def _say_of_dates(self, column: SpellsColumn, read: DatesRead, used: Codes) -> None:
        if read.shown_by is not None:
            first = "day" if read.order == "day-first" else "month"
            row = self._number(column, int(used[read.shown_by]))
            self.notes.append(f"{column.header}: the {first} comes first, as {self.bad.noun} {row:,} shows.")
        for has, what in ((read.is_excel_number, "a day number of Excel"), (read.has_time, "a time of day, which was left out")):
            n = int(np.isin(column.codes, used[has]).sum())
            if n:
                self.notes.append(f"{column.header}: {counts_shown(n, self.small_cells)} rows have {what}.")

    def amounts(self, role: str, decimal: Decimals | None, *, signed: bool = False) -> Floats:
        """Read a column of amounts, or of numbers that may be negative; NaN where it is empty or wrong."""
        column = self.cells.columns.get(role)
        if column is None:
            return np.full(len(self.cells.row), np.nan)
        read = read_amounts(column.texts, decimal, signed=signed)
        if read.undecided:
            shown = (
                f"{shown_value(column.texts[one], self.bad.people)} on {self.bad.noun} {self._number(column, one):,}"
                for one in read.undecided
            )
            rule = "amounts must show whether a comma or a point separates decimals"
            way_out = f"Say which it is in the mapping: `{self.at_key}decimal: comma` or `{self.at_key}decimal: point`"
            raise StudyError([Problem(f"{self.header_at}: {column.header}", "", rule, " and ".join(shown), way_out)])
        if read.shown_by is not None:
            row = self._number(column, read.shown_by)
            self.notes.append(f"{column.header}: a {read.decimal} separates decimals, as {self.bad.noun} {row:,} shows.")
        what = "cost" if role == "cost_per_day" else role
        for rule, reason in ((NO_AMOUNT, f"unreadable {what}"), (NEGATIVE, f"negative {what}"), (TOO_LARGE, f"{what} too large")):
            broken = np.array([wrong == rule for wrong in read.wrong], dtype=bool)
            said = "must be a number, as 12 or 12,5" if signed and rule == NO_AMOUNT else rule
            self._flag((reason, said, ""), broken[column.codes], column)
        return read.amount[column.codes]


def _index(names: tuple[str, ...], name: str | None) -> int:
    return -1 if name is None else names.index(name)


def person_text(cell: Any) -> str:
    """Write what names a person, or a word, as it would stand in text: 17.0 of a workbook is 17."""
    is_whole = isinstance(cell, float | Decimal) and cell == cell // 1
    return str(int(cell)) if is_whole else " ".join(str(cell).split())


def _as_written(cell: Any) -> str:
    """Write a last date as the word for an open spell may be written: a date of a workbook as 9999-12-31."""
    if cell is None:
        return ""
    return cell.isoformat()[:10] if isinstance(cell, datetime.date) else person_text(cell)


def _as_name(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
