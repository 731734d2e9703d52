"""What a method gets: a problem that counts the work and keeps to a budget, and that does not tell its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.asked import MAX_SEED, MOST_REPLICATIONS, whole
from simengine.bench.problem import BenchProblem
from simengine.bench.refusals import OverBudgetError
from simengine.errors import UsageError, shorten

DEFAULT_CPU_SECONDS = 600.0


@dataclass(frozen=True)
class WorkDone:
    """Work counted three ways."""

    replications: float
    """Simulated; one that is itself a simulation counts as often as it says."""
    person_periods: float
    cpu_seconds: float
    """Of the process, the method's own included."""


class Trial:
    """One attempt of a method at a problem: `describe`, `simulate`, and what is left of the budget."""

    def __init__(self, problem: BenchProblem, budget: int, instance: int = 0, cpu_seconds: float = DEFAULT_CPU_SECONDS) -> None:
        self._problem, self._instance, self._limit = problem, instance, cpu_seconds
        self._done, self._started = 0.0, time.process_time()
        self.budget = budget

    @property
    def name(self) -> str:
        """The name of the problem."""
        return self._problem.card.name

    @property
    def left(self) -> int:
        """Replications that may still be simulated."""
        return int(self.budget - self._done)

    @property
    def work(self) -> WorkDone:
        """The work so far."""
        seconds = time.process_time() - self._started
        return WorkDone(self._done, self._done * self._problem.person_periods, seconds)

    def describe(self) -> dict[str, Any]:
        """Return all that a method may know of the problem."""
        return self._problem.describe(self._instance)

    def simulate(self, parameters: Mapping[str, Any] | None = None, replications: int = 1, seed: int = 0) -> dict[str, Floats]:
        """Simulate, and count it.

        Parameters
        ----------
        parameters
            What `describe` names: terms, uniforms, parameters of people; absent: those of the problem.
        replications
            How many; the first axis of every array that is returned.
        seed
            The same seed gives the same draws.

        Raises
        ------
        OverBudgetError
            If it would be more than what is left of the budget, or the time is up.
        UsageError
            If a parameter is unknown or impossible.
        """
        asked = {} if parameters is None else parameters
        if not isinstance(asked, Mapping):
            raise UsageError(f"parameters: must be a dictionary by name; found {shorten(asked)}")
        number = whole(_integer(replications), "replications", 1, MOST_REPLICATIONS - 1)
        more = number * self._problem.work_of(asked)
        if self._done + more > self.budget:
            raise OverBudgetError(
                f"{self.name}: must stay within {self.budget:,} replications; found {self._done + more:,.0f} with those asked for"
            )
        self.refuse_if_late()
        found = self._problem.simulate(asked, number, whole(_integer(seed), "seed", 0, MAX_SEED), self._instance)
        self._done += more
        return found

    def refuse_if_late(self) -> None:
        """Refuse to go on where the time is up.

        Raises
        ------
        OverBudgetError
            If it is.
        """
        seconds = time.process_time() - self._started
        if seconds > self._limit:
            raise OverBudgetError(f"{self.name}: must take {self._limit:g} CPU seconds at most; found {seconds:.1f}")


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value
