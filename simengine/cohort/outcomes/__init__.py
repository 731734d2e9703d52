"""Kinds of outcomes, one file each: specification, traits and counting.

To add a kind, write its file and enter it in `OUTCOME_KINDS`. `base` says what a kind answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from simengine.cohort.outcomes.amount import AmountOutcome
from simengine.cohort.outcomes.base import OutcomeKind, PriceList
from simengine.cohort.outcomes.binary import Binary
from simengine.cohort.outcomes.claim import Claim
from simengine.cohort.outcomes.count import CountOfEvents
from simengine.cohort.outcomes.days import DaysInSpells
from simengine.cohort.outcomes.reached import StateReached
from simengine.cohort.outcomes.score import Score
from simengine.cohort.outcomes.target import TargetOutcome
from simengine.errors import Problem, StudyError

__all__ = [
    "OUTCOME_KINDS",
    "Outcome",
    "OutcomeKind",
    "PriceList",
    "behind",
    "closed_over",
    "in_order",
    "price_lists",
    "refuse_unlisted",
]

OUTCOME_KINDS: tuple[type[OutcomeKind], ...] = (
    AmountOutcome,
    CountOfEvents,
    DaysInSpells,
    Binary,
    Score,
    StateReached,
    TargetOutcome,
    Claim,
)
"""Every kind of outcome, in the order in which they are named."""

if TYPE_CHECKING:
    Outcome: TypeAlias = OutcomeKind
else:
    Outcome = Annotated[reduce(or_, OUTCOME_KINDS), Field(discriminator="kind")]


def refuse_unlisted(outcomes: Mapping[str, object]) -> None:
    """Refuse an outcome whose kind is not in the list, as only Python can make one: nobody would know how it is counted.

    Raises
    ------
    StudyError
        With every such outcome.
    """
    listed = ", ".join(kind.__name__ for kind in OUTCOME_KINDS)
    problems = [
        Problem(
            "the study",
            f"outcomes.{name}",
            f"an outcome must be of a kind that is listed in cohort.outcomes: {listed}",
            type(outcome).__name__,
            "Enter the kind in OUTCOME_KINDS there",
        )
        for name, outcome in outcomes.items()
        if type(outcome) not in OUTCOME_KINDS
    ]
    if problems:
        raise StudyError(problems)


def behind(outcomes: Mapping[str, OutcomeKind], name: str) -> list[str]:
    """List the outcomes that one rests on, itself included: what a target asks for, what a claim pays for."""
    waiting, found = [name], list[str]()
    while waiting:
        one = waiting.pop(0)
        if one in outcomes and one not in found:
            found.append(one)
            waiting += outcomes[one].rests_on
    return found


def closed_over(outcomes: Mapping[str, OutcomeKind], asked: Iterable[str]) -> dict[str, OutcomeKind]:
    """Return some outcomes and all that they rest on, in the order of the study."""
    wanted, waiting = set[str](), list(asked)
    while waiting:
        for one in behind(outcomes, waiting.pop()):
            group = outcomes[one].payment_group
            waiting += [] if group is None or group.outcome in wanted or one in wanted else [group.outcome]
            wanted.add(one)
    return {name: outcome for name, outcome in outcomes.items() if name in wanted}


def price_lists(outcomes: Mapping[str, OutcomeKind]) -> dict[str, PriceList]:
    """Return the price lists by outcome, of those that have one."""
    lists = {name: outcome.price_list for name, outcome in outcomes.items()}
    return {name: prices for name, prices in lists.items() if prices is not None}


def in_order(outcomes: Mapping[str, OutcomeKind]) -> tuple[str, ...]:
    """Name all outcomes, each after those on which it rests."""
    return tuple(sorted(outcomes, key=lambda name: len(behind(outcomes, name))))
