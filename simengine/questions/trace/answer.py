"""One replication from its draws to its cash: every number that leads to the last posting, to be checked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isnan
from typing import Annotated, Any, NotRequired, TypedDict, cast

import numpy as np
from pydantic import Field

from simengine.asked import MOST_REPLICATIONS, whole
from simengine.config import Study
from simengine.contract import settle_cards
from simengine.currencies import units_of
from simengine.distributions import Constant
from simengine.errors import NOT_MEASURED, UsageError
from simengine.pipeline import Evidence, as_contract_asks, measured_again, move_money, run_block, simulate
from simengine.records import ARMS, Ledger, Measurements, Payments, ReplicationResults, Tallies
from simengine.replications.ensemble import Ensemble
from simengine.sampling import PLAIN, SCRAMBLES, Sampling, refuse_impossible, seeds_again


class PeopleRow(TypedDict):
    """People of an arm of a wave."""

    wave: str
    """The wave."""
    arm: str
    """The arm."""
    persons: int
    """Number of people."""


class OutcomeRow(TypedDict):
    """An outcome of an arm."""

    metric: str
    """The metric."""
    outcome: str
    """Its outcome."""
    window_months: int
    """Its window."""
    arm: str
    """The arm."""
    persons: int
    """Number of people."""
    sum: float
    """Sum of the outcome over these people within the window."""
    mean: float
    """Mean of it."""


class MetricRow(TypedDict):
    """What the evaluator concluded of a metric."""

    metric: str
    """The metric."""
    design: str
    """Its designs by wave, with commas between them."""
    estimate: float | None
    """The estimate; null if nothing was measured."""
    standard_error: float | None
    """The standard error that the evaluator would report; null if it is unknown."""
    truth: float | None
    """The truth; null if there is none."""
    not_measured: NotRequired[str | None]
    """Why there is no estimate; only if there is none of some metric."""


_ByCard = TypedDict(
    "_ByCard",
    {"<card>": Annotated[float, Field(description="By rate card: what the row changes before all caps but that of the person.")]},
    total=False,
)
"""A name in angle brackets stands for any."""


class ReachedRow(_ByCard):
    """An outcome that a person reached."""

    person: int
    """Number of the person, from 1."""
    wave: str
    """The wave of the person."""
    group: str
    """The group of the person."""
    entry: int
    """Month in which the person entered."""
    month: int
    """Month in which the outcome was reached."""
    outcome: str
    """The outcome."""
    units: NotRequired[float]
    """Units of it; only if the contract counts units."""
    is_false: NotRequired[bool]
    """Whether the claim is false; only if the study has false claims."""


class PaymentRow(TypedDict):
    """A payment that is owed."""

    term: str
    """The term."""
    date: str
    """The date of the contract, or `settlement`."""
    payer: str
    """Who owes it."""
    payee: str
    """Who is owed it."""
    amount: float
    """The amount."""
    bound: str
    """The limit that decided."""


_Accounts = TypedDict(
    "_Accounts",
    {
        "from": Annotated[str, Field(description="The account that pays; empty for a note of an amount that is not paid.")],
        "to": Annotated[str, Field(description="The account that receives; empty for such a note.")],
    },
)
"""`from` is a word of Python."""


class PostingRow(_Accounts):
    """A posting from account to account."""

    month: int
    """The month."""
    line: str
    """The line of the ledger."""
    amount: float
    """The amount."""


@dataclass(frozen=True)
class Trace:
    """What happened in one replication; every list in the order in which it happens."""

    seed: int
    replication: int
    """Number of the replication."""
    measurement: int
    """Which measurement of its people, from 1; a run without `--measured` has one."""
    drawn: dict[str, float]
    """By path: every number of the study that has a distribution."""
    people: list[PeopleRow]
    """Numbers of people, by wave and arm."""
    outcomes: list[OutcomeRow]
    """Outcomes of each arm within the window of a metric."""
    metrics: list[MetricRow]
    """The evaluator's estimates."""
    reached: list[ReachedRow]
    """Outcomes counted person by person, person by person; absent if there are none."""
    payments: list[PaymentRow]
    """Payments owed under the contract, by term and date."""
    postings: list[PostingRow]
    """Every posting, month by month, and notes of amounts not paid."""
    result: dict[str, Any]
    """The row of this replication in a run."""
    agrees: bool = False
    """Whether it was compared with the row of a run, and every number was the same."""

    def __repr__(self) -> str:
        counts = f"{len(self.payments):,} payments, {len(self.postings):,} postings"
        return f"<Trace: replication {self.replication:,}, measurement {self.measurement}, seed {self.seed}, {counts}>"


