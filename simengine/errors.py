"""Say what went wrong in a way that the reader can mend: where, the rule, the value found, the way out.

SimengineError
 ├── StudyError      a study or contract file says something impossible; holds every problem found
 │    └── NotMeasuredError   a contract pays on what was not measured in some replications
 ├── UsageError      the command line asks for something that cannot be done
 └── ResultsError    a result cannot be written or read

The command line turns any of these into one message on stderr and exit code 2. Everything else that escapes is a
defect of this program.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    """Base of every error that a user can cause and mend."""


class StudyError(SimengineError):
    """A study or contract cannot be used; `problems` lists everything that was found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


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
