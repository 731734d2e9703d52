"""A problem of forecasting a signed contract from its plan and from the other contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card, Judgement
from simengine.bench.forecasting.contracts import KnownContract, KnownContracts, tables_in
from simengine.bench.inference.scores import crps_of_sample, log_score_of_sample
from simengine.bench.problem import mapping_in, refuse_unknown, samples_in
from simengine.bench.refusals import BadAnswerError
from simengine.disk import sum_of
from simengine.errors import UsageError
from simengine.reference_class.indigo import INDIGO_COLUMNS
from simengine.streams import generator_of

_FEWEST, _MOST = 20, 1_000_000
_FEWEST_CONTRACTS = 3
_COVERED = 0.9


@dataclass(frozen=True)
class ForecastProblem:
    """Something about contracts that the public tables answer; each data set is one contract, forecast from all others."""

    card: Card
    asked: str
    """What is asked for: the name of the column that `simulate` returns."""
    known: KnownContracts
    """From the tables to the contracts that have an answer."""
    which: str = ""
    """Which contracts have an answer."""
    is_ratio: bool = True
    """Whether it is a multiple, scored by its logarithm; else years."""
    tables: Path | None = None
    """Folder of the downloaded tables; without it the problem can be read and not run."""
    person_periods: float = 0.0

    @cached_property
    def contracts(self) -> tuple[KnownContract, ...]:
        """The contracts that have an answer."""
        return self.read_contracts()

    def read_contracts(self) -> tuple[KnownContract, ...]:
        """Read the contracts that have an answer.

        Raises
        ------
        UsageError
            If there are no tables, or too few such contracts.
        """
        if self.tables is None:
            rule = "must have the public tables; found none. Download them and name their folder with --tables"
            raise UsageError(f"{self.card.name}: {rule}")
        found = tuple(self.known(tables_in(self.tables, self.tables_hash)))
        if len(found) < _FEWEST_CONTRACTS:
            rule = f"must have three contracts that answer {self.card.name}"
            raise UsageError(f"--tables {self.tables}: {rule}; found {len(found)}. Name another download, or other problems")
        return found

    @property
    def instances(self) -> int:
        """One for each contract; 1 where there are no tables."""
        return 1 if self.tables is None else len(self.contracts)

    @cached_property
    def values(self) -> Floats:
        """What is asked for, shape (n_contracts,)."""
        return np.array([one.value for one in self.contracts])

    def work_of(self, parameters: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return what a replication counts against a budget."""
        return 1.0

    def describe(self, instance: int = 0) -> dict[str, Any]:
        """Return the plan of one contract, and plans and answers of the others."""
        told = {
            "family": self.card.family,
            "asked": f"samples of {self._in_words}",
            "column": self.asked,
            "is_ratio": self.is_ratio,
        }
        if self.tables is None:
            return told
        one = self.contracts[instance]
        others = [other for place, other in enumerate(self.contracts) if place != instance]
        # Whether a contract is finished is known of the others alone: of this one it would tell how much is still to come.
        own = {name: value for name, value in one.told.items() if name != "is_finished"}
        return {
            **told,
            "planned": one.planned,
            "currency": one.currency,
            "sector": one.sector,
            **own,
            "others": {
                self.asked: np.delete(self.values, instance),
                "planned": np.array([other.planned for other in others]),
                "currency": [other.currency for other in others],
                "sector": [other.sector for other in others],
                **{name: [other.told[name] for other in others] for name in one.told},
            },
        }

    @property
    def _in_words(self) -> str:
        return self.asked.replace("_", " ")

    def simulate(self, parameters: Mapping[str, Any], replications: int, seed: int, instance: int = 0) -> dict[str, Floats]:
        """Draw other contracts, each as likely as the next."""
        refuse_unknown(parameters, ())
        others = np.delete(self.values, instance)
        places = generator_of(seed, f"bench/{self.card.name}").integers(0, len(others), replications)
        return {self.asked: others[places]}

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:
        """Judge `{"samples": array}` of what is asked for, shape (n,): by CRPS and log score, of a multiple those of its logarithm."""
        sign = " above 0" if self.is_ratio else ""
        given, rule = mapping_in(answer), f"answer: samples must be numbers{sign}, {_FEWEST} or more of them"
        sample = samples_in(given, rule)
        if sample.ndim != 1 or not _FEWEST <= len(sample) <= _MOST:
            raise BadAnswerError(f"{rule}; found the shape {sample.shape}")
        if not bool((np.isfinite(sample) & ((sample > 0) | (not self.is_ratio))).all()):
            raise BadAnswerError(f"{rule}; found one that is not")
        value = float(self.values[instance])
        scored, came = (np.log(sample), float(np.log(value))) if self.is_ratio else (sample, value)
        low, high = np.quantile(scored, [(1 - _COVERED) / 2, (1 + _COVERED) / 2])
        return (
            Judgement("crps", crps_of_sample(scored, came)),
            Judgement("log_score", log_score_of_sample(scored, came)),
            Judgement("covered_90", float(low <= came <= high), is_error=False),
        )

    def remade(self) -> dict[str, Any]:
        """Return nothing: the answers are what was paid, in tables that do not come with the package."""
        return {}

    def substance(self) -> dict[str, Any]:
        """Return what is asked; the tables have a fingerprint of their own, `tables_hash`."""
        crps = "crps of logarithm" if self.is_ratio else "crps"
        told = {"family": self.card.family, "asked": self._in_words, "scores": [crps, "log_score", "covered_90"]}
        return {**told, "which": self.which} if self.which else told

    @cached_property
    def tables_hash(self) -> str:
        """The first characters of the SHA-256 of the tables; empty where there are none."""
        if self.tables is None:
            return ""
        texts = b"".join((self.tables / f"{name}.csv").read_bytes() for name in sorted(INDIGO_COLUMNS))
        return sum_of(texts)[:12]
