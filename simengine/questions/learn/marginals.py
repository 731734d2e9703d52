"""Write weighted values as a distribution of the study language."""

from __future__ import annotations

from typing import Any

import numpy as np

from simengine.distributions import Beta, Empirical, Gamma, Lognormal, Normal, Quantiles, Referrals, SeenEvents, Sourced
from simengine.records import Floats

_FARTHEST = 0.01
"""Largest difference of distribution functions at which a family stands for the values, over what chance makes of it."""
_LEVELS = (0.005, 0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99, 0.995)
_MOST_VALUES = 200
_PROBES = np.linspace(0.005, 0.995, 199)
_FAMILIES: dict[type[Sourced], type[Sourced]] = {
    Normal: Normal,
    Lognormal: Lognormal,
    Beta: Beta,
    Gamma: Gamma,
    SeenEvents: Gamma,
}


def weighted_moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Return the weighted mean and standard deviation."""
    share = weights / weights.sum()
    mean = float(share @ values)
    return mean, float(np.sqrt(share @ (values - mean) ** 2))


def written_as(before: Sourced, values: Floats, weights: Floats, effective: float, **words: Any) -> Sourced:
    """Return a distribution of some weighted values.

    Parameters
    ----------
    before
        The distribution of the prior, which says of which kind the number is.
    values, weights
        Shape (n,).
    effective
        Their effective sample size.
    words
        Source, certainty, note and layer.

    Returns
    -------
    The family of the prior with the mean and the standard deviation of the values, if its distribution function is as near to theirs
    as chance allows; else a list of quantiles, or of values where only some can occur.
    """
    if isinstance(before, Referrals | Empirical):
        return _listed(values, weights, words)
    family = _FAMILIES.get(type(before))
    mean, sd = weighted_moments(values, weights)
    if family is not None:
        name = family.__name__.lower()
        fitted = family.model_validate({"distribution": name, "mean": _short(mean), "sd": _short(sd), **words})
        if distance(fitted, values, weights) <= _FARTHEST + 1.5 / np.sqrt(effective):
            return fitted
    return _through_quantiles(before, values, weights, effective, words)


def distance(distribution: Any, values: Floats, weights: Floats) -> float:
    """Return the largest difference between a distribution function and that of some weighted values (Kolmogorov)."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    place = np.searchsorted(values[order], distribution.inverse(_PROBES), side="right")
    return float(np.abs(np.concatenate([[0.0], reached])[place] - _PROBES).max())


def quantile_of(values: Floats, weights: Floats, levels: Floats) -> Floats:
    """Return weighted quantiles, interpolated between the values at the middle of their weights."""
    order = np.argsort(values, kind="stable")
    part = weights[order] / weights.sum()
    return np.interp(levels, np.cumsum(part) - part / 2, values[order])


def _through_quantiles(before: Sourced, values: Floats, weights: Floats, effective: float, words: dict[str, Any]) -> Sourced:
    end = min(0.5 / effective, 0.002)
    inside = np.array(_LEVELS)
    levels = np.concatenate([[0.0], inside[(inside > end) & (inside < 1 - end)], [1.0]])
    found = quantile_of(values, weights, np.clip(levels, end, 1 - end))
    low, high = before.support  # type: ignore[attr-defined]
    found = np.array([_short(one) for one in np.clip(found, low, high)])
    rising = np.concatenate([[True], np.diff(found) > 0])
    rising[-1] = True
    while rising.sum() > 2 and (np.diff(found[rising]) <= 0).any():
        # The last value must stay: what is not below it goes.
        kept = np.flatnonzero(rising)
        rising[kept[:-1][found[kept[:-1]] >= found[-1]]] = False
    pairs = {"levels": levels[rising].tolist(), "values": found[rising].tolist()}
    return Quantiles.model_validate({"distribution": "quantiles", **pairs, **words})


def _listed(values: Floats, weights: Floats, words: dict[str, Any]) -> Sourced:
    kinds, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights) / weights.sum()
    if len(kinds) > _MOST_VALUES:
        middles = (np.arange(_MOST_VALUES) + 0.5) / _MOST_VALUES
        order = np.searchsorted(np.cumsum(mass), middles)
        kinds, counts = np.unique(kinds[np.minimum(order, len(kinds) - 1)], return_counts=True)
        mass = counts / counts.sum()
    seen = mass > 1e-6
    if seen.sum() < 2:
        seen[np.argsort(mass)[-2:]] = True
    content = {"values": kinds[seen].tolist(), "weights": [_short(max(one, 1e-12)) for one in mass[seen]]}
    return Empirical.model_validate({"distribution": "empirical", **content, **words})


def _short(number: float) -> float:
    """Round to six digits, which a reader can bear."""
    return float(f"{number:.6g}")
