"""Internal rate of return of many rows of cash, each with a status."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, kernel

Floats = NDArray[np.float64]

STATUSES = ("found", "total_loss", "no_cost", "no_root", "several_roots")
FOUND, TOTAL_LOSS, NO_COST, NO_ROOT, SEVERAL_ROOTS = range(5)

_GRID_POINTS = 401  # odd, so that a rate of 0 %, which is common, is no point of the grid
_LARGEST = 0.7
"""The scan for several roots covers monthly log discount factors within this bound: yearly rates from -99.98 % to 444,000 %."""
_TOLERANCE = 1e-13
_MAX_STEPS = 100


@device
def log_of_sum(cash: Floats, sign: float, x: float) -> tuple[float, float]:
    """Give log(sum of flows of one sign, times exp(x t)) and the mean time of what is summed.

    The sum is taken relative to its end that weighs most, so that neither 480 months nor any currency overflows, and
    months without cash change nothing.
    """
    anchor = -1
    for t in range(len(cash)):
        if cash[t] * sign > 0.0 and (anchor < 0 or x > 0.0):
            anchor = t
    total = times = 0.0
    for t in range(len(cash)):
        if cash[t] * sign > 0.0:
            value = abs(cash[t]) * np.exp(x * (t - anchor))
            total += value
            times += t * value
    return np.log(total) + x * anchor, times / total


@device
def log_gap(cash: Floats, x: float) -> tuple[float, float]:
    """Give log(discounted inflows) - log(discounted outflows) at discount factor exp(x) a month, and its slope in x."""
    inflow, inflow_time = log_of_sum(cash, 1.0, x)
    outflow, outflow_time = log_of_sum(cash, -1.0, x)
    return inflow - outflow, inflow_time - outflow_time


@device
def count_sign_changes(cash: Floats) -> int:
    """Count how often the flows that are not 0 change their sign."""
    changes = 0
    previous = 0.0
    for t in range(len(cash)):
        if cash[t] != 0.0:
            if previous * cash[t] < 0.0:
                changes += 1
            previous = 1.0 if cash[t] > 0.0 else -1.0
    return changes


@device
def bracketed_root(cash: Floats, low: float, high: float) -> float:
    """Find the root of the log gap between two points where its signs differ: Newton, held inside a shrinking bracket."""
    gap_low, _ = log_gap(cash, low)
    x = 0.5 * (low + high) if low > 0.0 or high < 0.0 else 0.0
    for _ in range(_MAX_STEPS):
        gap, slope = log_gap(cash, x)
        if gap == 0.0:
            return x
        if gap * gap_low > 0.0:
            low = x
        else:
            high = x
        step = x - gap / slope if slope != 0.0 else low - 1.0
        target = step if low < step < high else 0.5 * (low + high)
        if abs(target - x) <= _TOLERANCE * max(1.0, abs(x)):
            return target
        x = target
    return x


@device
def turning_point(cash: Floats, low: float, high: float) -> float:
    """Find where the slope of the log gap changes its sign between two points, by halving."""
    rises = log_gap(cash, low)[1] > 0.0
    for _ in range(_MAX_STEPS):
        middle = 0.5 * (low + high)
        if (log_gap(cash, middle)[1] > 0.0) == rises:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@device
def scan_roots(cash: Floats) -> tuple[int, float]:
    """Count the roots within the bounds of the scan, two of them in one cell included, and give the last one found."""
    roots = 0
    root = np.nan
    left = -_LARGEST
    gap_left, slope_left = log_gap(cash, left)
    for point in range(1, _GRID_POINTS + 1):
        right = -_LARGEST + 2.0 * _LARGEST * point / _GRID_POINTS
        gap_right, slope_right = log_gap(cash, right)
        if gap_left == 0.0 or gap_left * gap_right < 0.0:
            roots += 1
            root = left if gap_left == 0.0 else bracketed_root(cash, left, right)
        elif gap_right != 0.0 and slope_left * slope_right < 0.0 and gap_left * slope_left < 0.0:
            # The gap turns back inside the cell: it may have crossed zero twice, or touched it.
            turn = turning_point(cash, left, right)
            gap_turn, _ = log_gap(cash, turn)
            if gap_turn * gap_left < 0.0:
                roots += 2
                root = turn
            elif abs(gap_turn) < _TOLERANCE:
                roots += 1
                root = turn
        left, gap_left, slope_left = right, gap_right, slope_right
    return roots, root


@kernel
def internal_rates(cash: Floats, rate: Floats, status: NDArray[np.int8]) -> None:
    """Fill the yearly rate and its status for every row of monthly cash.

    cash: (r, t), positive is received; rate: (r,), -1 for a total loss and NaN where there is none; status: (r,).
    """
    # r = replications, t = months
    for r in range(len(cash)):
        row = cash[r]
        rate[r] = np.nan
        n_in = n_out = 0
        for t in range(len(row)):
            n_in += row[t] > 0.0
            n_out += row[t] < 0.0
        if n_out == 0:
            status[r] = NO_COST
            continue
        if n_in == 0:
            status[r] = TOTAL_LOSS
            rate[r] = -1.0
            continue
        if count_sign_changes(row) == 1:
            # One sign change: the gap is monotone, so a bracket that is wide enough holds the only root.
            width = 0.1
            while width < 1e3 and log_gap(row, -width)[0] * log_gap(row, width)[0] > 0.0:
                width *= 2.0
            roots, root = 1, bracketed_root(row, -width, width)
        else:
            roots, root = scan_roots(row)
        if roots == 1:
            status[r] = FOUND
            rate[r] = np.exp(-12.0 * root) - 1.0
        else:
            status[r] = NO_ROOT if roots == 0 else SEVERAL_ROOTS
