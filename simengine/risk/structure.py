"""Say what each replication came to for every tranche, cost, step of the waterfall, grant and guarantee: who was short, what bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.records import DELIVERY, LOAN, Integers, Ledger
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES, multiples, payback_times, rates_of_return

ENDINGS = ("whole", "short", "at_limit")
"""How a tranche ends: paid back with all its interest, not so, or stopped by a limit of its returns."""
_WHOLE, _SHORT, _AT_LIMIT = range(3)


def return_on(name: str, cash: Integers, paid_in: Integers, units: int, *, with_rate: bool = True) -> dict[str, NDArray[Any]]:
    """Work out what came back on money that was paid in: columns `money_back` and `moic`; if asked, rate and time with statuses.

    Parameters
    ----------
    name
        Whose money it is: the first part of the names of the columns.
    cash
        Shape (n_replications, n_dates), in the smallest unit; positive is received.
    paid_in
        Shape (n_replications,), in the smallest unit.
    units
        Smallest units in one unit of the currency.
    """
    back = cash.sum(axis=1) + paid_in
    columns: dict[str, NDArray[Any]] = {
        f"{name}.money_back": back / units,
        f"{name}.moic": multiples(back, paid_in),
    }
    if with_rate:
        rates, paybacks = rates_of_return(cash), payback_times(cash)
        columns |= {f"{name}.irr": rates.rate, f"{name}.irr_status": rates.status}
        columns |= {f"{name}.payback_months": paybacks.months, f"{name}.payback_status": paybacks.status}
    return columns


def structure_of(ledger: Ledger) -> dict[str, NDArray[Any]]:
    """Return how each tranche, cost, step and guarantee ended; nothing where one loan gets all that comes back."""
    columns: dict[str, NDArray[Any]] = {}
    steps = list(dict.fromkeys(line.name.split(".")[1] for line in ledger.lines if line.name.startswith("step.")))
    grants = [line.name for line in ledger.lines if line.name.startswith("grant.")]
    is_plain = ledger.tranches == (LOAN,) and len(steps) <= 2 and ledger.costs == (DELIVERY,)
    if is_plain and not ledger.guarantees and not grants:
        return columns
    for k, name in enumerate(ledger.tranches):
        columns[f"tranche.{name}.paid_in"] = ledger.paid_in[:, k] / ledger.units
        cash = ledger.cash_in({f"tranche.{name}"})
        columns |= return_on(f"tranche.{name}", cash, ledger.paid_in[:, k], ledger.units)
        columns[f"tranche.{name}.net"] = cash.sum(axis=1) / ledger.units
        columns[f"tranche.{name}.lost"] = ledger.lost[:, k] / ledger.units
        is_short = (ledger.lost[:, k] > 0) | (ledger.owed[:, k] > 0)
        ending = np.where(is_short, _SHORT, np.where(ledger.at_limit[:, k], _AT_LIMIT, _WHOLE))
        columns[f"tranche.{name}.ending"] = ending.astype(np.int8)
        if name in ledger.revolving:
            # Of any other tranche the amount paid in says both.
            columns[f"tranche.{name}.peak_outstanding"] = ledger.peak[:, k] / ledger.units
            columns[f"tranche.{name}.is_exhausted"] = ledger.spent[:, k].astype(np.int8)
    for c, name in enumerate(ledger.costs):
        columns[f"cost.{name}.paid"] = ledger.total(f"cost.{name}") / ledger.units
        columns[f"cost.{name}.unpaid"] = ledger.total(f"unpaid.cost.{name}") / ledger.units
        columns[f"cost.{name}.still_deferred"] = ledger.waiting[:, c] / ledger.units
    for step in steps:
        columns[f"step.{step}.paid"] = ledger.total(f"step.{step}") / ledger.units
    for name in grants:
        columns[f"{name}.paid"] = ledger.total(name) / ledger.units
    for g, name in enumerate(ledger.guarantees):
        columns[f"guarantee.{name}.paid"] = ledger.total(f"guarantee.{name}") / ledger.units
        columns[f"guarantee.{name}.is_exhausted"] = ledger.exhausted[:, g].astype(np.int8)
    return columns


def codes_of(columns: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, ...]]:
    """Return the words of the coded columns about money."""
    words = {"irr_status": STATUSES, "payback_status": PAYBACK_STATUSES, "ending": ENDINGS, "is_exhausted": ("no", "yes")}
    return {name: words[name.rpartition(".")[2]] for name in columns if name.rpartition(".")[2] in words}
