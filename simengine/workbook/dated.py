"""The yearly rate of return by days, as XIRR of a spreadsheet defines it: a year has 365 days, and a month the days that it has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import exp, expm1, fsum, log1p

from simengine.late import optimize

_FARTHEST = 40
"""Doublings of the distance in which a root is sought: far beyond any rate."""


def rate_by_days(cash: Sequence[float], dates: Sequence[datetime], near: float) -> float | None:
    """Return the rate that discounts dated cash to 0, sought around another rate; None where there is none around it.

    Parameters
    ----------
    cash
        One amount for each date, in any unit of money; positive is received.
    dates
        In order.
    near
        A rate per year above -1, such as that by months.

    Examples
    --------
    >>> round(rate_by_days([-100, 110], [datetime(2030, 1, 1), datetime(2031, 1, 1)], 0.05), 12)
    0.1
    """
    years = [(date - dates[0]).days / 365 for date in dates]

    def worth(force: float) -> float:
        return fsum(amount * exp(-force * year) for amount, year in zip(cash, years, strict=True))

    centre = log1p(near)
    for doubling in range(_FARTHEST):
        low, high = centre - 1e-4 * 2**doubling, centre + 1e-4 * 2**doubling
        if max(-low, high) * years[-1] > 700:  # beyond, discounting overflows
            return None
        if worth(low) * worth(high) <= 0:
            return expm1(optimize.brentq(worth, low, high, xtol=1e-15, rtol=1e-14))
    return None
