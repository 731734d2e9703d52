"""Convert the capital section into the tables of the walk through the calendar; nothing here is random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simengine.capital.kernels.arrays import (
    IN_ORDER,
    NO_LIMIT,
    SIDE_BY_SIDE,
    Grants,
    Guarantees,
    Lines,
    LoanArrays,
    ProjectArrays,
    Waterfall,
)
from simengine.capital.pricing import Calendar, Pricing, refuse_too_large, smallest_units, value_in
from simengine.capital.spec import RECOVERED, RETAINED, WATERFALL_STEPS, Capital, Guarantee, Party, shares_of
from simengine.distributions import Constant
from simengine.records import SUPPLIERS, Draws, Floats, Integers
from simengine.rounding import nearest_units


@dataclass(frozen=True)
class OwnSpending:
    """One cost that a party pays from its own account."""

    party: str
    cost: str
    payee: str
    """A party of the study, or the suppliers outside it."""
    due: Integers
    """Shape (n_replications, n_months), in the smallest unit; none of it falls due after a stop."""


@dataclass(frozen=True)
class Plan:
    """The tables of one block of replications, and the names of their indices."""

    units: int
    """Smallest units in one unit of the currency."""
    project: ProjectArrays
    loans: LoanArrays
    lines: Lines
    grants: Grants
    waterfall: Waterfall
    guarantees: Guarantees
    costs: Mapping[str, str]
    """By name: the payee."""
    holders: Mapping[str, str]
    """By tranche, the most senior first: its holder."""
    guarantee_names: tuple[str, ...]
    """In the order in which they are called."""
    givers: Mapping[str, str]
    """By grant: who gives it."""
    revolving: tuple[str, ...]
    """Tranches that may be drawn again when they are paid back."""
    parties: tuple[str, ...]
    """All parties of the study."""
    own_spending: tuple[OwnSpending, ...]

    @cached_property
    def drawn(self) -> Floats:
        """Shape (n_replications,), in the currency: planned drawdown; as needed, the total costs before any income."""
        return np.asarray(self._drawn_so_far[:, -1] / self.units)

    @cached_property
    def drawn_by_month(self) -> Floats:
        """The same month by month, of shape (n_replications, n_months)."""
        return np.asarray(np.diff(self._drawn_so_far, axis=1, prepend=0) / self.units)

    @cached_property
    def _drawn_so_far(self) -> Integers:
        planned = self.project.due.sum(axis=2) if self.project.as_needed else self.project.scheduled
        return np.minimum(np.cumsum(planned, axis=1) + self.project.reserve[:, None], self.project.limit[:, None])


def plan_money(
    capital: Capital,
    commitment: float,
    units: int,
    parties: Mapping[str, Party],
    calendar: Calendar,
    draws: Draws,
    people: Integers,
) -> Plan:
    """Build the plan of costs, drawdown and repayment.

    Parameters
    ----------
    capital
        What the study says of the money; names that it uses must exist: see `rules`.
    commitment
        The most that can be drawn, in the currency.
    units
        Smallest units in one unit of the currency.
    parties
        All parties by name, with what they spend themselves.
    calendar
        When people enter.
    draws
        The parameters of each replication.
    people
        Shape (n_replications, n_waves): service users.
    """
    priced = Pricing(calendar, draws, people, units)
    project = _project(capital, commitment, priced)
    guarantee_names = calling_order(capital.guarantees)
    holders = {name: tranche.holder for name, tranche in capital.all_tranches(commitment).items()}
    costs = capital.payees
    return Plan(
        units,
        project,
        _loans(capital, commitment, draws),
        _lines(capital, commitment, draws, calendar.horizon_months),
        _grants(capital, priced),
        _waterfall(capital, tuple(holders), tuple(costs), guarantee_names, tuple(parties)),
        _guarantees(capital, tuple(holders), guarantee_names, calendar.horizon_months, units),
        costs,
        holders,
        guarantee_names,
        _givers(capital),
        tuple(name for name, tranche in capital.tranches.items() if tranche.revolving),
        tuple(parties),
        tuple(
            OwnSpending(name, cost, one.payee or SUPPLIERS, priced.due(f"parties.{name}.costs.{cost}", one))
            for name, party in parties.items()
            for cost, one in party.costs.items()
        ),
    )


def _givers(capital: Capital) -> dict[str, str]:
    """Return who gives what nobody owes back, by name: grants, then what is recovered from payees that fail."""
    recovered = {
        f"{name}{RECOVERED}": cost.payee
        for name, cost in capital.costs.items()
        if cost.fails is not None and cost.fails.recovered is not None
    }
    return {name: grant.giver for name, grant in capital.grants.items()} | recovered


def _project(capital: Capital, commitment: float, priced: Pricing) -> ProjectArrays:
    draws, units, horizon = priced.draws, priced.units, priced.calendar.horizon_months
    n = len(draws)
    drawable = nearest_units(commitment * units * value_in(draws, "capital.drawn_share", 1.0))
    limit = refuse_too_large(drawable, units, "contract.commitment").astype(np.int64)
    wanted = 0 if capital.reserve is None else _in_units(capital.reserve.amount, units)
    reserve = np.minimum(np.full(n, wanted, dtype=np.int64), limit)
    scheduled = np.zeros((n, horizon + 1), dtype=np.int64)
    if capital.draws == "scheduled":
        scheduled = in_equal_parts(limit - reserve, np.floor(draws["capital.drawdown_months"]).astype(np.int64), horizon)
    if capital.costs:
        due = np.stack([one for name, cost in capital.costs.items() for one in priced.due_to_each(name, cost)], axis=2)
    else:
        due = scheduled[:, :, None]
    costs = capital.payees
    has_work = (due.sum(axis=2) > 0) | (scheduled > 0)
    last_work = np.where(has_work.any(axis=1), horizon - np.argmax(has_work[:, ::-1], axis=1), 0)
    return ProjectArrays(
        due,
        _by_name(draws, costs, "capital.costs", "share_of_income", 0.0),
        _by_name(draws, costs, "capital.costs", "deferred_share", 0.0),
        scheduled,
        capital.draws == "as_needed",
        limit,
        reserve,
        horizon if capital.reserve is None else int(capital.reserve.until_month.value),
        value_in(draws, "capital.recycled_share", 0.0),
        last_work,
        0 if capital.distributed_from_month is None else int(capital.distributed_from_month.value),
    )


def _grants(capital: Capital, priced: Pricing) -> Grants:
    n, names = len(priced.draws), list(_givers(capital))
    given = np.zeros((n, priced.calendar.horizon_months + 1, len(names)), dtype=np.int64)
    at_most = np.zeros((n, len(names)), dtype=np.int64)
    for place, (name, grant) in enumerate(capital.grants.items()):
        path = f"capital.grants.{name}"
        if grant.at_most is None:
            given[:, :, place] = priced.due(path, grant)
        else:
            at_most[:, place] = smallest_units(priced.draws[f"{path}.at_most"], priced.units, path)
    for name in capital.costs:
        if f"{name}{RECOVERED}" in names:
            given[:, :, names.index(f"{name}{RECOVERED}")] = priced.recovered(name)
    return Grants(given, at_most)


def in_equal_parts(total: Integers, months: Integers, horizon_months: int) -> Integers:
    """Divide totals over the first months; the parts differ by at most one smallest unit and sum to the total.

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


