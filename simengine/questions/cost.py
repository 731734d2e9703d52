"""What a question will cost, worked out before it is asked: replications, time, memory and disk.

The question is tried on few of its replications, and all is made that it would make. What grows with their number is told from two
numbers of them; memory from the arrays that are really held at once (NumPy reports them to tracemalloc). Work that does not depend
on the number, such as the plans of a sensitivity analysis, is tried in the small, and its replications are counted.
"""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import SimengineError
from simengine.questions.driver import Posed, told_with, write_answer

if TYPE_CHECKING:
    from simengine.records import Integers

Describe = Callable[[str, Mapping[str, Any]], Any]
_MOST_TRIED, _FEWEST_TRIED = 4096, 16
_SECONDS, _SHARE = 1.0, 0.01
"""Seconds that one trial may take, or its share of the whole if that is more."""
_SECONDS_OF_FEWEST = 3.0
"""Seconds that a trial may take where none is shorter or the shorter was refused: without one neither memory nor disk can be told."""
_APART = 4
"""How many times as large the larger trial is."""
_HELD_OF_A_STORE = 100_000
"""Replications of which a run in a store holds as much at once as a run in memory does of all: its windows and blocks, at most."""
_TIMED = 32
"""Replications that are worked on where the first few are timed, at most."""
_AFTERWARDS = "what is done after the replications, memory and disk"


@dataclass(frozen=True)
class CostEstimate:
    """What a question will cost."""

    command: str
    """The command that was tried."""
    replications_worked: int
    """Replications that are worked on, in all ensembles of the question together."""
    is_most: bool
    """Whether these are the most: how many there are is decided on the way."""
    threads: int
    """Blocks that run at once."""
    block_size: int
    """Replications in a block at most."""
    cpu_seconds: float
    """CPU time of the whole process, on all threads together."""
    elapsed_seconds: float
    """Time until the answer is there."""
    peak_memory_bytes: int | None
    """The most memory that the process holds at once; null if unknown."""
    disk_bytes: int | None
    """What `-o` would write; null if unknown."""
    files: Mapping[str, int]
    """By name of a file that `-o` would write: its bytes."""
    store_bytes: int | None
    """What the blocks of `--store` would hold; null if there is none."""
    tried: int
    """Replications on which the question was tried; 0 if only a few were timed."""
    not_included: tuple[str, ...]
    """What is not included in these figures, and why."""


@dataclass(frozen=True)
class _Trial:
    """The question, asked of few replications."""

    n: int
    cpu: float
    elapsed: float
    found: Any


class _EnoughSeen(BaseException):
    """The first ensemble was timed: the rest of the question is not asked."""

    def __init__(self, seconds: float, n_replications: int) -> None:
        super().__init__()
        self.each = seconds / n_replications


def cost_of(posed: Posed, command: str, describe: Describe, *, is_kept: bool, started: float = 0.0) -> CostEstimate:
    """Work out what a question will cost.

    Parameters
    ----------
    posed
        The question; what it refuses is refused before.
    command
        Which asks it.
    describe
        From the text of what is asked about, and the settings, to the provenance.
    is_kept
        Whether the answer is kept in a folder: pictures and tables are then a part of the time and of the memory.
    started
        CPU seconds that this process took before, if it did nothing else.

    Raises
    ------
    SimengineError
        As the question does, where that does not depend on the number of replications.
    """
    work, n = posed.work, _n_of(posed)
    from simengine.store.run import IN_A_BLOCK

    as_put, posed = posed, replace(posed, n_replications=n, asked=posed.question.in_memory(posed.asked))
    is_stored = posed.asked is not as_put.asked
    tried = replace(posed, asked=posed.question.tried(posed.asked))
    before = time.process_time()
    each = _seconds_each(posed)
    loading = max(time.process_time() - before - _TIMED * each, 0.0)
    first, many, refusal = _first_trial(tried, n, each, each * work.as_the_first)
    if first is None:
        return _cost(posed, command, started + loading, each, not_included=(f"{_AFTERWARDS}: {refusal}",))
    # What writes a store is loaded and used before it is seen what the process holds.
    of_store = as_put.question.stored_bytes(as_put, first.n, many) if is_stored and as_put.question.stored_bytes else None
    with tempfile.TemporaryDirectory() as place:
        held = _resident()
        keeping, files = _written(Path(place, "few"), tried, first.found, command, describe)
        held, keeping = (_resident(), keeping) if is_kept else (held, _Trial(0, 0.0, 0.0, None))
        few, more = _best_of_two(tried, first.n), _best_of_two(tried, many)
        files |= _grown(files, Path(place, "many"), tried, few, more, n)
    loading += max(first.cpu - few.cpu, 0.0)
    cost = _cost(posed, command, started + loading + keeping.cpu, each, left_out=work.as_the_first - tried.work.as_the_first)
    return replace(
        cost,
        cpu_seconds=cost.cpu_seconds + _line(few.n, few.cpu, many, more.cpu, n),
        elapsed_seconds=cost.elapsed_seconds + keeping.elapsed - keeping.cpu + _line(few.n, few.elapsed, many, more.elapsed, n),
        peak_memory_bytes=None
        if held is None
        else held + _arrays_held(tried, few.n, many, n, in_a_stored_block=posed.block_size * IN_A_BLOCK if is_stored else None),
        disk_bytes=sum(files.values()),
        files=files,
        store_bytes=of_store,
        tried=many,
    )


