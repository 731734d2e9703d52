"""The table at which terms are agreed: what is free, what each party wants, what it will not bear, and how a point is settled.

Nothing here knows a study: a *settlement* turns term values into the money of each party, replication by replication. So the same
search sizes a contract of the engine and a textbook problem with a known answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.config.sizing import Free, RecommendRule
from simengine.late import optimize, qmc
from simengine.records import Floats
from simengine.risk.amounts import Columns
from simengine.risk.limits import Limit
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic

Terms = tuple[float, ...]
"""One number for every free term, in their order."""
Settlement = Callable[[Mapping[str, float]], Mapping[str, Columns]]
"""From numbers by path to the columns of the replications as each party sees them."""

GRID_POINTS = 225
_FINEST = 1e-3
"""The search ends when its steps are this part of a range."""
_MOST_STEPS = 80
_FARTHEST = 1e3
"""Ranges of its measure by which a limit is broken at most: what has no value is broken as much as that."""
_FEWEST_PER_TERM = 4
"""With fewer values of each term a grid says too little."""


@dataclass(frozen=True)
class Table:
    """What is asked: a finite number of free terms, objectives and limits."""

    free: Mapping[str, Free]
    """By path."""
    objectives: tuple[Measure, ...]
    limits: tuple[Limit, ...]
    rule: RecommendRule
    without: tuple[float | None, ...]
    """What each objective is without a deal, for the rule `nash`."""


@dataclass(frozen=True)
class Candidate:
    """What some terms come to."""

    terms: Terms
    objectives: tuple[Statistic, ...]
    limits: tuple[Statistic, ...]
    """The value of the measure that each limit is about."""


@dataclass
class TermSearch:
    """Points that were settled, each once; and the ways to look for better ones."""

    table: Table
    settle: Settlement
    n_points: int = GRID_POINTS
    pool: dict[Terms, Candidate] = field(default_factory=dict)
    _scales: Floats | None = field(default=None, repr=False)

    @property
    def ranges(self) -> Sequence[Free]:
        """List the ranges of the free terms."""
        return list(self.table.free.values())

    def named(self, terms: Terms) -> dict[str, float]:
        """Return terms by their paths."""
        return dict(zip(self.table.free, terms, strict=True))

    def settled(self, terms: Iterable[float]) -> Candidate:
        """Settle a point, unless it was settled before; what has steps is moved to the nearest one."""
        terms = tuple(_on_step(value, free) for value, free in zip(terms, self.ranges, strict=True))
        if terms not in self.pool:
            columns = self.settle(self.named(terms))
            self.pool[terms] = Candidate(
                terms,
                tuple(measure.of(columns[measure.party]) for measure in self.table.objectives),
                tuple(limit.measure.of(columns[limit.measure.party]) for limit in self.table.limits),
            )
        return self.pool[terms]

    def fill(self) -> None:
        """Settle points all over the ranges."""
        for terms in spread_out(self.ranges, self.n_points):
            self.settled(terms)

    def excess(self, point: Candidate, skip: int | None = None) -> Floats:
        """Say by how much each limit is broken, in parts of the range that its measure takes; 0 where it is kept."""
        return np.array(
            [
                0.0 if place == skip else min(max(limit.excess(value.value), 0.0) / scale, _FARTHEST)
                for place, (limit, value, scale) in enumerate(zip(self.table.limits, point.limits, self.scales(), strict=True))
            ]
        )

    def scales(self) -> Floats:
        """Return the range that each limit's measure takes over the first points; 1 where it takes one value."""
        if self._scales is None:
            values = np.array([[value.value for value in point.limits] for point in self.pool.values()])
            # What never comes is infinite, and says nothing of the range of the rest.
            there = np.where(np.isfinite(values), values, 0.0)
            spread = np.ptp(there, axis=0)
            self._scales = np.where(spread > 0, spread, 1.0)
        return self._scales

    def is_feasible(self, point: Candidate) -> bool:
        """Return whether a point keeps every limit."""
        return not any(limit.excess(value.value) > 0 for limit, value in zip(self.table.limits, point.limits, strict=True))

    def feasible(self) -> list[Candidate]:
        """List the points that keep every limit."""
        return [point for point in self.pool.values() if self.is_feasible(point)]

    def improve(self, start: Candidate, worth: Callable[[Candidate], float], skip: int | None = None) -> None:
        """Look from a point for one that is worth more and keeps the limits, all but one perhaps; all that is met joins the pool.

        Notes
        -----
        COBYQA (Ragonneau, T. M. 2022, Model-based derivative-free optimization methods and software, doctoral thesis, The Hong
        Kong Polytechnic University) as SciPy holds it: it needs no slopes, keeps to the ranges, and draws nothing at random.
        """
        low = np.array([free.low for free in self.ranges])
        width = np.array([free.high for free in self.ranges]) - low

        def at(x: Floats) -> Candidate:
            return self.settled(np.clip(low + x * width, low, low + width))

        keeps = optimize.NonlinearConstraint(lambda x: self._signed(at(x), skip), -np.inf, 0.0)
        optimize.minimize(
            lambda x: -worth(at(x)),
            (np.array(start.terms) - low) / width,
            method="COBYQA",
            bounds=optimize.Bounds(np.zeros(len(low)), np.ones(len(low))),
            constraints=[keeps] if len(self.table.limits) > (skip is not None) else [],
            options={"initial_tr_radius": 0.1, "final_tr_radius": _FINEST, "maxfev": _MOST_STEPS},
        )

    def _signed(self, point: Candidate, skip: int | None) -> list[float]:
        pairs = zip(self.table.limits, point.limits, self.scales(), strict=True)
        return [
            min(limit.excess(value.value) / scale, _FARTHEST) for place, (limit, value, scale) in enumerate(pairs) if place != skip
        ]


