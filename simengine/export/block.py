"""The tables of one block of replications: simulated, settled, and laid out as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.config import Study
from simengine.config.roles import with_money
from simengine.distributions import Constant
from simengine.pipeline import Evidence, as_contract_asks, measured_again, move_money, simulate
from simengine.questions.cash.periods import date_of, periods_of
from simengine.records import ARMS, PROJECT, SUPPLIERS, Floats, Integers, Ledger, Measurements, Reached
from simengine.sampling import Sampling, seeds_again


@dataclass(frozen=True)
class CodedWords:
    """A column of words: places in a list of them."""

    places: Integers
    words: Sequence[str]


BlockColumns = Mapping[str, "NDArray[Any] | CodedWords"]


@dataclass(frozen=True)
class BlockRows:
    """The rows of one block."""

    tables: Mapping[str, Sequence[BlockColumns]]
    """By table: its rows in one or several parts."""
    by_year: Mapping[str, Integers]
    """By party: cash of each year, shape (n_rows, n_years), in the smallest unit, rows as in the run."""


def input_paths(study: Study) -> list[str]:
    """List the paths of the numbers that are drawn."""
    return [path for path, number in study.numbers.items() if not isinstance(number, Constant)]


def holders_of_cash(study: Study) -> tuple[str, ...]:
    """List everybody with an account: parties with money, suppliers outside the study, the project."""
    return (*with_money(study), SUPPLIERS, PROJECT)


def rows_of_block(study: Study, seed: int, replications: Integers, sampling: Sampling) -> BlockRows:
    """Simulate some replications, and lay out what export tables hold of them."""
    evidence = simulate(study, seed, replications, sampling)
    again = (measured_again(study, evidence, other) for other in seeds_again(seed, sampling.measured))
    tables: dict[str, list[BlockColumns]] = {"outcomes": [_outcomes(study, evidence)]}
    years: list[dict[str, Integers]] = []
    for place, one in enumerate((evidence, *again), start=1):
        measurements = as_contract_asks(study.contract, one.tallies, one.measurements, one.draws)
        _, ledger = move_money(study, one.draws, one.tallies, measurements)
        own = {name: ledger.cash(name) for name in holders_of_cash(study)}
        years.append({name: _years(study, cash) for name, cash in own.items()})
        made = {"inputs": _inputs(study, one), "cash": _cash(study, ledger, replications)}
        made |= {"metrics": _metrics(study, measurements, replications)}
        made |= {"cash_by_year": _by_year(study, years[-1], ledger.units, replications)}
        made |= {} if measurements.reached is None else {"reached": _reached(measurements.reached, replications)}
        for name, columns in made.items():
            first = next(iter(columns.values()))
            n = len(first.places if isinstance(first, CodedWords) else first)
            tables.setdefault(name, []).append({**columns, "measurement": np.full(n, place, dtype=np.int64)})
    by_year = {name: np.stack([one[name] for one in years], axis=1).reshape(-1, years[0][name].shape[1]) for name in years[0]}
    return BlockRows(tables, by_year)


def _inputs(study: Study, evidence: Evidence) -> BlockColumns:
    draws = evidence.draws
    weight = np.ones(len(draws)) if draws.weight is None else draws.weight
    found: dict[str, Any] = {"replication": draws.replications, "weight": weight}
    return found | {path: np.asarray(draws.values[path], dtype=np.float64) for path in input_paths(study) if path in draws.values}


def _cash(study: Study, ledger: Ledger, replications: Integers) -> BlockColumns:
    """Lay out postings, each from both sides; notes of what was not paid have no sides."""
    parties, party = list(holders_of_cash(study)), {account.name: account.party for account in ledger.accounts}
    known = {name: place for place, name in enumerate(parties)}
    ends = np.array([[known.get(party.get(end, ""), -1) for end in (line.payer, line.receiver)] for line in ledger.lines])
    row, month, line = np.nonzero(ledger.journal)
    amount = ledger.journal[row, month, line] / ledger.units
    side = ends[line].reshape(-1)
    there = side >= 0
    signed = (amount[:, None] * np.array([-1.0, 1.0])).reshape(-1)

    def twice(values: Integers) -> Integers:
        return np.repeat(values, 2)[there]

    dates = [date_of(study.study.start, one) for one in range(ledger.journal.shape[1])]
    return {
        "replication": twice(replications[row]),
        "month": twice(month),
        "date": CodedWords(twice(month), dates),
        "party": CodedWords(side[there], parties),
        "flow": CodedWords(twice(line), [one.name for one in ledger.lines]),
        "amount": signed[there],
    }


def _years(study: Study, cash: Integers) -> Integers:
    starts = [period.first_month for period in periods_of(study.study.start, cash.shape[1], "year")]
    return np.add.reduceat(cash, starts, axis=1)


def _by_year(study: Study, years: Mapping[str, Integers], units: int, replications: Integers) -> BlockColumns:
    names = list(years)
    amounts = np.stack([years[name] for name in names], axis=2)  # replication, year, party
    n, n_years, n_parties = amounts.shape
    first = int(study.study.start[:4])
    return {
        "replication": np.repeat(replications, n_years * n_parties),
        "year": np.tile(np.repeat(np.arange(first, first + n_years), n_parties), n),
        "party": CodedWords(np.tile(np.arange(n_parties), n * n_years), names),
        "amount": amounts.reshape(-1) / units,
        "cumulative": np.cumsum(amounts, axis=1).reshape(-1) / units,
    }


def _metrics(study: Study, measurements: Measurements, replications: Integers) -> BlockColumns:
    """Lay out the estimates of all waves together, then those of each wave where there are any."""
    waves = ["", *study.population.waves]
    n, n_metrics = measurements.estimate.shape
    estimate, error = [measurements.estimate], [measurements.standard_error]
    if measurements.by_wave is not None:
        none = np.full(measurements.by_wave.shape, np.nan)
        of_waves = none if measurements.standard_error_by_wave is None else measurements.standard_error_by_wave
        estimate += list(measurements.by_wave.transpose(1, 0, 2))
        error += list(of_waves.transpose(1, 0, 2))
    shown = len(estimate)
    truth = np.full((shown, n, n_metrics), np.nan)
    truth[0] = measurements.truth

    def flat(arrays: Any) -> Floats:
        return np.asarray(np.stack(list(arrays)).transpose(1, 2, 0).reshape(-1))

    return {
        "replication": np.repeat(replications, n_metrics * shown),
        "metric": CodedWords(np.tile(np.repeat(np.arange(n_metrics), shown), n), list(measurements.metrics)),
        "wave": CodedWords(np.tile(np.arange(shown), n * n_metrics), waves),
        "estimate": flat(estimate),
        "standard_error": flat(error),
        "truth": flat(truth),
    }


def _outcomes(study: Study, evidence: Evidence) -> BlockColumns:
    tallies, replications = evidence.tallies, evidence.draws.replications
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = tallies.sums / tallies.weight[..., None, None]
    there = np.broadcast_to((tallies.n_people > 0)[..., None, None], mean.shape).reshape(-1)

    def along(axis: int) -> Integers:
        places = np.arange(mean.shape[axis]).reshape([-1 if one == axis else 1 for one in range(5)])
        return np.broadcast_to(places, mean.shape).reshape(-1)[there]

    persons = np.broadcast_to(tallies.n_people[..., None, None], mean.shape).reshape(-1)[there]
    return {
        "replication": replications[along(0)],
        "wave": CodedWords(along(1), list(study.population.waves)),
        "arm": CodedWords(along(2), list(ARMS)),
        "outcome": CodedWords(along(3), list(tallies.outcomes)),
        "window_months": np.asarray(tallies.windows, dtype=np.int64)[along(4)],
        "persons": persons.astype(np.int64),
        "mean": mean.reshape(-1)[there],
    }


def _reached(reached: Reached, replications: Integers) -> BlockColumns:
    n, n_waves, n_outcomes = len(reached), len(reached.waves), len(reached.outcomes)
    of_row = reached.replication_of_row
    wave = reached.wave[reached.first_person[of_row] + reached.person]
    at = (of_row * n_waves + wave) * n_outcomes + reached.outcome
    number = np.bincount(at, reached.units, minlength=n * n_waves * n_outcomes).astype(np.float64)
    return {
        "replication": np.repeat(replications, n_waves * n_outcomes),
        "wave": CodedWords(np.tile(np.repeat(np.arange(n_waves), n_outcomes), n), list(reached.waves)),
        "outcome": CodedWords(np.tile(np.arange(n_outcomes), n * n_waves), list(reached.outcomes)),
        "number": number,
    }
