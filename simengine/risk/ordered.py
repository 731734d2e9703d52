"""The order statistics of a sample: of an array by sorting it, of a column of any length by counting.

The bits of a number, read as a whole number, are in the order of the numbers. So the one at a rank is found digit by digit: each
pass counts how many values have each next 16 bits, among those that agree with it so far; where few are left, these are sorted. Four
passes at most find it exactly, whatever the distribution; memory depends on neither their number nor their ties. Where rows weigh
differently, weights are added up in place of counting; they are whole numbers, so that their sums do not depend on the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats
from simengine.columns import LongColumn, numbers_of_rows, windows
from simengine.errors import UsageError

_SIGN = np.uint64(1 << 63)
_ALL = np.uint64(2**64 - 1)
_DIGIT, _DIGITS = 16, 4
_MOST_AT_ONCE = 1 << 22
"""Neighbouring order statistics that are held at once."""
_FEW = 1 << 20
"""So few values of a column are sorted in memory."""


class Ordered:
    """A sample in order: `ordered[rank]`, from 0, and slices of neighbours."""

    def __init__(self, sample: Any) -> None:
        # 0 is added so that -0 becomes 0: both are equal, and have no order.
        self._sample, self._n = sample, len(sample)
        in_memory = sample.to_numpy() if isinstance(sample, LongColumn) and self._n <= _FEW else sample
        self._sorted = None if isinstance(in_memory, LongColumn) else np.sort(in_memory) + 0.0
        self._spans: list[tuple[int, int, Floats]] = []

    def __len__(self) -> int:
        return self._n

    def prepare(self, spans: Iterable[tuple[int, int]]) -> None:
        """Find several spans of ranks, each from the first to the one after the last, in the same passes over a column."""
        if self._sorted is not None:
            return
        wanted = sorted({(first, end) for first, end in spans if end > first and not self._is_there(first, end)})
        if not wanted:
            return
        edges = sorted({rank for first, end in wanted for rank in (first, end - 1)})
        at = dict(zip(edges, _select(self._sample, [rank + 1 for rank in edges])[0], strict=True))
        inner: list[list[Floats]] = [[] for _ in wanted]
        at_most = np.zeros(len(wanted), dtype=np.int64)
        for window in windows(self._sample):
            for k, (first, end) in enumerate(wanted):
                low, high = at[first], at[end - 1]
                at_most[k] += np.count_nonzero(window <= low)
                inner[k].append(window[(window > low) & (window < high)])
        for k, (first, end) in enumerate(wanted):
            low, high = at[first], at[end - 1]
            between = np.sort(np.concatenate(inner[k]))
            n_low = min(int(at_most[k]), end) - first
            n_high = end - first - n_low - len(between)
            self._spans.append((first, end, np.concatenate([np.full(n_low, low), between, np.full(n_high, high)]) + 0.0))

    def __getitem__(self, which: int | slice) -> Any:
        """Return the value at a rank, or those at neighbouring ranks."""
        if self._sorted is not None:
            return self._sorted[which]
        first, end, _ = (
            which.indices(self._n) if isinstance(which, slice) else (range(self._n)[which], range(self._n)[which] + 1, 1)
        )
        if end - first > _MOST_AT_ONCE:
            rule = f"at most {_MOST_AT_ONCE:,} values may lie within the interval of a quantile of stored replications"
            raise UsageError(f"the quantile: {rule}; found {end - first:,}. Ask for a level less near 0 or 1")
        self.prepare([(first, end)])
        start, values = next((start, values) for start, stop, values in self._spans if start <= first and end <= stop)
        return values[first - start : end - start] if isinstance(which, slice) else values[first - start]

    def _is_there(self, first: int, end: int) -> bool:
        return any(start <= first and end <= stop for start, stop, _ in self._spans)

    def linear(self, level: float) -> float:
        """Return a quantile between two order statistics, as `numpy.quantile` does by default."""
        place = (self._n - 1) * level
        first = int(np.floor(place))
        last = min(first + 1, self._n - 1)
        pair = self[first : last + 1]
        return float(np.quantile(np.array([pair[0], pair[-1]]), place - first))


def _keys(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Return whole numbers in the order of some numbers: all bits of a negative one turned, of another its sign alone."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    return np.where(bits & _SIGN, bits ^ _ALL, bits ^ _SIGN)


def _values(keys: NDArray[np.uint64]) -> Floats:
    return np.where(keys & _SIGN, keys ^ _SIGN, keys ^ _ALL).view(np.float64)


def _select(sample: Any, targets: Sequence[int], weights: Any = None) -> tuple[Floats, NDArray[np.int64]]:
    """Find the smallest values up to which the rows weigh some targets, and what is wanted of each from the rows of that value.

    Parameters
    ----------
    targets
        From 1 to the weight of all rows.
    weights
        Whole numbers, shape (n_rows,); absent: each row weighs 1, so that a target is a rank.
    """
    prefix = np.zeros(len(targets), dtype=np.uint64)
    left = np.array(targets, dtype=np.int64)
    for digit in range(_DIGITS):
        shift = np.uint64(_DIGIT * (_DIGITS - 1 - digit))
        known = np.unique(prefix)
        counts = np.zeros((len(known), 1 << _DIGIT), dtype=np.int64)
        for window, weight in zip(windows(sample), repeat(None) if weights is None else windows(weights), strict=False):
            keys = _keys(window) >> shift
            before, last = keys >> np.uint64(_DIGIT), (keys & np.uint64(0xFFFF)).astype(np.int64)
            for k, one in enumerate(known):
                mine = slice(None) if digit == 0 else before == one
                counts[k] += _added_up(last[mine], None if weight is None else weight[mine])
        among: dict[int, int] = {}
        for r in range(len(targets)):
            passed = np.cumsum(counts[np.searchsorted(known, prefix[r])])
            place = int(np.searchsorted(passed, left[r], side="left"))
            left[r] -= passed[place - 1] if place else 0
            prefix[r] = (prefix[r] << np.uint64(_DIGIT)) | np.uint64(place)
            among[int(prefix[r])] = int(passed[place] - (passed[place - 1] if place else 0))
        if weights is None and shift and sum(among.values()) <= _FEW:
            return _among_few(sample, among, shift, prefix, left)
    return _values(prefix), left


def _added_up(digits: NDArray[np.int64], weights: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Count digits, or add up the weights of those that are equal: in two halves, for a sum in floating point is exact up to 2^53."""
    if weights is None:
        return np.bincount(digits, minlength=1 << _DIGIT)
    high, low = (
        np.bincount(digits, weights=half, minlength=1 << _DIGIT).astype(np.int64) for half in (weights >> 30, weights & (2**30 - 1))
    )
    return np.asarray((high << 30) + low)


