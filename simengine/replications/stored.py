"""An ensemble that is kept at the wall, so that hundreds of term sheets are settled on the same replications.

Each party may see the effect in its own way. Then the same replications are lived once more, with the same luck, in the
replications in which it believes: every uniform is the same, only the distribution through which it is read is another. This is
exact for any belief, whereas weighting one set of replications loses replications with every step away from the study's own
distribution, and is undefined outside its range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simengine.config import Study, cohort_of
from simengine.config.numbers import with_numbers
from simengine.pipeline import draw_numbers
from simengine.records import Integers
from simengine.replications.blocks import available_processors, map_blocks, map_items
from simengine.replications.ensemble import Ensemble, lived, with_used_designs_alone
from simengine.replications.settling import CachedEvidence, Windows, cache_evidence, chosen_windows, join, with_windows
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure


@dataclass(frozen=True)
class Belief:
    """How somebody sees the effect."""

    beliefs: tuple[tuple[str, Any], ...] = ()
    """Paths under `effect`, each with the distribution in which it believes."""
    multiple: float = 1.0
    """The multiple of the effect in which it believes."""


def belief_of(study: Study, party: str) -> Belief:
    """Return how a party sees the effect: as its side of the sizing says, else as the study does."""
    side = None if study.sizing is None else study.sizing.parties.get(party)
    if side is None:
        return Belief()
    return Belief(tuple(sorted(side.beliefs.items())), 1.0 if side.effect_multiple is None else side.effect_multiple.value)


@dataclass(frozen=True)
class StoredEnsemble:
    """Replications that were lived and measured once for each way of seeing them."""

    study: Study
    blocks: Mapping[Belief, Sequence[CachedEvidence]]
    truths: Mapping[Belief, Mapping[Windows, Columns]]
    """What is true with each choice of the windows: `metric.<name>.truth`."""
    belief: Mapping[str, Belief]
    """By party."""
    threads: int | None

    def settle(self, terms: Mapping[str, float]) -> dict[str, Columns]:
        """Settle the contract with other numbers at some paths.

        Returns
        -------
        By party: the columns of the replications as this party sees them, one number per replication: the money of every party that
        was asked for, what is paid for outcomes, and the truths.
        """
        study, windows = with_numbers(self.study, terms), chosen_windows(self.study, terms)
        work = [(belief, block) for belief, blocks in self.blocks.items() for block in blocks]
        n = sum(len(block.draws) for block in next(iter(self.blocks.values())))
        parts = map_items(lambda one: one[1].settle(study, terms, windows), work, n, threads=self.threads)
        seen: dict[Belief, Columns] = {}
        for belief in self.blocks:
            mine = [part for (whose, _), part in zip(work, parts, strict=True) if whose == belief]
            seen[belief] = {name: np.concatenate([part[name] for part in mine]) for name in mine[0]} | dict(
                self.truths[belief][windows]
            )
        return {party: seen[belief] for party, belief in self.belief.items()}


def store_evidence(
    study: Study, ensemble: Ensemble, believers: Iterable[str], parties: Iterable[str], measures: Iterable[Measure] = ()
) -> StoredEnsemble:
    """Let replications be lived and measured, once for each way in which some parties see them, and keep what settlement needs.

    Parameters
    ----------
    study
        With its sizing, if it has one.
    ensemble
        Which replications are drawn.
    believers
        Those through whose eyes the replications are seen.
    parties
        Those whose money is asked for.
    measures
        What is asked for beside their net and NPV.
    """
    parties, measures = tuple(parties), tuple(measures)
    belief = {party: belief_of(study, party) for party in believers}
    lean = with_used_designs_alone(study)
    blocks = {
        one: map_blocks(
            lambda replications, one=one: _kept(lean, one, ensemble.seed, replications, parties, measures),  # type: ignore[misc]
            ensemble.n_replications,
            threads=ensemble.threads,
            block_size=ensemble.block_size,
            first=ensemble.first,
            on_progress=ensemble.on_progress,
        )
        for one in dict.fromkeys(belief.values())
    }
    truths = {one: truths_of(kept) for one, kept in blocks.items()}
    n_parts = ensemble.threads or available_processors()
    joined = {one: [join(part) for part in _in_parts(kept, n_parts)] for one, kept in blocks.items()}
    return StoredEnsemble(study, joined, truths, belief, ensemble.threads)


def _in_parts(blocks: Sequence[CachedEvidence], n_parts: int) -> list[Sequence[CachedEvidence]]:
    """Share neighbouring blocks out, as evenly as may be, to who works at the same time."""
    edges = np.linspace(0, len(blocks), min(n_parts, len(blocks)) + 1).astype(int)
    return [blocks[first:last] for first, last in pairwise(edges)]


def _kept(
    study: Study, belief: Belief, seed: int, replications: Integers, parties: Sequence[str], measures: Sequence[Measure]
) -> CachedEvidence:
    believed = with_numbers(study, dict(belief.beliefs))
    draws = draw_numbers(believed, seed, replications)
    tallies = lived(with_windows(believed, cohort_of(believed)), draws, belief.multiple)
    return cache_evidence(believed, draws, tallies, parties, measures)


def truths_of(blocks: Sequence[CachedEvidence]) -> dict[Windows, Columns]:
    """Join what is true in some blocks, by choice of the windows."""
    found: dict[Windows, Columns] = {}
    for windows, first in blocks[0].readings.items():
        parts = np.concatenate([block.readings[windows].measurements.truth for block in blocks])
        found[windows] = {f"metric.{name}.truth": parts[:, m] for m, name in enumerate(first.measurements.metrics)}
    return found