def _cost(
    posed: Posed, command: str, seconds: float, each: float, left_out: int | None = None, not_included: tuple[str, ...] = ()
) -> CostEstimate:
    """Say what is known from the first few replications: of all, or of those that are left out where the rest is tried."""
    work, at_once = posed.work, posed.size.at_once
    paced = each * (work.as_the_first if left_out is None else left_out)
    return CostEstimate(
        command=command,
        replications_worked=work.replications,
        is_most=work.is_most,
        threads=at_once,
        block_size=posed.block_size,
        cpu_seconds=seconds + paced,
        elapsed_seconds=seconds + paced / min(at_once, posed.n_replications),
        peak_memory_bytes=None,
        disk_bytes=None,
        files={},
        store_bytes=None,
        tried=0,
        not_included=not_included,
    )


def _n_of(posed: Posed) -> int:
    """Return the number of replications; where the question decides it on the way, the most."""
    return posed.work.alike if posed.question.sized_by(posed.values) else posed.n_replications


def _seconds_each(posed: Posed) -> float:
    """Return the seconds that one replication of the first ensemble takes on one thread; 0 where there is no ensemble."""
    from simengine.replications.blocks import expected_seconds, size_of_blocks, telling

    def seen(work: Callable[[Integers], object], first: int, n: int) -> None:
        size = size_of_blocks(n, posed.block_size, posed.size.at_once)
        raise _EnoughSeen(expected_seconds(work, first, n, size, 1), n)

    try:
        with telling(seen):
            posed.answer()
    except _EnoughSeen as enough:
        return enough.each
    return 0.0