def _among_few(
    sample: Any, among: dict[int, int], shift: np.uint64, prefix: NDArray[np.uint64], left: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """Find the values at some ranks, from 1, among those with the same first bits, which are few enough to be sorted; and the rest."""
    alike: dict[int, list[Floats]] = {one: [] for one in among}
    for window in windows(sample):
        before = _keys(window) >> shift
        for one, parts in alike.items():
            parts.append(window[before == np.uint64(one)])
    ordered = {one: np.sort(np.concatenate(parts)) for one, parts in alike.items()}
    values = np.array([ordered[int(one)][rank - 1] for one, rank in zip(prefix, left, strict=True)])
    below = [np.searchsorted(ordered[int(one)], value) for one, value in zip(prefix, values, strict=True)]
    return values, left - np.array(below)


@dataclass(frozen=True)
class WeightReached:
    """Where the weights of rows in order, equal ones in the order of the rows, reach a target."""

    value: float
    rank: int
    """Of the row with which it is reached, from 0."""
    row: int
    """Its number."""


class WeightedOrder:
    """A sample in order, and what its rows weigh up to each of them.

    Parameters
    ----------
    sample
        Shape (n_rows,).
    weights
        Whole numbers, shape (n_rows,), that add up to less than 2^63; absent: each row weighs 1. Of an array some may be below 0.
    """

    def __init__(self, sample: Any, weights: Any = None) -> None:
        # 0 is added so that -0 becomes 0, with which it is equal.
        self._sample, self._weights, self._numbers = sample + 0.0, weights, numbers_of_rows(sample)
        self.total = len(sample) if weights is None else sum(int(window.sum()) for window in windows(weights))
        self._sorted: tuple[NDArray[Any], NDArray[np.int64]] | None = None
        if isinstance(sample, LongColumn) and len(sample) <= _FEW:
            self._sample, self._numbers = self._sample.to_numpy(), self._numbers.to_numpy()
            self._weights = None if weights is None else weights.to_numpy()
        if not isinstance(self._sample, LongColumn):
            order = np.argsort(self._sample, kind="stable")
            up_to = np.arange(1, len(order) + 1) if self._weights is None else np.cumsum(self._weights[order])
            self._sorted = order, np.maximum.accumulate(up_to)

    def reached(self, targets: Sequence[int]) -> list[WeightReached]:
        """Find where some targets are reached; those below 1, or above the weight of all rows, are taken as these."""
        targets = [min(max(target, 1), self.total) for target in targets]
        if self._sorted is None:
            return self._counted(targets)
        order, up_to = self._sorted
        ranks = np.minimum(np.searchsorted(up_to, targets), len(order) - 1)
        return [WeightReached(float(self._sample[order[rank]]), int(rank), int(self._numbers[order[rank]])) for rank in ranks]

    def _counted(self, targets: Sequence[int]) -> list[WeightReached]:
        values, left = _select(self._sample, targets, self._weights)
        ranks, rows = np.full(len(targets), -1, dtype=np.int64), np.full(len(targets), -1, dtype=np.int64)
        for window, weight, numbers in zip(
            windows(self._sample),
            repeat(None) if self._weights is None else windows(self._weights),
            windows(self._numbers),
            strict=False,
        ):
            for r, value in enumerate(values):
                ranks[r] += np.count_nonzero(window < value)
                if rows[r] >= 0:
                    continue
                equal = np.flatnonzero(window == value)
                up_to = np.arange(1, len(equal) + 1) if weight is None else np.cumsum(weight[equal])
                place = int(np.searchsorted(up_to, left[r]))
                ranks[r] += min(place + 1, len(equal))
                if place < len(equal):
                    rows[r] = numbers[equal[place]]
                elif len(equal):
                    left[r] -= up_to[-1]
        return [WeightReached(float(value), int(rank), int(row)) for value, rank, row in zip(values, ranks, rows, strict=True)]
