"""Size Norrköping many times on other replications, and hold intervals, optimism and the best term sheet to brute force on many more replications.

Brute force settles a fine grid of one or two terms on replications of another seed. Then, run after run, the smallest guarantee
with which the lender expects no loss is sought with its interval, and guarantee and cap are sized together. The interval should
hold the answer of brute force in 95 of 100 runs; what fresh replications say of the recommended terms should differ from brute
force as noise does; and the best term sheet of a party should be that of brute force.

    python -m verification.sizing --runs 40 -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from simengine.config import Study, find_study, load_study
from simengine.config.request import Requested, with_request
from simengine.config.sizing import Free
from simengine.questions.size.answer import SizingResult, size_terms
from simengine.questions.size.induced import stored_evidence
from simengine.questions.size.one_number import OneNumber, find_number
from simengine.replications.ensemble import Ensemble
from simengine.risk.limits import read_limit, read_measure
from simengine.risk.statistics import Statistic

GUARANTEE, CAP = "contract.terms.guarantee.share", "contract.terms.upside.cap.share"
LIMIT = "investor.expected_npv >= 0"
BRUTE_SEED, STEP = 99, 0.05


@dataclass(frozen=True)
class Answers:
    """What brute force says, on many replications."""

    guarantee: float
    """The smallest with which the limit is kept."""
    error: float
    """Its standard error: that of the measure over its slope."""
    npv: dict[tuple[float, float], Statistic]
    """By terms: the lender's expected net present value."""


def brute_force(study: Study, n: int) -> Answers:
    """Settle a grid of both terms, and of the guarantee alone, on replications of their own."""
    settle = stored_evidence(study, Ensemble(BRUTE_SEED, n), [read_measure("investor.expected_net")]).settle
    measure = read_limit(LIMIT).measure
    shares = np.linspace(0.4, 1.0, 121)
    along = [measure.of(settle({GUARANTEE: float(share)})["investor"]) for share in shares]
    values = np.array([one.value for one in along])
    place = int(np.argmax(values >= 0))
    slope = (values[place] - values[place - 1]) / (shares[place] - shares[place - 1])
    grid = [(round(0.4 + STEP * k, 2), round(STEP * m, 2)) for k in range(11) for m in range(11)]
    npv = {terms: measure.of(settle(dict(zip((GUARANTEE, CAP), terms, strict=True)))["investor"]) for terms in grid}
    return Answers(float(shares[place] - values[place] / slope), along[place].se / slope, npv)


def one_run(study: Study, asked: Study, run: int, n: int) -> tuple[OneNumber, SizingResult]:
    """Size one term, and both, on the replications of one run."""
    draws = Ensemble(1000 + run, n)
    return find_number(study, GUARANTEE, read_limit(LIMIT), Free(low=0, high=1), draws), size_terms(asked, draws, 121)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all; give 0 when intervals cover and fresh replications agree with brute force."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--replications", type=int, default=1_000)
    parser.add_argument("--brute", type=int, default=40_000)
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    options = parser.parse_args(arguments)
    study = load_study(find_study("norrkoping"), ["sizing=null"])
    free = [f"{GUARANTEE}=0.4..0.9..{STEP}", f"{CAP}=0..0.5..{STEP}"]
    asked = with_request(study, Requested(free=free, limits=["investor.p_loss <= 0.6"]))
    exact = brute_force(study, options.brute)
    runs = [one_run(study, asked, run, options.replications) for run in range(options.runs)]
    numbers = [number for number, _ in runs]
    held = sum(one.low <= exact.guarantee <= one.high for one in numbers)
    low, high = stats.binom.ppf([0.0005, 0.9995], options.runs, 0.95)
    print(f"brute force: the smallest guarantee with {LIMIT} is {exact.guarantee:.4f} ± {exact.error:.4f}")
    print(f"{held} of {options.runs} intervals of 95 % hold it; {low:.0f} to {high:.0f} would")
    z = np.array([_z_of_fresh(exact, one) for _, one in runs])
    print(f"recommended terms in fresh replications against brute force: mean z {z.mean():.2f}, standard deviation {z.std():.2f}")
    optimism = np.array([one.deal.optimism[0].value / one.deal.optimism[0].se for _, one in runs if one.deal is not None])
    print(f"optimism of the lender's objective: mean z {optimism.mean():.2f}, standard deviation {optimism.std():.2f}")
    best = max(exact.npv, key=lambda terms: exact.npv[terms].value)
    same = sum(one.deal is not None and one.deal.best[0].terms == best for _, one in runs)
    print(f"the lender's best terms are {best} by brute force, and in {same} of {options.runs} runs")
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        draw(exact, numbers).savefig(options.output / "sizing.png", dpi=150)
    noise = 3.3 / np.sqrt(options.runs)
    return int(not low <= held <= high or abs(z.mean()) > noise or abs(optimism.mean()) > noise or same < options.runs)


def _z_of_fresh(exact: Answers, found: SizingResult) -> float:
    assert found.deal is not None, "the limits leave room"
    fresh, one, other = found.deal.fresh.objectives[0], *found.deal.fresh.terms
    truth = exact.npv[round(one, 2), round(other, 2)]
    return (fresh.value - truth.value) / float(np.hypot(fresh.se, truth.se))


def draw(exact: Answers, numbers: Sequence[OneNumber]) -> Figure:
    """Draw the interval of every run, and what brute force says."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    ordered = sorted(numbers, key=lambda one: one.value)
    for place, one in enumerate(ordered):
        colour = "#0072b2" if one.low <= exact.guarantee <= one.high else "#d55e00"
        axes.plot([place, place], [one.low, one.high], color=colour, linewidth=1.5)
        axes.plot(place, one.value, "o", color=colour, markersize=3)
    axes.axhline(exact.guarantee, color="0.3", linewidth=1)
    axes.set_xlabel("runs, by their answer (orange: the interval misses what brute force says)")
    axes.set_ylabel(f"smallest guarantee with {LIMIT}")
    return figure


if __name__ == "__main__":
    sys.exit(main())
