"""From what a study says of the money to the tables that the walk through the calendar reads; nothing here is random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.capital.kernels.arrays import (
    IN_ORDER,
    NO_LIMIT,
    SIDE_BY_SIDE,
    Guarantees,
    Loans,
    Project,
    Waterfall,
)
from simengine.capital.spec import STEPS, Capital, Cost, Guarantee, shares_of
from simengine.errors import Problem, StudyError
from simengine.records import DELIVERY, SMALLEST_UNITS, Floats, Integers, Worlds

_LARGEST_UNITS = 1e17
"""Far below 2^63, so that a few dozen payments and the drawdown still add up."""


@dataclass(frozen=True)
class Calendar:
    """When people enter and how long the study looks."""

    horizon_months: int
    waves: Mapping[str, tuple[int, str]]
    """By wave: the first month of enrolment, and the path of the months that it takes."""


@dataclass(frozen=True)
class Plan:
    """The tables of one block of replications, and the names behind their places."""

    project: Project
    loans: Loans
    waterfall: Waterfall
    guarantees: Guarantees
    costs: Mapping[str, str]
    """By name: who gets it."""
    holders: Mapping[str, str]
    """By tranche, the most senior first: who holds it."""
    guarantee_names: tuple[str, ...]
    """In the order in which they are called."""

    @property
    def drawn(self) -> Floats:
        """Shape (n_replications,), in the currency: what is drawn by plan; as needed, what the costs come to before any income."""
        planned = self.project.scheduled.sum(axis=1) + self.project.reserve
        if self.project.as_needed:
            planned = self.project.due.sum(axis=(1, 2)) + self.project.reserve
        return np.asarray(np.minimum(planned, self.project.limit) / SMALLEST_UNITS)


def plan_money(
    capital: Capital, commitment: float, parties: Sequence[str], calendar: Calendar, worlds: Worlds, people: Integers
) -> Plan:
    """Draw up what the project costs, who lends it, and who gets what back in which order.

    Parameters
    ----------
    capital
        What the study says of the money; names that it uses must exist: see `rules`.
    commitment
        The most that can be drawn, in the currency.
    parties
        The names of all parties.
    calendar
        When people enter.
    worlds
        The parameters of each replication.
    people
        Shape (n_replications, n_waves): service users.
    """
    n, horizon = len(worlds), calendar.horizon_months
    limit = np.round(commitment * SMALLEST_UNITS * value_in(worlds, "capital.drawn_share", 1.0)).astype(np.int64)
    wanted = 0 if capital.reserve is None else round(capital.reserve.amount.value * SMALLEST_UNITS)
    reserve = np.minimum(np.full(n, wanted, dtype=np.int64), limit)
    scheduled = np.zeros((n, horizon + 1), dtype=np.int64)
    if capital.draws == "scheduled":
        scheduled = in_equal_parts(limit - reserve, np.floor(worlds["capital.drawdown_months"]).astype(np.int64), horizon)
    if capital.costs:
        due = np.stack([_due(name, cost, calendar, worlds, people) for name, cost in capital.costs.items()], axis=2)
    else:
        due = scheduled[:, :, None]
    costs = {name: cost.payee for name, cost in capital.costs.items()} or {DELIVERY: "service_provider"}
    has_work = (due.sum(axis=2) > 0) | (scheduled > 0)
    last_work = np.where(has_work.any(axis=1), horizon - np.argmax(has_work[:, ::-1], axis=1), 0)
    project = Project(
        due,
        _by_name(worlds, costs, "capital.costs", "share_of_income", 0.0),
        _by_name(worlds, costs, "capital.costs", "deferred_share", 0.0),
        scheduled,
        capital.draws == "as_needed",
        limit,
        reserve,
        horizon if capital.reserve is None else int(capital.reserve.until_month.value),
        value_in(worlds, "capital.recycled_share", 0.0),
        last_work,
        0 if capital.distributed_from_month is None else int(capital.distributed_from_month.value),
    )
    guarantee_names = calling_order(capital.guarantees)
    holders = {name: tranche.holder for name, tranche in capital.all_tranches(commitment).items()}
    return Plan(
        project,
        _loans(capital, commitment, worlds),
        _waterfall(capital, tuple(holders), tuple(costs), guarantee_names, parties),
        _guarantees(capital, tuple(holders), guarantee_names, horizon),
        costs,
        holders,
        guarantee_names,
    )


def in_equal_parts(total: Integers, months: Integers, horizon_months: int) -> Integers:
    """Share out totals over the first months; the parts differ by at most one smallest unit and sum to the total.

    Parameters
    ----------
    total, months
        Shape (n_replications,).
    horizon_months
        Months of the calendar; the dates run from 0 to this month.
    """
    elapsed = np.minimum(np.arange(1, horizon_months + 2)[None, :], months[:, None])
    # Whole-number division of the running total, so that no unit is lost however the months divide it.
    so_far = (total[:, None] // months[:, None]) * elapsed + (total % months)[:, None] * elapsed // months[:, None]
    return np.diff(so_far, axis=1, prepend=0)


def value_in(worlds: Worlds, path: str, otherwise: float) -> Floats:
    """Give a number of the study in every replication, or what stands for it where the study leaves it out."""
    found = worlds.values.get(path)
    return np.full(len(worlds), otherwise) if found is None else found


def calling_order(guarantees: Mapping[str, Guarantee]) -> tuple[str, ...]:
    """Give the guarantees so that each is called after those that it covers.

    Raises
    ------
    ValueError
        If guarantees cover each other in a loop; the message names them.
    """
    order: list[str] = []
    waiting = dict(guarantees)
    while waiting:
        ready = [name for name, one in waiting.items() if not set(one.covers) & set(waiting)]
        if not ready:
            raise ValueError(", ".join(waiting))
        order += ready
        for name in ready:
            del waiting[name]
    return tuple(order)


def smallest_units(amount: Floats, path: str = "contract.terms") -> Integers:
    """Turn amounts of the currency into whole numbers of its smallest unit, rounding half to even.

    Raises
    ------
    StudyError
        If an amount is so large that whole numbers of 64 bits could not hold sums of it.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        units = np.round(amount * SMALLEST_UNITS)
    if not (np.abs(units) < _LARGEST_UNITS).all():
        rule = f"a payment stays below {_LARGEST_UNITS / SMALLEST_UNITS:.0e} in every replication"
        found = f"{np.abs(amount).max():.3g}"
        raise StudyError([Problem("the run", path, rule, found, "Give the term a cap, or check the prices")])
    return units.astype(np.int64)


