"""Results of attempts: a small file for each in a folder, or a table of what they came to; written whole, read with care."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from simengine.bench.attempt import DONE, NOT_APPLICABLE, Attempt, attempt_of
from simengine.bench.problem import SUITE, BenchProblem, fingerprint_of, frozen_answers
from simengine.bench.suite import find_problem
from simengine.disk import write_whole
from simengine.errors import ResultsError, SimengineError

BASELINE_TABLES = Path(__file__).resolve().parent / "baselines"
_DIGITS = 6
"""Significant digits of a table."""


@dataclass(frozen=True)
class SummaryLine:
    """What the repeats of a method at one problem, measure and budget came to."""

    suite: str
    family: str
    problem: str
    fingerprint: str
    measure: str
    method: str
    budget: int
    repeats: int
    """Done."""
    failed: int
    """Refused or failed; not those to which the method does not apply."""
    score: float
    """Of estimation the root mean squared error over repeats, else the mean; less is better."""
    score_se: float
    """Its standard error from the spread of the repeats; not a number of one repeat."""
    replications: float
    person_periods: float
    cpu_seconds: float
    """Work on average."""


SUMMARY_COLUMNS = tuple(one.name for one in fields(SummaryLine))
_TEXTS = ("suite", "family", "problem", "fingerprint", "measure", "method")
_WHOLE = ("budget", "repeats", "failed")


def summarise_attempts(attempts: Iterable[Attempt]) -> list[SummaryLine]:
    """Summarise attempts by problem, measure, method and budget; one of which every repeat failed has a line without a measure."""
    groups: dict[tuple[str, str, int], list[Attempt]] = defaultdict(list)
    for one in attempts:
        groups[one.problem, one.method, one.budget].append(one)
    return [line for group in groups.values() for line in _lines(group)]


def _lines(group: Sequence[Attempt]) -> list[SummaryLine]:
    done = [one for one in group if one.status == DONE]
    failed = sum(one.status not in (DONE, NOT_APPLICABLE) for one in group)
    first, family = group[0], find_problem(group[0].problem).card.family
    if not done and not failed:
        return []
    work = tuple(
        float(np.mean([getattr(one, name) for one in done or group])) for name in ("replications", "person_periods", "cpu_seconds")
    )
    measures = dict.fromkeys(name for one in done for name in one.scores) or {"": None}
    found = []
    for measure in measures:
        values = np.array([one.scores[measure] for one in done if measure in one.scores])
        score, se = _summary(values, is_squared=family == "estimation")
        who = (first.suite, family, first.problem, first.fingerprint, measure, first.method, first.budget)
        found.append(SummaryLine(*who, len(values), failed, score, se, *work))
    return found


def _summary(values: np.ndarray, *, is_squared: bool) -> tuple[float, float]:
    n = len(values)
    if n == 0:
        return nan, nan
    added = values**2 if is_squared else values
    mean = float(added.mean())
    se = float(added.std(ddof=1)) / sqrt(n) if n > 1 else nan
    if not is_squared:
        return mean, se
    root = sqrt(mean)
    # The delta method: the error of a root is that of its square over twice the root.
    return root, se / (2 * root) if root > 0 else 0.0


def file_of(folder: Path, problem: str, method: str, budget: int, repeat: int) -> Path:
    """Return the place of the result of an attempt."""
    return folder / method / problem / f"{budget}-{repeat}.json"


def keep_attempt(folder: Path, found: Attempt) -> None:
    """Write the result of an attempt, whole or not at all; that of an earlier attempt is replaced.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    path = file_of(folder, found.problem, found.method, found.budget, found.repeat)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(found.as_data(), indent=1) + "\n").encode())
    except OSError as error:
        raise ResultsError(f"-o {folder}: must be a folder that can be written; found: {error.strerror}") from None


def kept_attempt(path: Path, problem: BenchProblem) -> Attempt | None:
    """Read the result of an attempt at a problem; nothing where there is none.

    Raises
    ------
    ResultsError
        If it is none, or that of another suite, a changed problem or other tables.
    """
    if not path.exists():
        return None
    found = _current(_read(path), str(path))
    if found.fingerprint != fingerprint_of(problem):
        raise ResultsError(
            f"{path}: must be of the tables that are named now; found a result of others. Name another folder with -o"
        )
    return found


def _read(path: Path) -> Attempt:
    try:
        return attempt_of(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, TypeError) as error:
        raise ResultsError(f"{path}: must be the result of an attempt; found {type(error).__name__}: {error}") from None
    except SimengineError as error:
        raise ResultsError(str(error)) from None


def _current(found: Attempt, place: str) -> Attempt:
    refuse_other_suite(found.suite, found.problem, found.fingerprint, place)
    return found


def refuse_other_suite(version: str, problem: str, fingerprint: str, place: str) -> None:
    """Refuse results of another version of the suite, or of another problem of the same name.

    Raises
    ------
    ResultsError
        If they are.
    """
    if version != SUITE:
        raise ResultsError(f"{place}: must be of the suite {SUITE}; found one of {version}, whose scores are not comparable")
    frozen = frozen_answers().get(problem, {}).get("fingerprint")
    if fingerprint.partition("-")[0] != frozen:
        known = "a problem that is not in the suite" if frozen is None else "another problem of that name"
        raise ResultsError(f"{place}: {problem}: must be the problem of the suite {SUITE}; found {known}")


def read_attempts(folder: Path) -> list[Attempt]:
    """Read every result below a folder.

    Raises
    ------
    ResultsError
        If there is none, or one cannot be read or is of another suite.
    """
    paths = sorted(folder.glob("*/*/*.json"))
    if not paths:
        raise ResultsError(f"{folder}: must hold results of attempts; found none. `simengine bench run -o` writes them")
    return [_current(_read(path), str(path)) for path in paths]


def read_lines(place: Path) -> list[SummaryLine]:
    """Read what methods came to: from a folder of results, or from a table of them.

    Raises
    ------
    ResultsError
        If it is neither, or of another suite.
    """
    if place.is_dir():
        tables = sorted(place.glob("*.csv"))
        return (
            [line for table in tables for line in read_summary_table(table)] if tables else summarise_attempts(read_attempts(place))
        )
    if not place.exists():
        raise ResultsError(f"{place}: must be a folder of results or a table of them; found nothing")
    return read_summary_table(place)


def read_summary_table(path: Path) -> list[SummaryLine]:
    """Read a table of results.

    Raises
    ------
    ResultsError
        If it is none, or of another suite.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        lines = [SummaryLine(**{name: _cell(name, row[name]) for name in SUMMARY_COLUMNS}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{path}: must be a table with the columns {', '.join(SUMMARY_COLUMNS)}; found {type(error).__name__}"
        ) from None
    for number, line in enumerate(lines, 2):
        refuse_other_suite(line.suite, line.problem, line.fingerprint, f"{path}:{number}")
    return lines


def _cell(name: str, text: str) -> Any:
    return text if name in _TEXTS else int(text) if name in _WHOLE else float(text)


def table_text(lines: Iterable[SummaryLine]) -> str:
    """Write a table of results."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(SUMMARY_COLUMNS)
    for line in lines:
        row: Mapping[str, Any] = {name: getattr(line, name) for name in SUMMARY_COLUMNS}
        writer.writerow([f"{value:.{_DIGITS}g}" if isinstance(value, float) else value for value in row.values()])
    return file.getvalue()
