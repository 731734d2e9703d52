"""Drafts of results: hidden folders that a run fills and then renames. One that was killed leaves its draft behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simengine.errors import ResultsError

PREFIX = ".simengine-draft-"


@contextmanager
def new_draft(place: Path) -> Iterator[Path]:
    """Make a draft in a folder, claimed as long as it is filled, and remove what is left of it."""
    draft = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    claim = _claimed(draft)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if claim is not None:
            os.close(claim)


def drafts_in(folder: Path) -> list[Path]:
    """List the drafts in a folder that no process is filling any more.

    Raises
    ------
    ResultsError
        If the folder cannot be read.
    """
    try:
        found = sorted(path for path in folder.iterdir() if is_draft(path))
    except OSError as error:
        raise ResultsError(f"{folder}: must be a folder that can be read; found: {error.strerror}. Name another") from None
    return [path for path in found if not is_in_use(path)]


def is_draft(path: Path) -> bool:
    """Return whether something is a draft of results."""
    return path.name.startswith(PREFIX) and path.is_dir() and not path.is_symlink()


def is_in_use(draft: Path) -> bool:
    """Return whether a process fills a draft; where the system cannot tell, it is taken to be so for an hour."""
    try:
        claim = _claimed(draft)
    except BlockingIOError:
        return True
    if claim is None:
        import time

        return time.time() - draft.stat().st_mtime < 3600
    os.close(claim)
    return False


def remove(draft: Path) -> None:
    """Remove a draft.

    Raises
    ------
    ResultsError
        If it cannot be removed.
    """
    try:
        shutil.rmtree(draft)
    except OSError as error:
        raise ResultsError(f"{draft}: must be a draft that can be removed; found: {error.strerror}") from None


def _claimed(draft: Path) -> int | None:
    """Claim a draft for this process, until the descriptor is closed; nothing where the system has no such claims."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        # A file system without claims.
        os.close(descriptor)
        return None
    return descriptor
