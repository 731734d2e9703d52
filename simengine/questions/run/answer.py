"""Run a study: for a number of replications, or until standard errors are small enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.config import Study, known_metrics
from simengine.distributions import Constant
from simengine.errors import ResultsError, UnknownNameError
from simengine.pipeline import draw_numbers, drawn_again
from simengine.questions.run.outside import OutsideView, outside_view
from simengine.records import ReplicationResults, in_memory, row_index
from simengine.replications.answer import Answer
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.replications.money import asked_measures
from simengine.replications.precision import PreciseRun, control_variates, reach, read_goals, run_until
from simengine.risk import RiskTable, summarise
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic
from simengine.sampling import Sampling, refuse_impossible_variates, seeds_again
from simengine.store.folder import is_store, open_store
from simengine.store.run import Keeping, fill_store
from simengine.store.stored_results import stored_results


@dataclass(frozen=True, repr=False)
class Run(Answer):
    """A run of a study.

    `result["investor.p_loss"]` is a statistic, with its value and Monte Carlo standard error; `result["investor.net"]` is a column,
    an array with one value per row. Money is in whole units of the currency of the study, rates are per year as fractions (0.05 is
    5 %), months are counted from the start, which is month 0. A column holds NaN where a replication has no such number: a rate of
    return that does not exist, a loan that is never paid back, an estimate where nobody was measured. A column of words, such as
    `term.<term>.bound`, is an array of texts.
    """

    results: ReplicationResults
    table: RiskTable
    precise: PreciseRun | None
    """The precision reached; absent if none was requested."""
    sampling: Sampling
    with_control_variates: bool
    shows_diagnostics: bool
    pictures: str
    """Forms in which a folder of results holds both pictures, a key of `FORMS_OF`."""
    study: Study
    outside: OutsideView | None = None
    """The study's own forecast against signed contracts; absent unless the study names a reference class and its plan."""

    def __getitem__(self, name: str) -> Statistic | NDArray[Any]:
        """Look up a statistic by its path, such as `investor.p_loss`, or a column of the replications by its name.

        A requested measure is found under its text, such as `investor.cvar(0.9)`.

        Raises
        ------
        UnknownNameError
            If there is no such statistic or column.
        NotGivenError
            If too few replications carry the statistic: the message says how many it takes.
        """
        if name in self.results.columns:
            return self.results.words(name) if name in self.results.codes else in_memory(self.results[name])
        if self.table.get(name) is None and name not in self.table.refused:
            raise UnknownNameError("name", name, [*self.results.columns, *(path for path, _ in self.table.statistics())])
        return self.table[name]

    def get(self, path: str) -> Statistic | None:
        """Look up a statistic by its path; None where there is none, or where too few replications carry it."""
        return self.table.get(path)

    def __repr__(self) -> str:
        shape = f"{self.n_replications:,} replications, seed {self.seed}"
        return f"<Run: {shape}, {sum(1 for _ in self.table.statistics())} statistics, {len(self.results.columns)} columns>"

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row of results per replication, under its number.

        With `measured=k` it has k rows per replication, and the index a second level, `measurement`, from 1. With `tilts` a plain
        mean over rows is wrong: weigh them by the column `weight`, as `np.average(rows["investor.net"], weights=rows["weight"])`
        does. With `sobol` or `measured` rows of one `group` depend on each other, so that a standard error from the rows is wrong.
        `table` accounts for all of this.
        """
        return self.results.to_pandas()

    def draws(self) -> Any:
        """Return a data frame of pandas beside that of `to_pandas`, with the same index: every number that was drawn, by its path.

        A number that concerns no person is drawn anew in each measurement. With `tilts` the draws are tilted too: weigh them by the
        column `weight` of `to_pandas`.
        """
        import pandas as pd

        rows = in_memory(self.results.replications)
        drawn = draw_numbers(self.study, self.seed, np.unique(rows), self.sampling)
        again = [drawn_again(self.study, drawn, other) for other in seeds_again(self.seed, self.sampling.measured)]
        uncertain = [
            path for path, number in self.study.numbers.items() if not isinstance(number, Constant) and path in drawn.values
        ]
        columns = {path: np.stack([one.values[path] for one in (drawn, *again)], axis=1).reshape(-1) for path in uncertain}
        return pd.DataFrame(columns, index=row_index(rows))


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
    pictures: str = "png",
    keeping: Keeping | None = None,
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
    pictures
        Forms of both pictures, where the answer is kept in a folder: a key of `FORMS_OF`.
    keeping
        The store of the run; absent: its replications are held in memory.

    Raises
    ------
    UsageError
        If the study cannot be drawn in this way, a goal or a measure is none, or a goal cannot be reached.
    """
    asked = asked_measures(study, measures)
    how: dict[str, Any] = {"threads": ensemble.threads, "block_size": ensemble.block_size, "on_progress": ensemble.on_progress}
    shown = (sampling, with_control_variates, shows_diagnostics, pictures, study)
    seed, n_replications = ensemble.seed, ensemble.n_replications
    if keeping is not None:
        results, table, precise = _stored(study, ensemble, keeping, asked)
        ensemble = replace(ensemble, n_replications=table.n_replications)
        return Run(results, table, precise, *shown, outside_view(study, ensemble), n_replications=table.n_replications, seed=seed)
    if until is not None:
        goals = read_goals(until)
        precise = run_until(
            study, seed, goals, at_most, with_control_variates=with_control_variates, measures=asked, sampling=sampling, **how
        )
        return Run(
            precise.results,
            precise.table,
            precise,
            *shown,
            outside_view(study, ensemble),
            n_replications=precise.table.n_replications,
            seed=seed,
        )
    if with_control_variates:
        refuse_impossible_variates(sampling, study.numbers, n_replications, knows_deviations=bool(known_metrics(study)))
    results = run_study(
        study, seed, n_replications, with_variates=with_control_variates, sampling=sampling, on_pace=ensemble.on_pace, **how
    )
    variates = control_variates(study, seed, results, sampling) if with_control_variates else None
    table = summarise(results, variates, asked)
    return Run(results, table, None, *shown, outside_view(study, ensemble), n_replications=table.n_replications, seed=seed)


