"""The problem of forecasting a signed contract from its plan and from the other contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card, Judgement
from simengine.bench.inference.scores import crps_of_sample, log_score_of_sample
from simengine.bench.problem import mapping_in, refuse_unknown, samples_in
from simengine.bench.refusals import BadAnswerError
from simengine.disk import sum_of
from simengine.errors import UsageError
from simengine.reference_class.history import Oddities, PaidAgainstPlan, paid_against_plan, payment_histories
from simengine.reference_class.indigo import INDIGO_COLUMNS, ProjectFilter, read_indigo
from simengine.reference_class.paid_over_planned import log_ratio
from simengine.streams import generator_of

_FEWEST, _MOST = 20, 1_000_000
_COVERED = 0.9
NEEDS_TABLES = "paid_of_planned: must have the public tables; found none. Download them and name their folder with --tables"


@dataclass(frozen=True)
class ForecastProblem:
    """What a contract has paid of what was planned; each data set is one contract, forecast from all others."""

    card: Card
    tables: Path | None = None
    """Folder of the downloaded tables; without it the problem can be read and not run."""
    person_periods: float = 0.0

    @cached_property
    def contracts(self) -> tuple[PaidAgainstPlan, ...]:
        """The contracts with a plan and payments.

        Raises
        ------
        UsageError
            If there are no tables, or too few such contracts.
        """
        if self.tables is None:
            raise UsageError(NEEDS_TABLES)
        odd = Oddities()
        histories = payment_histories(read_indigo(self.tables), ProjectFilter(), odd)
        against = [one for history in histories if (one := paid_against_plan(history, odd)) is not None]
        found = tuple(one for one in against if log_ratio(one) is not None)
        if len(found) < 3:
            raise UsageError(f"--tables {self.tables}: must have three contracts with a plan and payments; found {len(found)}")
        return found

    @property
    def instances(self) -> int:
        """One for each contract; 1 where there are no tables."""
        return 1 if self.tables is None else len(self.contracts)

    @cached_property
    def logs(self) -> Floats:
        """The logarithms of paid over planned, shape (n_contracts,)."""
        return np.array([known.value for one in self.contracts if (known := log_ratio(one)) is not None])

    def work_of(self, parameters: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return what a replication counts against a budget."""
        return 1.0

    def describe(self, instance: int = 0) -> dict[str, Any]:
        """Return the plan of one contract, and plans and payments of the others."""
        if self.tables is None:
            return {"family": self.card.family, "asked": "samples of paid over planned"}
        one = self.contracts[instance]
        others = [other for place, other in enumerate(self.contracts) if place != instance]
        return {
            "family": self.card.family,
            "asked": "samples of paid over planned",
            "planned": one.planned,
            "currency": one.history.currency,
            "sector": one.history.sector,
            "others": {
                "paid_over_planned": np.exp(np.delete(self.logs, instance)),
                "planned": np.array([other.planned for other in others]),
                "currency": [other.history.currency for other in others],
                "sector": [other.history.sector for other in others],
                "is_finished": [other.is_finished for other in others],
            },
        }

    def simulate(self, parameters: Mapping[str, Any], replications: int, seed: int, instance: int = 0) -> dict[str, Floats]:
        """Draw other contracts, each as likely as the next."""
        refuse_unknown(parameters, ())
        others = np.exp(np.delete(self.logs if self.tables else self._refused(), instance))
        places = generator_of(seed, f"bench/{self.card.name}").integers(0, len(others), replications)
        return {"paid_over_planned": others[places]}

    def _refused(self) -> Floats:
        raise UsageError(NEEDS_TABLES)

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:
        """Judge `{"samples": array}` of paid over planned, shape (n,), all above 0: CRPS and log score of the logarithm."""
        given, rule = mapping_in(answer), f"answer: samples must be numbers above 0, {_FEWEST} or more of them"
        sample = samples_in(given, rule)
        if sample.ndim != 1 or not _FEWEST <= len(sample) <= _MOST:
            raise BadAnswerError(f"{rule}; found the shape {sample.shape}")
        if not bool((np.isfinite(sample) & (sample > 0)).all()):
            raise BadAnswerError(f"{rule}; found one that is not")
        logs, value = np.log(sample), float((self.logs if self.tables else self._refused())[instance])
        low, high = np.quantile(logs, [(1 - _COVERED) / 2, (1 + _COVERED) / 2])
        return (
            Judgement("crps", crps_of_sample(logs, value)),
            Judgement("log_score", log_score_of_sample(logs, value)),
            Judgement("covered_90", float(low <= value <= high), is_error=False),
        )

    def remade(self) -> dict[str, Any]:
        """Return nothing: the answers are what was paid, in tables that do not come with the package."""
        return {}

    def substance(self) -> dict[str, Any]:
        """Return what is asked; the tables have a fingerprint of their own, `tables_hash`."""
        return {
            "family": self.card.family,
            "asked": "paid over planned",
            "scores": ["crps of logarithm", "log_score", "covered_90"],
        }

    @cached_property
    def tables_hash(self) -> str:
        """The first characters of the SHA-256 of the tables; empty where there are none."""
        if self.tables is None:
            return ""
        texts = b"".join((self.tables / f"{name}.csv").read_bytes() for name in sorted(INDIGO_COLUMNS))
        return sum_of(texts)[:12]


def forecast_problems() -> Iterator[ForecastProblem]:
    """Yield the problem, without its tables."""
    yield ForecastProblem(
        Card(
            "paid_of_planned",
            "forecasts",
            "Paid of planned",
            "What a signed contract has paid, as a multiple of what its first plan says, from the plan and from the other contracts.",
            "some sixty contracts of many kinds, half of them unfinished; plans are round, and some were written late",
            "what was paid, in the public INDIGO tables that the user has downloaded",
            "that of the tables",
            (10_000,),
            "another contract, drawn with replacement",
            made_by="simengine reference FOLDER --forecasts",
        )
    )
