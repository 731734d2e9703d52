"""The arrays that the walk through the calendar reads and fills.

Letters of the axes: r = replications, m = months, c = costs, k = tranches, g = guarantees, n = places in the waterfall
(tranches, costs, guarantees or parties that a step names, step after step), f = covered tranches or guarantees, j = columns
of the journal, e = payments between accounts, o = grants, p = sums, q = those of them that are discounted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers

WaterfallFlags = NDArray[np.bool_]

INTEREST, PRINCIPAL, DEFERRED, REIMBURSE, RETURNS, REST, RETAINED = range(7)
SIDE_BY_SIDE, IN_ORDER = range(2)
NO_LIMIT = 1 << 62


class ProjectArrays(NamedTuple):
    """Costs of the project, and its possible drawdown."""

    due: Integers  # (r, m, c) of costs that do not depend on the income
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


class LoanArrays(NamedTuple):
    """The tranches."""

    size: Floats  # (k,) weights that share out the limit
    order: Integers  # (k,) who pays in first, where they do not stand side by side
    manner: int  # SIDE_BY_SIDE or IN_ORDER
    coupon: Floats  # (r, k) growth a month
    multiple: Floats  # (r, k) infinite where there is no such limit
    ceiling: Floats  # (r, k) growth a month, infinite where there is no such limit


class Lines(NamedTuple):
    """What makes lines of credit of tranches; apart from the other loans, so that a walk without any is as fast as it can be."""

    revolving: WaterfallFlags  # (k,) whether principal that is paid back may be drawn again
    fee: Floats  # (r, k) a month, on what may still be drawn
    until: Integers  # (k,) the last month in which it may be drawn
    charge: bool  # whether there is any fee
    close: bool  # whether any may not be drawn to the end
    reopen: bool  # whether any is revolving


class Grants(NamedTuple):
    """Money that is given."""

    by_plan: Integers  # (r, m, o)
    at_most: Integers  # (r, o) the most that is given of what costs need; 0 for a grant by plan


class Waterfall(NamedTuple):
    """The steps in their order."""

    kind: Integers  # (s,)
    begin: Integers  # (s + 1,) step s has the places begin[s] to begin[s + 1] - 1
    member: Integers  # (n,) number of the tranche, cost or guarantee; in REST tranches first, then parties; none in RETAINED
    weight: Floats  # (n,)


class Guarantees(NamedTuple):
    """Guarantees in the order in which they are called."""

    month: Integers  # (g,)
    share: Floats  # (g,)
    at_most: Integers  # (g,)
    of_drawn: Floats  # (g,) limit as a share of what the covered tranches paid in, infinite for none
    begin: Integers  # (g + 1,)
    covered: Integers  # (f,) number of a tranche, or of a guarantee after all tranches


class Places(NamedTuple):
    """State of one replication; few arguments keep the compilation short."""

    whole: Integers  # (7 or 10, most) whole numbers: see CASH and the rows after it
    real: Floats  # (2, k) see DUE_INTEREST and HURDLE
    now: Integers  # (c,) what each cost takes this month
    room: Integers  # (k,) what each tranche may still pay in
    moves: WaterfallFlags  # (m,) whether anything may move in a month


class CalendarState(NamedTuple):
    """State of all replications at the beginning of a month, and the sums until then."""

    month: Integers  # (r,)
    whole: Integers  # (r, 7 or 10, most) as in Places
    real: Floats  # (r, 2, k) as in Places
    room: Integers  # (r, k) as in Places
    sums: Integers  # (p, r)
    today: Floats  # (q, r)
    drawn: Integers  # (r, m) what the tranches paid in by month; no month where nobody asks


CASH, OUTSTANDING, PAID_IN, RECEIVED, WAITING, CALLED, REACHED, PEAK, SPENT, GIVEN = range(10)
"""Rows of whole numbers: cash by purpose; by tranche what is outstanding, was paid in and received; by cost what was deferred; by
guarantee what was paid and not reimbursed, and 1 if the maximum was paid and losses remained; by line the most that was
outstanding, and 1 if in some month all that could be drawn was; by grant what was given as costs needed it."""
N_ROWS, N_PLAIN_ROWS = 10, 7
"""The last three are there only where a line may be drawn again or something is given."""
DUE_INTEREST, HURDLE = range(2)
"""Rows of numbers by tranche: interest due, and the amount up to the limit of the return to date."""
WORK, PAYOUT, RESERVE = range(3)
"""Purposes of cash: for costs, for distribution, in reserve."""
