"""The results of a run in a store, as columns that are read window by window.

Blocks are compressed, and hold all columns: a column that is asked for is first laid out on the disk by itself, in a file without a
name that ends with the process. A statistic passes over it some twenty times.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from simengine.columns import LongColumn, regrouped
from simengine.records import ReplicationResults
from simengine.store.block import CASH_BY_DATE, DRAWN, CashSums, numbers_of, open_block, refuse_impossible_values, refuse_other_rows
from simengine.store.folder import Store

_LAID_OUT = 6
"""Columns that are laid out at the same time, at most; what is put together of more is slower."""


class _ColumnsOnDisk:
    """Columns of a store, each in a file of its own as long as it is used."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._files: OrderedDict[str, IO[bytes]] = OrderedDict()
        self._types: dict[str, np.dtype[Any]] = {}

    def __del__(self) -> None:
        for file in self._files.values():
            file.close()

    def rows(self, name: str, first: int, end: int) -> NDArray[Any]:
        """Read some rows of a column."""
        if name not in self._files:
            self._lay_out(name)
        self._files.move_to_end(name)
        kind = self._types[name]
        file = self._files[name]
        file.seek(first * kind.itemsize)
        return np.frombuffer(file.read((end - first) * kind.itemsize), dtype=kind)

    def _lay_out(self, name: str) -> None:
        while len(self._files) >= _LAID_OUT:
            self._files.popitem(last=False)[1].close()
        store = self._store
        with store.unwritable(), ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile(dir=store.folder))
            for block in store.record.blocks():
                with store.unreadable(block):
                    table = open_block(store.path(block)).read(columns=[name])
                    values = numbers_of(table[name], store.record.words.get(name))
                    refuse_impossible_values(name, values)
                file.write(values.tobytes())
            file.flush()
            self._files[name], self._types[name] = file, values.dtype
            stack.pop_all()  # it stays open until others are laid out


class _CashOnDisk:
    """A lender's cash by date, row by row: read from the blocks in order, of which the last is held."""

    def __init__(self, store: Store, lender: str) -> None:
        self._store, self._name = store, f"{CASH_BY_DATE}{lender}"
        self._blocks = store.record.blocks()
        self._held: tuple[int, NDArray[Any]] | None = None

    def rows(self, first: int, end: int) -> NDArray[Any]:
        """Read some rows, shape (n_rows, n_dates)."""
        size = self._store.record.block_size
        parts = [
            self._block(k)[max(first - k * size, 0) : end - k * size]
            for k in range(first // size, max(-(-end // size), first // size + 1))
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, k: int) -> NDArray[Any]:
        if self._held is None or self._held[0] != k:
            with self._store.unreadable(self._blocks[k]):
                table = open_block(self._store.path(self._blocks[k])).read(columns=[self._name])
                self._held = k, numbers_of(table[self._name], None)
        return self._held[1]


def stored_results(store: Store) -> ReplicationResults:
    """Return the results of a complete run, every block of which was held against its checksum.

    Raises
    ------
    ResultsError
        If blocks are missing, or one has changed.
    """
    store.refuse_incomplete()
    store.verify()
    on_disk = _ColumnsOnDisk(store)
    record = store.record

    def column(name: str) -> Any:
        return LongColumn(partial(on_disk.rows, name), 0, record.replications)

    cash: CashSums = {}
    for block in record.blocks():
        with store.unreadable(block):
            of_block = refuse_other_rows(store.path(block), record, block, str(store.path(block)))
            if cash and {name: len(one.total) for name, one in cash.items()} != {
                name: len(one.total) for name, one in of_block.items()
            }:
                raise ValueError("the cash of other lenders or dates than in the blocks before")
        cash = {name: cash[name] + moments if name in cash else moments for name, moments in of_block.items()}
    return ReplicationResults(
        column("replication"),
        {name: column(name) for name in record.columns},
        record.words,
        cash,
        {name: LongColumn(_CashOnDisk(store, name).rows, 0, record.replications) for name in record.lenders} or None,  # type: ignore[misc]
        by_rows=partial(_windows, store),
    )


def _windows(store: Store) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Read all columns together, some rows at once."""
    names, words = ["replication", *store.record.columns], store.record.words

    def blocks() -> Iterator[Mapping[str, NDArray[Any]]]:
        for block in store.record.blocks():
            with store.unreadable(block):
                table = open_block(store.path(block)).read(columns=names)
                values = {name: numbers_of(table[name], words.get(name)) for name in names}
            yield values

    return regrouped(blocks())


def stored_draws(store: Store) -> dict[str, NDArray[np.float64]]:
    """Read the numbers that were drawn into memory, by path."""
    on_disk = _ColumnsOnDisk(store)
    n = store.record.replications
    return {path: cast("NDArray[np.float64]", on_disk.rows(f"{DRAWN}{path}", 0, n)) for path in store.record.draws}
