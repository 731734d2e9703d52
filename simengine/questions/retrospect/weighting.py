"""Weigh replications by how close they came to a published figure, and summarise them by these weights.

Importance sampling from the forecast: no replication is drawn again, so what follows from an interim result costs nothing, and
the effective sample size says how much of the ensemble still speaks.
"""

from __future__ import annotations

import numpy as np

from simengine.late import special
from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting


def weights_near(values: Floats, low: float, high: float, spread: Floats) -> Floats:
    """Return the probability that each value, measured once more with an error, would fall between two ends.

    Parameters
    ----------
    values
        Shape (n_replications,): what each replication came to.
    low, high
        The ends of what a published figure stands for, both included.
    spread
        Shape (n_replications,): standard deviation of that error; where it is 0 the weight is 1 inside and 0 outside.

    Notes
    -----
    Phi((high - x) / spread) - Phi((low - x) / spread). For a value x that is itself an estimate with variance v, weighing by a
    normal error of variance h^2 is conditioning on an estimate with variance v + h^2: what it costs is an interval wider by
    sqrt(1 + h^2 / v).
    """
    inside = ((values >= low) & (values <= high)).astype(np.float64)
    scale = np.where(spread > 0, spread, 1.0)
    # By the smaller tail: far from the figure a difference of two numbers near 1 would be rounded away.
    side = np.where(values > (low + high) / 2 if np.isfinite(low + high) else values > high, -1.0, 1.0)
    near, far = np.where(side > 0, low - values, values - high) / scale, np.where(side > 0, high - values, values - low) / scale
    smooth = special.ndtr(-near) - special.ndtr(-far)
    return np.asarray(np.where(spread > 0, np.maximum(smooth, 0.0), inside))


def effective_sample_size(weights: Floats) -> float:
    """Return (sum w)^2 / sum w^2: as many equal replications would tell as much (Kish 1965, *Survey Sampling*, section 8.2)."""
    largest = float(weights.max(initial=0.0))
    if largest == 0.0:
        return 0.0
    scaled = weights / largest
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def weighted_mean(values: Floats, weights: Floats) -> Statistic:
    """Return sum w x / sum w, with the standard error of a ratio of means, sqrt(sum w^2 (x - mean)^2) / sum w (delta method)."""
    total = weights.sum()
    mean = float((weights * values).sum() / total)
    return Statistic(mean, float(np.sqrt((weights**2 * (values - mean) ** 2).sum()) / total))


def weighted_quantile(values: Floats, weights: Floats, level: float) -> Statistic:
    """Return a weighted quantile, a value that occurs, with Woodruff's error and interval; what weighs nothing is left out."""
    counts = weights > 0
    return statistics.quantile(values[counts], level, Weighting(int(counts.sum()), weight=weights[counts]))
