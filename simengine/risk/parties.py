"""Net results of each party: its cash in the ledger, and the value of the effect to it.

A *party* is a named participant of a study. A *role* is something that a party does: it lends, or it pays what the contract's
outcome payer owes. This module defines the net and the net present value of a party, and of a role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simengine.records import (
    ALL_LENDERS,
    ALL_PAYERS,
    INVESTOR,
    OUTCOME_PAYER,
    Account,
    Floats,
    Integers,
    Ledger,
    PublicValue,
    add_in_order,
)
from simengine.risk.returns import present_values

ROLE_OF = {ALL_LENDERS: INVESTOR, ALL_PAYERS: OUTCOME_PAYER}
"""By the name of a total: the role of its accounts."""


@dataclass(frozen=True)
class PartyShare:
    """The part of some money that is discounted at one party's rate."""

    party: str
    accounts: frozenset[str]
    """The accounts whose cash counts."""
    has_value: bool
    """Whether the public value of the party counts as well."""


def parts_of(name: str, accounts: Iterable[Account]) -> tuple[PartyShare, ...]:
    """List the parts of the net and the net present value of a party, or of a role.

    Parameters
    ----------
    name
        A party: all its accounts count, whatever its roles, and its public value. `all_lenders`: the tranches of each lender.
        `all_payers`: of each payer the account from which it pays under the contract, and its public value.
    accounts
        Those of the ledger.
    """
    accounts = tuple(accounts)
    if name not in ROLE_OF:
        return (PartyShare(name, accounts_of(name, accounts), has_value=True),)
    role = ROLE_OF[name]
    return tuple(PartyShare(party, accounts_of(party, accounts, role), name == ALL_PAYERS) for party in in_role(role, accounts))


def accounts_of(party: str, accounts: Iterable[Account], role: str | None = None) -> frozenset[str]:
    """Names of the accounts of one party, optionally of one role only."""
    mine = (one for one in accounts if one.party == party)
    return frozenset(one.name for one in mine if role is None or one.role == role)


def in_role(role: str, accounts: Iterable[Account]) -> tuple[str, ...]:
    """Names of the parties that have an account in a role, in the order of the accounts."""
    return tuple(dict.fromkeys(one.party for one in accounts if one.role == role))


def names_of_role(total: str, parties: Sequence[str]) -> tuple[str, ...]:
    """Names of the parties in a role and, if there are several, of their total."""
    return (*parties, total) if len(parties) > 1 else tuple(parties)


class Money(NamedTuple):
    """Net results, each of shape (n_replications,), in the currency."""

    cash: Floats
    net: Floats
    """Cash and, if it counts, public value."""
    npv: Floats
    """The same, discounted."""


class CashByPart(NamedTuple):
    """Cash of each part over the whole calendar, of shape (n_replications,), in the smallest unit."""

    cash: Sequence[Integers]
    today: Sequence[Floats]
    """The same, discounted."""


def sums_from_ledger(parts: Sequence[PartyShare], ledger: Ledger, factors: Sequence[Floats] | Floats) -> CashByPart:
    """Add up the cash of each part; by part: discount factor of each month, of shape (1 or n_replications, n_months)."""
    flows = [ledger.cash_in(part.accounts) for part in parts]
    today = [present_values(cash, one[:, : cash.shape[1]]) for cash, one in zip(flows, factors, strict=True)]
    return CashByPart([cash.sum(axis=1) for cash in flows], today)


def add_parts(sums: CashByPart, worth: Sequence[tuple[Floats, Floats] | None], units: int) -> Money:
    """Add up money from its parts.

    Parameters
    ----------
    sums
        By part.
    worth
        By part: the public value and its present value, each of shape (n_replications,), in the currency; None if none counts.
    units
        Smallest units in one unit of the currency.
    """
    total = np.asarray(np.add.reduce(list(sums.cash)) / units)
    values = [value for value, _ in filter(None, worth)]
    parts = zip(sums.today, worth, strict=True)
    discounted = [one / units + (0.0 if value is None else value[1]) for one, value in parts]
    return Money(total, add_in_order([total, *values]), add_in_order(discounted))


def money_from_ledger(name: str, ledger: Ledger, public_value: PublicValue, discount_factors: Mapping[str, Floats]) -> Money:
    """Money of a party, or of all who are in a role: see `parts_of`."""
    parts = parts_of(name, ledger.accounts)
    factors = [discount_factors[part.party] for part in parts]
    worth = [_worth(part, public_value, one) for part, one in zip(parts, factors, strict=True)]
    return add_parts(sums_from_ledger(parts, ledger, factors), worth, ledger.units)


def _worth(part: PartyShare, public_value: PublicValue, factors: Floats) -> tuple[Floats, Floats] | None:
    if not part.has_value:
        return None
    value = public_value.value[:, public_value.parties.index(part.party)]
    return over_years(value), value_today(value, factors)


def left_with(ledger: Ledger, public_value: PublicValue, discount_factors: Mapping[str, Floats]) -> dict[str, Floats]:
    """Compute the net results of every party.

    Parameters
    ----------
    ledger
        Cash by month; a party that is not in it has none.
    public_value
        Value by year, for all parties of the study.
    discount_factors
        By party: the value today of money at each month, shape (1 or n_replications, n_months).

    Returns
    -------
    By column, shape (n_replications,), in the currency: `<party>.cash`, `.value`, `.cashable`, `.net` (cash + value) and `.npv`
    (the same, discounted). Everything is the party's own, over all its roles, so that cash sums to 0 over all parties. A recipient
    outside the study has only `.cash`.
    """
    columns: dict[str, Floats] = {}
    for p, party in enumerate(public_value.parties):
        money = money_from_ledger(party, ledger, public_value, discount_factors)
        columns |= {
            f"{party}.cash": money.cash,
            f"{party}.value": over_years(public_value.value[:, p]),
            f"{party}.cashable": over_years(public_value.cashable[:, p]),
            f"{party}.net": money.net,
            f"{party}.npv": money.npv,
        }
    # Recipients outside the study have a column of cash, so that cash sums to 0 over all parties.
    outside = [name for name in ledger.parties if name not in public_value.parties]
    cash = [ledger.cash(name).sum(axis=1) / ledger.units for name in outside]
    return columns | {f"{name}.cash": one for name, one in zip(outside, cash, strict=True)}


def value_today(by_year: Floats, factors: Floats) -> Floats:
    """Discount a value by year, shape (n_replications, n_years), taking each year's in the middle of the year."""
    return present_values(by_year, factors[:, 6 : 12 * by_year.shape[1] : 12])


def over_years(by_year: Floats) -> Floats:
    """Add up the years of (n_replications, n_years), in their order."""
    return add_in_order([np.zeros(len(by_year)), *by_year.T])


def parties_of(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the parties with money in some columns, in order; without totals of a role."""
    nets = (name.removesuffix(".net") for name in columns if name.endswith(".net") and name.count(".") == 1)
    return tuple(name for name in nets if name not in ROLE_OF)
