"""Columns of more rows than memory may hold: what is asked of them row by row is worked out window by window, when it is read.

A column behaves as a NumPy array does where that works row by row (arithmetic, comparison, `where`, a mask, a slice), and keeps
nothing. It never becomes an array by itself: `to_numpy` makes it one, where somebody wants that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

ROWS_AT_ONCE = 65_536
"""Rows that are worked on at once. Sums are those of windows, added up exactly, so that an array and a column have the same."""
Rows = Callable[[int, int], NDArray[Any]]
"""From the first row and the one after the last to the values between them."""


class LongColumn(NDArrayOperatorsMixin):
    """A column that is read window by window.

    Parameters
    ----------
    rows
        Reads some rows.
    first, end
        The first row, and the one after the last.
    among
        The rows that count, a column of truth values; absent: all.
    """

    ndim = 1

    def __init__(self, rows: Rows, first: int, end: int, among: LongColumn | None = None) -> None:
        self._rows, self._first, self._end, self._among = rows, first, end, among

    def windows(self) -> Iterator[NDArray[Any]]:
        """Yield the values in order, `ROWS_AT_ONCE` at once and the rest at the end."""
        return (window[""] for window in regrouped(self._parts()))

    def _parts(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        for first in range(self._first, self._end, ROWS_AT_ONCE):
            end = min(first + ROWS_AT_ONCE, self._end)
            values = self._rows(first, end)
            yield {"": values if self._among is None else values[self._among._rows(first, end)]}

    def to_numpy(self) -> NDArray[Any]:
        """Read all values into memory."""
        parts = list(self.windows())
        return np.concatenate(parts) if parts else self._rows(self._first, self._first)

    @cached_property
    def _n_true(self) -> int:
        return sum(int(np.count_nonzero(window)) for window in self.windows())

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its values."""
        return self._rows(self._first, min(self._first + 1, self._end)).dtype

    @property
    def shape(self) -> tuple[int]:
        """As that of an array: how many rows there are."""
        return (len(self),)

    def __len__(self) -> int:
        return self._end - self._first if self._among is None else self._among._n_true

    def __repr__(self) -> str:
        return f"<LongColumn: {len(self):,} rows>"

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise TypeError(
            "a column of a store must not become an array by the way; found one where an array is needed. `to_numpy()` reads it"
        )

    def __getitem__(self, which: Any) -> Any:
        """Take a row by its number, rows by a slice without steps, or those for which a column of truth values of the same rows is true."""
        if isinstance(which, LongColumn):
            if self._among is not None or not self._is_beside(which):
                raise TypeError("a column must be chosen from by truth values of the same rows")
            return LongColumn(self._rows, self._first, self._end, which)
        if isinstance(which, slice) and self._among is None:
            first, end, step = which.indices(len(self))
            if step == 1:
                return LongColumn(self._rows, self._first + first, self._first + max(end, first))
        elif not isinstance(which, slice):
            place = range(len(self))[which]
            if self._among is None:
                return self._rows(self._first + place, self._first + place + 1)[0]
        raise TypeError(f"a column must be read by a mask, a number or a slice; found {which!r}")

    def _is_beside(self, other: LongColumn) -> bool:
        return (self._first, self._end) == (other._first, other._end) and self._among is other._among

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **how: Any) -> Any:
        if method != "__call__" or how or any(isinstance(one, np.ndarray) and one.ndim for one in inputs):
            return NotImplemented
        return self._with(function, inputs)

    def __array_function__(self, function: Callable[..., Any], _: Any, inputs: tuple[Any, ...], how: dict[str, Any]) -> Any:
        # Of the functions that are no ufuncs, those that work row by row.
        return self._with(function, inputs) if function in (np.where, np.round) and not how else NotImplemented

    def _with(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> LongColumn:
        columns = [one for one in inputs if isinstance(one, LongColumn)]
        if not all(self._is_beside(other) for other in columns):
            raise TypeError("columns must have the same rows to be put together")

        def rows(first: int, end: int) -> NDArray[Any]:
            values: NDArray[Any] = function(*(one._rows(first, end) if isinstance(one, LongColumn) else one for one in inputs))
            return values

        return LongColumn(rows, self._first, self._end, self._among)

    def by_window(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> LongColumn:
        """Return the column that a function makes of it, row by row."""
        return self._with(function, (self,))

    def numbers(self) -> LongColumn:
        """Return the numbers of the rows, from 0; of chosen rows those that they had before."""
        return LongColumn(np.arange, self._first, self._end, self._among)

    def __pow__(self, power: Any) -> Any:
        # As an array does: a square is a product.
        return np.square(self) if power == 2 else np.power(self, power)

    def astype(self, kind: Any) -> LongColumn:
        """Return the column with values of another type."""
        return self._with(lambda values: values.astype(kind, copy=False), (self,))

    def any(self) -> bool:
        """Return whether some value is not 0."""
        return any(bool(window.any()) for window in self.windows())

    def all(self) -> bool:
        """Return whether no value is 0."""
        return all(bool(window.all()) for window in self.windows())


def by_window(sample: Any, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:
    """Apply a function that works row by row to an array or a column."""
    return sample.by_window(function) if isinstance(sample, LongColumn) else function(sample)


def numbers_of_rows(sample: Any) -> Any:
    """Return the numbers of the rows of an array or a column, in ascending order."""
    return sample.numbers() if isinstance(sample, LongColumn) else np.arange(len(sample))


def windows(sample: Any) -> Iterator[NDArray[Any]]:
    """Yield the values of an array or a column in order, `ROWS_AT_ONCE` at once."""
    if isinstance(sample, LongColumn):
        yield from sample.windows()
        return
    for first in range(0, len(sample), ROWS_AT_ONCE):
        yield sample[first : first + ROWS_AT_ONCE]


def regrouped(parts: Iterable[Mapping[str, NDArray[Any]]]) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Yield the rows of some tables in order, `ROWS_AT_ONCE` at once and the rest at the end."""
    waiting: list[Mapping[str, NDArray[Any]]] = []
    n_waiting = 0
    for part in parts:
        waiting.append(part)
        n_waiting += len(next(iter(part.values())))
        while n_waiting >= ROWS_AT_ONCE:
            whole = _joined(waiting)
            yield {name: values[:ROWS_AT_ONCE] for name, values in whole.items()}
            waiting, n_waiting = [{name: values[ROWS_AT_ONCE:] for name, values in whole.items()}], n_waiting - ROWS_AT_ONCE
    if n_waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> Mapping[str, NDArray[Any]]:
    return parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
