"""What is asked of a sample: a mean, a probability, a tail, a difference between contracts, a derivative by a term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from simengine.arrays import Floats

Functional = Literal["mean", "sd", "below", "at_least", "quantile", "cvar"]
BY_MEANS = ("mean", "below", "at_least")
"""Functionals that are means of something in every replication."""


@dataclass(frozen=True)
class AskedQuantity:
    """One number that is asked for."""

    functional: Functional = "mean"
    column: str = "net"
    at: float = 0.0
    """The threshold of a probability, or the level of a quantile or CVaR."""
    terms: Mapping[str, float] = field(default_factory=dict)
    """The contract that is meant; terms left out are those that the problem describes."""
    less: Mapping[str, float] | None = None
    """Another contract, whose value is taken off."""
    by: str = ""
    """A term by which the derivative is taken."""

    def described(self) -> dict[str, Any]:
        """Return it as plain data, without what is absent."""
        found: dict[str, Any] = {"functional": self.functional, "column": self.column}
        found |= {} if self.functional in ("mean", "sd") else {"at": self.at}
        found |= {"terms": dict(self.terms)} if self.terms else {}
        found |= {} if self.less is None else {"less": dict(self.less)}
        return found | ({"by": self.by} if self.by else {})


def per_replication(values: Floats, functional: str, at: float) -> Floats:
    """Return what each replication adds to a functional that is a mean."""
    if functional == "mean":
        return values
    return np.asarray(values < at if functional == "below" else values >= at, dtype=np.float64)


def functional_of(values: Floats, functional: str, at: float, weights: Floats | None = None) -> float:
    """Return a functional of a sample.

    Parameters
    ----------
    values
        Shape (n,).
    functional, at
        As in `AskedQuantity`; of a loss, -values, for `cvar`: the mean of its worst share 1 - at.
    weights
        Shape (n,), not negative; absent: equal ones. Means divide by n and not by their sum: weights of importance sampling are
        right on average only.
    """
    n = len(values)
    if functional in BY_MEANS:
        added = per_replication(values, functional, at)
        return float(np.mean(added if weights is None else added * weights))
    share = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    if functional == "sd":
        mean = float(share @ values)
        correction = 1 - float(share @ share)
        return float(np.sqrt(share @ (values - mean) ** 2 / correction)) if correction > 0 else 0.0
    if functional == "quantile":
        order = np.argsort(values, kind="stable")
        place = int(np.searchsorted(np.cumsum(share[order]), at * (1 - 1e-12)))
        return float(values[order[min(place, n - 1)]])
    return worst_mean(values, share, at)


def worst_mean(values: Floats, share: Floats, level: float) -> float:
    """Return the mean loss, -value, in the worst 1 - level; of a tie at the quantile the needed part counts."""
    order = np.argsort(values, kind="stable")
    left = np.minimum(np.cumsum(share[order]), 1 - level)
    return float(-(np.diff(left, prepend=0.0) @ values[order]) / (1 - level))
