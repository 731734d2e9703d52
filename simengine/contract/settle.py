"""Compile a contract's terms once, and settle them for every replication."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simengine.contract.card import CardSettlement, settle_cards
from simengine.contract.columns import column_of
from simengine.contract.compile import Program, compile_contract
from simengine.contract.program import Column, Register
from simengine.contract.scope import CALL, CALLED, CARD, REACHED
from simengine.contract.spec import Contract
from simengine.errors import NOT_MEASURED, NotMeasuredError, Problem, StudyError
from simengine.records import LIMITS, Drawing, Floats, Integers, Measurements, Payments


def settle_terms(
    contract: Contract,
    measurements: Measurements,
    drawn: Floats | Drawing,
    until: str | None = None,
    cards: CardSettlement | None = None,
) -> Payments:
    """Pay every term on what was measured.

    Parameters
    ----------
    contract
        The terms.
    measurements
        What the evaluator concluded; one replication for a replay.
    drawn
        The money that the investor paid in, in the currency of the contract, not negative: in all, of shape (n_replications,), or
        with the months in which a study draws it. Terms see these months; without them, the dates of the contract.
    until
        The date after which nothing is settled; absent: everything is.
    cards
        What its rate cards pay, where they were settled before; they depend on no money drawn.

    Returns
    -------
    The amount of each term on each date, rounded half to even to the smallest unit of the currency, and the limit that decided
    it.

    Raises
    ------
    StudyError
        If a payment or a stop depends on something that was not measured, and the contract does not say what then counts. It is a
        NotMeasuredError where an estimate of a run is missing in some replications.
    """
    drawing = drawn if isinstance(drawn, Drawing) else Drawing(drawn)
    program, n = compile_contract(contract, until, drawing.months), len(drawing.total)
    cards = settle_cards(contract, measurements.reached, measurements) if cards is None else cards
    dates = list(contract.calendar)
    dues = tuple(dates if until is None else dates[: dates.index(until) + 1]) or ("settlement",)
    columns = np.empty((len(program.code.columns), n))
    for place, column in enumerate(program.code.columns):
        columns[place] = column_of(column, measurements, cards.columns, drawing)
    # In memory replications lie side by side, one row for each term and date; the record shows the same numbers the other way.
    shape = (len(contract.terms), len(dues))
    amounts, bounds, months = (np.full(shape, -1, dtype=np.int64) for _ in range(3))
    for line in program.lines:
        amounts[line.term, line.due], bounds[line.term, line.due] = line.amount, line.bound
        months[line.term, line.due] = line.month
    # The conditions of stops are run with the payments: one output more for each.
    ends = np.array([register for _, register in program.ends], dtype=np.int64)
    n_outputs = amounts.size + len(ends)
    amount, bound = np.zeros((n_outputs, n)), np.zeros((n_outputs, n), dtype=np.int8)
    program.code.run(columns, np.append(amounts, ends), np.append(bounds, ends), amount, bound)
    ended, amount, bound = amount[amounts.size :], amount[: amounts.size], bound[: amounts.size]
    by_due = amount.reshape(*shape, -1).transpose(2, 0, 1)
    _refuse_missing(contract, program, by_due, ended, measurements)
    parties = tuple((term.payer, term.payee) for term in contract.terms.values())
    bound_by_due = bound.reshape(*shape, -1).transpose(2, 0, 1)
    limits = tuple(tuple(program.limits.get(name, LIMITS)) for name in contract.terms)
    stop_month = _stop_months(program, ended == 1.0)
    return Payments(tuple(contract.terms), parties, dues, months, by_due, bound_by_due, stop_month, limits)


def _stop_months(program: Program, is_ended: NDArray[np.bool_]) -> Integers | None:
    """Return the month of the first stop whose condition holds; -1 where there is none, nothing where there are no stops."""
    if not program.ends:
        return None
    months = np.array([month for month, _ in program.ends])
    return np.where(is_ended.any(axis=0), months[np.argmax(is_ended, axis=0)], -1)


def _refuse_missing(contract: Contract, program: Program, by_due: Floats, ended: Floats, measurements: Measurements) -> None:
    """Refuse payments and stops that depend on what was not measured."""
    is_lacking = np.isnan(by_due)
    lines = [line for line in program.lines if is_lacking[:, line.term, line.due].any()]
    lacking: dict[tuple[str, str], tuple[int, ...]] = {}
    wanted = [(line.amount, is_lacking[:, line.term, line.due]) for line in lines]
    wanted += [(register, np.isnan(ended[place])) for place, (_, register) in enumerate(program.ends)]
    for register, rows in wanted:
        for column in program.code.columns_behind([register]) if rows.any() else ():
            for reason, numbers in _not_estimated(column, rows, measurements).items():
                key = (_word(contract, column), reason)
                lacking[key] = tuple(sorted({*lacking.get(key, ()), *numbers}))
    if lacking:
        raise NotMeasuredError(lacking, len(by_due))
    names = list(contract.terms)
    problems = [
        Problem(
            "the run",
            f"contract.terms.{names[term]}",
            "everything that a payment depends on must be measured",
            f"no value in at least one replication; it depends on {', '.join(asked_for(contract, program, [line.amount]))}",
            "Measure it, say `when_missing` for the metric, or give a fallback with `first_of`",
        )
        for term, line in {line.term: line for line in lines}.items()
    ]
    if problems:
        raise StudyError(problems)


def _not_estimated(column: Column, rows: NDArray[np.bool_], measurements: Measurements) -> dict[str, list[int]]:
    """Return by reason the numbers of those replications, among some rows, in which a run could not estimate a column."""
    kind, why, numbers = column[0], measurements.why, measurements.replications
    if kind not in ("metric", "wave") or why is None or numbers is None or column[1] not in measurements.metrics:
        return {}
    metric = measurements.metrics.index(str(column[1]))
    if kind == "wave":
        assert measurements.why_by_wave is not None
        codes = measurements.why_by_wave[:, column[2], metric]
    else:
        codes = why[:, metric]
    return {NOT_MEASURED[code]: numbers[rows & (codes == code)].tolist() for code in np.unique(codes[rows]) if code > 0}


def asks_when_drawn(contract: Contract) -> bool:
    """Return whether a payment or a stop depends on when money is drawn, and not only on how much in all."""
    columns = compile_contract(contract, draw_months=(0,)).code.columns
    return any(column[0] in (CALL, CALLED) for column in columns)


def asks_who_reached(contract: Contract) -> bool:
    """Return whether a payment or a stop depends on who reached what and when."""
    return any(column[0] in (CARD, REACHED) for column in compile_contract(contract).code.columns)


def inputs_of(contract: Contract, until: str | None = None) -> list[str]:
    """List what the payments of a contract look at, as a reader writes it: `metric`, `metric.wave`, `people.wave`, `one+two`."""
    program = compile_contract(contract, until)
    return asked_for(contract, program, [line.amount for line in program.lines])


def asked_for(contract: Contract, program: Program, registers: Sequence[Register]) -> list[str]:
    """List what some registers depend on, in the order of the contract."""
    words = [_word(contract, column) for column in program.code.columns_behind(registers)]
    order = {name: place for place, name in enumerate(contract.metrics)}
    return sorted(filter(None, words), key=lambda word: order.get(word.partition(".")[0], len(order)))


def outcomes_of(contract: Contract, measurements: Measurements) -> dict[str, Floats]:
    """Return all that the payments of a contract look at, as a replay would type it in; each of shape (n_replications,)."""
    n_replications, cards = len(measurements.estimate), settle_cards(contract, measurements.reached, measurements)
    found = {_word(contract, column): column for column in compile_contract(contract).code.columns}
    nothing = Drawing(np.zeros(n_replications))
    return {
        word: np.broadcast_to(column_of(column, measurements, cards.columns, nothing), n_replications)
        for word, column in found.items()
        if word
    }


def _word(contract: Contract, column: Column) -> str:
    """Name what a program asks of the replication; the money drawn, and what follows from a table of people, have no word here."""
    waves, names = list(contract.waves) or [""], list(contract.milestones)
    kind, *rest = column
    if kind == "metric":
        return str(rest[0])
    if kind == "wave":
        return f"{rest[0]}.{waves[int(rest[1])]}"
    if kind == "people":
        return f"people.{waves[int(rest[0])]}"
    if kind == "combination":
        reached = "+".join(name for i, name in enumerate(names) if int(rest[0]) >> i & 1) or "none"
        return f"{reached}.{waves[int(rest[1])]}".rstrip(".")
    return ""
