"""Write the results of a run as one folder, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from simengine.errors import ResultsError
from simengine.records import Outturns


@contextmanager
def results_folder(target: Path) -> Iterator[Path]:
    """Open a folder for results: everything written to it appears under its name at once, at the end.

    The folder is claimed before the work begins, so that a place that cannot be written is refused before anything is
    simulated. Whatever fails, nothing half-written stays behind.

    Raises
    ------
    ResultsError
        If the place cannot be written, already holds something, or the disk is full.
    """
    if not str(target).strip():
        raise ResultsError("-o: a folder has a name; found an empty one")
    name, target = target, target.resolve()
    _refuse_if_taken(name, target)
    made = [parent for parent in target.parents if not parent.exists()]
    is_new = not target.exists()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent if is_new else target))
    except OSError as error:
        _remove_empty(made)
        raise ResultsError(f"-o {name}: the folder can be written; found: {error.strerror}. Name another place") from None
    try:
        yield draft
        _refuse_if_taken(name, target, draft)
        if is_new:
            draft.chmod(0o755)
            draft.rename(target)
        else:
            # The summary comes last: where it stands, everything stands.
            for path in sorted(draft.iterdir(), key=lambda path: path.name == "summary.json"):
                path.rename(target / path.name)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise ResultsError(f"-o {name}: the results could not be written: {reason}. Nothing was left behind") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        _remove_empty(made)


def _remove_empty(folders: list[Path]) -> None:
    """Remove the folders that were made on the way, deepest first, unless results stand in them."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_if_taken(name: Path, target: Path, draft: Path | None = None) -> None:
    try:
        if target.exists() and not target.is_dir():
            raise ResultsError(f"-o {name}: results are written to a folder; found a file. Name another place")
        if target.is_dir() and any(path != draft for path in target.iterdir()):
            raise ResultsError(f"-o {name}: the folder is new or empty; found results or other files in it. Name another")
    except OSError as error:
        raise ResultsError(f"-o {name}: the folder can be read; found: {error.strerror}. Name another place") from None


def first_free(name: str) -> Path:
    """Give the first folder of the form name, name-2, name-3 that does not exist yet."""
    number = 1
    while (candidate := Path(name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return candidate


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write small files by name, each forced to the disk."""
    for name, content in files.items():
        with (folder / name).open("wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())


def write_replications(folder: Path, outturns: Outturns) -> None:
    """Write one row per replication as Parquet; coded columns become their words."""
    columns = {
        name: pa.DictionaryArray.from_arrays(values, list(outturns.codes[name])) if name in outturns.codes else pa.array(values)
        for name, values in outturns.columns.items()
    }
    parquet.write_table(pa.table({"replication": outturns.replications, **columns}), folder / "replications.parquet")


def write_rows(folder: Path, name: str, rows: pa.Table) -> None:
    """Write some rows as Parquet."""
    parquet.write_table(rows, folder / name)
