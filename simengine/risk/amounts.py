"""Numbers that a party has in every replication: of these everything is made that is asked about its money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simengine.records import Floats
from simengine.risk.returns import NEVER

Columns = Mapping[str, Floats]
"""By name: one value per replication, such as `investor.net`."""
Unit = Literal["money", "share", "per year", "times", "months"]


@dataclass(frozen=True)
class Amount:
    """A number of one party in every replication."""

    of: Callable[[Columns, str], Floats]
    """From the columns and the party: shape (n_replications,); NaN where it has none."""
    meaning: str
    title: str
    """As a table prints it."""
    unit: Unit = "money"
    more_is_better: bool = True
    of_lenders: bool = False
    """Only who lends has it: it is about what came back on a loan."""
    has_mean: bool = True
    """Whether its mean over replications says anything."""


def _months(columns: Columns, party: str) -> Floats:
    """Months until all is paid back: infinite where it never is within the horizon, NaN where nothing was lent."""
    return np.where(columns[f"{party}.payback_status"] == NEVER, np.inf, columns[f"{party}.payback_months"])


def _column(name: str) -> Callable[[Columns, str], Floats]:
    return lambda columns, party: columns[f"{party}.{name}"]


AMOUNTS: Mapping[str, Amount] = {
    "net": Amount(_column("net"), "all its money and, where it has any, public value", "net"),
    "npv": Amount(_column("npv"), "the same, discounted at its own rate", "NPV"),
    "loss": Amount(lambda columns, party: -columns[f"{party}.net"], "the negative of its net", "loss", more_is_better=False),
    "moic": Amount(
        _column("moic"), "money back for each unit lent (multiple on invested capital)", "MOIC", "times", of_lenders=True
    ),
    "irr": Amount(
        _column("irr"), "yearly rate of return on what it lent", "IRR", "per year", of_lenders=True, has_mean=False
    ),
    "peak_funding": Amount(
        _column("peak_funding"), "the most by which it was out of pocket", "peak funding", more_is_better=False, of_lenders=True
    ),
    "payback_months": Amount(
        _months, "months until all it lent is back", "payback", "months", more_is_better=False, of_lenders=True, has_mean=False
    ),
}  # fmt: skip
OF_WHOLE_FLOWS = ("irr", "peak_funding", "payback_months")
"""Those that take the cash of a lender month by month; for the others its sums do."""
