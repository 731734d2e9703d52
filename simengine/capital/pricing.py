"""Turn prices into money by month: once, by month, or for each service user; in whole numbers of the smallest unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.capital.spec import Cost, Priced
from simengine.errors import Problem, StudyError
from simengine.records import Draws, Floats, Integers
from simengine.rounding import nearest_units

_LARGEST_UNITS = 1e17
"""Far below 2^63, so that a few dozen payments and the drawdown still add up."""


@dataclass(frozen=True)
class Calendar:
    """Months of entry, and the horizon."""

    horizon_months: int
    waves: Mapping[str, tuple[int, str]]
    """By wave: the first month of enrolment, and the path of the months that it takes."""


@dataclass(frozen=True)
class Pricing:
    """The data that convert a price into money by month."""

    calendar: Calendar
    draws: Draws
    people: Integers
    units: int

    def due(self, path: str, cost: Priced) -> Integers:
        """Return the amounts due by month, of shape (n_replications, n_months), in the smallest unit."""
        n, months = len(self.draws), np.arange(self.calendar.horizon_months + 1)
        if cost.form == "share_of_income":
            return np.zeros((n, len(months)), dtype=np.int64)
        price = self.draws[f"{path}.{cost.form}"]
        first = 0 if cost.from_month is None else int(cost.from_month.value)
        last = self.calendar.horizon_months if cost.until_month is None else int(cost.until_month.value)
        if cost.form == "per_person":
            units = self._people_in_service(cost)
        else:
            last = first if cost.form == "amount" else last
            units = np.broadcast_to(((months >= first) & (months <= last)).astype(np.float64), (n, len(months)))
        growth = value_in(self.draws, f"{path}.growth_per_year", 0.0)
        level = (1 + growth)[:, None] ** (months / 12)[None, :]
        # The running total is rounded, not each month, so that no fraction of a unit is lost.
        so_far = np.cumsum(price[:, None] * units * level, axis=1)
        return np.diff(smallest_units(so_far, self.units, path), axis=1, prepend=0)

    def due_to_each(self, name: str, cost: Cost) -> list[Integers]:
        """Return by month what falls due to the payee of a cost and, where there may be one, to whoever replaces it."""
        path, due = f"capital.costs.{name}", self.due(f"capital.costs.{name}", cost)
        if cost.fails is None:
            return [due]
        month, fails = np.arange(due.shape[1])[None, :], np.floor(self.draws[f"{path}.fails.in_month"])[:, None]
        first = np.where(month < fails, due, 0)
        if cost.fails.replaced_by is None:
            return [first]
        gap = 0 if cost.fails.after_months is None else int(cost.fails.after_months.value)
        factor = value_in(self.draws, f"{path}.fails.price_factor", 1.0)[:, None]
        return [first, np.where(month >= fails + gap, nearest_units(due * factor).astype(np.int64), 0)]

    def recovered(self, name: str) -> Integers:
        """Return by month what the payee of a cost pays back when it fails."""
        path = f"capital.costs.{name}.fails"
        amount = smallest_units(self.draws[f"{path}.recovered"], self.units, f"{path}.recovered")
        months = np.arange(self.calendar.horizon_months + 1)[None, :]
        return np.where(months == np.floor(self.draws[f"{path}.in_month"])[:, None], amount[:, None], 0)

    def _people_in_service(self, cost: Priced) -> Floats:
        """Return by month the share of a person's service that falls into it, added up over the people of the waves."""
        horizon, lasts = self.calendar.horizon_months, 1 if cost.over_months is None else int(cost.over_months.value)
        units = np.zeros((len(self.draws), horizon + 1))
        for w, (wave, (first, path)) in enumerate(self.calendar.waves.items()):
            if cost.waves and wave not in cost.waves:
                continue
            enrolment = np.floor(self.draws[path]).astype(np.int64)
            entered = in_equal_shares(enrolment, horizon - first)
            for month in range(lasts):
                begin = first + month
                if begin <= horizon:
                    units[:, begin:] += (self.people[:, w] / lasts)[:, None] * entered[:, : horizon + 1 - begin]
        return units


def in_equal_shares(months: Integers, horizon_months: int) -> Floats:
    """Return by month the share of people who enter, evenly over the first months."""
    return np.asarray((np.arange(horizon_months + 1)[None, :] < months[:, None]) / months[:, None])


def value_in(draws: Draws, path: str, otherwise: float) -> Floats:
    """Return a number of the study in every replication, or its default if the study omits it."""
    found = draws.values.get(path)
    return np.full(len(draws), otherwise) if found is None else found


def smallest_units(amount: Floats, units: int, path: str = "contract.terms") -> Integers:
    """Convert amounts of the currency into whole numbers of its smallest unit, rounding half to even.

    Raises
    ------
    StudyError
        If an amount is so large that whole numbers of 64 bits could not hold sums of it.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        whole = nearest_units(amount * units)
    return refuse_too_large(whole, units, path).astype(np.int64)


def refuse_too_large(whole: Floats, units: int, path: str) -> Floats:
    """Refuse amounts of which whole numbers of 64 bits could not hold sums."""
    if not (np.abs(whole) <= _LARGEST_UNITS).all():
        rule = f"a payment must stay below {_LARGEST_UNITS / units:.0e} in every replication"
        found = f"{np.abs(whole).max() / units:.3g}"
        raise StudyError([Problem("the run", path, rule, found, "Give the term a cap, or check the prices")])
    return whole
