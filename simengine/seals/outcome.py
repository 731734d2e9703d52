"""What came: the outcome of a sealed result, as it is typed, or as it stands in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simengine.asked import is_number, number, one_of_words
from simengine.config.known import RELATIONS, Known, Relation, represented
from simengine.config.table_file import read_table
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.seals.distribution import LARGEST_VALUE

_SIGNS: Mapping[str, Relation] = {"=": "at", ">": "above", ">=": "at_least", "<": "below", "<=": "at_most"}
_TYPED = re.compile(r"(?P<result>[^=<>]+)(?P<sign>>=|<=|=|>|<)(?P<value>[^±]*?)(?:(?:±|\+-|\+/-)(?P<half>.*))?")
_COLUMNS = ("seal", "result", "stands", "value", "rounded_to")


@dataclass(frozen=True)
class Outcome:
    """What a sealed result came to: a figure with its rounding, or a direction.

    Raises
    ------
    UsageError
        If it is no outcome.
    """

    result: str
    """Its name in the seal."""
    value: float
    rounded_to: float = 0.0
    """Rounding unit: the figure stands for all values within half of it on either side."""
    stands: Relation = "at"
    """Relation to the value; all but `at` if only a direction is known."""

    def __post_init__(self) -> None:
        """Refuse what is no outcome."""
        number(self.value, f"outcome of {self.result}", -LARGEST_VALUE, LARGEST_VALUE)
        number(self.rounded_to, f"rounding of {self.result}", 0.0, LARGEST_VALUE)
        one_of_words(self.stands, f"outcome of {self.result}", RELATIONS)
        if self.is_direction and self.rounded_to:
            raise UsageError(f"outcome of {self.result}: a direction must have no rounding; found {self.rounded_to:g}")

    @property
    def is_direction(self) -> bool:
        """Whether no figure is known, but an event that happened."""
        return self.stands != "at"

    @property
    def ends(self) -> tuple[float, float]:
        """The ends, both included, of what it stands for."""
        return represented(self.stands, self.value, self.rounded_to)


def outcome_typed(text: str) -> Outcome:
    """Read an outcome as it is typed: NAME=VALUE, NAME=VALUE±HALF, NAME>VALUE.

    After ± stands half of the rounding unit: 3.5±0.5 is a figure that was rounded to whole numbers.

    Raises
    ------
    UsageError
        If it is written in another way.

    Examples
    --------
    >>> outcome_typed("investor.net=3.5e6±500_000").rounded_to, outcome_typed("metric.saving.estimate<=0").stands
    (1000000.0, 'at_most')
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        way_out = "For a direction write > or <, >= or <="
        raise UsageError(f"--outcome: must be written NAME=VALUE, or NAME=VALUE±HALF of its rounding; found {text!r}. {way_out}")
    name = found["result"].strip()
    half = 0.0 if found["half"] is None else _typed_number(found["half"], f"--outcome {name}, after ±")
    if half < 0:
        raise UsageError(f"--outcome {name}, after ±: must be 0 or more; found {found['half']!r}")
    try:
        return Outcome(name, _typed_number(found["value"], f"--outcome {name}"), 2 * half, _SIGNS[found["sign"]])
    except UsageError as error:
        raise UsageError(f"--outcome: {error}" if not str(error).startswith("--") else str(error)) from None


def _typed_number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{name}: must be a number; found {text.strip()!r}") from None


def outcomes_given(outcomes: Any, seals: Sequence[str]) -> dict[str, tuple[Outcome, ...]]:
    """Take outcomes as they are given from Python, by the name of their seal.

    Parameters
    ----------
    outcomes
        The place of a table; a list of `Outcome`s or of texts as they are typed; or by result a number. Of several seals: one of
        the last two for each, by its name.
    seals
        Their names.

    Raises
    ------
    UsageError
        If they are given in another way, or twice, or there is no such seal.
    StudyError
        With every row of the table that cannot be.
    """
    if isinstance(outcomes, str | Path):
        return outcomes_read(outcomes, seals)
    if len(seals) == 1 and not (isinstance(outcomes, Mapping) and set(outcomes) == set(seals)):
        outcomes = {seals[0]: outcomes}
    if not isinstance(outcomes, Mapping):
        rule, way_out = "of several seals outcomes must be given by the name of each", "Write a table, --outcomes"
        raise UsageError(f"outcomes: {rule}; found {shorten(outcomes)}. {way_out}")
    for name in outcomes:
        if name not in seals:
            raise UsageError(f"outcomes: must be of one of the seals {', '.join(seals)}; found {shorten(name)}")
    found = {name: tuple(_of_one(given)) for name, given in outcomes.items()}
    for name, given in found.items():
        _refuse_twice(given, f"outcomes of {name}")
    return found


