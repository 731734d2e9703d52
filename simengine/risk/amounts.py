"""Numbers of a party in every replication, from which all measures of its money are computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simengine.records import Floats
from simengine.risk.returns import NEVER

Columns = Mapping[str, Floats]
"""By name: one value per replication, such as `investor.net`."""
AmountUnit = Literal["money", "share", "per year", "times", "months"]


@dataclass(frozen=True)
class PartyAmount:
    """A number of one party in every replication."""

    of: Callable[[Columns, str], Floats]
    """From the columns and the party: shape (n_replications,); NaN if it has none."""
    meaning: str
    title: str
    """As a table prints it."""
    unit: AmountUnit = "money"
    more_is_better: bool = True
    of_lenders: bool = False
    """Whether only lenders have it, because it concerns the repayment of a loan."""
    has_mean: bool = True
    """Whether its mean over replications is meaningful."""


def _months(columns: Columns, party: str) -> Floats:
    """Months until all is paid back: infinite if it never is within the horizon, NaN if nothing was lent."""
    return np.where(columns[f"{party}.payback_status"] == NEVER, np.inf, columns[f"{party}.payback_months"])


def _column(name: str) -> Callable[[Columns, str], Floats]:
    return lambda columns, party: columns[f"{party}.{name}"]


AMOUNTS: Mapping[str, PartyAmount] = {
    "net": PartyAmount(_column("net"), "all its money and, where it has any, public value", "net"),
    "npv": PartyAmount(_column("npv"), "the same, discounted at its own rate", "NPV"),
    "loss": PartyAmount(lambda columns, party: -columns[f"{party}.net"], "the negative of its net", "loss", more_is_better=False),
    "moic": PartyAmount(
        _column("moic"), "money back for each unit lent (multiple on invested capital)", "MOIC", "times", of_lenders=True
    ),
    "irr": PartyAmount(
        _column("irr"), "yearly rate of return on what it lent", "IRR", "per year", of_lenders=True, has_mean=False
    ),
    "peak_funding": PartyAmount(
        _column("peak_funding"), "the most by which it was out of pocket", "peak funding", more_is_better=False, of_lenders=True
    ),
    "payback_months": PartyAmount(
        _months, "months until all it lent is back", "payback", "months", more_is_better=False, of_lenders=True, has_mean=False
    ),
}  # fmt: skip
OF_WHOLE_FLOWS = ("irr", "peak_funding", "payback_months")
"""Those that need a lender's cash by month; the others need only its sums."""