def _by_name(worlds: Worlds, names: Mapping[str, object], section: str, key: str, otherwise: float) -> Floats:
    return np.stack([value_in(worlds, f"{section}.{name}.{key}", otherwise) for name in names], axis=1)


def _due(name: str, cost: Cost, calendar: Calendar, worlds: Worlds, people: Integers) -> Integers:
    """Give what falls due by month, of shape (replication, month)."""
    n, months = len(worlds), np.arange(calendar.horizon_months + 1)
    path = f"capital.costs.{name}"
    if cost.form == "share_of_income":
        return np.zeros((n, len(months)), dtype=np.int64)
    price = worlds[f"{path}.{cost.form}"]
    first = 0 if cost.from_month is None else int(cost.from_month.value)
    last = calendar.horizon_months if cost.until_month is None else int(cost.until_month.value)
    if cost.form == "per_person":
        units = _people_in_service(cost, calendar, worlds, people)
    else:
        last = first if cost.form == "amount" else last
        units = np.broadcast_to(((months >= first) & (months <= last)).astype(np.float64), (n, len(months)))
    growth = value_in(worlds, f"{path}.growth_per_year", 0.0)
    level = (1 + growth)[:, None] ** (months / 12)[None, :]
    # The running total is rounded, not each month: so that what a person costs is never lost in parts of a unit.
    so_far = np.cumsum(price[:, None] * units * level, axis=1)
    return np.diff(smallest_units(so_far, path), axis=1, prepend=0)


