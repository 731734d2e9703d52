"""Statistics of a sample, each with its Monte Carlo standard error.

Losses are positive. CVaR is the Rockafellar-Uryasev form, so that payouts with atoms (a guarantee, a cap) are handled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """A value and the standard error that the number of replications leaves in it."""

    value: float
    se: float
    upper_95: float | None = None
    """For a probability of which no case was seen: an upper 95 % bound."""


def mean(sample: Floats) -> Statistic:
    """Give the mean, with standard error s / sqrt(n)."""
    return Statistic(float(np.mean(sample)), float(np.std(sample, ddof=1) / np.sqrt(len(sample))))


def sd(sample: Floats) -> Statistic:
    """Give the standard deviation, with the standard error of its large-sample law.

    Notes
    -----
    Var(s^2) = (m4 - s^4 (n - 3) / (n - 1)) / n with m4 the fourth central moment; the delta method divides its root by 2 s.

    References
    ----------
    Cramer, H. (1946), Mathematical Methods of Statistics, section 27.4.
    """
    n = len(sample)
    spread = float(np.std(sample, ddof=1))
    if spread == 0.0:
        return Statistic(0.0, 0.0)
    standardised = (sample - np.mean(sample)) / spread
    variance = max(float(np.mean(standardised**4)) - (n - 3) / (n - 1), 0.0) / n
    return Statistic(spread, spread * np.sqrt(variance) / 2)


def probability(cases: NDArray[np.bool_]) -> Statistic:
    """Give the share of cases, with standard error sqrt(p (1 - p) / n); no case in n has the upper bound 3 / n."""
    n = len(cases)
    share = float(np.mean(cases))
    return Statistic(share, float(np.sqrt(share * (1 - share) / n)), upper_95=min(3 / n, 1.0) if share == 0.0 else None)


def quantile(sample: Floats, level: float) -> Statistic:
    """Give a quantile, with the standard error of Maritz and Jarrett.

    Notes
    -----
    The order statistics around the quantile are weighted by the increments of a beta distribution with parameters
    level (n + 1) and (1 - level) (n + 1); the variance is that of the order statistics under these weights. Needs no
    density, and is 0 inside an atom.

    References
    ----------
    Maritz, J. S. and Jarrett, R. G. (1978), A note on estimating the variance of the sample median, JASA 73, 194-196.
    """
    n = len(sample)
    ordered = np.sort(sample)
    value = float(np.quantile(ordered, level))
    reach = int(10 * np.sqrt(n * level * (1 - level))) + 10
    first, last = max(int(n * level) - reach, 0), min(int(n * level) + reach, n)
    edges = special.betainc(level * (n + 1), (1 - level) * (n + 1), np.arange(first, last + 1) / n)
    weights, around = np.diff(edges), ordered[first:last] - value
    weights = weights / weights.sum()
    variance = float(weights @ around**2 - (weights @ around) ** 2)
    return Statistic(value, float(np.sqrt(max(variance, 0.0))))


def value_at_risk(loss: Floats, level: float) -> Statistic:
    """Give the loss that is exceeded with probability 1 - level."""
    return quantile(loss, level)


def conditional_value_at_risk(loss: Floats, level: float) -> Statistic:
    """Give the mean loss in the worst 1 - level of worlds, q + E(X - q)+ / (1 - level).

    Notes
    -----
    The standard error is that of the mean of (X - q)+ / (1 - level): the error of q does not enter to first order,
    because q minimises the expression. Equal to [Var(X | tail) + level (CVaR - q)^2] / (1 - level) / n.

    References
    ----------
    Rockafellar, R. T. and Uryasev, S. (2000), Optimization of conditional value-at-risk, Journal of Risk 2, 21-41.
    """
    # An order statistic, not an interpolation: only such a q minimises the expression for every number of replications.
    q = float(np.quantile(loss, level, method="inverted_cdf"))
    excess = mean(np.maximum(loss - q, 0.0) / (1 - level))
    return Statistic(q + excess.value, excess.se)


def distribution(sample: Floats) -> dict[str, Statistic]:
    """Give mean, sd and the quantiles p05, p25, p50, p75, p95."""
    levels = {f"p{round(100 * level):02d}": quantile(sample, level) for level in (0.05, 0.25, 0.50, 0.75, 0.95)}
    return {"mean": mean(sample), "sd": sd(sample), **levels}
