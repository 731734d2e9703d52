"""Internal rate of return of many rows of cash, each with a status."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, kernel

Floats = NDArray[np.float64]

STATUSES = ("found", "total_loss", "no_cost", "no_root", "several_roots")
FOUND, TOTAL_LOSS, NO_COST, NO_ROOT, SEVERAL_ROOTS = range(5)

_GRID_POINTS = 400
_LARGEST = 0.7
"""The scan for several roots covers monthly log discount factors within this bound: yearly rates from -99.98 % to 444,000 %."""
_TOLERANCE = 1e-13
_MAX_STEPS = 100


@device
def log_gap(cash: Floats, x: float) -> tuple[float, float]:
    """Give log(discounted inflows) - log(discounted outflows) at discount factor exp(x) a month, and its slope.

    Both sums are taken relative to their largest exponent, so that neither 480 months nor any currency overflows.
    """
    n_dates = len(cash)
    shift = abs(x) * n_dates
    inflow = outflow = inflow_time = outflow_time = 0.0
    for t in range(n_dates):
        if cash[t] == 0.0:
            continue
        value = abs(cash[t]) * np.exp(x * t - shift) if x > 0 else abs(cash[t]) * np.exp(x * t)
        if cash[t] > 0.0:
            inflow += value
            inflow_time += t * value
        else:
            outflow += value
            outflow_time += t * value
    if inflow == 0.0 or outflow == 0.0:
        return np.nan, np.nan
    return np.log(inflow) - np.log(outflow), inflow_time / inflow - outflow_time / outflow


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
        roots = 0
        if count_sign_changes(row) == 1:
            # One sign change: the gap is monotone, so a bracket that is wide enough holds the only root.
            width = 0.1
            while width < 1e3 and log_gap(row, -width)[0] * log_gap(row, width)[0] > 0.0:
                width *= 2.0
            root = bracketed_root(row, -width, width)
            roots = 1
        else:
            root = np.nan
            left = -_LARGEST
            gap_left, _ = log_gap(row, left)
            for point in range(1, _GRID_POINTS + 1):
                right = -_LARGEST + 2.0 * _LARGEST * point / _GRID_POINTS
                gap_right, _ = log_gap(row, right)
                if gap_left == 0.0 or gap_left * gap_right < 0.0:
                    roots += 1
                    root = left if gap_left == 0.0 else bracketed_root(row, left, right)
                left, gap_left = right, gap_right
        if roots == 1:
            status[r] = FOUND
            rate[r] = np.exp(-12.0 * root) - 1.0
        else:
            status[r] = NO_ROOT if roots == 0 else SEVERAL_ROOTS
