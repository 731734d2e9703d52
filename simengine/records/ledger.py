"""Accounts, postings, and the value of the effect to each party."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record


@dataclass(frozen=True)
class Account:
    """An account of a party, in a role of the contract or for itself."""

    name: str
    party: str
    role: str = ""
    """`investor` for a tranche, `outcome_payer` for payers of outcomes, `project` for the account through which the loan runs."""


@dataclass(frozen=True)
class LedgerLine:
    """One kind of posting from one account to another; or, without either, a note of an amount not paid or set aside."""

    name: str
    payer: str = ""
    receiver: str = ""


@dataclass(frozen=True, eq=False)
class PublicValue(Record):
    """Value of the true effect to each party, in addition to its cash under the contract."""

    parties: tuple[str, ...]
    value: Annotated[Floats, Axes("replication party year", "currency")]
    """Undiscounted, by year of the calendar; the years run to the horizon, or to the end of the longest stream."""
    cashable: Annotated[Floats, Axes("replication party year", "currency")]
    """The part of it that can be released as cash, in the year of its release."""


@dataclass(frozen=True, eq=False)
class Ledger(Record):
    """All postings by payer, receiver, amount and date. Every posting has two sides, so that all cash sums to exactly zero."""

    units: int
    """Smallest units in one unit of the currency."""
    accounts: tuple[Account, ...]
    lines: tuple[LedgerLine, ...]
    journal: Annotated[Integers, Axes("replication date line", "smallest unit of the currency")]
    tranches: tuple[str, ...]
    paid_in: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    lost: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    """Principal that was never paid back, after guarantees."""
    owed: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    """Interest that was never paid."""
    at_limit: Annotated[NDArray[np.bool_], Axes("replication tranche")]
    """Whether the tranche's limit on returns was reached."""
    revolving: tuple[str, ...]
    """Tranches that may be drawn again when they are paid back: lines of credit."""
    peak: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    """The most that was outstanding of a revolving tranche; 0 of others."""
    spent: Annotated[NDArray[np.bool_], Axes("replication tranche")]
    """Whether in some month all that could be drawn of a revolving tranche was."""
    costs: tuple[str, ...]
    waiting: Annotated[Integers, Axes("replication cost", "smallest unit of the currency")]
    """Deferred amount that was never paid."""
    guarantees: tuple[str, ...]
    exhausted: Annotated[NDArray[np.bool_], Axes("replication guarantee")]
    """Whether a guarantor paid the maximum, and losses remained."""
    may_fall_short: tuple[str, ...] = ()
    """Payers under the contract that may pay less than they owe."""

    @property
    def drawn(self) -> Floats:
        """Shape (n_replications,), in the currency: amount paid in by the tranches."""
        return np.asarray(self.paid_in.sum(axis=1) / self.units)

    @property
    def drawn_by_month(self) -> Floats:
        """Shape (n_replications, n_dates), in the currency: amount paid in by the tranches, by month."""
        draws = [place for place, line in enumerate(self.lines) if line.name.startswith("draw.")]
        return np.asarray(self.journal[:, :, draws].sum(axis=2) / self.units)

    @property
    def parties(self) -> tuple[str, ...]:
        """All parties with cash, except the project itself."""
        return tuple(dict.fromkeys(account.party for account in self.accounts if account.role != PROJECT))

    def cash(self, party: str) -> Integers:
        """Cash of one party by date, over all its roles, of shape (replication, date); positive is received."""
        return self.cash_in({account.name for account in self.accounts if account.party == party})

    def cash_in(self, mine: Collection[str]) -> Integers:
        """Cash of some accounts by date, of shape (replication, date); positive is received."""
        total = np.zeros(self.journal.shape[:2], dtype=np.int64)
        for place, line in enumerate(self.lines):
            sign = (line.receiver in mine) - (line.payer in mine)
            if sign:
                total += sign * self.journal[:, :, place]
        return total

    def total(self, prefix: str) -> Integers:
        """Return the total of all lines whose name has a prefix, of shape (replication,)."""
        places = [place for place, line in enumerate(self.lines) if f"{line.name}.".startswith(f"{prefix}.")]
        return np.asarray(self.journal[:, :, places].sum(axis=(1, 2)))


PROJECT = "project"
ROLES = ("investor", "outcome_payer", "service_provider")
"""The lender, the payer under the contract and the provider: every contract and every study has a party of each name."""
INVESTOR, OUTCOME_PAYER, _ = ROLES
ALL_LENDERS, ALL_PAYERS = "all_lenders", "all_payers"
"""Names of the totals of a role with several parties."""
SUPPLIERS = "suppliers"
"""Recipients outside a study to whom its parties pay costs: staff, landlords, shops."""
LOAN, DELIVERY = "loan", "delivery"
"""The only tranche and the only cost of a study that names none."""
