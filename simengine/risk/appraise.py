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
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES, multiples, payback_times, present_values, rates_of_return


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
) -> Outturns:
    """Give one row per replication: measured and true outcomes, payments, and the money of each party.

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
    columns |= _investor(standpoint, ledger, drawdown)
    columns |= _outcome_payer(standpoint, tallies, ledger)
    for arm in (SERVICE, TWIN, BASELINE):
        for s, state in enumerate(tallies.states):
            waves = tallies.person_months[:, :, arm, s, -1]
            columns[f"person_months.{ARMS[arm]}.{state}"] = add_in_order(waves.T)
    columns["clipped"] = tallies.clipped
    codes = {f"term.{name}.bound": LIMITS for name in payments.terms} | {
        "investor.irr_status": STATUSES,
        "investor.payback_status": PAYBACK_STATUSES,
    }
    return Outturns(worlds.replications, columns, codes, _cash_moments(ledger, standpoint.commitment))


def _investor(standpoint: Standpoint, ledger: Ledger, drawdown: Drawdown) -> dict[str, NDArray[Any]]:
    cash = ledger.flows[:, :, ledger.parties.index("investor")]
    drawn = drawdown.flows.sum(axis=1)
    back = cash.sum(axis=1) + drawn
    rates, paybacks = rates_of_return(cash), payback_times(cash)
    return {
        "investor.money_back": back / SMALLEST_UNITS,
        "investor.net": cash.sum(axis=1) / SMALLEST_UNITS,
        "investor.moic": multiples(back, drawn),
        "investor.irr": rates.rate,
        "investor.irr_status": rates.status,
        "investor.payback_months": paybacks.months,
        "investor.payback_status": paybacks.status,
        "investor.npv": _present_value(cash, np.arange(cash.shape[1]) / 12, standpoint, "investor") / SMALLEST_UNITS,
    }


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


def _present_value(flows: NDArray[Any], years: Floats, standpoint: Standpoint, party: str) -> Floats:
    """Discount flows of shape (replication, date) at the party's rate."""
    return present_values(flows, (1 + standpoint.discount_rate_per_year[party]) ** -years)


def _cash_moments(ledger: Ledger, commitment: float) -> CashMoments:
    """Sum the investor's cash by date, and its products between dates.

    The products are those of cash in units of about 1/65,536 of the commitment, in whole numbers: they are exact, so that
    blocks can be added in any order, and they serve a standard error alone.
    """
    cash = ledger.flows[:, :, ledger.parties.index("investor")]
    unit = 2.0 ** max(np.ceil(np.log2(max(commitment * SMALLEST_UNITS, 1.0))) - 16, 0)
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
