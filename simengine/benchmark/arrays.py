"""The walk in NumPy: period by period, the plain way, and stay by stay, the clever one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.benchmark.workload import Workload, WorkloadCounts

_PEOPLE_IN_CHUNK = 16_000
"""About so many people have all their arrays in a processor's second cache."""


def walk_by_period(workload: Workload) -> WorkloadCounts:
    """Move everybody of a chunk from period to period: one uniform each, thresholds looked up, nothing allocated on the way."""
    return _in_chunks(workload, _chunk_by_period)


def walk_by_stay(workload: Workload) -> WorkloadCounts:
    """Draw the length of each stay and then the next state; people past the last period leave the arrays."""
    return _in_chunks(workload, _chunk_by_stay)


def _in_chunks(workload: Workload, walk: Callable[[Workload, np.random.Generator], Floats]) -> WorkloadCounts:
    size = max(1, _PEOPLE_IN_CHUNK // (workload.rows.shape[1] * workload.n_people))
    firsts = range(0, workload.n_replications, size)
    # The first replication is part of the seed: parts of an order that run on threads do not repeat each other.
    generator = np.random.Generator(np.random.SFC64([workload.seed, int(workload.replications[0])]))
    return WorkloadCounts(np.concatenate([walk(workload.part(first, first + size), generator) for first in firsts]))


def _first_cells(workload: Workload) -> Integers:
    """Return, per person, the number of the first cell of their own in an array (r, arm, stratum, state)."""
    n_replications, n_arms, n_strata, n_states, _ = workload.rows.shape
    stratum = np.repeat(np.arange(n_strata), workload.sizes)
    group = np.arange(n_replications * n_arms)[:, None] * n_strata + stratum
    return np.asarray(group.ravel() * n_states, dtype=np.int64)


def _start_states(workload: Workload) -> Integers:
    each_arm = np.repeat(workload.start, workload.sizes)
    return np.tile(each_arm, workload.rows.shape[0] * workload.rows.shape[1])


def _thresholds(rows: Floats) -> Iterator[Floats]:
    """Return, for each target but the last, where the moves to it end, by cell."""
    rising = rows.cumsum(axis=-1)
    return (np.ascontiguousarray(rising[..., j].ravel()) for j in range(rows.shape[-1] - 1))


def _chunk_by_period(workload: Workload, generator: np.random.Generator) -> Floats:
    # Single precision halves what goes through memory; it moves a probability by less than 1e-7.
    thresholds = [threshold.astype(np.float32) for threshold in _thresholds(workload.rows)]
    first = _first_cells(workload)
    cell = first + _start_states(workload)
    uniform, threshold_here = np.empty(len(cell), np.float32), np.empty(len(cell), np.float32)
    is_reached = np.empty(len(cell), np.bool_)
    occupancy = np.zeros(workload.rows.size // workload.rows.shape[-1], np.int64)
    target = np.empty(len(cell), np.int8)
    for _ in range(workload.n_periods):
        occupancy += np.bincount(cell, minlength=len(occupancy))
        generator.random(dtype=np.float32, out=uniform)
        target[:] = 0
        for threshold in thresholds:
            threshold.take(cell, out=threshold_here, mode="clip")  # "raise" would copy its output once more
            np.greater_equal(uniform, threshold_here, out=is_reached)
            np.add(target, is_reached.view(np.int8), out=target)
        np.add(first, target, out=cell)
    return np.asarray(occupancy.reshape(workload.rows.shape[:-1]).sum(axis=2), dtype=np.float64)


def _chunk_by_stay(workload: Workload, generator: np.random.Generator) -> Floats:
    rows, n_states = workload.rows, workload.rows.shape[-1]
    stay = np.einsum("...ii->...i", rows)
    mean_stay = -1.0 / np.log(stay).ravel()
    moves = np.where(np.eye(n_states, dtype=bool), 0.0, rows) / (1.0 - stay)[..., None]
    thresholds = list(_thresholds(moves))
    first, left = _first_cells(workload), np.full(rows.shape[0] * rows.shape[1] * workload.n_people, workload.n_periods)
    cell = first + _start_states(workload)
    occupancy = np.zeros(len(mean_stay))
    while len(cell):
        # The whole part of an exponential time is geometric: periods that are stayed through, then the one that ends the stay.
        # It is cut while it is still a number with a point: a state that is hardly ever left would overflow an integer.
        length = np.minimum(generator.standard_exponential(len(cell)) * mean_stay[cell], workload.n_periods).astype(np.int64) + 1
        np.minimum(length, left, out=length)
        occupancy += np.bincount(cell, weights=length, minlength=len(occupancy))
        left -= length
        goes_on = left > 0
        first, cell, left = first[goes_on], cell[goes_on], left[goes_on]
        uniform = generator.random(len(cell))
        target = np.zeros(len(cell), np.int64)
        for threshold in thresholds:
            target += uniform >= threshold[cell]
        cell = first + target
    return np.asarray(occupancy.reshape(rows.shape[:-1]).sum(axis=2))
