"""Turn each replication into what it came to for each party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.records import (
    ARMS,
    BASELINE,
    LIMITS,
    SERVICE,
    SMALLEST_UNITS,
    TWIN,
    CashMoments,
    Drawdown,
    Floats,
    Integers,
    Ledger,
    Measurements,
    Outturns,
    Payments,
    Tallies,
    Worlds,
    add_in_order,
)
from simengine.risk.kernels import STATUSES, internal_rates


@dataclass(frozen=True)
class Standpoint:
    """How the parties look at money."""

    discount_rate_per_year: Mapping[str, float]
    """By party."""
    savings: Mapping[str, str]
    """By outcome: the party whose money it is."""
    contingent_terms: tuple[str, ...]
    """Terms that pay only for outcomes."""
    commitment: float
    """The most that the investor lends, in the currency: the scale of the cash."""


def appraise(
    standpoint: Standpoint,
    worlds: Worlds,
    tallies: Tallies,
    measurements: Measurements,
    payments: Payments,
    drawdown: Drawdown,
    ledger: Ledger,
    *,
    with_returns: bool = True,
) -> Outturns:
    """Give one row per replication: measured and true outcomes, payments, and the money of each party.

    Parameters
    ----------
    standpoint, worlds, tallies, measurements, payments, drawdown, ledger
        All that came before.
    with_returns
        Whether the investor's rate of return and the moments of its cash are worked out: two thirds of the time, which nobody
        needs who settles the same worlds under hundreds of terms.

    Returns
    -------
    Columns by dotted name, and the moments of the investor's cash by date.
    """
    columns: dict[str, NDArray[Any]] = {"drawn": drawdown.total, "service_users": tallies.n_people[:, :, SERVICE].sum(axis=1)}
    for m, name in enumerate(measurements.metrics):
        columns[f"metric.{name}.estimate"] = measurements.estimate[:, m]
        columns[f"metric.{name}.standard_error"] = measurements.standard_error[:, m]
        columns[f"metric.{name}.truth"] = measurements.truth[:, m]
    for t, name in enumerate(payments.terms):
        columns[f"term.{name}.amount"] = payments.amount[:, t]
        columns[f"term.{name}.bound"] = payments.bound[:, t]
    contingent = [payments.terms.index(name) for name in standpoint.contingent_terms]
    columns["contingent_payment"] = add_in_order([np.zeros(len(worlds)), *(payments.amount[:, t] for t in contingent)])
    columns |= _investor(standpoint, ledger, drawdown, with_returns=with_returns)
    columns |= _outcome_payer(standpoint, tallies, ledger)
    columns |= _others(standpoint, ledger)
    for arm in (SERVICE, TWIN, BASELINE):
        for s, state in enumerate(tallies.states):
            waves = tallies.person_months[:, :, arm, s, -1]
            columns[f"person_months.{ARMS[arm]}.{state}"] = add_in_order(waves.T)
    columns["clipped"] = tallies.clipped
    codes = {f"term.{name}.bound": LIMITS for name in payments.terms}
    codes |= {"investor.irr_status": STATUSES} if with_returns else {}
    return Outturns(worlds.replications, columns, codes, _cash_moments(ledger, standpoint.commitment, is_wanted=with_returns))


def _investor(standpoint: Standpoint, ledger: Ledger, drawdown: Drawdown, *, with_returns: bool) -> dict[str, NDArray[Any]]:
    cash = ledger.flows[:, :, ledger.parties.index("investor")]
    drawn = drawdown.flows.sum(axis=1)
    back = cash.sum(axis=1) + drawn
    multiple = np.divide(back, drawn, out=np.full(len(cash), np.nan), where=drawn > 0)
    return {
        "investor.money_back": back / SMALLEST_UNITS,
        "investor.net": cash.sum(axis=1) / SMALLEST_UNITS,
        "investor.moic": multiple,
        **(_returns(cash) if with_returns else {}),
        "investor.npv": _present_value(cash, np.arange(cash.shape[1]) / 12, standpoint, "investor") / SMALLEST_UNITS,
    }


def _returns(cash: Integers) -> dict[str, NDArray[Any]]:
    rate, status = np.empty(len(cash)), np.empty(len(cash), dtype=np.int8)
    internal_rates(cash.astype(np.float64), rate, status)
    return {"investor.irr": rate, "investor.irr_status": status}


def _outcome_payer(standpoint: Standpoint, tallies: Tallies, ledger: Ledger) -> dict[str, NDArray[Any]]:
    cash = ledger.flows[:, :, ledger.parties.index("outcome_payer")]
    mine = [tallies.outcomes.index(name) for name, party in standpoint.savings.items() if party == "outcome_payer"]
    gap = tallies.by_year[:, :, TWIN] - tallies.by_year[:, :, SERVICE]
    mine_by_wave = [gap[:, w, o] for w in range(gap.shape[1]) for o in mine]
    by_year = add_in_order([np.zeros((len(gap), gap.shape[3])), *mine_by_wave])
    saving = add_in_order(by_year.T)
    cash_npv = _present_value(cash, np.arange(cash.shape[1]) / 12, standpoint, "outcome_payer") / SMALLEST_UNITS
    # A year's saving is taken in the middle of the year.
    saving_npv = _present_value(by_year, 0.5 + np.arange(by_year.shape[1], dtype=np.float64), standpoint, "outcome_payer")
    return {
        "outcome_payer.payment": -cash.sum(axis=1) / SMALLEST_UNITS,
        "outcome_payer.true_saving": saving,
        "outcome_payer.net": cash.sum(axis=1) / SMALLEST_UNITS + saving,
        "outcome_payer.npv": cash_npv + saving_npv,
    }


def _others(standpoint: Standpoint, ledger: Ledger) -> dict[str, NDArray[Any]]:
    """Give what is left with everybody of whom nothing else is asked."""
    columns: dict[str, NDArray[Any]] = {}
    for place, party in enumerate(ledger.parties):
        if party not in ("investor", "outcome_payer"):
            cash = ledger.flows[:, :, place]
            columns[f"{party}.net"] = cash.sum(axis=1) / SMALLEST_UNITS
            columns[f"{party}.npv"] = _present_value(cash, np.arange(cash.shape[1]) / 12, standpoint, party) / SMALLEST_UNITS
    return columns


def _present_value(flows: NDArray[Any], years: Floats, standpoint: Standpoint, party: str) -> Floats:
    """Discount flows of shape (replication, date) at the party's rate."""
    factors = (1 + standpoint.discount_rate_per_year[party]) ** -years
    return add_in_order(flows[:, date] * factor for date, factor in enumerate(factors))


