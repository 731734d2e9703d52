"""Jackknife standard error of any statistic of replications, and the weights of a tail."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simengine.records import Floats
from simengine.risk.coverage import judged
from simengine.risk.statistics import Statistic

N_GROUPS = 50


def tail_weights(loss: Floats, level: float) -> Floats:
    """Return the weights of replications in a CVaR; they add up to 1.

    Replications beyond the quantile q weigh 1 / ((1 - level) n) each, those at q share the remainder: then the weighted mean of the
    loss is the CVaR of Rockafellar and Uryasev even if payments have atoms.
    """
    q = np.quantile(loss, level, method="inverted_cdf")
    beyond, at = loss > q, loss == q
    whole = (1 - level) * len(loss)
    return np.asarray((beyond + at * ((whole - beyond.sum()) / at.sum())) / whole)


def with_error(estimate: Callable[[Floats], Floats], draws: Floats, n_groups: int = N_GROUPS) -> NDArray[np.object_]:
    """Compute an estimate from replications, with the standard error of the delete-a-group jackknife.

    Parameters
    ----------
    estimate
        From some replications, shape (n, ...), to an array of numbers.
    draws
        Shape (n_replications, ...): one row per independent replication.
    n_groups
        Groups of neighbouring rows, of which each is left out once; fewer where there are fewer rows.

    Returns
    -------
    The shape of the estimate: statistics.

    Notes
    -----
    With t_g the estimate without group g of G, the variance is (G - 1) / G times the sum of (t_g - mean t)^2. Deleting groups, not
    single rows, keeps it right for quantiles and tails. Where few groups carry it, it is stretched, or said not to cover.

    References
    ----------
    Shao, J. and Tu, D. (1995), The Jackknife and Bootstrap, sections 2.2 and 2.3, doi:10.1007/978-1-4612-0795-5.
    """
    value = np.asarray(estimate(draws))
    edges = np.linspace(0, len(draws), min(n_groups, len(draws)) + 1).astype(np.int64)
    without = np.stack([np.asarray(estimate(np.concatenate([draws[:first], draws[last:]]))) for first, last in pairwise(edges)])
    n = len(without)
    apart = without - without.mean(axis=0)
    error = np.sqrt((n - 1) / n * (apart**2).sum(axis=0))
    found = np.empty(value.shape, dtype=object)
    for place in np.ndindex(value.shape):
        one = judged(float(error[place]), apart[(slice(None), *place)])
        found[place] = Statistic(float(value[place]), one.se, covers=one.covers)
    return found
