"""The order statistics of a sample: of an array by sorting it, of a column of any length by counting.

The bits of a number, read as a whole number, are in the order of the numbers. So the one at a rank is found digit by digit: each
pass counts how many values have each next 16 bits, among those that agree with it so far; where few are left, these are sorted. Four
passes at most find it exactly, whatever the distribution; memory depends on neither their number nor their ties.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats
from simengine.columns import LongColumn, windows
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
        at = dict(zip(edges, _select(self._sample, edges), strict=True))
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


def _select(sample: Any, ranks: list[int]) -> Floats:
    """Find the values at some ranks, from 0."""
    prefix = np.zeros(len(ranks), dtype=np.uint64)
    left = np.array(ranks, dtype=np.int64)
    for digit in range(_DIGITS):
        shift = np.uint64(_DIGIT * (_DIGITS - 1 - digit))
        known = np.unique(prefix)
        counts = np.zeros((len(known), 1 << _DIGIT), dtype=np.int64)
        for window in windows(sample):
            keys = _keys(window) >> shift
            before, last = keys >> np.uint64(_DIGIT), (keys & np.uint64(0xFFFF)).astype(np.int64)
            for k, one in enumerate(known):
                counts[k] += np.bincount(last if digit == 0 else last[before == one], minlength=1 << _DIGIT)
        among: dict[int, int] = {}
        for r in range(len(ranks)):
            passed = np.cumsum(counts[np.searchsorted(known, prefix[r])])
            place = int(np.searchsorted(passed, left[r], side="right"))
            left[r] -= passed[place - 1] if place else 0
            prefix[r] = (prefix[r] << np.uint64(_DIGIT)) | np.uint64(place)
            among[int(prefix[r])] = int(passed[place] - (passed[place - 1] if place else 0))
        if shift and sum(among.values()) <= _FEW:
            return _among_few(sample, among, shift, prefix, left)
    return _values(prefix)


def _among_few(sample: Any, among: dict[int, int], shift: np.uint64, prefix: NDArray[np.uint64], left: NDArray[np.int64]) -> Floats:
    """Find the values at some ranks among those with the same first bits, which are few enough to be sorted."""
    alike: dict[int, list[Floats]] = {one: [] for one in among}
    for window in windows(sample):
        before = _keys(window) >> shift
        for one, parts in alike.items():
            parts.append(window[before == np.uint64(one)])
    ordered = {one: np.sort(np.concatenate(parts)) for one, parts in alike.items()}
    return np.array([ordered[int(one)][rank] for one, rank in zip(prefix, left, strict=True)])
