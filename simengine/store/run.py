"""Begin a run in a store, go on with one, or add to it."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simengine.asked import MOST_REPLICATIONS, whole
from simengine.config import Study
from simengine.disk import sum_of
from simengine.errors import ResultsError, SimengineError, UsageError
from simengine.interruption import say_if_stopped
from simengine.pipeline import run_block
from simengine.replications.blocks import OnPace, available_processors, expected_seconds
from simengine.replications.ensemble import Ensemble
from simengine.sampling import PLAIN, Sampling, distributions_of, refuse_impossible
from simengine.store.block import Stretch, compute_and_encode, decode, encode, joined, refuse_other_rows
from simengine.store.engines import work_on
from simengine.store.folder import Store, is_store, make_store, open_store
from simengine.store.locks import Shard, claimed, make_folder
from simengine.store.record import STORE_LAYOUT, RunRecord, refuse_many_blocks

IN_A_BLOCK = 16
"""Times as many replications in a block on the disk as are simulated at once: 16,000 of a small study."""
_ENOUGH_TO_TIME = 200


@dataclass(frozen=True)
class Aim:
    """A precision, and how far a run that looks for it has come."""

    until: str
    """Goals, as they are written."""
    at_most: int
    looked_at: tuple[int, ...] = ()
    """Numbers of replications after which the goals were not met."""


@dataclass(frozen=True)
class Keeping:
    """How a run is kept in a store."""

    folder: Path
    texts: tuple[str, str]
    """Of the study and of its contract."""
    variant: str | None = None
    overrides: tuple[str, ...] = ()
    is_begun: bool = False
    """Whether the store is there already."""
    resumes: bool = False
    """Whether missing blocks are computed if it is; if not, a run that lacks some is refused."""
    extend: int = 0
    """Replications that are added."""
    sampling: Sampling = PLAIN
    """How the numbers of the study are drawn; of a store that is begun this is its own."""
    aim: Aim | None = None
    """The precision until which replications are added; absent: their number is given."""
    shard: Shard | None = None
    """Only its blocks are computed."""
    engine: str = "threads"
    scheduler: str | None = None


def fill_store(keeping: Keeping, study: Study, ensemble: Ensemble) -> Store:
    """Make a store, or open it, and compute the blocks that are missing.

    Parameters
    ----------
    keeping
        Where and how.
    study
        That of the store, if it is begun.
    ensemble
        The seed and the number of replications; of a store that is begun these are its own.

    Raises
    ------
    ResultsError
        If the folder holds something else or another run, another process writes it, or it cannot be written.
    """
    folder = keeping.folder
    if not keeping.is_begun and keeping.shard is None and is_store(folder):
        way_out = f"`simengine run --resume {folder}` goes on with it, and `simengine run {folder} --extend N` adds to it"
        raise ResultsError(f"--store {folder}: the folder must be new or empty; found a run. {way_out}")
    if not keeping.is_begun:
        refuse_impossible(keeping.sampling, study.numbers, ensemble.n_replications)
        refuse_many_blocks(ensemble.n_replications, ensemble.block_size * IN_A_BLOCK)
        make_folder(folder)
    if keeping.is_begun and not (keeping.resumes or keeping.extend or keeping.shard):
        return open_store(folder)
    with claimed(folder, keeping.shard):
        store = _opened(keeping, study, ensemble)
        n = store.record.replications
        if keeping.extend:
            n += whole(keeping.extend, "--extend", 1, MOST_REPLICATIONS - n)
            _refuse_uneven(store.record, keeping.extend)
        if keeping.aim is not None:
            n = max(n, ensemble.n_replications)
        refuse_many_blocks(n, store.record.block_size)
        store.changed(replications=n, **({} if keeping.aim is None else vars(keeping.aim)))
        _compute(store, keeping, study, ensemble)
    return store


def _refuse_uneven(record: RunRecord, more: int) -> None:
    """Refuse to add to evenly spread points what leaves their sequences unfilled."""
    n = record.replications
    total = n + more
    if record.sobol and (total % n or (total // n) & (total // n - 1)):
        rule = "evenly spread replications must be doubled, or doubled again"
        raise UsageError(f"--extend: {rule}; found {n:,} and {more:,} more. Use --extend {n} or --extend {3 * n}")


def _opened(keeping: Keeping, study: Study, ensemble: Ensemble) -> Store:
    """Open the store, or make it; one that another shard made must hold the same run."""
    if keeping.is_begun:
        return open_store(keeping.folder)

    def record() -> RunRecord:
        return _record(keeping, study, ensemble)

    if not is_store(keeping.folder):
        make_store(keeping.folder, keeping.texts, record)
    store, mine = open_store(keeping.folder), record()
    if store.record != mine:
        apart = next(name for name in vars(mine) if getattr(mine, name) != getattr(store.record, name))
        found = f"another {apart}: {getattr(store.record, apart)!r} there, {getattr(mine, apart)!r} here"
        raise ResultsError(
            f"--store {keeping.folder}: shards must be of one run; found {found}. Ask for the same, or name another folder"
        )
    return store


def _record(keeping: Keeping, study: Study, ensemble: Ensemble) -> RunRecord:
    from simengine import __version__
    from simengine.streams import STREAM_VERSION

    columns = run_block(study, ensemble.seed, np.arange(2, dtype=np.int64), keeping.sampling)
    return RunRecord(
        format=STORE_LAYOUT,
        simengine=__version__,
        stream_version=STREAM_VERSION,
        study_sha256=sum_of(keeping.texts[0].encode()),
        contract_sha256=sum_of(keeping.texts[1].encode()),
        variant=keeping.variant,
        overrides=keeping.overrides,
        seed=ensemble.seed,
        replications=ensemble.n_replications,
        block_size=ensemble.block_size * IN_A_BLOCK,
        columns={name: values.dtype.str for name, values in columns.columns.items()},
        words={name: tuple(words) for name, words in columns.codes.items()},
        draws=tuple(distributions_of(study.numbers)),
        lenders=tuple(columns.lending_cash_by_row or ()),
        sobol=keeping.sampling.is_sobol,
        tilts=dict(keeping.sampling.tilts),
        **({} if keeping.aim is None else vars(keeping.aim)),
    )


def _compute(store: Store, keeping: Keeping, study: Study, ensemble: Ensemble) -> None:
    """Compute the missing blocks, and write each as soon as it is there."""
    record, threads = store.record, ensemble.threads or available_processors()
    begun = {block: store.begun(block) for block in store.missing(keeping.shard)}
    stretches = {
        block: Stretch(
            study,
            record.seed,
            before[1] if before else block[0],
            block[1],
            min(ensemble.block_size, record.block_size),
            record.sampling,
        )
        for block, before in begun.items()
    }
    n = sum(stretch.end - stretch.first for stretch in stretches.values())
    if not n:
        return
    on_progress: Callable[[int], None] = ensemble.on_progress or (lambda _: None)
    on_progress(record.replications - n)

    def done(block: tuple[int, int], content: bytes) -> None:
        refuse_other_rows(io.BytesIO(content), record, (stretches[block].first, block[1]), str(store.path(block)))
        if (before := begun[block]) is not None:
            there = store.read(before)
            with store.unreadable(before):
                refuse_other_rows(io.BytesIO(there), record, before, str(store.path(before)))
                content = encode(joined(decode(there, record.words), decode(content, record.words)))
        store.write(block, content)
        on_progress(stretches[block].end - stretches[block].first)

    _say_pace(study, record, n, threads, ensemble.on_pace)
    way_on = f"`simengine run --resume {store.folder}` goes on"
    say_if_stopped(f"what is complete stays in {store.folder}, and {way_on}")
    work_on(keeping.engine, keeping.scheduler, stretches, compute_and_encode, done, record.replications, threads, way_on)


def _say_pace(study: Study, record: RunRecord, n: int, threads: int, on_pace: OnPace | None) -> None:
    if on_pace is None or n < _ENOUGH_TO_TIME:
        return
    # What cannot be worked on is refused by the work itself.
    with suppress(SimengineError):
        on_pace(expected_seconds(lambda some: run_block(study, record.seed, some, record.sampling), 0, n, n, threads), n, threads)
