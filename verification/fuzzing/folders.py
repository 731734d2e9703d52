"""Folders that this program wrote and reads again, with one file of absurd content: every checksum is made right, as an attacker would.

A changed file is written as the name of the file, a line break, and its bytes; `placed` puts it into a copy of the folder.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from simengine.disk import sum_of
from simengine.report.checksums import NAME, write_checksums
from simengine.store.record import read_sealed, write_sealed
from tests.command import in_this_process
from tests.conftest import save_no_pictures
from verification.fuzzing.mutations import TEXTS, Choices, as_text, garbled, mutated

TINY = Path(__file__).resolve().parents[2] / "configs" / "tiny.yaml"
_RUN = ("run", str(TINY), "-n", "60", "--seed", "1", "--threads", "1")
_CHECK = "check"
_EXTREME = (float("nan"), float("inf"), float("-inf"), 1.7976931348623157e308, -1e300, 5e-324, -1.0, 0.0)


MADE: dict[str, Path] = {}
"""By kind: the valid folder of this process, or one that another process made for it."""


def base(kind: str) -> Path:
    """Make a valid folder, once for a process: a store of two blocks, or the folder of a run."""
    if kind not in MADE:
        MADE[kind] = _made(kind)
    return MADE[kind]


def _made(kind: str) -> Path:
    folder = Path(tempfile.mkdtemp()) / kind
    more = {"store": ("--store", folder, "--block-size", "2"), "results": ("-o", folder)}[kind]
    with pytest.MonkeyPatch.context() as patch:
        save_no_pictures(patch)
        done = in_this_process([*_RUN, *map(str, more)])
    assert done.returncode == 0, done.stderr
    return folder


@cache
def files_of(kind: str) -> tuple[str, ...]:
    """List the files of a folder that may be changed."""
    folder = base(kind)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.stat().st_size)
    return tuple(
        name
        for name in names
        if Path(name).suffix in (".json", ".yaml", ".parquet", ".csv", ".txt", "") and Path(folder, name).is_file()
    )


def changed(kind: str, choices: Choices) -> bytes:
    """Change one file of a folder: its data where it is JSON, YAML or Parquet, else its bytes."""
    name = choices.one(files_of(kind))
    path = base(kind) / name
    content: bytes = path.read_bytes()
    match path.suffix:
        case ".json":
            data = json.loads(content)
            content = as_text(mutated(data, [data], choices), "json", choices)
        case ".yaml":
            data = yaml.safe_load(content)
            content = as_text(mutated(data, [data], choices), "yaml", choices)
        case ".parquet":
            content = _table_changed(content, choices)
        case _:
            content = garbled(content, choices)
    return name.encode() + b"\n" + content


def placed(kind: str) -> Callable[[Path, bytes], Path]:
    """Return what puts a changed file into a copy of a folder, in which all checksums are right again."""

    def place(folder: Path, data: bytes) -> Path:
        target = folder / kind
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(base(kind), target)
        name, _, content = data.partition(b"\n")
        known = name.decode(errors="replace")
        if known in (*files_of(kind), NAME):
            (target / known).write_bytes(content)
        else:
            shutil.rmtree(target)  # what is no file of the folder leaves none
            target.mkdir()
            return target
        (_seal_store if kind == "store" else _seal_results)(target, known)
        return target

    return place


def _seal_results(folder: Path, name: str) -> None:
    if name != NAME:
        (folder / NAME).unlink()
        write_checksums(folder)


def _seal_store(folder: Path, name: str) -> None:
    path = folder / name
    if path.suffix == ".json":
        try:
            content = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return
        if isinstance(content, dict):
            content.pop(_CHECK, None)
            write_sealed(path, content)
        return
    if path.suffix == ".parquet":
        entry, key = path.with_suffix(".json"), "sha256"
        more = {"bytes": path.stat().st_size}
    else:
        entry, key, more = folder / "run.json", f"{path.stem}_sha256", {}
    content = read_sealed(entry, "an entry")
    write_sealed(entry, content | {key: sum_of(path.read_bytes())} | more)


def _table_changed(content: bytes, choices: Choices) -> bytes:
    """Change a table in one to three ways, each of which leaves a valid Parquet file."""
    table = parquet.read_table(io.BytesIO(content))
    for _ in range(1 + choices.below(3)):
        if table.num_columns:
            table = choices.one(_WAYS)(table, choices)
    written = io.BytesIO()
    parquet.write_table(table, written, write_page_checksum=True)
    return written.getvalue()


def _some_column(table: Any, choices: Choices) -> tuple[int, str]:
    place = choices.below(table.num_columns)
    return place, table.column_names[place]


def _put_extreme(table: Any, choices: Choices) -> Any:
    place, name = _some_column(table, choices)
    column = table[name]
    values = np.full(table.num_rows, choices.one(_EXTREME))
    if choices.below(2) and pa.types.is_floating(column.type) and table.num_rows:
        values = column.to_numpy().copy()
        values[choices.below(table.num_rows)] = choices.one(_EXTREME)
    array = pa.array(values)
    if pa.types.is_integer(column.type):
        array = pa.array(np.full(table.num_rows, choices.one((0, -1, 1, 127, 2**62, -(2**62)))), pa.int64())
        array = array if array[0].as_py() > 127 or column.type == pa.int64() else array.cast(column.type, safe=False)
    return table.set_column(place, name, array)


def _put_text(table: Any, choices: Choices) -> Any:
    place, name = _some_column(table, choices)
    text = choices.one(TEXTS[:40]).encode("utf-8", "replace").decode()
    array = pa.array([text] * table.num_rows)
    return table.set_column(place, name, array.dictionary_encode() if choices.below(2) else array)


def _put_nothing(table: Any, choices: Choices) -> Any:
    place, name = _some_column(table, choices)
    return table.set_column(place, name, pa.nulls(table.num_rows, table[name].type if choices.below(2) else pa.null()))


def _drop(table: Any, choices: Choices) -> Any:
    return table.drop_columns([_some_column(table, choices)[1]])


def _rename(table: Any, choices: Choices) -> Any:
    place, _ = _some_column(table, choices)
    names = list(table.column_names)
    names[place] = choices.one((*TEXTS[:30], *names)).encode("utf-8", "replace").decode()
    return table.rename_columns(names)


def _other_rows(table: Any, choices: Choices) -> Any:
    match choices.below(3):
        case 0:
            return table.slice(0, choices.below(table.num_rows + 1))
        case 1:
            return pa.concat_tables([table, table])
        case _:
            return table.take(pa.array(list(range(table.num_rows))[::-1], pa.int64()))


def _other_metadata(table: Any, choices: Choices) -> Any:
    metadata = dict(table.schema.metadata or {})
    for key, text in list(metadata.items()):
        try:
            data = json.loads(text)
        except ValueError:
            continue
        metadata[key] = as_text(mutated(data, [data], choices), "json", choices)
    return table.replace_schema_metadata(metadata if choices.below(4) else {})


_WAYS: tuple[Callable[[Any, Choices], Any], ...] = (
    *(_put_extreme, _put_extreme, _put_text, _put_nothing, _drop, _rename, _other_rows, _other_metadata, _other_metadata),
)
