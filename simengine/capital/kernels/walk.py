"""Walk through the calendar: income, costs, draws, waterfall, guarantees; whole numbers of the smallest unit.

The letters of the axes are in `arrays`.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined, kernel
from simengine.arrays import Floats, Integers
from simengine.capital.kernels.arrays import (
    CALLED,
    CASH,
    DEFERRED,
    DUE_INTEREST,
    GIVEN,
    HURDLE,
    INTEREST,
    N_ROWS,
    NO_LIMIT,
    OUTSTANDING,
    PAID_IN,
    PAYOUT,
    PEAK,
    PRINCIPAL,
    REACHED,
    RECEIVED,
    REIMBURSE,
    RESERVE,
    REST,
    RETAINED,
    RETURNS,
    SIDE_BY_SIDE,
    SPENT,
    WAITING,
    WORK,
    Guarantees,
    LoanArrays,
    Places,
    ProjectArrays,
    Waterfall,
    WaterfallFlags,
)
from simengine.capital.kernels.parts import share_pro_rata, total, weigh_out


@device
def draw_loan(want: int, loans: LoanArrays, room: Integers, whole: Integers, real: Floats, out: Integers) -> None:
    """Draw an amount from the tranches, as far as their limits allow."""
    want = min(want, total(room))
    if loans.manner == SIDE_BY_SIDE:
        share_pro_rata(want, room, out)
    else:
        left = want
        for k in loans.order:
            out[k] = min(left, room[k])
            left -= out[k]
    for k in range(len(room)):
        room[k] -= out[k]
        whole[OUTSTANDING, k] += out[k]
        real[HURDLE, k] += out[k]
        whole[PAID_IN, k] += out[k]
        whole[PEAK, k] = max(whole[PEAK, k], whole[OUTSTANDING, k])
        if out[k] > 0 and room[k] == 0:
            whole[SPENT, k] = 1


@device
def receive_grants(r: int, m: int, want: int, project: ProjectArrays, whole: Integers, out: Integers) -> int:
    """Receive the grants of a month, those by plan first; return what costs need beyond them."""
    for o in range(len(out)):
        out[o] = project.given[r, m, o]
        want -= out[o]
    for o in range(len(out)):
        part = max(min(want, project.given_at_most[r, o] - whole[GIVEN, o]), 0)
        whole[GIVEN, o] += part
        out[o] += part
        want -= part
    whole[CASH, WORK] += total(out)
    return max(want, 0)


@device
def pay_costs(now: Integers, whole: Integers, paid: Integers, unpaid: Integers) -> int:
    """Pay the costs due this month in order, last from the reserve; return the amount from the reserve."""
    from_reserve = 0
    for c in range(len(now)):
        part = min(now[c], whole[CASH, WORK])
        helped = min(now[c] - part, whole[CASH, RESERVE])
        whole[CASH, WORK] -= part
        whole[CASH, RESERVE] -= helped
        paid[c] = part + helped
        unpaid[c] = now[c] - part - helped
        from_reserve += helped
    return from_reserve


@device
def receive(k: int, amount: int, whole: Integers, real: Floats) -> None:
    """Post an amount to a tranche."""
    whole[RECEIVED, k] += amount
    real[HURDLE, k] -= amount


@device
def room_for_returns(r: int, k: int, loans: LoanArrays, whole: Integers, real: Floats) -> int:
    """Return the amount that a tranche may still receive before a limit of its returns."""
    room = NO_LIMIT
    if np.isfinite(loans.multiple[r, k]):
        room = min(room, int(np.rint(loans.multiple[r, k] * whole[PAID_IN, k])) - whole[RECEIVED, k])
    if np.isfinite(loans.ceiling[r, k]):
        room = min(room, int(np.rint(real[HURDLE, k])))
    return max(room, 0)


@device
def take_step(
    r: int,
    m: int,
    s: int,
    is_working: bool,
    waterfall: Waterfall,
    loans: LoanArrays,
    room: Integers,
    whole: Integers,
    real: Floats,
    out: Integers,
) -> None:
    """Pay the payees of one step of the waterfall from the money to be distributed."""
    first, last = waterfall.begin[s], waterfall.begin[s + 1]
    kind, member, got = waterfall.kind[s], waterfall.member[first:last], out[first:last]
    left = whole[CASH, PAYOUT]
    if kind == RETAINED:
        # The money stays in the project's account: only its purpose changes.
        got[0] = int(np.rint(left * waterfall.weight[first])) if is_working else 0
        whole[CASH, WORK] += got[0]
        whole[CASH, PAYOUT] -= got[0]
        return
    if kind == REST:
        weigh_out(left, waterfall.weight[first:last], got)
    elif kind == RETURNS:
        for i in range(len(member)):
            part = int(np.rint(left * waterfall.weight[first + i]))
            got[i] = min(part, room_for_returns(r, member[i], loans, whole, real), whole[CASH, PAYOUT] - total(got[:i]))
    else:
        due = np.empty(len(member), np.int64)
        for i in range(len(member)):
            if kind == INTEREST:
                due[i] = max(int(np.rint(real[DUE_INTEREST, member[i]])), 0)
            elif kind == PRINCIPAL:
                due[i] = whole[OUTSTANDING, member[i]]
            elif kind == DEFERRED:
                due[i] = whole[WAITING, member[i]]
            else:
                due[i] = whole[CALLED, member[i]]
        share_pro_rata(min(left, total(due)), due, got)
    for i in range(len(member)):
        whole[CASH, PAYOUT] -= got[i]
        if kind == INTEREST:
            real[DUE_INTEREST, member[i]] -= got[i]
        elif kind == PRINCIPAL:
            whole[OUTSTANDING, member[i]] -= got[i]
            if loans.revolving[member[i]] and m <= loans.until[member[i]]:
                room[member[i]] += got[i]
        elif kind == DEFERRED:
            whole[WAITING, member[i]] -= got[i]
        elif kind == REIMBURSE:
            whole[CALLED, member[i]] -= got[i]
        is_tranche = kind in (INTEREST, PRINCIPAL, RETURNS)
        if is_tranche or (kind == REST and member[i] < real.shape[1]):
            receive(member[i], got[i], whole, real)


@device
def call(g: int, guarantees: Guarantees, whole: Integers, real: Floats, out: Integers) -> None:
    """Call a guarantee."""
    n_tranches = real.shape[1]
    first, last = guarantees.begin[g], guarantees.begin[g + 1]
    covered = guarantees.covered[first:last]
    lost, paid_in = np.empty(len(covered), np.int64), 0
    for i in range(len(covered)):
        if covered[i] < n_tranches:
            lost[i] = whole[OUTSTANDING, covered[i]]
            paid_in += whole[PAID_IN, covered[i]]
        else:
            lost[i] = whole[CALLED, covered[i] - n_tranches]
    limit = guarantees.at_most[g]
    if np.isfinite(guarantees.of_drawn[g]):
        limit = min(limit, int(np.rint(guarantees.of_drawn[g] * paid_in)))
    promised = int(np.rint(guarantees.share[g] * total(lost)))
    whole[REACHED, g] = 1 if promised > limit else 0
    share_pro_rata(min(promised, limit), lost, out[first:last])
    for i in range(len(covered)):
        whole[CALLED, g] += out[first + i]
        if covered[i] < n_tranches:
            whole[OUTSTANDING, covered[i]] -= out[first + i]
            receive(covered[i], out[first + i], whole, real)
        else:
            whole[CALLED, covered[i] - n_tranches] -= out[first + i]


@device
def accrue(growth: Floats, ceiling: Floats, whole: Integers, real: Floats) -> None:
    """Accrue one month's interest on outstanding principal and unpaid interest."""
    for k in range(len(growth)):
        real[DUE_INTEREST, k] += (whole[OUTSTANDING, k] + real[DUE_INTEREST, k]) * growth[k]
        if np.isfinite(ceiling[k]):
            real[HURDLE, k] *= 1.0 + ceiling[k]


