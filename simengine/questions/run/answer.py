"""Run a study: for a number of replications, or until standard errors are small enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.config import Study, known_metrics
from simengine.distributions import Constant
from simengine.pipeline import draw_numbers
from simengine.records import ReplicationResults
from simengine.replications.answer import Answer
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.replications.money import asked_measures
from simengine.replications.precision import PreciseRun, control_variates, read_goals, run_until
from simengine.risk import RiskTable, summarise
from simengine.risk.statistics import Statistic
from simengine.sampling import Sampling, refuse_impossible_variates


@dataclass(frozen=True, repr=False)
class Run(Answer):
    """A run of a study."""

    seed: int
    n_replications: int
    results: ReplicationResults
    table: RiskTable
    precise: PreciseRun | None
    """The precision reached; absent if none was requested."""
    sampling: Sampling
    with_control_variates: bool
    shows_diagnostics: bool
    study: Study

    def __getitem__(self, name: str) -> Statistic | NDArray[Any]:
        """Look up a statistic by its path, such as `investor.p_loss`, or a column of the replications by its name.

        A requested measure is found under its text, such as `investor.cvar(0.9)`.
        """
        return self.results[name] if name in self.results.columns else self.table[name]

    def __repr__(self) -> str:
        shape = f"{self.n_replications:,} replications, seed {self.seed}"
        return f"<Run: {shape}, {sum(1 for _ in self.table.statistics())} statistics, {len(self.results.columns)} columns>"

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row of results per replication."""
        return self.results.to_pandas()

    def draws(self) -> Any:
        """Return a data frame of pandas beside that of `to_pandas`: by replication, every number that was drawn, under its path."""
        import pandas as pd

        numbers = np.unique(self.results.replications)
        drawn = draw_numbers(self.study, self.seed, numbers, self.sampling)
        uncertain = [path for path, number in self.study.quantities() if not isinstance(number, Constant) and path in drawn.values]
        return pd.DataFrame({path: drawn.values[path] for path in uncertain}, index=pd.Index(numbers, name="replication"))


def run_question(
    study: Study,
    ensemble: Ensemble,
    sampling: Sampling,
    *,
    with_control_variates: bool = False,
    until: str | None = None,
    at_most: int,
    measures: Sequence[str] = (),
    shows_diagnostics: bool = False,
) -> Run:
    """Run a study, and summarise its replications.

    Parameters
    ----------
    study
        The question.
    ensemble
        Which replications are drawn; their number is ignored if a precision is requested.
    sampling
        How the numbers of the study are drawn.
    with_control_variates
        Whether results are corrected by known means.
    until
        Requested standard errors, as parsed by `read_goals`.
    at_most
        The largest number of replications.
    measures
        Further measures: `party.measure`, or a measure alone for every party that has it.
    shows_diagnostics
        Whether tables show how each mean converges as the run grows.

    Raises
    ------
    UsageError
        If the study cannot be drawn in this way, a goal or a measure is none, or a goal cannot be reached.
    """
    asked = asked_measures(study, measures)
    how: dict[str, Any] = {"threads": ensemble.threads, "block_size": ensemble.block_size, "on_progress": ensemble.on_progress}
    shown = (sampling, with_control_variates, shows_diagnostics, study)
    seed, n_replications = ensemble.seed, ensemble.n_replications
    if until is not None:
        goals = read_goals(until)
        precise = run_until(
            study, seed, goals, at_most, with_control_variates=with_control_variates, measures=asked, sampling=sampling, **how
        )
        return Run(seed, precise.table.n_replications, precise.results, precise.table, precise, *shown)
    if with_control_variates:
        refuse_impossible_variates(sampling, dict(study.quantities()), n_replications, knows_luck=bool(known_metrics(study)))
    results = run_study(study, seed, n_replications, with_variates=with_control_variates, sampling=sampling, **how)
    variates = control_variates(study, seed, results, sampling) if with_control_variates else None
    table = summarise(results, variates, asked)
    return Run(seed, table.n_replications, results, table, None, *shown)
