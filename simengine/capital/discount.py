"""Discount factors from one rate or a dated table of rates, and deflators to prices of the start."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from simengine.capital.rates import PriceIndex, RateTable
from simengine.records import Draws, Floats


def discount_factors(rate: float | RateTable, start: str, n_months: int) -> Floats:
    """Return the value at month 0 of one unit of money at each month.

    Parameters
    ----------
    rate
        A rate per year, or a table of them.
    start
        Month 0 as year-month, for tables by calendar year.
    n_months
        How many months from 0 on.

    Returns
    -------
    Shape (n_months,). Between whole years a year's rate acts month by month: each month counts for its twelfth root.

    Examples
    --------
    >>> round(float(discount_factors(0.035, "2026-01", 13)[12]), 6)
    0.966184
    """
    if isinstance(rate, RateTable):
        steps = rate.from_year or rate.from_calendar_year
        acting = _acting(steps, start, n_months, counts_years=bool(rate.from_year))
        return np.asarray(_compounded(np.array([[steps[year].value for year in acting]]))[0])
    return np.asarray((1 + rate) ** (-np.arange(n_months) / 12))


def deflators(prices: PriceIndex, draws: Draws, start: str, n_months: int) -> Floats:
    """Return the value in the prices of month 0 of one unit of money at each month, of shape (n_replications, n_months)."""
    if prices.growth_per_year is not None:
        growth = draws["prices.growth_per_year"]
        return np.asarray((1 + growth)[:, None] ** (-np.arange(n_months) / 12)[None, :])
    acting = _acting(prices.from_calendar_year, start, n_months, counts_years=False)
    return _compounded(np.stack([draws[f"prices.from_calendar_year.{year}"] for year in acting], axis=1))


def _acting(steps: Collection[int], start: str, n_months: int, *, counts_years: bool) -> list[int]:
    """Return, for each month but the last, the year whose rate applies."""
    first_year, first_month = (int(part) for part in start.split("-"))
    found = []
    for month in range(n_months - 1):
        year = month // 12 + 1 if counts_years else first_year + (first_month - 1 + month) // 12
        found.append(max((since for since in steps if since <= year), default=min(steps)))
    return found


def _compounded(rate_by_month: Floats) -> Floats:
    """Compound yearly rates of shape (row, month) to the factors of the months at which they have acted."""
    logs = np.cumsum(np.log1p(rate_by_month), axis=1) / 12
    return np.asarray(np.exp(-np.concatenate([np.zeros((len(logs), 1)), logs], axis=1)))
