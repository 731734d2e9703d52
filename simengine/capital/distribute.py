"""Post all cash: drawdown, costs, payments for outcomes, waterfall and guarantees.

Everything is counted in the smallest unit of the currency, in whole numbers, and every posting has a payer and a receiver. So the
ledger sums to zero at every date by construction, and the tests hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simengine.capital.kernels.walk import walk_calendar
from simengine.capital.plan import Plan
from simengine.capital.pricing import smallest_units, value_in
from simengine.capital.spec import RETAINED, Capital, Payer, shares_of
from simengine.errors import Problem, StudyError
from simengine.records import INVESTOR, OUTCOME_PAYER, PROJECT, SUPPLIERS, Account, Draws, Integers, Ledger, LedgerLine, Payments
from simengine.rounding import nearest_units


@dataclass
class Flow:
    """Payments from one account to another on the dates of a term."""

    line: LedgerLine
    month: Integers
    """Shape (n_dates, n_replications)."""
    amount: Integers
    """The same shape, in the smallest unit."""


def distribute(capital: Capital, plan: Plan, payments: Payments, draws: Draws) -> Ledger:
    """Post every flow of the project to the accounts of the parties.

    Parameters
    ----------
    capital
        The section `capital` of the study.
    plan
        The section as tables: see `plan_money`.
    payments
        What is owed under each term on each date, by whom and to whom.
    draws
        The parameters of each replication.

    Raises
    ------
    StudyError
        If costs stay unpaid and the study does not allow it, or amounts are too large for whole numbers.
    """
    flows, (n, n_months) = post_terms(capital, plan, payments, draws), plan.project.scheduled.shape
    of_project, of_parties = list(project_lines(capital, plan)), own_lines(plan)
    lines = [*(flow.line for flow in flows), *of_project, *of_parties]
    # Each line is contiguous in memory: cash is added up line by line.
    journal, income = np.zeros((len(lines), n, n_months), dtype=np.int64), np.zeros((n, n_months), dtype=np.int64)
    for place, flow in enumerate(flows):
        _enter(journal[place], flow)
        if flow.line.receiver == PROJECT:
            _enter(income, flow)
    n_tranches, n_costs, n_guarantees = len(plan.holders), len(plan.costs), len(plan.guarantee_names)
    lost, owed = np.zeros((2, n, n_tranches), dtype=np.int64)
    at_limit, spent = np.zeros((2, n, n_tranches), dtype=bool)
    waiting, peak = np.zeros((n, n_costs), dtype=np.int64), np.zeros((n, n_tranches), dtype=np.int64)
    reached = np.zeros((n, n_guarantees), dtype=bool)
    own, stop = journal[len(flows) : len(flows) + len(of_project)], stop_months(payments, n)
    tables = (plan.project, plan.loans, plan.lines, plan.grants, plan.waterfall, plan.guarantees)
    walk_calendar(*tables, income, stop, own, lost, owed, at_limit, peak, spent, waiting, reached)
    refuse_shortfall(capital, plan, own[n_tranches + n_costs : n_tranches + 2 * n_costs].sum(axis=2))
    for place, spending in enumerate(plan.own_spending, start=len(lines) - len(of_parties)):
        journal[place] = np.where(falls_due(stop, n_months), spending.due, 0)
    return Ledger(
        plan.units,
        accounts_in_plan(capital, plan),
        tuple(lines),
        np.moveaxis(journal, 0, 2),
        tuple(plan.holders),
        own[:n_tranches].sum(axis=2).T,
        lost,
        owed,
        at_limit,
        plan.revolving,
        peak,
        spent,
        tuple(plan.costs),
        waiting,
        plan.guarantee_names,
        reached,
        tuple(payer for payer in payers_of(capital) if may_fall_short(draws, payer)),
    )


def _enter(by_month: Integers, flow: Flow) -> None:
    """Add a flow to amounts by month, of shape (n_replications, n_months)."""
    date, replication = np.nonzero(flow.amount)
    np.add.at(by_month, (replication, flow.month[date, replication]), flow.amount[date, replication])


def own_lines(plan: Plan) -> list[LedgerLine]:
    """List the costs that parties pay from their own accounts."""
    return [LedgerLine(f"own_cost.{one.party}.{one.cost}", one.party, one.payee) for one in plan.own_spending]


def falls_due(stop: Integers, n_months: int) -> NDArray[np.bool_]:
    """Return in which months something falls due, up to the month of a stop: shape (n_replications, n_months)."""
    return np.asarray((stop[:, None] < 0) | (np.arange(n_months)[None, :] <= stop[:, None]))


def accounts_in_plan(capital: Capital, plan: Plan) -> tuple[Account, ...]:
    """List all accounts."""
    outside = any(one.payee == SUPPLIERS for one in plan.own_spending)
    return (
        *(Account(f"payer.{name}", name, OUTCOME_PAYER) for name in payers_of(capital)),
        *(Account(f"tranche.{name}", holder, INVESTOR) for name, holder in plan.holders.items()),
        *(Account(name, name) for name in (*plan.parties, *([SUPPLIERS] if outside else []))),
        Account(PROJECT, PROJECT, PROJECT),
    )


def payers_of(capital: Capital) -> Mapping[str, Payer]:
    """Return the payers of the amounts owed by the outcome payer."""
    return capital.payers or {OUTCOME_PAYER: Payer(share="rest")}


def stop_months(payments: Payments, n_replications: int) -> Integers:
    """Return the month after which nothing is drawn or spent; -1 for none."""
    return np.full(n_replications, -1, dtype=np.int64) if payments.stop_month is None else payments.stop_month


def post_terms(capital: Capital, plan: Plan, payments: Payments, draws: Draws) -> list[Flow]:
    """Post the amounts owed under the terms to the accounts behind payers and payees."""
    flows: list[Flow] = []
    for t, term in enumerate(payments.terms):
        month, amount = _owed(t, term, plan.units, payments, draws)
        for sign, owed in _by_sign(amount):
            payer, payee = payments.parties[t][::sign]
            flows += _post_term(capital, plan, draws, f"term.{term}", payer, payee, month, owed)
    return flows


def _owed(t: int, term: str, units: int, payments: Payments, draws: Draws) -> tuple[Integers, Integers]:
    """Return the months and amounts owed under a term; each of shape (n_dates, n_replications)."""
    n, dues = len(draws), np.flatnonzero(payments.is_due[t])
    fixed = payments.months[t, dues]
    if (fixed < 0).any():
        month = np.floor(draws[f"capital.payment_month.{term}"]).astype(np.int64)
        return month[None], smallest_units(payments.by_due[:, t, dues[0]], units)[None]
    # Two dates in one month are one: what is owed on the one may be set against what is owed on the other.
    months, place = np.unique(fixed, return_inverse=True)
    owed = np.zeros((len(months), n), dtype=np.int64)
    for due, where in zip(dues, place, strict=True):
        owed[where] += smallest_units(payments.by_due[:, t, due], units)
    return np.broadcast_to(months[:, None], owed.shape), owed


def _by_sign(owed: Integers) -> Iterator[tuple[int, Integers]]:
    """Yield the payments from payer to payee and, if there are any, in the other direction."""
    yield 1, np.maximum(owed, 0)
    if (owed < 0).any():
        yield -1, np.maximum(-owed, 0)


def _post_term(
    capital: Capital, plan: Plan, draws: Draws, name: str, payer: str, payee: str, month: Integers, owed: Integers
) -> Iterator[Flow]:
    """Post the amounts owed under a term to the accounts behind its payer and its payee."""
    for paying, part in _sides(capital, plan, payer, owed):
        came, when, who, interest = part, month, paying.removeprefix("payer."), None
        if who != paying:
            when = _as_it_comes(draws, who, month)
            came = _until_it_leaves(draws, who, when, _paid_share(draws, who, part))
            if may_fall_short(draws, who):
                yield Flow(LedgerLine(f"unpaid.{name}.{paying}"), month, part - came)
            interest = _late_interest(draws, who, came)
        for line, amount in ((name, came), *([] if interest is None else [(f"late_interest.{name}", interest)])):
            if payee == INVESTOR:
                yield Flow(LedgerLine(f"{line}.{paying}", paying, PROJECT), when, amount)
                continue
            for receiving, share in _sides(capital, plan, payee, amount):
                yield Flow(LedgerLine(f"{line}.{paying}.{receiving}", paying, receiving), when, share)


def _sides(capital: Capital, plan: Plan, party: str, amount: Integers) -> Iterator[tuple[str, Integers]]:
    """Yield the accounts behind a party of the contract, with their parts of an amount."""
    if party == INVESTOR:
        names, weights = [f"tranche.{name}" for name in plan.holders], list(plan.loans.size)
    elif party == OUTCOME_PAYER and capital.payers:
        names = [f"payer.{name}" for name in capital.payers]
        weights = shares_of({name: payer.share for name, payer in capital.payers.items()})
    else:
        names, weights = [f"payer.{party}" if party == OUTCOME_PAYER else party], [1.0]
    edges = np.cumsum([0.0, *weights]) / sum(weights)
    # Parts of the running share: they add up to the amount, to the unit.
    so_far = [nearest_units(amount * edge).astype(np.int64) for edge in edges[:-1]] + [amount]
    for place, name in enumerate(names):
        yield name, so_far[place + 1] - so_far[place]


def _paid_share(draws: Draws, payer: str, owed: Integers) -> Integers:
    share = draws.values.get(f"capital.payers.{payer}.pays_share")
    return owed if share is None else nearest_units(owed * share).astype(np.int64)


def _until_it_leaves(draws: Draws, payer: str, month: Integers, due: Integers) -> Integers:
    """Return what a payer pays of amounts that it would pay in some months: from the month in which it leaves, what is recovered."""
    leaves = draws.values.get(f"capital.payers.{payer}.leaves_in_month")
    if leaves is None:
        return due
    recovered = value_in(draws, f"capital.payers.{payer}.recovered_share", 0.0)
    return np.where(month >= np.floor(leaves), nearest_units(due * recovered).astype(np.int64), due)


def may_fall_short(draws: Draws, payer: str) -> bool:
    """Whether a payer may pay less than it owes: what it does not pay is then noted."""
    return any(f"capital.payers.{payer}.{key}" in draws.values for key in ("pays_share", "leaves_in_month"))


def _as_it_comes(draws: Draws, payer: str, month: Integers) -> Integers:
    """Return the months in which a payer actually pays."""
    late = draws.values.get(f"capital.payers.{payer}.pays_late_months")
    return month if late is None else month + np.floor(late).astype(np.int64)


def _late_interest(draws: Draws, payer: str, came: Integers) -> Integers | None:
    """Return the interest that a payer adds to what it pays late; nothing where it owes none."""
    rate = draws.values.get(f"capital.payers.{payer}.late_interest_per_year")
    if rate is None:
        return None
    late = np.floor(draws[f"capital.payers.{payer}.pays_late_months"])
    return nearest_units(came * (rate * late / 12)).astype(np.int64)


def project_lines(capital: Capital, plan: Plan) -> Iterator[LedgerLine]:
    """Yield the lines of the project's own account in the order of the kernel's journal."""
    holders = plan.holders
    yield from (LedgerLine(f"draw.{name}", f"tranche.{name}", PROJECT) for name in holders)
    yield from (LedgerLine(f"cost.{name}", PROJECT, payee) for name, payee in plan.costs.items())
    yield from (LedgerLine(f"unpaid.cost.{name}") for name in plan.costs)
    yield from (LedgerLine(f"reserve.{what}") for what in ("in", "used", "out"))
    for step_name, step in capital.all_steps().items():
        for name in step.names:
            if step.kind == RETAINED:
                yield LedgerLine(f"{RETAINED}.{step_name}")
                continue
            if step.kind == "deferred":
                receiver = plan.costs[name]
            elif step.kind == "reimburse":
                receiver = capital.guarantees[name].guarantor
            else:
                receiver = f"tranche.{name}" if name in holders else name
            yield LedgerLine(f"step.{step_name}.{name}", PROJECT, receiver)
    for guarantee in plan.guarantee_names:
        one = capital.guarantees[guarantee]
        for name in one.covers:
            receiver = f"tranche.{name}" if name in holders else capital.guarantees[name].guarantor
            yield LedgerLine(f"guarantee.{guarantee}.{name}", one.guarantor, receiver)
    yield from (LedgerLine(f"grant.{name}", giver, PROJECT) for name, giver in plan.givers.items())


def refuse_shortfall(capital: Capital, plan: Plan, unpaid: Integers) -> None:
    """Refuse unpaid costs, unless the study allows them; unpaid: shape (n_costs, n_replications)."""
    if capital.shortfall == "allowed" or not unpaid.any():
        return
    decimals = len(str(plan.units)) - 1
    for name, short in zip(plan.costs, unpaid, strict=True):
        if short.any():
            most, times = short.max() / plan.units, (short > 0).sum()
            found = f"up to {most:,.{decimals}f} unpaid, in {times:,} of {len(short):,} replications of a block"
            way_out = "Commit more, let income be recycled, keep a reserve, or write `shortfall: allowed`"
            problem = Problem("the run", f"capital.costs.{name}", "the money must suffice for every cost", found, way_out)
            raise StudyError([problem])