def calling_order(guarantees: Mapping[str, Guarantee]) -> tuple[str, ...]:
    """Return the guarantees so that each is called after those that it covers.

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


def _by_name(draws: Draws, names: Mapping[str, object], section: str, key: str, otherwise: float) -> Floats:
    return np.stack([value_in(draws, f"{section}.{name}.{key}", otherwise) for name in names], axis=1)


def _loans(capital: Capital, commitment: float, draws: Draws) -> LoanArrays:
    tranches = capital.all_tranches(commitment)
    sizes = np.array([tranche.size.value if tranche.size != "rest" else 0.0 for tranche in tranches.values()])
    places = np.arange(len(tranches))
    never = np.inf
    return LoanArrays(
        sizes if sizes.sum() > 0 else np.ones(len(sizes)),
        places[::-1].copy() if capital.draw_order == "junior_first" else places,
        SIDE_BY_SIDE if capital.draw_order == "side_by_side" else IN_ORDER,
        _monthly(_by_name(draws, tranches, "capital.tranches", "coupon_per_year", 0.0)),
        _by_name(draws, tranches, "capital.tranches", "returns_at_most_multiple", never),
        _monthly(_by_name(draws, tranches, "capital.tranches", "returns_at_most_per_year", never)),
    )


def _lines(capital: Capital, commitment: float, draws: Draws, horizon_months: int) -> Lines:
    tranches = capital.all_tranches(commitment)
    revolving = np.array([one.revolving for one in tranches.values()], dtype=bool)
    # A fee does not compound: it is charged in twelve equal parts a year.
    fee = _by_name(draws, tranches, "capital.tranches", "commitment_fee_per_year", 0.0) / 12
    until = np.array([_last_month(one.available_until_month, horizon_months) for one in tranches.values()], dtype=np.int64)
    return Lines(revolving, fee, until, bool((fee != 0).any()), bool((until < horizon_months).any()), bool(revolving.any()))


def _last_month(month: Constant | None, horizon_months: int) -> int:
    return horizon_months if month is None else int(month.value)


def _monthly(rate_per_year: Floats) -> Floats:
    """Return the growth a month that compounds to a yearly rate."""
    return np.asarray((1 + rate_per_year) ** (1 / 12) - 1)


def _waterfall(
    capital: Capital, tranches: Sequence[str], costs: Sequence[str], guarantees: Sequence[str], parties: Sequence[str]
) -> Waterfall:
    places = {"deferred": costs, "reimburse": guarantees, "rest": (*tranches, *parties), RETAINED: (RETAINED,)}
    kinds, begin, members, weights = [], [0], [], []
    for step in capital.all_steps().values():
        kinds.append(WATERFALL_STEPS.index(step.kind))
        known = list(places.get(step.kind, tranches))
        members += [known.index(name) for name in step.names]
        shares = {RETAINED: step.retained} if step.retained is not None else step.returns or step.rest or {}
        weights += shares_of(shares) or [1.0] * len(step.names)
        begin.append(len(members))
    return Waterfall(
        np.array(kinds, dtype=np.int64), np.array(begin), np.array(members, dtype=np.int64), np.array(weights, dtype=np.float64)
    )


def _in_units(amount: Constant | None, units: int) -> int:
    """Return a limit in the smallest unit, with a value above all possible money for no limit."""
    return NO_LIMIT if amount is None else min(int(nearest_units(np.asarray(amount.value * units))), NO_LIMIT)


def _guarantees(capital: Capital, tranches: Sequence[str], names: Sequence[str], horizon_months: int, units: int) -> Guarantees:
    known = [*tranches, *names]
    begin, covered = [0], []
    for name in names:
        covered += [known.index(one) for one in capital.guarantees[name].covers]
        begin.append(len(covered))
    asked = [capital.guarantees[name] for name in names]
    return Guarantees(
        np.array([_last_month(one.month, horizon_months) for one in asked], dtype=np.int64),
        np.array([1.0 if one.share is None else one.share.value for one in asked]),
        np.array([_in_units(one.at_most, units) for one in asked], dtype=np.int64),
        np.array([np.inf if one.at_most_share_of_drawn is None else one.at_most_share_of_drawn.value for one in asked]),
        np.array(begin),
        np.array(covered, dtype=np.int64),
    )
