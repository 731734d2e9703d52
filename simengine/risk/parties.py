"""What each party is left with: the cash of the ledger, and what the effect on people is worth to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from simengine.records import SMALLEST_UNITS, Floats, Ledger, PublicValue, add_in_order
from simengine.risk.returns import present_values

Factors: TypeAlias = Callable[[str, Floats], Floats]
"""From a party and years from the start to what one unit of money then is worth to it now; the shape is that of the years."""


def left_with(ledger: Ledger, public_value: PublicValue, factors: Factors) -> dict[str, Floats]:
    """Give for every party what it is left with.

    Parameters
    ----------
    ledger
        Cash by month; a party that is not in it has none.
    public_value
        Value by year, for all parties.
    factors
        How each party discounts. A year's value is taken in the middle of the year, cash in its month.

    Returns
    -------
    By column, shape (n_replications,), in the currency: `<party>.cash`, `.value`, `.cashable`, `.net` (cash + value) and `.npv`
    (the same, discounted).
    """
    columns: dict[str, Floats] = {}
    n, n_months = ledger.flows.shape[:2]
    months, middles = np.arange(n_months) / 12, 0.5 + np.arange(public_value.value.shape[2], dtype=np.float64)
    for p, party in enumerate(public_value.parties):
        is_in = party in ledger.parties
        cash = ledger.flows[:, :, ledger.parties.index(party)] if is_in else np.zeros((n, n_months), dtype=np.int64)
        value = public_value.value[:, p]
        total, worth = cash.sum(axis=1) / SMALLEST_UNITS, _over_years(value)
        discounted = present_values(cash, factors(party, months)) / SMALLEST_UNITS
        columns |= {
            f"{party}.cash": total,
            f"{party}.value": worth,
            f"{party}.cashable": _over_years(public_value.cashable[:, p]),
            f"{party}.net": total + worth,
            f"{party}.npv": discounted + present_values(value, factors(party, middles)),
        }
    return columns


def _over_years(by_year: Floats) -> Floats:
    return add_in_order([np.zeros(len(by_year)), *by_year.T])
