"""Baseline methods of forecasting a contract; what is a multiple of a plan is handled by its logarithm."""

from __future__ import annotations

import numpy as np

from simengine.arrays import Floats
from simengine.bench.refusals import NotApplicableError
from simengine.bench.trial import Trial
from simengine.late import stats

_LEVELS = (np.arange(1000) + 0.5) / 1000
_SPREAD = 0.25
"""Standard deviation about the plan: of the logarithm of a multiple, or years."""


def plan_holds(trial: Trial, seed: int) -> dict[str, Floats]:  # noqa: ARG001
    """Take the plan as the median, and a quarter for the spread: of the logarithm, or in years."""
    return _answer(trial, _SPREAD * stats.norm.ppf(_LEVELS))


def other_contracts(trial: Trial, seed: int) -> dict[str, Floats]:
    """Take what came of the plans of the other contracts."""
    return {"samples": trial.simulate({}, 1000, seed)[trial.describe()["column"]]}


def log_normal_of_others(trial: Trial, seed: int) -> dict[str, Floats]:  # noqa: ARG001
    """Fit a normal distribution to the logarithms of the others, or to their years, and predict one more (Geisser 1993)."""
    described = trial.describe()
    return _answer(trial, _one_more(_scored(trial, described["others"][described["column"]])))


def so_far_goes_on(trial: Trial, seed: int) -> dict[str, Floats]:  # noqa: ARG001
    """Let the ratio so far go on, and change as it changed in the others: a chain ladder of two years."""
    described = trial.describe()
    if "paid_over_planned_before" not in described:
        raise NotApplicableError("nothing of the payments is known yet")
    others = described["others"]
    changes = np.log(others[described["column"]]) - np.log(others["paid_over_planned_before"])
    return _answer(trial, np.log(described["paid_over_planned_before"]) + _one_more(changes))


def _one_more(values: Floats) -> Floats:
    """Return quantiles of what comes next after a normal sample whose mean and variance are unknown: Student's t."""
    n = len(values)
    scale = float(values.std(ddof=1)) * np.sqrt(1 + 1 / n)
    return np.asarray(float(values.mean()) + scale * stats.t.ppf(_LEVELS, n - 1))


def _scored(trial: Trial, values: Floats) -> Floats:
    return np.log(values) if trial.describe()["is_ratio"] else values


def _answer(trial: Trial, scored: Floats) -> dict[str, Floats]:
    return {"samples": np.exp(scored) if trial.describe()["is_ratio"] else scored}
