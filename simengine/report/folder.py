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
    target = Path(target)
    _refuse_if_taken(target)
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.absolute().parent))
    except OSError as error:
        raise ResultsError(f"-o {target}: the folder can be written; found: {error.strerror}. Name another place") from None
    try:
        yield draft
        _refuse_if_taken(target)
        draft.chmod(0o755)
        if target.is_dir():
            target.rmdir()
        draft.rename(target)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise ResultsError(f"-o {target}: the results could not be written: {reason}. Nothing was left behind") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _refuse_if_taken(target: Path) -> None:
    try:
        if target.exists() and not target.is_dir():
            raise ResultsError(f"-o {target}: results are written to a folder; found a file. Name another place")
        if target.is_dir() and any(target.iterdir()):
            raise ResultsError(f"-o {target}: the folder is new or empty; found results or other files in it. Name another")
    except OSError as error:
        raise ResultsError(f"-o {target}: the folder can be read; found: {error.strerror}. Name another place") from None


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
