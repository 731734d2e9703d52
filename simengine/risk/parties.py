"""What each party is left with: its own cash of the ledger, and what the effect on people is worth to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.records import PROJECT, SMALLEST_UNITS, Floats, Integers, Ledger, PublicValue, add_in_order
from simengine.risk.returns import present_values


def left_with(ledger: Ledger, public_value: PublicValue, discount_factors: Mapping[str, Floats]) -> dict[str, Floats]:
    """Give for every party what it is left with.

    Parameters
    ----------
    ledger
        Cash by month; a party that is not in it has none.
    public_value
        Value by year, for all parties.
    discount_factors
        By party: the value today of money at each month, shape (1 or n_replications, n_months).

    Returns
    -------
    By column, shape (n_replications,), in the currency: `<party>.cash`, `.value`, `.cashable`, `.net` (cash + value) and `.npv`
    (the same, discounted). The cash is the party's own, whatever roles it has, so that over all parties it sums to 0.
    """
    columns: dict[str, Floats] = {}
    for p, party in enumerate(public_value.parties):
        cash, value = own_cash(ledger, party), public_value.value[:, p]
        total, worth = cash.sum(axis=1) / SMALLEST_UNITS, over_years(value)
        factors = discount_factors[party]
        columns |= {
            f"{party}.cash": total,
            f"{party}.value": worth,
            f"{party}.cashable": over_years(public_value.cashable[:, p]),
            f"{party}.net": total + worth,
            f"{party}.npv": present_values(cash, factors[:, : cash.shape[1]]) / SMALLEST_UNITS + value_today(value, factors),
        }
    return columns


def own_cash(ledger: Ledger, party: str) -> Integers:
    """Give the cash of the accounts of one party, shape (n_replications, n_dates): not of others in the role that has its name."""
    return ledger.cash_in({account.name for account in ledger.accounts if account.party == party and account.role != PROJECT})


def value_today(by_year: Floats, factors: Floats) -> Floats:
    """Discount a value by year, shape (n_replications, n_years), taking each year's in the middle of the year."""
    return present_values(by_year, factors[:, 6 : 12 * by_year.shape[1] : 12])


def over_years(by_year: Floats) -> Floats:
    """Add up the years of (n_replications, n_years), in their order."""
    return add_in_order([np.zeros(len(by_year)), *by_year.T])
