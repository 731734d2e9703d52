"""What a fit says of itself, as plain numbers: nothing of any person, and no number of people that is too small to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from simengine.late import special
from simengine.report.steps import MovesContent
from simengine.spells.answer_file import FileContent
from simengine.spells.choices import Priors
from simengine.spells.costs import DailyCost
from simengine.spells.episodes import episodes_of, moves_of
from simengine.spells.event_answer import EventsContent
from simengine.spells.goodness import MoveTest, StateTest
from simengine.spells.hazards import FittedNumber, posterior_of_count
from simengine.spells.people import FittedEntries
from simengine.spells.plan import FitPlan
from simengine.spells.records import Spells, counts_shown


class FittedMoveContent(TypedDict):
    """One move, summed over strata and time in the state."""

    people: str
    """People who made it."""
    moves: int | None
    """How often it was made; null where fewer people made it than may be shown."""
    person_months: float
    """Months at risk, summed over people."""
    rate_per_month: float
    """Moves per month at risk: the posterior mean of one constant rate for all."""
    interval_90: tuple[float, float]
    """Its 5 % and 95 % quantiles."""
    test: MoveTest
    """Whether the hazard changes with the time in the state as it was fitted."""


class FitContent(TypedDict):
    """A fitted pathway."""

    file: FileContent
    """The file that was read."""
    states: list[str]
    """States of the pathway."""
    strata: list[str]
    """Strata of the population."""
    moves: Mapping[str, FittedMoveContent]
    """By move: what was seen of it."""
    numbers: list[FittedNumber]
    """Every number of the hazards, with its distribution."""
    frailty_variance: float | None
    """Variance of the frailty at the centre of its posterior; null without one."""
    survival: Mapping[str, StateTest]
    """By state: how long people stay, against Kaplan and Meier's estimate."""
    occupancy: Mapping[str, StateTest]
    """By state: share of the people in it by month since entry, against those observed."""
    costs: Mapping[str, DailyCost]
    """By state: its daily cost."""
    entries: FittedEntries | None
    """How many people enter; null where too few were seen to enter."""
    events: EventsContent | None
    """The events of a second table; null without one."""
    notes: list[str]
    """What was put together, rounded or left out."""
    left_out: list[str]
    """Correlations, frailties, variants and known results of the study that no longer apply."""
    steps: MovesContent | None
    """Effect of moving at the end of a step, in the study; null without one."""
    section: Mapping[str, Any]
    """The section, as `pathway_section.yaml` has it."""


def moves_content(spells: Spells, plan: FitPlan, priors: Priors, tests: Mapping[str, MoveTest]) -> dict[str, FittedMoveContent]:
    """Say what was seen of every move."""
    pairs = [(move.origin, move.target) for move in plan.moves]
    episodes = episodes_of(spells, pairs, plan.stratum, {})
    seen = moves_of(spells)
    found: dict[str, FittedMoveContent] = {}
    for move in plan.moves:
        at = (episodes.state == move.origin) & ~episodes.is_before
        months = float((episodes.until_month - episodes.from_month)[at].sum())
        spells_of = seen[move.origin, move.target]
        people = len(np.unique(spells.person[spells_of]))
        k, at_risk = posterior_of_count(len(spells_of), months, priors, move.in_class)
        low, high = special.gammaincinv(k, np.array([0.05, 0.95])) / at_risk
        found[move.name] = {
            "people": counts_shown(people, spells.small_cells),
            "moves": len(spells_of) if people >= spells.small_cells else None,
            "person_months": round(months, 1),
            "rate_per_month": k / at_risk,
            "interval_90": (float(low), float(high)),
            "test": tests[move.name],
        }
    return found
