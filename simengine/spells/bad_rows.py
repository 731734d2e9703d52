"""Rows of a table that cannot be spells: every one with its place, the rule that it breaks and what was found, and no name of anybody."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from simengine.arrays import Flags, Integers
from simengine.errors import SHOWN_PROBLEMS, Problem, ResultsError, StudyError, escaped
from simengine.spells.columns import SpellsColumn
from simengine.spells.discretion import shown_value

Fault: TypeAlias = tuple[str, str, str]
"""What is wrong with a row: the reason by which it is counted, the rule that it breaks, and the way out."""
REVERSED: Fault = ("ends before it begins", "must not be before the first date", "")
TWICE: Fault = ("duplicate", "must stand once", "")
PERSON_LEFT = "person without a good row"
_SHOWN_OF_A_KIND = 5
"""Faults of one kind that a message spells out."""
_FORMULA = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True, eq=False)
class _Faults:
    """Rows with one fault."""

    fault: Fault
    header: str
    at: Integers
    """Shape (n_faults,): index of each row."""
    found: tuple[str, ...] | SpellsColumn | Integers | None
    """By fault what was found; or the column whose cell it is; or the index of another row; or nothing."""


@dataclass(frozen=True)
class BadRow:
    """One fault of one row."""

    row: int
    """Line or row number in the file."""
    header: str
    reason: str
    rule: str
    found: str
    way_out: str


@dataclass(eq=False)
class BadRows:
    """The bad rows of a file, in the order in which they stand."""

    file_name: str
    noun: str
    row: Integers
    """Shape (n_rows,): the number of each row in the file."""
    people: Container[str] = ()
    """What names people in the file, and is never shown."""
    _faults: list[_Faults] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_bad: Flags = np.zeros(len(self.row), dtype=bool)
        """Shape (n_rows,)."""
        self._reason: Integers = np.full(len(self.row), -1)

    def add(self, fault: Fault, is_wrong: Flags | Integers, header: str, found: Any = None) -> None:
        """Add the rows that have a fault: a flag for each row, or the indices of some."""
        at = np.flatnonzero(is_wrong) if is_wrong.dtype == bool else is_wrong.astype(np.int64)
        if not len(at):
            return
        self._reason[at[self._reason[at] < 0]] = len(self._faults)
        self._faults.append(_Faults(fault, header, at, found))
        if fault[0] != PERSON_LEFT:
            self.is_bad[at] = True

    @property
    def n(self) -> int:
        """Number of bad rows."""
        return int(self.is_bad.sum())

    @property
    def by_reason(self) -> tuple[tuple[str, int], ...]:
        """By reason the number of rows, each counted once, the most frequent reason first."""
        counted: dict[str, int] = {}
        for number, faults in enumerate(self._faults):
            times = int((self._reason[self.is_bad] == number).sum())
            if times:
                counted[faults.fault[0]] = counted.get(faults.fault[0], 0) + times
        return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0])))

    @property
    def n_faults(self) -> int:
        """Number of faults: a row may have several."""
        return sum(len(faults.at) for faults in self._faults)

    def __iter__(self) -> Iterator[BadRow]:
        """Yield every fault by row; people of whom no row is left come last."""
        if not self._faults:
            return
        which = np.concatenate([np.full(len(faults.at), number) for number, faults in enumerate(self._faults)])
        place = np.concatenate([np.arange(len(faults.at)) for faults in self._faults])
        at = np.concatenate([faults.at for faults in self._faults])
        comes_last = np.array([faults.fault[0] == PERSON_LEFT for faults in self._faults])[which]
        for one in np.lexsort((which, at, comes_last)):
            yield self._one(self._faults[which[one]], int(place[one]))

    def shown(self) -> list[BadRow]:
        """Return the faults that a message spells out: the first of each kind, so that one kind does not hide the others."""
        times: Counter[tuple[str, str]] = Counter()
        found: list[BadRow] = []
        for one in self:
            kind = one.header, one.rule
            times[kind] += 1
            if times[kind] <= _SHOWN_OF_A_KIND:
                found.append(one)
            if len(found) == SHOWN_PROBLEMS:
                break
        return found

    def _one(self, faults: _Faults, place: int) -> BadRow:
        row = int(faults.at[place])
        found, (reason, rule, way_out) = faults.found, faults.fault
        if isinstance(found, SpellsColumn):
            text = found.texts[found.codes[row]]
            shown = "" if text is None else shown_value(text, self.people)
        elif isinstance(found, np.ndarray):
            shown = f"{self.noun} {self.row[found[place]]:,}"
        else:
            shown = "" if found is None else found[place]
        return BadRow(int(self.row[row]), faults.header, reason, rule, shown, way_out)

    def problem(self, one: BadRow) -> Problem:
        """Say one fault as a message does."""
        return Problem(
            self.file_name, ", ".join(filter(None, (f"{self.noun} {one.row}", one.header))), one.rule, one.found, one.way_out
        )

    def write(self, path: Path) -> None:
        """Write every fault as a line of a CSV file that did not exist.

        Raises
        ------
        ResultsError
            If it exists or cannot be written; then nothing is left of it.
        """
        try:
            if path.exists() or path.is_symlink():
                raise ResultsError(f"--problems {path}: must be the name of a new file; found one that exists. Give another name")
            handle, draft = tempfile.mkstemp(prefix=".simengine-draft-", dir=path.resolve().parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
                    file.write(f"{self.noun};column;reason;must;found;way out\r\n")
                    for one in self:
                        cells = (str(one.row), one.header, one.reason, one.rule, one.found, one.way_out)
                        file.write(";".join(map(_cell, cells)) + "\r\n")
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink()
                raise
        except (OSError, ValueError, RuntimeError) as error:
            rule = "must be the name of a new file that can be written"
            found = (isinstance(error, OSError) and error.strerror) or str(error)
            raise ResultsError(f"--problems {path}: {rule}; found: {found}. Give another name") from None


def _cell(text: str) -> str:
    """Write a cell that no program takes for a formula."""
    text = escaped(text).replace("\n", " ")
    text = f"'{text}" if _FORMULA.match(text) else text
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(sign in text for sign in ';"\t') else text


class BadRowsError(StudyError):
    """Some rows of a table are no spells; `bad_rows` holds all of them, `problems` those that the message shows."""

    def __init__(self, bad: BadRows) -> None:
        self.bad_rows = bad
        shown = [bad.problem(one) for one in bad.shown()]
        super().__init__(shown)
        lines = [str(problem) for problem in shown]
        left = bad.n_faults - len(shown)
        more = [f"and {left:,} more"] if left else []
        counted = "; ".join(f"{reason} {n:,}" for reason, n in bad.by_reason)
        rows = "1 bad row" if bad.n == 1 else f"{bad.n:,} bad rows"
        way_out = "Mend the file, or leave these rows out with `--without-bad-rows`; `--problems FILE` lists every one"
        self.args = ("\n".join([*lines, *more, f"{bad.file_name}: {rows} of {len(bad.row):,}: {counted}. {way_out}"]),)
