"""What each party is left with: its cash of the ledger, and what the effect on people is worth to it.

A *party* is a named participant of a study. A *role* is something that a party does: it lends, or it pays what the contract's
outcome payer owes. Here stands, once, what counts as the net and the net present value of a party, and of all who are in a role.
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
    PROJECT,
    Account,
    Floats,
    Integers,
    Ledger,
    PublicValue,
    add_in_order,
)
from simengine.risk.returns import present_values

ROLE_OF = {ALL_LENDERS: INVESTOR, ALL_PAYERS: OUTCOME_PAYER}
"""By the name of a total: the role that accounts have which count in it."""


@dataclass(frozen=True)
class Part:
    """Money of one party that is discounted at its own rate."""

    party: str
    accounts: frozenset[str]
    """The accounts whose cash counts."""
    has_value: bool
    """Whether the public value of the party counts as well."""


def parts_of(name: str, accounts: Iterable[Account]) -> tuple[Part, ...]:
    """List whose money counts in the net and the net present value of a party, or of all who are in a role.

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
        return (Part(name, accounts_of(name, accounts), has_value=True),)
    role = ROLE_OF[name]
    return tuple(Part(party, accounts_of(party, accounts, role), name == ALL_PAYERS) for party in in_role(role, accounts))


def accounts_of(party: str, accounts: Iterable[Account], role: str | None = None) -> frozenset[str]:
    """Names of the accounts of one party, those of one role alone if it is given."""
    mine = (one for one in accounts if one.party == party and one.role != PROJECT)
    return frozenset(one.name for one in mine if role is None or one.role == role)


def in_role(role: str, accounts: Iterable[Account]) -> tuple[str, ...]:
    """Names of the parties that have an account in a role, in the order of the accounts."""
    return tuple(dict.fromkeys(one.party for one in accounts if one.role == role))


def names_of_role(total: str, parties: Sequence[str]) -> tuple[str, ...]:
    """Names under which the money of a role stands: each party in it and, where there are several, their total."""
    return (*parties, total) if len(parties) > 1 else tuple(parties)


class Money(NamedTuple):
    """What somebody comes to, each of shape (n_replications,), in the currency."""

    cash: Floats
    net: Floats
    """Cash and, where it counts, public value."""
    npv: Floats
    """The same, discounted."""


class Sums(NamedTuple):
    """Cash of the parts of which money consists, over the whole calendar; each of shape (n_replications,), in the smallest unit."""

    cash: Sequence[Integers]
    today: Sequence[Floats]
    """The same, discounted."""


def sums_from_ledger(parts: Sequence[Part], ledger: Ledger, factors: Sequence[Floats] | Floats) -> Sums:
    """Add up the cash of each part; by part: what money of each month is worth today, shape (1 or n_replications, n_months)."""
    flows = [ledger.cash_in(part.accounts) for part in parts]
    today = [present_values(cash, one[:, : cash.shape[1]]) for cash, one in zip(flows, factors, strict=True)]
    return Sums([cash.sum(axis=1) for cash in flows], today)


def add_parts(sums: Sums, worth: Sequence[tuple[Floats, Floats] | None], units: int) -> Money:
    """Money from the parts of which it consists.

    Parameters
    ----------
    sums
        By part.
    worth
        By part: the public value and what that is worth today, each of shape (n_replications,), in the currency; nothing where
        none counts.
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


def _worth(part: Part, public_value: PublicValue, factors: Floats) -> tuple[Floats, Floats] | None:
    if not part.has_value:
        return None
    value = public_value.value[:, public_value.parties.index(part.party)]
    return over_years(value), value_today(value, factors)


def left_with(ledger: Ledger, public_value: PublicValue, discount_factors: Mapping[str, Floats]) -> dict[str, Floats]:
    """Work out what every party is left with.

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
    (the same, discounted). All is the party's own, whatever roles it has, so that over all parties cash sums to 0. Whoever gets
    cash without being a party of the study has `.cash` alone.
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
    # Who is paid from outside the study has a column of cash, so that over all parties it sums to 0.
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
    """Names of the parties whose money stands in some columns, in their order; totals of a role are no parties."""
    nets = (name.removesuffix(".net") for name in columns if name.endswith(".net") and name.count(".") == 1)
    return tuple(name for name in nets if name not in ROLE_OF)
