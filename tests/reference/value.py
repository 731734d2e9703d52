"""Value, month by month, in plain Python: the slow twin of `simengine/value/`.

Money that arises over a year arises in equal parts at its months; a part is released some whole months later, and counts while
its month lies before the horizon.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any


def amount_by_year(gain_by_wave: list[list[float]], first_entry: list[int], horizon: int, price: dict[str, Any]) -> tuple[Any, Any]:
    """Value what adds up over time: (value by year, cashable by year) of one replication; gains by wave and year."""
    value: defaultdict[int, float] = defaultdict(float)
    cashable: defaultdict[int, float] = defaultdict(float)
    for gains, first in zip(gain_by_wave, first_entry, strict=True):
        for year, gain in enumerate(gains):
            months = [month for month in range(12 * year, 12 * year + 12) if month < horizon]
            years_since = year - first // 12 if year > first // 12 else 0
            worth = gain * factor(price) * (1 - price.get("drop_off_per_year", 0)) ** years_since
            for month in months:
                value[year] += worth / len(months)
                released = month + price.get("lag_months", 0)
                if released < horizon:
                    cashable[released // 12] += worth / len(months) * price.get("cashable_share", 1)
    return value, cashable


def reading_by_year(gain_by_wave: list[float], read: list[int], horizon: int, price: dict[str, Any]) -> tuple[Any, Any]:
    """Value what is read once, as a stream of years: (value by year, cashable by year) of one replication; by wave."""
    value: defaultdict[int, float] = defaultdict(float)
    cashable: defaultdict[int, float] = defaultdict(float)
    for gain, month_read in zip(gain_by_wave, read, strict=True):
        until = max(horizon, month_read + 12 * price["years"])
        for year in range(price["years"]):
            worth = gain * factor(price) * (1 - price.get("drop_off_per_year", 0)) ** year
            for month in range(month_read + 12 * year, month_read + 12 * year + 12):
                value[month // 12] += worth / 12
                released = month + price.get("lag_months", 0)
                if released < until:
                    cashable[released // 12] += worth / 12 * price.get("cashable_share", 1)
    return value, cashable


def factor(price: dict[str, Any]) -> float:
    """Give what a unit of gain is worth."""
    worth = float(price.get("value_per_unit", 1)) * price.get("share", 1) * price.get("attribution", 1)
    for key in ("deadweight", "displacement", "optimism_bias"):
        worth *= 1 - price.get(key, 0)
    return worth
