"""A block of replications: computed, written as Parquet, and read again."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrow import as_array, as_words
from simengine.asked import is_number
from simengine.config import Study
from simengine.errors import ResultsError, shorten
from simengine.late import late
from simengine.pipeline import draw_numbers, run_block
from simengine.records import CashMoments, Floats, Integers, ReplicationResults
from simengine.sampling import PLAIN, SCRAMBLES, Sampling, distributions_of
from simengine.store.record import RunRecord

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet
else:
    pa = late("pyarrow")
    parquet = late("pyarrow.parquet")

DRAWN = "draw:"
"""Begins the names of columns of numbers that were drawn: no party can be called so."""
CASH_BY_DATE = "cash:"
"""Begins the names of columns of a lender's cash by date, where replications weigh differently or hang together."""
_CASH = b"simengine.lending_cash"
_MOST_DATES = 10_000
"""More than any horizon has, so that no block asks for more memory than its rows take."""
_LARGEST = 1e19
"""Beyond what 64 bits count of the smallest unit of a currency."""
_MAY_BE_MISSING = (".irr", ".moic", ".payback_months")
"""Endings of columns of numbers that a replication may not have."""


CashSums = dict[str, CashMoments]
"""By lender: the sums of its cash by date."""


@dataclass(frozen=True)
class StoredBlock:
    """Neighbouring replications of a run."""

    results: ReplicationResults
    draws: Mapping[str, Floats]
    """By path: the numbers that were drawn, shape (n_replications,)."""


@dataclass(frozen=True)
class Stretch:
    """Neighbouring replications of a study that are to be computed: plain data, which may travel to another machine."""

    study: Study
    seed: int
    first: int
    end: int
    """One after the last."""
    at_once: int
    """Replications that are simulated at once, at most."""
    sampling: Sampling = PLAIN
    """How the numbers of the study are drawn."""


def compute(stretch: Stretch) -> StoredBlock:
    """Compute replications; how many at once changes no bit."""
    study, seed, sampling = stretch.study, stretch.seed, stretch.sampling
    starts = range(stretch.first, stretch.end, stretch.at_once)
    numbers = [np.arange(start, min(start + stretch.at_once, stretch.end), dtype=np.int64) for start in starts]
    paths = distributions_of(study.numbers)
    drawn = draw_numbers(study, seed, np.concatenate(numbers), sampling)
    results = ReplicationResults.join([run_block(study, seed, some, sampling) for some in numbers])
    return StoredBlock(results, {path: drawn[path] for path in paths})


def joined(one: StoredBlock, other: StoredBlock) -> StoredBlock:
    """Join a block and what follows it."""
    draws = {path: np.concatenate([values, other.draws[path]]) for path, values in one.draws.items()}
    return StoredBlock(ReplicationResults.join([one.results, other.results]), draws)


def encode(block: StoredBlock) -> bytes:
    """Write a block as Parquet, with a checksum of every page, and the exact sums of the lenders' cash beside the columns."""
    results = block.results
    columns = {
        name: as_words(values, results.codes[name]) if name in results.codes else as_array(values)
        for name, values in results.columns.items()
    }
    drawn = {f"{DRAWN}{path}": as_array(values) for path, values in block.draws.items()}
    by_row = {f"{CASH_BY_DATE}{name}": _as_lists(rows) for name, rows in (results.lending_cash_by_row or {}).items()}
    table = pa.table({"replication": as_array(results.replications), **columns, **drawn, **by_row})
    cash = json.dumps({name: _plain(moments) for name, moments in results.lending_cash.items()}, separators=(",", ":"))
    file = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({_CASH: cash}), file, compression="zstd", write_page_checksum=True)
    return file.getvalue()


def compute_and_encode(stretch: Stretch) -> bytes:
    """Compute replications, and write them as Parquet: what a worker does."""
    return encode(compute(stretch))


def open_block(source: Any) -> Any:
    """Open a block that was written as Parquet; every page that is read is held against its checksum."""
    return parquet.ParquetFile(source, page_checksum_verification=True)


def decode(content: bytes, codes: Mapping[str, tuple[str, ...]]) -> StoredBlock:
    """Read a block that was written as Parquet."""
    file = open_block(io.BytesIO(content))
    table = file.read()
    values = {name: numbers_of(table[name], codes.get(name)) for name in table.column_names}
    by_row = {name.removeprefix(CASH_BY_DATE): values.pop(name) for name in list(values) if name.startswith(CASH_BY_DATE)}
    replications = values.pop("replication")
    draws = {name.removeprefix(DRAWN): values.pop(name) for name in list(values) if name.startswith(DRAWN)}
    return StoredBlock(ReplicationResults(replications, values, codes, cash_of(file), by_row or None), draws)


def numbers_of(column: Any, words: tuple[str, ...] | None) -> np.ndarray:
    """Return a column of a table as numbers: of words, their places among those of the run; of lists, a row for each."""
    parts = [part for part in column.chunks if len(part)]
    if column.null_count:
        raise ValueError(f"{column.null_count:,} rows without a value")
    if pa.types.is_fixed_size_list(column.type):
        return np.concatenate([part.flatten().to_numpy().reshape(-1, column.type.list_size) for part in parts])
    if words is None:
        return np.concatenate([part.to_numpy(zero_copy_only=False) for part in parts])
    place = {word: k for k, word in enumerate(words)}
    coded = []
    for part in parts:
        if unknown := set(part.dictionary.to_pylist()) - set(words):
            raise ValueError(f"the word {shorten(min(map(str, unknown)))}, which is none of the run")
        there = np.array([place[word] for word in part.dictionary.to_pylist()], dtype=np.int8)
        coded.append(there[part.indices.to_numpy(zero_copy_only=False)])
    return np.concatenate(coded)