def trace(
    study: Study,
    seed: int,
    replication: int,
    sampling: Sampling = PLAIN,
    *,
    measurement: int = 1,
    with_variates: bool = False,
) -> Trace:
    """Run one replication from its draws to its cash; it is the same as in any run with this seed.

    Parameters
    ----------
    study
        The question.
    seed
        Of the run.
    replication
        Its number, from 0.
    sampling
        How the run drew the numbers of the study.
    measurement
        Which of the measurements is shown, from 1, where the same people are measured several times.
    with_variates
        As for `run_block`.

    Raises
    ------
    UsageError
        If there is no such replication or measurement, or the study cannot be drawn in this way.
    """
    made = made_again(study, seed, replication, sampling, measurement=measurement)
    evidence, measurements, payments = made.evidence, made.measurements, made.payments
    distributions = study.numbers
    results = run_block(study, seed, evidence.draws.replications, sampling, with_variates=with_variates)
    return Trace(
        seed,
        replication,
        measurement,
        {
            path: float(values[0])
            for path, values in evidence.draws.values.items()
            if not isinstance(distributions.get(path), Constant)
        },
        list(_people(study, evidence.tallies)),
        list(_outcomes(study, evidence.tallies)),
        list(_metrics(study, measurements)),
        list(_reached(study, measurements)),
        list(_payments(payments)),
        list(_postings(made.ledger)),
        row_of(results, measurement - 1),
    )


@dataclass(frozen=True)
class MadeAgain:
    """The stages of one replication, each record with one row."""

    evidence: Evidence
    measurements: Measurements
    """As the contract asks for them."""
    payments: Payments
    ledger: Ledger


def made_again(study: Study, seed: int, replication: int, sampling: Sampling = PLAIN, *, measurement: int = 1) -> MadeAgain:
    """Simulate, measure and settle one replication; parameters and errors as for `trace`."""
    numbers = np.array([whole(replication, "--replication", 0, MOST_REPLICATIONS - 1)], dtype=np.int64)
    refuse_impossible(sampling, study.numbers, SCRAMBLES)
    measurement = whole(measurement, "--measurement", 1, sampling.measured)
    evidence = simulate(study, seed, numbers, sampling)
    if measurement > 1:
        evidence = measured_again(study, evidence, seeds_again(seed, sampling.measured)[measurement - 2])
    measurements = as_contract_asks(study.contract, evidence.tallies, evidence.measurements, evidence.draws)
    return MadeAgain(evidence, measurements, *move_money(study, evidence.draws, evidence.tallies, measurements))


def trace_again(
    study: Study,
    ensemble: Ensemble,
    replication: int,
    measurement: int,
    sampling: Sampling,
    *,
    with_variates: bool,
    kept: Mapping[str, Any] | None,
) -> Trace:
    """Trace a replication, and compare it with its row in a run.

    Raises
    ------
    UsageError
        If there is no such replication or measurement, or the run kept other numbers.
    """
    found = trace(study, ensemble.seed, replication, sampling, measurement=measurement, with_variates=with_variates)
    if kept is None:
        return found
    differing = sorted(name for name in kept.keys() | found.result.keys() if not _is_same(kept.get(name), found.result.get(name)))
    if differing:
        names = ", ".join(differing[:5])
        raise UsageError(
            f"RUN: a replication that is made again must be the one that was kept; found other values of {names}. "
            "The results come from another version, or the folder was changed"
        )
    return replace(found, agrees=True)


