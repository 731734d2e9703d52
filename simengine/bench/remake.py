"""Make the reference answers again, and hold them against the frozen ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simengine.bench.problem import BenchProblem, frozen_answers

REMADE_TOLERANCE = 1e-9
"""Relative difference that rounding alone may leave."""


@dataclass(frozen=True)
class RemadeAnswer:
    """A number of the reference answers, made again."""

    problem: str
    name: str
    frozen: float
    remade: float

    @property
    def agrees(self) -> bool:
        """Whether both are the same but for rounding."""
        return abs(self.frozen - self.remade) <= REMADE_TOLERANCE * max(abs(self.frozen), 1.0)


def remake_answers(problems: Sequence[BenchProblem]) -> tuple[list[RemadeAnswer], list[str]]:
    """Make the answers of some problems again.

    Returns
    -------
    Every number with its frozen one, and the commands that make the answers of the others.
    """
    found, elsewhere = list[RemadeAnswer](), list[str]()
    for problem in problems:
        name, remade = problem.card.name, problem.remade()
        if remade:
            pairs = zip(_numbers(frozen_answers()[name]["answers"]), _numbers(remade), strict=True)
            found += [RemadeAnswer(name, place, one, other) for (place, one), (_, other) in pairs]
        else:
            elsewhere.append(f"{name}: {problem.card.command}")
    return found, elsewhere


def _numbers(node: object, place: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(node, dict):
        for key in sorted(node):
            yield from _numbers(node[key], f"{place}.{key}" if place else str(key))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from _numbers(value, f"{place}[{number}]")
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield place, float(node)
