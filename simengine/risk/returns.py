"""Rate of return, multiple, present value and payback time of any cash; every row with its own status.

The functions apply to any cash: of a party, a tranche or a guarantor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from simengine.records import Axes, Floats, Integers, Record, add_in_order
from simengine.risk.kernels import STATUSES, count_rates, internal_rates

PAYBACK_STATUSES = ("paid_back", "never", "no_cost")
PAID_BACK, NEVER, NOTHING_PAID_IN = range(3)

__all__ = [
    "PAYBACK_STATUSES",
    "STATUSES",
    "Paybacks",
    "RatesOfReturn",
    "multiples",
    "numbers_of_rates",
    "payback_times",
    "present_values",
    "rates_of_return",
]


@dataclass(frozen=True, eq=False)
class RatesOfReturn(Record):
    """Internal rates of return, and the status of each search."""

    rate: Annotated[Floats, Axes("replication", "per year")]
    """-1 for a total loss; NaN if there is none, or more than one."""
    status: Annotated[NDArray[np.int8], Axes("replication")]
    """Index into `STATUSES`."""


@dataclass(frozen=True, eq=False)
class Paybacks(Record):
    """Months until everything paid in has been repaid permanently."""

    months: Annotated[Floats, Axes("replication", "months from the start")]
    """NaN if it never is, or if nothing was paid in."""
    status: Annotated[NDArray[np.int8], Axes("replication")]
    """Index into `PAYBACK_STATUSES`."""


def rates_of_return(cash: NDArray[Any]) -> RatesOfReturn:
    """Find the yearly internal rate of return of every row of monthly cash.

    Parameters
    ----------
    cash
        Shape (n_replications, n_months), in any unit of money; positive is received.

    Notes
    -----
    `found`: one rate. `total_loss`: money in, nothing back. `no_cost`: money back, nothing in. `no_sign_change`: no money at all.
    `no_root`, `several_roots`: the cash changes its sign more than once, and no rate discounts it to 0, or more than one does.
    Do not take the mean of rates: it is not a rate of return. The rate of the mean cash is a different number.
    """
    rate, status = np.empty(len(cash)), np.empty(len(cash), dtype=np.int8)
    internal_rates(np.ascontiguousarray(cash, dtype=np.float64), rate, status)
    return RatesOfReturn(rate, status)


def numbers_of_rates(cash: NDArray[Any]) -> Integers:
    """Count the rates between -99.98 % and 444,000 % a year that discount each row of monthly cash to 0.

    Parameters
    ----------
    cash
        Shape (n_replications, n_months), in any unit of money; positive is received.
    """
    number = np.empty(len(cash), dtype=np.int64)
    count_rates(np.ascontiguousarray(cash, dtype=np.float64), number)
    return number


def multiples(money_back: NDArray[Any], paid_in: NDArray[Any]) -> Floats:
    """Divide money back by money paid in; NaN if nothing was paid in.

    Parameters
    ----------
    money_back, paid_in
        Shape (n_replications,), in one unit of money; not negative when money was paid in.
    """
    return np.asarray(np.divide(money_back, paid_in, out=np.full(len(paid_in), np.nan), where=np.asarray(paid_in) > 0))


def present_values(cash: NDArray[Any], factors: Floats) -> Floats:
    """Discount every row of cash.

    Parameters
    ----------
    cash
        Shape (n_replications, n_dates), in any unit of money.
    factors
        Present value of one unit at each date: shape (n_dates,), or (n_replications, n_dates) if replications differ.
    """
    by_date = np.broadcast_to(factors, cash.shape).T
    return add_in_order([np.zeros(len(cash)), *(flow * factor for flow, factor in zip(cash.T, by_date, strict=True))])


def payback_times(cash: NDArray[Any]) -> Paybacks:
    """Find the first month from which the cumulative cash of each row stays at 0 or above.

    Parameters
    ----------
    cash
        Shape (n_replications, n_months), positive is received. In whole numbers of the smallest unit the sums are exact, so that an
        exact repayment counts as paid back.
    """
    below = np.cumsum(cash, axis=1) < 0
    n_months = cash.shape[1]
    last_below = np.where(below.any(axis=1), n_months - 1 - np.argmax(below[:, ::-1], axis=1), -1)
    status = np.where((cash < 0).any(axis=1), np.where(last_below == n_months - 1, NEVER, PAID_BACK), NOTHING_PAID_IN)
    months = np.where(status == PAID_BACK, last_below + 1.0, np.nan)
    return Paybacks(months, status.astype(np.int8))
