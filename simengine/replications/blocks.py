"""Run blocks of replications on threads; the result does not depend on how they are divided."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar, cast

import numpy as np

from simengine.asked import LARGEST_BLOCK, MOST_REPLICATIONS, MOST_THREADS, seed_asked, whole
from simengine.config import Study
from simengine.errors import NotMeasuredError, SimengineError
from simengine.interruption import giving_up_at
from simengine.pipeline import run_block
from simengine.records import Integers, ReplicationResults
from simengine.replications.memory import BLOCK_SIZE, fitting_block_size
from simengine.sampling import PLAIN, Sampling, refuse_impossible

Item = TypeVar("Item")
BlockPart = TypeVar("BlockPart")
_Answer = TypeVar("_Answer")
OnPace = Callable[[float, int, int], None]
OnEnsemble = Callable[[Callable[[Integers], object], int, int], None]
_told: ContextVar[OnEnsemble | None] = ContextVar("_told", default=None)
_FEW, _MORE = 6, 24
_SOON, _SLOW_ALONE, _SLOW = 5.0, 0.5, 3.0
"""Seconds of the whole work that need no better estimate; and of one replication and of a few, above which no more are timed."""
_FEWEST_TO_TIME = 200
"""With fewer the timing itself would be a part of the work that is felt."""


def run_study(
    study: Study,
    seed: int,
    n_replications: int,
    *,
    threads: int | None = None,
    block_size: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_pace: OnPace | None = None,
    sampling: Sampling = PLAIN,
    first: int = 0,
    with_variates: bool = False,
) -> ReplicationResults:
    """Run a study.

    Parameters
    ----------
    study
        The question.
    seed
        Any whole number from 0 to 2^64 - 1.
    n_replications
        At least 2, unless the run continues another one.
    threads
        Blocks that run at once; absent: one per available processor.
    block_size
        Replications in a block, at most: blocks are smaller if a thread would have nothing to do. Absent: as many as a study of this
        size may hold at once (`fitting_block_size`). Neither this nor `threads` changes any bit of the result.
    on_progress
        Called, from the thread that ran it, with the number of replications of each finished block.
    on_pace
        As for `map_blocks`.
    sampling
        How the numbers of the study are drawn.
    first
        Number of the first replication: a run may continue another one, and joined they equal the longer run, bit for bit.

    with_variates
        As for `run_block`; needed for the rate of return of the mean cash if means are corrected by control variates.

    Raises
    ------
    UsageError
        If the study does not support this sampling, or a number is out of range.
    """
    seed, first = seed_asked(seed), whole(first, "first", 0, MOST_REPLICATIONS)
    n_replications = whole(n_replications, "n_replications", 1 if first else 2, MOST_REPLICATIONS)
    refuse_impossible(sampling, study.numbers, first + n_replications)
    if block_size is None:
        block_size = fitting_block_size(study, n_replications, threads or available_processors())
    parts = map_blocks(
        lambda replications: run_block(study, seed, replications, sampling, with_variates=with_variates),
        n_replications,
        first=first,
        threads=threads,
        block_size=block_size,
        on_progress=on_progress,
        on_pace=on_pace,
    )
    return ReplicationResults.join(parts)


def map_blocks(
    work: Callable[[Integers], BlockPart],
    n_replications: int,
    *,
    threads: int | None = None,
    block_size: int = BLOCK_SIZE,
    first: int = 0,
    on_progress: Callable[[int], None] | None = None,
    on_pace: OnPace | None = None,
) -> list[BlockPart]:
    """Apply a function to every block of replications, several at once, and return the parts in order.

    Parameters
    ----------
    work
        Function from the numbers of a block's replications to its part of the result; called from several threads.
    n_replications, threads, block_size, on_progress
        As for `run_study`.
    first
        The number of the first replication: above 0 the replications are fresh ones of the same seed.
    on_pace
        Called once, before the work begins, with the seconds that it will take, about, the number of its replications, and how many
        threads there are; not called for few replications.

    Raises
    ------
    UsageError
        If one of these numbers is out of range.
    """
    n_replications = whole(n_replications, "n_replications", 1, MOST_REPLICATIONS)
    first = whole(first, "first", 0, MOST_REPLICATIONS - n_replications)
    block_size = whole(block_size, "block_size", 1, LARGEST_BLOCK)
    at_once = available_processors() if threads is None else whole(threads, "threads", 1, MOST_THREADS)

    def one(replications: Integers) -> BlockPart:
        part = work(replications)
        if on_progress is not None:
            on_progress(len(replications))
        return part

    if (on_ensemble := _told.get()) is not None:
        on_ensemble(work, first, n_replications)
    size = size_of_blocks(n_replications, block_size, at_once)
    if on_pace is not None and n_replications >= _FEWEST_TO_TIME:
        # What cannot be worked on is refused below, with all replications in view.
        with suppress(SimengineError):
            on_pace(expected_seconds(work, first, n_replications, size, at_once), n_replications, at_once)
    return map_items(one, _blocks(first, first + n_replications, size), n_replications, threads=at_once)


@contextmanager
def telling(on_ensemble: OnEnsemble) -> Iterator[None]:
    """Tell of every ensemble before it is worked on: its work, the number of its first replication, and of how many."""
    before = _told.set(on_ensemble)
    try:
        yield
    finally:
        _told.reset(before)


def size_of_blocks(n_replications: int, block_size: int, at_once: int) -> int:
    """Return how many replications a block has: no more than asked, and so few that every thread has one."""
    return min(block_size, max(1, -(-n_replications // at_once)))


def expected_seconds(work: Callable[[Integers], object], first: int, n_replications: int, size: int, at_once: int) -> float:
    """Work out from a few replications how long all take; they are worked on again in their block.

    A block takes its time whatever its size, and each replication its own: where the few are soon done, two numbers of them tell
    these apart.
    """

    def seconds(n: int) -> float:
        started = time.perf_counter()
        work(np.arange(first, first + n))
        return time.perf_counter() - started

    seconds(1)  # which waits for what is loaded or compiled
    if (one := seconds(1)) > _SLOW_ALONE:
        return one * n_replications / at_once
    few = seconds(_FEW)
    at_most = few * n_replications / _FEW / at_once
    if at_most < _SOON or few > _SLOW:
        return at_most
    each = max(seconds(_MORE) - few, 0.0) / (_MORE - _FEW)
    return (max(few - _FEW * each, 0.0) * -(-n_replications // size) + each * n_replications) / at_once


def map_items(
    work: Callable[[Item], BlockPart], items: Iterable[Item], n_replications: int, *, threads: int | None = None
) -> list[BlockPart]:
    """Apply a function to every item, several at once, and return the parts in order; together they are n_replications.

    A signal, or an error in one part, ends the other parts too, at their next batch of people.

    Raises
    ------
    NotMeasuredError
        Once, for all items together, if a contract pays on a metric that was not measured in some replications.
    """
    given_up = threading.Event()

    def one(item: Item) -> BlockPart | NotMeasuredError:
        with giving_up_at(given_up):
            try:
                return work(item)
            except NotMeasuredError as error:
                return error

    at_once, listed = threads or available_processors(), list(items)
    # A thread of its own would take longer to begin than a small block.
    is_alone = min(at_once, len(listed)) == 1
    answers = [one(item) for item in listed] if is_alone else _side_by_side(one, listed, at_once, given_up)
    lacking = [answer for answer in answers if isinstance(answer, NotMeasuredError)]
    if lacking:
        raise NotMeasuredError.joined(lacking, n_replications)
    return cast(list[BlockPart], answers)


def _side_by_side(one: Callable[[Item], _Answer], items: Sequence[Item], at_once: int, given_up: threading.Event) -> list[_Answer]:
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        try:
            return list(pool.map(one, items))
        except BaseException:
            given_up.set()
            raise


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blocks(first: int, end: int, block_size: int) -> Iterator[Integers]:
    for start in range(first, end, block_size):
        yield np.arange(start, min(start + block_size, end), dtype=np.int64)
