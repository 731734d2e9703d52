"""Compute one shard of a run in a store: its blocks, and no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.store.run import Keeping, fill_store

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, repr=False)
class ShardOfRun(Answer):
    """A shard of a run, all of whose blocks are in the store."""

    store: str
    """The folder."""
    shard: str
    """Which, and of how many."""
    blocks: int
    """Blocks of the shard."""
    blocks_missing: int
    """Blocks that the store still lacks, of other shards."""


def compute_shard(study: Study, ensemble: Ensemble, keeping: Keeping | None) -> ShardOfRun:
    """Compute the blocks of a shard that the store lacks."""
    assert keeping is not None, "refused before"
    assert keeping.shard is not None, "asked for a shard"
    store, shard = fill_store(keeping, study, ensemble), keeping.shard
    blocks = sum(shard.has(k) for k in range(len(store.record.blocks())))
    record = store.record
    return ShardOfRun(
        str(keeping.folder), str(shard), blocks, len(store.missing()), n_replications=record.replications, seed=record.seed
    )


def shard_tables(study: Study, found: ShardOfRun) -> RenderableType:  # noqa: ARG001
    """Say what is there, and what is still missing."""
    from rich.text import Text

    said = f"Shard {found.shard} of {found.store}: {_blocks(found.blocks)}, all there; {found.drawn}."
    if found.blocks_missing:
        return Text(f"{said}\nStill missing: {_blocks(found.blocks_missing)} of other shards.")
    return Text(f"{said}\nEvery block is there: `simengine run {found.store}` answers from them.")


def _blocks(number: int) -> str:
    return f"{number:,} block{'' if number == 1 else 's'}"
