"""Run blocks of replications on threads; the result does not know how."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from simengine.config import Study
from simengine.interruption import giving_up_at
from simengine.pipeline import run_block
from simengine.records import Integers, Outturns
from simengine.sampling import PLAIN, Sampling, refuse_impossible

BLOCK_SIZE = 1000
Item = TypeVar("Item")
Part = TypeVar("Part")


def run_study(
    study: Study,
    seed: int,
    n_replications: int,
    *,
    threads: int | None = None,
    block_size: int = BLOCK_SIZE,
    on_progress: Callable[[int], None] | None = None,
    sampling: Sampling = PLAIN,
    first: int = 0,
    with_variates: bool = False,
) -> Outturns:
    """Run a study.

    Parameters
    ----------
    study
        The question.
    seed
        Any whole number from 0 to 2^64 - 1.
    n_replications
        At least 2.
    threads
        Blocks that run at once; absent: one per processor that this process may use.
    block_size
        Replications in a block, at most: blocks are smaller where a thread would have nothing to do. Neither this nor `threads`
        changes any bit of the result.
    on_progress
        Called, from the thread that ran it, with the number of replications of each finished block.
    sampling
        How the numbers of the study are drawn.
    first
        The first of these replications: a run may go on where another one ended, and their join is the longer run, bit for bit.

    with_variates
        As for `run_block`; the rate of return of the mean cash needs it where means are corrected by control variates.

    Raises
    ------
    UsageError
        If the study cannot be drawn in this way.
    """
    refuse_impossible(sampling, dict(study.quantities()), first + n_replications)
    parts = map_blocks(
        lambda replications: run_block(study, seed, replications, sampling, with_variates=with_variates),
        n_replications,
        first=first,
        threads=threads,
        block_size=block_size,
        on_progress=on_progress,
    )
    return Outturns.join(parts)


def map_blocks(
    work: Callable[[Integers], Part],
    n_replications: int,
    *,
    threads: int | None = None,
    block_size: int = BLOCK_SIZE,
    first: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> list[Part]:
    """Do some work on every block of replications, several at once, and give the parts in the order of the blocks.

    Parameters
    ----------
    work
        From the numbers of the replications of a block to its part of the result; called from several threads.
    n_replications, threads, block_size, on_progress
        As for `run_study`.
    first
        The number of the first replication: others than those from 0 are fresh worlds under the same seed.
    """

    def one(replications: Integers) -> Part:
        part = work(replications)
        if on_progress is not None:
            on_progress(len(replications))
        return part

    at_once = threads or available_processors()
    size = min(block_size, max(1, -(-n_replications // at_once)))
    return map_items(one, _blocks(first, first + n_replications, size), threads=at_once)


def map_items(work: Callable[[Item], Part], items: Iterable[Item], *, threads: int | None = None) -> list[Part]:
    """Do some work on every item, several at once, and give the parts in the order of the items.

    Whatever ends this early, a signal or an error in one part, ends the other parts too, at their next batch of people.
    """
    given_up = threading.Event()

    def one(item: Item) -> Part:
        with giving_up_at(given_up):
            return work(item)

    with ThreadPoolExecutor(max_workers=threads or available_processors()) as pool:
        try:
            return list(pool.map(one, items))
        except BaseException:
            given_up.set()
            raise


def available_processors() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blocks(first: int, end: int, block_size: int) -> Iterator[Integers]:
    for start in range(first, end, block_size):
        yield np.arange(start, min(start + block_size, end), dtype=np.int64)
