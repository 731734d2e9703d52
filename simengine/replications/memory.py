"""Refuse in advance a run whose results do not fit into memory.

What a replication takes is asked of two of them: that depends on the study. What there is depends on the machine, on the
container (cgroup) and on what the process may address. Measured on shipped studies, growth per replication is 2.4 to 2.8 times the
bytes of its columns: the blocks, their join, and one column at a time while it is summarised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simengine.cohort.people import BATCH
from simengine.config import Study
from simengine.errors import UsageError
from simengine.pipeline import run_block, simulate
from simengine.records import SERVICE, Integers
from simengine.sampling import PLAIN, Sampling

BLOCK_SIZE = 1000
"""Replications in a block, at most, where nobody says: larger blocks are no faster."""
_BUDGET = 200_000_000
"""Bytes that all blocks at once may take where nobody says how large they are."""
_FEW_AT_ONCE = 200
"""So few replications at once stay within it even if each takes 1 MB, as in the largest of the shipped studies: nothing is asked."""
_SURELY_ENOUGH = 50_000
"""Bytes of a replication that no study comes near: where so many are at hand for each, nothing is asked."""
_COPIES_OF_RESULTS = 3
_COPIES_IN_A_BLOCK = 4
_NO_LIMIT = 1 << 60
"""What a cgroup of the first version says where there is none is larger."""


def refuse_if_too_large(
    study: Study,
    n_replications: int,
    sampling: Sampling = PLAIN,
    *,
    at_once: int = 1,
    block_size: int = BLOCK_SIZE,
    is_kept_whole: bool = False,
    results_of: Callable[[Study, int, Integers, Sampling], Any] = run_block,
) -> None:
    """Refuse a number of replications whose results do not fit into memory.

    Parameters
    ----------
    study, n_replications, sampling
        As for `run_study`.
    at_once, block_size
        Blocks that run at once, and replications in each.
    is_kept_whole
        Whether all that was simulated is stored, and not only the results, as for questions on stored evidence.
    results_of
        What makes the results of a block, of which every array is held to the end.

    Raises
    ------
    UsageError
        With the number that fits.
    """
    room = memory_left()
    if room is None or (results_of is run_block and n_replications * _SURELY_ENOUGH < room):
        return
    results, simulated = _bytes_per_replication(study, sampling, results_of)
    in_blocks = _COPIES_IN_A_BLOCK * simulated * min(n_replications, at_once * block_size)
    each = _COPIES_OF_RESULTS * results + (simulated if is_kept_whole else 0)
    needed = n_replications * each + in_blocks
    if needed > room:
        most = max(int((room - in_blocks) // each), 0)
        raise UsageError(
            f"-n: the results must fit into the {room / 1e9:,.2f} GB that are left to this process; "
            f"{n_replications:,} replications need about {needed / 1e9:,.2f} GB. At most {most:,} here"
        )


def fitting_block_size(study: Study, n_replications: int, at_once: int) -> int:
    """Return how many replications a block may have, so that all blocks at once stay within 200 MB.

    What a replication takes is asked of a single one, unless so few are asked for that they are simulated as they come. For a study
    with few people this is as many as make blocks fast.

    Parameters
    ----------
    study
        Of which replications are simulated.
    n_replications
        How many.
    at_once
        Blocks that run at once.
    """
    if n_replications <= _FEW_AT_ONCE:
        return BLOCK_SIZE
    return max(1, min(BLOCK_SIZE, _BUDGET // (bytes_in_a_block(study) * at_once)))


def bytes_in_a_block(study: Study) -> int:
    """Return the bytes that a replication takes while it is in a block, beyond the batch of people that is simulated."""
    # The fixed arrays of a study are counted with it: they are small where a replication is large.
    return _COPIES_IN_A_BLOCK * _bytes_of(simulate(study, 0, np.arange(1, dtype=np.int64)))


def replications_in_a_batch(study: Study) -> int:
    """Return after how many replications the batch of people is full that is held while a block is simulated."""
    people = simulate(study, 0, np.arange(1, dtype=np.int64)).tallies.n_people[:, :, SERVICE]
    return max(1, -(-BATCH // max(int(people.max()), 1)))


def memory_left() -> int | None:
    """Return the bytes that this process may still use; None if unknown."""
    resident, addressed = _used()
    left = [limit - resident for limit in _limits_of_memory()]
    with suppress(ImportError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            left.append(limit - addressed)
    return max(min(left), 0) if left else None


def _limits_of_memory() -> Iterator[int]:
    """Yield the limits of the machine, and of every group of processes to which this one belongs."""
    with suppress(ValueError, OSError, AttributeError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            # The second version has no controllers here. Inside a container its own group is often mounted as the root.
            roots = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup") if controllers else ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            for root in map(Path, roots):
                within = root / group.lstrip("/")
                yield from _read_limits(folder / name for folder in (within, *within.parents) if folder.is_relative_to(root))


def _read_limits(files: Iterator[Path]) -> Iterator[int]:
    for file in files:
        with suppress(OSError, ValueError):  # not there, or "max"
            limit = int(file.read_text())
            if 0 < limit < _NO_LIMIT:
                yield limit


def resident_bytes() -> int:
    """Return the bytes that this process holds in memory; 0 where the system does not say."""
    return _used()[0]


def _used() -> tuple[int, int]:
    """Return the bytes that this process holds in memory, and those that it addresses."""
    with suppress(OSError, ValueError):
        addressed, resident = Path("/proc/self/statm").read_text().split()[:2]
        page = os.sysconf("SC_PAGE_SIZE")
        return int(resident) * page, int(addressed) * page
    return 0, 0


def _bytes_per_replication(
    study: Study, sampling: Sampling, results_of: Callable[[Study, int, Integers, Sampling], Any]
) -> tuple[float, float]:
    """Return the bytes of the results of a replication, and of all that is simulated for it: what four take beyond two."""
    way = Sampling(tilts=sampling.tilts, measured=sampling.measured)
    two, four = np.arange(2, dtype=np.int64), np.arange(4, dtype=np.int64)
    results = [_bytes_of(results_of(study, 0, some, way)) for some in (two, four)]
    simulated = [_bytes_of(simulate(study, 0, some, way)) for some in (two, four)]
    return (results[1] - results[0]) / 2, (simulated[1] - simulated[0]) / 2


def _bytes_of(record: Any) -> int:
    """Add up the arrays of a record, of its parts and of its mappings."""
    if isinstance(record, np.ndarray):
        return record.nbytes
    if is_dataclass(record):
        return sum(_bytes_of(getattr(record, field.name)) for field in fields(record))
    return sum(map(_bytes_of, record.values())) if isinstance(record, Mapping) else 0
