"""Turn a contract into a program: term after term, date after date, each seeing the money that moved before it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

from simengine.contract.program import Code, Register
from simengine.contract.scope import Book, Entry, Scope
from simengine.contract.spec import Contract
from simengine.contract.terms import Term
from simengine.contract.terms.base import all_open
from simengine.currencies import units_of
from simengine.records import LIMITS, OUTCOME_PAYER, STOP, TOTAL_CAP


@dataclass(frozen=True)
class ProgramLine:
    """A term on one of its dates."""

    term: int
    due: int
    month: int
    """When it is paid; -1 where the contract does not say."""
    amount: Register
    bound: Register
    """Which limit decided: a number among the limits of its term."""


@dataclass
class Program:
    """A compiled contract: the lines that it pays, and the instructions behind them."""

    code: Code
    lines: list[ProgramLine] = field(default_factory=list)
    ends: list[tuple[int, Register]] = field(default_factory=list)
    """Months in which the contract may be ended, each with the condition."""
    limits: dict[str, list[str]] = field(default_factory=dict)
    """By term: its limits by their numbers, those of every term first, then those inside it by their paths."""
    decisions: list[tuple[str, str, Register]] = field(default_factory=list)
    """The stops and variations in the order in which they are decided: section, name and condition."""


def compile_contract(contract: Contract, until: str | None = None, draw_months: tuple[int, ...] | None = None) -> Program:
    """Compile the terms of a contract.

    Parameters
    ----------
    contract
        Names that it uses must exist: see `rules`.
    until
        The date after which nothing is compiled; absent: everything.
    draw_months
        The months in which a study draws money; absent: the contract's own dates say when.
    """
    asked = (until, draw_months)
    if asked not in contract.programs:
        contract.programs[asked] = _compiled(contract, until, draw_months)
    return cast(Program, contract.programs[asked])


def _compiled(contract: Contract, until: str | None, draw_months: tuple[int, ...] | None) -> Program:
    program, book = Program(Code(units_of(contract.currency))), Book()
    stopped: Register | None = None
    dates_of = {name: contract.dates_of(term) for name, term in contract.terms.items()}
    for place, date in enumerate(contract.calendar or [""]):
        month = contract.month_of(date) if date else 0.0
        scope = Scope(program.code, contract, book, date, month, draw_months=draw_months)
        ends_here = _ask_stops(contract, scope, program)
        _ask_variations(contract, scope, program)
        book.on_this_date.update(dict.fromkeys(contract.terms, program.code.constant(0.0)))
        for number, (name, term) in enumerate(contract.terms.items()):
            if not date or date in dates_of[name]:
                own = replace(scope, limits=program.limits.setdefault(name, list(LIMITS)))
                amount, bound = _settle_term(own, name, term, None if term.despite_stop else stopped)
                month = int(scope.month + _delay(term)) if date else -1
                program.lines.append(ProgramLine(number, place, month, amount, bound))
        if ends_here is not None:
            program.ends.append((int(scope.month), ends_here))
            stopped = ends_here if stopped is None else program.code.greatest(stopped, ends_here)
        if date == until:
            break
    return program


@dataclass(frozen=True)
class Dependence:
    """What a term looks at on one of its dates, or a stop or variation when it is decided."""

    section: str
    """`terms`, `stops` or `variations` of the contract."""
    name: str
    date: str
    """Empty where the contract has no dates."""
    month: int
    """When the term is paid, or the stop or variation decided; -1 where the contract does not say."""
    metrics: tuple[tuple[str, int | None], ...]
    """Metrics, each with the place of its wave, or None for all waves together."""
    milestones: tuple[tuple[str, int], ...]
    """Milestones that decide what a person is worth, each with the place of its wave; 0 where the contract has no waves."""
    people: tuple[int, ...]
    """Places of waves whose people are counted."""


def dependences(contract: Contract) -> list[Dependence]:
    """List what every payment, stop and variation of a contract depends on, through all that they refer to."""
    program = compile_contract(contract)
    terms, dates = list(contract.terms), [*contract.calendar] or [""]
    paid = [
        Dependence("terms", terms[line.term], dates[line.due], line.month, *_behind(program.code, line.amount))
        for line in program.lines
    ]
    decided = [
        Dependence(section, name, date, int(contract.month_of(date)), *_behind(program.code, register))
        for section, name, register in program.decisions
        for date in [getattr(contract, section)[name].at]
    ]
    return paid + decided


def _behind(
    code: Code, register: Register
) -> tuple[tuple[tuple[str, int | None], ...], tuple[tuple[str, int], ...], tuple[int, ...]]:
    """List the metrics, the milestones and the waves of people behind a register."""
    columns = code.columns_behind([register])
    pooled = [(str(column[1]), None) for column in columns if column[0] == "metric"]
    by_wave = [(str(column[1]), int(column[2])) for column in columns if column[0] == "wave"]
    reached = tuple((str(name), int(wave)) for _, name, wave in code.remarks_behind([register]))
    return (*pooled, *by_wave), reached, tuple(int(column[1]) for column in columns if column[0] == "people")


def _ask_stops(contract: Contract, scope: Scope, program: Program) -> Register | None:
    """Compile the stops that are decided on this date, and whether any of them ends the contract."""
    ends: Register | None = None
    for name, stop in contract.stops.items():
        if stop.at != scope.due:
            continue
        ending = all_open(stop.only_if, scope)
        scope.book.on_this_date[name] = ending
        program.decisions.append(("stops", name, ending))
        ends = ending if ends is None else scope.code.greatest(ends, ending)
    return ends


def _ask_variations(contract: Contract, scope: Scope, program: Program) -> None:
    """Compile the variations that are decided on this date."""
    for name, variation in contract.variations.items():
        if variation.at == scope.due:
            scope.book.on_this_date[name] = all_open(variation.only_if, scope)
            program.decisions.append(("variations", name, scope.book.on_this_date[name]))


def _settle_term(scope: Scope, name: str, term: Term, stopped: Register | None) -> tuple[Register, Register]:
    """Compile one term on one date, its amount and the limit that decided it, and enter what it pays into the book."""
    code, contract, book = scope.code, scope.contract, scope.book
    within = _since(replace(scope, term=name), term)
    value, bound = term.value(within), term.bound(within)
    if stopped is not None:
        value, bound = code.choose(stopped, code.constant(0.0), value), code.choose(stopped, code.constant(STOP), bound)
    if contract.total_cap is not None and term.payer == OUTCOME_PAYER:
        left = code.subtract(scope.value(contract.total_cap), scope.paid_by(OUTCOME_PAYER))
        left = code.greatest(left, code.constant(0.0))
        value, bound = code.least(value, left), code.choose(code.exceeds(value, left), scope.limit(TOTAL_CAP), bound)
    paid = code.rounded(value)
    book.on_this_date[name] = paid
    book.entries.append(Entry(name, scope.month + _delay(term), paid, term.payer, term.payee, term.repays_principal))
    return paid, bound


def _since(scope: Scope, term: Term) -> Scope:
    """Return the scope with the month in which the term was due before."""
    dates = scope.contract.dates_of(term)
    place = dates.index(scope.due) if scope.due else 0
    if place == 0:
        return scope
    return replace(scope, previous_month=scope.contract.month_of(dates[place - 1]))


def _delay(term: Term) -> float:
    return 0.0 if term.delay_months is None else term.delay_months.value
