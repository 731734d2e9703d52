"""Who paid whom: accounts, postings, and what the effect is worth to each party."""

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
    """Where money lies: an account of a party, in a role of the contract or for itself."""

    name: str
    party: str
    role: str = ""
    """`investor` of a tranche, `outcome_payer` of those who pay for outcomes, `project` of the one through which the loan runs."""


@dataclass(frozen=True)
class LedgerLine:
    """One kind of posting: what one account pays another; or, without either, a note of what was not paid or only set aside."""

    name: str
    payer: str = ""
    receiver: str = ""


@dataclass(frozen=True, eq=False)
class PublicValue(Record):
    """What the true effect on people is worth to each party, beside any cash of the contract."""

    parties: tuple[str, ...]
    value: Annotated[Floats, Axes("replication party year", "currency")]
    """Undiscounted, by year of the calendar; the years run to the horizon, or to the end of the longest stream."""
    cashable: Annotated[Floats, Axes("replication party year", "currency")]
    """The part of it that can be released as cash, in the year of its release."""


@dataclass(frozen=True, eq=False)
class Ledger(Record):
    """Who paid whom, how much, when. Every posting has two sides, so that all cash sums to zero, to the smallest unit."""

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
    """Whether a limit of the tranche's returns was reached."""
    costs: tuple[str, ...]
    waiting: Annotated[Integers, Axes("replication cost", "smallest unit of the currency")]
    """What was deferred and never paid."""
    guarantees: tuple[str, ...]
    exhausted: Annotated[NDArray[np.bool_], Axes("replication guarantee")]
    """Whether a guarantor paid the most that was promised, and it was not enough."""

    @property
    def drawn(self) -> Floats:
        """Shape (n_replications,), in the currency: what the tranches paid in."""
        return np.asarray(self.paid_in.sum(axis=1) / self.units)

    @property
    def drawn_by_month(self) -> Floats:
        """Shape (n_replications, n_dates), in the currency: what the tranches paid in, month by month."""
        draws = [place for place, line in enumerate(self.lines) if line.name.startswith("draw.")]
        return np.asarray(self.journal[:, :, draws].sum(axis=2) / self.units)

    @property
    def parties(self) -> tuple[str, ...]:
        """All whose money moves, the project itself aside."""
        return tuple(dict.fromkeys(account.party for account in self.accounts if account.role != PROJECT))

    def cash(self, party: str) -> Integers:
        """Cash of one party by date, in whatever roles, of shape (replication, date); positive is received."""
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
        """Return what the lines whose names begin so come to, of shape (replication,)."""
        places = [place for place, line in enumerate(self.lines) if f"{line.name}.".startswith(f"{prefix}.")]
        return np.asarray(self.journal[:, :, places].sum(axis=(1, 2)))


PROJECT = "project"
ROLES = ("investor", "outcome_payer", "service_provider")
"""Who lends, who pays under the contract, who does the work: every contract and every study has a party of each name."""
INVESTOR, OUTCOME_PAYER, _ = ROLES
ALL_LENDERS, ALL_PAYERS = "all_lenders", "all_payers"
"""Names under which the money of a role stands where several parties are in it."""
SUPPLIERS = "suppliers"
"""Everybody outside a study on whom its parties spend money: staff, landlords, shops."""
LOAN, DELIVERY = "loan", "delivery"
"""The only tranche and the only cost of a study that names none."""
