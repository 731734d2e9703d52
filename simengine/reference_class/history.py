"""Payments planned and made under signed contracts, project by project, and what was odd in the tables: handled by rule, and counted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from simengine.reference_class.indigo import IndigoRow, IndigoTables, ProjectFilter, amount_of, month_number

_SHOWN_PLACES = 5
"""Rows of which an oddity names the place."""

ODDITIES: Mapping[str, str] = {
    "plan_respelled": "a plan whose id is not in small letters, such as Plan1: read as plan1",
    "no_type": "a payment that is neither Planned nor Actual: left out",
    "no_plan": "a planned payment without the id of a plan: left out",
    "actual_of_plan": "an actual payment with the id of a plan: read as any other",
    "no_amount": "an amount that is empty or no number: left out",
    "no_period": "a payment whose period is no month of a year, such as 2018-13, or ends before it begins: left out",
    "same_period": "payments of one project, type and plan for the same period: added up",
    "overlapping_periods": "a period that overlaps another of the same project, type and plan: each amount is spread over its own months",
    "negative_amount": "an amount below 0: taken off",
    "several_currencies": "a project paid in several currencies: left out of the ratios",
    "no_period_of_result": "a result whose period is no month of a year, such as 2018-13: its period is not read",
    "no_price": "a price, or a maximum of payments, that is empty or no number: left out",
    "plan_knew_payments": "a first plan that repeats payments already made, so written after signing: its ratio begins after them",
    "no_first_plan": "a project with actual payments and no plan: no ratio",
    "nothing_paid_yet": "a project with a plan and no actual payment: no ratio",
    "nothing_due": "a project whose plan has nothing due up to the last actual period: no ratio",
    "paid_nothing": "a project that was due payments and paid none: counted, but its ratio of 0 has no logarithm and is not fitted",
    "unfinished": "a project that goes on: its ratio to date is not its last one",
    "no_country": "a project whose country the tables do not state",
}
"""By word: what may be odd in the tables, and the rule."""


@dataclass(frozen=True)
class Oddity:
    """Something odd in the tables, how it was handled, and how often."""

    what: str
    """A word of `ODDITIES`."""
    rule: str
    """What it is, and what was done."""
    number: int
    """Rows, or projects."""
    where: tuple[str, ...]
    """The first places, or projects."""


class Oddities:
    """Counts what was odd."""

    def __init__(self) -> None:
        self._where: dict[str, list[str]] = defaultdict(list)

    def add(self, what: str, where: str) -> None:
        """Count one more of a word of `ODDITIES`."""
        self._where[what].append(where)

    def listed(self) -> tuple[Oddity, ...]:
        """List what was found, in the order of `ODDITIES`."""
        return tuple(
            Oddity(what, rule, len(self._where[what]), tuple(self._where[what][:_SHOWN_PLACES]))
            for what, rule in ODDITIES.items()
            if what in self._where
        )


@dataclass(frozen=True)
class PeriodAmount:
    """An amount of money for some months, from the first to the last, spread evenly over them."""

    first: int
    last: int
    amount: float
    metric: str = ""
    """The outcome metric that it is paid for; empty: for all together."""

    def up_to(self, month: int) -> float:
        """Return the part of the amount that belongs to the months up to one, this included."""
        months = min(max(month - self.first + 1, 0), self.last - self.first + 1)
        return self.amount * months / (self.last - self.first + 1)


def total_up_to(amounts: Iterable[PeriodAmount], month: int) -> float:
    """Add up what belongs to the months up to one, this included."""
    return sum(one.up_to(month) for one in amounts)


def total_of_periods(amounts: Iterable[PeriodAmount]) -> float:
    """Add up all of some amounts."""
    return sum(one.amount for one in amounts)


@dataclass(frozen=True)
class PaymentHistory:
    """Payments of one project."""

    project: str
    name: str
    sector: str
    country: str
    currency: str
    is_complete: bool
    """Whether the dataset calls the project complete."""
    paid: tuple[PeriodAmount, ...]
    plans: Mapping[str, tuple[PeriodAmount, ...]] = field(default_factory=dict)
    """By plan, the first at signing first."""

    @property
    def first_plan(self) -> tuple[PeriodAmount, ...]:
        """The payments of the first plan; none where there is no plan."""
        return next(iter(self.plans.values()), ())

    @property
    def last_paid(self) -> int:
        """The last month of an actual period."""
        return max(one.last for one in self.paid)


def payment_histories(tables: IndigoTables, chosen: ProjectFilter, odd: Oddities) -> list[PaymentHistory]:
    """Read the payments of the chosen projects that have any.

    Parameters
    ----------
    tables
        As `read_indigo` returns them.
    chosen
        The reference class.
    odd
        Counts what was odd.
    """
    by_project: dict[str, list[IndigoRow]] = defaultdict(list)
    for row in tables["outcome_payments"]:
        by_project[row["id"]].append(row)
    projects = [row for row in chosen.chosen(tables) if row["id"] in by_project]
    found = [_history(project, by_project[project["id"]], odd) for project in projects]
    return [one for one in found if one is not None]


def _history(project: IndigoRow, rows: Sequence[IndigoRow], odd: Oddities) -> PaymentHistory | None:
    currencies = sorted({row["currency"] for row in rows})
    if len(currencies) > 1:
        odd.add("several_currencies", f"{project['id']}: {', '.join(currencies)}")
        return None
    if not project["country"]:
        odd.add("no_country", project["id"])
    read: dict[str, list[PeriodAmount]] = defaultdict(list)
    for row in rows:
        key = _key_of(row, odd)
        amount = None if key is None else _amount(row, odd)
        if key is not None and amount is not None:
            read[key].append(amount)
    for key, amounts in read.items():
        _count_overlaps(f"{project['id']}, {key or 'actual'}", amounts, odd)
    plans = sorted((key for key in read if key), key=lambda key: (int(re.sub(r"\D", "", key) or 0), key))
    return PaymentHistory(
        project["id"],
        project["name"],
        project["sector"],
        project["country"],
        currencies[0],
        is_complete=project["stage"].casefold() == "complete",
        paid=tuple(read.get("", ())),
        plans={plan: tuple(read[plan]) for plan in plans},
    )


def _key_of(row: IndigoRow, odd: Oddities) -> str | None:
    """Return the plan of a planned payment, an empty text for an actual one, or None where the row says neither."""
    plan = row["plan"].lower()
    if plan != row["plan"]:
        odd.add("plan_respelled", row.place)
    if row["type"].casefold() == "actual":
        if plan:
            odd.add("actual_of_plan", row.place)
        return ""
    if row["type"].casefold() != "planned":
        odd.add("no_type", row.place)
        return None
    if not plan:
        odd.add("no_plan", row.place)
        return None
    return plan


def _amount(row: IndigoRow, odd: Oddities) -> PeriodAmount | None:
    amount, first, last = amount_of(row["amount"]), month_number(row["start"]), month_number(row["end"])
    if amount is None:
        odd.add("no_amount", row.place)
        return None
    if first is None or last is None or first > last:
        odd.add("no_period", row.place)
        return None
    if amount < 0:
        odd.add("negative_amount", row.place)
    return PeriodAmount(first, last, amount, row["metric"])


def _count_overlaps(where: str, amounts: Sequence[PeriodAmount], odd: Oddities) -> None:
    for metric in dict.fromkeys(one.metric for one in amounts):
        some = [one for one in amounts if one.metric == metric]
        periods = sorted({(one.first, one.last) for one in some})
        for _ in range(len(some) - len(periods)):
            odd.add("same_period", where)
        reached = -1
        for first, last in periods:
            if first <= reached:
                odd.add("overlapping_periods", where)
            reached = max(reached, last)


@dataclass(frozen=True)
class PaidAgainstPlan:
    """What a project paid against its first plan, after whatever the plan already knew."""

    history: PaymentHistory
    known_until: int | None
    """The last month whose payments the first plan repeats; None where it repeats none."""
    planned: float
    """By the first plan, up to the last actual period."""
    paid: float
    """Up to the last actual period."""
    planned_in_all: float
    """By the first plan, to its end."""
    is_finished: bool
    """Whether the project is complete, or all that was planned is due."""

    @property
    def ratio(self) -> float:
        """Paid over planned: of a finished project against the whole plan, of another one up to the last actual period."""
        return self.paid / (self.planned_in_all if self.is_finished else self.planned)

    @property
    def at_least(self) -> float:
        """What the ratio at the end cannot fall below, as nothing is paid back."""
        return self.paid / self.planned_in_all

    @property
    def share_due(self) -> float:
        """Share of the plan that was due up to the last actual period; of a finished project all."""
        return 1.0 if self.is_finished else self.planned / self.planned_in_all


def paid_against_plan(history: PaymentHistory, odd: Oddities) -> PaidAgainstPlan | None:
    """Hold the payments of a project against its first plan; None, and counted, where that cannot be done."""
    plan, where = history.first_plan, history.project
    if not plan or not history.paid:
        if history.paid or plan:
            odd.add("no_first_plan" if history.paid else "nothing_paid_yet", where)
        return None
    known = known_until(history)
    if known is not None:
        odd.add("plan_knew_payments", where)
    before = -1 if known is None else known
    planned_before, paid_before = total_up_to(plan, before), total_up_to(history.paid, before)
    planned, paid = total_up_to(plan, history.last_paid) - planned_before, total_of_periods(history.paid) - paid_before
    in_all = total_of_periods(plan) - planned_before
    if planned <= 0 or in_all <= 0:
        odd.add("nothing_due", where)
        return None
    is_finished = history.is_complete or planned >= in_all * (1 - 1e-9)
    if not is_finished:
        odd.add("unfinished", where)
    if paid <= 0:
        odd.add("paid_nothing", where)
    return PaidAgainstPlan(history, known, planned, paid, in_all, is_finished)


_SAME_MONEY = 1e-3
"""Relative difference of two sums up to which one repeats the other."""


def known_until(history: PaymentHistory) -> int | None:
    """Find the month up to which the first plan repeats the payments that were made: nobody plans to the pound what is paid later.

    At each month in which periods of both end, from the first on, the sums so far are compared; the run ends where they differ.
    """
    plan, paid = history.first_plan, history.paid
    known = None
    for month in sorted({one.last for one in plan} & {one.last for one in paid}):
        planned_so_far, paid_so_far = total_up_to(plan, month), total_up_to(paid, month)
        if abs(planned_so_far - paid_so_far) > _SAME_MONEY * abs(paid_so_far) or paid_so_far <= 0:
            # Nothing planned and nothing paid repeats nothing, and ends nothing.
            if planned_so_far == paid_so_far == 0:
                continue
            break
        known = month
    return known