def spread_out(ranges: Sequence[Free], n_points: int) -> list[Terms]:
    """Return about so many points all over some ranges: a grid, or of many terms a sequence that fills the space."""
    per_term = round(n_points ** (1 / len(ranges)))
    if per_term >= _FEWEST_PER_TERM:
        axes = [_axis(free, per_term) for free in ranges]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(ranges))
    else:
        low, high = np.array([free.low for free in ranges]), np.array([free.high for free in ranges])
        # Without scrambling nothing is drawn at random.
        unit = qmc.Halton(len(ranges), scramble=False).random(n_points)
        points = np.concatenate([low[None], high[None], low + unit * (high - low)])
    moved = [tuple(_on_step(float(value), free) for value, free in zip(point, ranges, strict=True)) for point in points]
    return list(dict.fromkeys(moved))


def frontier(points: Sequence[Candidate], objectives: Sequence[Measure]) -> list[Candidate]:
    """List the points that nobody can better without harm to another, by the first objective; of equal ones the first."""
    if not objectives or not points:
        return []
    worth = np.array([worth_of(point, objectives) for point in points])
    kept: list[int] = []
    for place in np.lexsort(worth.T[::-1])[::-1]:
        rivals = worth[kept]
        if not len(rivals) or not (rivals >= worth[place]).all(axis=1).any():
            kept.append(int(place))
    return [points[place] for place in kept]


def worth_of(point: Candidate, objectives: Sequence[Measure]) -> list[float]:
    """Return the objectives of a point so that more is better."""
    return [measure.sign * value.value for measure, value in zip(objectives, point.objectives, strict=True)]


def _axis(free: Free, n_points: int) -> Floats:
    if free.step is None:
        return np.linspace(free.low, free.high, n_points)
    n_steps = int((free.high - free.low) / free.step + 1e-9)
    return free.low + free.step * np.unique(np.round(np.linspace(0, n_steps, min(n_points, n_steps + 1))))


def _on_step(value: float, free: Free) -> float:
    """Return the value, or the nearest that has whole steps, without the dust of floating point."""
    if free.step is None:
        return min(max(float(f"{value:.6g}"), free.low), free.high)
    n_steps = min(round((value - free.low) / free.step), int((free.high - free.low) / free.step + 1e-9))
    return float(f"{free.low + n_steps * free.step:.12g}")
