"""Answers that somebody found elsewhere: read from a file and judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simengine.asked import is_number
from simengine.bench.attempt import Attempt, judge_answer
from simengine.bench.methods import name_of_method
from simengine.bench.problem import SUITE
from simengine.bench.results import refuse_other_suite
from simengine.bench.suite import find_problem
from simengine.bench.trial import WorkDone
from simengine.errors import ResultsError, SimengineError, shorten

_HEAD = ("suite", "method", "answers")
_ROW = ("problem", "fingerprint", "answer", "repeat", "budget", "replications", "person_periods", "cpu_seconds")
_FORM = "a JSON object with suite, method and answers"


def score_answers(place: Path | str, tables: Path | None = None) -> list[Attempt]:
    """Judge the answers of a file, or of all JSON files of a folder.

    tables: the folder of the public tables, for a problem that needs them.

    Raises
    ------
    ResultsError
        If a file cannot be read, has another form, or is of another suite.
    UsageError
        If it names a problem that the suite does not have.
    """
    path = Path(place)
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise ResultsError(f"{path}: must hold JSON files of answers; found none")
        return [one for file in files for one in score_answers(file, tables)]
    content = _read(path)
    method = name_of_method(str(content["method"]), str(content["method"]))
    if content["suite"] != SUITE:
        raise ResultsError(
            f"{path}: must be of the suite {SUITE}; found one of {content['suite']}, whose scores are not comparable"
        )
    return [_judged(path, method, number, row, tables) for number, row in enumerate(content["answers"])]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path}: must be a file of answers; found: {error.strerror}") from None
    except ValueError as error:
        raise ResultsError(f"{path}: must be {_FORM}; found {error}") from None
    if not isinstance(content, dict) or set(content) != set(_HEAD) or not isinstance(content["answers"], list):
        raise ResultsError(f"{path}: must be {_FORM}, a list; found {shorten(content)}")
    return content


def _judged(path: Path, method: str, number: int, row: Any, tables: Path | None) -> Attempt:
    place = f"{path}: answers[{number}]"
    if not isinstance(row, dict) or not {"problem", "answer"} <= row.keys() <= set(_ROW):
        raise ResultsError(f"{place}: must have problem and answer, and may have {', '.join(_ROW[1:])}; found {shorten(row)}")
    problem = find_problem(row["problem"], tables)
    name = problem.card.name
    if "fingerprint" in row:
        refuse_other_suite(SUITE, name, str(row["fingerprint"]), place)
    repeat, budget = _whole(row, "repeat", 0, place), _whole(row, "budget", problem.card.budgets[0], place)
    work = WorkDone(*(_number(row, key, place) for key in ("replications", "person_periods", "cpu_seconds")))
    try:
        return judge_answer(problem, method, row["answer"], repeat, work, budget)
    except SimengineError as error:
        raise ResultsError(f"{place}: {error}") from None


def _whole(row: Mapping[str, Any], key: str, absent: int, place: str) -> int:
    value = row.get(key, absent)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ResultsError(f"{place}: {key}: must be a whole number, not negative; found {shorten(value)}")


def _number(row: Mapping[str, Any], key: str, place: str) -> float:
    value = row.get(key, 0.0)
    if is_number(value) and value >= 0:
        return float(value)
    raise ResultsError(f"{place}: {key}: must be a number, not negative; found {shorten(value)}")
