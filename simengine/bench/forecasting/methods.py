"""Baseline methods of forecasting a contract."""

from __future__ import annotations

import numpy as np

from simengine.arrays import Floats
from simengine.bench.trial import Trial
from simengine.late import stats

_LEVELS = (np.arange(1000) + 0.5) / 1000


def plan_holds(trial: Trial, seed: int) -> dict[str, Floats]:  # noqa: ARG001
    """Take the plan as the median, and a quarter for the spread of the logarithm."""
    return {"samples": np.exp(0.25 * stats.norm.ppf(_LEVELS))}


def other_contracts(trial: Trial, seed: int) -> dict[str, Floats]:
    """Take what the other contracts paid of their plans."""
    return {"samples": trial.simulate({}, 1000, seed)["paid_over_planned"]}


def log_normal_of_others(trial: Trial, seed: int) -> dict[str, Floats]:  # noqa: ARG001
    """Fit a normal distribution to the logarithms of the others, and predict one more: Student's t (Geisser 1993)."""
    logs = np.log(trial.describe()["others"]["paid_over_planned"])
    n = len(logs)
    scale = float(logs.std(ddof=1)) * np.sqrt(1 + 1 / n)
    return {"samples": np.exp(float(logs.mean()) + scale * stats.t.ppf(_LEVELS, n - 1))}
