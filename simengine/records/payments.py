"""Money drawn, and amounts owed under each term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record, add_in_order


@dataclass(frozen=True, eq=False)
class Drawing(Record):
    """Drawdown of the loan: the total and, if needed, by month."""

    total: Annotated[Floats, Axes("replication", "currency")]
    by_month: Annotated[Floats | None, Axes("replication date", "currency")] = None
    """Absent if a contract is replayed without a study, or if no term depends on the timing of drawdown."""
    payment_month: Mapping[str, Integers] = field(default_factory=dict)
    """By term of a contract without dates: the month in which a study pays it, of shape (replication,)."""

    @property
    def months(self) -> tuple[int, ...] | None:
        """Months with drawdown in any replication."""
        return None if self.by_month is None else tuple(int(month) for month in np.flatnonzero(self.by_month.any(axis=0)))

    def drawn_by(self, month: Integers) -> Floats:
        """Return the amount drawn up to and including a month, of shape (replication,)."""
        assert self.by_month is not None, "only a study says when money is drawn"
        so_far = np.cumsum(self.by_month, axis=1)
        return np.asarray(so_far[np.arange(len(so_far)), np.minimum(month, so_far.shape[1] - 1)])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Drawing) or (self.by_month is None) != (other.by_month is None):
            return False
        is_same = bool((self.total == other.total).all())
        return is_same and (self.by_month is None or bool((self.by_month == other.by_month).all()))

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Payments(Record):
    """Amounts owed under each term."""

    terms: tuple[str, ...]
    parties: tuple[tuple[str, str], ...]
    """By term: debtor and creditor. A negative amount is owed in the other direction."""
    dues: tuple[str, ...]
    """The dates on which the contract pays, in order; a single one without a month if the contract names none."""
    months: Annotated[Integers, Axes("term due", "months from the start")]
    """Month in which each term is paid; -1 if it is not paid on that date, or if the contract does not date it."""
    by_due: Annotated[Floats, Axes("replication term due", "currency")]
    """Rounded to the smallest unit of the currency; 0 if a term is not paid on a date."""
    bound_by_due: Annotated[NDArray[np.int8], Axes("replication term due")]
    """Which limit decided on each date: index into the limits of the term."""
    stop_month: Annotated[Integers | None, Axes("replication", "months from the start")] = None
    """Month of an early end; -1 if there was none. Absent if the contract has no stop."""
    limits: tuple[tuple[str, ...], ...] = ()
    """By term: `LIMITS`, then the total cap if it applies, and the limits inside the term by their paths."""
    for_outcomes: Mapping[str, Floats] = field(default_factory=dict)
    """By outcome that is counted person by person: shape (n_replications,), what all rate cards pay for it, in the currency, before
    the floor, cap and gates of their terms."""

    def limit(self, replication: int, term: int, due: int) -> str:
        """Return the name of the limit that decided."""
        return self.limits[term][int(self.bound_by_due[replication, term, due])]

    @property
    def amount(self) -> Floats:
        """Shape (n_replications, n_terms), in the currency: amount owed under each term over all dates."""
        return add_in_order(self.by_due.transpose(2, 0, 1))

    def owed_in_all(self, signs: Mapping[str, int]) -> Floats:
        """Shape (n_replications,), in the currency: signed total of some terms; by term: 1, or -1 if it counts negatively."""
        amounts = [sign * add_in_order(self.by_due[:, self.terms.index(name)].T) for name, sign in signs.items()]
        return add_in_order([np.zeros(len(self.by_due)), *amounts])

    @property
    def bound(self) -> NDArray[np.int8]:
        """Shape (n_replications, n_terms): the limit that decided on the last date on which each term is due."""
        last = [int(np.flatnonzero(row)[-1]) if row.any() else 0 for row in self.is_due]
        return np.stack([self.bound_by_due[:, t, due] for t, due in enumerate(last)], axis=1)

    @property
    def is_due(self) -> NDArray[np.bool_]:
        """Shape (n_terms, n_dues): on which dates each term may be paid."""
        return np.asarray((self.months >= 0) | (len(self.dues) == 1))


LIMITS = ("formula", "floor", "cap", "gate", "stop")
FORMULA, FLOOR, CAP, GATE, STOP = range(5)
CARD_LIMITS = ("cap_per_person", "cap_per_wave", "cap_per_outcome", "cap_per_year", "cap_in_all")
"""The limits of a rate card, in the order in which they cut; `cap_per_outcome` stands for the `cap` of any outcome."""
TOTAL_CAP = "total_cap"
"""The limit of all terms together."""
