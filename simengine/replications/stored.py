"""An ensemble with stored evidence, so that hundreds of term sheets are settled on the same replications.

Each party may have its own belief about the effect. The same replications are then simulated again with the same draws under that
belief: every uniform is the same, only the distribution differs. This is exact for any belief, whereas weighting one set of
replications loses replications with every step away from the study's own distribution, and is undefined outside its range.
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
    """A party's belief about the effect."""

    beliefs: tuple[tuple[str, Any], ...] = ()
    """Paths under `effect`, each with the party's own distribution."""
    multiple: float = 1.0
    """The multiple of the effect that it expects."""


def belief_of(study: Study, party: str) -> Belief:
    """Return a party's belief about the effect: that in the sizing, otherwise that of the study."""
    side = None if study.sizing is None else study.sizing.parties.get(party)
    if side is None:
        return Belief()
    return Belief(tuple(sorted(side.beliefs.items())), 1.0 if side.effect_multiple is None else side.effect_multiple.value)


@dataclass(frozen=True)
class StoredEnsemble:
    """Replications simulated and measured once for each belief."""

    study: Study
    blocks: Mapping[Belief, Sequence[CachedEvidence]]
    truths: Mapping[Belief, Mapping[Windows, Columns]]
    """True effects for each combination of windows: `metric.<name>.truth`."""
    belief: Mapping[str, Belief]
    """By party."""
    threads: int | None

    def settle(self, terms: Mapping[str, float]) -> dict[str, Columns]:
        """Settle the contract with other numbers at some paths.

        Returns
        -------
        By party: the columns of the replications under this party's belief, one number per replication: the money of every
        requested party, payments for outcomes, and the true effects.
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
    """Simulate and measure replications once for each belief, and store what settlement needs.

    Parameters
    ----------
    study
        With its sizing, if it has one.
    ensemble
        Which replications are drawn.
    believers
        The parties whose beliefs are used.
    parties
        The parties whose money is needed.
    measures
        Measures needed beside their net and NPV.
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
            on_pace=ensemble.on_pace,
        )
        for one in dict.fromkeys(belief.values())
    }
    truths = {one: truths_of(kept) for one, kept in blocks.items()}
    n_parts = ensemble.threads or available_processors()
    joined = {one: [join(part) for part in _in_parts(kept, n_parts)] for one, kept in blocks.items()}
    return StoredEnsemble(study, joined, truths, belief, ensemble.threads)


def _in_parts(blocks: Sequence[CachedEvidence], n_parts: int) -> list[Sequence[CachedEvidence]]:
    """Divide neighbouring blocks as evenly as possible between threads."""
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
    """Join the true effects of some blocks, by combination of windows."""
    found: dict[Windows, Columns] = {}
    for windows, first in blocks[0].readings.items():
        parts = np.concatenate([block.readings[windows].measurements.truth for block in blocks])
        found[windows] = {f"metric.{name}.truth": parts[:, m] for m, name in enumerate(first.measurements.metrics)}
    return found
