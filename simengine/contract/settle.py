"""Compile a contract's terms once, and settle them for every replication."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simengine.contract.compile import Program, compile_contract
from simengine.contract.program import Column, Register
from simengine.contract.scope import DRAWN
from simengine.contract.spec import Contract
from simengine.errors import Problem, StudyError
from simengine.records import Floats, Measurements, Payments


def settle(contract: Contract, measurements: Measurements, drawn: Floats, until: str | None = None) -> Payments:
    """Pay every term on what was measured.

    Parameters
    ----------
    contract
        The terms.
    measurements
        What the evaluator concluded; one replication for a replay.
    drawn
        Shape (n_replications,): the money that the investor paid in, in the currency of the contract, not negative.
    until
        The date after which nothing is settled; absent: everything is.

    Returns
    -------
    The amount of each term on each date, rounded half to even to the smallest unit of the currency, and the limit that decided
    it.

    Raises
    ------
    StudyError
        If a payment depends on something that was not measured, and the contract does not say what then counts.
    """
    program = compile_contract(contract, until)
    columns = np.empty((len(program.code.columns), len(drawn)))
    for place, column in enumerate(program.code.columns):
        columns[place] = column_of(column, measurements, drawn)
    n_lines = len(program.lines)
    outputs = [line.amount for line in program.lines] + [line.bound for line in program.lines]
    settled = program.code.run(columns, outputs)
    _refuse_missing(contract, program, settled[:n_lines])
    return _payments(contract, program, settled[:n_lines], settled[n_lines:], until)


def _payments(contract: Contract, program: Program, amounts: Floats, bounds: Floats, until: str | None) -> Payments:
    dates = list(contract.dates)
    dues = tuple(dates if until is None else dates[: dates.index(until) + 1]) or ("settlement",)
    shape = (amounts.shape[1], len(contract.terms), len(dues))
    by_due, bound = np.zeros(shape), np.zeros(shape, dtype=np.int8)
    months = np.full(shape[1:], -1, dtype=np.int64)
    for number, line in enumerate(program.lines):
        by_due[:, line.term, line.due] = amounts[number]
        bound[:, line.term, line.due] = bounds[number].astype(np.int8)
        months[line.term, line.due] = line.month
    parties = tuple((term.payer, term.payee) for term in contract.terms.values())
    return Payments(tuple(contract.terms), parties, dues, months, by_due, bound)


def column_of(column: Column, measurements: Measurements, drawn: Floats) -> Floats:
    """Give what a program asks of the world; NaN where it was not measured."""
    kind, missing = column[0], np.full_like(drawn, np.nan)
    if kind == DRAWN:
        return drawn
    if kind == "combination":
        _, combination, wave = column
        return missing if measurements.milestones is None else measurements.milestones.counts[:, wave, combination]
    if kind == "people":
        return missing if measurements.people is None else measurements.people[:, column[1]]
    if column[1] not in measurements.metrics:
        return missing
    metric = measurements.metrics.index(str(column[1]))
    if kind == "metric":
        return measurements.estimate[:, metric]
    return missing if measurements.by_wave is None else measurements.by_wave[:, column[2], metric]


def _refuse_missing(contract: Contract, program: Program, amounts: Floats) -> None:
    """Refuse payments that depend on what was not measured, each term once."""
    lacking = {line.term: line for line, amount in zip(program.lines, amounts, strict=True) if np.isnan(amount).any()}
    names = list(contract.terms)
    problems = [
        Problem(
            "the run",
            f"contract.terms.{names[term]}",
            "everything that a payment depends on is measured",
            f"no value in at least one replication; it depends on {', '.join(asked_for(contract, program, [line.amount]))}",
            "Measure it, say `when_missing` for the metric, or give a fallback with `first_of`",
        )
        for term, line in lacking.items()
    ]
    if problems:
        raise StudyError(problems)


def inputs_of(contract: Contract, until: str | None = None) -> list[str]:
    """List what the payments of a contract look at, as a reader writes it: `metric`, `metric.wave`, `people.wave`, `one+two`."""
    program = compile_contract(contract, until)
    return asked_for(contract, program, [line.amount for line in program.lines])


def asked_for(contract: Contract, program: Program, registers: Sequence[Register]) -> list[str]:
    """List what some registers depend on, in the order of the contract."""
    waves, names = list(contract.waves) or [""], list(contract.milestones)
    words = []
    for kind, *rest in program.code.columns_behind(registers):
        if kind == "metric":
            words.append(str(rest[0]))
        elif kind == "wave":
            words.append(f"{rest[0]}.{waves[int(rest[1])]}")
        elif kind == "people":
            words.append(f"people.{waves[int(rest[0])]}")
        elif kind == "combination":
            reached = "+".join(name for i, name in enumerate(names) if int(rest[0]) >> i & 1) or "none"
            words.append(f"{reached}.{waves[int(rest[1])]}".rstrip("."))
    order = {name: place for place, name in enumerate(contract.metrics)}
    return sorted(words, key=lambda word: order.get(word.partition(".")[0], len(order)))
