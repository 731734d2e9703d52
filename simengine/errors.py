"""Say what went wrong in a way that the reader can mend: where, the rule, the value found, the way out.

SimengineError
 ├── StudyError      a study or contract file says something impossible; holds every problem found
 ├── UsageError      the command line asks for something that cannot be done
 └── ResultsError    a result cannot be written or read

The command line turns any of these into one message on stderr and exit code 2. Everything else that escapes is a
defect of this program.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, with its place and its mend."""

    where: str
    """File and line, or the command-line option."""
    key: str
    """Dotted path of the key inside the file; empty where the whole file is meant."""
    rule: str
    """What must hold."""
    found: str = ""
    """The offending value, shortened."""
    way_out: str = ""
    """What to do instead."""

    def __str__(self) -> str:
        place = f"{self.where}: {self.key}" if self.key else self.where
        found = f"; found {self.found}" if self.found else ""
        way_out = f". {self.way_out}" if self.way_out else ""
        return f"{place}: {self.rule}{found}{way_out}"


class SimengineError(Exception):
    """Base of every error that a user can cause and mend."""


class StudyError(SimengineError):
    """A study or contract cannot be used; `problems` lists everything that was found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class UsageError(SimengineError):
    """The request itself cannot be carried out."""


class ResultsError(SimengineError):
    """Results cannot be written to, or read from, the place that was named."""


Finding: TypeAlias = tuple[str, str, str, str]
"""One thing that is wrong before its file and line are known: path, rule, found, way out."""


def one_of(names: Collection[str]) -> str:
    """Say which names there are."""
    return f"One of: {', '.join(names)}" if names else ""


def shorten(value: object, limit: int = 60) -> str:
    """Give a value as short text for a message.

    Examples
    --------
    >>> shorten("a" * 70, limit=10)
    "'aaaaaa..."
    """
    try:
        text = repr(value)
    except ValueError:  # an integer too long for Python to print
        text = "a number with thousands of digits"
    return text if len(text) <= limit else text[: limit - 3] + "..."
