"""Move the money: tranches pay in, costs are paid, outcome payers pay, the waterfall hands out, guarantors make good.

Everything is counted in the smallest unit of the currency, in whole numbers, and every posting has a payer and a receiver. So the
ledger sums to zero at every date by construction, and the tests hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.capital.kernels import walk_calendar
from simengine.capital.plan import Plan, smallest_units, value_in
from simengine.capital.spec import Capital, Payer, shares_of
from simengine.errors import Problem, StudyError
from simengine.records import PROJECT, SMALLEST_UNITS, Account, Integers, Ledger, Line, Payments, Worlds

INVESTOR, OUTCOME_PAYER = "investor", "outcome_payer"


@dataclass
class _Book:
    """Lines under construction, each with its journal of shape (replication, date)."""

    lines: list[Line] = field(default_factory=list)
    journal: list[Integers] = field(default_factory=list)

    def post(self, name: str, payer: str, receiver: str, amount: Integers) -> None:
        self.lines.append(Line(name, payer, receiver))
        self.journal.append(amount)


def distribute(capital: Capital, plan: Plan, payments: Payments, worlds: Worlds, parties: Sequence[str]) -> Ledger:
    """Post every flow of the project to the accounts of the parties.

    Parameters
    ----------
    capital
        What the study says of the money.
    plan
        The same as tables: see `plan_money`.
    payments
        What is owed under each term on each date, by whom and to whom.
    worlds
        The parameters of each replication.
    parties
        The names of all parties.

    Raises
    ------
    StudyError
        If costs stay unpaid and the study does not allow it, or amounts are too large for whole numbers.
    """
    payers = capital.payers or {OUTCOME_PAYER: Payer(share="rest")}
    accounts = [
        *(Account(f"payer.{name}", name, OUTCOME_PAYER) for name in payers),
        *(Account(f"tranche.{name}", holder, INVESTOR) for name, holder in plan.holders.items()),
        *(Account(name, name) for name in parties),
        Account(PROJECT, PROJECT, PROJECT),
    ]
    book, shape = _Book(), plan.project.scheduled.shape
    for t, term in enumerate(payments.terms):
        for sign, owed in _by_sign(_owed(t, term, payments, worlds, shape)):
            payer, payee = payments.parties[t][::sign]
            _post_term(book, capital, plan, worlds, f"term.{term}", payer, payee, owed)
    income = np.zeros(shape, dtype=np.int64)
    for line, amount in zip(book.lines, book.journal, strict=True):
        income += amount if line.receiver == PROJECT else 0
    stop = np.full(len(worlds), -1, dtype=np.int64) if payments.stop_month is None else payments.stop_month
    project_lines = list(_project_lines(capital, plan))
    n_tranches, n_costs, n_guarantees = len(plan.holders), len(plan.costs), len(plan.guarantee_names)
    # In memory each line lies by itself: cash is added up line by line.
    journal = np.empty((len(project_lines), *shape), dtype=np.int64)
    lost, owed = np.zeros((2, len(worlds), n_tranches), dtype=np.int64)
    at_limit, reached = np.zeros((len(worlds), n_tranches), dtype=bool), np.zeros((len(worlds), n_guarantees), dtype=bool)
    waiting = np.zeros((len(worlds), n_costs), dtype=np.int64)
    tables = (plan.project, plan.loans, plan.waterfall, plan.guarantees)
    walk_calendar(*tables, income, stop, journal, lost, owed, at_limit, waiting, reached)
    _refuse_shortfall(capital, plan, journal[n_tranches + n_costs : n_tranches + 2 * n_costs])
    return Ledger(
        tuple(accounts),
        (*book.lines, *project_lines),
        np.moveaxis(np.concatenate([*(lines[None] for lines in book.journal), journal]), 0, 2),
        tuple(plan.holders),
        journal[:n_tranches].sum(axis=2).T,
        lost,
        owed,
        at_limit,
        tuple(plan.costs),
        waiting,
        plan.guarantee_names,
        reached,
    )


def _owed(t: int, term: str, payments: Payments, worlds: Worlds, shape: tuple[int, ...]) -> Integers:
    """Give what is owed under a term by month."""
    owed, everyone = np.zeros(shape, dtype=np.int64), np.arange(len(worlds))
    for due in np.flatnonzero(payments.is_due[t]):
        month = np.full(len(worlds), payments.months[t, due])
        if payments.months[t, due] < 0:
            month = np.floor(worlds[f"capital.payment_month.{term}"]).astype(np.int64)
        owed[everyone, month] += smallest_units(payments.by_due[:, t, due])
    return owed


def _by_sign(owed: Integers) -> Iterator[tuple[int, Integers]]:
    """Yield what runs from payer to payee and, where any does, what runs the other way."""
    yield 1, np.maximum(owed, 0)
    if (owed < 0).any():
        yield -1, np.maximum(-owed, 0)


def _post_term(
    book: _Book, capital: Capital, plan: Plan, worlds: Worlds, name: str, payer: str, payee: str, owed: Integers
) -> None:
    """Post what is owed under a term to those who stand behind its payer and its payee."""
    for paying, part in _sides(capital, plan, payer, owed):
        came, who = part, paying.removeprefix("payer.")
        if who != paying:
            came = _as_it_comes(worlds, who, part)
            if f"capital.payers.{who}.pays_share" in worlds.values:
                book.post(f"unpaid.{name}.{paying}", "", "", part - _paid_share(worlds, who, part))
        if payee == INVESTOR:
            book.post(f"{name}.{paying}", paying, PROJECT, came)
            continue
        for receiving, share in _sides(capital, plan, payee, came):
            book.post(f"{name}.{paying}.{receiving}", paying, receiving, share)


def _sides(capital: Capital, plan: Plan, party: str, amount: Integers) -> Iterator[tuple[str, Integers]]:
    """Yield the accounts that stand behind a party of the contract, with their parts of an amount."""
    if party == INVESTOR:
        names, weights = [f"tranche.{name}" for name in plan.holders], list(plan.loans.size)
    elif party == OUTCOME_PAYER and capital.payers:
        names = [f"payer.{name}" for name in capital.payers]
        weights = shares_of({name: payer.share for name, payer in capital.payers.items()})
    else:
        names, weights = [f"payer.{party}" if party == OUTCOME_PAYER else party], [1.0]
    edges = np.cumsum([0.0, *weights]) / sum(weights)
    # Parts of the running share: they add up to the amount, to the unit.
    so_far = [np.rint(amount * edge).astype(np.int64) for edge in edges[:-1]] + [amount]
    for place, name in enumerate(names):
        yield name, so_far[place + 1] - so_far[place]


def _paid_share(worlds: Worlds, payer: str, owed: Integers) -> Integers:
    share = value_in(worlds, f"capital.payers.{payer}.pays_share", 1.0)
    return np.rint(owed * share[:, None]).astype(np.int64)


def _as_it_comes(worlds: Worlds, payer: str, owed: Integers) -> Integers:
    """Give what a payer really pays, when it comes."""
    paid = owed if f"capital.payers.{payer}.pays_share" not in worlds.values else _paid_share(worlds, payer, owed)
    late = np.floor(value_in(worlds, f"capital.payers.{payer}.pays_late_months", 0.0)).astype(np.int64)
    if not late.any():
        return paid
    came, (replication, month) = np.zeros_like(paid), np.nonzero(paid)
    np.add.at(came, (replication, month + late[replication]), paid[replication, month])
    return came


def _project_lines(capital: Capital, plan: Plan) -> Iterator[Line]:
    """Yield the lines of the project's own account in the order of the kernel's journal."""
    holders = plan.holders
    yield from (Line(f"draw.{name}", f"tranche.{name}", PROJECT) for name in holders)
    yield from (Line(f"cost.{name}", PROJECT, payee) for name, payee in plan.costs.items())
    yield from (Line(f"unpaid.cost.{name}") for name in plan.costs)
    yield from (Line(f"reserve.{what}") for what in ("in", "used", "out"))
    for step_name, step in capital.all_steps().items():
        for name in step.names:
            if step.kind == "deferred":
                receiver = plan.costs[name]
            elif step.kind == "reimburse":
                receiver = capital.guarantees[name].guarantor
            else:
                receiver = f"tranche.{name}" if name in holders else name
            yield Line(f"step.{step_name}.{name}", PROJECT, receiver)
    for guarantee in plan.guarantee_names:
        one = capital.guarantees[guarantee]
        for name in one.covers:
            receiver = f"tranche.{name}" if name in holders else capital.guarantees[name].guarantor
            yield Line(f"guarantee.{guarantee}.{name}", one.guarantor, receiver)


def _refuse_shortfall(capital: Capital, plan: Plan, unpaid: Integers) -> None:
    """Refuse costs that nobody pays, unless the study allows it."""
    if capital.shortfall == "allowed" or not unpaid.any():
        return
    for c, name in enumerate(plan.costs):
        short = unpaid[c].sum(axis=1)
        if short.any():
            most, times = short.max() / SMALLEST_UNITS, (short > 0).sum()
            found = f"up to {most:,.2f} unpaid, in {times:,} of {len(short):,} replications of a block"
            way_out = "Commit more, let income be recycled, keep a reserve, or write `shortfall: allowed`"
            problem = Problem("the run", f"capital.costs.{name}", "the money suffices for every cost", found, way_out)
            raise StudyError([problem])
