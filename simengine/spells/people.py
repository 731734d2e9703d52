"""Who enters: shares of the strata, the states in which people begin, and how many enter in a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.arrays import Flags, Integers
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.spells.plan import FitPlan
from simengine.spells.records import Spells

_PRIOR = 0.5
"""Added to every count of a share: Jeffreys's prior."""


@dataclass(frozen=True)
class FittedStart:
    """Shares of the strata, and of the states in which people of each begin."""

    strata: Mapping[str, Mapping[str, Any]]
    """By stratum: the count of people as a study says it; empty where there is one stratum."""
    start: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """By stratum and state: the count, or a share of 1."""
    is_incident: bool
    """Whether only people count who entered while they were observed."""
    notes: tuple[str, ...]
    """What was put together or rounded."""


@dataclass(frozen=True)
class FittedEntries:
    """How many people enter."""

    per_month: float
    """Mean people a month."""
    months: int
    """Full months in which entries were counted."""
    overdispersion: float
    """Variance of the monthly numbers over their mean."""
    size: Mapping[str, Any]
    """The size of a wave as a study says it."""


def incident(spells: Spells) -> Flags:
    """Return who entered while observed, shape (person,): everybody whose first spell had not begun before."""
    return np.asarray(spells.first_day[spells.first_spell[:-1]] >= spells.entry_day)


def fit_start(spells: Spells, plan: FitPlan) -> FittedStart:
    """Fit the shares with which people begin: counts of a Dirichlet distribution, with half a person added to each."""
    is_new, least = incident(spells), spells.small_cells
    is_incident = int(is_new.sum()) >= least
    counted = is_new if is_incident else np.ones(spells.n_people, np.bool_)
    first = spells.state[spells.first_spell[:-1]]
    notes = []
    if not is_incident and len(plan.order) > 1:
        notes.append("Start: few people entered while they were observed; the states of all at the beginning of observation count.")
    people = np.bincount(plan.stratum[counted], minlength=len(plan.strata))
    strata = _as_counts(dict(zip(plan.strata, people, strict=True)), notes, "Strata", least) if len(plan.strata) > 1 else {}
    start = {}
    for number, name in enumerate(plan.strata):
        at = first[counted & (plan.stratum == number)]
        by_state = {spells.states[one]: int((at == one).sum()) for one in plan.order}
        start[name] = _as_counts({state: n for state, n in by_state.items() if n}, notes, f"Start of `{name}`", least)
    return FittedStart(strata, start, is_incident, tuple(notes))


def _as_counts(people: Mapping[str, int | np.int64], notes: list[str], where: str, least: int) -> dict[str, dict[str, Any]]:
    """Say shares by counts; where one of them is small, all are rounded so that no difference betrays it."""
    if len(people) == 1:
        return {name: {"value": 1.0} for name in people}
    shown = {name: float(n) for name, n in people.items()}
    if any(n < least for n in shown.values()):
        notes.append(f"{where}: a count is below {least}; it stands as {least / 2:g}, the others rounded to multiples of {least}.")
        shown = {name: least / 2 if n < least else least * round(n / least) for name, n in shown.items()}
    return {name: {"distribution": "dirichlet", "count": n + _PRIOR} for name, n in shown.items()}


def fit_entries(spells: Spells, enrolment_months: int) -> FittedEntries | None:
    """Fit the number of people who enter in some months: negative binomial, with what is not known of the mean.

    The monthly numbers have the mean m and, by their variance, the size r of a negative binomial distribution (r is without bound
    where they vary as a Poisson number does, or less). The total of T months has the variance m T + m² T² / a with

        1 / a = 1 / (r T) + (1 / m + 1 / r) / n

    of which the second part is what n months leave unknown of the mean. That is `referrals` from one referrer with the shape a.
    None where fewer than two full months, or fewer people than may be shown, were counted.
    """
    is_new = incident(spells)
    counts = _by_month(spells, spells.entry_day[is_new])
    if int(is_new.sum()) < spells.small_cells or len(counts) <= 1 or counts.sum() < spells.small_cells:
        return None
    n, mean, variance = len(counts), float(counts.mean()), float(counts.var(ddof=1))
    inverse_size = max(variance - mean, 0.0) / mean**2
    shape = 1 / (inverse_size / enrolment_months + (1 / mean + inverse_size) / n)
    size = {
        "distribution": "referrals",
        "referrers": 1,
        "per_month_each": float(f"{mean:.4g}"),
        "shape": float(f"{shape:.4g}"),
        "months": enrolment_months,
    }
    return FittedEntries(mean, n, variance / mean, size)


def _by_month(spells: Spells, entry_day: np.ndarray) -> Integers:
    """Count entries in full months from the first to the last of them, shape (month,); the last month is not full."""
    if not len(entry_day):
        return np.zeros(0, np.int64)
    month = ((entry_day - entry_day.min()) // DAYS_PER_MONTH).astype(np.int64)
    until = int((spells.observed_until.max() - entry_day.min()) // DAYS_PER_MONTH)
    return np.bincount(month, minlength=until)[:until]
