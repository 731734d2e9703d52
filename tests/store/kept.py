"""A small run in a store, and what killed processes leave of one: what several tests share."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from simengine import disk
from simengine.config import Study
from simengine.disk import HALF_WRITTEN
from simengine.replications.ensemble import Ensemble
from simengine.report.document import as_text, kept_text
from simengine.store import run
from simengine.store.folder import Store, is_store, open_store, remove_leftover
from simengine.store.locks import Shard, is_lock
from simengine.store.run import Keeping, fill_store

SEED, N, SIZE = 5, 75, 20
"""Four blocks, of which the last is shorter."""


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a block hold as many replications as are simulated at once."""
    monkeypatch.setattr(run, "IN_A_BLOCK", 1)


def fill(
    study: Study,
    folder: Path,
    n: int = N,
    *,
    extend: int = 0,
    shard: Shard | None = None,
    engine: str = "threads",
    scheduler: str | None = None,
) -> Store:
    """Begin a run, or go on with it."""
    texts = (kept_text(study), as_text(study.contract))
    is_begun = is_store(folder) and shard is None
    keeping = Keeping(
        folder, texts, is_begun=is_begun, resumes=True, extend=extend, shard=shard, engine=engine, scheduler=scheduler
    )
    return fill_store(keeping, study, Ensemble(SEED, n, threads=1, block_size=SIZE))


def tree(folder: Path) -> dict[str, bytes]:
    """Return what a store holds: without claims, which are empty, and files that were not finished."""
    there = [path for path in sorted(folder.rglob("*")) if path.is_file() and not is_lock(path)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in there if not path.name.startswith(HALF_WRITTEN)}


def sweep(folder: Path) -> list[str]:
    """Remove what no run reads, and return why it was there."""
    found = open_store(folder, takes_damaged=True).leftovers()
    for leftover in found:
        remove_leftover(leftover)
    return [leftover.why for leftover in found]


def in_a_child(work: Callable[[], object]) -> int:
    """Work in a process of its own; return the signal that ended it, or 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads of the parent do nothing that the child needs
        child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def kill_at(point: int) -> None:
    """Let this process be killed at one of the moments at which something is about to reach the disk, or just has.

    These are, in the order in which they come: a file is forced to the disk, gets its name, its folder is forced, it is removed.
    """
    moments = iter(range(10**9))

    def guarded(does: Callable[..., object]) -> Callable[..., object]:
        def does_or_dies(*args: object, **how: object) -> object:
            if next(moments) == point:
                os.kill(os.getpid(), signal.SIGKILL)
            done = does(*args, **how)
            if next(moments) == point:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return does_or_dies

    disk.os.fsync = guarded(os.fsync)  # type: ignore[assignment]
    Path.replace = guarded(Path.replace)  # type: ignore[assignment, method-assign]
    Path.unlink = guarded(Path.unlink)  # type: ignore[assignment, method-assign]
