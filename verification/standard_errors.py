"""Hold the standard error of every statistic that a run reports to the spread between runs.

Many runs of a study differ in their seed alone. For each statistic the z-score of a run is its distance from the value of all runs
pooled, in the standard errors that the run itself reports. If value and error are right, these z-scores have mean 0 and variance
1 - 1/seeds (the run is a part of the pool):

- their mean is normal with standard deviation 1 / sqrt(seeds);
- their variance times (seeds - 1) has nearly a chi-square law with seeds - 1 degrees of freedom.

Both are held to limits that all statistics together exceed once in 1,000 studies (Bonferroni). Not judged, and listed with
their number: statistics that are the same in every run; shares with fewer than 30 cases, or cases of the other kind, in a run,
whose law is far from normal; and quantiles that jump between few values (a share of twelve people), whose error no formula gives.
Run it from the checkout:

    python -m verification.standard_errors --study tiny --seeds 200 -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from simengine.config import Study, find_study, load_study
from simengine.execution import control_variates, run_study
from simengine.records import Floats, Outturns
from simengine.risk import RiskTable, summarise
from simengine.risk.statistics import Statistic
from simengine.risk.trust import Section
from simengine.sampling import PLAIN, Sampling

FALSE_ALARM_RATE = 0.001
LEAST_CASES = 30
WAYS: Mapping[str, Sampling] = {
    "plain": PLAIN,
    "control-variates": PLAIN,
    "sobol": Sampling(is_sobol=True),
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
class Found:
    """What a study of standard errors came to."""

    judged: tuple[Judged, ...]
    not_judged: tuple[str, ...]
    mean_limit: float
    variance_limits: tuple[float, float]

    @property
    def wrong(self) -> list[str]:
        """Paths whose z-scores lie outside of their limits."""
        return [one.path for one in self.judged if not one.is_in_bounds]


def study_errors(
    study: Study, n_seeds: int, n_replications: int, way: str = "plain", planted: Mapping[str, float] | None = None
) -> Found:
    """Run a study with many seeds and judge the standard error of every statistic.

    Parameters
    ----------
    planted
        By path: a factor on the reported standard error, to see that the study finds it.
    """
    runs, parts = [], []
    for seed in range(n_seeds):
        outturns = run_study(study, seed, n_replications, sampling=WAYS[way])
        variates = control_variates(study, seed, outturns) if way == "control-variates" else None
        runs.append(dict(flat(summarise(outturns, variates))))
        parts.append(outturns)
    pooled = dict(flat(summarise(Outturns.join(parts))))
    paths = [path for path in pooled if all(path in run for run in runs)]
    scores: dict[str, Floats] = {}
    for path in paths:
        values, errors = (np.array([getattr(run[path], name) for run in runs]) for name in ("value", "se"))
        errors = errors * (planted or {}).get(path, 1.0)
        if can_be_judged(path, values, errors, pooled[path], n_replications):
            # Where the runs are corrected and the pool is not, the pool is no better than their mean.
            centre = values.mean() if way == "control-variates" else pooled[path].value
            scores[path] = (values - centre) / errors
    return judge(scores, [path for path in pooled if path not in scores], n_seeds)


def judge(scores: Mapping[str, Floats], not_judged: Sequence[str], n_seeds: int) -> Found:
    """Hold the z-scores of all statistics to their limits."""
    false_alarm = FALSE_ALARM_RATE / (2 * len(scores))
    mean_limit = float(stats.norm.isf(false_alarm / 2)) / sqrt(n_seeds)
    low, high = (float(edge) / n_seeds for edge in stats.chi2(n_seeds - 1).ppf([false_alarm / 2, 1 - false_alarm / 2]))
    judged = []
    for path, z in scores.items():
        mean, variance = float(z.mean()), float(z.var(ddof=1))
        judged.append(Judged(path, mean, variance, abs(mean) < mean_limit and low < variance < high))
    return Found(tuple(judged), tuple(not_judged), mean_limit, (low, high))


def flat(table: RiskTable) -> Iterator[tuple[str, Statistic]]:
    """Yield every statistic of a table, exceedance curves included, with its path."""
    yield from _leaves(table.sections)
    for party, curve in table.exceedance.items():
        for loss, statistic in zip(curve.losses, curve.probability, strict=True):
            yield f"exceedance.{party}.{loss:g}", statistic


def _leaves(section: Section, path: str = "") -> Iterator[tuple[str, Statistic]]:
    for name, node in section.items():
        here = f"{path}.{name}" if path else name
        if isinstance(node, Statistic):
            yield here, node
        else:
            yield from _leaves(node, here)


def can_be_judged(path: str, values: Floats, errors: Floats, pooled: Statistic, n: int) -> bool:
    """Say whether the z-scores of a statistic are nearly normal."""
    if not (errors > 0).all():
        return False
    words = path.split(".")
    is_share = (
        words[0] == "exceedance" or words[-1].startswith(("p_", "worlds_")) or words[-2] in ("bound", "irr_status", "repayment")
    )
    if is_share:
        return n * min(pooled.value, 1 - pooled.value) >= LEAST_CASES
    return len(np.unique(values)) > len(values) / 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; give 0 when every standard error is right and 1 when one is not."""
    options = _parse(arguments)
    study = load_study(find_study(options.study))
    planted = {options.plant: options.factor} if options.plant else None
    found = study_errors(study, options.seeds, options.replications, options.way, planted)
    means, variances = (np.array([getattr(one, name) for one in found.judged]) for name in ("mean", "variance"))
    print(f"{options.study}, {options.way}: {len(found.judged)} statistics judged, {len(found.not_judged)} not")
    print(f"means     {means.min():6.3f} to {means.max():6.3f}; limits ±{found.mean_limit:.3f}")
    low, high = found.variance_limits
    print(
        f"variances {variances.min():6.3f} to {variances.max():6.3f}, mean {variances.mean():.3f}; limits {low:.3f} to {high:.3f}"
    )
    for one in found.judged:
        if not one.is_in_bounds:
            print(f"does not agree: {one.path}: mean {one.mean:.3f}, variance {one.variance:.3f}")
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
