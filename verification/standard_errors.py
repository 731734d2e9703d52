"""Hold the standard error of every statistic that a run reports to the spread between runs.

Many runs of a study differ in their seed alone. For each statistic the z-score of a run is its distance from the value of all runs
pooled, in the standard errors that the run itself reports. If value and error are right, these z-scores have mean 0 and variance
1 - 1/seeds (the run is a part of the pool):

- their mean is normal with standard deviation 1 / sqrt(seeds);
- their variance times (seeds - 1) has nearly a chi-square distribution with seeds - 1 degrees of freedom.

Both are held to limits that all statistics together exceed once in 1,000 studies (Bonferroni).

A quantile beside an atom (a share of twelve people, the replications that pay exactly what was drawn) jumps, and no z-score of it
is normal: it shows by the same value in three runs or more, or by runs that say that their error does not cover. There the reported
interval is judged instead, which must hold the pooled quantile in 95 of 100 runs, within the same limits.

Not judged, and listed with their number: statistics that are the same in every run, or of which more than a tenth of the runs say
that no error is known; and shares with fewer than 30 cases, or cases of the other kind, in a run, whose distribution is far from
normal. Run it from the checkout:

    python -m verification.standard_errors --study tiny --seeds 200 -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from simengine.config import Study, find_study, load_study
from simengine.records import Floats, ReplicationResults
from simengine.replications.blocks import run_study
from simengine.replications.precision import control_variates
from simengine.risk import RiskTable, summarise
from simengine.risk.statistics import Statistic
from simengine.sampling import PLAIN, Sampling

FALSE_ALARM_RATE = 0.001
LEAST_CASES = 30
_SOME = 0.1
"""Runs, of all, that may say of an error that it does not cover, and the error still be judged."""
SAME_IN = 3
"""Runs in which a quantile takes the same value, from which on it lies beside an atom: of a density, two runs hardly ever agree."""
WAYS: Mapping[str, Sampling] = {
    "plain": PLAIN,
    "control-variates": PLAIN,
    "sobol": Sampling(is_sobol=True),
    "sobol-control-variates": Sampling(is_sobol=True),
    "measured": Sampling(measured=3),
    "tilt": Sampling(tilts={"effect.sooner_home.hazard_ratio": -1.0}),
}


@dataclass(frozen=True)
class Judged:
    """The z-scores of one statistic."""

    path: str
    mean: float
    variance: float
    is_in_bounds: bool


@dataclass(frozen=True)
class Covered:
    """How often the interval of a quantile held it."""

    path: str
    share: float
    is_in_bounds: bool


@dataclass(frozen=True)
class Found:
    """What a study of standard errors came to."""

    judged: tuple[Judged, ...]
    covered: tuple[Covered, ...]
    not_judged: tuple[str, ...]
    mean_limit: float
    variance_limits: tuple[float, float]
    least_coverage: float

    @property
    def wrong(self) -> list[str]:
        """Paths whose z-scores, or whose coverage, lie outside of their limits."""
        return [one.path for one in (*self.judged, *self.covered) if not one.is_in_bounds]


@dataclass(frozen=True)
class Runs:
    """What each of many runs reports, by path, and what they come to together."""

    each: list[dict[str, Statistic]]
    together: dict[str, Statistic]
    n_replications: int
    way: str


def many_runs(study: Study, n_seeds: int, n_replications: int, way: str = "plain") -> Runs:
    """Run a study with many seeds."""
    runs, parts = [], []
    for seed in range(n_seeds):
        results = run_study(study, seed, n_replications, sampling=WAYS[way], with_variates=True)
        variates = control_variates(study, seed, results, WAYS[way]) if way.endswith("control-variates") else None
        runs.append(dict(flat(summarise(results, variates))))
        # Runs of several seeds are no parts of one run; here they are rows of one sample.
        parts.append(replace(results, made_by=None, replications=results.replications + seed * n_replications))
    return Runs(runs, dict(flat(summarise(ReplicationResults.join(parts)))), n_replications, way)


def errors_in(found: Runs, planted: Mapping[str, float] | None = None) -> Found:
    """Judge the standard error of every statistic.

    Parameters
    ----------
    planted
        By path: a factor on the reported standard error, to see that the study finds it.
    """
    runs, pooled, n_replications, way = found.each, found.together, found.n_replications, found.way
    paths = [path for path in pooled if all(path in run for run in runs)]
    scores: dict[str, Floats] = {}
    held: dict[str, float] = {}
    for path in paths:
        values, errors = (np.array([getattr(run[path], name) for run in runs]) for name in ("value", "se"))
        errors = errors * (planted or {}).get(path, 1.0)
        intervals = [run[path].interval_95 for run in runs]
        without = np.mean([not run[path].covers for run in runs])
        if is_beside_atom(values, intervals) or (without > _SOME and all(one is not None for one in intervals)):
            held[path] = coverage(intervals, pooled[path].value)
        elif without <= _SOME and can_be_judged(path, values, errors, pooled[path], n_replications):
            # Where the runs are corrected and the pool is not, the pool is no better than their mean.
            centre = values.mean() if way.endswith("control-variates") else pooled[path].value
            scores[path] = (values - centre) / errors
    return judge(scores, held, [path for path in pooled if path not in scores and path not in held], len(runs))


def judge(scores: Mapping[str, Floats], held: Mapping[str, float], not_judged: Sequence[str], n_seeds: int) -> Found:
    """Hold the z-scores of all statistics, and the coverage of quantiles beside atoms, to their limits."""
    false_alarm = FALSE_ALARM_RATE / (2 * len(scores) + len(held))
    mean_limit = float(stats.norm.isf(false_alarm / 2)) / sqrt(n_seeds)
    low, high = (float(edge) / n_seeds for edge in stats.chi2(n_seeds - 1).ppf([false_alarm / 2, 1 - false_alarm / 2]))
    judged = []
    for path, z in scores.items():
        mean, variance = float(z.mean()), float(z.var(ddof=1))
        judged.append(Judged(path, mean, variance, abs(mean) < mean_limit and low < variance < high))
    least = float(stats.binom(n_seeds, 0.95).ppf(false_alarm)) / n_seeds
    covered = [Covered(path, share, share >= least) for path, share in held.items()]
    return Found(tuple(judged), tuple(covered), tuple(not_judged), mean_limit, (low, high), least)


def flat(table: RiskTable) -> Iterator[tuple[str, Statistic]]:
    """Yield every statistic of a table, exceedance curves included, with its path."""
    yield from table.statistics()
    for party, curve in table.exceedance.items():
        for loss, statistic in zip(curve.losses, curve.probability, strict=True):
            yield f"exceedance.{party}.{loss:g}", statistic


def is_beside_atom(values: Floats, intervals: Sequence[tuple[float, float] | None]) -> bool:
    """Return whether a statistic is a quantile that takes one value in three runs or more, and not in all of them."""
    most = int(np.unique(values, return_counts=True)[1].max())
    return all(one is not None for one in intervals) and SAME_IN <= most < len(values)


def coverage(intervals: Sequence[tuple[float, float] | None], value: float) -> float:
    """Return the share of some intervals that hold a value."""
    return float(np.mean([one is not None and one[0] <= value <= one[1] for one in intervals]))


def can_be_judged(path: str, values: Floats, errors: Floats, pooled: Statistic, n: int) -> bool:
    """Return whether the z-scores of a statistic are nearly normal."""
    if not (errors > 0).all() or np.ptp(values) == 0:
        return False
    words = path.split(".")
    is_share = (
        words[0] == "exceedance" or words[-1].startswith(("p_", "worlds_")) or words[-2] in ("bound", "irr_status", "repayment")
    )
    return not is_share or n * min(pooled.value, 1 - pooled.value) >= LEAST_CASES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; give 0 when every standard error is right and 1 when one is not."""
    options = _parse(arguments)
    study = load_study(find_study(options.study))
    planted = {options.plant: options.factor} if options.plant else None
    found = errors_in(many_runs(study, options.seeds, options.replications, options.way), planted)
    means, variances = (np.array([getattr(one, name) for one in found.judged]) for name in ("mean", "variance"))
    print(f"{options.study}, {options.way}: {len(found.judged)} statistics judged, {len(found.not_judged)} not")
    print(f"means     {means.min():6.3f} to {means.max():6.3f}; limits ±{found.mean_limit:.3f}")
    low, high = found.variance_limits
    print(
        f"variances {variances.min():6.3f} to {variances.max():6.3f}, mean {variances.mean():.3f}; limits {low:.3f} to {high:.3f}"
    )
    shares = [one.share for one in found.covered]
    if shares:
        reach = f"{min(shares):.3f} to {max(shares):.3f}; limit {found.least_coverage:.3f}"
        print(f"{len(shares)} quantiles beside atoms, held by their intervals in {reach} of the runs")
    for one in found.judged:
        if not one.is_in_bounds:
            print(f"does not agree: {one.path}: mean {one.mean:.3f}, variance {one.variance:.3f}")
    for other in found.covered:
        if not other.is_in_bounds:
            print(f"does not agree: {other.path}: its interval holds it in {other.share:.3f} of the runs")
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        draw(found).savefig(options.output / f"standard-errors-{options.study}-{options.way}.png", dpi=130)
    return int(bool(found.wrong))


def draw(found: Found) -> Figure:
    """Draw mean against variance of the z-scores of every statistic, with the range that luck explains."""
    figure = Figure(figsize=(6.5, 5), layout="constrained")
    axes = figure.subplots()
    low, high = found.variance_limits
    axes.fill_between([-found.mean_limit, found.mean_limit], low, high, color="0.92", zorder=0)
    colours = ["#0072b2" if one.is_in_bounds else "#d55e00" for one in found.judged]
    axes.scatter([one.mean for one in found.judged], [one.variance for one in found.judged], c=colours, s=12)
    axes.axhline(1, color="0.5", linewidth=1)
    axes.axvline(0, color="0.5", linewidth=1)
    axes.set_xlabel("mean of the z-scores")
    axes.set_ylabel("variance of the z-scores")
    axes.set_title(f"{len(found.judged)} statistics: right in value and error where they lie in the grey range", fontsize=9)
    return figure


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare standard errors with the spread between runs.")
    parser.add_argument("--study", default="tiny")
    parser.add_argument("--way", choices=WAYS, default="plain")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--replications", type=int, default=2048)
    parser.add_argument("--plant", help="path of a statistic whose standard error is multiplied by --factor")
    parser.add_argument("--factor", type=float, default=0.7)
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
