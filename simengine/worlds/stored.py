"""An ensemble that is kept at the wall, so that hundreds of term sheets are settled on the same worlds.

Each party may see the effect in its own way. Then the same replications are lived once more, with the same luck, in the worlds
in which it believes: every uniform is the same, only the law through which it is read is another. This is exact for any belief,
whereas weighting one set of worlds loses worlds with every step away from the study's own law, and is undefined outside its range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simengine.config import Study, cohort_of
from simengine.config.numbers import with_numbers
from simengine.pipeline import draw_worlds
from simengine.records import Integers
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure
from simengine.worlds.blocks import available_processors, map_blocks, map_items
from simengine.worlds.ensemble import Ensemble, lived, with_used_designs_alone
from simengine.worlds.settling import Kept, Windows, chosen_windows, join, keep, with_windows


@dataclass(frozen=True)
class Eyes:
    """How somebody sees the effect."""

    beliefs: tuple[tuple[str, Any], ...] = ()
    """Paths under `effect`, each with the law in which it believes."""
    multiple: float = 1.0
    """The multiple of the effect in which it believes."""


def eyes_of(study: Study, party: str) -> Eyes:
    """Give how a party sees the effect: as its side of the sizing says, else as the study does."""
    side = None if study.sizing is None else study.sizing.parties.get(party)
    if side is None:
        return Eyes()
    return Eyes(tuple(sorted(side.beliefs.items())), 1.0 if side.effect_multiple is None else side.effect_multiple.value)


@dataclass(frozen=True)
class StoredEnsemble:
    """Worlds that were lived and measured once for each way of seeing them."""

    study: Study
    blocks: Mapping[Eyes, Sequence[Kept]]
    truths: Mapping[Eyes, Mapping[Windows, Columns]]
    """What is true with each choice of the windows: `metric.<name>.truth`."""
    eyes: Mapping[str, Eyes]
    """By party."""
    threads: int | None

    def settle(self, terms: Mapping[str, float]) -> dict[str, Columns]:
        """Settle the contract with other numbers at some paths.

        Returns
        -------
        By party: the columns of the worlds as this party sees them, one number per replication: the money of every party that was
        asked for, what is paid for outcomes, and the truths.
        """
        study, windows = with_numbers(self.study, terms), chosen_windows(self.study, terms)
        work = [(eyes, block) for eyes, blocks in self.blocks.items() for block in blocks]
        n = sum(len(block.worlds) for block in next(iter(self.blocks.values())))
        parts = map_items(lambda one: one[1].settle(study, terms, windows), work, n, threads=self.threads)
        seen: dict[Eyes, Columns] = {}
        for eyes in self.blocks:
            mine = [part for (whose, _), part in zip(work, parts, strict=True) if whose == eyes]
            seen[eyes] = {name: np.concatenate([part[name] for part in mine]) for name in mine[0]} | dict(
                self.truths[eyes][windows]
            )
        return {party: seen[eyes] for party, eyes in self.eyes.items()}


def store(
    study: Study, ensemble: Ensemble, believers: Iterable[str], parties: Iterable[str], measures: Iterable[Measure] = ()
) -> StoredEnsemble:
    """Let worlds be lived and measured, once for each way in which some parties see them, and keep what settlement needs.

    Parameters
    ----------
    study
        With its sizing, if it has one.
    ensemble
        Which worlds are drawn.
    believers
        Those through whose eyes the worlds are seen.
    parties
        Those whose money is asked for.
    measures
        What is asked for beside their net and NPV.
    """
    parties, measures = tuple(parties), tuple(measures)
    eyes = {party: eyes_of(study, party) for party in believers}
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
        for one in dict.fromkeys(eyes.values())
    }
    truths = {one: truths_of(kept) for one, kept in blocks.items()}
    n_parts = ensemble.threads or available_processors()
    joined = {one: [join(part) for part in _in_parts(kept, n_parts)] for one, kept in blocks.items()}
    return StoredEnsemble(study, joined, truths, eyes, ensemble.threads)


def _in_parts(blocks: Sequence[Kept], n_parts: int) -> list[Sequence[Kept]]:
    """Share neighbouring blocks out, as evenly as may be, to who works at the same time."""
    edges = np.linspace(0, len(blocks), min(n_parts, len(blocks)) + 1).astype(int)
    return [blocks[first:last] for first, last in pairwise(edges)]


def _kept(study: Study, eyes: Eyes, seed: int, replications: Integers, parties: Sequence[str], measures: Sequence[Measure]) -> Kept:
    believed = with_numbers(study, dict(eyes.beliefs))
    worlds = draw_worlds(believed, seed, replications)
    tallies = lived(with_windows(believed, cohort_of(believed)), worlds, eyes.multiple)
    return keep(believed, worlds, tallies, parties, measures)


def truths_of(blocks: Sequence[Kept]) -> dict[Windows, Columns]:
    """Join what is true in some blocks, by choice of the windows."""
    found: dict[Windows, Columns] = {}
    for windows, first in blocks[0].readings.items():
        parts = np.concatenate([block.readings[windows].measurements.truth for block in blocks])
        found[windows] = {f"metric.{name}.truth": parts[:, m] for m, name in enumerate(first.measurements.metrics)}
    return found