@device
def charge_fees(m: int, fee: Floats, until: Integers, room: Integers, real: Floats) -> None:
    """Add one month's fee on what may still be drawn to the interest due."""
    for k in range(len(fee)):
        if m <= until[k]:
            real[DUE_INTEREST, k] += room[k] * fee[k]


@device
def close_lines(m: int, until: Integers, room: Integers) -> None:
    """Let nothing more be drawn from a tranche after its last month."""
    for k in range(len(until)):
        if m > until[k]:
            room[k] = 0


@device
def may_move(begin: int, scheduled: Integers, due: Integers, given: Integers, calls: Integers, out: WaterfallFlags) -> None:
    """Return from month `begin` on whether a draw, cost, grant or guarantee can fall due; in the first and the last it always may."""
    for m in range(begin, len(out)):
        out[m] = scheduled[m] != 0
        for c in range(due.shape[1]):
            out[m] = out[m] or due[m, c] != 0
        for o in range(given.shape[1]):
            out[m] = out[m] or given[m, o] != 0
    for month in calls:
        out[month] = True
    out[0] = out[-1] = True


@inlined
def room_to_walk(n_months: int, project: ProjectArrays, loans: LoanArrays, guarantees: Guarantees) -> Places:
    """Allocate the state for one replication at a time."""
    n_tranches, n_costs, n_grants = len(loans.size), project.due.shape[2], project.given.shape[2]
    whole = np.zeros((N_ROWS, max(3, n_tranches, n_costs, n_grants, len(guarantees.month))), np.int64)
    now, room = np.empty(n_costs, np.int64), np.empty(n_tranches, np.int64)
    return Places(whole, np.zeros((2, n_tranches)), now, room, np.zeros(n_months, np.bool_))


