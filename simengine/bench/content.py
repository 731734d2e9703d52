"""What the commands of the bench say as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from simengine.bench.attempt import Attempt
from simengine.bench.compare import MethodComparison
from simengine.bench.layout import messages_of
from simengine.bench.problem import SUITE, BenchProblem, as_json_data, frozen_answers
from simengine.bench.results import SummaryLine


def suite_content(problems: Iterable[BenchProblem]) -> dict[str, Any]:
    """Return the problems with their cards, fingerprints, and what a method may know of each."""
    return {"suite": SUITE, "problems": [_problem(problem) for problem in problems]}


def _problem(problem: BenchProblem) -> dict[str, Any]:
    card = problem.card
    return {
        **asdict(card),
        "made_by": card.command,
        "fingerprint": frozen_answers()[card.name]["fingerprint"],
        "instances": problem.instances,
        "person_periods": problem.person_periods,
        "described": as_json_data(problem.describe()),
    }


def scores_content(lines: Sequence[SummaryLine], attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return what methods came to, and the messages of those that failed."""
    return {"suite": SUITE, "scores": [_line(line) for line in lines], "messages": messages_of(attempts)}


def comparison_content(found: MethodComparison) -> dict[str, Any]:
    """Return the standings of methods, and the lines behind them."""
    return {
        "suite": SUITE,
        "standings": [_without_nan(asdict(one)) for one in found.standings],
        "scores": [_line(line) for line in found.lines],
    }


def _line(line: SummaryLine) -> dict[str, Any]:
    return _without_nan(asdict(line))


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and not isfinite(value) else value for name, value in row.items()}
