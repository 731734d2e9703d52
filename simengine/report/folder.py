"""Write the results of a run as one folder, whole or not at all."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from simengine.arrow import as_array, as_words
from simengine.disk import force, force_folder
from simengine.errors import ResultsError
from simengine.late import late
from simengine.records import ReplicationResults
from simengine.report.checksums import NAME as CHECKSUMS
from simengine.report.checksums import write_checksums
from simengine.report.drafts import is_draft, is_in_use, new_draft

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet
else:
    pa = late("pyarrow")
    parquet = late("pyarrow.parquet")


@contextmanager
def results_folder(target: Path | str) -> Iterator[Path]:
    """Open a folder for results: everything written to it appears under its name at once, at the end, with checksums.

    The folder is claimed before the work begins, so that a place that cannot be written is refused before anything is
    simulated. Whatever fails, nothing half-written stays behind.

    Raises
    ------
    ResultsError
        If the place cannot be written, already holds something, or the disk is full.
    """
    if not str(target).strip():
        raise ResultsError("-o: must be the name of a folder; found an empty one")
    try:
        name, target = Path(target), Path(target).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a name with a character of no name, or links in a circle
        raise ResultsError(f"-o {target}: must be the name of a folder; found: {error}. Give another name") from None
    _refuse_if_taken(name, target)
    made = [parent for parent in target.parents if not parent.exists()]
    is_new = not target.exists()
    with ExitStack() as stack:
        stack.callback(_remove_empty, made)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = stack.enter_context(new_draft(target.parent if is_new else target))
        except OSError as error:
            raise ResultsError(
                f"-o {name}: must be a folder that can be written; found: {error.strerror}. Give another name"
            ) from None
        try:
            yield draft
            _refuse_if_taken(name, target, draft)
            write_checksums(draft)
            _publish(draft, target, is_new=is_new)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
            raise ResultsError(f"-o {name}: the folder must take the results; found: {reason}. Nothing was left behind") from None


@contextmanager
def results_file(target: Path) -> Iterator[Path]:
    """Open a place for one file of results: it appears under its name at once, at the end, whole or not at all.

    The place is claimed before the work begins; the file must be written where what is yielded says.

    Raises
    ------
    ResultsError
        If the place cannot be written, already holds something, or the disk is full.
    """
    rule = "must be the name of a new file in a folder that can be written"
    _refuse_file(target)
    made = [parent for parent in target.resolve().parents if not parent.exists()]
    with ExitStack() as stack:
        stack.callback(_remove_empty, made)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = stack.enter_context(new_draft(target.parent))
        except OSError as error:
            raise ResultsError(f"-o {target}: {rule}; found: {error.strerror}. Give another name") from None
        try:
            yield draft / target.name
            force(draft / target.name)
            _refuse_file(target)
            (draft / target.name).rename(target)
            force_folder(target.resolve().parent)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
            raise ResultsError(f"-o {target}: {rule}; found: {reason}. Nothing was left behind") from None


def _refuse_file(target: Path) -> None:
    if os.path.lexists(target):
        found = "a folder" if target.is_dir() else "a file of that name"
        raise ResultsError(f"-o {target}: must be the name of a new file; found {found}. Give another name")


def refuse_taken(target: Path) -> None:
    """Refuse a place in which no results can appear, as `results_folder` would; nothing is made.

    Raises
    ------
    ResultsError
        If it already holds something, or cannot be written.
    """
    if not str(target).strip():
        raise ResultsError("-o: must be the name of a folder; found an empty one")
    place = target.resolve()
    _refuse_if_taken(target, place)
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        found = "Permission denied" if there.is_dir() else "File exists" if there == place.parent else "Not a directory"
        raise ResultsError(f"-o {target}: must be a folder that can be written; found: {found}. Give another name")


def _publish(draft: Path, target: Path, *, is_new: bool) -> None:
    """Put a draft in the place of the results."""
    if is_new:
        draft.chmod(0o755)
        draft.rename(target)
    else:
        # The checksums come last: where they stand, everything stands.
        for path in sorted(draft.iterdir(), key=lambda path: path.name == CHECKSUMS):
            path.rename(target / path.name)
        force_folder(target)
    force_folder(target.parent)


def _remove_empty(folders: list[Path]) -> None:
    """Remove the folders that were made on the way, deepest first, unless results stand in them."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_if_taken(name: Path, target: Path, draft: Path | None = None) -> None:
    try:
        if target.exists() and not target.is_dir():
            raise ResultsError(f"-o {name}: must be the name of a folder; found a file. Give another name")
        others = sorted(path for path in target.iterdir() if path != draft) if target.is_dir() else []
    except OSError as error:
        raise ResultsError(f"-o {name}: must be a folder that can be read; found: {error.strerror}. Give another name") from None
    for other in others:
        if is_draft(other):
            where, rule = name / other.name, "the folder must be new or empty"
            if is_in_use(other):
                raise ResultsError(f"-o {name}: {rule}; found {where}, which another run is writing. Give another name")
            way_out = f"`{shlex.join(['simengine', 'sweep', str(name), '--remove'])}` removes it"
            raise ResultsError(f"-o {name}: {rule}; found {where}, what is left of a run that was killed. {way_out}")
    if others:
        raise ResultsError(f"-o {name}: the folder must be new or empty; found files in it. Give another name")


def first_free(name: str) -> Path:
    """Return the first folder of the form name, name-2, name-3 that does not exist yet."""
    number = 1
    while (candidate := Path(name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return candidate


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write small files by name; a name may lead into a folder below."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def write_replications(folder: Path, results: ReplicationResults) -> None:
    """Write one row per replication as Parquet, window by window; coded columns become their words."""
    codes = results.codes
    tables = (
        pa.table({name: as_words(values, codes[name]) if name in codes else as_array(values) for name, values in window.items()})
        for window in results.windows()
    )
    first = next(tables)
    write_parts(folder, "replications.parquet", first.schema, chain([first], tables))


def write_rows(folder: Path, name: str, rows: pa.Table) -> None:
    """Write some rows as Parquet, with checksums of its pages: whoever reads it elsewhere sees that one has changed."""
    parquet.write_table(rows, folder / name, write_page_checksum=True)


def write_parts(folder: Path, name: str, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """Write rows as Parquet part by part: more of them than memory could hold at once."""
    with parquet.ParquetWriter(folder / name, schema, write_page_checksum=True) as file:
        for rows in parts:
            file.write_table(rows)
