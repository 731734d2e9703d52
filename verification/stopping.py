"""See how often intervals cover the truth when a run stops as soon as they are narrow enough.

A statistic of draws from a distribution is known exactly. Many runs stop by the rule of `simengine run --until`; in each the 95 %
interval, the value and 1.96 standard errors on either side, holds the exact value or not. A rule that looks at its error too often,
or from too few draws on, stops where the error came out too small, and covers too seldom: three such rules stand beside it. Beside
each rule stands, too, a run of a fixed size, the mean size of the rule: what is missing there is the distribution's doing, not the
rule's.

    python -m verification.stopping --runs 4000 -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from simengine.records import Floats
from simengine.replications.precision import Goal, replications_needed, sizes_up_to
from simengine.risk import statistics
from simengine.risk.statistics import Statistic

Z_95 = 1.959963984540054
AT_MOST = 64_000


@dataclass(frozen=True)
class Case:
    """A distribution, a statistic of it whose value is known, and how precise it shall be."""

    draw: Callable[[np.random.Generator, int], Floats]
    statistic: Callable[[Floats], Statistic]
    exact: float
    goal: Goal
    is_probability: bool = False
    sizes: Iterable[int] | None = None
    """Where a run looks at its error; absent: where `run --until` does."""


def _lognormal(rng: np.random.Generator, n: int) -> Floats:
    return np.exp(rng.standard_normal(n))


def _exponential(rng: np.random.Generator, n: int) -> Floats:
    return rng.standard_exponential(n)


def _rare(rng: np.random.Generator, n: int) -> Floats:
    return (rng.random(n) < 0.02).astype(np.float64)


def _share(sample: Floats) -> Statistic:
    return statistics.probability(sample > 0)


def _cvar(sample: Floats) -> Statistic:
    return statistics.conditional_value_at_risk(sample, 0.95)


DISTRIBUTIONS: Mapping[str, Case] = {
    "normal mean, se<0.02": Case(lambda rng, n: rng.standard_normal(n), statistics.mean, 0.0, Goal("mean", 0.02, False)),
    "exponential mean, se<2.5%": Case(_exponential, statistics.mean, 1.0, Goal("mean", 0.025, True)),
    "lognormal mean, se<3%": Case(_lognormal, statistics.mean, exp(0.5), Goal("mean", 0.03, True)),
    "share of 2 %, se<0.0025": Case(_rare, _share, 0.02, Goal("p", 0.0025, False), is_probability=True),
    "share of 2 %, se<10%": Case(_rare, _share, 0.02, Goal("p", 0.10, True), is_probability=True),
    "exponential CVaR, se<2.5%": Case(_exponential, _cvar, 1 + log(20), Goal("cvar", 0.025, True)),
    "normal quantile, se<0.03": Case(
        lambda rng, n: rng.standard_normal(n), lambda x: statistics.quantile(x, 0.95), 1.6448536, Goal("q", 0.03, False)
    ),
}
PLANTS: Mapping[str, Case] = {
    "exponential mean, looked at after every draw": Case(
        _exponential, statistics.mean, 1.0, Goal("mean", 0.15, True), sizes=range(5, 400)
    ),
    "lognormal mean, looked at after every draw": Case(
        _lognormal, statistics.mean, exp(0.5), Goal("mean", 0.15, True), sizes=range(5, 400)
    ),
    "share of 2 %, from 50 draws on": Case(_rare, _share, 0.02, Goal("p", 0.01, False), sizes=range(50, 2000, 25)),
}
"""Rules that look too early and too often."""


@dataclass(frozen=True)
class Coverage:
    """How often the intervals of a rule covered."""

    name: str
    n_runs: int
    coverage: float
    mean_size: float

    @property
    def error(self) -> float:
        """Standard error of the coverage."""
        return sqrt(self.coverage * (1 - self.coverage) / self.n_runs)


def experiment(name: str, n_runs: int, seed: int, distributions: Mapping[str, Case] = DISTRIBUTIONS) -> Coverage:
    """Run one rule many times."""
    case = distributions[name]
    sizes = list(sizes_up_to(AT_MOST) if case.sizes is None else case.sizes)
    covered, drawn = 0, 0
    for run in range(n_runs):
        rng = np.random.default_rng([seed, run])
        sample = np.empty(0)
        for n in sizes:
            sample = np.concatenate([sample, case.draw(rng, n - len(sample))])
            found = case.statistic(sample)
            if replications_needed(case.goal, found, n, is_probability=case.is_probability)[1] <= n:
                break
        covered += abs(found.value - case.exact) <= Z_95 * found.se
        drawn += n
    return Coverage(name, n_runs, covered / n_runs, drawn / n_runs)


def at_fixed_size(found: Coverage, seed: int) -> Coverage:
    """Cover by as many draws in every run as a rule took on average."""
    case = replace(DISTRIBUTIONS[found.name], sizes=[round(found.mean_size)])
    return experiment(found.name, found.n_runs, seed, {found.name: case})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all rules; give 0 when those of the engine cover and the others do not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    options = parser.parse_args(arguments)
    found = [experiment(name, options.runs, 2016) for name in DISTRIBUTIONS]
    fixed = [at_fixed_size(one, 2017) for one in found]
    planted = [experiment(name, options.runs, 2016, PLANTS) for name in PLANTS]
    for one in [*found, *planted]:
        beside = [f"; at that fixed size {100 * other.coverage:.2f} %" for other in fixed if other.name == one.name]
        print(
            f"{one.name:<48} {100 * one.coverage:6.2f} % ± {100 * one.error:.2f}  mean size {one.mean_size:8,.0f}{''.join(beside)}"
        )
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        draw(found, fixed, planted).savefig(options.output / "stopping.png", dpi=150)
    # A rule may miss no more than a fixed size does, within four standard errors and half a point for its few looks.
    is_short = [one.coverage < other.coverage - 0.005 - 4 * one.error for one, other in zip(found, fixed, strict=True)]
    return int(any(is_short) or all(one.coverage > 0.935 for one in planted))


def draw(found: Sequence[Coverage], fixed: Sequence[Coverage], planted: Sequence[Coverage]) -> Figure:
    """Draw the coverage of every rule with two standard errors, and that of runs of a fixed size."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    groups = (
        ("run --until", "#0072b2", "o", found, 0.0),
        ("fixed size, the mean of the rule's", "0.55", "s", fixed, 0.3),
        ("looks too early and too often", "#d55e00", "o", planted, float(len(found))),
    )
    for label, colour, marker, group, first in groups:
        places, errors = np.arange(len(group)) + first, [200 * one.error for one in group]
        shares = [100 * one.coverage for one in group]
        axes.errorbar(shares, places, xerr=errors, fmt=marker, color=colour, capsize=3, markersize=5, label=label)
    axes.axvline(95, color="0.5", linewidth=1)
    axes.set_yticks(range(len(found) + len(planted)), [one.name for one in [*found, *planted]])
    axes.invert_yaxis()
    axes.set_xlabel("coverage of the 95 % interval, %; bars: two standard errors")
    axes.legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(main())
