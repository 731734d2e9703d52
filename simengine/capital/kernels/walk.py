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
    HURDLE,
    INTEREST,
    N_PLAIN_ROWS,
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
    Grants,
    Guarantees,
    Lines,
    LoanArrays,
    Places,
    ProjectArrays,
    Waterfall,
    WaterfallFlags,
)
from simengine.capital.kernels.beside import charge_fees, close_lines, may_be_given, note_draws, receive_grants, reopen_lines
from simengine.capital.kernels.parts import share_pro_rata, total, weigh_out
from simengine.rounding import nearest_unit


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
        room = min(room, int(nearest_unit(loans.multiple[r, k] * whole[PAID_IN, k])) - whole[RECEIVED, k])
    if np.isfinite(loans.ceiling[r, k]):
        room = min(room, int(nearest_unit(real[HURDLE, k])))
    return max(room, 0)


@device
def retain(amount: int, whole: Integers) -> int:
    """Keep some of the money to be distributed for later costs: it stays in the project's account, only its purpose changes."""
    whole[CASH, WORK] += amount
    whole[CASH, PAYOUT] -= amount
    return amount


@device
def take_step(r: int, s: int, waterfall: Waterfall, loans: LoanArrays, whole: Integers, real: Floats, out: Integers) -> None:
    """Pay the payees of one step of the waterfall from the money to be distributed."""
    first, last = waterfall.begin[s], waterfall.begin[s + 1]
    kind, member, got = waterfall.kind[s], waterfall.member[first:last], out[first:last]
    left = whole[CASH, PAYOUT]
    if kind == REST:
        weigh_out(left, waterfall.weight[first:last], got)
    elif kind == RETURNS:
        for i in range(len(member)):
            part = int(nearest_unit(left * waterfall.weight[first + i]))
            got[i] = min(part, room_for_returns(r, member[i], loans, whole, real), whole[CASH, PAYOUT] - total(got[:i]))
    else:
        due = np.empty(len(member), np.int64)
        for i in range(len(member)):
            if kind == INTEREST:
                due[i] = max(int(nearest_unit(real[DUE_INTEREST, member[i]])), 0)
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
        limit = min(limit, int(nearest_unit(guarantees.of_drawn[g] * paid_in)))
    promised = int(nearest_unit(guarantees.share[g] * total(lost)))
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
def may_move(begin: int, scheduled: Integers, due: Integers, calls: Integers, out: WaterfallFlags) -> None:
    """Return for the months from `begin` whether a draw, a cost or a guarantee can fall due; the first and the last always may."""
    for m in range(begin, len(out)):
        out[m] = scheduled[m] != 0
        for c in range(due.shape[1]):
            out[m] = out[m] or due[m, c] != 0
    for month in calls:
        out[month] = True
    out[0] = out[-1] = True


