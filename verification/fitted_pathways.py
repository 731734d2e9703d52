"""Simulation-based calibration of `simengine fit`: where the truth comes from the priors, its ranks in the posteriors are uniform.

Many data sets are made: numbers are drawn from the priors, people are simulated with them by plain Python and NumPy (nothing of the
engine), observed from a day on (left truncation; who has left by then is never seen) and until another (censoring), and fitted. The
probability that the fitted distribution, as it is written into the study, gives to values below the truth is then uniform: if it is
not, the distribution is too narrow, too wide or biased. Each number's probabilities are put into 20 bins; a chi-square with 19 degrees
of freedom says how likely so uneven a filling is, and the mean and the spread of the probabilities say in which direction it fails.

Run it from the checkout; 200 data sets of every case take some minutes:

    python -m verification.fitted_pathways --sets 200 --table verification/fitted.csv

References
----------
Cook, Gelman and Rubin 2006, "Validation of software for Bayesian models using posterior quantiles", doi:10.1198/106186006X136976;
Talts, Betancourt, Simpson, Vehtari and Gelman 2018, "Validating Bayesian inference algorithms with simulation-based calibration",
arXiv:1804.06788.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter
from scipy import stats

from simengine import SimengineError
from simengine.config.document import Document
from simengine.distributions import Quantity
from simengine.spells.choices import FitChoices
from simengine.spells.hazards import FRAILTY_PATH, fit_hazards
from simengine.spells.plan import plan_fit
from simengine.spells.records import Spells, SpellsFile
from verification.fitted_events import EVENT_CASES, calibrate_events
from verification.fitted_scores import SCORE_CASES, calibrate_scores
from verification.height import height_of

DAYS_PER_MONTH = 365.25 / 12
STATES = ("away", "home", "placed")
MOVES = (("placed", "home"), ("home", "placed"), ("placed", "away"))
BINS = 20
_FIRST_DAY = 17_000.0
_PRIORS = {
    "rate": {"events": 4, "at_risk_months": 80},
    "weibull_shape": {"median": 1, "sd_of_log": 0.3},
    "frailty_variance": {"median": 0.5, "sd_of_log": 0.6},
    "factor": {"median": 0.7, "sd_of_log": 0.4},
    "trend_sd": 0.1,
}


@dataclass(frozen=True)
class Case:
    """What is fitted, and to how many people."""

    choices: Mapping[str, object]
    n_people: int = 150
    groups: tuple[str, ...] = ("a",)


CASES: Mapping[str, Case] = {
    "constant": Case({}),
    "pieces": Case({"stays": {"placed": {"by_months": [6, 18]}}}),
    "weibull": Case({"stays": {"placed": "weibull"}}),
    "trend": Case({"trend": ["placed -> home"]}),
    "strata and pieces": Case({"stays": {"placed": {"by_months": [6]}}}, 250, ("a", "b")),
    "frailty": Case({"frailty": ["placed -> home", "home -> placed"]}, 250),
    "frailty and weibull": Case({"frailty": ["placed -> home", "home -> placed"], "stays": {"placed": "weibull"}}, 250),
}


def calibrate(case: Case, n_sets: int, seed: int) -> dict[str, np.ndarray]:
    """Return by path of a number: the probability below the truth in every data set; NaN where it was not fitted."""
    choices = FitChoices.model_validate({**case.choices, "priors": _PRIORS})
    found: dict[str, list[float]] = {}
    for number in range(n_sets):
        rng = np.random.default_rng([seed, number])
        truth = _drawn(choices, case.groups, rng)
        spells = simulate_spells(truth, choices, case, rng)
        for path, height in _heights(spells, choices, truth).items():
            found.setdefault(path, []).append(height)
    return {path: np.array(heights) for path, heights in found.items()}


def _drawn(choices: FitChoices, groups: Sequence[str], rng: np.random.Generator) -> dict[str, float]:
    """Draw the numbers from the priors, by the paths at which the fit writes them."""
    priors, truth = choices.priors, dict[str, float]()

    def rate() -> float:
        return float(rng.gamma(priors.rate.events) / priors.rate.at_risk_months)

    for origin, target in MOVES:
        name, stay = f"{origin} -> {target}", choices.stays.get(origin, "constant")
        at = f"pathway.moves.{name}."
        strata = [f"by_stratum.{group}." for group in groups] if len(groups) > 1 else [""]
        for stratum in strata:
            truth[f"{at}{stratum}rate_per_month"] = rate()
        cuts = () if isinstance(stay, str) else stay.by_months
        for piece in range(len(cuts)):
            if len(groups) > 1:
                known = priors.factor
                truth[f"{at}by_months_in_state.factor.{piece}"] = known.median * np.exp(known.sd_of_log * rng.normal())
            else:
                truth[f"{at}by_months_in_state.rate_per_month.{piece}"] = rate()
        if stay == "weibull":
            truth[f"{at}weibull_shape"] = float(np.exp(priors.weibull_shape.sd_of_log * rng.normal()))
        if name in choices.trend:
            truth[f"{at}by_calendar.trend_per_year"] = float(priors.trend_sd * rng.normal())
    if choices.frailty:
        known = priors.frailty_variance
        truth[FRAILTY_PATH] = known.median * float(np.exp(known.sd_of_log * rng.normal()))
    return truth


def simulate_spells(truth: Mapping[str, float], choices: FitChoices, case: Case, rng: np.random.Generator) -> Spells:
    """Simulate people one by one: placed at a moment before or in the window, observed in it alone, if they have not left by then.

    Of people whose placement began before the window, only those are seen who are still in it: who was placed, went home and came
    back has another beginning in the file than the first placement, and is left out of this simulation.
    """
    window = 60.0
    rows: list[list[tuple[str, float, float, bool]]] = []
    groups: list[int] = []
    while len(rows) < case.n_people:
        group = int(rng.integers(len(case.groups)))
        variance = truth.get(FRAILTY_PATH)
        factor = rng.gamma(1 / variance) * variance if variance else 1.0
        person = _life(
            truth, choices, case.groups[group] if len(case.groups) > 1 else None, factor, rng.uniform(-24, window), window, rng
        )
        if person[0][2] > 0:
            rows.append(person)
            groups.append(group)
    return _as_spells(rows, groups, case.groups)


def _life(
    truth: Mapping[str, float],
    choices: FitChoices,
    group: str | None,
    factor: float,
    begin: float,
    window: float,
    rng: np.random.Generator,
) -> list[tuple[str, float, float, bool]]:
    """Return the spells of a person from a moment on: state, begin and end in months from the beginning of the window, and whether open."""
    state, at, rows = "placed", begin, []
    while at < window:
        ends = {
            target: at + _time_to(truth, choices, (origin, target), group, factor, at, rng)
            for origin, target in MOVES
            if origin == state
        }
        target = min(ends, key=ends.__getitem__, default="")
        if not target or ends[target] >= window:
            return [*rows, (state, at, window, True)]
        rows.append((state, at, ends[target], False))
        state, at = target, ends[target]
    return rows


def _time_to(
    truth: Mapping[str, float],
    choices: FitChoices,
    move: tuple[str, str],
    group: str | None,
    factor: float,
    at: float,
    rng: np.random.Generator,
) -> float:
    """Draw the time to a move by inverting its cumulative hazard, piece by piece, a trend month by month."""
    name = " -> ".join(move)
    path = f"pathway.moves.{name}."
    stay = choices.stays.get(move[0], "constant")
    first = truth[f"{path}by_stratum.{group}.rate_per_month" if group else f"{path}rate_per_month"]
    shape, trend = truth.get(f"{path}weibull_shape", 1.0), truth.get(f"{path}by_calendar.trend_per_year", 0.0)
    cuts = [0.0, *(() if isinstance(stay, str) else stay.by_months)]
    rates = [first]
    for piece in range(len(cuts) - 1):
        given = truth.get(f"{path}by_months_in_state.rate_per_month.{piece}")
        rates.append(first * truth[f"{path}by_months_in_state.factor.{piece}"] if given is None else given)
    left = rng.exponential() / (factor if name in choices.frailty else 1.0)
    if trend == 0.0:
        for piece, rate in enumerate(rates):
            end = cuts[piece + 1] if piece + 1 < len(cuts) else np.inf
            inside = rate * (end**shape - cuts[piece] ** shape)
            if inside >= left:
                return float((cuts[piece] ** shape + left / rate) ** (1 / shape))
            left -= inside
    # With a trend the hazard is rate × exp(trend × years), and its integral is known in closed form.
    growth = trend / 12
    reached = np.exp(growth * at) + left * growth / first
    return float(np.log(reached) / growth - at) if reached > 0 else np.inf


def _as_spells(rows: Sequence[Sequence[tuple[str, float, float, bool]]], groups: Sequence[int], names: Sequence[str]) -> Spells:
    """Write simulated people as spells; moments are kept as they are, not rounded to days, so that nothing but the fit is tested."""
    flat = [(person, *row) for person, of in enumerate(rows) for row in of]
    days = [np.array([_FIRST_DAY + one[place] * DAYS_PER_MONTH for one in flat]) for place in (2, 3)]
    first_spell = np.concatenate([[0], np.cumsum([len(of) for of in rows])])
    begins = days[0][first_spell[:-1]]
    return Spells(
        states=STATES,
        groups=tuple(names) if len(names) > 1 else ("all",),
        person=np.array([one[0] for one in flat]),
        state=np.array([STATES.index(one[1]) for one in flat]),
        first_day=days[0],
        end_day=days[1],
        is_open=np.array([one[4] for one in flat]),
        cost_per_day=np.full(len(flat), np.nan),
        first_spell=first_spell,
        group=np.array(groups),
        entry_day=np.maximum(begins, _FIRST_DAY),
        observed_until=days[1][first_spell[1:] - 1],
        file=SpellsFile("simulated", "0" * 64, len(flat)),
    )


_READ = TypeAdapter(Quantity)


def _heights(spells: Spells, choices: FitChoices, truth: Mapping[str, float]) -> dict[str, float]:
    """Return by path the probability that the written distribution gives to values below the truth."""
    try:
        plan = plan_fit(spells, choices, Document({}))
        fitted = fit_hazards(spells, plan, choices, _FIRST_DAY)
    except SimengineError:
        return dict.fromkeys(truth, np.nan)
    heights = {
        one.path: height_of(_READ.validate_python(dict(one.quantity)), truth[one.path])
        for one in fitted.numbers
        if one.path in truth
    }
    return {path: heights.get(path, np.nan) for path in truth}


def chi_square(heights: np.ndarray, bins: int = BINS) -> tuple[float, float]:
    """Return the chi-square of heights in equal bins, and the probability of a larger one if they are uniform."""
    known = heights[np.isfinite(heights)]
    seen = np.histogram(known, bins, (0, 1))[0]
    statistic = float(((seen - len(known) / bins) ** 2).sum() / (len(known) / bins))
    return statistic, float(stats.chi2.sf(statistic, bins - 1))


HEADER = ["case", "number", "sets", "chi_square", "p", "bias_z", "inside_90"]


def _keep(place: Path, table: Sequence[Sequence[str]]) -> None:
    """Write the figures to a file; those of other cases that it has stay."""
    before = list(csv.reader(place.read_text().splitlines()))[1:] if place.exists() else []
    cases = {row[0] for row in table}
    with place.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *(row for row in before if row[0] not in cases), *table])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--case", choices=[*CASES, *EVENT_CASES, *SCORE_CASES], action="append")
    parser.add_argument("--table", type=Path, help="keep the figures in this file, in the place of those of the same cases")
    asked = parser.parse_args(arguments)
    worst, table = 1.0, list[list[str]]()
    n_numbers = 0
    for name in asked.case or (*CASES, *EVENT_CASES, *SCORE_CASES):
        if name in CASES:
            ranks = calibrate(CASES[name], asked.sets, asked.seed)
        elif name in EVENT_CASES:
            ranks = calibrate_events(EVENT_CASES[name], asked.sets, asked.seed)
        else:
            ranks = calibrate_scores(SCORE_CASES[name], asked.sets, asked.seed)
        for path, heights in ranks.items():
            known = heights[np.isfinite(heights)]
            statistic, p = chi_square(heights)
            z = (known.mean() - 0.5) * np.sqrt(12 * len(known))
            inside = np.mean(np.abs(known - 0.5) < 0.45)
            print(
                f"{name:26} {path:62} n {len(known):4} chi-square {statistic:6.1f} p {p:.3f} bias z {z:+.2f} inside 90 %: {inside:.3f}",
                flush=True,
            )
            table.append([name, path, str(len(known)), *(f"{figure:.3f}" for figure in (statistic, p, z, inside))])
            worst, n_numbers = min(worst, p), n_numbers + 1
    if asked.table is not None:
        _keep(asked.table, table)
    print(f"smallest p {worst:.4f} of {n_numbers}; by Bonferroni {min(1.0, worst * n_numbers):.3f}")
    return int(worst * n_numbers < 0.01)


if __name__ == "__main__":
    sys.exit(main())
