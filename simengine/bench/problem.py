"""What every problem can do: describe itself, simulate, judge an answer, and say whether it is still the one that was frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card, Judgement
from simengine.bench.refusals import BadAnswerError, ChangedProblemError
from simengine.disk import sum_of
from simengine.errors import UsageError, did_you_mean, shorten
from simengine.streams import generator_of

SUITE = "2026.1"
"""Version of the suite: it changes with every problem, answer or measure that does."""
REFERENCE = Path(__file__).resolve().parent / "reference.json"
SMALLEST_UNIFORM = 2.0**-54
_PROBED = 8
"""Replications by which the fingerprint of a problem knows its simulator."""


class BenchProblem(Protocol):
    """A question about risk sharing whose answer is known, to the bench and not to the method."""

    @property
    def card(self) -> Card:
        """What somebody reads before choosing it."""
        ...

    @property
    def instances(self) -> int:
        """How many data sets it has; 1 where nothing is observed."""
        ...

    @property
    def person_periods(self) -> float:
        """People times periods that a replication simulates, on average."""
        ...

    def work_of(self, parameters: Mapping[str, Any]) -> float:
        """Return what a replication with these parameters counts against a budget: 1, unless it is itself a simulation."""
        ...

    def describe(self, instance: int = 0) -> dict[str, Any]:
        """Return all that a method may know: names, ranges, what is asked, what was observed; plain data and NumPy arrays."""
        ...

    def simulate(self, parameters: Mapping[str, Any], replications: int, seed: int, instance: int = 0) -> dict[str, Floats]:
        """Simulate: arrays by name whose first axis is the replication. What the parameters are called, `describe` says."""
        ...

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:
        """Judge an answer.

        Raises
        ------
        BadAnswerError
            If it has the wrong form or holds what is no number.
        """
        ...

    def remade(self) -> dict[str, Any]:
        """Work out the reference answers anew, by the path that the card names; empty where a program of its own makes them."""
        ...

    def substance(self) -> Any:
        """Return plain data on which the answers hang."""
        ...

    @property
    def tables_hash(self) -> str:
        """The fingerprint of data that come from outside; empty where there are none."""
        ...


@lru_cache(maxsize=1)
def frozen_answers() -> dict[str, dict[str, Any]]:
    """Return by problem where its answers come from, its fingerprint, and its answers."""
    found: dict[str, dict[str, Any]] = json.loads(REFERENCE.read_text(encoding="utf-8"))
    return found


def fingerprint_of(problem: BenchProblem) -> str:
    """Return the SHA-256 of all that the answers of a problem hang on; the words of its card leave it alone.

    Data from outside add a dash and a fingerprint of their own.
    """
    found, tables = hash_of_substance(problem.substance()), problem.tables_hash
    return f"{found}-{tables}" if tables else found


def hash_of_substance(substance: Any) -> str:
    """Return the SHA-256 of plain data, whatever the order of its keys."""
    text = json.dumps(as_json_data(substance), sort_keys=True, separators=(",", ":"))
    return sum_of(text.encode())


def refuse_changed_problem(problem: BenchProblem) -> None:
    """Refuse a problem that is not the one whose answers are frozen.

    Raises
    ------
    ChangedProblemError
        If its fingerprint is another one.
    """
    name = problem.card.name
    frozen, found = frozen_answers().get(name, {}).get("fingerprint", "none"), fingerprint_of(problem)
    if found.partition("-")[0] != frozen:
        raise ChangedProblemError(
            f"{name}: must be the problem whose answers stand in the suite {SUITE} ({frozen[:12]}...); found another one "
            f"({found[:12]}...). Undo the change, or freeze the new problem with its answers as a new version of the suite"
        )


def as_json_data(node: Any) -> Any:
    """Turn data into what JSON can hold."""
    if isinstance(node, Mapping):
        return {str(key): as_json_data(value) for key, value in node.items()}
    if isinstance(node, np.ndarray | list | tuple):
        return [as_json_data(value) for value in node]
    return node.item() if isinstance(node, np.generic) else node


def six_digits(columns: Mapping[str, Floats]) -> dict[str, list[str]]:
    """Return what a simulator gave by six significant digits, so that no machine's last digit counts in a fingerprint."""
    return {name: [f"{value:.6g}" for value in np.ravel(values)] for name, values in columns.items()}


def probed_uniforms(dimension: int) -> Floats:
    """Return fixed points of the unit cube, shape (n, dimension), by which a fingerprint knows a simulator: a Kronecker sequence."""
    steps = np.sqrt(np.arange(2, 2 + dimension) + 0.5)
    return np.asarray((np.arange(1, _PROBED + 1)[:, None] * steps) % 1.0)


def uniforms_for(
    problem: str, parameters: Mapping[str, Any], replications: int, seed: int, dimension: int, name: str = "uniforms"
) -> Floats:
    """Return the uniforms of a simulation, shape (replications, dimension): those that a method gives by a name, or drawn ones.

    Raises
    ------
    UsageError
        If those given have another shape or leave the open unit interval.
    """
    given = parameters.get(name)
    if given is None:
        drawn = generator_of(seed, f"bench/{problem}").random((replications, dimension))
        return np.maximum(drawn, SMALLEST_UNIFORM)
    array = np.asarray(given, dtype=np.float64)
    if array.shape != (replications, dimension):
        raise UsageError(f"{name}: must have the shape {(replications, dimension)}; found {array.shape}")
    if not bool(((array > 0) & (array < 1)).all()):
        raise UsageError(f"{name}: must lie above 0 and below 1; found one that does not")
    return array


def refuse_unknown(parameters: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse a parameter that a problem does not have.

    Raises
    ------
    UsageError
        If there is one.
    """
    for name in parameters:
        if name not in known:
            raise UsageError(
                f"parameters: must be some of {', '.join(known)}; found {name!r}. {did_you_mean(str(name), known, '')}"
            )


def number_in(answer: Mapping[str, Any], name: str) -> float:
    """Return a finite number of an answer.

    Raises
    ------
    BadAnswerError
        If it is none.
    """
    array = (
        np.asarray(answer[name], dtype=object).reshape(-1) if np.ndim(answer[name]) else np.asarray([answer[name]], dtype=object)
    )
    value = array[0] if len(array) == 1 else None
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and np.isfinite(float(value)):
        return float(value)
    raise BadAnswerError(f"answer: {name} must be a finite number; found {shorten(answer[name])}")


def mapping_in(answer: Any) -> Mapping[str, Any]:
    """Return an answer that is a mapping from names.

    Raises
    ------
    BadAnswerError
        If it is none, or empty.
    """
    if isinstance(answer, Mapping) and answer:
        return answer
    raise BadAnswerError(f"answer: must be a dictionary of what was asked, by name; found {shorten(answer)}")


def samples_in(answer: Mapping[str, Any], rule: str) -> Floats:
    """Return the numbers of an answer that is samples alone, of any shape.

    Raises
    ------
    BadAnswerError
        With the rule that is broken, if it names something else or holds what is no number.
    """
    if set(answer) != {"samples"}:
        raise BadAnswerError(f"{rule}; found {shorten(sorted(map(str, answer)))}")
    try:
        return np.asarray(answer["samples"], dtype=np.float64)
    except (TypeError, ValueError):
        raise BadAnswerError(f"{rule}; found {shorten(answer['samples'])}") from None
