"""Results of each replication."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Integers
from simengine.asked import refuse_mixed
from simengine.columns import LongColumn, windows
from simengine.errors import UnknownNameError
from simengine.records.arrays import Axes, Record


@dataclass(frozen=True, eq=False)
class CashMoments(Record):
    """Cash by date, summed over replications as Python integers, so that blocks add up exactly in any order."""

    unit: float
    """Smallest units of the currency in one unit of `rounded` and `products`."""
    n_replications: int
    total: Annotated[NDArray[np.object_], Axes("date", "smallest unit of the currency")]
    rounded: Annotated[NDArray[np.object_], Axes("date", "`unit`")]
    products: NDArray[np.object_]
    """Shape (date, date), in [`unit` squared]: sum over replications of the product of the cash of two dates."""

    def __add__(self, other: CashMoments) -> CashMoments:
        n = self.n_replications + other.n_replications
        return CashMoments(self.unit, n, self.total + other.total, self.rounded + other.rounded, self.products + other.products)


def in_memory(column: Any) -> NDArray[Any]:
    """Return a column as an array: one of a store is read whole."""
    return column.to_numpy() if isinstance(column, LongColumn) else np.asarray(column)


def measurements_of(replications: Integers) -> Integers:
    """Return which measurement of its people each row is, from 1: the rows of a replication stand together."""
    begins = np.flatnonzero(np.diff(replications, prepend=-1))
    lengths = np.diff(begins, append=len(replications))
    return np.arange(len(replications)) - np.repeat(begins, lengths) + 1


def row_index(replications: Integers) -> Any:
    """Return the index of a data frame of rows: the replication, and the measurement where people are measured several times."""
    import pandas as pd

    measurement = measurements_of(replications)
    if (measurement == 1).all():
        return pd.Index(replications, name="replication")
    return pd.MultiIndex.from_arrays([replications, measurement], names=["replication", "measurement"])


@dataclass(frozen=True, eq=False)
class ReplicationResults(Record):
    """Results of each replication: one column per quantity, from which every distribution is computed."""

    replications: Annotated[Integers, Axes("replication")]
    columns: Mapping[str, NDArray[Any]]
    """By name: one value per replication; names in `codes` hold indices into the words given there. Of a store: columns that are read
    window by window (`simengine.columns`), and do row by row what arrays do."""
    codes: Mapping[str, tuple[str, ...]]
    lending_cash: Mapping[str, CashMoments]
    """By lender, and for all lenders if there are several: cash of its loans; empty if returns were not requested."""
    lending_cash_by_row: Mapping[str, Integers] | None = None
    """The same cash row by row, shape (n_replications, n_dates) in the smallest unit of the currency: needed if replications have
    different weights or are dependent, when its moments are not sufficient."""
    made_by: Any = None
    """The study, the seed and the sampling of a run; absent if unknown."""
    by_rows: Callable[[], Iterator[Mapping[str, NDArray[Any]]]] | None = None
    """Of a store: reads all columns together, window by window."""

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Look up a column by its name; a coded one holds indices into `codes`, of which `words` makes words."""
        if name not in self.columns:
            elsewhere = f"If it is a statistic, it is found with `summarise(results)[{name!r}]`"
            raise UnknownNameError("column", name, self.columns, elsewhere)
        return self.columns[name]

    @property
    def n_replications(self) -> int:
        """How many replications there are: as many as rows, unless people were measured several times."""
        rows = self.replications
        return len(np.unique(rows)) if isinstance(rows, np.ndarray) else len(rows)

    def windows(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        """Yield all columns together with the numbers of the replications, some rows at once."""
        if self.by_rows is not None:
            yield from self.by_rows()
            return
        columns = {"replication": self.replications, **self.columns}
        for window in zip(*map(windows, columns.values()), strict=True):
            yield dict(zip(columns, window, strict=True))

    def first(self, n: int, needed: Callable[[str], bool]) -> ReplicationResults:
        """Return some columns of the first rows, in memory, with the cash by date of all; needed: whether a column is, by its name."""
        columns = {name: in_memory(column[:n]) for name, column in self.columns.items() if needed(name)}
        return replace(self, replications=in_memory(self.replications[:n]), columns=columns, lending_cash_by_row=None, by_rows=None)

    def __repr__(self) -> str:
        return f"<ReplicationResults: {len(self.replications):,} replications, {len(self.columns)} columns>"

    def _repr_html_(self) -> str:
        return str(self.to_pandas()._repr_html_())

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row per replication, under its number; coded columns as categories of words.

        Where the same people were measured k times (`measured=k`) each replication has k rows, and the index a second level,
        `measurement`, from 1. Rows of one replication, or of one `group` where there is such a column, depend on each other; rows
        with a column `weight` have to be weighed by it. `summarise` accounts for both.
        """
        import pandas as pd

        columns = {
            name: pd.Categorical.from_codes(in_memory(column), list(self.codes[name])) if name in self.codes else in_memory(column)
            for name, column in self.columns.items()
        }
        return pd.DataFrame(columns, index=row_index(in_memory(self.replications)))

    def words(self, name: str) -> NDArray[np.str_]:
        """Return a coded column as words, one per row."""
        words: NDArray[np.str_] = np.array(self.codes[name])[in_memory(self[name])]
        return words

    def is_word(self, name: str, word: str) -> NDArray[np.bool_]:
        """Return in which replications a coded column has a given word."""
        found: NDArray[np.bool_] = self.columns[name] == self.codes[name].index(word)
        return found

    @staticmethod
    def join(parts: Sequence[ReplicationResults]) -> ReplicationResults:
        """Join blocks of one run in order; blocks of different runs are refused."""
        refuse_mixed([part.made_by for part in parts], [part.replications for part in parts])
        return ReplicationResults._put_together(parts, np.concatenate)

    @staticmethod
    def interleave(parts: Sequence[ReplicationResults]) -> ReplicationResults:
        """Interleave several results of the same replications, replication by replication, independent of the block size."""
        return ReplicationResults._put_together(parts, lambda arrays: np.stack(arrays, axis=1).reshape(-1, *arrays[0].shape[1:]))

    @staticmethod
    def _put_together(
        parts: Sequence[ReplicationResults], together: Callable[[list[NDArray[Any]]], NDArray[Any]]
    ) -> ReplicationResults:
        by_row = [part.lending_cash_by_row for part in parts if part.lending_cash_by_row is not None]
        return ReplicationResults(
            together([part.replications for part in parts]),
            {name: together([part.columns[name] for part in parts]) for name in parts[0].columns},
            parts[0].codes,
            {name: reduce(add, (part.lending_cash[name] for part in parts)) for name in parts[0].lending_cash},
            {name: together([rows[name] for rows in by_row]) for name in by_row[0]} if by_row else None,
            parts[0].made_by,
        )