def _people_in_service(cost: Cost, calendar: Calendar, worlds: Worlds, people: Integers) -> Floats:
    """Give by month the share of a person's service that falls into it, added up over the people of the waves."""
    n, horizon = len(worlds), calendar.horizon_months
    lasts = 1 if cost.over_months is None else int(cost.over_months.value)
    units = np.zeros((n, horizon + 1))
    for w, (wave, (first, path)) in enumerate(calendar.waves.items()):
        if cost.waves and wave not in cost.waves:
            continue
        enrolment = np.floor(worlds[path]).astype(np.int64)
        entered = in_equal_shares(enrolment, horizon - first)
        for month in range(lasts):
            begin = first + month
            if begin <= horizon:
                units[:, begin:] += (people[:, w] / lasts)[:, None] * entered[:, : horizon + 1 - begin]
    return units


def in_equal_shares(months: Integers, horizon_months: int) -> Floats:
    """Give by month the share of people who enter, evenly over the first months."""
    return np.asarray((np.arange(horizon_months + 1)[None, :] < months[:, None]) / months[:, None])


def _loans(capital: Capital, commitment: float, worlds: Worlds) -> Loans:
    tranches = capital.all_tranches(commitment)
    sizes = np.array([tranche.size.value if tranche.size != "rest" else 0.0 for tranche in tranches.values()])
    places = np.arange(len(tranches))
    never = np.inf
    return Loans(
        sizes if sizes.sum() > 0 else np.ones(len(sizes)),
        places[::-1].copy() if capital.draw_order == "junior_first" else places,
        SIDE_BY_SIDE if capital.draw_order == "side_by_side" else IN_ORDER,
        _monthly(_by_name(worlds, tranches, "capital.tranches", "coupon_per_year", 0.0)),
        _by_name(worlds, tranches, "capital.tranches", "returns_at_most_multiple", never),
        _monthly(_by_name(worlds, tranches, "capital.tranches", "returns_at_most_per_year", never)),
    )


def _monthly(rate_per_year: Floats) -> Floats:
    """Give the growth a month that compounds to a yearly rate."""
    return np.asarray((1 + rate_per_year) ** (1 / 12) - 1)


def _waterfall(
    capital: Capital, tranches: Sequence[str], costs: Sequence[str], guarantees: Sequence[str], parties: Sequence[str]
) -> Waterfall:
    places = {"deferred": costs, "reimburse": guarantees, "rest": (*tranches, *parties)}
    kinds, begin, members, weights = [], [0], [], []
    for step in capital.all_steps().values():
        kinds.append(STEPS.index(step.kind))
        known = list(places.get(step.kind, tranches))
        members += [known.index(name) for name in step.names]
        weights += shares_of(step.returns or step.rest or {}) or [1.0] * len(step.names)
        begin.append(len(members))
    return Waterfall(
        np.array(kinds, dtype=np.int64), np.array(begin), np.array(members, dtype=np.int64), np.array(weights, dtype=np.float64)
    )


def _guarantees(capital: Capital, tranches: Sequence[str], names: Sequence[str], horizon_months: int) -> Guarantees:
    known = [*tranches, *names]
    begin, covered = [0], []
    for name in names:
        covered += [known.index(one) for one in capital.guarantees[name].covers]
        begin.append(len(covered))
    asked = [capital.guarantees[name] for name in names]
    return Guarantees(
        np.array([horizon_months if one.month is None else int(one.month.value) for one in asked], dtype=np.int64),
        np.array([1.0 if one.share is None else one.share.value for one in asked]),
        np.array([NO_LIMIT if one.at_most is None else round(one.at_most.value * SMALLEST_UNITS) for one in asked], dtype=np.int64),
        np.array([np.inf if one.at_most_share_of_drawn is None else one.at_most_share_of_drawn.value for one in asked]),
        np.array(begin),
        np.array(covered, dtype=np.int64),
    )
