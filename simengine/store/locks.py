"""One process at a time writes a store, or each shard of it: claims that end with the process, however it ends."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from simengine.errors import ResultsError, UsageError

_SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")
_LOCK = "lock"


@dataclass(frozen=True)
class Shard:
    """A part of the blocks of a run: every so many-th."""

    number: int
    """From 1."""
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, block: int) -> bool:
        """Return whether a block, by its number from 0, belongs to it."""
        return block % self.of == self.number - 1


def read_shard(text: str) -> Shard:
    """Read which shard is meant.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> read_shard("2/8")
    Shard(number=2, of=8)
    """
    found = _SHARD.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError(f"--shard: must be a number and how many there are, such as 1/8 up to 8/8; found {text!r}")
    return Shard(int(found[1]), int(found[2]))


def make_folder(folder: Path) -> None:
    """Make the folder of a --store, if there is none, so that it can be claimed.

    Raises
    ------
    ResultsError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = "must be a folder that can be written"
        raise ResultsError(f"--store {folder}: {rule}; found: {error.strerror}. Give another name") from None


@contextmanager
def claimed(folder: Path, shard: Shard | None = None) -> Iterator[None]:
    """Claim a store, or a shard of it, for this process; shards are written beside each other.

    Where the file system has no claims (some network file systems), two processes may write one store: as both would write the same
    bytes, and every file appears as a whole, they only waste time.

    Raises
    ------
    ResultsError
        If another process has claimed it.
    """
    with ExitStack() as stack:
        whole = stack.enter_context(_claim(folder / _LOCK, is_shared=shard is not None))
        mine = shard is None or stack.enter_context(_claim(folder / f"{_LOCK}-{shard.number}-of-{shard.of}", is_shared=False))
        if not (whole and mine):
            who = "another process" if shard is None or whole else "a process that writes all of it"
            what = "a store" if shard is None else f"shard {shard} of a store"
            raise ResultsError(
                f"{folder}: {what} must be written by one process at a time; found {who} at work. Wait until it ends"
            )
        yield


def is_claimed(folder: Path) -> bool:
    """Return whether a process writes a store, or a part of it."""
    if not (folder / _LOCK).exists():
        return False
    with _claim(folder / _LOCK, is_shared=False) as mine:
        return not mine


def shards_seen(folder: Path) -> list[Shard]:
    """List the shards that have been asked for."""
    found = [re.fullmatch(rf"{_LOCK}-(\d+)-of-(\d+)", path.name) for path in folder.iterdir()]
    return sorted((Shard(int(one[1]), int(one[2])) for one in found if one), key=lambda shard: (shard.of, shard.number))


def is_lock(path: Path) -> bool:
    """Return whether a file of a store is a claim: it is empty, and stays."""
    return re.fullmatch(rf"{_LOCK}(-\d+-of-\d+)?", path.name) is not None


@contextmanager
def _claim(path: Path, *, is_shared: bool) -> Iterator[bool]:
    """Claim a file, and yield whether that succeeded."""
    try:
        import fcntl
    except ImportError:
        yield True
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        is_mine = True
    except BlockingIOError:
        is_mine = False
    except OSError:
        is_mine = True  # a file system without claims
    try:
        yield is_mine
    finally:
        os.close(descriptor)
