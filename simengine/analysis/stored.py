"""An ensemble that is kept at the wall, so that hundreds of term sheets are settled on the same worlds.

Each party may see the effect in its own way. Then the same replications are lived once more, with the same luck, in the worlds
in which it believes: every uniform is the same, only the law through which it is read is another. This is exact for any belief,
whereas weighting one set of worlds loses worlds with every step away from the study's own law, and is undefined outside its range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simengine.analysis.ensemble import Columns, Ensemble, lived, measured, with_used_designs_alone
from simengine.config import Study, cohort_of
from simengine.config.numbers import with_numbers
from simengine.execution import map_blocks, map_items
from simengine.pipeline import Evidence, draw_worlds, evaluate
from simengine.records import Integers, Tallies, Worlds

_LEFT_OF_THE_WALL = ("pathway.", "events.", "shocks.", "effect.", "outcomes.", "measurement.")
_READ_BY_THE_EVALUATOR_ALONE = (
    "weight",
    "weight_squares",
    "squares",
    "sums_before",
    "squares_before",
    "products_with_before",
)


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
    blocks: Mapping[Eyes, Sequence[Evidence]]
    eyes: Mapping[str, Eyes]
    """By party."""
    columns: tuple[str, ...]
    """What is kept of each settlement; `metric.` stands for all truths."""
    threads: int | None

    def settle(self, terms: Mapping[str, float]) -> dict[str, Columns]:
        """Settle the contract with other numbers at some paths.

        Returns
        -------
        By party: the columns of the worlds as this party sees them, one number per replication.
        """
        study = with_numbers(self.study, terms)
        work = [(eyes, block) for eyes, blocks in self.blocks.items() for block in blocks]
        parts = map_items(lambda one: self._settle_block(study, terms, one[1]), work, threads=self.threads)
        seen: dict[Eyes, Columns] = {}
        for eyes in self.blocks:
            mine = [part for (whose, _), part in zip(work, parts, strict=True) if whose == eyes]
            seen[eyes] = {name: np.concatenate([part[name] for part in mine]) for name in mine[0]}
        return {party: seen[eyes] for party, eyes in self.eyes.items()}

    def _settle_block(self, study: Study, terms: Mapping[str, float], evidence: Evidence) -> Columns:
        worlds = evidence.worlds
        free = {path: np.full(len(worlds), value) for path, value in terms.items() if path in worlds.values}
        changed = replace(evidence, worlds=replace(worlds, values={**worlds.values, **free}))
        outturns = evaluate(study, changed, with_returns=False)
        return {name: outturns[name] for name in outturns.columns if name in self.columns or _is_truth(name)}


def store(study: Study, ensemble: Ensemble, parties: Iterable[str], columns: Iterable[str]) -> StoredEnsemble:
    """Let worlds be lived and measured, once for each way in which some parties see them, and keep what settlement needs."""
    parties = tuple(parties)
    eyes = {party: eyes_of(study, party) for party in parties}
    lean = with_used_designs_alone(study)
    blocks = {
        one: map_blocks(
            lambda replications, one=one: _evidence(lean, one, ensemble.seed, replications),  # type: ignore[misc]
            ensemble.n_replications,
            threads=ensemble.threads,
            block_size=ensemble.block_size,
            first=ensemble.first,
            on_progress=ensemble.on_progress,
        )
        for one in dict.fromkeys(eyes.values())
    }
    return StoredEnsemble(study, blocks, eyes, tuple(columns), ensemble.threads)


def _evidence(study: Study, eyes: Eyes, seed: int, replications: Integers) -> Evidence:
    believed = with_numbers(study, dict(eyes.beliefs))
    worlds = draw_worlds(believed, seed, replications)
    tallies = lived(cohort_of(believed), worlds, eyes.multiple)
    measurements = measured(believed, believed.measurement, tallies, worlds)
    kept = {path: values for path, values in worlds.values.items() if not path.startswith(_LEFT_OF_THE_WALL)}
    return Evidence(Worlds(worlds.seed, worlds.replications, kept), _slim(tallies), measurements)


def _slim(tallies: Tallies) -> Tallies:
    """Drop what only the evaluator reads: in its place stands one NaN in every shape, so that nobody reads it unnoticed."""
    nothing: dict[str, Any] = {name: np.broadcast_to(np.nan, getattr(tallies, name).shape) for name in _READ_BY_THE_EVALUATOR_ALONE}
    return replace(tallies, **nothing)


def _is_truth(column: str) -> bool:
    return column.startswith("metric.") and column.endswith(".truth")


def money_of(parties: Iterable[str]) -> Iterator[str]:
    """List the columns that the measures of some parties read."""
    yield "contingent_payment"
    for party in parties:
        yield from (f"{party}.net", f"{party}.npv")