def _first_trial(tried: Posed, n: int, each: float, seconds: float) -> tuple[_Trial | None, int, str]:
    """Try the question on few replications, and say on how many it can be tried in a short time; or why it cannot.

    The numbers are powers of 2, which every way of drawing allows.
    """
    limit = max(_SECONDS, _SHARE * seconds)

    def takes(number: int) -> float:
        return each * replace(tried, n_replications=number).work.as_the_first

    many = 1 << (min(n, _MOST_TRIED).bit_length() - 1)
    while many > _FEWEST_TRIED and takes(many) > limit:
        many //= 2
    refusal = "the question would have to be tried for too long"
    while many == n or takes(many) <= max(limit, _SECONDS_OF_FEWEST):
        try:
            return _tried(tried, max(many // _APART, 2)), many, ""
        except SimengineError as error:
            refusal = f"few replications are not enough to try it ({str(error).splitlines()[0]})"
        # What is refused of few replications may be answered of more; what is refused of all is refused.
        if many == n:
            return _tried(tried, n), n, ""
        many = min(many * _APART, n)
    return None, 0, refusal


def _asked(posed: Posed, n: int, **how: Any) -> Any:
    """Ask the question of some replications."""
    size = replace(posed.size, threads=how.pop("threads", posed.size.threads))
    return replace(posed, n_replications=n, size=size, **how).answer()


def _tried(posed: Posed, n: int) -> _Trial:
    cpu, elapsed = time.process_time(), time.perf_counter()
    found = _asked(posed, n)
    return _Trial(n, time.process_time() - cpu, time.perf_counter() - elapsed, found)


def _best_of_two(posed: Posed, n: int) -> _Trial:
    """Try it twice: what else runs on the machine makes a trial longer, never shorter."""
    one, other = _tried(posed, n), _tried(posed, n)
    return replace(one, cpu=min(one.cpu, other.cpu), elapsed=min(one.elapsed, other.elapsed))


def _written(draft: Path, posed: Posed, found: Any, command: str, describe: Describe) -> tuple[_Trial, dict[str, int]]:
    """Write all that the question keeps, and return the time that this takes, and the bytes of each file."""
    from simengine.report.checksums import write_checksums

    draft.mkdir()
    cpu, elapsed = time.process_time(), time.perf_counter()
    write_answer(draft, posed, command, found, told_with(posed, found, describe))
    write_checksums(draft)
    return _Trial(0, time.process_time() - cpu, time.perf_counter() - elapsed, None), _bytes_in(draft)


def _grown(files: Mapping[str, int], draft: Path, posed: Posed, few: _Trial, more: _Trial, n: int) -> dict[str, int]:
    """Return the bytes of the files that hold rows of every replication, at the number asked."""
    if posed.question.write is None:
        return {}
    draft.mkdir()
    posed.question.write(draft, posed.asked.subject, more.found)
    return {name: round(_line(few.n, files[name], more.n, size, n)) for name, size in _bytes_in(draft).items()}


def _bytes_in(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}


def _line(few: int, at_few: float, many: int, at_many: float, n: int) -> float:
    """Return what stands at n on the line through two points; nothing shrinks with more replications.

    Examples
    --------
    >>> _line(10, 3.0, 20, 5.0, 100), _line(20, 5.0, 20, 4.0, 20), _line(10, 3.0, 20, 2.0, 100)
    (21.0, 4.0, 3.0)
    """
    each = max(at_many - at_few, 0.0) / (many - few) if many > few else 0.0
    return max(at_many, at_few if many > few else 0.0) + each * (n - many)


def _arrays_held(posed: Posed, few: int, many: int, n: int, *, in_a_stored_block: int | None) -> int:
    """Return the bytes of the arrays that are held at once with n replications.

    One thread is tried in three ways: on one block, on several blocks of that size, and on as many replications in smaller blocks. So
    what is kept of each replication is told from what it takes while it is in a block. Up to the number of replications that fill a
    batch of people that grows as it does in the trial; from there on a replication takes what is left of it when it has been simulated.
    Each thread has a batch and a block; of a store, as many threads as there are blocks.
    """
    from simengine.replications.blocks import size_of_blocks

    whole = _peak(posed, few, few)
    small = max(few // _APART, 1)
    kept = max(_peak(posed, many, few) - whole, 0) / (many - few) if many > few else 0.0
    in_block = max(whole - _peak(posed, few, small), 0) / (few - small) if few > small else 0.0
    subject = posed.question.subject
    after = min(in_block, subject.bytes_in_a_block(posed.asked.subject))
    size = size_of_blocks(n, posed.block_size, posed.size.at_once) if in_a_stored_block is None else min(n, posed.block_size)
    at_once = min(posed.size.at_once, -(-n // (in_a_stored_block or size)))
    in_batch = min(max(subject.replications_in_a_batch(posed.asked.subject), few), max(size, few))
    fixed = max(whole - kept * few, 0.0)
    of_block = max(fixed + in_block * (in_batch - few) + after * (size - in_batch), 0.0)
    return int(at_once * of_block + kept * (n if in_a_stored_block is None else min(n, _HELD_OF_A_STORE)))


def _peak(posed: Posed, n: int, block_size: int) -> int:
    """Return the most bytes of Python and NumPy that are held while the question is answered on one thread."""
    gc.collect()
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        found = _asked(posed, n, threads=1, block_size=block_size)
        peak = tracemalloc.get_traced_memory()[1]
        del found
        return peak - before
    finally:
        if not was_tracing:
            tracemalloc.stop()


def _resident() -> int | None:
    """Return the bytes that this process holds; None where the system does not say."""
    from simengine.replications.memory import resident_bytes

    gc.collect()
    return resident_bytes() or None
