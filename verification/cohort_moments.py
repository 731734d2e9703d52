"""Hold the mean and the spread of the engine's people to exact answers, over many seeds.

One run can agree with an exact law by luck, and a tolerance that is too wide hides a wrong standard error. So many small
runs, each with a seed of its own, are compared with the backward recursion (tests/reference/recursion.py), each comparison
as a z-score. If engine, recursion and standard errors are right, the z-scores of a quantity have mean 0 and variance 1:

- their mean is normal with standard deviation 1 / sqrt(seeds);
- their variance times (seeds - 1) has a chi-square law with seeds - 1 degrees of freedom.

Both are held to limits that all comparisons together exceed once in 1,000 studies (Bonferroni). Run it from the checkout:

    python -m verification.cohort_moments --seeds 200 -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from simengine.config import Study
from simengine.config.load import find_study, load_study
from simengine.pipeline import simulate
from simengine.records import ARMS, Floats, Tallies
from tests.reference.recursion import (
    Law,
    kinds_of,
    moments_of_person,
    months_in,
    n_people_of,
    sum_of,
    values_of,
    yes_by_state,
)

FALSE_ALARM_RATE = 0.001
SCHOOL = "school_qualified"
WINDOWS = (5, 12)
CONSTANTS = (
    "effect.sooner_home.hazard_ratio=2",
    "pathway.moves.home -> placed.per_month=0.04",
    "measurement.metrics={early: {outcome: placement_cost_sek, window_months: 5, estimate: rate_difference, better: lower}, "
    "saving: {outcome: placement_cost_sek, window_months: 12, estimate: total_difference, better: lower}, "
    "school: {outcome: school_qualified, window_months: 12, estimate: rate_difference, better: higher}}",
)
PLANTS = ("clock", "sign")
"""Errors that may be planted in the recursion, to see that the study finds them: a month too late, an inverted effect."""


@dataclass(frozen=True)
class Quantity:
    """One thing that is counted in every replication, and its exact law."""

    arm: str
    name: str
    window: int
    law: Law

    @property
    def label(self) -> str:
        """What it is called in the table and the figure."""
        return f"{self.arm}, {self.name}, {self.window} months"

    def sample(self, tallies: Tallies) -> list[float]:
        """Give what the engine counted: one number per replication."""
        arm, window = ARMS.index(self.arm), tallies.windows.index(self.window)
        if self.name in tallies.states:
            return list(tallies.person_months[:, 0, arm, tallies.states.index(self.name), window])
        return list(tallies.sums[:, 0, arm, tallies.outcomes.index(self.name), window])


@dataclass(frozen=True)
class Finding:
    """The z-scores of one quantity over all seeds, beside the limits they are held to."""

    label: str
    mean: float
    variance: float
    is_in_bounds: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; give 0 when everything agrees and 1 when something does not."""
    options = _parse(arguments)
    study = load_study(find_study("tiny"), CONSTANTS)
    quantities = quantities_of(study, options.plant)
    z = z_scores(study, quantities, options.seeds, options.replications)
    labels = [f"{quantity.label}: {moment}" for quantity in quantities for moment in ("mean", "spread")]
    bounds = bounds_of(options.seeds, 2 * len(labels))
    findings = [judge(label, row, bounds) for label, row in zip(labels, z, strict=True)]
    print_table(findings, bounds)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        draw(findings, bounds).savefig(options.output / "cohort_moments.png", dpi=150)
    outside = sum(not finding.is_in_bounds for finding in findings)
    verdict = f"{outside} of {len(findings)} do not agree" if outside else f"all {len(findings)} agree"
    print(f"\n{options.seeds} seeds of {options.replications} replications: {verdict} with the exact recursion.")
    return 1 if outside else 0


def quantities_of(study: Study, plant: str | None = None) -> list[Quantity]:
    """List what is compared: months in placement and the binary outcome, in every arm.

    The months at home are the window less those in placement, and the cost is their price: neither would add anything.
    """
    inverted = {"effect.sooner_home.hazard_ratio": 1 / study.effect["sooner_home"].hazard_ratio.centre}
    values = values_of(study, inverted if plant == "sign" else {})
    nothing = [0.0 for _ in study.pathway.states]
    first_months = [nothing] if plant == "clock" else []
    quantities = []
    for number, arm in enumerate(ARMS):
        kinds, n_people = kinds_of(study, values, number), n_people_of(study, number)
        for window in WINDOWS:
            worth = first_months + [months_in(study, "placed")] * window
            quantities.append(Quantity(arm, "placed", window, Law.of(sum_of(n_people, moments_of_person(kinds, worth)))))
        until_reading = first_months + [nothing] * int(study.outcomes[SCHOOL].at_month.value)
        yes = moments_of_person(kinds, until_reading, yes_by_state(study, values, SCHOOL, number))
        quantities.append(Quantity(arm, SCHOOL, WINDOWS[-1], Law.of(sum_of(n_people, yes))))
    return quantities


