"""Files that are whole or absent, whatever happens to the process or the machine, and checksums that say when one has changed."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

HALF_WRITTEN = ".half-written-"
"""Begins the names of files that are not yet whole."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it appears under its name as a whole, on the disk, or not at all.

    Raises
    ------
    OSError
        If it cannot be written; what was written of it is removed.
    """
    draft = path.with_name(f"{HALF_WRITTEN}{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    force_folder(path.parent)


def force(path: Path) -> None:
    """Force the content of a file to the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def force_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system has a way to do so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sum_of_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sum_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()