def _stored(
    study: Study, ensemble: Ensemble, keeping: Keeping, measures: Sequence[Measure]
) -> tuple[ReplicationResults, RiskTable, PreciseRun | None]:
    """Fill a store, with as many replications as were asked for or as a precision takes, and summarise it."""
    if keeping.aim is None:
        results = stored_results(fill_store(keeping, study, ensemble))
        return results, summarise(results, None, measures), None
    aim, there = keeping.aim, open_store(keeping.folder).record if keeping.is_begun else None

    def grown(n: int, looked_at: tuple[int, ...]) -> ReplicationResults:
        if there is not None and not keeping.resumes and n > there.replications:
            found = f"{there.replications:,} replications that are not enough for {aim.until}"
            raise ResultsError(
                f"{keeping.folder}: the precision of the run must be reached before it is answered from; found {found}. "
                f"`simengine run --resume {keeping.folder}` adds more"
            )
        is_begun = keeping.is_begun or is_store(keeping.folder)
        to = replace(
            keeping, aim=replace(aim, looked_at=looked_at), is_begun=is_begun, resumes=keeping.resumes or not keeping.is_begun
        )
        return stored_results(fill_store(to, study, replace(ensemble, n_replications=n)))

    precise = reach(
        study,
        ensemble.seed,
        read_goals(aim.until),
        aim.at_most,
        grown,
        sampling=keeping.sampling,
        measures=measures,
        begun=there.replications if there is not None else 0,
        looked_at=aim.looked_at,
    )
    return precise.results, precise.table, precise