@inlined
def set_out(r: int, project: ProjectArrays, loans: LoanArrays, places: Places) -> None:
    """Reset the state to the start."""
    for row in range(len(places.whole)):
        for i in range(places.whole.shape[1]):
            places.whole[row, i] = 0
    for k in range(len(loans.size)):
        places.real[DUE_INTEREST, k] = places.real[HURDLE, k] = 0.0
    weigh_out(project.limit[r], loans.size, places.room)


@inlined
def walk_one(
    r: int,
    begin: int,
    end: int,
    project: ProjectArrays,
    loans: LoanArrays,
    waterfall: Waterfall,
    guarantees: Guarantees,
    income: Integers,  # (m,) paid to the lenders
    stop: int,  # month after which nothing is drawn or spent, -1 for none
    places: Places,
    months: Integers,  # (m, j) zeros at first, filled: the lines of the journal
) -> None:
    """Walk one replication through the months from `begin` to before `end`: income, costs, draws, waterfall, guarantees."""
    whole, real, now, room, moves = places
    n_costs, n_tranches, n_months = len(now), len(room), len(income)
    costs_at, unpaid_at = n_tranches, n_tranches + n_costs
    reserve_at = unpaid_at + n_costs
    steps_at = reserve_at + 3
    calls_at = steps_at + len(waterfall.member)
    grants_at = calls_at + len(guarantees.covered)
    may_move(begin, project.scheduled[r], project.due[r], project.given[r], guarantees.month, moves)
    bears_interest, has_fee, closes = False, False, False
    for k in range(n_tranches):
        bears_interest = bears_interest or loans.coupon[r, k] != 0.0 or np.isfinite(loans.ceiling[r, k]) or loans.fee[r, k] != 0.0
        has_fee = has_fee or loans.fee[r, k] != 0.0
        closes = closes or loans.until[k] < n_months - 1
    for m in range(begin, end):
        line = months[m]
        if m > 0 and bears_interest:
            accrue(loans.coupon[r], loans.ceiling[r], whole, real)
        if has_fee and m > 0 and not 0 <= stop < m:
            charge_fees(m, loans.fee[r], loans.until, room, real)
        if closes:
            close_lines(m, loans.until, room)
        # If nothing falls due, comes in or is held, the lines of a month stay at 0.
        if not (moves[m] or income[m] != 0 or whole[CASH, WORK] + whole[CASH, PAYOUT] + whole[CASH, RESERVE] != 0):
            continue
        moves[m] = True
        stopped = 0 <= stop < m
        is_working = m < project.last_work[r] and not stopped
        came, taken, fees = income[m], 0, 0
        for c in range(n_costs):
            # A cost is a part of the income or falls due by plan, never both.
            # Each fee is rounded, and together they do not exceed the income.
            fee = min(int(np.rint(came * project.income_share[r, c])), came - fees)
            fees += fee
            due = fee + (0 if stopped else project.due[r, m, c])
            later = int(np.rint(due * project.deferred_share[r, c]))
            now[c] = due - later
            taken += now[c] if fee > 0 else 0
            whole[WAITING, c] += later
        recycled = int(np.rint((came - taken) * project.recycled_share[r])) if is_working else 0
        whole[CASH, WORK] += taken + recycled
        whole[CASH, PAYOUT] += came - taken - recycled
        kept = project.reserve[r] if m == 0 else 0
        want = 0 if stopped else project.scheduled[r, m]
        if project.as_needed:
            want = max(total(now) - whole[CASH, WORK], 0)
        if project.given.shape[2] > 0 and not stopped:
            left = receive_grants(r, m, want, project, whole, line[grants_at:])
            want = left if project.as_needed else want
        drawn_line = line[:n_tranches]
        draw_loan(want + kept, loans, room, whole, real, drawn_line)
        kept = min(kept, total(drawn_line))
        whole[CASH, RESERVE] += kept
        whole[CASH, WORK] += total(drawn_line) - kept
        line[reserve_at] = kept
        line[reserve_at + 1] = pay_costs(now, whole, line[costs_at:unpaid_at], line[unpaid_at:reserve_at])
        at_end = m == n_months - 1
        if not is_working:
            whole[CASH, PAYOUT] += whole[CASH, WORK]
            whole[CASH, WORK] = 0
        if at_end or m >= project.reserve_until or (stop >= 0 and m >= stop):
            line[reserve_at + 2] = whole[CASH, RESERVE]
            whole[CASH, PAYOUT] += whole[CASH, RESERVE]
            whole[CASH, RESERVE] = 0
        if whole[CASH, PAYOUT] > 0 and (at_end or m >= project.distributed_from):
            for s in range(len(waterfall.kind)):
                take_step(r, m, s, is_working, waterfall, loans, room, whole, real, line[steps_at:calls_at])
        for g in range(len(guarantees.month)):
            if guarantees.month[g] == m:
                call(g, guarantees, whole, real, line[calls_at:])


