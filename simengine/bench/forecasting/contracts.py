"""What is known of real contracts, question by question: which contracts have an answer in the public tables, and what it is.

A year is twelve months from the first month for which the first plan has money. A payment for a period is spread evenly over its months.
A plan that repeats payments already made was written after them: of what it repeats nothing is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp
from pathlib import Path

from simengine.reference_class.history import (
    Oddities,
    PaidAgainstPlan,
    PaymentHistory,
    known_until,
    paid_against_plan,
    payment_histories,
    total_of_periods,
    total_up_to,
)
from simengine.reference_class.indigo import IndigoTables, ProjectFilter, amount_of, read_indigo
from simengine.reference_class.paid_over_planned import log_ratio

_YEAR = 12


@dataclass(frozen=True)
class KnownContract:
    """A contract with its plan and its answer."""

    project: str
    value: float
    """What is asked for."""
    planned: float
    """Money, or people, that the plan has for what is asked."""
    currency: str
    sector: str
    told: Mapping[str, float | bool] = field(default_factory=dict)
    """What a method may know besides."""


KnownContracts = Callable[[IndigoTables], Iterator[KnownContract]]


@lru_cache(maxsize=4)
def tables_in(folder: Path, tables_hash: str) -> IndigoTables:  # noqa: ARG001
    """Read the public tables, once as long as they stay the same.

    Raises
    ------
    StudyError
        If they cannot be read.
    """
    return read_indigo(folder)


def of_all(tables: IndigoTables) -> Iterator[KnownContract]:
    """Yield what contracts have paid of the plan, up to the last period of payments."""
    for one in _against_plans(tables):
        known = log_ratio(one)
        if known is not None:
            yield _known(one.history, exp(known.value), one.planned, {"is_finished": one.is_finished})


def of_finished(tables: IndigoTables) -> Iterator[KnownContract]:
    """Yield what finished contracts paid of the whole plan."""
    for one in _against_plans(tables):
        if one.is_finished and one.paid > 0:
            yield _known(one.history, one.ratio, one.planned_in_all)


def of_first_year(tables: IndigoTables) -> Iterator[KnownContract]:
    """Yield what was paid in the first year of the plan, of what was planned for it."""
    for history in _with_plans(tables):
        start = first_month(history)
        planned, paid = (_between(history, start, 0, is_plan=is_plan) for is_plan in (True, False))
        if planned > 0 and paid > 0 and _is_over(history, start + _YEAR) and _knew_less_than(history, start):
            yield _known(history, paid / planned, planned)


def of_second_year(tables: IndigoTables) -> Iterator[KnownContract]:
    """Yield what was paid in the second year of the plan, of what was planned for it; of the first year both are told."""
    for history in _with_plans(tables):
        start = first_month(history)
        planned, paid = ([_between(history, start, year, is_plan=is_plan) for year in (0, 1)] for is_plan in (True, False))
        is_whole = min(*planned, *paid) > 0 and _is_over(history, start + 2 * _YEAR)
        if is_whole and _knew_less_than(history, start + _YEAR):
            told = {"planned_before": planned[0], "paid_over_planned_before": paid[0] / planned[0]}
            yield _known(history, paid[1] / planned[1], planned[1], told)


def of_half_way(tables: IndigoTables) -> Iterator[KnownContract]:
    """Yield by how many years later than planned half of the planned money was paid; of contracts that have paid it."""
    for history in _with_plans(tables):
        half = total_of_periods(history.first_plan) / 2
        start, last = first_month(history), max(one.last for one in history.first_plan)
        planned = next(month for month in range(start, last + 1) if total_up_to(history.first_plan, month) >= half)
        first = min(one.first for one in history.paid)
        paid = next((month for month in range(first, history.last_paid + 1) if total_up_to(history.paid, month) >= half), None)
        if paid is not None and _knew_less_than(history, planned):
            yield _known(history, (paid - planned) / _YEAR, 2 * half, {"years_planned": (planned - start + 1) / _YEAR})


def of_people(tables: IndigoTables) -> Iterator[KnownContract]:
    """Yield how many people a finished contract reached, of those that it was to reach."""
    for row in ProjectFilter().chosen(tables):
        planned, reached = amount_of(row["users_planned"]), amount_of(row["users"])
        if row["stage"].casefold() == "complete" and planned and reached and planned > 0 and reached > 0:
            yield KnownContract(row["id"], reached / planned, planned, "", row["sector"])


def _against_plans(tables: IndigoTables) -> Iterable[PaidAgainstPlan]:
    odd = Oddities()
    histories = payment_histories(tables, ProjectFilter(), odd)
    return [one for history in histories if (one := paid_against_plan(history, odd)) is not None]


def _with_plans(tables: IndigoTables) -> Iterator[PaymentHistory]:
    for history in payment_histories(tables, ProjectFilter(), Oddities()):
        if history.paid and total_of_periods(history.first_plan) > 0:
            yield history


def first_month(history: PaymentHistory) -> int:
    """Return the first month for which the first plan has money."""
    return min(one.first for one in history.first_plan if one.amount > 0)


def _between(history: PaymentHistory, start: int, year: int, *, is_plan: bool) -> float:
    """Return what was planned, or paid, for a year from a month on; to the first one belongs all that came before."""
    amounts = history.first_plan if is_plan else history.paid
    before = total_up_to(amounts, start + _YEAR * year - 1) if year else 0.0
    return total_up_to(amounts, start + _YEAR * (year + 1) - 1) - before


def _is_over(history: PaymentHistory, month: int) -> bool:
    """Return whether the months before one are over: by the last period of payments, or as the contract is complete."""
    return history.is_complete or history.last_paid >= month - 1


def _knew_less_than(history: PaymentHistory, month: int) -> bool:
    """Return whether the plan repeats no payment of a month or of a later one."""
    known = known_until(history)
    return known is None or known < month


def _known(history: PaymentHistory, value: float, planned: float, told: Mapping[str, float | bool] | None = None) -> KnownContract:
    return KnownContract(history.project, value, planned, history.currency, history.sector, told or {})
