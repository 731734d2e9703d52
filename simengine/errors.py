"""Errors that the user can correct: the place, the rule, the value found and the remedy.

SimengineError
 ├── StudyError      a study or contract file says something impossible; holds every problem found
 │    └── NotMeasuredError   a contract pays on what was not measured in some replications
 ├── UsageError      somebody asks for something that cannot be done
 │    ├── UnknownNameError   or looks up a name that nothing has
 │    └── NotGivenError      or looks up a statistic that too few replications carry
 └── ResultsError    a result cannot be written or read

The command line turns any of these into one message on stderr and exit code 2. Everything else that escapes is a
defect of this program.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

SHOWN_PROBLEMS = 20
"""Problems that a message spells out; it counts the others."""
_SAME_AT_LEAST, _SAME_SHOWN, _LONGEST_KEY = 3, 5, 80
"""From how many further places on one cause is said once; how many of them are named; characters of each."""
_LONGEST_PLACE, _LONGEST_TEXT = 300, 1000
"""Characters of a file's name or a key, and of a rule, a value or a way out, that a message shows."""
_UNSEEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line break: they move the cursor, ring, colour, end a file of XML
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's Bidi_Control: text is shown in another order than it has
    r"\u2028\u2029\ufffe\uffff\ud800-\udfff"  # line breaks of another kind, and what is no character
)
UNSEEN = re.compile(f"[{_UNSEEN}]")
"""A character that acts on a terminal, a picture or a reader without being seen."""
_UNSEEN_OR_BREAK = re.compile(rf"[\t\n{_UNSEEN}]")


@dataclass(frozen=True)
class Problem:
    """One problem, with its place and its remedy."""

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
        where, key = (escaped(_cut(part, _LONGEST_PLACE), _UNSEEN_OR_BREAK) for part in (self.where, self.key))
        rule, found, way_out = (escaped(_cut(part, _LONGEST_TEXT)) for part in (self.rule, self.found, self.way_out))
        place = f"{where}: {key}" if key else where
        return f"{place}: {rule}{f'; found {found}' if found else ''}{f'. {way_out}' if way_out else ''}"


NOT_MEASURED = (
    "",
    "nobody is seen of the service users",
    "nobody is seen of those with whom they are compared",
    "the mean of those with whom they are compared is 0, and the estimate is a share of it",
    "the mean before entry of those with whom they are compared is 0, and the estimate multiplies by what became of it",
    "the level before entry varies within neither group, and differs between them",
    "nobody is seen, or nothing is spent of what the outcome is divided by",
)
"""Why an estimate was not made; 0 where it was."""
NOBODY_SERVED, NOBODY_COMPARED, NOTHING_COMPARED, NOTHING_BEFORE, NO_SLOPE, NOTHING_SPENT = range(1, 7)


class SimengineError(Exception):
    """Base of every error that a user can cause and correct."""


class StudyError(SimengineError):
    """A study or contract cannot be used; `problems` lists everything that was found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        causes = _by_cause(self.problems)
        lines = [_line(cause) for cause in causes[:SHOWN_PROBLEMS]]
        left_out = sum(len(cause) for cause in causes[SHOWN_PROBLEMS:])
        super().__init__("\n".join([*lines, f"and {left_out:,} more"] if left_out else lines))


def _by_cause(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Put together the problems of which the same is said: one unknown name may be used in many places."""
    causes: dict[object, list[Problem]] = {}
    for number, problem in enumerate(problems):
        said = (problem.rule, problem.found, problem.way_out)
        causes.setdefault(said if problem.found else number, []).append(problem)
    return list(causes.values())


def _line(cause: Sequence[Problem]) -> str:
    """Say once what holds of one place or of several."""
    first, *others = cause
    if len(others) < _SAME_AT_LEAST:
        return "\n".join(map(str, cause))
    keys = ", ".join(escaped(_cut(other.key, _LONGEST_KEY), _UNSEEN_OR_BREAK) for other in others[:_SAME_SHOWN])
    more = f" and {len(others) - _SAME_SHOWN:,} more" if len(others) > _SAME_SHOWN else ""
    return f"{first} (the same at {keys}{more})"


