"""Settle a contract on outcomes that somebody typed in: nobody is simulated, and no study is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from simengine.capital import smallest_units
from simengine.contract import asks_who_reached, inputs_of, refuse_typed, settle_terms, typed_measurements
from simengine.contract.spec import Contract
from simengine.currencies import units_of
from simengine.errors import StudyError, UsageError
from simengine.records import (
    INVESTOR,
    Floats,
    Payments,
    Reached,
    ReplicationResults,
    add_in_order,
)
from simengine.risk.roles import lenders_in, total_of_lenders


def replay(
    contract: Contract, outcomes: Mapping[str, float], drawn: float, until: str | None = None, reached: Reached | None = None
) -> Payments:
    """Settle a contract on published outcomes: the same terms, one replication, no simulation.

    Parameters
    ----------
    contract
        The terms.
    outcomes
        By metric, by `metric.wave`, or people by all combinations of milestones; what is left out was not measured.
    drawn
        The money drawn, in the currency of the contract.
    until
        The date after which nothing is settled; absent: everything is.
    reached
        For rate cards: who reached what and when, from `read_reached` or `reached_from`.

    Raises
    ------
    UsageError
        If an outcome that a payment depends on is missing, or a table of outcomes for a contract that counts them, and for every
        outcome, sum of money or date that cannot be.
    """
    refuse_typed(contract, outcomes, drawn, until)
    if reached is None and asks_who_reached(contract):
        raise UsageError(
            "reached: must be given where the contract pays for outcomes person by person; found no table of who reached what and when"
        )
    if reached is not None and not contract.outcomes:
        raise UsageError(
            "reached: a table must belong to a contract that counts `outcomes` person by person; found none in this one"
        )
    payments = settle_all_outcomes(contract, [outcomes], drawn, until, reached)
    # Whatever no currency can hold is refused here as it is in a run.
    smallest_units(payments.by_due, units_of(contract.currency))
    return payments


def settle_outcomes(contract: Contract, outcomes: Mapping[str, float], drawn: float, until: str | None = None) -> Payments:
    """Settle a contract on outcomes that are known to be possible, such as means of a run; otherwise as `replay`."""
    return settle_all_outcomes(contract, [outcomes], drawn, until)


def settle_all_outcomes(
    contract: Contract,
    draws: Sequence[Mapping[str, float]],
    drawn: float,
    until: str | None = None,
    reached: Reached | None = None,
) -> Payments:
    """Settle a contract on several sets of the same outcomes at once, one replication for each; in all of them the same `reached`."""
    measurements = typed_measurements(contract, *draws)
    if reached is not None:
        measurements = replace(measurements, reached=Reached.join([reached] * len(draws)))
    try:
        return settle_terms(contract, measurements, np.full(len(draws), drawn, dtype=np.float64), until)
    except StudyError:
        pays_on = [name for name in inputs_of(contract, until) if name not in contract.terms]
        missing = [name for name in pays_on if name not in draws[0]]
        raise UsageError(
            f"outcome: must be given for all that the contract pays on, {', '.join(pays_on)}; missing: {', '.join(missing)}"
        ) from None


def payment_marks(contract: Contract, results: ReplicationResults) -> dict[str, float]:
    """Find the levels between which a contract pays the lender on balance, as shares of the money drawn, where they never differ.

    Parameters
    ----------
    contract
        The terms.
    results
        Of a run: for what was drawn, what was paid and what came back.

    Returns
    -------
    `guarantee`, what is paid whatever is measured, and `cap`, what is paid however good the outcome. A mark is missing where the
    contract has no such level, where it is another share in one replication than in the next, and where what comes back to the
    lenders is not what the contract pays: then it is no level of the money back.
    """
    drawn = results["drawn"]
    paid = add_in_order([results[f"term.{name}.amount"] * sign for name, sign in _signs(contract).items()])
    has_drawn, back = drawn > 0, results[f"{total_of_lenders(results.columns)}.money_back"]
    if len(lenders_in(results.columns)) > 1 or not has_drawn.any() or np.abs(paid - back).max() > _SMALLEST_SHARE * drawn.max():
        return {}
    # From the least to the most that was drawn, and evenly between: enough to see a share that changes with the amount.
    drawn = np.unique(np.quantile(drawn[has_drawn], np.linspace(0, 1, 101), method="nearest"))
    asked = inputs_of(contract)
    # Nobody counts fewer than no people.
    lowest = {name: -1e15 if name.partition(".")[0] in contract.metrics else 0.0 for name in asked}
    every = (lowest, dict.fromkeys(asked, 1e14), dict.fromkeys(asked, 1e15))
    worst, good, best = (_received_at(contract, outcomes, drawn) for outcomes in every)
    fixed = [t for t, name in enumerate(contract.terms) if not contract.terms[name].contingent]
    marks = {"guarantee": worst[:, fixed].sum(axis=1) / drawn}
    marks |= {"cap": best.sum(axis=1) / drawn} if (best.sum(axis=1) == good.sum(axis=1)).all() else {}
    # Payments are rounded to the smallest unit, so shares of different amounts are equal to about that.
    same = {name: float(np.median(share)) for name, share in marks.items() if np.ptp(share) <= _SMALLEST_SHARE}
    return {name: share for name, share in same.items() if name != "guarantee" or share > 0}


_SMALLEST_SHARE = 1e-3
"""Shares of the money drawn that nobody can tell apart in a picture."""


def _received_at(contract: Contract, outcomes: Mapping[str, float], drawn: Floats) -> Floats:
    """Settle a contract on typed outcomes with several amounts drawn: what the investor gets, shape (n_amounts, n_terms)."""
    payments = settle_terms(contract, typed_measurements(contract, *[outcomes] * len(drawn)), drawn)
    received: Floats = payments.amount * np.array(list(_signs(contract).values()))
    return received


def _signs(contract: Contract) -> dict[str, int]:
    """Say of every term whether the investor receives it (1) or pays it (-1)."""
    return {name: (term.payee == INVESTOR) - (term.payer == INVESTOR) for name, term in contract.terms.items()}
