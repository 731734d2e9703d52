"""Spells by hand: rows of a person as (state, first day, first day no longer in it); the last one of everybody is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.config.document import Document
from simengine.spells.choices import FitChoices
from simengine.spells.plan import FitPlan, plan_fit
from simengine.spells.records import Spells, SpellsFile

Row = tuple[str, float, float]


def spells_of(
    people: Sequence[Sequence[Row]],
    *,
    entry: Mapping[int, float] | None = None,
    groups: Sequence[str] | None = None,
    cost: Mapping[tuple[int, int], float] | None = None,
) -> Spells:
    """Make spells; entry: by person, where it is not the first day; cost: by person and number of the spell."""
    flat = [(person, number, *row) for person, rows in enumerate(people) for number, row in enumerate(rows)]
    states = tuple(sorted({row[2] for row in flat}))
    names = tuple(sorted(set(groups))) if groups else ("all",)
    bounds = np.concatenate([[0], np.cumsum([len(rows) for rows in people])])
    last = {(person, len(rows) - 1) for person, rows in enumerate(people)}
    return Spells(
        states=states,
        groups=names,
        person=np.array([row[0] for row in flat]),
        state=np.array([states.index(row[2]) for row in flat]),
        first_day=np.array([row[3] for row in flat], dtype=np.float64),
        end_day=np.array([row[4] for row in flat], dtype=np.float64),
        is_open=np.array([row[:2] in last for row in flat]),
        cost_per_day=np.array([(cost or {}).get(row[:2], np.nan) for row in flat]),
        first_spell=bounds,
        group=np.array([names.index(groups[i]) if groups else 0 for i in range(len(people))]),
        entry_day=np.array([(entry or {}).get(i, rows[0][1]) for i, rows in enumerate(people)], dtype=np.float64),
        observed_until=np.array([rows[-1][2] for rows in people], dtype=np.float64),
        file=SpellsFile("by_hand.csv", "0123456789abcdef" * 4, len(flat)),
    )


def planned(spells: Spells, **choices: object) -> tuple[FitPlan, FitChoices]:
    chosen = FitChoices.model_validate(choices)
    return plan_fit(spells, chosen, Document({}, default_place="the pathway")), chosen


def months(number: float) -> float:
    return number * DAYS_PER_MONTH
