"""Move the money: the investor pays in, the service provider delivers, the outcome payer repays.

Everything is counted in the smallest unit of the currency, in whole numbers, and every flow is posted twice: what one
party pays another receives. So the ledger sums to zero at every date by construction, and the tests hold it to that.
"""

from __future__ import annotations

import numpy as np

from simengine.errors import Problem, StudyError
from simengine.records import SMALLEST_UNITS, Drawdown, Floats, Integers, Ledger, Payments, Worlds

PARTIES = ("investor", "outcome_payer", "service_provider")
INVESTOR, OUTCOME_PAYER, SERVICE_PROVIDER = range(3)
_LARGEST_UNITS = 1e17
"""Far below 2^63, so that a few dozen payments and the drawdown still add up."""


def draw_down(commitment: float, worlds: Worlds, horizon_months: int) -> Drawdown:
    """Draw the loan in equal monthly parts from the start.

    Parameters
    ----------
    commitment
        The most that can be drawn, in the currency.
    worlds
        The parameters of each replication.
    horizon_months
        Months of the calendar; the dates run from 0 to this month.

    Returns
    -------
    What the investor pays in per month; the parts differ by at most one smallest unit and sum to the amount drawn.
    """
    total = np.round(commitment * SMALLEST_UNITS * worlds["capital.drawn_share"]).astype(np.int64)
    months = np.floor(worlds["capital.drawdown_months"]).astype(np.int64)
    elapsed = np.minimum(np.arange(1, horizon_months + 2)[None, :], months[:, None])
    # Whole-number division of the running total, so that no unit is lost however the months divide it.
    drawn_so_far = (total[:, None] // months[:, None]) * elapsed + (total % months)[:, None] * elapsed // months[:, None]
    return Drawdown(np.diff(drawn_so_far, axis=1, prepend=0))


def distribute(drawdown: Drawdown, payments: Payments, worlds: Worlds) -> Ledger:
    """Post every flow of the contract to the parties' accounts.

    Parameters
    ----------
    drawdown
        What the investor pays in; the service provider receives it in the same month.
    payments
        What is owed under each term on each date, by whom and to whom.
    worlds
        The parameters of each replication: the months of payment where the contract does not say them.

    Returns
    -------
    Cash by replication, month and party.
    """
    flows = np.zeros((*drawdown.flows.shape, len(PARTIES)), dtype=np.int64)
    _post(flows, INVESTOR, SERVICE_PROVIDER, drawdown.flows)
    everyone = np.arange(len(worlds))
    for t, term in enumerate(payments.terms):
        payer, payee = (PARTIES.index(party) for party in payments.parties[t])
        paid = np.zeros(drawdown.flows.shape, dtype=np.int64)
        for due in np.flatnonzero(payments.is_due[t]):
            month = np.full(len(worlds), payments.months[t, due])
            if payments.months[t, due] < 0:
                month = np.floor(worlds[f"capital.payment_month.{term}"]).astype(np.int64)
            paid[everyone, month] += smallest_units(payments.by_due[:, t, due])
        _post(flows, payer, payee, paid)
    return Ledger(PARTIES, flows)


def smallest_units(amount: Floats) -> Integers:
    """Turn amounts of the currency into whole numbers of its smallest unit, rounding half to even.

    Raises
    ------
    StudyError
        If an amount is so large that whole numbers of 64 bits could not hold sums of it.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        units = np.round(amount * SMALLEST_UNITS)
    if not (np.abs(units) < _LARGEST_UNITS).all():
        rule = f"a payment stays below {_LARGEST_UNITS / SMALLEST_UNITS:.0e} in every replication"
        found = f"{np.abs(amount).max():.3g}"
        raise StudyError([Problem("the run", "contract.terms", rule, found, "Give the term a cap, or check the prices")])
    return units.astype(np.int64)


def _post(flows: Integers, payer: int, receiver: int, amount: Integers) -> None:
    flows[:, :, payer] -= amount
    flows[:, :, receiver] += amount
