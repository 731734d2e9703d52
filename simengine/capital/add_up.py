"""Cash totals of account groups over the calendar: the same walk as for the ledger, without a journal.

Used to settle the same replications under hundreds of term sheets, where only sums are needed. Until the first payment under the
contract falls due, all goes as it does under any terms: where everybody then stands is kept, and the walk goes on from there.

Where income goes to the same parties at once whatever its amount, payments are added to the sums without them, and nobody walks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from simengine.capital.distribute import Flow, own_lines, post_terms, project_lines, refuse_shortfall, stop_months
from simengine.capital.kernels.arrays import N_PLAIN_ROWS, N_ROWS, PAID_IN, CalendarState
from simengine.capital.kernels.sums import add_payments, add_up_calendar
from simengine.capital.plan import Plan
from simengine.capital.spec import RETAINED, Capital
from simengine.records import PROJECT, Draws, Floats, Integers, LedgerLine, Payments


@dataclass(frozen=True, eq=False)
class CashTotals:
    """Cash of account groups, added up over the calendar."""

    cash: Integers
    """Shape (n_groups, n_replications), in the smallest unit; positive is received."""
    today: Floats
    """The same discounted, in the smallest unit."""
    drawn: Floats
    """Shape (n_replications,), in the currency: amount paid in by the tranches."""
    drawn_by_month: Floats
    """The same month by month, of shape (n_replications, n_months), or without months if not needed."""


@dataclass
class AccountGroups:
    """Groups of accounts, and the plan of their cash."""

    capital: Capital
    plan: Plan
    accounts: Sequence[Collection[str]]
    """By account group: the names of its accounts."""
    factors: Floats
    """By account group: discount factor of each month; shape (n_groups, 1 or n_replications, n_months)."""
    asks_when_drawn: bool = False
    """Whether drawdown by month is needed."""
    _first: CalendarState | None = field(default=None, repr=False)
    """Where everybody stands before the first payment."""
    _without: CalendarState | None = field(default=None, repr=False)
    """Where everybody ends without any payment and any stop."""

    def add_up(self, payments: Payments, draws: Draws) -> CashTotals:
        """Walk through the calendar and add up the cash of every account group.

        Parameters
        ----------
        payments, draws
            As for `distribute`.

        Raises
        ------
        StudyError
            As `distribute` does.
        """
        n = len(draws)
        flows, stop = post_terms(self.capital, self.plan, payments, draws), stop_months(payments, n)
        last = np.full(n, self.plan.project.scheduled.shape[1], dtype=np.int64)
        if self._is_passed_on(flows) and (stop < 0).all():
            if self._without is None:
                self._without = self._walk([], stop, None, last)
            return self._totals(self._without, *self._added(flows, self._without))
        earliest = np.where(stop >= 0, np.minimum(stop, last), last)
        for flow in flows:
            earliest = np.minimum(earliest, flow.month.min(axis=0, initial=int(last[0])))
        if self._first is None or (self._first.month > earliest).any():
            self._first = self._walk([], stop, None, earliest)
        found = self._walk(flows, stop, self._first, last)
        return self._totals(found, found.sums[: len(self.accounts)], found.today)

    def _totals(self, found: CalendarState, cash: Integers, today: Floats) -> CashTotals:
        refuse_shortfall(self.capital, self.plan, found.sums[len(self.accounts) :])
        drawn = found.whole[:, PAID_IN].sum(axis=1) / self.plan.units
        return CashTotals(cash, today, drawn, found.drawn / self.plan.units)

    def _is_passed_on(self, flows: Sequence[Flow]) -> bool:
        """Whether all income under the contract goes on to the same groups in the month in which it comes."""
        income = [flow for flow in flows if flow.line.receiver == PROJECT]
        is_early = any((flow.month < self.plan.project.distributed_from).any() for flow in income)
        return self._sign_of_income is not None and not is_early and all((flow.amount >= 0).all() for flow in income)

    @cached_property
    def _sign_of_income(self) -> Integers | None:
        """By account group: whether it receives what comes in, shape (n_groups,); None where the amount decides about that.

        Nothing of it is then kept, spent, lent again, or owed in an order to payees of different groups, and no guarantor waits for
        what is lost.
        """
        plan = self.plan
        kinds = {step.kind for step in self.capital.all_steps().values()}
        keeps = plan.project.income_share.any() or plan.project.recycled_share.any() or plan.lines.reopen
        if keeps or plan.guarantee_names or plan.givers or RETAINED in kinds or "rest" not in kinds:
            return None
        signs = self._signs([line for line in project_lines(self.capital, plan) if line.name.startswith("step.")])
        return signs[:, 0] if (signs == signs[:, :1]).all() else None

    def _added(self, flows: Sequence[Flow], without: CalendarState) -> tuple[Integers, Floats]:
        """Add payments to the sums that there are without them."""
        assert self._sign_of_income is not None, "asked before"
        cash, today = without.sums[: len(self.accounts)].copy(), without.today.copy()
        for flow in flows:
            sign = self._signs([flow.line])[:, 0] + self._sign_of_income * (flow.line.receiver == PROJECT)
            add_payments(flow.month, flow.amount, sign, self.factors, cash, today)
        return cash, today

    @cached_property
    def _own(self) -> Integers:
        """Parties' own costs, by account group, (n_groups, n_replications, n_months); no month if nothing is spent."""
        n, n_months = self.plan.project.scheduled.shape
        spending = self.plan.own_spending
        found = np.zeros((len(self.accounts), n, n_months if spending else 0), dtype=np.int64)
        for group, signs in enumerate(self._signs(own_lines(self.plan))):
            for sign, one in zip(signs, spending, strict=True):
                found[group] += sign * one.due
        return found

    def _walk(self, flows: Sequence[Flow], stop: Integers, here: CalendarState | None, until: Integers) -> CalendarState:
        """Continue the walk from a stored state, or from the start, to the beginning of some months."""
        n, plan = len(until), self.plan
        there = self._standing(until)
        parts, lines, own = (
            [len(flow.amount) for flow in flows],
            [flow.line for flow in flows],
            list(project_lines(self.capital, plan)),
        )
        # Unpaid costs are needed as well: the lines that note them are a sum each.
        n_tranches, n_costs = len(plan.holders), len(plan.costs)
        notes = np.eye(len(own), dtype=np.int64)[n_tranches + n_costs : n_tranches + 2 * n_costs]
        no_notes = np.zeros((n_costs, len(lines)), dtype=np.int64)
        nothing = np.empty((0, n), dtype=np.int64)
        add_up_calendar(
            plan.project,
            plan.loans,
            plan.lines,
            plan.grants,
            plan.waterfall,
            plan.guarantees,
            np.concatenate([nothing, *(flow.month for flow in flows)]),
            np.concatenate([nothing, *(flow.amount for flow in flows)]),
            np.repeat(np.array([line.receiver == PROJECT for line in lines], dtype=bool), parts),
            stop,
            np.repeat(np.concatenate([self._signs(lines), no_notes]), parts, axis=1),
            np.concatenate([self._signs(own), notes]),
            self._own,
            self.factors,
            self._standing(np.zeros(n, dtype=np.int64)) if here is None else here,
            there,
        )
        return there

    def _standing(self, months: Integers) -> CalendarState:
        """Allocate the states at the beginning of some months."""
        n, n_tranches, n_costs, n_groups = len(months), len(self.plan.holders), len(self.plan.costs), len(self.accounts)
        most = max(3, n_tranches, n_costs, len(self.plan.guarantee_names), len(self.plan.givers))
        return CalendarState(
            months,
            np.zeros((n, N_ROWS if self.plan.lines.reopen or self.plan.givers else N_PLAIN_ROWS, most), dtype=np.int64),
            np.zeros((n, 2, n_tranches)),
            np.zeros((n, n_tranches), dtype=np.int64),
            np.zeros((n_groups + n_costs, n), dtype=np.int64),
            np.zeros((n_groups, n)),
            np.zeros((n, self.plan.project.scheduled.shape[1] if self.asks_when_drawn else 0), dtype=np.int64),
        )

    def _signs(self, lines: Sequence[LedgerLine]) -> Integers:
        """Return whether an account group receives (1) or pays (-1) each line; shape (n_groups, n_lines)."""
        signs = [[(line.receiver in mine) - (line.payer in mine) for line in lines] for mine in self.accounts]
        return np.array(signs, dtype=np.int64).reshape(len(self.accounts), len(lines))