def _kind_of(kind: Any) -> str:
    """Name the type of a column as a record does; words are a dictionary of texts."""
    if pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type):
        return "words"
    is_plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return str(np.dtype(kind.to_pandas_dtype()).str) if is_plain else str(kind)


def _as_lists(rows: Integers) -> Any:
    return pa.FixedSizeListArray.from_arrays(as_array(rows.reshape(-1)), rows.shape[1])


def cash_of(file: Any) -> CashSums:
    """Read the sums of the lenders' cash of a block."""
    rows = file.metadata.num_rows
    try:
        kept = json.loads((file.schema_arrow.metadata or {})[_CASH])
        return {name: _moments(one, rows) for name, one in kept.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"other sums of the lenders' cash than a run writes ({type(error).__name__})") from None


def _plain(moments: CashMoments) -> dict[str, Any]:
    """Return the sums without their zeros: most months have no cash."""
    dates = range(len(moments.total))
    return {
        "unit": moments.unit,
        "n": moments.n_replications,
        "dates": len(moments.total),
        "total": [[i, int(moments.total[i])] for i in dates if moments.total[i]],
        "rounded": [[i, int(moments.rounded[i])] for i in dates if moments.rounded[i]],
        "products": [[i, j, int(moments.products[i, j])] for i in dates for j in dates if moments.products[i, j]],
    }


def _moments(plain: Mapping[str, Any], rows: int) -> CashMoments:
    n, unit = plain["dates"], plain["unit"]
    if type(n) is not int or not 0 < n <= _MOST_DATES or plain["n"] != rows or not is_number(unit) or not 0 < unit < math.inf:
        raise ValueError
    total, rounded, products = np.zeros(n, dtype=object), np.zeros(n, dtype=object), np.zeros((n, n), dtype=object)
    for name, sums in (("total", total), ("rounded", rounded), ("products", products)):
        for *place, value in plain[name]:
            if type(value) is not int or not all(type(one) is int and 0 <= one < n for one in place):
                raise ValueError
            sums[tuple(place)] = value
    return CashMoments(unit, rows, total, rounded, products)


def refuse_other_rows(source: Any, record: RunRecord, block: tuple[int, int], place: str) -> CashSums:
    """Refuse a block that holds something else than its replications of the run, whatever its checksum says.

    Parameters
    ----------
    source
        The block, of which the schema, the numbers of the replications and the sums are read.
    record
        Of the run.
    block
        The first replication, and the one after the last.
    place
        Of the block, for the message.

    Returns
    -------
    By lender: the sums of its cash.

    Raises
    ------
    ResultsError
        With what differs.
    ValueError
        If the sums are none, or a number is missing.
    """
    file = open_block(source)
    refuse_other_columns(file.schema_arrow, record.columns, record.words, place)
    kinds = {"replication": pa.int64()} | {f"{DRAWN}{path}": pa.float64() for path in record.draws}
    for name, kind in kinds.items():
        index = file.schema_arrow.get_field_index(name)
        if index < 0 or file.schema_arrow.field(index).type != kind:
            raise ResultsError(f"{place}: must have one column {shorten(name)} of type {kind}; found another, or none")
    if file.metadata.num_rows != block[1] - block[0]:
        raise ResultsError(f"{place}: must have {block[1] - block[0]:,} rows; found {file.metadata.num_rows:,}")
    found = numbers_of(file.read(columns=["replication"])["replication"], None)
    if not np.array_equal(found, np.arange(*block)):
        raise ResultsError(f"{place}: must hold the replications {block[0]:,} to {block[1] - 1:,} in order; found others")
    cash = cash_of(file)
    for name in record.lenders:
        index = file.schema_arrow.get_field_index(f"{CASH_BY_DATE}{name}")
        kind = pa.list_(pa.int64(), len(cash[name].total)) if name in cash else None
        if index < 0 or kind is None or not file.schema_arrow.field(index).type.equals(kind):
            raise ResultsError(
                f"{place}: must have one column {CASH_BY_DATE}{shorten(name)} of so many dates as there are sums; found another"
            )
    return cash


def refuse_impossible_values(name: str, values: NDArray[Any]) -> None:
    """Refuse numbers that no run writes.

    Raises
    ------
    ValueError
        With the name of the column.
    """
    if values.dtype.kind == "f" and not (name.endswith(_MAY_BE_MISSING) or name.startswith(("metric.", "outcome."))):
        bad = ~(np.abs(values) < _LARGEST)
        if name == "weight":
            bad |= values <= 0
    elif name == "group":
        bad = (values < 0) | (values >= SCRAMBLES)
    else:
        return
    if bad.any():
        raise ValueError(f"the number {values[bad.argmax()]} as {name}")


def refuse_other_columns(schema: Any, columns: Mapping[str, str], words: Collection[str], place: str) -> None:
    """Refuse a block that has other columns than its run: another version of a library made it otherwise.

    Parameters
    ----------
    schema
        Of the block.
    columns
        Of the run: by column, the type of its numbers.
    words
        Which of them hold words.
    place
        Of the block, for the message.

    Raises
    ------
    ResultsError
        With the first column that differs.
    """
    own = [field for field in schema if field.name != "replication" and not field.name.startswith((DRAWN, CASH_BY_DATE))]
    found = {one.name: _kind_of(one.type) for one in own}
    if len(found) < len(own):
        raise ResultsError(f"{place}: must have each column once; found one twice")
    wanted = {name: "words" if name in words else kind for name, kind in columns.items()}
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            rule = f"must have a column {name} of type {wanted[name]}" if name in wanted else "must have no other columns"
            raise ResultsError(f"{place}: {rule}; found {found.get(name, 'none')} ({name})")
