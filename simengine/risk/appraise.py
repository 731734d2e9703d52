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
    PublicValue,
    Tallies,
    Worlds,
    add_in_order,
)
from simengine.risk.parties import left_with
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES, multiples, payback_times, rates_of_return


@dataclass(frozen=True)
class Standpoint:
    """How the parties look at money."""

    discount_rate_per_year: Mapping[str, float]
    """By party."""
    contingent_terms: tuple[str, ...]
    """Terms that pay only for outcomes."""
    commitment: float
    """The most that the investor lends, in the currency: the scale of the cash."""

    def factors(self, party: str, years: Floats) -> Floats:
        """Give what one unit of money after some years is worth to a party now."""
        return np.asarray((1 + self.discount_rate_per_year[party]) ** -years)


def appraise(
    standpoint: Standpoint,
    worlds: Worlds,
    tallies: Tallies,
    measurements: Measurements,
    payments: Payments,
    drawdown: Drawdown,
    ledger: Ledger,
    public_value: PublicValue,
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
    columns |= _investor(ledger, drawdown)
    columns |= left_with(ledger, public_value, standpoint.factors)
    columns["outcome_payer.payment"] = -columns["outcome_payer.cash"]
    columns["outcome_payer.true_saving"] = columns["outcome_payer.value"]
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


def _investor(ledger: Ledger, drawdown: Drawdown) -> dict[str, NDArray[Any]]:
    cash = ledger.flows[:, :, ledger.parties.index("investor")]
    drawn = drawdown.flows.sum(axis=1)
    back = cash.sum(axis=1) + drawn
    rates, paybacks = rates_of_return(cash), payback_times(cash)
    return {
        "investor.money_back": back / SMALLEST_UNITS,
        "investor.moic": multiples(back, drawn),
        "investor.irr": rates.rate,
        "investor.irr_status": rates.status,
        "investor.payback_months": paybacks.months,
        "investor.payback_status": paybacks.status,
    }


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
