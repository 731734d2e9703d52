"""Run blocks of replications on threads; the result does not know how."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from simengine.config import Study
from simengine.pipeline import run_block
from simengine.records import Integers, Outturns

BLOCK_SIZE = 1000
Part = TypeVar("Part")


def run_study(
    study: Study,
    seed: int,
    n_replications: int,
    *,
    threads: int | None = None,
    block_size: int = BLOCK_SIZE,
    on_progress: Callable[[int], None] | None = None,
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
        Replications in a block. Neither this nor `threads` changes any bit of the result.
    on_progress
        Called, from the thread that ran it, with the number of replications of each finished block.
    """
    parts = map_blocks(
        lambda replications: run_block(study, seed, replications),
        n_replications,
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
    on_progress: Callable[[int], None] | None = None,
) -> list[Part]:
    """Do some work on every block of replications, several at once, and give the parts in the order of the blocks.

    Parameters
    ----------
    work
        From the numbers of the replications of a block to its part of the result; called from several threads.
    n_replications, threads, block_size, on_progress
        As for `run_study`.
    """

    def one(replications: Integers) -> Part:
        part = work(replications)
        if on_progress is not None:
            on_progress(len(replications))
        return part

    with ThreadPoolExecutor(max_workers=threads or available_processors()) as pool:
        return list(pool.map(one, _blocks(n_replications, block_size)))


def available_processors() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blocks(n_replications: int, block_size: int) -> Iterator[Integers]:
    for first in range(0, n_replications, block_size):
        yield np.arange(first, min(first + block_size, n_replications), dtype=np.int64)