@inlined
def room_to_walk(
    n_months: int, project: ProjectArrays, loans: LoanArrays, lines: Lines, grants: Grants, guarantees: Guarantees
) -> Places:
    """Allocate the state for one replication at a time."""
    n_tranches, n_costs, n_grants = len(loans.size), project.due.shape[2], grants.at_most.shape[1]
    n_rows = N_ROWS if lines.reopen or n_grants > 0 else N_PLAIN_ROWS
    whole = np.zeros((n_rows, max(3, n_tranches, n_costs, n_grants, len(guarantees.month))), np.int64)
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
    lines: Lines,
    grants: Grants,
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
    may_move(begin, project.scheduled[r], project.due[r], guarantees.month, moves)
    has_grants = grants.at_most.shape[1] > 0
    if has_grants:
        may_be_given(begin, grants.by_plan[r], moves)
    bears_interest = lines.charge
    for k in range(n_tranches):
        bears_interest = bears_interest or loans.coupon[r, k] != 0.0 or np.isfinite(loans.ceiling[r, k])
    for m in range(begin, end):
        line = months[m]
        if m > 0 and bears_interest:
            accrue(loans.coupon[r], loans.ceiling[r], whole, real)
        if lines.charge and m > 0 and not 0 <= stop < m:
            charge_fees(m, lines.fee[r], lines.until, room, real)
        if lines.close:
            close_lines(m, lines.until, room)
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
            fee = min(int(nearest_unit(came * project.income_share[r, c])), came - fees)
            fees += fee
            due = fee + (0 if stopped else project.due[r, m, c])
            later = int(nearest_unit(due * project.deferred_share[r, c]))
            now[c] = due - later
            taken += now[c] if fee > 0 else 0
            whole[WAITING, c] += later
        recycled = int(nearest_unit((came - taken) * project.recycled_share[r])) if is_working else 0
        whole[CASH, WORK] += taken + recycled
        whole[CASH, PAYOUT] += came - taken - recycled
        kept = project.reserve[r] if m == 0 else 0
        want = 0 if stopped else project.scheduled[r, m]
        if project.as_needed:
            want = max(total(now) - whole[CASH, WORK], 0)
        if has_grants and not stopped:
            left = receive_grants(want, grants.by_plan[r, m], grants.at_most[r], whole, line[grants_at:])
            want = left if project.as_needed else want
        drawn_line = line[:n_tranches]
        draw_loan(want + kept, loans, room, whole, real, drawn_line)
        if lines.reopen:
            note_draws(lines.revolving, room, whole, drawn_line)
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
                if waterfall.kind[s] == RETAINED:
                    share = waterfall.weight[waterfall.begin[s]] if is_working else 0.0
                    line[steps_at + waterfall.begin[s]] = retain(int(nearest_unit(whole[CASH, PAYOUT] * share)), whole)
                    continue
                take_step(r, s, waterfall, loans, whole, real, line[steps_at:calls_at])
                if lines.reopen and waterfall.kind[s] == PRINCIPAL:
                    first, last = waterfall.begin[s], waterfall.begin[s + 1]
                    reopen_lines(m, lines, waterfall.member[first:last], line[steps_at + first : steps_at + last], room)
        for g in range(len(guarantees.month)):
            if guarantees.month[g] == m:
                call(g, guarantees, whole, real, line[calls_at:])


@kernel
def walk_calendar(
    project: ProjectArrays,
    loans: LoanArrays,
    lines: Lines,
    grants: Grants,
    waterfall: Waterfall,
    guarantees: Guarantees,
    income: Integers,  # (r, m) paid to the lenders
    stop: Integers,  # (r,) month after which nothing is drawn or spent, -1 for none
    journal: Integers,  # (j, r, m) filled: draws, costs paid and unpaid, reserve (in, used, out), places, guarantees, grants
    lost: Integers,  # (r, k) filled: principal never paid back
    owed: Integers,  # (r, k) filled: interest never paid
    at_limit: WaterfallFlags,  # (r, k) filled: whether a limit of the returns was reached
    peak: Integers,  # (r, k) filled: the most that was outstanding of a line
    spent: WaterfallFlags,  # (r, k) filled: whether in some month all that could be drawn of a line was
    waiting: Integers,  # (r, c) filled: what was deferred and never paid
    reached: WaterfallFlags,  # (r, g) filled: whether a guarantor paid the most that was promised, and it was not enough
) -> None:
    """Fill the journal, replication by replication."""
    places = room_to_walk(income.shape[1], project, loans, lines, grants, guarantees)
    whole, real = places.whole, places.real
    months = np.zeros((income.shape[1], journal.shape[0]), np.int64)
    for r in range(len(income)):
        set_out(r, project, loans, places)
        walk_one(r, 0, income.shape[1], project, loans, lines, grants, waterfall, guarantees, income[r], stop[r], places, months)
        for j in range(journal.shape[0]):
            for m in range(income.shape[1]):
                journal[j, r, m] = months[m, j]
                months[m, j] = 0
        for k in range(len(loans.size)):
            lost[r, k] = whole[OUTSTANDING, k]
            owed[r, k] = max(int(nearest_unit(real[DUE_INTEREST, k])), 0)
            at_limit[r, k] = whole[PAID_IN, k] > 0 and room_for_returns(r, k, loans, whole, real) == 0
            if lines.reopen:
                peak[r, k], spent[r, k] = whole[PEAK, k], whole[SPENT, k] == 1
        for c in range(project.due.shape[2]):
            waiting[r, c] = whole[WAITING, c]
        for g in range(len(guarantees.month)):
            reached[r, g] = whole[REACHED, g] == 1