def _cash_moments(ledger: Ledger, commitment: float, *, is_wanted: bool) -> CashMoments:
    """Sum the investor's cash by date, and its products between dates.

    The products are those of cash in units of about 1/65,536 of the commitment, in whole numbers: they are exact, so that
    blocks can be added in any order, and they serve a standard error alone. Where nobody wants them
    they are those of no replication.
    """
    cash = ledger.flows[:, :, ledger.parties.index("investor")]
    unit = 2.0 ** max(np.ceil(np.log2(max(commitment * SMALLEST_UNITS, 1.0))) - 16, 0)
    if not is_wanted:
        nothing = np.zeros((cash.shape[1], cash.shape[1]), dtype=object)
        return CashMoments(unit, 0, nothing[0], nothing[0], nothing)
    rounded = np.round(cash / unit)
    # Whole numbers in floating point are exact, and quick, as long as their sums stay below 2^53.
    is_small = np.abs(rounded).max(initial=0.0) ** 2 * len(rounded) < 2**53
    whole = rounded if is_small else np.array([[int(value) for value in row] for row in rounded], dtype=object)
    return CashMoments(unit, len(cash), _exact_sum(cash), _exact_sum(rounded.astype(np.int64)), _as_integers(whole.T @ whole))


def _exact_sum(values: Integers) -> NDArray[np.object_]:
    """Sum over replications in Python's whole numbers, which never overflow: high and low halves apart."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return np.asarray(_as_integers(high.sum(axis=0)) * 2**32 + _as_integers(low.sum(axis=0)))


def _as_integers(values: NDArray[Any]) -> NDArray[np.object_]:
    return np.asarray(np.frompyfunc(int, 1, 1)(values))