class NotMeasuredError(StudyError):
    """A contract pays on what was not measured, and does not say what then counts.

    Blocks of replications find this apart from each other: `joined` says it once, of all of them.
    """

    _FIRST = 5
    """Numbers of replications that a message names."""

    def __init__(self, lacking: Mapping[tuple[str, str], tuple[int, ...]], n_replications: int) -> None:
        # In an order of their own: blocks of other sizes find them in another one.
        self.lacking = {key: lacking[key] for key in sorted(lacking, key=lambda key: (key[0], NOT_MEASURED.index(key[1])))}
        """By metric (as a contract names it: `metric`, or `metric.wave`) and reason: the numbers of the replications."""
        self.n_replications = n_replications
        super().__init__([self._problem(word) for word in dict.fromkeys(word for word, _ in lacking)])

    def _problem(self, word: str) -> Problem:
        by_reason = {reason: numbers for (of, reason), numbers in self.lacking.items() if of == word}
        every = sorted({number for numbers in by_reason.values() for number in numbers})
        first = ", ".join(f"{number:,}" for number in every[: self._FIRST]) + (", ..." if len(every) > self._FIRST else "")
        several = len(by_reason) > 1
        why = "; ".join(f"{reason}, in {len(numbers):,}" if several else reason for reason, numbers in by_reason.items())
        metric, _, wave = word.partition(".")
        return Problem(
            "the run",
            f"contract.metrics.{metric}",
            "what a contract pays on must be measured in every replication, or it must say what counts in its place",
            f"`{word}` not measured in {len(every):,} of {self.n_replications:,} replications (number {first}): {why}",
            f"Give contract.metrics.{metric}.when_missing, or a fallback with `first_of`; or let more people be seen"
            + (f" in the wave {wave}" if wave else ""),
        )

    @staticmethod
    def joined(parts: Sequence[NotMeasuredError], n_replications: int) -> NotMeasuredError:
        """Put together what blocks found, in their order; n_replications: of the whole run."""
        lacking: dict[tuple[str, str], tuple[int, ...]] = {}
        for part in parts:
            for key, numbers in part.lacking.items():
                # The same replication may be seen by several parties.
                lacking[key] = tuple(sorted({*lacking.get(key, ()), *numbers}))
        return NotMeasuredError(lacking, n_replications)


class UsageError(SimengineError):
    """The request itself cannot be carried out."""


class UnknownNameError(UsageError, KeyError):
    """Something is looked up by a name that nothing has."""

    def __init__(self, noun: str, name: object, names: Collection[str], otherwise: str = "") -> None:
        # What stands elsewhere is named where nothing here is nearly the same.
        close = difflib.get_close_matches(str(name), list(names), n=1, cutoff=0.85 if otherwise else 0.5)
        way_out = f"Did you mean {close[0]!r}?" if close else otherwise or f"There are {len(names):,}"
        self.said = f"{noun}: must be one that exists; found {shorten(name)}. {way_out}"
        super().__init__(self.said)

    def __str__(self) -> str:
        return self.said


class NotGivenError(UsageError, KeyError):
    """A statistic is looked up that is refused, because too few replications carry it."""

    def __init__(self, path: str, reason: str, tail_points: int | None, needed: int | None) -> None:
        found = "" if tail_points is None else f"; found {tail_points:,}"
        way_out = f"Run n={needed} or more, or use" if needed else "Use"
        self.said = f"{path}: not given: {reason}{found}. {way_out} `.get()`, which then returns None"
        super().__init__(self.said)

    def __str__(self) -> str:
        return self.said


class ResultsError(SimengineError):
    """Results cannot be written to, or read from, the place that was named."""


Finding: TypeAlias = tuple[str, str, str, str]
"""One thing that is wrong before its file and line are known: path, rule, found, way out."""


def escaped(text: str, unseen: re.Pattern[str] = UNSEEN) -> str:
    r"""Write characters that act without being seen as Python would: ESC as `\x1b`.

    Whatever comes from outside (the name of a file, a title) is shown so: a terminal obeys what it is sent.

    Examples
    --------
    >>> escaped(chr(27) + "[2J" + chr(0x202E))
    '\\x1b[2J\\u202e'
    """
    return unseen.sub(lambda found: ascii(found[0])[1:-1], text)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def one_of(names: Collection[str]) -> str:
    """Say which names there are."""
    return f"One of: {', '.join(names)}" if names else ""


LISTED_BY_CHECK = "`simengine check` lists the paths of all numbers"


def did_you_mean(name: str, names: Iterable[str], otherwise: str) -> str:
    """Suggest the nearest of some names, or say something else where none is near."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean `{close[0]}`?" if close else otherwise


def shorten(value: object, limit: int = 60) -> str:
    """Return a value as short text for a message.

    Examples
    --------
    >>> shorten("a" * 70, limit=10)
    "'aaaaaa..."
    """
    try:
        text = repr(value)
    except ValueError:  # an integer too long for Python to print
        text = "a number with thousands of digits"
    return _cut(text, limit)
