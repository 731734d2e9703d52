"""What a workbook tells: a run that was kept, its cash by date, and the replications that are shown line by line, made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from simengine.config import Study, load_study, timing_of
from simengine.config.roles import lenders_of, with_money
from simengine.errors import ResultsError, UsageError, did_you_mean, one_of
from simengine.pipeline import discount_basis_of
from simengine.questions.cash.answer import CashOverTime
from simengine.questions.cash.question import CASH
from simengine.questions.driver import OnProgress, pose
from simengine.questions.question import Source
from simengine.questions.subject import Size
from simengine.questions.trace.answer import MadeAgain, Trace, made_again, trace_again
from simengine.records import ALL_LENDERS, Floats, PublicValue, measurements_of
from simengine.replications.ensemble import Ensemble
from simengine.report.kept import KeptRun, read_run
from simengine.risk import DiscountBasis
from simengine.value import value_outcomes

PLACES: Mapping[str, float] = {"worst": 0.0, "low": 0.05, "median": 0.5, "high": 0.95, "best": 1.0}
"""By word: the share of the replications that are no better than the one that is shown."""


@dataclass(frozen=True)
class ShownReplication:
    """One replication, with everything that its sheet shows."""

    place: str
    """A key of `PLACES`."""
    trace: Trace
    made: MadeAgain
    public_value: PublicValue
    basis: DiscountBasis


@dataclass(frozen=True)
class ToldRun:
    """A run, as a workbook tells it."""

    run: KeptRun
    study: Study
    cash: CashOverTime
    party: str
    """By whose net the replications are ranked."""
    shown: tuple[ShownReplication, ...]

    @property
    def lenders(self) -> tuple[str, ...]:
        """Who lends."""
        return lenders_of(self.study)


def tell(folder: Path, party: str | None, every: str, threads: int | None, on_progress: OnProgress | None) -> ToldRun:
    """Read a run, draw it again for the cash by date, and make the replications again that are shown.

    Parameters
    ----------
    folder
        What `simengine run -o` wrote.
    party
        By whose net the replications are ranked; absent: the only lender, all lenders, or who pays where nobody lends.
    every
        The periods of the cash: `month`, `quarter` or `year`.
    threads
        Blocks that run at once.
    on_progress
        Called with the number of replications of each finished block.

    Raises
    ------
    ResultsError
        If the folder does not hold a run as it was written.
    UsageError
        If there is no such party, the cash cannot be held, or another version drew other numbers.
    """
    run = read_run(folder)
    study = load_study(run.study)
    party = _ranked_by(study, party)
    chosen = choose(run, party)
    cash = _cash_again(run, study, every, threads, on_progress)
    _refuse_another_version(run, study, cash)
    shown = tuple(_shown(run, study, place, *chosen[place]) for place in PLACES)
    return ToldRun(run, study, cash, party, shown)


def _ranked_by(study: Study, party: str | None) -> str:
    lenders = lenders_of(study)
    known = (*with_money(study), *([ALL_LENDERS] if len(lenders) > 1 else []))
    if party is None:
        return ALL_LENDERS if len(lenders) > 1 else lenders[0] if lenders else study.capital.who_pays[0]
    if party not in known:
        raise UsageError(
            f"--party: must be a party whose money the study moves; found `{party}`. {did_you_mean(party, known, one_of(known))}"
        )
    return party


def choose(run: KeptRun, party: str) -> dict[str, tuple[int, int]]:
    """Choose the replications that stand at some places among all, ranked by the net of a party.

    The one at the place q has the smallest net that a share q of the replications, by their weights, does not exceed; of equal ones
    the first.

    Returns
    -------
    By place: the number of the replication, and of the measurement of its people, from 1.
    """
    columns = run.columns(("replication", f"{party}.net", "weight"))
    numbers, net = columns["replication"], columns[f"{party}.net"]
    weight = columns.get("weight", np.ones(len(net)))
    order = np.argsort(net, kind="stable")
    so_far = np.cumsum(weight[order])
    measurement = measurements_of(numbers)
    found = {}
    for place, share in PLACES.items():
        rank = (
            np.searchsorted(so_far, share * so_far[-1] * (1 - 1e-12))
            if "weight" in columns
            else ceil(round(share * len(net), 6)) - 1
        )
        row = order[min(max(int(rank), 0), len(net) - 1)]
        # Of equal ones the first.
        row = int(np.flatnonzero(net == net[row])[0])
        found[place] = (int(numbers[row]), int(measurement[row]))
    return found


def _cash_again(run: KeptRun, study: Study, every: str, threads: int | None, on_progress: OnProgress | None) -> CashOverTime:
    given = {
        "sobol": run.sampling.is_sobol,
        "tilts": tuple(f"{path}={shift!r}" for path, shift in run.sampling.tilts.items()),
        "measured": run.sampling.measured,
        "control_variates": run.with_control_variates,
        "every": every,
    }
    size = Size(run.n_replications, run.seed, threads)
    found: CashOverTime = pose(CASH, study, size, given, Source(None, lambda name: study.with_(variant=name))).answer(on_progress)
    return found


def _refuse_another_version(run: KeptRun, study: Study, cash: CashOverTime) -> None:
    """Refuse cash that is not that of the run: another version draws other numbers."""
    names = [name for name in with_money(study) if name in cash.cash]
    kept = run.columns(tuple(f"{name}.cash" for name in names))
    for name in names:
        if not np.array_equal(cash.cash[name].sum(axis=1) / cash.flows.units, kept.get(f"{name}.cash", np.empty(0))):
            rule = "must hold the cash that this version draws"
            way_out = "Run it again with this version, as run-again.txt says"
            raise ResultsError(f"{run.folder / 'replications.parquet'}: {rule}; found other values of {name}.cash. {way_out}")


def _shown(run: KeptRun, study: Study, place: str, replication: int, measurement: int) -> ShownReplication:
    row = run.row(replication, measurement)
    trace = trace_again(
        study,
        Ensemble(run.seed, 2),
        replication,
        measurement,
        run.sampling,
        with_variates=run.with_control_variates,
        kept=row,
    )
    made = made_again(study, run.seed, replication, run.sampling, measurement=measurement)
    draws = made.evidence.draws
    value = value_outcomes(study.public_value, tuple(study.parties), timing_of(study, draws), made.evidence.tallies, draws)
    return ShownReplication(place, trace, made, value, discount_basis_of(study, draws, value.value.shape[2]))


def factors_of(shown: ShownReplication, party: str) -> Floats:
    """Return the discount factors of a party in a replication, of shape (n_months,); with its price level where they are real."""
    return np.asarray(shown.basis.discount_factors[party][0])
