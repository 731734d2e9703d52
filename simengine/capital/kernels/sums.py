"""Add up cash between accounts on the same walk, without a journal.

The letters of the axes are in `arrays`.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, kernel
from simengine.arrays import Floats, Integers
from simengine.capital.kernels.arrays import (
    CalendarState,
    Grants,
    Guarantees,
    Lines,
    LoanArrays,
    ProjectArrays,
    Waterfall,
    WaterfallFlags,
)
from simengine.capital.kernels.parts import total
from simengine.capital.kernels.walk import room_to_walk, set_out, walk_one


@device
def copy_places(whole: Integers, real: Floats, room: Integers, to_whole: Integers, to_real: Floats, to_room: Integers) -> None:
    """Copy the state of one replication number by number, which is faster for arrays this small."""
    for row in range(len(whole)):
        for i in range(whole.shape[1]):
            to_whole[row, i] = whole[row, i]
    for k in range(len(room)):
        to_room[k] = room[k]
        for row in range(len(real)):
            to_real[row, k] = real[row, k]


@kernel
def add_payments(
    month: Integers,  # (d, r)
    amount: Integers,  # (d, r)
    sign: Integers,  # (p,) 1 where it is added to a sum, -1 where it is taken from it, 0 where neither
    factors: Floats,  # (p, 1 or r, m) discount factor of each month
    sums: Integers,  # (p, r) added to
    today: Floats,  # (p, r) added to
) -> None:
    """Add payments on some dates to sums, and what they are worth today."""
    for p in range(len(sign)):
        if sign[p] != 0:
            for d in range(len(month)):
                for r in range(month.shape[1]):
                    cash = sign[p] * amount[d, r]
                    sums[p, r] += cash
                    if cash != 0:
                        today[p, r] += cash * factors[p, r if factors.shape[1] > 1 else 0, month[d, r]]


@kernel
def add_up_calendar(
    project: ProjectArrays,
    loans: LoanArrays,
    lines: Lines,
    grants: Grants,
    waterfall: Waterfall,
    guarantees: Guarantees,
    month: Integers,  # (e, r) of each payment between accounts
    amount: Integers,  # (e, r) of each payment between accounts
    is_income: WaterfallFlags,  # (e,) whether it is paid to the lenders
    stop: Integers,  # (r,) month after which nothing is drawn or spent, -1 for none
    sign_of_payment: Integers,  # (p, e) 1 where it is added to a sum, -1 where it is taken from it, 0 where neither
    sign_of_line: Integers,  # (p, j) the same for the lines of the journal
    own: Integers,  # (q, r, m) what else the first q sums get by month, up to a stop; no month where there is nothing
    factors: Floats,  # (q, 1 or r, m) for the first q sums: discount factor of each month
    here: CalendarState,
    there: CalendarState,  # its months are given, the rest is filled
) -> None:
    """Add up payments and lines from month to month, without keeping a journal; no payment falls before the months of `here`."""
    n_months, n_lines, n_sums, n_discounted = factors.shape[2], sign_of_line.shape[1], len(here.sums), len(here.today)
    places = room_to_walk(n_months, project, loans, lines, grants, guarantees)
    months, income = np.zeros((n_months, n_lines), np.int64), np.zeros(n_months, np.int64)
    cash = np.zeros((n_months, n_sums), np.int64)
    has_own, n_asked, n_tranches = own.shape[2] > 0, there.drawn.shape[1], len(loans.size)
    for r in range(len(here.month)):
        begin, end = here.month[r], there.month[r]
        for e in range(len(month)):
            if amount[e, r] != 0:
                income[month[e, r]] += amount[e, r] if is_income[e] else 0
                for p in range(n_sums):
                    cash[month[e, r], p] += sign_of_payment[p, e] * amount[e, r]
        if begin == 0:
            set_out(r, project, loans, places)
        else:
            copy_places(here.whole[r], here.real[r], here.room[r], places.whole, places.real, places.room)
        walk_one(r, begin, end, project, loans, lines, grants, waterfall, guarantees, income, stop[r], places, months)
        copy_places(places.whole, places.real, places.room, there.whole[r], there.real[r], there.room[r])
        for p in range(n_sums):
            there.sums[p, r] = here.sums[p, r]
        for p in range(n_discounted):
            there.today[p, r] = here.today[p, r]
        for m in range(min(begin, n_asked)):
            there.drawn[r, m] = here.drawn[r, m]
        for m in range(begin, end):
            income[m] = 0
            if n_asked > 0:
                there.drawn[r, m] = total(months[m, :n_tranches])
            if has_own and not 0 <= stop[r] < m:
                for p in range(n_discounted):
                    cash[m, p] += own[p, r, m]
            if places.moves[m]:
                for j in range(n_lines):
                    if months[m, j] != 0:
                        for p in range(n_sums):
                            cash[m, p] += sign_of_line[p, j] * months[m, j]
                        months[m, j] = 0
            for p in range(n_sums):
                if cash[m, p] != 0:
                    there.sums[p, r] += cash[m, p]
                    if p < n_discounted:
                        there.today[p, r] += cash[m, p] * factors[p, r if factors.shape[1] > 1 else 0, m]
                    cash[m, p] = 0
