"""The folder of a store: its record, its study, its blocks, each with an entry that says what it must hold."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simengine.disk import HALF_WRITTEN, sum_of, sum_of_file, write_whole
from simengine.errors import ResultsError
from simengine.store.locks import Shard, is_claimed, is_lock, shards_seen
from simengine.store.record import RECORD, RunRecord, read_record, read_sealed, write_record, write_sealed

STUDY_FILE, CONTRACT_FILE, BLOCKS_FOLDER = "study.yaml", "contract.yaml", "blocks"
_DIGITS = 10


@dataclass(frozen=True)
class Leftover:
    """Something in a store that no run reads."""

    path: Path
    why: str


@dataclass
class Store:
    """A run as blocks of replications in a folder."""

    folder: Path
    record: RunRecord
    entries: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict, repr=False)
    """By first replication and the one after the last: the entry of each block that is there."""

    def missing(self, shard: Shard | None = None) -> list[tuple[int, int]]:
        """List the blocks that are not there; of a shard its own."""
        mine = (block for k, block in enumerate(self.record.blocks()) if shard is None or shard.has(k))
        return [block for block in mine if block not in self.entries]

    def path(self, block: tuple[int, int], ending: str = ".parquet") -> Path:
        """Name the file of a block."""
        return self.folder / BLOCKS_FOLDER / f"{block[0]:0{_DIGITS}}-{block[1] - 1:0{_DIGITS}}{ending}"

    def begun(self, block: tuple[int, int]) -> tuple[int, int] | None:
        """Return the shorter block that holds the first replications of this one: the last block of a run that was extended."""
        return next((one for one in list(self.entries) if one[0] == block[0] and one[1] < block[1]), None)

    def read(self, block: tuple[int, int]) -> bytes:
        """Read a block, once its checksum holds.

        Raises
        ------
        ResultsError
            If it cannot be read, or has changed.
        """
        with self.unreadable(block):
            content = self.path(block).read_bytes()
        self._hold(block, sum_of(content))
        return content

    def verify(self) -> None:
        """Hold every block against its checksum.

        Raises
        ------
        ResultsError
            With the first that is missing or has changed.
        """
        for block in self.record.blocks():
            with self.unreadable(block):
                found = sum_of_file(self.path(block))
            self._hold(block, found)

    @contextmanager
    def unreadable(self, block: tuple[int, int]) -> Iterator[None]:
        """Say which block it is that cannot be read."""
        try:
            yield
        except (OSError, ValueError, KeyError) as error:
            found = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
            raise ResultsError(f"{self.path(block)}: must be a block of the run; found: {found}. {self._mended()}") from None

    def _hold(self, block: tuple[int, int], found: str) -> None:
        kept = self.entries[block]["sha256"]
        if found != kept:
            rule = f"must be as the run wrote it, with SHA-256 {kept}"
            raise ResultsError(f"{self.path(block)}: {rule}; found {found}: the file has changed. {self._mended()}")

    def _mended(self) -> str:
        return f"`simengine sweep {self.folder} --remove` removes it, and `simengine run --resume {self.folder}` computes it again"

    def write(self, block: tuple[int, int], content: bytes) -> None:
        """Write a block, then its entry, with which it counts; what it makes unnecessary is removed last.

        Raises
        ------
        ResultsError
            If it cannot be written; what was there before is there still.
        """
        entry = {"first": block[0], "replications": block[1] - block[0], "bytes": len(content), "sha256": sum_of(content)}
        begun = self.begun(block)
        with self.unwritable():
            write_whole(self.path(block), content)
            write_sealed(self.path(block, ".json"), entry)
            self.entries[block] = entry
            if begun is not None:
                del self.entries[begun]
                self.path(begun, ".json").unlink()
                self.path(begun).unlink()

    @contextmanager
    def unwritable(self) -> Iterator[None]:
        """Say that something cannot be written, and how the run goes on."""
        try:
            yield
        except OSError as error:
            found = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
            way_out = f"What is complete stays: make room, and `simengine run --resume {self.folder}` goes on"
            raise ResultsError(f"{self.folder}: the folder must take the blocks of the run; found: {found}. {way_out}") from None

    def changed(self, **fields: Any) -> None:
        """Let the run have more replications, or another precision; what is there stays."""
        record = replace(self.record, **fields)
        if record != self.record:
            self.record = record
            with self.unwritable():
                write_record(self.folder, record)

    def refuse_incomplete(self) -> None:
        """Refuse to answer from a run of which blocks are missing, and name the shards that lack any.

        Raises
        ------
        ResultsError
            With how many are missing.
        """
        missing = self.missing()
        if not missing:
            return
        numbers = [k for k, block in enumerate(self.record.blocks()) if block not in self.entries]
        divided = sorted({shard.of for shard in shards_seen(self.folder)})
        absent = [Shard(k + 1, of) for of in divided for k in sorted({number % of for number in numbers})]
        named = (
            f", those of the shards {', '.join(map(str, absent[:20]))}{' and more' if len(absent) > 20 else ''}" if absent else ""
        )
        first, end = missing[0]
        found = f"{len(missing):,} of {len(self.record.blocks()):,} missing{named}, the first that of replications {first:,} to {end - 1:,}"
        raise ResultsError(
            f"{self.folder}: every block of the run must be there before it is answered from; found {found}. "
            f"`simengine run --resume {self.folder}` computes them"
        )

    def leftovers(self) -> list[Leftover]:
        """List what killed runs left behind, and blocks that have changed: what no run reads, or can read.

        Every block is held against its checksum.

        Raises
        ------
        ResultsError
            If a process writes the store.
        """
        if is_claimed(self.folder):
            raise ResultsError(f"{self.folder}: must not be written while it is swept; found a process at work. Wait until it ends")
        found, whole = self._unread(), self._needed()
        for block in sorted(whole):
            try:
                self.read(block)
            except ResultsError:
                why = "a block that is not as the run wrote it, or the entry that says so"
                found += [Leftover(self.path(block, ending), why) for ending in (".json", ".parquet")]
        return found

    def unread(self) -> list[Leftover]:
        """List what killed runs left behind, by the names of files alone; none while a process writes the store."""
        return [] if is_claimed(self.folder) else self._unread()

    def _needed(self) -> list[tuple[int, int]]:
        """List the blocks that are there and that the run needs, or a longer one begins with."""
        needed = set(self.record.blocks())
        begun = {self.begun(block) for block in needed if block not in self.entries}
        return [block for block in self.entries if block in needed or block in begun]

    def _unread(self) -> list[Leftover]:
        known = {self.folder / name for name in (RECORD, STUDY_FILE, CONTRACT_FILE, BLOCKS_FOLDER)}
        there = [path for path in sorted(self.folder.iterdir()) if path not in known and not is_lock(path)]
        found = [Leftover(path, _half_or_foreign(path)) for path in there]
        names = {self.path(block, ending) for block in self._needed() for ending in (".parquet", ".json")}
        beside = [path for path in sorted((self.folder / BLOCKS_FOLDER).iterdir()) if path not in names]
        return [*found, *(Leftover(path, _half_or_foreign(path)) for path in beside)]


def half_written(folder: Path) -> list[Leftover]:
    """List the files that killed processes did not finish in a folder; none while a process has claimed it."""
    if is_claimed(folder):
        return []
    there = sorted(path for path in folder.iterdir() if path.name.startswith(HALF_WRITTEN))
    return [Leftover(path, _half_or_foreign(path)) for path in there]


def _half_or_foreign(path: Path) -> str:
    if path.name.startswith(HALF_WRITTEN):
        return "a file that was not finished"
    return "a block or an entry without the other, or one that the run does not need"


def remove_leftover(leftover: Leftover) -> None:
    """Remove something that no run reads.

    Raises
    ------
    ResultsError
        If it cannot be removed.
    """
    try:
        leftover.path.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"{leftover.path}: must be a file that can be removed; found: {error.strerror}") from None


def is_store(folder: Path) -> bool:
    """Return whether a folder is a store."""
    return (folder / RECORD).is_file()


def open_store(folder: Path, *, takes_damaged: bool = False) -> Store:
    """Open a store: its record, the texts of its study and contract, and the entries of its blocks, each held against its checksum.

    Parameters
    ----------
    folder
        Which `simengine run --store` made.
    takes_damaged
        Whether a damaged entry is passed over, so that it can be removed; if not, it is an error.

    Raises
    ------
    ResultsError
        If it is no store, or one of these has changed.
    """
    record = read_record(folder)
    for name, kept in ((STUDY_FILE, record.study_sha256), (CONTRACT_FILE, record.contract_sha256)):
        try:
            found = sum_of_file(folder / name)
        except OSError as error:
            raise ResultsError(f"{folder / name}: must be that of the run; found: {error.strerror}") from None
        if found != kept:
            raise ResultsError(
                f"{folder / name}: must be as the run wrote it, with SHA-256 {kept}; found {found}: the file has changed"
            )
    store = Store(folder, record)
    try:
        names = sorted(
            path for path in (folder / BLOCKS_FOLDER).iterdir() if path.suffix == ".json" and not path.name.startswith(".")
        )
    except OSError as error:
        raise ResultsError(f"{folder / BLOCKS_FOLDER}: must be the folder of the blocks; found: {error.strerror}") from None
    for path in names:
        with suppress(ResultsError) if takes_damaged else _nothing_suppressed():
            entry = _entry_of(path)
            block = (entry["first"], entry["first"] + entry["replications"])
            if store.path(block, ".json") != path:
                raise ResultsError(f"{path}: must be the entry of the block of its name; found that of {store.path(block).name}")
            store.entries[block] = entry
    return store


def _entry_of(path: Path) -> dict[str, Any]:
    entry = read_sealed(path, "the entry of a block")
    kinds = {"first": int, "replications": int, "bytes": int, "sha256": str}
    wrong = [name for name, kind in kinds.items() if type(entry.get(name)) is not kind]
    if wrong or entry.keys() != kinds.keys() or entry["first"] < 0 or entry["replications"] < 1:
        name = wrong[0] if wrong else "something else"
        raise ResultsError(f"{path}: must have first, replications and bytes as whole numbers, and sha256; found no such {name}")
    return entry


@contextmanager
def _nothing_suppressed() -> Iterator[None]:
    yield


def make_store(folder: Path, texts: tuple[str, str], record: Callable[[], RunRecord]) -> Store:
    """Make a store in a new or empty folder.

    Parameters
    ----------
    folder
        Made if there is none.
    texts
        Of the study and of its contract.
    record
        Makes the record, once the folder is found to be one.

    Raises
    ------
    ResultsError
        If the folder holds something else, or cannot be written.
    """
    try:
        others = (
            [path for path in folder.iterdir() if not is_lock(path) and not path.name.startswith(HALF_WRITTEN)]
            if folder.exists()
            else []
        )
        begun = {folder / name for name in (STUDY_FILE, CONTRACT_FILE, BLOCKS_FOLDER)}
        if not set(others) <= begun or any((folder / BLOCKS_FOLDER).glob("*")):
            raise ResultsError(f"--store {folder}: the folder must be new or empty; found files in it. Give another name")
        (folder / BLOCKS_FOLDER).mkdir(parents=True, exist_ok=True)
        made = record()
        for name, text in zip((STUDY_FILE, CONTRACT_FILE), texts, strict=True):
            write_whole(folder / name, text.encode())
        write_record(folder, made)
    except OSError as error:
        found = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise ResultsError(f"--store {folder}: must be a folder that can be written; found: {found}. Give another name") from None
    return Store(folder, made)