@kernel
def walk_calendar(
    project: ProjectArrays,
    loans: LoanArrays,
    waterfall: Waterfall,
    guarantees: Guarantees,
    income: Integers,  # (r, m) paid to the lenders
    stop: Integers,  # (r,) month after which nothing is drawn or spent, -1 for none
    journal: Integers,  # (j, r, m) filled: draws, costs paid and unpaid, reserve (in, used, out), places, guarantees, grants
    lost: Integers,  # (r, k) filled: principal never paid back
    owed: Integers,  # (r, k) filled: interest never paid
    at_limit: WaterfallFlags,  # (r, k) filled: whether a limit of the returns was reached
    peak: Integers,  # (r, k) filled: the most that was outstanding
    spent: WaterfallFlags,  # (r, k) filled: whether in some month all that could be drawn was
    waiting: Integers,  # (r, c) filled: what was deferred and never paid
    reached: WaterfallFlags,  # (r, g) filled: whether a guarantor paid the most that was promised, and it was not enough
) -> None:
    """Fill the journal, replication by replication."""
    places = room_to_walk(income.shape[1], project, loans, guarantees)
    whole, real = places.whole, places.real
    months = np.zeros((income.shape[1], journal.shape[0]), np.int64)
    for r in range(len(income)):
        set_out(r, project, loans, places)
        walk_one(r, 0, income.shape[1], project, loans, waterfall, guarantees, income[r], stop[r], places, months)
        for j in range(journal.shape[0]):
            for m in range(income.shape[1]):
                journal[j, r, m] = months[m, j]
                months[m, j] = 0
        for k in range(len(loans.size)):
            lost[r, k] = whole[OUTSTANDING, k]
            owed[r, k] = max(int(np.rint(real[DUE_INTEREST, k])), 0)
            at_limit[r, k] = whole[PAID_IN, k] > 0 and room_for_returns(r, k, loans, whole, real) == 0
            peak[r, k], spent[r, k] = whole[PEAK, k], whole[SPENT, k] == 1
        for c in range(project.due.shape[2]):
            waiting[r, c] = whole[WAITING, c]
        for g in range(len(guarantees.month)):
            reached[r, g] = whole[REACHED, g] == 1
