"""Who is left with what under the payments of one replication: money that runs in opposite directions is never added up."""

from __future__ import annotations

from collections.abc import Collection

from simengine.currencies import MOST_DECIMALS
from simengine.records import INVESTOR, Payments


def net_by_party(payments: Payments, terms: Collection[str] | None = None) -> dict[str, float]:
    """Compute what each party received less what it paid, by all terms or by some; in the order in which terms name parties."""
    net: dict[str, float] = {}
    for t, (payer, payee) in enumerate(payments.parties):
        if terms is None or payments.terms[t] in terms:
            amount = float(payments.amount[0, t])
            net[payer] = net.get(payer, 0.0) - amount
            net[payee] = net.get(payee, 0.0) + amount
    return {party: round(amount, MOST_DECIMALS) + 0.0 for party, amount in net.items()}


def total_of(payments: Payments, terms: Collection[str] | None = None) -> float | None:
    """Sum all terms where one party pays all of them or receives all of them; None where money runs both ways."""
    pairs = [pair for name, pair in zip(payments.terms, payments.parties, strict=True) if terms is None or name in terms]
    payers, payees = {payer for payer, _ in pairs}, {payee for _, payee in pairs}
    if min(len(payers), len(payees)) != 1:
        return None
    net = net_by_party(payments, terms)
    return net[payees.pop()] if len(payees) == 1 else 0.0 - net[payers.pop()]


def paid_in_all(payments: Payments, terms: Collection[str]) -> float:
    """Sum some terms: their total or, where money runs both ways, what the investor is left with."""
    total = total_of(payments, terms)
    return net_by_party(payments, terms).get(INVESTOR, 0.0) if total is None else total