def _of_one(given: Any) -> Iterator[Outcome]:
    if isinstance(given, Mapping):
        given = [Outcome(str(name), value) for name, value in given.items()]
    if not isinstance(given, list | tuple):
        raise UsageError(f"outcomes: must be a list, or a number by the name of each result; found {shorten(given)}")
    for one in given:
        if not isinstance(one, Outcome | str):
            raise UsageError(f"outcomes: must be outcomes, or texts NAME=VALUE; found {shorten(one)}")
        yield outcome_typed(one) if isinstance(one, str) else one


def _refuse_twice(outcomes: Sequence[Outcome], place: str) -> None:
    names = [one.result for one in outcomes]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{place}: must be given once for each result; found {name} twice")


def outcomes_read(path: Path | str, seals: Sequence[str]) -> dict[str, tuple[Outcome, ...]]:
    """Read a table of outcomes, by the name of their seal.

    Its columns are `result` and `value`, and as needed `seal` (the name of its file without `.seal.json`; needed if there are
    several), `stands` (`at` if empty) and `rounded_to`. Rows of seals that are not scored are left out.

    Raises
    ------
    StudyError
        With every row that cannot be.
    """
    rows, problems, found = read_table(path), [], {name: [] for name in seals}  # type: ignore[var-annotated]
    for name in rows[0][1] if rows else ():
        if name not in _COLUMNS:
            raise StudyError([Problem(f"{path}:1", name, f"columns must be among {', '.join(_COLUMNS)}", "another", "")])
    needed = ("result", "value") if len(seals) == 1 else ("seal", "result", "value")
    for name in needed:
        if not rows or name not in rows[0][1]:
            rule = f"a table of outcomes must have the columns {', '.join(needed)} and a row"
            raise StudyError([Problem(f"{path}:1", name, rule, "none", "")])
    for where, cells in rows:
        try:
            name = cells.get("seal", "").strip() or seals[0]
            if name in found:
                found[name].append(_row(cells, [one.result for one in found[name]]))
        except UsageError as error:
            problems.append(Problem(where, "", str(error)))
    if problems:
        raise StudyError(problems)
    return {name: tuple(outcomes) for name, outcomes in found.items() if outcomes}


def _row(cells: Mapping[str, str], before: Sequence[str]) -> Outcome:
    result = cells["result"].strip()
    if result in before:
        raise UsageError(f"an outcome must be given once; found {result} twice")
    value, unit = (_cell(cells.get(name, "").strip() or absent, name) for name, absent in (("value", ""), ("rounded_to", "0")))
    stands = one_of_words(cells.get("stands", "").strip() or "at", "stands", RELATIONS)
    return Outcome(result, value, unit, stands)  # type: ignore[arg-type]


def _cell(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not is_number(value):
        raise UsageError(f"{name}: must be a number; found {text!r}")
    return value


def outcome_of(known: Known) -> Outcome:
    """Return a known result of a study as the outcome of what was sealed."""
    return Outcome(known.column, known.value, known.rounded_to, known.stands)


def outcomes_table(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """Write outcomes, by the name of their seal, as a table that reads back as the same."""
    rows = [
        f"{_quoted(name)},{_quoted(one.result)},{one.stands},{one.value!r},{one.rounded_to!r}"
        for name, some in outcomes.items()
        for one in some
    ]
    return "\n".join([",".join(_COLUMNS), *rows]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",;\n]', text) else text
