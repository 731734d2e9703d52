"""Hold the standard error that an evaluator reports to the spread of the estimates, in small groups, by every design.

People are drawn in plain NumPy from a known distribution, the evaluator measures them, and its estimates scatter around the truth
with a variance that nobody needs to work out. For every design, distribution and size of the groups:

- `ratio`: root of the mean squared standard error over the standard deviation of the estimates; 1 where the error is honest;
- `coverage`: share of the replications whose interval of 1.96 standard errors holds the truth. In small groups it falls short of
  95 % even where the error is honest, as Student's distribution has heavier tails; of rare answers a standard error of 0 holds
  nothing;
- `missing`: share of the replications without an estimate, or without a known standard error; the other numbers leave them out.

Judged is the mean squared error of differences, which is unbiased whatever the distribution: all together it is off by more than
its luck allows once in 1,000 studies (Bonferroni). A relative reduction has an error to first order alone: it is listed, not
judged. Run it from the checkout:

    python -m verification.evaluators_errors --replications 20000
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy import stats

from simengine.records import Floats, Measurements
from tests.measurement.made import measured, tallies_of

FALSE_ALARM_RATE = 0.001
SIZES = (3, 6, 10, 20, 50)
Draw = Callable[[np.random.Generator, Floats], Floats]
"""From the levels of persons to what happens to them."""


@dataclass(frozen=True)
class Distribution:
    """How an outcome varies between persons; `mean` is that of everybody."""

    kind: str
    mean: float
    draw: Draw


@dataclass(frozen=True)
class Judged:
    """What one design does with one distribution and one size."""

    case: str
    n: int
    ratio: float
    coverage: float
    missing: float
    z: float
    """By how many of its standard errors the mean squared error is off."""
    is_judged: bool


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "normal": Distribution("score", 0.0, lambda rng, level: level + rng.normal(0, 1, level.shape)),
    "lognormal": Distribution(
        "amount", float(np.exp(0.5)), lambda rng, level: np.exp((level + rng.normal(0, 1, level.shape)) / sqrt(2))
    ),
    "count": Distribution("number", float(np.exp(0.5)), lambda rng, level: rng.poisson(np.exp(level)).astype(np.float64)),
    "rare answer": Distribution(
        "share", 0.1, lambda rng, level: (level + rng.normal(0, 1, level.shape) > sqrt(2) * 1.2815516).astype(float)
    ),
}
"""A standard normal level of each person moves what happens before entry and after."""
DESIGNS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "randomised": ("randomised", "control", {}),
    "historical": ("historical", "baseline", {}),
    "matched": ("matched", "matched", {}),
    "before and after": ("before_after", "twin", {}),
    "difference in differences": ("difference_in_differences", "parallel", {}),
    "regression": ("difference_in_differences", "parallel", {"parallel": {"form": "regression"}}),
}
"""By name: the design, the arm of those with whom it compares, and its sections."""


def judge(case: str, n: int, got: Measurements, *, is_judged: bool) -> Judged:
    """Hold the errors of one metric to its estimates, whose truth is 0."""
    estimate, error = got.estimate[:, 0], got.standard_error[:, 0]
    there = np.isfinite(estimate) & np.isfinite(error)
    estimate, error = estimate[there], error[there]
    gap = (estimate - estimate.mean()) ** 2 - error**2
    z = float(gap.mean() / (gap.std(ddof=1) / sqrt(len(gap))))
    ratio = float(np.sqrt((error**2).mean() / estimate.var()))
    return Judged(case, n, ratio, float((np.abs(estimate) <= 1.96 * error).mean()), float(1 - there.mean()), z, is_judged)


def study(n_replications: int, seed: int) -> Iterator[Judged]:
    """Go through every design, distribution and size; the larger group has twice as many people as the smaller one."""
    for name, (design, arm, sections) in DESIGNS.items():
        for distribution_name, distribution in DISTRIBUTIONS.items():
            for n in SIZES:
                rng = np.random.default_rng([seed, n])

                def people(
                    size: int, distribution: Distribution = distribution, rng: np.random.Generator = rng
                ) -> tuple[Floats, Floats]:
                    level = rng.normal(0, 1, (n_replications, size))
                    return distribution.draw(rng, level), distribution.draw(rng, level)

                own = people(n)
                arms: dict[str, Any] = {"service": own, "twin": own[0], "matched_service": own}
                arms |= {} if arm == "twin" else {arm: people(2 * n)}
                for estimate in ("rate_difference", *(["relative_reduction"] if distribution.kind != "score" else [])):
                    metric = {"estimate": estimate}
                    got = measured(tallies_of(arms), design, kind=distribution.kind, sections=sections, metric=metric)
                    # A common slope and spread are true of the normal distribution alone: only there least squares is exact.
                    is_exact = name != "regression" or distribution_name == "normal"
                    case = f"{name}, {distribution_name}, {estimate.replace('_', ' ')}"
                    yield judge(case, n, got, is_judged=estimate == "rate_difference" and is_exact)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 where an error that is judged is not honest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    found = list(study(asked.replications, asked.seed))
    limit = stats.norm.isf(FALSE_ALARM_RATE / 2 / sum(one.is_judged for one in found))
    print(
        f"{'design, distribution, estimate':60}   n  ratio  coverage  missing      z   (limit {limit:.2f}; in brackets: not judged)"
    )
    for one in found:
        z = f"{one.z:6.2f}" if one.is_judged else f"({one.z:5.1f})"
        print(f"{one.case:60} {one.n:3}  {one.ratio:5.3f}  {one.coverage:8.3f}  {one.missing:7.3f}  {z}")
    return int(any(one.is_judged and abs(one.z) > limit for one in found))


if __name__ == "__main__":
    sys.exit(main())
