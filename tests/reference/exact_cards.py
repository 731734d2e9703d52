"""Exact moments of what a rate card pays each quarter, and of how many people reach what, without a single random number.

A person lives through months, one move at most at the end of each, and everything that the card needs to know of the past is part
of the state. So the distribution of a person's states is carried forward month by month, with what the person was paid since the last
date beside it; on each date its moments are added up, and it begins again at nothing. People enter in different months of the
calendar, each equally likely; where dates repeat, months that lie a whole number of them apart look alike, so many dates later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import exp, log1p
from typing import Any, TypeAlias

from tests.reference.recursion import ORDER, Moments

Life: TypeAlias = Any
"""All that the next months of a person depend on: anything that can be a key."""
Reaching: TypeAlias = tuple[tuple[str, int], ...]
"""Outcomes that are reached at the end of a month, with their units, in the order of the contract."""
Step: TypeAlias = Callable[[int, Life], Iterable[tuple[float, Life, Reaching]]]
"""From the month after entry, 0 for the first, and the life: how likely which life follows, and what is reached at its end."""
Pays: TypeAlias = Callable[[Any, Reaching], tuple[Any, int]]
"""From what the card remembers of a person, and what is reached: what it remembers then, and what it pays."""


@dataclass(frozen=True)
class Card:
    """A price for each outcome, what it needs, and a cap per person."""

    price: Mapping[str, int]
    needs: Mapping[str, str] = field(default_factory=dict)
    """By outcome: the one that must have been reached too."""
    cap: int | None = None
    """The most for one person, in the order in which outcomes are reached."""

    def pays(self, remembered: Any, reached: Reaching) -> tuple[Any, int]:
        """Return what is remembered of a person afterwards, and what is paid."""
        seen, waiting, paid = remembered or (frozenset(), frozenset(), 0)
        total = 0
        for name, units in reached:
            seen |= {name}
            waiting |= {(name, units)}
            # In the order of prices, which is that of the contract.
            for claim in sorted(waiting, key=lambda one: list(self.price).index(one[0])):
                if self.needs.get(claim[0], claim[0]) not in seen:
                    continue
                waiting -= {claim}
                owed = self.price[claim[0]] * claim[1]
                if self.cap is not None:
                    owed = min(owed, self.cap - paid)
                    paid += owed
                total += owed
        return (seen, waiting, paid), total


@dataclass(frozen=True)
class CardOfMonths:
    """A price for each month of one outcome, once so many are reached; then for those before too, if they are counted back."""

    price: Mapping[str, int]
    from_month: int
    counted_back: bool = True

    def pays(self, remembered: Any, reached: Reaching) -> tuple[Any, int]:
        """Return how many months a person has, as far as it matters, and what is paid."""
        ((name, units),) = reached
        after = (remembered or 0) + units
        paid_for = 0 if after < self.from_month else after if self.counted_back else units
        if remembered is not None and remembered >= self.from_month:
            paid_for = units
        return min(after, self.from_month), self.price[name] * paid_for


def number_of(outcome: str) -> Pays:
    """Count how many reach an outcome, or how many units of it."""
    return lambda remembered, reached: (remembered, sum(units for name, units in reached if name == outcome))


@dataclass(frozen=True)
class People:
    """Where a person begins, how a month passes, and in which months of the calendar people enter, each equally likely."""

    start: Mapping[Life, float]
    step: Step
    entries: Sequence[int]


def moments_by_date(people: People, pays: Pays, dates: Sequence[int]) -> list[Moments]:
    """Return the moments of what one person is paid on each date; dates are months from the start, in order."""
    every = dates[0] if list(dates) == [dates[0] * (place + 1) for place in range(len(dates))] else dates[-1]
    totals = [[0.0] * (ORDER + 1) for _ in dates]
    for first in sorted({entry % every for entry in people.entries}):
        # Dates that repeat look alike to people who enter so many dates later.
        found = _of_one_entry(people, pays, first, dates)
        for entry in (entry for entry in people.entries if entry % every == first):
            later = entry // every
            for place, moments in enumerate(found[: len(dates) - later]):
                totals[place + later] = [a + b / len(people.entries) for a, b in zip(totals[place + later], moments, strict=True)]
    # Those who have not entered are paid nothing.
    return [[1.0, *moments[1:]] for moments in totals]


def _of_one_entry(people: People, pays: Pays, entry: int, dates: Sequence[int]) -> list[Moments]:
    """Carry one person forward from an entry; a month after it ends `entry` + month + 1 months after the start."""
    now: dict[tuple[Life, Any, int], float] = {(life, None, 0): chance for life, chance in people.start.items()}
    found = [[1.0] + [0.0] * ORDER for date in dates if date <= entry]
    pays = cache(pays)
    for month in range(dates[-1] - entry):
        later: dict[tuple[Life, Any, int], float] = defaultdict(float)
        steps = {life: [one for one in people.step(month, life) if one[0] > 0.0] for life in {key[0] for key in now}}
        for (life, remembered, paid), chance in now.items():
            for share, next_life, reached in steps[life]:
                after, amount = pays(remembered, reached) if reached else (remembered, 0)
                later[next_life, after, paid + amount] += chance * share
        now = later
        if entry + month + 1 in dates:
            found.append([sum(chance * float(paid) ** k for (_, _, paid), chance in now.items()) for k in range(ORDER + 1)])
            begun_anew: dict[tuple[Life, Any, int], float] = defaultdict(float)
            for (life, remembered, _), chance in now.items():
                begun_anew[life, remembered, 0] += chance
            now = begun_anew
    return found


def moves(probabilities: Mapping[str, float], ratios: Mapping[str, float]) -> dict[str, float]:
    """Return the probabilities of the moves out of a state of one month, and of staying under the name of nobody, ``""``.

    The probabilities are turned into hazards in proportion, each is multiplied by its ratio (a service, a factor), and back.
    """
    leaving = sum(probabilities.values())
    hazards = {to: -log1p(-leaving) * p / leaving * ratios.get(to, 1.0) for to, p in probabilities.items()}
    together = sum(hazards.values())
    if together == 0.0:
        return {"": 1.0}
    return {"": exp(-together)} | {to: (1 - exp(-together)) * hazard / together for to, hazard in hazards.items()}
