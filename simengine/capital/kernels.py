"""Walk the money through the calendar: income, costs, draws, waterfall, guarantees; whole numbers of the smallest unit.

Letters of the axes: r = replications, m = months, c = costs, k = tranches, g = guarantees, n = places in the waterfall
(tranches, costs, guarantees or parties that a step names, step after step), f = covered tranches or guarantees, j = columns
of the journal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, kernel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

INTEREST, PRINCIPAL, DEFERRED, REIMBURSE, RETURNS, REST = range(6)
SIDE_BY_SIDE, IN_ORDER = range(2)
NO_LIMIT = 1 << 62


class Project(NamedTuple):
    """What the project costs and when it may draw."""

    due: Integers  # (r, m, c) of costs that do not hang on the income
    income_share: Floats  # (r, c) part of the income that a cost takes
    deferred_share: Floats  # (r, c)
    scheduled: Integers  # (r, m) draws by plan, beside the reserve
    as_needed: bool
    limit: Integers  # (r,) the most that is drawn
    reserve: Integers  # (r,) drawn in month 0
    reserve_until: int
    recycled_share: Floats  # (r,)
    last_work: Integers  # (r,) the last month in which a cost falls due by plan
    distributed_from: int


class Loans(NamedTuple):
    """The tranches."""

    size: Floats  # (k,) weights that share out the limit
    order: Integers  # (k,) who pays in first, where they do not stand side by side
    manner: int  # SIDE_BY_SIDE or IN_ORDER
    coupon: Floats  # (r, k) growth a month
    multiple: Floats  # (r, k) infinite where there is no such limit
    ceiling: Floats  # (r, k) growth a month, infinite where there is no such limit


class Waterfall(NamedTuple):
    """The steps in their order."""

    kind: Integers  # (s,)
    begin: Integers  # (s + 1,) step s has the places begin[s] to begin[s + 1] - 1
    member: Integers  # (n,) number of the tranche, cost or guarantee; in REST tranches first, then parties
    weight: Floats  # (n,)


class Guarantees(NamedTuple):
    """Guarantees in the order in which they are called."""

    month: Integers  # (g,)
    share: Floats  # (g,)
    at_most: Integers  # (g,)
    of_drawn: Floats  # (g,) limit as a share of what the covered tranches paid in, infinite for none
    begin: Integers  # (g + 1,)
    covered: Integers  # (f,) number of a tranche, or of a guarantee after all tranches


class Account(NamedTuple):
    """Where one replication stands."""

    cash: Integers  # (3,) for costs, for distribution, in reserve
    outstanding: Integers  # (k,)
    interest: Floats  # (k,)
    hurdle: Floats  # (k,) what would bring the return to date to its ceiling
    paid_in: Integers  # (k,)
    received: Integers  # (k,)
    deferred: Integers  # (c,)
    called: Integers  # (g,) paid under a guarantee and not reimbursed
    reached: Integers  # (g,) 1 where a guarantor paid the most that was promised, and it was not enough


WORK, PAYOUT, RESERVE = range(3)


@device
def share_out(amount: int, due: Integers, out: Integers) -> None:
    """Share out an amount in proportion to what is due, to the unit; it is not more than all that is due."""
    left, due_left = amount, due.sum()
    for i in range(len(due)):
        part = 0
        if due_left > 0:
            part = int(np.rint(left * (due[i] / due_left)))
            # Where floating point is coarser than a unit, nobody gets more than is due, and the others can take the rest.
            part = min(max(part, left - (due_left - due[i])), min(due[i], left))
        out[i] = part
        left -= part
        due_left -= due[i]


@device
def weigh_out(amount: int, weight: Floats, out: Integers) -> None:
    """Share out an amount by weights, to the unit."""
    left, weight_left = amount, weight.sum()
    for i in range(len(weight)):
        part = left
        if i < len(weight) - 1:
            part = int(np.rint(left * (weight[i] / weight_left))) if weight_left > 0.0 else 0
        out[i] = min(max(part, 0), left)
        left -= out[i]
        weight_left -= weight[i]


@device
def draw(want: int, loans: Loans, room: Integers, account: Account, out: Integers) -> None:
    """Let the tranches pay in what is wanted, as far as there is room."""
    want = min(want, room.sum())
    if loans.manner == SIDE_BY_SIDE:
        share_out(want, room, out)
    else:
        left = want
        for k in loans.order:
            out[k] = min(left, room[k])
            left -= out[k]
    for k in range(len(room)):
        room[k] -= out[k]
        account.outstanding[k] += out[k]
        account.hurdle[k] += out[k]
        account.paid_in[k] += out[k]


@device
def pay_costs(now: Integers, account: Account, paid: Integers, unpaid: Integers) -> int:
    """Pay what is due this month in the order of the costs, at last from the reserve; give what the reserve paid."""
    from_reserve = 0
    for c in range(len(now)):
        part = min(now[c], account.cash[WORK])
        helped = min(now[c] - part, account.cash[RESERVE])
        account.cash[WORK] -= part
        account.cash[RESERVE] -= helped
        paid[c] = part + helped
        unpaid[c] = now[c] - part - helped
        from_reserve += helped
    return from_reserve


@device
def receive(k: int, amount: int, account: Account) -> None:
    """Enter what a tranche gets."""
    account.received[k] += amount
    account.hurdle[k] -= amount


@device
def room_for_returns(r: int, k: int, loans: Loans, account: Account) -> int:
    """Give what a tranche may still get before a limit of its returns."""
    room = NO_LIMIT
    if np.isfinite(loans.multiple[r, k]):
        room = min(room, int(np.rint(loans.multiple[r, k] * account.paid_in[k])) - account.received[k])
    if np.isfinite(loans.ceiling[r, k]):
        room = min(room, int(np.rint(account.hurdle[k])))
    return max(room, 0)


@device
def take_step(r: int, s: int, waterfall: Waterfall, loans: Loans, account: Account, out: Integers) -> None:
    """Pay the places of one step of the waterfall out of the money to be distributed."""
    first, last = waterfall.begin[s], waterfall.begin[s + 1]
    kind, member, got = waterfall.kind[s], waterfall.member[first:last], out[first:last]
    left = account.cash[PAYOUT]
    if kind == REST:
        weigh_out(left, waterfall.weight[first:last], got)
    elif kind == RETURNS:
        for i in range(len(member)):
            part = int(np.rint(left * waterfall.weight[first + i]))
            got[i] = min(part, room_for_returns(r, member[i], loans, account), account.cash[PAYOUT] - got[:i].sum())
    else:
        due = np.empty(len(member), np.int64)
        for i in range(len(member)):
            if kind == INTEREST:
                due[i] = max(int(np.rint(account.interest[member[i]])), 0)
            elif kind == PRINCIPAL:
                due[i] = account.outstanding[member[i]]
            elif kind == DEFERRED:
                due[i] = account.deferred[member[i]]
            else:
                due[i] = account.called[member[i]]
        share_out(min(left, due.sum()), due, got)
    for i in range(len(member)):
        account.cash[PAYOUT] -= got[i]
        if kind == INTEREST:
            account.interest[member[i]] -= got[i]
        elif kind == PRINCIPAL:
            account.outstanding[member[i]] -= got[i]
        elif kind == DEFERRED:
            account.deferred[member[i]] -= got[i]
        elif kind == REIMBURSE:
            account.called[member[i]] -= got[i]
        is_tranche = kind in (INTEREST, PRINCIPAL, RETURNS)
        if is_tranche or (kind == REST and member[i] < len(account.received)):
            receive(member[i], got[i], account)


@device
def call(g: int, guarantees: Guarantees, account: Account, out: Integers) -> None:
    """Let a guarantor make good what was lost."""
    n_tranches = len(account.outstanding)
    first, last = guarantees.begin[g], guarantees.begin[g + 1]
    covered = guarantees.covered[first:last]
    lost, paid_in = np.empty(len(covered), np.int64), 0
    for i in range(len(covered)):
        if covered[i] < n_tranches:
            lost[i] = account.outstanding[covered[i]]
            paid_in += account.paid_in[covered[i]]
        else:
            lost[i] = account.called[covered[i] - n_tranches]
    limit = guarantees.at_most[g]
    if np.isfinite(guarantees.of_drawn[g]):
        limit = min(limit, int(np.rint(guarantees.of_drawn[g] * paid_in)))
    promised = int(np.rint(guarantees.share[g] * lost.sum()))
    account.reached[g] = 1 if promised > limit else 0
    share_out(min(promised, limit), lost, out[first:last])
    for i in range(len(covered)):
        account.called[g] += out[first + i]
        if covered[i] < n_tranches:
            account.outstanding[covered[i]] -= out[first + i]
            receive(covered[i], out[first + i], account)
        else:
            account.called[covered[i] - n_tranches] -= out[first + i]


@device
def reset(account: Account) -> None:
    """Begin a replication with empty accounts."""
    for array in (account.cash, account.outstanding, account.paid_in, account.received, account.deferred):
        array[:] = 0
    account.called[:] = 0
    account.reached[:] = 0
    account.interest[:] = 0.0
    account.hurdle[:] = 0.0


@device
def accrue(r: int, loans: Loans, account: Account) -> None:
    """Let a month pass: interest on what is outstanding and on interest that is due."""
    for k in range(len(account.interest)):
        account.interest[k] += (account.outstanding[k] + account.interest[k]) * loans.coupon[r, k]
        if np.isfinite(loans.ceiling[r, k]):
            account.hurdle[k] *= 1.0 + loans.ceiling[r, k]


@kernel
def walk_calendar(
    project: Project,
    loans: Loans,
    waterfall: Waterfall,
    guarantees: Guarantees,
    income: Integers,  # (r, m) paid to the lenders
    stop: Integers,  # (r,) month after which nothing is drawn or spent, -1 for none
    journal: Integers,  # (r, m, j) filled: draws, costs paid and unpaid, reserve (in, used, out), places, guarantees
    lost: Integers,  # (r, k) filled: principal never paid back
    owed: Integers,  # (r, k) filled: interest never paid
    at_limit: Flags,  # (r, k) filled: whether a limit of the returns was reached
    waiting: Integers,  # (r, c) filled: what was deferred and never paid
    reached: Flags,  # (r, g) filled: whether a guarantor paid the most that was promised, and it was not enough
) -> None:
    """Fill the journal month by month: income, costs, draws, waterfall, guarantees."""
    n_months, n_costs, n_tranches = income.shape[1], project.due.shape[2], len(loans.size)
    n_guarantees, n_places = len(guarantees.month), len(waterfall.member)
    costs_at, unpaid_at = n_tranches, n_tranches + n_costs
    reserve_at = unpaid_at + n_costs
    steps_at = reserve_at + 3
    calls_at = steps_at + n_places
    account = Account(
        np.zeros(3, np.int64), np.zeros(n_tranches, np.int64), np.zeros(n_tranches), np.zeros(n_tranches),
        np.zeros(n_tranches, np.int64), np.zeros(n_tranches, np.int64), np.zeros(n_costs, np.int64),
        np.zeros(n_guarantees, np.int64), np.zeros(n_guarantees, np.int64),
    )  # fmt: skip
    now, room = np.empty(n_costs, np.int64), np.empty(n_tranches, np.int64)
    for r in range(len(income)):
        reset(account)
        weigh_out(project.limit[r], loans.size, room)
        for m in range(n_months):
            line = journal[r, m]
            if m > 0:
                accrue(r, loans, account)
            stopped = 0 <= stop[r] < m
            is_working = m < project.last_work[r] and not stopped
            came, taken = income[r, m], 0
            for c in range(n_costs):
                # A cost is a part of the income or falls due by plan, never both.
                fee = int(np.rint(max(came, 0) * project.income_share[r, c]))
                due = fee + (0 if stopped else project.due[r, m, c])
                later = int(np.rint(due * project.deferred_share[r, c]))
                now[c] = due - later
                taken += now[c] if fee > 0 else 0
                account.deferred[c] += later
            recycled = int(np.rint((came - taken) * project.recycled_share[r])) if is_working else 0
            account.cash[WORK] += taken + recycled
            account.cash[PAYOUT] += came - taken - recycled
            kept = project.reserve[r] if m == 0 else 0
            want = 0 if stopped else project.scheduled[r, m]
            if project.as_needed:
                want = max(now.sum() - account.cash[WORK], 0)
            drawn_line = line[:n_tranches]
            draw(want + kept, loans, room, account, drawn_line)
            kept = min(kept, drawn_line.sum())
            account.cash[RESERVE] += kept
            account.cash[WORK] += drawn_line.sum() - kept
            line[reserve_at] = kept
            line[reserve_at + 1] = pay_costs(now, account, line[costs_at:unpaid_at], line[unpaid_at:reserve_at])
            at_end = m == n_months - 1
            if not is_working:
                account.cash[PAYOUT] += account.cash[WORK]
                account.cash[WORK] = 0
            if at_end or m >= project.reserve_until or (stop[r] >= 0 and m >= stop[r]):
                line[reserve_at + 2] = account.cash[RESERVE]
                account.cash[PAYOUT] += account.cash[RESERVE]
                account.cash[RESERVE] = 0
            if account.cash[PAYOUT] > 0 and (at_end or m >= project.distributed_from):
                for s in range(len(waterfall.kind)):
                    take_step(r, s, waterfall, loans, account, line[steps_at:calls_at])
            for g in range(n_guarantees):
                if guarantees.month[g] == m:
                    call(g, guarantees, account, line[calls_at:])
        for k in range(n_tranches):
            lost[r, k] = account.outstanding[k]
            owed[r, k] = max(int(np.rint(account.interest[k])), 0)
            at_limit[r, k] = account.paid_in[k] > 0 and room_for_returns(r, k, loans, account) == 0
        waiting[r] = account.deferred
        for g in range(n_guarantees):
            reached[r, g] = account.reached[g] == 1
