"""Run a study: as often as is asked, or until standard errors are as small as is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simengine.config import Study, known_metrics
from simengine.records import Outturns
from simengine.risk import RiskTable, summarise
from simengine.sampling import Sampling, refuse_impossible_variates
from simengine.worlds.blocks import run_study
from simengine.worlds.ensemble import Ensemble
from simengine.worlds.precision import PreciseRun, control_variates, read_goals, run_until


@dataclass(frozen=True)
class Run:
    """A run of a study."""

    seed: int
    n_replications: int
    outturns: Outturns
    table: RiskTable
    precise: PreciseRun | None
    """Which precision was reached; absent where none was asked for."""
    sampling: Sampling
    with_control_variates: bool
    shows_diagnostics: bool


def run(
    study: Study,
    ensemble: Ensemble,
    sampling: Sampling,
    *,
    with_control_variates: bool = False,
    until: str | None = None,
    at_most: int,
    shows_diagnostics: bool = False,
) -> Run:
    """Run a study, and summarise what each replication came to.

    Parameters
    ----------
    study
        The question.
    ensemble
        Which replications are drawn; their number is of no account where a precision is asked for.
    sampling
        How the numbers of the study are drawn.
    with_control_variates
        Whether results are corrected by what is known of the numbers' distributions.
    until
        How small standard errors shall be, as `read_goals` reads it.
    at_most
        The most replications that this may take.
    shows_diagnostics
        Whether tables show how each mean settles as the run grows.

    Raises
    ------
    UsageError
        If the study cannot be drawn in this way, a goal is none, or it cannot be reached.
    """
    how: dict[str, Any] = {"threads": ensemble.threads, "block_size": ensemble.block_size, "on_progress": ensemble.on_progress}
    shown = (sampling, with_control_variates, shows_diagnostics)
    seed, n_replications = ensemble.seed, ensemble.n_replications
    if until is not None:
        goals = read_goals(until)
        precise = run_until(study, seed, goals, at_most, with_control_variates=with_control_variates, sampling=sampling, **how)
        return Run(seed, precise.table.n_replications, precise.outturns, precise.table, precise, *shown)
    if with_control_variates:
        refuse_impossible_variates(sampling, dict(study.quantities()), n_replications, knows_luck=bool(known_metrics(study)))
    outturns = run_study(study, seed, n_replications, with_variates=with_control_variates, sampling=sampling, **how)
    table = summarise(outturns, control_variates(study, seed, outturns, sampling) if with_control_variates else None)
    return Run(seed, table.n_replications, outturns, table, None, *shown)
