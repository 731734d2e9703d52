"""Baseline methods of inference."""

from __future__ import annotations

import numpy as np

from simengine.arrays import Floats
from simengine.bench.trial import Trial
from simengine.streams import generator_of

_KEPT = 1000
_ACCEPTED = 0.02
"""Share of the simulated data sets that are taken for the observed one."""
_FEWEST_ACCEPTED = 100


def prior_sample(trial: Trial, seed: int) -> dict[str, Floats]:
    """Return draws from the prior: what every method must beat."""
    return {"samples": trial.simulate({}, min(trial.budget, _KEPT), seed)["theta"]}


def reweighting(trial: Trial, seed: int) -> dict[str, Floats]:
    """Weigh draws from the prior by the likelihood, and draw from them again by their weights, evenly."""
    found = trial.simulate({}, trial.budget, seed)
    logs = found["log_likelihood"]
    weight = np.exp(logs - logs.max())
    offset = generator_of(seed, "bench/reweighting").random()
    places = np.searchsorted(np.cumsum(weight / weight.sum()), (np.arange(_KEPT) + offset) / _KEPT)
    return {"samples": found["theta"][np.minimum(places, len(weight) - 1)]}


def abc_rejection(trial: Trial, seed: int) -> dict[str, Floats]:
    """Keep the draws from the prior whose data are nearest to the observed ones (Pritchard et al. 1999)."""
    found, observed = trial.simulate({}, trial.budget, seed), trial.describe()["observed"]
    data = found["data"]
    scale = data.std(axis=0)
    distance = np.sqrt((((data - observed) / np.where(scale > 0, scale, 1.0)) ** 2).sum(axis=1))
    kept = min(max(round(_ACCEPTED * len(distance)), _FEWEST_ACCEPTED), len(distance))
    return {"samples": found["theta"][np.argsort(distance, kind="stable")[:kept]]}
