"""Internal rate of return of many rows of cash, each with a status.

With x the logarithm of the discount factor of a month, a rate of a row is a root of the *log gap*

    G(x) = log(sum of inflows exp(x t)) - log(sum of outflows exp(x t)).

It does not depend on the unit of money, is nearly straight, and has one root where the cash changes its sign once. The slope of
each logarithm is the mean month of what is summed, and grows with x: so the slope of G between two points lies between bounds
that are known at these points, which is enough to count every root of a row that changes its sign more often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, kernel
from simengine.arrays import Floats

STATUSES = ("found", "total_loss", "no_cost", "no_sign_change", "no_root", "several_roots")
FOUND, TOTAL_LOSS, NO_COST, NO_SIGN_CHANGE, NO_ROOT, SEVERAL_ROOTS = range(6)

_LARGEST = 0.7
"""Where the cash changes its sign more than once, rates are sought whose monthly log discount factor lies within this bound:
from -99.98 % to 444,000 % a year. A small claw-back at the end always has a second rate next to -100 %, which nobody means."""
_SMALL_STEP = 1e-10
"""A Newton step this small is the last: what it leaves is below its square times the half of 480 squared months."""
_MAX_STEPS = 200
_NARROWEST = 1e-7
"""Two roots that are closer than this in x are one: between them the gap cannot be told from 0."""
_TOUCHES = 1e-12
_CELLS = 64
"""Room for the cells that wait to be searched: each halving adds one, and 25 come from the widest to the narrowest."""


@device
def ends(cash: Floats, sign: float) -> tuple[int, int]:
    """Return the first and the last month with a flow of one sign; -1 and -1 where there is none."""
    first = last = -1
    for t in range(len(cash)):
        if cash[t] * sign > 0.0:
            first = t if first < 0 else first
            last = t
    return first, last


@device
def log_of_sum(cash: Floats, sign: float, first: int, last: int, x: float) -> tuple[float, float]:
    """Return log(sum of flows of one sign, times exp(x t)) and the mean month of what is summed.

    The sum is taken by Horner's rule from the end that weighs least, relative to the other end, so that neither 480 months nor
    any currency overflows; all its parts are positive, so that nothing cancels.
    """
    total = moment = 0.0
    if x > 0.0:
        factor = np.exp(-x)
        for t in range(first, last + 1):
            moment = (moment + total) * factor
            total = total * factor + max(cash[t] * sign, 0.0)
        return np.log(total) + x * last, last - moment / total
    factor = np.exp(x)
    for t in range(last, first - 1, -1):
        moment = (moment + total) * factor
        total = total * factor + max(cash[t] * sign, 0.0)
    return np.log(total) + x * first, first + moment / total


@device
def root_between(cash: Floats, span: tuple[int, int, int, int], low: float, high: float, rises: bool) -> float:
    """Find the only root of the log gap between two points, which may be infinite: Newton, held inside a shrinking bracket.

    `span` holds the first and last month of the inflows, then of the outflows; `rises` says the sign of the gap at the end.
    """
    first_in, last_in, first_out, last_out = span
    x = 0.0 if low < 0.0 < high else 0.5 * (low + high)
    for step_number in range(_MAX_STEPS):
        inflow, inflow_month = log_of_sum(cash, 1.0, first_in, last_in, x)
        outflow, outflow_month = log_of_sum(cash, -1.0, first_out, last_out, x)
        gap, slope = inflow - outflow, inflow_month - outflow_month
        if gap == 0.0:
            return x
        if (gap < 0.0) == rises:
            low = x
        else:
            high = x
        target = x - gap / slope if slope != 0.0 else np.nan
        if abs(target - x) <= _SMALL_STEP * max(1.0, abs(x)):
            return target
        # Newton may leave the bracket, or swing from side to side on a bend: then the bracket is halved.
        is_halved = not low < target < high or (step_number > 20 and step_number % 2 == 0)
        x = 0.5 * (low + high) if is_halved and high - low < np.inf else target
    return x


@device
def scan_roots(cash: Floats, span: tuple[int, int, int, int]) -> tuple[int, float]:
    """Count the roots of the log gap within the bounds of the search, and give one of them.

    Cells are halved until the slope keeps its sign, so that there is one root at most, or until no root can be inside. A root
    that the gap touches without crossing 0 counts once.
    """
    first_in, last_in, first_out, last_out = span
    waiting = np.empty((_CELLS, 8))  # both ends of a cell: x, gap, mean month of the inflows, mean month of the outflows
    for end, x in enumerate((-_LARGEST, _LARGEST)):
        inflow, inflow_month = log_of_sum(cash, 1.0, first_in, last_in, x)
        outflow, outflow_month = log_of_sum(cash, -1.0, first_out, last_out, x)
        # Number by number: a tuple that is put into a slice takes a second to compile.
        of_end = (x, inflow - outflow, inflow_month, outflow_month)
        for i in range(4):
            waiting[0, 4 * end + i] = of_end[i]
    roots, root, touched = 0, np.nan, np.nan
    n_waiting = 1
    while n_waiting > 0:
        n_waiting -= 1
        a, gap_a, in_a, out_a, b, gap_b, in_b, out_b = waiting[n_waiting]
        lowest, highest = in_a - out_b, in_b - out_a  # slopes
        crosses = (gap_a >= 0.0) != (gap_b >= 0.0)
        if not crosses and no_root_inside(gap_a, gap_b, lowest, highest, b - a):
            continue
        if lowest >= 0.0 or highest <= 0.0 or b - a < _NARROWEST:
            if crosses:
                roots += 1
                root = root_between(cash, span, a, b, gap_a < 0.0)
            elif b - a < _NARROWEST and min(abs(gap_a), abs(gap_b)) < _TOUCHES and not a - touched < 10.0 * _NARROWEST:
                roots += 1
                root = touched = a
            continue
        middle = a + 0.4871 * (b - a)
        inflow, in_middle = log_of_sum(cash, 1.0, first_in, last_in, middle)
        outflow, out_middle = log_of_sum(cash, -1.0, first_out, last_out, middle)
        gap = inflow - outflow
        # The left half is searched first.
        left = (a, gap_a, in_a, out_a, middle, gap, in_middle, out_middle)
        right = (middle, gap, in_middle, out_middle, b, gap_b, in_b, out_b)
        for i in range(8):
            waiting[n_waiting, i], waiting[n_waiting + 1, i] = right[i], left[i]
        n_waiting += 2
    return roots, root


@device
def no_root_inside(gap_a: float, gap_b: float, lowest: float, highest: float, width: float) -> bool:
    """Say that a gap of one sign at both ends of a cell cannot reach 0 inside, whose slope lies between two bounds.

    Above 0 the gap lies over the line that falls from the left end with the lowest slope, and over the line that rises to the right
    end with the highest; below 0 it is the mirror image.
    """
    if gap_a < 0.0:
        gap_a, gap_b, lowest, highest = -gap_a, -gap_b, -highest, -lowest
    if lowest >= 0.0 or highest <= 0.0:
        return gap_a > 0.0 or gap_b > 0.0
    meet = (gap_a - gap_b + highest * width) / (highest - lowest)
    return gap_a + lowest * meet > 0.0


@kernel
def internal_rates(cash: Floats, rate: Floats, status: NDArray[np.int8]) -> None:
    """Fill the yearly rate and its status for every row of monthly cash.

    cash: (r, t), positive is received; rate: (r,), -1 for a total loss and NaN where there is none; status: (r,).
    """
    # r = replications, t = months
    for r in range(len(cash)):
        row = cash[r]
        rate[r] = np.nan
        first_in, last_in = ends(row, 1.0)
        first_out, last_out = ends(row, -1.0)
        if first_in < 0 and first_out < 0:
            status[r] = NO_SIGN_CHANGE
            continue
        if first_out < 0:
            status[r] = NO_COST
            continue
        if first_in < 0:
            status[r] = TOTAL_LOSS
            rate[r] = -1.0
            continue
        span = (first_in, last_in, first_out, last_out)
        if last_out < first_in or last_in < first_out:
            roots, root = 1, root_between(row, span, -np.inf, np.inf, last_out < first_in)
        else:
            roots, root = scan_roots(row, span)
        if roots == 1:
            status[r] = FOUND
            rate[r] = np.expm1(-12.0 * root)
        else:
            status[r] = NO_ROOT if roots == 0 else SEVERAL_ROOTS


@kernel
def count_rates(cash: Floats, number: NDArray[np.int64]) -> None:
    """Fill how many rates within the bounds of the search discount each row of monthly cash to 0; cash: (r, t), number: (r,)."""
    for r in range(len(cash)):
        row = cash[r]
        first_in, last_in = ends(row, 1.0)
        first_out, last_out = ends(row, -1.0)
        number[r] = 0
        if first_in >= 0 and first_out >= 0:
            number[r], _ = scan_roots(row, (first_in, last_in, first_out, last_out))
