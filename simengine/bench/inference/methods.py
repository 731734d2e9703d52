"""Baseline methods of inference."""

from __future__ import annotations

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.bench.refusals import NotApplicableError
from simengine.bench.trial import Trial
from simengine.streams import generator_of

_KEPT = 1000
_ACCEPTED = 0.02
"""Share of the simulated data sets that are taken for the observed one."""
_FEWEST_ACCEPTED = 100
_SHRINKAGE = 0.98
"""Of a particle that is moved: the weight of where it stood."""


def prior_sample(trial: Trial, seed: int) -> dict[str, Floats]:
    """Return draws from the prior: what every method must beat."""
    return {"samples": trial.simulate({}, min(trial.budget, _KEPT), seed)["theta"]}


def reweighting(trial: Trial, seed: int) -> dict[str, Floats]:
    """Weigh draws from the prior by the likelihood, and draw from them again by their weights, evenly."""
    found = trial.simulate({}, trial.budget, seed)
    logs = found["log_likelihood"]
    weight = np.exp(logs - logs.max())
    return {"samples": found["theta"][evenly_by_weight(weight, _KEPT, generator_of(seed, "bench/reweighting").random())]}


def evenly_by_weight(weight: Floats, n: int, offset: float) -> Integers:
    """Draw places by their weights, evenly: one uniform, then steps of 1/n (Kitagawa 1996)."""
    places = np.searchsorted(np.cumsum(weight / weight.sum()), (np.arange(n) + offset) / n)
    return np.asarray(np.minimum(places, len(weight) - 1))


def particle_filter(trial: Trial, seed: int) -> dict[str, Floats]:
    """Weigh particles by one wave after the other; where few of them carry the weight, draw them again and move them a little.

    The moves are those of Liu and West (2001), equation 10.3.9: towards the mean and by noise, so that mean and variance stay.
    """
    waves = trial.describe()["waves"]
    if waves == 1:
        raise NotApplicableError("what was observed did not come in waves")
    n, draws = trial.budget // waves, generator_of(seed, "bench/particles")
    found = trial.simulate({}, n, seed)
    theta, logs = found["theta"], found["log_likelihood_by_wave"]
    low, high = theta.min(axis=0), theta.max(axis=0)
    weight = np.full(n, 1 / n)
    for wave in range(waves):
        weight = weight * np.exp(logs[:, wave] - logs[:, wave].max())
        weight /= weight.sum()
        if wave < waves - 1 and 1 / (weight**2).sum() < n / 2:
            mean = weight @ theta
            axes, variances, _ = np.linalg.svd((theta - mean).T * weight @ (theta - mean))
            noise = draws.standard_normal(theta.shape) * np.sqrt((1 - _SHRINKAGE**2) * variances) @ axes.T
            chosen = theta[evenly_by_weight(weight, n, draws.random())]
            moved = _SHRINKAGE * chosen + (1 - _SHRINKAGE) * mean + noise
            # What the prior never drew may be impossible.
            theta = np.clip(moved, low, high)
            logs, weight = trial.simulate({"theta": theta}, n, seed + wave + 1)["log_likelihood_by_wave"], np.full(n, 1 / n)
    return {"samples": theta[evenly_by_weight(weight, _KEPT, draws.random())]}


def abc_rejection(trial: Trial, seed: int) -> dict[str, Floats]:
    """Keep the draws from the prior whose data are nearest to the observed ones (Pritchard et al. 1999)."""
    found, observed = trial.simulate({}, trial.budget, seed), trial.describe()["observed"]
    data = found["data"]
    scale = data.std(axis=0)
    distance = np.sqrt((((data - observed) / np.where(scale > 0, scale, 1.0)) ** 2).sum(axis=1))
    kept = min(max(round(_ACCEPTED * len(distance)), _FEWEST_ACCEPTED), len(distance))
    return {"samples": found["theta"][np.argsort(distance, kind="stable")[:kept]]}
