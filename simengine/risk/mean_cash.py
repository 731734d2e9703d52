"""The rate of return of the mean cash of each month."""

from __future__ import annotations

import numpy as np

from simengine.columns import by_window
from simengine.records import CashMoments, Floats, ReplicationResults
from simengine.risk.coverage import ROUNDING
from simengine.risk.kernels import FOUND
from simengine.risk.returns import rates_of_return
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting


def irr_of_mean_cash(cash: CashMoments) -> Statistic | None:
    """Return the rate of return of the mean cash by date; nothing where the mean cash has no single rate.

    Notes
    -----
    With w_t = v^t at the rate i found, and Sigma the covariance of the cash between dates, the delta method gives
    se(i) = sqrt(w' Sigma w / n) / |d(mean cash . w) / di|.
    """
    mean = (cash.total / cash.n_replications).astype(np.float64)
    rates = rates_of_return(mean[None, :])
    if rates.status[0] != FOUND:
        return None
    rate = float(rates.rate[0])
    weight, slope = _weight_and_slope(mean, rate)
    centre = (cash.rounded / cash.n_replications).astype(np.float64)
    variance = (
        float(weight @ (cash.products / cash.n_replications).astype(np.float64) @ weight - (weight @ centre) ** 2) * cash.unit**2
    )
    # Of cash that is always the same the difference of two large products is what rounding leaves.
    if variance <= ROUNDING * (weight @ np.abs(centre) * cash.unit) ** 2:
        return Statistic(rate, 0.0)
    return Statistic(rate, float(np.sqrt(variance / cash.n_replications) / abs(slope)))


def irr_of_drawn_cash(results: ReplicationResults, name: str, weighting: Weighting) -> Statistic | None:
    """Find the same where replications weigh differently or hang together: each adds its present value at the rate, less the mean's."""
    if results.lending_cash_by_row is None:
        return None
    cash = results.lending_cash_by_row[name]
    mean = weighting.mean_by_column(cash)
    rates = rates_of_return(mean[None, :])
    if rates.status[0] != FOUND:
        return None
    weight, slope = _weight_and_slope(mean, float(rates.rate[0]))
    found = weighting.error_of(by_window(cash, lambda rows: ((rows - mean) * weight).sum(axis=1)))
    return Statistic(float(rates.rate[0]), found.se / abs(slope), covers=found.covers)


def _weight_and_slope(mean: Floats, rate: float) -> tuple[Floats, float]:
    """Return what money of each date is worth today at a rate, and by how much the value of the mean cash changes with the rate."""
    months = np.arange(len(mean))
    weight = (1 + rate) ** (-months / 12)
    return weight, float(mean @ (-months / 12 * weight / (1 + rate)))