def _is_same(one: Any, other: Any) -> bool:
    # NaN stands for what does not exist: two of them are the same.
    return bool(one == other or (one != one and other != other))


def row_of(results: ReplicationResults, place: int) -> dict[str, Any]:
    """Return one row, with codes as words."""
    row: dict[str, Any] = {}
    for name, values in results.columns.items():
        row[name] = results.codes[name][int(values[place])] if name in results.codes else values[place].item()
    return row


def _people(study: Study, tallies: Tallies) -> Iterator[PeopleRow]:
    for w, wave in enumerate(study.population.waves):
        for a, arm in enumerate(ARMS):
            if tallies.n_people[0, w, a] > 0:
                yield {"wave": wave, "arm": arm, "persons": int(tallies.n_people[0, w, a])}


def _outcomes(study: Study, tallies: Tallies) -> Iterator[OutcomeRow]:
    for name, metric in study.measurement.measured.items():
        outcome, window = tallies.outcomes.index(metric.outcome), tallies.windows.index(int(metric.window_months.value))
        for a, arm in enumerate(ARMS):
            persons = int(tallies.n_people[0, :, a].sum())
            total = float(tallies.sums[0, :, a, outcome, window].sum())
            if persons > 0:
                yield {
                    "metric": name,
                    "outcome": metric.outcome,
                    "window_months": tallies.windows[window],
                    "arm": arm,
                    "persons": persons,
                    "sum": total,
                    "mean": total / persons,
                }


def _metrics(study: Study, measurements: Measurements) -> Iterator[MetricRow]:
    """Yield what was concluded; nothing stands for what was not measured, and for an error that is unknown."""
    is_missing = bool(np.isnan(measurements.estimate[0]).any())
    for m, name in enumerate(measurements.metrics):
        row: MetricRow = {
            "metric": name,
            "design": ", ".join(study.measurement.designs_of(name, study.population.waves)),
            "estimate": _known(measurements.estimate[0, m]),
            "standard_error": _known(measurements.standard_error[0, m]),
            "truth": _known(measurements.truth[0, m]),
        }
        if is_missing and measurements.why is not None:
            row["not_measured"] = NOT_MEASURED[measurements.why[0, m]] or None
        yield row


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)


def _reached(study: Study, measurements: Measurements) -> Iterator[ReachedRow]:
    """Yield what each person reached, person by person, with what it moves under each rate card."""
    reached = measurements.reached
    if reached is None:
        return
    settled, units = settle_cards(study.contract, reached, measurements, with_rows=True), units_of(study.contract.currency)
    order = np.lexsort((np.arange(len(reached.person)), reached.person))
    for x in order:
        p = reached.person[x]
        row: ReachedRow = {
            "person": int(p) + 1,
            "wave": reached.waves[reached.wave[p]],
            "group": reached.groups[reached.group[p]],
            "entry": int(reached.entry[p]),
            "month": int(reached.month[x]),
            "outcome": reached.outcomes[reached.outcome[x]],
        }
        if reached.units is not None:
            row["units"] = float(reached.units[x])
        if reached.is_false is not None:
            row["is_false"] = bool(reached.is_false[x])
        by_card = {card: float(changed[x]) / units for card, changed in settled.by_row.items()}
        yield cast("ReachedRow", {**row, **by_card})


def _payments(payments: Payments) -> Iterator[PaymentRow]:
    for t, term in enumerate(payments.terms):
        for due in np.flatnonzero(payments.is_due[t]):
            yield {
                "term": term,
                "date": payments.dues[due],
                "payer": payments.parties[t][0],
                "payee": payments.parties[t][1],
                "amount": float(payments.by_due[0, t, due]),
                "bound": payments.limit(0, t, int(due)),
            }


def _postings(ledger: Ledger) -> Iterator[PostingRow]:
    """Yield everything that was posted, month by month, in the order of the lines."""
    for month, place in zip(*np.nonzero(ledger.journal[0]), strict=True):
        line = ledger.lines[place]
        amount = float(ledger.journal[0, month, place]) / ledger.units
        yield {"month": int(month), "line": line.name, "from": line.payer, "to": line.receiver, "amount": amount}
