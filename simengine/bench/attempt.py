"""One attempt of a method at a problem, from the work it is given to the judgement of its answer."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from simengine.bench.methods import Method
from simengine.bench.problem import SUITE, BenchProblem, fingerprint_of, refuse_changed_problem
from simengine.bench.refusals import BadAnswerError, NotApplicableError, OverBudgetError
from simengine.bench.trial import DEFAULT_CPU_SECONDS, Trial, WorkDone
from simengine.errors import SimengineError, UsageError, shorten
from simengine.streams import seed_of

DONE, NOT_APPLICABLE = "done", "not_applicable"
STATUSES_OF_ATTEMPTS = (DONE, NOT_APPLICABLE, "over_budget", "bad_answer", "failed")
"""What became of an attempt."""
_MOST_KEPT = 64
"""Numbers of an answer that are kept beside its scores."""


@dataclass(frozen=True)
class Attempt:
    """What became of one attempt."""

    suite: str
    problem: str
    fingerprint: str
    method: str
    budget: int
    repeat: int
    status: str
    """One of `STATUSES_OF_ATTEMPTS`."""
    message: str = ""
    """Why it was not done."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """By measure: less is better."""
    told: Mapping[str, float] = field(default_factory=dict)
    """By measure: what is only told."""
    replications: float = 0.0
    person_periods: float = 0.0
    cpu_seconds: float = 0.0
    answer: Any = None
    """The answer, unless it is long."""

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What it is one of."""
        return self.problem, self.method, self.budget, self.repeat

    @property
    def is_finished(self) -> bool:
        """Whether it need not be run again."""
        return self.status in (DONE, NOT_APPLICABLE)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, as its file holds it."""
        return asdict(self)


class _TimeUpError(BaseException):
    """The time of a method is up; no method may catch it by accident."""


def seed_of_repeat(problem: str, repeat: int) -> int:
    """Return the seed of a repeat: below 2^31, which every library takes."""
    return seed_of(repeat, f"bench/{problem}") % 2**31


def attempt(
    problem: BenchProblem,
    method: Method,
    name: str,
    *,
    budget: int,
    repeat: int = 0,
    cpu_seconds: float = DEFAULT_CPU_SECONDS,
) -> Attempt:
    """Let a method try a problem once, and judge what it answers; whatever the method does wrong becomes a message.

    Raises
    ------
    ChangedProblemError
        If the problem is not the one whose answers are known.
    """
    refuse_changed_problem(problem)
    instance = repeat % problem.instances
    trial = Trial(problem, budget, instance, cpu_seconds)
    status, message, answer = DONE, "", None
    try:
        with _time_limit(cpu_seconds):
            answer = method(trial, seed_of_repeat(problem.card.name, repeat))
        trial.refuse_if_late()
    except NotApplicableError as error:
        status, message = NOT_APPLICABLE, str(error)
    except OverBudgetError as error:
        status, message = "over_budget", str(error)
    except _TimeUpError:
        status, message = "over_budget", f"{trial.name}: must take {cpu_seconds:g} CPU seconds at most; it was stopped after them"
    except SimengineError as error:
        status, message = "failed", f"{trial.name}: {error}"
    except Exception as error:  # noqa: BLE001 - a method is somebody else's code: whatever it raises is told, and spoils nothing
        status, message = "failed", f"{trial.name}: {type(error).__name__}: {shorten(str(error), 300)}"
    found = _judged(problem, answer, instance) if status == DONE else _Judged(status, message)
    return _attempt(problem, name, (budget, repeat), trial.work, found, answer)


@dataclass(frozen=True)
class _Judged:
    status: str
    message: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    told: Mapping[str, float] = field(default_factory=dict)


def _judged(problem: BenchProblem, answer: Any, instance: int) -> _Judged:
    try:
        judgements = problem.evaluate(answer, instance)
    except BadAnswerError as error:
        return _Judged("bad_answer", f"{problem.card.name}: {error}")
    values = {one.measure: one.value for one in judgements}
    for measure, value in values.items():
        if not isfinite(value):
            return _Judged("bad_answer", f"{problem.card.name}: answer: must have a finite {measure}; found {value}")
    scores = {one.measure: one.value for one in judgements if one.is_error}
    return _Judged(DONE, "", scores, {name: value for name, value in values.items() if name not in scores})


def _attempt(problem: BenchProblem, name: str, which: tuple[int, int], work: WorkDone, found: _Judged, answer: Any) -> Attempt:
    return Attempt(
        SUITE,
        problem.card.name,
        fingerprint_of(problem),
        name,
        *which,
        found.status,
        found.message,
        found.scores,
        found.told,
        work.replications,
        work.person_periods,
        work.cpu_seconds,
        _kept(answer) if found.status == DONE else None,
    )


def judge_answer(problem: BenchProblem, name: str, answer: Any, repeat: int, work: WorkDone, budget: int) -> Attempt:
    """Judge an answer that was found elsewhere, with the work that its author says it took.

    Raises
    ------
    ChangedProblemError
        If the problem is not the one whose answers are known.
    """
    refuse_changed_problem(problem)
    found = _judged(problem, answer, repeat % problem.instances)
    if work.replications > budget:
        rule = f"must stay within {budget:,} replications; found {work.replications:,.0f}"
        found = _Judged("over_budget", f"{problem.card.name}: {rule}")
    return _attempt(problem, name, (budget, repeat), work, found, answer)


def _kept(answer: Any) -> Any:
    """Return an answer as plain data, or nothing where it is long or no plain data."""
    if isinstance(answer, Mapping):
        kept = {str(key): _kept(value) for key, value in answer.items()}
        return {key: value for key, value in kept.items() if value is not None} or None
    if isinstance(answer, np.ndarray | np.generic):
        return answer.tolist() if np.size(answer) <= _MOST_KEPT else None
    if isinstance(answer, list | tuple):
        return list(answer) if len(answer) <= _MOST_KEPT and all(isinstance(one, int | float | str) for one in answer) else None
    return answer if isinstance(answer, int | float | str | bool) else None


@contextmanager
def _time_limit(cpu_seconds: float) -> Iterator[None]:
    """Stop Python code that goes on beyond its time: by a signal, where the system and the thread have them."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise _TimeUpError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def attempt_of(data: Any, place: str) -> Attempt:
    """Read an attempt from plain data.

    Raises
    ------
    UsageError
        If it is none.
    """
    names = set(Attempt.__dataclass_fields__)
    if not isinstance(data, dict) or not {"suite", "problem", "method", "status"} <= data.keys() <= names:
        raise UsageError(f"{place}: must be the result of an attempt, as `simengine bench run` writes it; found something else")
    return Attempt(**data)
