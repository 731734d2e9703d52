"""Run methods on problems: every attempt once, several at a time if asked, and gone on with where it was stopped."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from simengine.asked import number, whole
from simengine.bench.attempt import Attempt, attempt
from simengine.bench.methods import find_method, name_of_method
from simengine.bench.problem import BenchProblem, refuse_changed_problem
from simengine.bench.results import file_of, keep_attempt, kept_attempt
from simengine.bench.suite import choose_problems, find_problem, needs_tables, number_of_repeats, refuse_without_contracts
from simengine.bench.trial import DEFAULT_CPU_SECONDS
from simengine.errors import UsageError

DEFAULT_REPEATS = 10
MOST_BENCH_REPEATS, MOST_BUDGET = 10_000, 2**31


@dataclass(frozen=True)
class AttemptAsked:
    """An attempt that is still to be made; names alone, so that another process can make it."""

    problem: str
    method: str
    name: str
    budget: int
    repeat: int
    cpu_seconds: float
    tables: Path | None = None


def run_methods(
    methods: Sequence[str],
    problems: Sequence[str] = (),
    *,
    name: str | None = None,
    budgets: Sequence[int] = (),
    repeats: int = DEFAULT_REPEATS,
    jobs: int = 1,
    cpu_seconds: float = DEFAULT_CPU_SECONDS,
    into: Path | None = None,
    tables: Path | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> list[Attempt]:
    """Run methods on problems.

    Parameters
    ----------
    methods
        Names of baselines, or `module:function`.
    problems
        Names of problems or families; absent: all.
    name
        Under which the results of an only method are kept; absent: its own.
    budgets
        Replications per attempt; absent: the least of each problem's card.
    repeats
        Attempts of each, with seeds and data sets of their own; of forecasts no contract is tried twice.
    jobs
        Processes.
    cpu_seconds
        That an attempt may take.
    into
        Folder of results: what is finished in it is not run again.
    tables
        Folder of the public tables; absent: problems that need them are left out unless they are named.
    on_attempt
        Called with every attempt that was made.

    Raises
    ------
    UsageError
        If a name is unknown or a number impossible, or there are no tables, or too few contracts in them.
    ChangedProblemError
        If a problem is not the one whose answers are known.
    ResultsError
        If the folder holds results of another suite, or cannot be written.
    """
    whole(repeats, "--repeats", 1, MOST_BENCH_REPEATS)
    whole(jobs, "--jobs", 1, 1024)
    number(cpu_seconds, "--cpu-seconds", 0.01, 1e7)
    for budget in budgets:
        whole(budget, "--budget", 1, MOST_BUDGET)
    if name is not None and len(methods) != 1:
        raise UsageError(f"--name: must stand with one method; found {len(methods)}")
    chosen = [one for one in choose_problems(problems, tables) if problems or not needs_tables(one)]
    for problem in chosen:
        refuse_changed_problem(problem)
        refuse_without_contracts(problem)
    asked = [
        AttemptAsked(problem.card.name, method, name_of_method(method, name), budget, repeat, float(cpu_seconds), tables)
        for method in methods
        for problem in chosen
        if applies(method, problem)
        for budget in (budgets or problem.card.budgets[:1])
        for repeat in range(number_of_repeats(problem, repeats))
    ]
    if not asked:
        raise UsageError("--method: must serve one of the problems; found a baseline of another family")
    return list(_made(asked, jobs, into, on_attempt))


def applies(method: str, problem: BenchProblem) -> bool:
    """Return whether a method can be asked about a problem: somebody's own always can."""
    return find_method(method, problem.card.family) is not None


def _made(
    asked: Sequence[AttemptAsked], jobs: int, into: Path | None, on_attempt: Callable[[Attempt], None] | None
) -> Iterator[Attempt]:
    before = {one: _before(one, into) for one in asked}
    open_ones = [one for one in asked if before[one] is None]
    for found in _each(open_ones, jobs):
        if into is not None:
            keep_attempt(into, found)
        if on_attempt is not None:
            on_attempt(found)
        yield found
    yield from (found for found in before.values() if found is not None)


def _before(one: AttemptAsked, into: Path | None) -> Attempt | None:
    """Return what an earlier run finished; what failed is tried again."""
    if into is None:
        return None
    found = kept_attempt(file_of(into, one.problem, one.name, one.budget, one.repeat), find_problem(one.problem, one.tables))
    return found if found is not None and found.is_finished else None


def _each(asked: Sequence[AttemptAsked], jobs: int) -> Iterator[Attempt]:
    if jobs == 1 or len(asked) < 2:
        yield from map(make_attempt, asked)
        return
    # Fresh processes: threads of compiled code do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(asked)), mp_context=context) as pool:
        yield from pool.map(make_attempt, asked, chunksize=1)


def make_attempt(one: AttemptAsked) -> Attempt:
    """Make an attempt."""
    problem = find_problem(one.problem, one.tables)
    method = find_method(one.method, problem.card.family)
    if method is None:
        raise UsageError(f"--method: must serve {one.problem}; found {one.method}, a baseline of another family")
    return attempt(problem, method, one.name, budget=one.budget, repeat=one.repeat, cpu_seconds=one.cpu_seconds)
