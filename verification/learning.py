"""Hold the posterior of `simengine learn` to what was true: simulation-based calibration.

For each of many data sets the numbers of a cheap study are drawn from its distributions, and one replication with these numbers is
what was observed. If the posterior given it is right, the posterior distribution function at the true number is uniform between 0
and 1 over the data sets, for every number. Where a number takes whole values, a uniform share of the weight at the true one is
added. Held to limits that all numbers together exceed once in 1,000 studies (Bonferroni), by number:

- chi-square of ten bins, with 9 degrees of freedom;
- the mean, normal with standard deviation sqrt(1/12/sets): a posterior that lies beside the truth;
- the variance of the normal scores, times the sets nearly a chi-square with as many degrees of freedom: one too narrow or too wide.

With `--plant` the density of the proposals is left out of the weights: the study must then fail. Run it from the checkout:

    python -m verification.learning --sets 150 -o FOLDER

Talts, Betancourt, Simpson, Vehtari and Gelman 2018, "Validating Bayesian inference algorithms with simulation-based calibration",
arXiv:1804.06788.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from matplotlib.figure import Figure
from scipy import special, stats

from simengine.config import Study, load_study
from simengine.pipeline import draw_numbers
from simengine.questions.learn import posterior as posteriors
from simengine.questions.learn.observer import observer_of, overrides_of
from simengine.questions.learn.posterior import draw_posterior
from simengine.questions.learn.results import results_of
from simengine.records import Floats
from simengine.replications.ensemble import Ensemble
from simengine.sampling import distributions_of
from simengine.streams import generator_of, uniforms

FALSE_ALARM_RATE = 0.001
N_BINS = 10
STUDY: Mapping[str, Any] = {
    "study": {"title": "Families referred, made up", "currency": "EUR", "start": "2030-01", "horizon_months": 24},
    "parties": {
        "investor": {"name": "Fund", "discount_rate_per_year": 0},
        "outcome_payer": {"name": "Town", "discount_rate_per_year": 0},
        "service_provider": {"name": "Provider", "discount_rate_per_year": 0},
    },
    "population": {
        "waves": {
            "all": {
                "size": {"distribution": "referrals", "referrers": 6, "per_month_each": 1.5, "shape": 3, "months": 12},
                "enrolment_months": 12,
            }
        },
        "strata": {"everybody": {"share": 1}},
    },
    "pathway": {
        "states": ["edge", "home", "care"],
        "start": {"everybody": {"edge": 1}},
        "moves": {
            "edge -> home": {"per_month": {"distribution": "beta", "mean": 0.10, "sd": 0.03}},
            "edge -> care": {"per_month": {"distribution": "beta", "mean": 0.06, "sd": 0.02}},
        },
    },
    "effect": {"settles": {"move": "edge -> home", "hazard_ratio": {"distribution": "lognormal", "interval_90": [0.8, 2.4]}}},
    "outcomes": {"settled": {"kind": "reached", "states": "home"}, "in_care": {"kind": "reached", "states": "care"}},
    "measurement": {"counted": {"settled": {"missed": {"distribution": "beta", "mean": 0.1, "sd": 0.05}}, "in_care": {}}},
    "contract": {
        "title": "A price for each who settles",
        "currency": "EUR",
        "commitment": 1000,
        "dates": {"end": {"month": 24}},
        "outcomes": {
            "settled": {"meaning": "lives at home", "evaluator": "the register"},
            "in_care": {"meaning": "is in care", "evaluator": "the register"},
        },
        "terms": {"card": {"rate_card": {"settled": {"price": 1}}}},
    },
    "capital": {"drawn_share": 1, "drawdown_months": 1},
    "public_value": {},
    "run": {"replications": 100},
}
OBSERVED = (
    {"of": "people", "until_month": 8},
    {"of": "outcome.settled", "until_month": 6},
    {"of": "outcome.settled", "after_month": 6, "until_month": 12},
    {"of": "outcome.in_care", "until_month": 12},
)


@dataclass(frozen=True)
class Judged:
    """One number over all data sets."""

    path: str
    places: Floats
    """Shape (n_sets,): the posterior distribution function at the truth."""

    @property
    def chi_square(self) -> float:
        """Of ten bins."""
        counts = np.histogram(self.places, bins=N_BINS, range=(0, 1))[0]
        expected = len(self.places) / N_BINS
        return float(((counts - expected) ** 2 / expected).sum())

    @property
    def z_mean(self) -> float:
        """Distance of the mean from a half, in its standard deviations."""
        return float((self.places.mean() - 0.5) * sqrt(12 * len(self.places)))

    @property
    def spread(self) -> float:
        """Sum of the squared normal scores."""
        return float((special.ndtri(np.clip(self.places, 1e-6, 1 - 1e-6)) ** 2).sum())

    def fails(self, rate: float) -> list[str]:
        """Say which limits are exceeded; each of the three at a third of the rate."""
        n, found = len(self.places), []
        if self.chi_square > stats.chi2.isf(rate / 3, N_BINS - 1):
            found.append(f"{self.path}: chi-square {self.chi_square:.1f} of ten bins")
        if abs(self.z_mean) > stats.norm.isf(rate / 6):
            found.append(f"{self.path}: mean off by {self.z_mean:+.1f} standard deviations")
        low, high = stats.chi2.ppf([rate / 6, 1 - rate / 6], n)
        if not low <= self.spread <= high:
            found.append(f"{self.path}: squared scores {self.spread:.0f}, not from {low:.0f} to {high:.0f}")
        return found


def calibrate(study: Study, n_sets: int, n_replications: int, seed: int) -> list[Judged]:
    """Draw data sets, learn from each, and place the truth."""
    shape = [{**row, "value": 0.0} for row in OBSERVED]
    observer = observer_of(study, results_of(study, [], shape))
    paths = tuple(distributions_of(study.numbers))
    sets = np.arange(n_sets)
    truths = draw_numbers(study, seed, sets)
    uniform = np.stack([uniforms(seed, f"parameter/{path}", sets) for path in paths], axis=1)
    shown = observer.shown(seed, sets, overrides_of(paths, uniform))
    lots = generator_of(seed, "verification/learning").random((n_sets, len(paths)))
    places = np.empty((n_sets, len(paths)))
    for one in range(n_sets):
        rows = [{**row, "value": float(shown[result.label][one])} for row, result in zip(shape, observer.results, strict=True)]
        # Other people: a seed of its own for each data set.
        found = draw_posterior(study, results_of(study, [], rows), Ensemble(seed + 1 + one, n_replications), 10.0)
        weights = found.weights / found.weights.sum()
        for j, path in enumerate(paths):
            values, truth = found.values[path], truths[path][one]
            places[one, j] = weights @ (values < truth) + lots[one, j] * (weights @ (values == truth))
    return [Judged(path, places[:, j]) for j, path in enumerate(paths)]


def draw(judged: list[Judged]) -> Figure:
    """Draw a histogram for each number: flat if the posterior is right."""
    figure = Figure(figsize=(4 * len(judged), 3), layout="constrained")
    for axes, one in zip(figure.subplots(1, len(judged), squeeze=False)[0], judged, strict=True):
        axes.hist(one.places, bins=N_BINS, range=(0, 1), color="0.6")
        axes.axhline(len(one.places) / N_BINS, color="0.2")
        axes.set_title(one.path, fontsize=8)
    return figure


def _forgetful(scores: Floats, *_: object) -> Floats:
    """Leave out from what the scores were drawn."""
    return np.zeros(len(scores))


def main() -> int:
    """Run the study; the exit code says whether a limit was exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=150)
    parser.add_argument("-n", type=int, default=1500, dest="n_replications")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--plant", action="store_true", help="leave the proposals out of the weights: must fail")
    parser.add_argument("-o", type=Path, dest="output")
    asked = parser.parse_args()
    planted: AbstractContextManager[object] = (
        mock.patch.object(posteriors, "log_prior_over_mixture", _forgetful) if asked.plant else nullcontext()
    )
    with planted:
        judged = calibrate(load_study(STUDY), asked.sets, asked.n_replications, asked.seed)
    failed = []
    for one in judged:
        print(f"{one.path:45s} chi-square {one.chi_square:5.1f}  mean {one.z_mean:+5.2f}  squares {one.spread:6.1f}")
        failed += one.fails(FALSE_ALARM_RATE / len(judged))
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        draw(judged).savefig(asked.output / "learning.png")
    print("\n".join(failed) or f"{asked.sets} data sets: no limit exceeded")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
