"""Hold the mean and the spread of the engine's people to exact answers, over many seeds.

One run can agree with an exact distribution by luck, and a tolerance that is too wide hides a wrong standard error. So many small
runs, each with a seed of its own, are compared with exact distributions (tests/reference), each comparison as a z-score. If engine,
distributions and standard errors are right, the z-scores of a quantity have mean 0 and variance 1:

- their mean is normal with standard deviation 1 / sqrt(seeds);
- their variance times (seeds - 1) has a chi-square distribution with seeds - 1 degrees of freedom.

Both are held to limits that all comparisons together exceed once in 1,000 studies (Bonferroni). Four groups of people are
compared: those of the study `tiny`; the sick of Krijkamp et al. 2018, whose risk and utility change with the time in the state;
people with events, who differ by a gamma frailty; and those among them who were chosen because of what happened before.
Run it from the checkout:

    python -m verification.cohort_moments --seeds 200 -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
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
from tests.reference.exact_counts import Chosen, moments_of_count, negative_binomial
from tests.reference.exact_rewards import (
    discounted,
    moments_of_rewards,
    moments_with_uniform_part,
    with_time_sick,
    worth_with_time_sick,
)
from tests.reference.recursion import (
    Distribution,
    Moments,
    kinds_of,
    moments_of_person,
    months_in,
    n_people_of,
    sum_of,
    values_of,
    yes_by_state,
)

LIVED = ("service", "twin", "baseline")
"""The arms of a historical comparison."""
FALSE_ALARM_RATE = 0.001
CASES = Path(__file__).resolve().parent.parent / "tests" / "cases"
SCHOOL = "school_qualified"
WINDOWS = (5, 12)
CONSTANTS = (
    "effect.sooner_home.hazard_ratio=2",
    "pathway.moves.home -> placed.per_month=0.04",
    "measurement.metrics={early: {outcome: placement_cost_sek, window_months: 5, estimate: rate_difference, better: lower}, "
    "saving: {outcome: placement_cost_sek, window_months: 12, estimate: total_difference, better: lower}, "
    "school: {outcome: school_qualified, window_months: 12, estimate: rate_difference, better: higher}}",
)
FEWER_SPELLS = ("effect={fewer: {event: spell, hazard_ratio: 0.8}}", "population.waves.all.size=20", "measurement.baseline.size=20")
AT_LEAST_FOUR = ("population.selection={outcome: spells, at_least: 4}", "population.frailties.person.variance=0.5")
PLANTS = {
    "clock": "tiny",
    "sign": "tiny",
    "time": "time sick",
    "frailty": "events",
    "selection": "chosen",
}
"""Errors that may be planted in the exact distribution of one group, to see that the study finds them: a month too late, an inverted
effect, time in the state counted from a month later, people who do not differ, people who were not chosen."""


@dataclass(frozen=True)
class Quantity:
    """One thing that is counted in every replication, and its exact distribution."""

    arm: str
    names: tuple[str, ...]
    """A state, or outcomes that are added up."""
    window: int
    """Months after entry; 0 for the months before it."""
    distribution: Distribution

    @property
    def label(self) -> str:
        """What it is called in the table and the figure."""
        when = f"{self.window} months" if self.window else "before entry"
        return f"{self.arm}, {' + '.join(self.names)}, {when}"

    def sample(self, tallies: Tallies) -> list[float]:
        """Return what the engine counted: one number per replication."""
        arm = ARMS.index(self.arm)
        if self.window == 0:
            return list(sum(tallies.sums_before[:, 0, arm, tallies.outcomes.index(name)] for name in self.names))
        window = tallies.windows.index(self.window)
        if self.names[0] in tallies.states:
            return list(tallies.person_months[:, 0, arm, tallies.states.index(self.names[0]), window])
        return list(sum(tallies.sums[:, 0, arm, tallies.outcomes.index(name), window] for name in self.names))


@dataclass(frozen=True)
class Group:
    """People whose exact distributions are known."""

    name: str
    study: Study
    quantities: list[Quantity]


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
    groups = groups_of(options.plant)
    labels = [
        f"{group.name}: {quantity.label}: {moment}"
        for group in groups
        for quantity in group.quantities
        for moment in ("mean", "spread")
    ]
    z = np.concatenate([z_scores(group, options.seeds, options.replications) for group in groups])
    bounds = bounds_of(options.seeds, 2 * len(labels))
    findings = [judge(label, row, bounds) for label, row in zip(labels, z, strict=True)]
    print_table(findings, bounds)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        draw(findings, bounds).savefig(options.output / "cohort_moments.png", dpi=150)
    outside = sum(not finding.is_in_bounds for finding in findings)
    verdict = f"{outside} of {len(findings)} do not agree" if outside else f"all {len(findings)} agree"
    print(f"\n{options.seeds} seeds of {options.replications} replications: {verdict} with the exact distributions.")
    return 1 if outside else 0


def groups_of(plant: str | None = None) -> list[Group]:
    """Draw up all groups; of a planted error, the group whose distribution it spoils."""
    of_name: dict[str, Callable[[str | None], Group]] = {
        "tiny": tiny,
        "time sick": time_sick,
        "events": events,
        "chosen": chosen,
    }
    return [group(plant) for name, group in of_name.items() if plant is None or PLANTS[plant] == name]


def tiny(plant: str | None = None) -> Group:
    """List what is compared of `tiny`: months in placement and the binary outcome, in every arm.

    The months at home are the window less those in placement, and the cost is their price: neither would add anything.
    """
    study = load_study(find_study("tiny"), CONSTANTS)
    inverted = {"effect.sooner_home.hazard_ratio": 1 / study.effect["sooner_home"].hazard_ratio.centre}
    values = values_of(study, inverted if plant == "sign" else {})
    nothing = [0.0 for _ in study.pathway.states]
    first_months = [nothing] if plant == "clock" else []
    quantities = []
    for number, arm in enumerate(LIVED):
        kinds, n_people = kinds_of(study, values, number), n_people_of(study, number)
        for window in WINDOWS:
            worth = first_months + [months_in(study, "placed")] * window
            quantities.append(
                Quantity(arm, ("placed",), window, Distribution.of(sum_of(n_people, moments_of_person(kinds, worth))))
            )
        until_reading = first_months + [nothing] * int(study.outcomes[SCHOOL].at_month.value)
        yes = moments_of_person(kinds, until_reading, yes_by_state(study, values, SCHOOL, number))
        quantities.append(Quantity(arm, (SCHOOL,), WINDOWS[-1], Distribution.of(sum_of(n_people, yes))))
    return Group("tiny", study, quantities)


def time_sick(plant: str | None = None) -> Group:
    """List what is compared of the sick: cost, quality-adjusted years, and those of the treated with a factor between people."""
    study, months = load_study(CASES / "sick_sicker_time.yaml"), 31
    n_people, late = n_people_of(study, ARMS.index("twin")), 1 if plant == "time" else 0
    moves, start = np.array([with_time_sick(months)] * (months - 1)), [1.0] + [0.0] * (2 * months + 1)

    def worth(healthy: float, sick: Callable[[int], float], sicker: float) -> Floats:
        return discounted(np.ones(months), 0.03, worth_with_time_sick(months, healthy, sick, sicker))

    rest, part = worth(1, lambda _: 0.0, 0.5), worth(0, lambda d: 0.95 - 0.03 * (d + late), 0)
    moments: dict[tuple[str, ...], Moments] = {
        ("cost",): moments_of_rewards(start, moves, worth(2000, lambda _: 4000.0, 15000)),
        ("qaly",): moments_of_rewards(start, moves, worth(1, lambda _: 0.75, 0.5)),
        ("qaly_treated_sick",): moments_with_uniform_part(start, moves, 0 * part, part, 0.95, 1.05),
        ("qaly_treated", "qaly_treated_sick"): moments_with_uniform_part(start, moves, rest, part, 0.95, 1.05),
    }
    return Group(
        "time sick",
        study,
        [Quantity("twin", names, months, Distribution.of(sum_of(n_people, of_person))) for names, of_person in moments.items()],
    )


def events(plant: str | None = None) -> Group:
    """List what is compared of people with events: how many, and how many people had any, with the service and without."""
    study, size = load_study(CASES / "events.yaml", FEWER_SPELLS), 1e6 if plant == "frailty" else 1.0
    quantities = []
    for number, arm in enumerate(LIVED):
        chances = negative_binomial(1.5 * (0.8 if arm == "service" else 1.0), size)
        n_people, some = n_people_of(study, number), 1 - chances[0]
        quantities.append(Quantity(arm, ("spells",), 12, Distribution.of(sum_of(n_people, moments_of_count(chances)))))
        quantities.append(Quantity(arm, ("any",), 12, Distribution.of(sum_of(n_people, [1.0, *[float(some)] * 4]))))
    return Group("events", study, quantities)


def chosen(plant: str | None = None) -> Group:
    """List what is compared of people who were chosen because of four events or more: those before, and those after."""
    study = load_study(CASES / "events.yaml", (*FEWER_SPELLS, *AT_LEAST_FOUR))
    quantities = []
    for number, arm in enumerate(LIVED):
        distribution = Chosen(1.5, 2.0, 0 if plant == "selection" else 4, 0.8 if arm == "service" else 1.0)
        n_people = n_people_of(study, number)
        quantities.append(Quantity(arm, ("spells",), 0, Distribution.of(sum_of(n_people, distribution.moments_before))))
        quantities.append(Quantity(arm, ("spells",), 12, Distribution.of(sum_of(n_people, distribution.moments_after))))
    return Group("chosen", study, quantities)


def z_scores(group: Group, n_seeds: int, n_replications: int) -> Floats:
    """Compare every run with the exact distributions: shape (2 x quantity, seed), the z-scores of mean and spread in turn."""
    out = np.empty((2 * len(group.quantities), n_seeds))
    for seed in range(n_seeds):
        tallies = simulate(group.study, seed, np.arange(n_replications)).tallies
        for q, quantity in enumerate(group.quantities):
            sample = quantity.sample(tallies)
            out[2 * q : 2 * q + 2, seed] = quantity.distribution.z_of_mean(sample), quantity.distribution.z_of_spread(sample)
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
    """Return whether the z-scores of one quantity have mean 0 and variance 1 within bounds."""
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
    parser.add_argument("--plant", choices=PLANTS, help="plant this error in an exact distribution: the study must find it")
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    options = parser.parse_args(arguments)
    if options.seeds < 10 or options.replications < 50:
        parser.error("the limits hold for at least 10 seeds of at least 50 replications")
    return options


if __name__ == "__main__":
    sys.exit(main())
