"""Methods beside each other: ranks, error as a multiple of a reference method's, error against work, and run lengths.

Lines of a problem, measure and budget are one case. A method is compared in the cases that it has; how many these are is told with
every figure, for a method that only tries what suits it looks better than it is.

References
----------
Hansen, N., Auger, A., Ros, R., Mersmann, O., Tusar, T. and Brockhoff, D. (2021), COCO: a platform for comparing continuous optimizers in
a black-box setting, Optimization Methods and Software 36, 114-144 (run lengths to targets, and their empirical distribution).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot, isfinite, log
from pathlib import Path

import numpy as np

from simengine.bench.card import BENCH_FAMILIES
from simengine.bench.results import BASELINE_TABLES, SummaryLine, read_lines
from simengine.errors import UsageError

TARGETS = tuple(10.0 ** (-k / 4) for k in range(17))
"""Errors to be reached, from 1 to 1 in 10,000, four a decade."""
_SMALLEST_ERROR = 1e-12
"""An error below it counts as this in logarithms."""
_LARGEST_FACTOR = 1000.0
Case = tuple[str, str, int]
"""Problem, measure, budget."""


@dataclass(frozen=True)
class Standing:
    """How a method does in a family beside the others."""

    family: str
    method: str
    cases: int
    mean_rank: float
    """Among the methods that have the case, from 0, the best in all, to 1; not a number where it meets no other."""
    wins: int
    """Cases in which it is the best, alone or with others whose scores are not apart by two standard errors."""
    ratio: float
    """Geometric mean of its scores over those of the reference method in the cases that both have, each kept within a factor of
    1,000; not a number without any."""
    ratio_cases: int
    failed: int


@dataclass(frozen=True)
class MethodComparison:
    """Several methods beside each other."""

    lines: tuple[SummaryLine, ...]
    reference: str
    standings: tuple[Standing, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """The families in which there is something to compare."""
        return tuple(family for family in BENCH_FAMILIES if any(line.family == family for line in self.lines))


def compare_results(places: Sequence[Path | str], reference: str | None = None) -> MethodComparison:
    """Compare the methods of folders of results and tables; the word `baselines` stands for the tables that come with the suite.

    Parameters
    ----------
    places
        Folders and tables.
    reference
        The method of which errors are told as a multiple; absent: in every family the first that is read.

    Raises
    ------
    ResultsError
        If a place cannot be read or is of another suite.
    UsageError
        If a method stands in two places with different results, or the reference in none.
    """
    lines = [line for place in places for line in read_lines(BASELINE_TABLES if str(place) == "baselines" else Path(place))]
    seen: dict[tuple[str, str, int, str], SummaryLine] = {}
    for line in lines:
        key = (line.problem, line.measure, line.budget, line.method)
        if seen.setdefault(key, line) != line:
            raise UsageError(
                f"results: a method must have one score for a case; found two of {line.method} for {line.problem} {line.measure} "
                f"at {line.budget:,}. Give one of them another --name"
            )
    _refuse_several_tables(lines)
    methods = list(dict.fromkeys(line.method for line in seen.values()))
    if reference is not None and reference not in methods:
        raise UsageError(f"--reference: must be one of the methods, {', '.join(methods)}; found {reference!r}")
    found = tuple(seen.values())
    return MethodComparison(found, reference or "", tuple(_standings(found, reference)))


def _refuse_several_tables(lines: Iterable[SummaryLine]) -> None:
    """Refuse scores of one problem on several downloads of the public tables."""
    found = dict[str, str]()
    for line in lines:
        if found.setdefault(line.problem, line.fingerprint) != line.fingerprint:
            raise UsageError(f"results: scores of {line.problem} must be of the same tables; found those of two downloads")


def _standings(lines: Sequence[SummaryLine], reference: str | None) -> Iterable[Standing]:
    for family in BENCH_FAMILIES:
        here = [line for line in lines if line.family == family]
        methods = list(dict.fromkeys(line.method for line in here))
        if not methods:
            continue
        cases = _cases(here)
        against = reference if reference in methods else methods[0]
        for method in methods:
            yield _standing(family, method, cases, against, _failed(here, method))


def _failed(lines: Sequence[SummaryLine], method: str) -> int:
    """Count the attempts that failed: the lines of one problem and budget tell the same number."""
    return sum({(line.problem, line.budget): line.failed for line in lines if line.method == method}.values())


def _cases(lines: Sequence[SummaryLine]) -> dict[Case, dict[str, SummaryLine]]:
    found: dict[Case, dict[str, SummaryLine]] = defaultdict(dict)
    for line in lines:
        if isfinite(line.score):
            found[line.problem, line.measure, line.budget][line.method] = line
    return found


def _standing(family: str, method: str, cases: Mapping[Case, Mapping[str, SummaryLine]], against: str, failed: int) -> Standing:
    own = [case for case in cases.values() if method in case]
    ranks = [_rank(case, method) for case in own if len(case) > 1]
    ratios = [
        _log_ratio(case[method].score, case[against].score)
        for case in own
        if against in case and min(case[method].score, case[against].score) >= 0
    ]
    wins = sum(_is_best(case, method) for case in own if len(case) > 1)
    rank = float(np.mean(ranks)) if ranks else float("nan")
    ratio = exp(float(np.mean(ratios))) if ratios else float("nan")
    return Standing(family, method, len(own), rank, wins, ratio, len(ratios), failed)


def _log_ratio(own: float, other: float) -> float:
    """Return the logarithm of a ratio of scores, kept within a factor of 1,000: an exact answer outweighs no other case."""
    ratio = max(own, _SMALLEST_ERROR) / max(other, _SMALLEST_ERROR)
    return log(min(max(ratio, 1 / _LARGEST_FACTOR), _LARGEST_FACTOR))


def _rank(case: Mapping[str, SummaryLine], method: str) -> float:
    """Return the share of the others that are better, ties counted as half."""
    own = case[method].score
    others = [line.score for name, line in case.items() if name != method]
    return sum((other < own) + 0.5 * (other == own) for other in others) / len(others)


def _is_best(case: Mapping[str, SummaryLine], method: str) -> bool:
    own = case[method]
    best = min(case.values(), key=lambda line: line.score)
    noise = hypot(*(line.score_se if isfinite(line.score_se) else 0.0 for line in (own, best)))
    return own.score - best.score <= 2 * noise


def error_against_work(lines: Iterable[SummaryLine], method: str, work: str = "replications") -> tuple[list[float], list[float]]:
    """Return the work and the geometric mean error of a method at each budget that it was given in every case it has."""
    cases: dict[tuple[str, str], dict[int, SummaryLine]] = defaultdict(dict)
    for line in lines:
        if line.method == method and line.score >= 0:
            cases[line.problem, line.measure][line.budget] = line
    budgets = sorted(set.intersection(*(set(one) for one in cases.values()))) if cases else []
    works, errors = [], []
    for budget in budgets:
        at = [one[budget] for one in cases.values()]
        works.append(float(np.mean([getattr(line, work) for line in at])))
        errors.append(exp(float(np.mean([log(max(line.score, _SMALLEST_ERROR)) for line in at]))))
    return works, errors


def run_lengths(lines: Sequence[SummaryLine], method: str) -> tuple[list[float], int]:
    """Return the least work at which each pair of a case and a target was reached, and how many pairs there are for all methods."""
    pairs = {(line.problem, line.measure) for line in lines if line.measure}
    own: dict[tuple[str, str], list[SummaryLine]] = defaultdict(list)
    for line in lines:
        if line.method == method and isfinite(line.score):
            own[line.problem, line.measure].append(line)
    reached = []
    for one in own.values():
        for target in TARGETS:
            lengths = [line.replications for line in one if line.score <= target]
            reached += [min(lengths)] if lengths else []
    return sorted(reached), len(pairs) * len(TARGETS)


def observed_order(works: Sequence[float], errors: Sequence[float]) -> float:
    """Return the power of the work with which an error changes: the slope of the logarithms by least squares.

    Examples
    --------
    >>> round(observed_order([100.0, 400.0, 1600.0], [0.1, 0.05, 0.025]), 6)
    -0.5
    """
    return float(np.polyfit(np.log(works), np.log(errors), 1)[0])
