"""Run until a statistic reaches a requested precision, by a stopping rule whose intervals keep their coverage.

Looking at an error after every replication and stopping when it is small tends to stop when the error is underestimated by chance:
the intervals undercover. So the run checks only at sizes that grow by the square root of two, the first is at least 1,000, and an
error from few cases is increased (Chow and Robbins 1965, doi:10.1214/aoms/1177700156; Glynn and Whitt 1992,
doi:10.1214/aoap/1177005777; Agresti and Coull 1998, doi:10.1080/00031305.1998.10480550, for few cases). How often such intervals
cover is measured in verification/stopping.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.asked import MOST_REPLICATIONS, seed_asked, whole
from simengine.config import Study, known_metrics
from simengine.config.roles import refuse_without_money
from simengine.errors import UsageError, did_you_mean, shorten
from simengine.records import ALL_LENDERS, ALL_PAYERS, Floats, ReplicationResults
from simengine.replications.blocks import run_study
from simengine.replications.money import asked_measures
from simengine.risk import RiskTable, summarise
from simengine.risk.measures import MEASURES, Measure
from simengine.risk.parties import names_of_role
from simengine.risk.statistics import Statistic
from simengine.sampling import (
    LEAST_PER_VARIATE,
    PLAIN,
    SCRAMBLES,
    Sampling,
    control_variates_of,
    distributions_of,
    refuse_impossible,
    refuse_impossible_variates,
)

Grown = Callable[[int, tuple[int, ...]], ReplicationResults]
"""From a number of replications, and the smaller ones that were looked at, to the results of so many."""
FIRST_SIZE = 1000
AT_MOST = 1_000_000
_GOAL = re.compile(r"\s*([\w.]+(?:\([^()]*\))?)\s+se\s*<\s*([\d._]+(?:[eE][+-]?\d+)?)\s*(%?)\s*")
_EXAMPLE = 'a goal must read NAME se<VALUE, such as "p_loss se<0.002" or "cvar95 se<1%"'
_SURE = 0.9
"""A run is refused early only where an error a tenth smaller than estimated would still take more than the budget."""


@dataclass(frozen=True)
class Goal:
    """A requested standard error of a statistic."""

    name: str
    """As given: a path of the risk table or a measure or, if only one party lends, the part after its name; for a distribution its
    mean."""
    error: float
    is_relative: bool
    """Whether the error is relative to the value."""

    def __str__(self) -> str:
        return f"{self.name} se<{100 * self.error:g}%" if self.is_relative else f"{self.name} se<{self.error:g}"


@dataclass(frozen=True)
class GoalReached:
    """A goal that was met, and the path of its statistic."""

    goal: Goal
    path: str
    """Of the table, or the measure as it is written in full."""


@dataclass(frozen=True)
class PreciseRun:
    """A run that continued until its goals were met."""

    results: ReplicationResults
    table: RiskTable
    reached: tuple[GoalReached, ...]
    sizes: tuple[int, ...]
    """Numbers of replications at which the run checked its errors, in order; the last is that of the run."""


def read_goals(text: str) -> tuple[Goal, ...]:
    """Parse goals separated by commas.

    Examples
    --------
    >>> [str(goal) for goal in read_goals("p_loss se<0.002, cvar95 se < 1%")]
    ['p_loss se<0.002', 'cvar95 se<1%']
    """
    goals = []
    for part in text.split(","):
        found = _GOAL.fullmatch(part)
        try:
            value = float(found[2]) if found else 0.0
        except ValueError:
            value = 0.0
        if found is None or not 0 < value < math.inf:
            raise UsageError(f"--until: {_EXAMPLE}, with an error above 0; found {part.strip()!r}")
        goals.append(Goal(found[1], value / 100 if found[3] else value, bool(found[3])))
    return tuple(goals)


def run_until(
    study: Study,
    seed: int,
    goals: Sequence[Goal],
    at_most: int = AT_MOST,
    *,
    sampling: Sampling = PLAIN,
    with_control_variates: bool = False,
    measures: Sequence[Measure] = (),
    **how: Any,
) -> PreciseRun:
    """Run a study in growing batches until every goal is met.

    Parameters
    ----------
    study, seed, sampling
        As for `run_study`.
    goals
        The requested precision.
    at_most
        The most replications that may be run.
    with_control_variates
        Whether means are corrected by the numbers of the study, whose distributions are known.
    measures
        Further measures for the table.
    how
        `threads`, `block_size` and `on_progress` of `run_study`.

    Returns
    -------
    The same replications, bit for bit, as a run of the final size.

    Raises
    ------
    UsageError
        If a statistic is unknown or not reported, or as soon as it is clear that the goals cannot be met with so many replications.
    """
    there: list[ReplicationResults] = []

    def grown(n: int, looked_at: tuple[int, ...]) -> ReplicationResults:
        before = looked_at[-1] if looked_at else 0
        part = run_study(study, seed, n - before, first=before, sampling=sampling, with_variates=with_control_variates, **how)
        there[:] = [ReplicationResults.join([*there, part]) if there else part]
        return there[0]

    return reach(
        study, seed, goals, at_most, grown, sampling=sampling, with_control_variates=with_control_variates, measures=measures
    )


def reach(
    study: Study,
    seed: int,
    goals: Sequence[Goal],
    at_most: int,
    grown: Grown,
    *,
    sampling: Sampling = PLAIN,
    with_control_variates: bool = False,
    measures: Sequence[Measure] = (),
    begun: int = 0,
    looked_at: Sequence[int] = (),
) -> PreciseRun:
    """Let a run grow until every goal is met.

    Parameters
    ----------
    study, seed, goals, at_most, sampling, with_control_variates, measures
        As for `run_until`.
    grown
        Makes the replications of a size, which is larger each time.
    begun
        Replications that are there already: smaller sizes are passed over.
    looked_at
        Sizes after which the goals were not met.

    Raises
    ------
    UsageError
        As `run_until` does, and if there are more replications than may be run.
    """
    if isinstance(goals, str) or not goals:
        raise UsageError(f"--until: must be a list of goals, read with `read_goals`; found {shorten(goals)}")
    sizes = [size for size in sizes_up_to(at_most, sampling) if size >= begun]
    if not sizes:
        raise UsageError(f"--at-most: must be no less than the {begun:,} replications that are there; found {at_most:,}")
    numbers = study.numbers
    if with_control_variates:
        refuse_impossible_variates(sampling, numbers, at_most, knows_deviations=bool(known_metrics(study)))
        least = 0 if sampling.is_sobol else LEAST_PER_VARIATE * len(distributions_of(numbers))
        sizes = [size for size in sizes if size >= least]
    there = known_paths(study, seed, sampling)
    found = [statistic_of(study, goal, there) for goal in goals]
    paths = [str(one) for one in found]
    measures = tuple(dict.fromkeys([*measures, *(one for one in found if isinstance(one, Measure))]))
    seen = list(looked_at)
    place = 0
    while True:
        n = sizes[place]
        results = grown(n, tuple(seen))
        variates = control_variates(study, seed, results, sampling) if with_control_variates else None
        table = summarise(results, variates, measures)
        seen.append(n)
        needs = [_needed(goal, path, table) for goal, path in zip(goals, paths, strict=True)]
        if all(likely <= n for _, likely in needs):
            reached = tuple(GoalReached(goal, path) for goal, path in zip(goals, paths, strict=True))
            return PreciseRun(results, table, reached, tuple(seen))
        _refuse_hopeless(goals, needs, n, at_most, is_last=place == len(sizes) - 1)
        place += 1
        # If half of the replications needed are still ahead, an earlier check could only stop by mistake.
        while place < len(sizes) - 1 and sizes[place] < 0.5 * max(likely for _, likely in needs):
            place += 1


def control_variates(study: Study, seed: int, results: ReplicationResults, sampling: Sampling = PLAIN) -> Floats:
    """Return the control variates of a run, with expectation 0: normal scores, and stored deviations from exact means.

    Evenly spread numbers already have their exact means, so these replications use only the deviations. They are divided by their
    sd: beside sums of money, scores would be lost in rounding.

    Raises
    ------
    UsageError
        If the run was made with another study, seed or sampling.
    """
    seed, numbers = seed_asked(seed), {} if sampling.is_sobol else study.numbers
    if results.made_by != (study, seed, sampling):
        raise UsageError(
            "control variates: must be those of the run that they correct; found another study, seed or way of drawing"
        )
    scores = control_variates_of(seed, numbers, results.replications)
    deviations = [column for name, column in results.columns.items() if name.startswith("deviation.") and np.ptp(column) > 0]
    return np.column_stack([scores, *(column / np.std(column) for column in deviations)])


def sizes_up_to(at_most: int, sampling: Sampling = PLAIN) -> Iterator[int]:
    """Return the sizes at which a run may stop.

    Examples
    --------
    >>> list(sizes_up_to(4000))
    [1000, 1415, 2000, 2829, 4000]
    """
    at_most = whole(at_most, "--at-most", 1, MOST_REPLICATIONS)
    if at_most < FIRST_SIZE:
        raise UsageError(f"--at-most: an error must be judged from {FIRST_SIZE:,} replications on; found {at_most:,}")
    first, factor = (SCRAMBLES * SCRAMBLES, 2.0) if sampling.is_sobol else (FIRST_SIZE, math.sqrt(2))
    step = 0
    while (size := math.ceil(round(first * factor**step, 6))) < at_most:
        yield size
        step += 1
    if not sampling.is_sobol or size == at_most or step == 0:
        yield at_most


def known_paths(study: Study, seed: int, sampling: Sampling) -> list[str]:
    """Return the paths of all statistics of a study, from the smallest run."""
    pair = Sampling(tilts=sampling.tilts, measured=sampling.measured)
    refuse_impossible(sampling, study.numbers, SCRAMBLES)
    table = summarise(run_study(study, seed, 2, threads=1, sampling=pair))
    # Plain names are those of a plain run: what is refused has a reason, given when it is asked for.
    return [*(path for path, _ in table.statistics()), *table.refused]


def statistic_of(study: Study, goal: Goal, paths: Sequence[str]) -> str | Measure:
    """Find the statistic of a goal: by its path in the table, or as a further measure."""
    owners = names_of_role(ALL_LENDERS, study.capital.lenders)
    # Without a name a goal concerns the lender, if there is only one.
    for name in (goal.name, *([f"{owners[0]}.{goal.name}"] if len(owners) == 1 else ())):
        for path in (name, f"{name}.mean"):
            if path in paths:
                return path
    measure = _measure_of(study, goal, owners)
    if measure is not None:
        return measure
    _refuse_unclear_owner(study, goal, owners, paths)
    short = [path.removeprefix(f"{owners[0]}.") for path in paths] if len(owners) == 1 else []
    way_out = did_you_mean(goal.name, [*paths, *short], "`simengine run STUDY --json` shows all of them")
    raise UsageError(f"--until: a goal must name a statistic of the risk table; found {goal.name!r}. {way_out}")


def _measure_of(study: Study, goal: Goal, owners: Sequence[str]) -> Measure | None:
    """Parse a goal as a measure, of the only lender if it names no party; None if it is not a measure."""
    has_owner = "." in goal.name.partition("(")[0]
    name = goal.name.partition("(")[0].rpartition(".")[2]
    if name not in MEASURES or (not has_owner and len(owners) > 1):
        return None
    return asked_measures(study, [goal.name if has_owner else f"{owners[0]}.{goal.name}"], "--until")[0]


def _refuse_unclear_owner(study: Study, goal: Goal, owners: Sequence[str], paths: Sequence[str]) -> None:
    """Refuse a goal with an ambiguous party, or with a party without cash."""
    named = [f"{owner}.{goal.name}" for owner in owners]
    if any(path in paths or f"{path}.mean" in paths for path in named):
        raise UsageError(
            f"--until: a goal must say whose money it is about where several parties lend; found {goal.name!r}. "
            f"One of: {', '.join(named)}"
        )
    owner = goal.name.partition(".")[0]
    if owner in study.parties or owner in (ALL_LENDERS, ALL_PAYERS):
        refuse_without_money(study, owner, "--until")


def _needed(goal: Goal, path: str, table: RiskTable) -> tuple[float, float]:
    """Return the least and the likely number of replications for a goal, from the errors of a run."""
    n = table.n_replications
    if path in table.refused:
        refused = table.refused[path]
        if refused.n_replications is None:
            raise UsageError(f"--until {goal}: must name a statistic that is given; found {path}, which is not: {refused.reason}")
        return refused.n_replications, refused.n_replications
    statistic = table.get(path)
    if statistic is None:
        raise UsageError(f"--until {goal}: must name a statistic with a value in this study; found none of {path}")
    return replications_needed(goal, statistic, n, is_probability=_is_probability(path))


def replications_needed(goal: Goal, statistic: Statistic, n: int, *, is_probability: bool) -> tuple[float, float]:
    """Return the least and the likely number of replications for a goal, from what n of them gave; n if it is met."""
    if not statistic.covers and statistic.interval_95 is None:
        # Too few replications determine it: its error is unknown, whatever the estimate, and no goal is met.
        return n, 2.0 * n
    error, value = statistic.se, abs(statistic.value)
    largest = value + 2 * error
    if is_probability:
        error = _error_from_few(statistic.value, statistic.se, n)
        largest = statistic.upper_95 or value + 2 * error
    target = goal.error * value if goal.is_relative else goal.error
    at_best = goal.error * largest if goal.is_relative else goal.error
    if error == 0:
        return n, n
    least = n * (_SURE * error / at_best) ** 2 if at_best > 0 else math.inf
    return least, n * (error / target) ** 2 if target > 0 else max(least, 4.0 * n)


def _is_probability(path: str) -> bool:
    if "(" in path or path.rpartition(".")[2] in MEASURES:
        return MEASURES[path.partition("(")[0].rpartition(".")[2]].is_probability
    words = path.split(".")
    return words[-1].startswith(("p_", "worlds_with_")) or words[-2] in (
        "bound",
        "irr_status",
        "payback_status",
        "repayment",
        "ending",
    )


def _error_from_few(share: float, se: float, n: int) -> float:
    """Return the error of a share as if two more cases, and two more of the other kind, had been seen: never 0."""
    moved = (share * n + 2) / (n + 4)
    return max(se, math.sqrt(moved * (1 - moved) / (n + 4)))


def _refuse_hopeless(goals: Sequence[Goal], needs: Sequence[tuple[float, float]], n: int, at_most: int, *, is_last: bool) -> None:
    """Refuse goals that the budget cannot meet, with an estimate of the replications needed."""
    for goal, (least, likely) in zip(goals, needs, strict=True):
        if least > at_most or (is_last and likely > n):
            needed = max(likely, least)
            estimate = f"about {_rounded(needed):,} replications" if math.isfinite(needed) else "more replications than can be told"
            raise UsageError(
                f"--until {goal}: must be reached within {at_most:,} replications; the first {n:,} say that it takes {estimate}. "
                "Give a larger --at-most, or be content with a larger error"
            )


def _rounded(number: float) -> int:
    """Round up to two digits: an estimate is no more than that.

    Examples
    --------
    >>> _rounded(83_210)
    84000
    """
    step = int(10 ** max(math.floor(math.log10(number)) - 1, 0))
    return math.ceil(number / step) * step
