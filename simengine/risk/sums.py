"""Sums, means, extremes and counts of a sample, which may be an array or a column that is read window by window.

The sum of a window is NumPy's, and those of the windows are added up exactly (`math.fsum`). So a sum depends on the order of the
rows alone: not on blocks, threads or workers, and not on whether the rows are in memory or on the disk.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.columns import windows


def sum_of_windows(sample: Any) -> float:
    """Add up the values of a sample."""
    return math.fsum(float(np.add.reduce(window)) for window in windows(sample))


def mean_of(sample: Any) -> float:
    """Return the mean of a sample, NaN of none."""
    return sum_of_windows(sample) / len(sample) if len(sample) else math.nan


def square_sum(sample: Any) -> float:
    """Add up the squares of the values of a sample."""
    return math.fsum(float(window @ window) for window in windows(sample))


def cube_sum(sample: Any) -> float:
    """Add up the third powers of the values of a sample."""
    return math.fsum(float((window * window) @ window) for window in windows(sample))


def deviation(sample: Any, around: float) -> float:
    """Return the standard deviation of a sample around its mean, with n - 1."""
    apart = sample - around
    return math.sqrt(sum_of_windows(apart * apart) / (len(sample) - 1))


def extremes(sample: Any) -> tuple[float, float]:
    """Return the smallest and the largest value of a sample, which has at least one."""
    edges = [(window.min(), window.max()) for window in windows(sample)]
    low, high = zip(*edges, strict=True)
    return float(np.min(low)), float(np.max(high))


def largest_size(sample: Any) -> float:
    """Return the largest absolute value of a sample; 0 of none."""
    return float(np.max([0.0, *(np.abs(window).max() for window in windows(sample))]))


def count(cases: Any) -> int:
    """Count the cases that are true."""
    return sum(int(np.count_nonzero(window)) for window in windows(cases))


def counts_above(sample: Any, levels: NDArray[Any]) -> NDArray[np.int64]:
    """Count the values of a sample that are above each of some levels."""
    found = np.zeros(len(levels), dtype=np.int64)
    for window in windows(sample):
        found += len(window) - np.searchsorted(np.sort(window), levels, side="right")
    return found


def largest(sample: Any, number: int) -> NDArray[Any]:
    """Return the largest values of a sample, in ascending order."""
    top: NDArray[Any] = np.empty(0)
    for window in windows(sample):
        together = np.concatenate([top, window])
        top = np.partition(together, len(together) - number)[-number:] if len(together) > number else together
    return np.sort(top)
