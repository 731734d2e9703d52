"""Statistics of quantities that are measured in only some replications.

A replication without a comparison has no estimate; counting it as 0 would be an estimate.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting, given

NOT_GIVEN = Statistic(float("nan"), float("nan"))
"""Placeholder for a statistic of fewer than two replications."""


def those_measured(weighting: Weighting | None, *samples: Floats) -> tuple[tuple[Floats, ...], Weighting | None]:
    """Return the rows of some samples, each of shape (n_rows,), in which all are measured, and how these rows were drawn."""
    is_there = reduce(np.logical_and, [np.isfinite(sample) for sample in samples])
    if is_there.all():
        return samples, weighting
    return tuple(sample[is_there] for sample in samples), given(weighting, is_there)


def mean_of_measured(sample: Floats) -> Statistic:
    """Return the mean over the rows in which something was measured; `NOT_GIVEN` where these are fewer than two."""
    (there,), _ = those_measured(None, sample)
    return statistics.mean(there) if len(there) > 1 else NOT_GIVEN


def level_of_measured(sample: Floats) -> float | None:
    """Return the plain mean of what was measured; nothing where nothing was."""
    there = sample[np.isfinite(sample)]
    return float(np.mean(there)) if len(there) else None
