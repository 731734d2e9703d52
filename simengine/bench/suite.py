"""The suite: every problem by name, in the order of the families."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from simengine.asked import names_asked
from simengine.bench.card import BENCH_FAMILIES
from simengine.bench.choices.compared import compared_incentive_problems
from simengine.bench.choices.design import design_problems
from simengine.bench.choices.engine import study_design_problems, study_sizing_problems
from simengine.bench.choices.incentives import incentive_problems
from simengine.bench.choices.sizing import small_sizing_problems
from simengine.bench.estimation.catalogue import estimation_problems
from simengine.bench.forecasting.catalogue import forecast_problems
from simengine.bench.forecasting.problem import ForecastProblem
from simengine.bench.inference.catalogue import inference_problems
from simengine.bench.inference.engine import study_inference_problems
from simengine.bench.problem import BenchProblem
from simengine.errors import UsageError, did_you_mean

_CATALOGUES: Sequence[Callable[[], Iterable[BenchProblem]]] = (
    estimation_problems,
    small_sizing_problems,
    study_sizing_problems,
    design_problems,
    study_design_problems,
    incentive_problems,
    compared_incentive_problems,
    inference_problems,
    study_inference_problems,
    forecast_problems,
)


@lru_cache(maxsize=1)
def _problems() -> dict[str, BenchProblem]:
    found = (problem for catalogue in _CATALOGUES for problem in catalogue())
    return {problem.card.name: problem for problem in found}


def suite() -> tuple[BenchProblem, ...]:
    """Return every problem of the suite."""
    return tuple(_problems().values())


def find_problem(name: str, tables: Path | None = None) -> BenchProblem:
    """Return a problem by its name; tables: the folder of the public tables, for a problem that needs them.

    Raises
    ------
    UsageError
        If there is none of this name.
    """
    found = _problems().get(name)
    if found is None:
        way_out = did_you_mean(str(name), _problems(), "`simengine bench list` shows all")
        raise UsageError(f"problem: must be one of the suite; found {name!r}. {way_out}")
    return replace(found, tables=tables) if isinstance(found, ForecastProblem) and tables is not None else found


def choose_problems(names: Iterable[str] = (), tables: Path | None = None) -> tuple[BenchProblem, ...]:
    """Return some problems by their names or those of their families, in the order of the suite; all if nothing is named.

    tables: the folder of the public tables, for a problem that needs them.

    Raises
    ------
    UsageError
        If a name is neither.
    """
    asked = dict.fromkeys(names_asked(list(names), "problems"))
    wanted = set(_expanded(asked)) if asked else set(_problems())
    return tuple(find_problem(name, tables) for name in _problems() if name in wanted)


def _expanded(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in BENCH_FAMILIES:
            yield from (problem.card.name for problem in suite() if problem.card.family == name)
        else:
            yield find_problem(name).card.name


def needs_tables(problem: BenchProblem) -> bool:
    """Return whether a problem cannot be run for want of the public tables."""
    return isinstance(problem, ForecastProblem) and problem.tables is None


def refuse_without_contracts(problem: BenchProblem) -> None:
    """Refuse a problem whose contracts stand in no tables, or too few of them.

    Raises
    ------
    UsageError
        If they do.
    """
    if isinstance(problem, ForecastProblem):
        problem.read_contracts()


def number_of_repeats(problem: BenchProblem, asked: int) -> int:
    """Return how many attempts are made of those asked for: a contract that was forecast tells nothing new the second time."""
    return min(asked, problem.instances) if isinstance(problem, ForecastProblem) else asked
