"""One world from its people to its cash: every number between the draw and the last posting, so that it can be checked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.config import Study
from simengine.laws import Constant
from simengine.pipeline import evaluate, move_money, simulate, with_milestones
from simengine.records import ARMS, SMALLEST_UNITS, Ledger, Outturns, Payments, Tallies

Row = dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """What happened in one replication; every list in the order in which it happens."""

    seed: int
    replication: int
    drawn: dict[str, float]
    """By path: every number of the study that has a law."""
    people: list[Row]
    """By wave and arm: how many persons."""
    outcomes: list[Row]
    """By metric and arm: persons, sum and mean of the outcome within the metric's window."""
    metrics: list[Row]
    """What the evaluator concluded, its standard error, and the truth."""
    payments: list[Row]
    """By term and date: what is owed, and the limit that decided."""
    postings: list[Row]
    """By month: who paid whom how much, and what was noted without being paid."""
    outturn: dict[str, Any]
    """The row that a run keeps of this replication."""


def trace(study: Study, seed: int, replication: int) -> Trace:
    """Take one replication alone from its draws to its cash; it is the same as in any run with this seed.

    Parameters
    ----------
    study
        The question.
    seed
        Of the run.
    replication
        Its number, from 0.
    """
    evidence = simulate(study, seed, np.array([replication], dtype=np.int64))
    measurements = with_milestones(study.contract, evidence.tallies, evidence.measurements)
    payments, ledger = move_money(study, evidence.worlds, evidence.tallies, measurements)
    laws = dict(study.quantities())
    return Trace(
        seed,
        replication,
        {path: float(values[0]) for path, values in evidence.worlds.values.items() if not isinstance(laws.get(path), Constant)},
        list(_people(study, evidence.tallies)),
        list(_outcomes(study, evidence.tallies)),
        [
            {
                "metric": name,
                "design": study.measurement.design,
                "estimate": float(measurements.estimate[0, m]),
                "standard_error": float(measurements.standard_error[0, m]),
                "truth": float(measurements.truth[0, m]),
            }
            for m, name in enumerate(measurements.metrics)
        ],
        list(_payments(payments)),
        list(_postings(ledger)),
        row_of(evaluate(study, evidence)),
    )


def row_of(outturns: Outturns) -> dict[str, Any]:
    """Give the row of one replication, its codes as words."""
    row: dict[str, Any] = {}
    for name, values in outturns.columns.items():
        row[name] = outturns.codes[name][int(values[0])] if name in outturns.codes else values[0].item()
    return row


def _people(study: Study, tallies: Tallies) -> Iterator[Row]:
    for w, wave in enumerate(study.population.waves):
        for a, arm in enumerate(ARMS):
            if tallies.n_people[0, w, a] > 0:
                yield {"wave": wave, "arm": arm, "persons": int(tallies.n_people[0, w, a])}


def _outcomes(study: Study, tallies: Tallies) -> Iterator[Row]:
    for name, metric in study.measurement.metrics.items():
        outcome, window = tallies.outcomes.index(metric.outcome), tallies.windows.index(int(metric.window_months.value))
        for a, arm in enumerate(ARMS):
            persons = int(tallies.n_people[0, :, a].sum())
            total = float(tallies.sums[0, :, a, outcome, window].sum())
            if persons > 0:
                row: Row = {"metric": name, "outcome": metric.outcome, "window_months": tallies.windows[window], "arm": arm}
                yield row | {"persons": persons, "sum": total, "mean": total / persons}


def _payments(payments: Payments) -> Iterator[Row]:
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


def _postings(ledger: Ledger) -> Iterator[Row]:
    """Yield everything that was posted, month by month, in the order of the lines."""
    for month, place in zip(*np.nonzero(ledger.journal[0]), strict=True):
        line = ledger.lines[place]
        amount = float(ledger.journal[0, month, place]) / SMALLEST_UNITS
        yield {"month": int(month), "line": line.name, "from": line.payer, "to": line.receiver, "amount": amount}
