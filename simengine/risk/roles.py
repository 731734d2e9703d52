"""Results of lenders, and of payers under the contract: each by itself and, if there are several, in total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.currencies import MOST_DECIMALS
from simengine.records import (
    ALL_LENDERS,
    ALL_PAYERS,
    INVESTOR,
    OUTCOME_PAYER,
    Floats,
    Integers,
    Ledger,
    PublicValue,
    add_in_order,
)
from simengine.risk.parties import accounts_of, in_role, money_from_ledger, names_of_role, over_years
from simengine.risk.structure import return_on

_LENDS, _PAYS = ".money_in", ".payment"
"""Suffixes of the columns that only lenders, or only payers, have."""


def lending_cash(ledger: Ledger) -> dict[str, Integers]:
    """Cash of each lender's loans, and of all if there are several: shape (n_replications, n_dates), smallest unit."""
    lenders = in_role(INVESTOR, ledger.accounts)
    by_lender = {name: ledger.cash_in(accounts_of(name, ledger.accounts, INVESTOR)) for name in lenders}
    return by_lender | ({ALL_LENDERS: np.asarray(np.add.reduce(list(by_lender.values())))} if len(lenders) > 1 else {})


def role_columns(
    ledger: Ledger, public_value: PublicValue, discount_factors: Mapping[str, Floats], *, with_returns: bool
) -> dict[str, NDArray[Any]]:
    """Compute the returns of lenders on their loans, and the payments and savings of payers.

    Parameters
    ----------
    ledger, public_value, discount_factors
        As for `left_with`.
    with_returns
        Whether rates of return, payback times and peak funding are computed.

    Returns
    -------
    By column, shape (n_replications,), in the currency. Of every lender, from its tranches alone: `<lender>.money_in`,
    `.money_back`, `.moic` and, if asked, `.irr`, `.irr_status`, `.payback_months`, `.payback_status`, `.peak_funding`. Of every
    payer: `<payer>.payment`, `.true_saving` and, if it may pay less than it owes, `.unpaid`. The same for `all_lenders` and
    `all_payers`, if there are several, with their `.net` and `.npv`: see `parts_of`.
    """
    columns = loan_columns(ledger, with_returns=with_returns)
    payers = in_role(OUTCOME_PAYER, ledger.accounts)
    for name in names_of_role(ALL_PAYERS, payers):
        mine = payers if name == ALL_PAYERS else (name,)
        paid = [ledger.cash_in(accounts_of(payer, ledger.accounts, OUTCOME_PAYER)).sum(axis=1) for payer in mine]
        saved = [over_years(public_value.value[:, public_value.parties.index(payer)]) for payer in mine]
        if set(mine) & set(ledger.may_fall_short):
            notes = [line.name for line in ledger.lines if line.name.startswith("unpaid.term.")]
            of_mine = [ledger.total(note) for note in notes if note.rpartition(".payer.")[2] in mine]
            columns[f"{name}.unpaid"] = np.asarray(np.add.reduce([np.zeros(len(saved[0]), np.int64), *of_mine])) / ledger.units
        columns |= {f"{name}{_PAYS}": -add_in_order(paid) / ledger.units, f"{name}.true_saving": add_in_order(saved)}
    for total in (ALL_LENDERS, ALL_PAYERS):
        if f"{total}{_LENDS}" in columns or f"{total}{_PAYS}" in columns:
            money = money_from_ledger(total, ledger, public_value, discount_factors)
            columns |= {f"{total}.net": money.net, f"{total}.npv": money.npv}
    return columns


def loan_columns(ledger: Ledger, *, with_returns: bool) -> dict[str, NDArray[Any]]:
    """Return the columns of every lender, and of all if there are several, as in `role_columns`."""
    columns: dict[str, NDArray[Any]] = {}
    for name, cash in lending_cash(ledger).items():
        paid_in = _paid_in(name, ledger)
        columns |= return_on(name, cash, paid_in, ledger.units, with_rate=with_returns)
        columns[f"{name}{_LENDS}"] = paid_in / ledger.units
        columns |= {f"{name}.peak_funding": peak_funding(cash, ledger.units)} if with_returns else {}
    return columns


def _paid_in(name: str, ledger: Ledger) -> Integers:
    """Add up the money paid in by a lender, or by all: shape (n_replications,), in the smallest unit."""
    holders = {one.name.removeprefix("tranche."): one.party for one in ledger.accounts if one.role == INVESTOR}
    mine = [k for k, tranche in enumerate(ledger.tranches) if name in (ALL_LENDERS, holders[tranche])]
    return np.asarray(ledger.paid_in[:, mine].sum(axis=1))


def peak_funding(cash: Integers, units: int) -> Floats:
    """Largest net outlay at the end of a month: shape (n_replications,), in the currency.

    Parameters
    ----------
    cash
        Shape (n_replications, n_dates), in the smallest unit; positive is received.
    units
        Smallest units in one unit of the currency.
    """
    return np.asarray(np.maximum(-np.cumsum(cash, axis=1).min(axis=1), 0) / units)


def other_cash(columns: Mapping[str, Any], payer: str) -> Floats:
    """Compute what a payer is left with beside its saving less its payment: shape (n_replications,), in the currency."""
    saving, payment = columns[f"{payer}.true_saving"], columns[f"{payer}.payment"]
    # To the smallest unit: what sums of large numbers leave below it is no cash.
    other: Floats = np.round(columns[f"{payer}.net"] - (saving - payment), MOST_DECIMALS)
    return other


def lenders_in(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the lenders with returns in some columns, without their total."""
    return _with(_LENDS, columns)


def payers_in(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the payers with payments in some columns, without their total."""
    return _with(_PAYS, columns)


def total_of_lenders(columns: Mapping[str, Any]) -> str:
    """Name of the total of all lenders, or of the only one."""
    return ALL_LENDERS if f"{ALL_LENDERS}{_LENDS}" in columns else lenders_in(columns)[0]


def total_of_payers(columns: Mapping[str, Any]) -> str:
    """Name of the total of all payers under the contract, or of the only one."""
    return ALL_PAYERS if f"{ALL_PAYERS}{_PAYS}" in columns else payers_in(columns)[0]


def _with(ending: str, columns: Mapping[str, Any]) -> tuple[str, ...]:
    found = (name.removesuffix(ending) for name in columns if name.endswith(ending) and name.count(".") == 1)
    return tuple(name for name in found if name not in (ALL_LENDERS, ALL_PAYERS))
