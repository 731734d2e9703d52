"""What each party is left with: its own cash of the ledger, and what the effect on people is worth to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from simengine.records import (
    INVESTOR,
    OUTCOME_PAYER,
    PROJECT,
    SUPPLIERS,
    Account,
    Floats,
    Integers,
    Ledger,
    PublicValue,
    add_in_order,
)
from simengine.risk.returns import present_values


@dataclass(frozen=True)
class Purse:
    """Whose cash and whose public value count as those of a party."""

    accounts: frozenset[str]
    savers: tuple[str, ...]
    """Parties whose public value belongs to it."""


def purse_of(party: str, accounts: Iterable[Account]) -> Purse:
    """Give what counts as the money of a party, `<party>.net` and `<party>.npv`.

    The investor stands for all who lend, whose cash alone counts; the outcome payer for all who pay under the contract, and for
    what they save. Any other party has its own accounts, whatever roles it has, and its own value.
    """
    accounts = tuple(accounts)
    if party not in (INVESTOR, OUTCOME_PAYER):
        return Purse(accounts_of(party, accounts), (party,))
    mine = frozenset(one.name for one in accounts if party in (one.name, one.party, one.role))
    if party == INVESTOR:
        return Purse(mine, ())
    return Purse(mine, tuple(dict.fromkeys([party, *(one.party for one in accounts if one.role == party)])))


def accounts_of(party: str, accounts: Iterable[Account]) -> frozenset[str]:
    """Name the accounts of one party: not of others in the role that has its name."""
    return frozenset(account.name for account in accounts if account.party == party and account.role != PROJECT)


def value_of(purse: Purse, public_value: PublicValue) -> Floats:
    """Give the public value that belongs to a purse, shape (n_replications, n_years)."""
    nothing = np.zeros((len(public_value.value), public_value.value.shape[2]))
    return add_in_order([nothing, *(public_value.value[:, public_value.parties.index(party)] for party in purse.savers)])


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
        total, worth = cash.sum(axis=1) / ledger.units, over_years(value)
        factors = discount_factors[party]
        columns |= {
            f"{party}.cash": total,
            f"{party}.value": worth,
            f"{party}.cashable": over_years(public_value.cashable[:, p]),
            f"{party}.net": total + worth,
            f"{party}.npv": present_values(cash, factors[:, : cash.shape[1]]) / ledger.units + value_today(value, factors),
        }
    # Who is paid from outside the study has a column of cash, so that over all parties it sums to 0.
    if SUPPLIERS in ledger.parties:
        columns[f"{SUPPLIERS}.cash"] = own_cash(ledger, SUPPLIERS).sum(axis=1) / ledger.units
    return columns


def own_cash(ledger: Ledger, party: str) -> Integers:
    """Give the cash of the accounts of one party, shape (n_replications, n_dates)."""
    return ledger.cash_in(accounts_of(party, ledger.accounts))


def value_today(by_year: Floats, factors: Floats) -> Floats:
    """Discount a value by year, shape (n_replications, n_years), taking each year's in the middle of the year."""
    return present_values(by_year, factors[:, 6 : 12 * by_year.shape[1] : 12])


def over_years(by_year: Floats) -> Floats:
    """Add up the years of (n_replications, n_years), in their order."""
    return add_in_order([np.zeros(len(by_year)), *by_year.T])