def z_scores(study: Study, quantities: Sequence[Quantity], n_seeds: int, n_replications: int) -> Floats:
    """Compare every run with the exact laws: shape (2 x quantity, seed), the z-scores of mean and spread in turn."""
    out = np.empty((2 * len(quantities), n_seeds))
    for seed in range(n_seeds):
        tallies = simulate(study, seed, np.arange(n_replications)).tallies
        for q, quantity in enumerate(quantities):
            sample = quantity.sample(tallies)
            out[2 * q : 2 * q + 2, seed] = quantity.law.z_of_mean(sample), quantity.law.z_of_spread(sample)
    return out


@dataclass(frozen=True)
class Bounds:
    """The ranges that the mean and the variance of right z-scores leave only at the stated rate."""

    mean: tuple[float, float]
    variance: tuple[float, float]


def bounds_of(n_seeds: int, n_comparisons: int) -> Bounds:
    """Share the false-alarm rate between all comparisons, and each share between both sides."""
    tail = FALSE_ALARM_RATE / n_comparisons / 2
    furthest = float(stats.norm.isf(tail)) / sqrt(n_seeds)
    smallest, largest = stats.chi2.ppf(tail, n_seeds - 1), stats.chi2.isf(tail, n_seeds - 1)
    return Bounds((-furthest, furthest), (float(smallest) / (n_seeds - 1), float(largest) / (n_seeds - 1)))


def judge(label: str, z: Floats, bounds: Bounds) -> Finding:
    """Say whether the z-scores of one quantity have mean 0 and variance 1 within bounds."""
    mean, variance = float(z.mean()), float(z.var(ddof=1))
    is_in_bounds = bounds.mean[0] <= mean <= bounds.mean[1] and bounds.variance[0] <= variance <= bounds.variance[1]
    return Finding(label, mean, variance, is_in_bounds)


def print_table(findings: Sequence[Finding], bounds: Bounds) -> None:
    width = max(len(finding.label) for finding in findings)
    print(f"{'z-scores of':<{width}}  {'mean':>8}  {'variance':>8}")
    for finding in findings:
        verdict = "" if finding.is_in_bounds else "  does not agree"
        print(f"{finding.label:<{width}}  {finding.mean:>8.3f}  {finding.variance:>8.3f}{verdict}")
    for side, name in enumerate(("lower limit", "upper limit")):
        print(f"{name:<{width}}  {bounds.mean[side]:>8.3f}  {bounds.variance[side]:>8.3f}")


def draw(findings: Sequence[Finding], bounds: Bounds) -> Figure:
    """Draw the mean and the variance of the z-scores of every quantity, with the range that luck explains."""
    figure = Figure(figsize=(9, 0.6 + 0.28 * len(findings)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(findings))
    colours = ["#0072b2" if finding.is_in_bounds else "#d55e00" for finding in findings]
    columns = (
        (left, [finding.mean for finding in findings], bounds.mean, 0.0, "mean of the z-scores"),
        (right, [finding.variance for finding in findings], bounds.variance, 1.0, "variance of the z-scores"),
    )
    for axes, values, (low, high), expected, title in columns:
        axes.axvspan(low, high, color="0.92", zorder=0)
        axes.axvline(expected, color="0.5", linewidth=1)
        axes.scatter(values, places, c=colours, s=18)
        axes.set_xlabel(title)
    left.set_yticks(places, [finding.label for finding in findings])
    left.invert_yaxis()
    figure.suptitle("Exact in mean and spread where the points lie in the grey range", fontsize=10)
    return figure


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare many small cohorts with the exact recursion.")
    parser.add_argument("--seeds", type=int, default=200, help="number of runs, each with its own seed (at least 10)")
    parser.add_argument("--replications", type=int, default=400, help="replications in a run (at least 50)")
    parser.add_argument("--plant", choices=PLANTS, help="plant this error in the recursion: the study must find it")
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    options = parser.parse_args(arguments)
    if options.seeds < 10 or options.replications < 50:
        parser.error("the limits hold for at least 10 seeds of at least 50 replications")
    return options


if __name__ == "__main__":
    sys.exit(main())
