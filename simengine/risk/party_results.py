"""Results of each party in each replication."""

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
    TWIN,
    CashMoments,
    Draws,
    Floats,
    Integers,
    Ledger,
    Measurements,
    Payments,
    PublicValue,
    ReplicationResults,
    Tallies,
    add_in_order,
)
from simengine.risk.parties import left_with
from simengine.risk.returns import present_values
from simengine.risk.roles import lending_cash, role_columns
from simengine.risk.structure import codes_of, structure_of


@dataclass(frozen=True)
class DiscountBasis:
    """Discount factors and other bases for the parties' results."""

    discount_factors: Mapping[str, Floats]
    """By party: the present value of money in each month, of shape (1 or n_replications, n_months)."""
    deflators: Floats | None
    """The same in prices of the start, if the study has inflation."""
    contingent_terms: Mapping[str, int]
    """Terms that pay only for outcomes, with their direction: 1, or -1 if the outcome payer receives money back."""
    commitment: float
    """The commitment, in the currency, as the scale of the cash."""


def party_results(
    basis: DiscountBasis,
    draws: Draws,
    tallies: Tallies,
    measurements: Measurements,
    payments: Payments,
    ledger: Ledger,
    public_value: PublicValue,
    *,
    with_returns: bool = True,
) -> ReplicationResults:
    """Return one row per replication: measured and true outcomes, payments, and the money of each party.

    Parameters
    ----------
    basis, draws, tallies, measurements, payments, ledger
        Results of the earlier stages.
    with_returns
        Whether rates of return, the moments of cash and the endings of the capital structure are computed: this takes most of the
        time, and is not needed to settle hundreds of term sheets.

    Returns
    -------
    Columns by dotted name, and by lender the cash of its loans by date: its moments, and row by row.
    """
    columns: dict[str, NDArray[Any]] = {"drawn": ledger.drawn, "service_users": tallies.n_people[:, :, SERVICE].sum(axis=1)}
    for m, name in enumerate(measurements.metrics):
        columns[f"metric.{name}.estimate"] = measurements.estimate[:, m]
        columns[f"metric.{name}.standard_error"] = measurements.standard_error[:, m]
        columns[f"metric.{name}.truth"] = measurements.truth[:, m]
    for t, name in enumerate(payments.terms):
        columns[f"term.{name}.amount"] = payments.amount[:, t]
        columns[f"term.{name}.bound"] = payments.bound[:, t]
    if measurements.reached is not None:
        columns |= {f"outcome.{name}.number": number for name, number in measurements.reached.numbers().items()}
        columns |= {f"outcome.{name}.paid": paid for name, paid in payments.for_outcomes.items()}
    columns["contingent_payment"] = payments.owed_in_all(basis.contingent_terms)
    columns |= _parties(basis, ledger, public_value, with_returns=with_returns)
    columns |= structure_of(ledger) if with_returns else {}
    for arm in (SERVICE, TWIN, BASELINE):
        for s, state in enumerate(tallies.states):
            waves = tallies.person_months[:, :, arm, s, -1]
            columns[f"person_months.{ARMS[arm]}.{state}"] = add_in_order(waves.T)
    columns["clipped"] = tallies.clipped
    limits = payments.limits or (LIMITS,) * len(payments.terms)
    codes = {f"term.{name}.bound": words for name, words in zip(payments.terms, limits, strict=True)} | codes_of(columns)
    cash = lending_cash(ledger) if with_returns else {}
    moments = {name: _cash_moments(flows, basis.commitment * ledger.units) for name, flows in cash.items()}
    return ReplicationResults(draws.replications, columns, codes, moments, cash or None)


def _parties(basis: DiscountBasis, ledger: Ledger, public_value: PublicValue, *, with_returns: bool) -> dict[str, NDArray[Any]]:
    """Money of each party, and of those who lend and pay."""
    factors = basis.discount_factors
    columns: dict[str, NDArray[Any]] = {**left_with(ledger, public_value, factors)}
    columns |= role_columns(ledger, public_value, factors, with_returns=with_returns)
    if basis.deflators is not None:
        own = {party: ledger.cash(party) for party in ledger.parties}
        columns |= {f"{party}.real_cash": _present_value(cash, basis.deflators, ledger.units) for party, cash in own.items()}
    return columns


def _present_value(cash: Integers, factors: Floats, units: int) -> Floats:
    """Discount flows of shape (replication, date), in the smallest unit, to the currency."""
    return present_values(cash, factors[:, : cash.shape[1]]) / units


def _cash_moments(cash: Integers, commitment: float) -> CashMoments:
    """Sum cash by date, and its products between dates; all in the smallest unit.

    The products are those of cash in units of about 1/65,536 of the commitment, in whole numbers: they are exact, so that
    blocks can be added in any order, and they serve a standard error alone.
    """
    unit = 2.0 ** max(np.ceil(np.log2(max(commitment, 1.0))) - 16, 0)
    rounded = np.round(cash / unit)
    # Whole numbers in floating point are exact and fast as long as their sums stay below 2^53.
    is_small = np.abs(rounded).max(initial=0.0) ** 2 * len(rounded) < 2**53
    whole = rounded if is_small else np.array([[int(value) for value in row] for row in rounded], dtype=object)
    return CashMoments(unit, len(cash), _exact_sum(cash), _exact_sum(rounded.astype(np.int64)), _as_integers(whole.T @ whole))


def _exact_sum(values: Integers) -> NDArray[np.object_]:
    """Sum over replications in Python's whole numbers, which never overflow: high and low halves apart."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return np.asarray(_as_integers(high.sum(axis=0)) * 2**32 + _as_integers(low.sum(axis=0)))


def _as_integers(values: NDArray[Any]) -> NDArray[np.object_]:
    # Most months have no cash: zeros need no conversion.
    whole, there = np.zeros(values.shape, dtype=object), values != 0
    whole[there] = np.frompyfunc(int, 1, 1)(values[there])
    return whole
