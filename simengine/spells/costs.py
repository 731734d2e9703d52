"""What a day in each state costs: the mean, with a standard error that knows that the days of one person are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.spells.plan import FitPlan
from simengine.spells.records import Spells


@dataclass(frozen=True)
class DailyCost:
    """The mean cost of a day in a state."""

    mean: float
    """Mean per day."""
    se: float
    """Standard error, clustered by person."""
    quantity: Mapping[str, Any]
    """As a study says it."""


def fit_costs(spells: Spells, plan: FitPlan) -> tuple[dict[str, DailyCost], list[str]]:
    """Return the daily cost by state, and what was left out.

    The mean is all cost over all days, R = C / D, with C_i and D_i of person i. Its variance, with n people:
    n / (n - 1) × the sum of (C_i - R D_i)² / D² (Cochran 1977, "Sampling Techniques", section 6.8: the ratio of two sums).
    A state whose spells all have the same cost has a price without a distribution.
    """
    found: dict[str, DailyCost] = {}
    notes: list[str] = []
    begun = np.maximum(spells.first_day, spells.entry_day[spells.person])
    days, cost = spells.end_day - begun, spells.cost_per_day
    for number in plan.order:
        name = spells.states[number]
        at = (spells.state == number) & ~np.isnan(cost)
        if not at.any():
            continue
        people, person = np.unique(spells.person[at], return_inverse=True)
        n = len(people)
        if n < spells.small_cells:
            notes.append(f"Daily cost of `{name}`: given for fewer than {spells.small_cells} people; it has no price.")
            continue
        of_cost = np.bincount(person, (cost * days)[at], n)
        of_days = np.bincount(person, days[at], n)
        mean = float(of_cost.sum() / of_days.sum())
        se = float(np.sqrt(n / (n - 1) * ((of_cost - mean * of_days) ** 2).sum()) / of_days.sum())
        found[name] = DailyCost(mean, se, _quantity(mean, se))
    return found, notes


def _quantity(mean: float, se: float) -> dict[str, Any]:
    if mean <= 0 or se < 1e-9 * mean:
        return {"value": float(f"{mean:.6g}")}
    return {"distribution": "gamma", "mean": float(f"{mean:.6g}"), "sd": float(f"{se:.4g}")}
