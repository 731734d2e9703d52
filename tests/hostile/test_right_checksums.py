"""Stores and folders of results whose checksums hold and whose content no run wrote: refused with its place, in bounded memory and time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.command import in_this_process
from verification.fuzzing.folders import base, placed

BLOCK = "blocks/0000000032-0000000059"
ROWS, SUMS = "replications.parquet", "SHA256SUMS"
Table = Any


def as_json(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        data = json.loads(content)
        change(data)
        return json.dumps(data).encode()

    return changed


def as_table(change: Callable[[Table], Table]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        written = io.BytesIO()
        parquet.write_table(change(parquet.read_table(io.BytesIO(content))), written)
        return written.getvalue()

    return changed


def with_column(name: str, values: Callable[[int], Any]) -> Callable[[bytes], bytes]:
    return as_table(lambda table: table.set_column(table.column_names.index(name), name, values(table.num_rows)))


def with_sums(text: bytes | None) -> Callable[[bytes], bytes]:
    def change(table: Table) -> Table:
        metadata = {key: value for key, value in table.schema.metadata.items() if key != b"simengine.lending_cash"}
        return table.replace_schema_metadata(metadata | ({} if text is None else {b"simengine.lending_cash": text}))

    return as_table(change)


HUGE = json.dumps({"investor": {"unit": 1.0, "n": 28, "dates": 10**9, "total": [], "rounded": [], "products": []}}).encode()
NOT_NUMBERS = (lambda n: pa.array(np.full(n, np.nan)), lambda n: pa.array(np.full(n, 1e308)))
STORES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "entry without a checksum": (
        f"{BLOCK}.json",
        as_json(lambda one: one.pop("sha256")),
        "must have first, replications and bytes",
    ),
    "entry of words": (f"{BLOCK}.json", as_json(lambda one: one.update(first="32")), "found no such first"),
    "record without words": ("run.json", as_json(lambda one: one.pop("words")), "must be the record of a store; found KeyError"),
    "many blocks": (
        "run.json",
        as_json(lambda one: one.update(replications=2**32, block_size=1)),
        "a store must have at most 2,097,152 blocks; found 4,294,967,296",
    ),
    "a column that no run has": (
        "run.json",
        as_json(lambda one: one["columns"].update(drawn="<i1")),
        "must have a column drawn of type <i1",
    ),
    "a tilt of nothing": ("run.json", as_json(lambda one: one.update(tilts={"a": "b"})), "--tilt"),
    "rows in another order": (
        f"{BLOCK}.parquet",
        as_table(lambda one: one.take(pa.array(range(27, -1, -1)))),
        "in order; found others",
    ),
    "rows left out": (f"{BLOCK}.parquet", as_table(lambda one: one.slice(0, 5)), "must have 28 rows; found 5"),
    "no numbers": (f"{BLOCK}.parquet", with_column("investor.net", NOT_NUMBERS[0]), "found: the number nan as investor.net"),
    "numbers beyond all money": (
        f"{BLOCK}.parquet",
        with_column("investor.net", NOT_NUMBERS[1]),
        "found: the number 1e+308 as investor.net",
    ),
    "nothing in a column": (
        f"{BLOCK}.parquet",
        with_column("drawn", lambda n: pa.nulls(n, pa.float64())),
        "found: 28 rows without a value",
    ),
    "words that are none": (
        f"{BLOCK}.parquet",
        with_column("investor.irr_status", lambda n: pa.array(["\x1b[2J"] * n).dictionary_encode()),
        "which is none of the run",
    ),
    "texts in place of numbers": (
        f"{BLOCK}.parquet",
        with_column("drawn", lambda n: pa.array(["1"] * n)),
        "must have a column drawn of type <f8",
    ),
    "no sums": (f"{BLOCK}.parquet", with_sums(None), "other sums of the lenders' cash than a run writes"),
    "sums of a billion dates": (f"{BLOCK}.parquet", with_sums(HUGE), "other sums of the lenders' cash than a run writes"),
}
RESULTS: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a device among the checksums": (
        SUMS,
        lambda content: content + b"0" * 64 + b"  /dev/zero\n",
        "must name files of the folder alone",
    ),
    "a file elsewhere": (SUMS, lambda content: content + b"0" * 64 + b"  ../../seeds\n", "must name files of the folder alone"),
    "no statistic": (
        "summary.json",
        as_json(lambda one: one["investor"]["net"]["mean"].update(se={})),
        "found ValueError: no statistic under investor.net.mean",
    ),
    "rows of nothing": (
        ROWS,
        with_column("investor.net", lambda n: pa.nulls(n, pa.float64())),
        "found rows without one in 'investor.net'",
    ),
    "rows left out": (ROWS, as_table(lambda one: one.slice(0, 5)), "must hold the rows of a run, 60 with a column"),
    "rows of lists": (
        ROWS,
        with_column("drawn", lambda n: pa.array([[1.0]] * n)),
        "of numbers or words; found 'drawn' of type list",
    ),
}


@pytest.mark.parametrize("case", STORES)
def test_store__is_refused(case: str, tmp_path: Path) -> None:
    name, change, said = STORES[case]
    place = placed("store")(tmp_path, name.encode() + b"\n" + change((base("store") / name).read_bytes()))

    done = in_this_process(["run", place] if case != "a tilt of nothing" else ["run", "--resume", place])

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["trace", "export", "workbook", "seal"])
@pytest.mark.parametrize("case", RESULTS)
def test_results__are_refused(case: str, command: str, tmp_path: Path) -> None:
    name, change, said = RESULTS[case]
    place = placed("results")(tmp_path, name.encode() + b"\n" + change((base("results") / name).read_bytes()))
    more = {"trace": ("--replication", 3), "seal": ()}.get(command, ("-o", tmp_path / "made"))

    done = in_this_process([command, place, *more])

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "made").exists()
