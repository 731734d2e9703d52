"""The answers of the frozen studies that have a closed form, by enumeration or by quantiles: no part of the engine is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.late import stats

ExactDistribution = tuple[Floats, Floats]
"""Values of the investor's money, and their probabilities."""
_QUANTILES = 2_000_000


def four_answers(distribution: ExactDistribution, level: float = 0.95) -> dict[str, float]:
    """Return mean, sd, P(loss) and CVaR of the loss; of a tie at the quantile the needed part counts."""
    values, weights = distribution
    mean, size = float(values @ weights), float(np.abs(values) @ weights)
    # What rounding alone can leave of amounts that cancel is nothing.
    mean = mean if abs(mean) > np.finfo(np.float64).eps * size else 0.0
    order = np.argsort(values)
    left = np.minimum(np.cumsum(weights[order]), 1 - level)
    in_tail = np.diff(left, prepend=0.0)
    return {
        "mean": mean,
        "sd": float(np.sqrt(weights @ (values - mean) ** 2)),
        "p_loss": float(weights[values < 0].sum()),
        "cvar95": float(-(in_tail @ values[order]) / (1 - level)),
    }


def _counts(distribution: Any, most: int, pay: Callable[[Floats], Any], lent: float) -> ExactDistribution:
    count = np.arange(most + 1)
    return np.asarray(pay(count.astype(float)) - lent, dtype=np.float64), distribution.pmf(count)


def _quantiles(distribution: Any, pay: Callable[[Floats], Any], lent: float) -> ExactDistribution:
    level = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return np.asarray(pay(distribution.ppf(level)) - lent, dtype=np.float64), np.full(_QUANTILES, 1 / _QUANTILES)


def closed_forms() -> dict[str, ExactDistribution]:
    """Return the distribution of the investor's money in every problem that has one."""
    unknown = stats.betabinom(60, 8, 12)
    lot = stats.norm(3, 10 * np.sqrt(2 / 40))
    # C = 10 referrers, shape 2, mean 1.2 a month for 24 months: NB(20, (2 / 1.2) / (2 / 1.2 + 24)) (Anisimov and Fedorov 2007).
    volume = stats.nbinom(20, (2 / 1.2) / (2 / 1.2 + 24))
    return {
        "two_people_and_a_coin": _counts(stats.binom(2, 0.5), 2, lambda x: x, 1),
        "sixty_coins": _counts(stats.binom(60, 0.4), 60, lambda x: x, 20),
        "sixty_unknown_coins": _counts(unknown, 60, lambda x: x, 20),
        "a_trigger_of_thirty": _counts(unknown, 60, lambda x: np.where(x >= 30, 80.0, 0.0), 20),
        "floor_and_cap": _counts(unknown, 60, lambda x: np.clip(x - 20, 0, 15), 5),
        "a_volume_of_referrals": _counts(volume, 3000, lambda x: x, 230),
        # Paid in month floor(U), U uniform from 12 to 24: each of 12 to 23 alike; 100 are lent in month 0, 5 % a year.
        "a_late_payment": (np.asarray(105 * 1.05 ** (-np.arange(12, 24) / 12) - 100, dtype=np.float64), np.full(12, 1 / 12)),
        "a_prize_by_lot": (np.array([1000.0, -1000.0]), np.array([lot.sf(1.5), lot.cdf(1.5)])),
        "a_price_per_point": _quantiles(lot, lambda x: np.clip(400 * x, 0, 2000), 1000),
        "a_rare_prize": (np.array([1000.0, -1000.0]), np.array([stats.norm.sf(4), stats.norm.cdf(4)])),
    }
