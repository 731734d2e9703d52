"""Simulation-based calibration of the scores of `simengine fit`: as that of its pathways, with a table of scores.

People have a level at entry and one at a date, both normal; the level at entry is read with an error, of some people twice. Who has a
low reading at entry is lost more often, so that only a fit that takes the reading at entry into account is calibrated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter
from scipy import special

from simengine import SimengineError
from simengine.distributions import Quantity
from simengine.spells.choices import Priors, ScoreChoices
from simengine.spells.score_fit import fit_score
from simengine.spells.score_pairs import ScorePairs
from verification.height import height_of

NAME = "wellbeing"
_PRIORS = Priors.model_validate({"score_mean": {"mean": 50, "sd": 8}, "score_sd": {"median": 10, "sd_of_log": 0.25}})
_READ = TypeAdapter(Quantity)


@dataclass(frozen=True)
class ScoresCase:
    """How many people, whether some are read twice, and how strongly drop-out depends on the reading at entry."""

    n_people: int = 80
    share_twice: float = 0.0
    loss_per_sd: float = 0.0


SCORE_CASES: Mapping[str, ScoresCase] = {
    "scores": ScoresCase(),
    "scores, drop-out": ScoresCase(120, loss_per_sd=-1.0),
    "scores, read twice": ScoresCase(150, 0.5, -0.5),
}


def calibrate_scores(case: ScoresCase, n_sets: int, seed: int) -> dict[str, np.ndarray]:
    """Return by path of a number: the probability below the truth in every data set; NaN where it was not fitted."""
    found: dict[str, list[float]] = {}
    for number in range(n_sets):
        rng = np.random.default_rng([seed, number])
        truth = _drawn_scores(case, rng)
        for path, height in _heights_of_scores(simulate_scores(truth, case, rng), truth).items():
            found.setdefault(path, []).append(height)
    return {path: np.array(heights) for path, heights in found.items()}


def _drawn_scores(case: ScoresCase, rng: np.random.Generator) -> dict[str, float]:
    """Draw the numbers from the priors, by the paths at which the fit writes them."""
    at, mean, spread = f"outcomes.{NAME}.", _PRIORS.score_mean, _PRIORS.score_sd
    assert mean is not None
    assert spread is not None
    means = rng.normal(mean.mean, mean.sd, 2)
    sds = spread.median * np.exp(spread.sd_of_log * rng.normal(size=2))
    reliability = rng.uniform() if case.share_twice else 1.0
    truth = {
        f"{at}mean_at_entry": float(means[0]),
        f"{at}mean": float(means[1]),
        f"{at}sd_at_entry": float(sds[0] * np.sqrt(reliability)),
        f"{at}sd": float(sds[1]),
        f"{at}correlation": float(rng.uniform(-1, 1)),
    }
    if case.share_twice:
        truth[f"{at}error_sd_at_entry"] = float(sds[0] * np.sqrt(1 - reliability))
    return truth


def simulate_scores(truth: Mapping[str, float], case: ScoresCase, rng: np.random.Generator) -> ScorePairs:
    """Simulate people one by one: their level at entry, two readings of it, the reading at the date, and whether they come to it."""
    at, n = f"outcomes.{NAME}.", case.n_people
    entry, second, late = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    rho, error = truth[f"{at}correlation"], truth.get(f"{at}error_sd_at_entry", 0.0)
    for person in range(n):
        z = rng.normal()
        level = truth[f"{at}mean_at_entry"] + truth[f"{at}sd_at_entry"] * z
        entry[person] = level + error * rng.normal()
        if rng.uniform() < case.share_twice:
            second[person] = level + error * rng.normal()
        then = truth[f"{at}mean"] + truth[f"{at}sd"] * (rho * z + np.sqrt(1 - rho**2) * rng.normal())
        total = np.hypot(truth[f"{at}sd_at_entry"], error)
        standing = (entry[person] - truth[f"{at}mean_at_entry"]) / total
        if rng.uniform() > special.expit(-1.0 + case.loss_per_sd * standing) * (case.loss_per_sd != 0.0):
            late[person] = then
    lost = np.isnan(late)
    return ScorePairs(entry, second, late, lost, np.ones(n, dtype=bool), 0)


def _heights_of_scores(pairs: ScorePairs, truth: Mapping[str, float]) -> dict[str, float]:
    """Return by path the probability that the written distribution gives to values below the truth."""
    try:
        fitted = fit_score(NAME, pairs, ScoreChoices(), _PRIORS, 12, "level", 5)
    except SimengineError:
        return dict.fromkeys(truth, np.nan)
    heights = {one.path: height_of(_READ.validate_python(dict(one.quantity)), truth[one.path]) for one in fitted.numbers}
    return {path: heights.get(path, np.nan) for path in truth}
