"""No deal: which limits cannot be kept together, and the smallest step by which somebody could make one possible."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from simengine.questions.size.search import Search, Settled
from simengine.risk.limits import Limit
from simengine.risk.statistics import Statistic

_MOST_TOGETHER = 4
"""Conflicts among more limits than this are named as all of them together."""


@dataclass(frozen=True)
class Relaxation:
    """One limit that is moved while all others stay, so that terms exist that everybody can sign."""

    limit: Limit
    to: Statistic
    """The level to which it must move: what the limit's measure comes to on the terms that are nearest to it."""
    relative: float
    """The move as a part of the range that the measure takes over all terms."""
    point: Settled


@dataclass(frozen=True)
class NoDeal:
    """Why no terms satisfy everybody."""

    conflicts: tuple[tuple[Limit, ...], ...]
    """Smallest sets of limits that no terms keep together: without any one of a set, the rest of it can be kept."""
    relaxations: tuple[Relaxation, ...]
    """Moves of one limit that would make a deal, the smallest first; empty where no single one does."""
    closest: Settled
    """The terms that break the limits least, added up in parts of the ranges of their measures."""

    @property
    def binding(self) -> tuple[Limit, ...]:
        """List the limits that stand in the way."""
        return tuple(dict.fromkeys(limit for conflict in self.conflicts for limit in conflict))


def explain_no_deal(search: Search) -> NoDeal:
    """Say why no point of a search keeps every limit."""
    limits = search.table.limits
    relaxations = [found for place in range(len(limits)) if (found := _relaxation(search, place)) is not None]
    closest = min(search.pool.values(), key=lambda point: float(search.excess(point).sum()))
    return NoDeal(_conflicts(search), tuple(sorted(relaxations, key=lambda one: one.relative)), closest)


def _relaxation(search: Search, place: int) -> Relaxation | None:
    """Move one limit just as far as the terms need that keep all others; nothing where no terms keep them."""
    limit = search.table.limits[place]

    def others_kept() -> list[Settled]:
        return [point for point in search.pool.values() if not search.excess(point, skip=place).any()]

    def distance(point: Settled) -> float:
        return limit.excess(point.limits[place].value) / float(search.scales()[place])

    if not others_kept():
        nearest = min(search.pool.values(), key=lambda point: float(search.excess(point, skip=place).sum()))
        search.improve(nearest, lambda point: -float(search.excess(point, skip=place).sum()), skip=place)
    if not others_kept():
        return None
    search.improve(min(others_kept(), key=distance), lambda point: -distance(point), skip=place)
    point = min(others_kept(), key=distance)
    return Relaxation(limit, point.limits[place], distance(point), point)


def _conflicts(search: Search) -> tuple[tuple[Limit, ...], ...]:
    limits = search.table.limits
    points = list(search.pool.values())
    kept = np.array([[limit.excess(value.value) <= 0 for limit, value in zip(limits, p.limits, strict=True)] for p in points])
    found: list[tuple[int, ...]] = []
    for size in range(1, min(len(limits), _MOST_TOGETHER) + 1):
        for places in combinations(range(len(limits)), size):
            is_new = not any(set(smaller) <= set(places) for smaller in found)
            if is_new and not kept[:, places].all(axis=1).any():
                found.append(places)
    if not found:
        found = [tuple(range(len(limits)))]
    return tuple(tuple(limits[place] for place in places) for places in found)
