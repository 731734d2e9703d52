"""A map: the money of each party over two numbers of a study, every point of it simulated, and the line on which it breaks even."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from simengine.config import Study
from simengine.config.numbers import with_numbers
from simengine.errors import StudyError, UsageError
from simengine.questions.tradeoffs.answer import settled_at, stored_for
from simengine.questions.tradeoffs.sides import MapSide, sides_of
from simengine.records import Floats
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.replications.money import chosen_parties
from simengine.replications.stored import StoredEnsemble
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measures import p_loss
from simengine.risk.statistics import Statistic

Direction = Literal["across", "up"]


@dataclass(frozen=True)
class BreakEven:
    """A point at which the mean NPV of a party is 0, between two neighbours on the map of which one has more and one has less."""

    across: float
    """The number across."""
    up: float
    """The number up."""
    along: Direction
    """The side along which it lies between two neighbours; the other number is one of the map's values."""
    at: Statistic
    """The number along that side, by linear interpolation, with its Monte Carlo error."""


@dataclass(frozen=True)
class Landscape:
    """The money of one party over a map: a row for each value across, in it an entry for each value up."""

    npv: tuple[tuple[Statistic, ...], ...]
    """Mean net present value of every point: a row for each value across, in it an entry for each value up."""
    p_loss: tuple[tuple[Statistic, ...], ...]
    """Probability of a net below zero, in the same order."""
    break_even: tuple[BreakEven, ...]
    """Points at which the mean net present value is 0, by the numbers across, then up; empty where there are none."""


@dataclass(frozen=True, repr=False)
class MoneyMap(Answer):
    """The money of some parties over two numbers."""

    across: MapSide
    """The side across."""
    up: MapSide
    """The other side."""
    parties: Mapping[str, Landscape]
    """By party: its money over the map."""


def map_money(study: Study, ensemble: Ensemble, across: str, up: str, n_points: int = 9, parties: Sequence[str] = ()) -> MoneyMap:
    """Evaluate a grid of values of two numbers of a study on the same replications.

    Parameters
    ----------
    study
        Which has the numbers.
    ensemble
        Which replications are drawn: the same people with the same draws at every point.
    across, up
        `PATH=LOW..HIGH`, or with `..STEP`. Numbers of the contract and of the capital are settled on stored replications; for any
        other one people live again at every value. A distribution gives way to the value.
    n_points
        Values on a side that has no steps.
    parties
        Whose money; none: everybody's.

    Raises
    ------
    UsageError
        If a side cannot be read, a point is against a rule of the study, or a party has no money.
    """
    sides = sides_of(study, across, up, n_points)
    chosen = chosen_parties(parties, study)
    # Settling again is cheap, living again is not: what people follow from is the outer number.
    is_turned = sides[0].is_settled_again and not sides[1].is_settled_again
    outer, inner = sides[::-1] if is_turned else sides
    directions: tuple[Direction, Direction] = ("up", "across") if is_turned else ("across", "up")
    surfaces = {party: _Surface(party, outer, inner, directions) for party in chosen}
    for row in _rows(study, ensemble, outer, inner, chosen):
        for surface in surfaces.values():
            surface.add(row)
    found = {party: surface.landscape(is_turned=is_turned) for party, surface in surfaces.items()}
    return MoneyMap(*sides, found, n_replications=ensemble.n_replications, seed=ensemble.seed)


def _rows(study: Study, ensemble: Ensemble, outer: MapSide, inner: MapSide, parties: Sequence[str]) -> Iterator[list[Columns]]:
    """Yield, for each value of the outer number, the columns at every value of the inner one."""
    stored = stored_for(study, ensemble, parties) if outer.is_settled_again else None
    for value in outer.values:
        here, fixed = stored, {outer.path: value}
        if here is None and inner.is_settled_again:
            here, fixed = stored_for(with_numbers(study, fixed), ensemble, parties), {}
        yield [_at(study, ensemble, here, fixed, {inner.path: one}, parties) for one in inner.values]


def _at(
    study: Study,
    ensemble: Ensemble,
    stored: StoredEnsemble | None,
    outer: Mapping[str, float],
    inner: Mapping[str, float],
    parties: Sequence[str],
) -> Columns:
    """Settle one point on stored replications, or simulate people if there are none."""
    numbers = {**outer, **inner}
    try:
        if stored is None:
            return settled_at(stored_for(with_numbers(study, numbers), ensemble, parties), {})
        return settled_at(stored, numbers)
    except StudyError as error:
        first = error.problems[0]
        place = ", ".join(f"{path} = {value:g}" for path, value in numbers.items())
        found = f"; found {first.found}" if first.found else ""
        raise UsageError(f"--across, --up: at {place}, {first.rule}{found}. Narrow the range") from None


class _Surface:
    """The money of one party, row by row of the outer number: only the last row is kept replication by replication."""

    def __init__(self, party: str, outer: MapSide, inner: MapSide, directions: tuple[Direction, Direction]) -> None:
        self._party, self._outer, self._inner, self._directions = party, outer, inner, directions
        self._npv: list[tuple[Statistic, ...]] = []
        self._p_loss: list[tuple[Statistic, ...]] = []
        self._points: list[BreakEven] = []
        self._before: list[Floats] = []

    def add(self, row: Sequence[Columns]) -> None:
        """Take the columns at every value of the inner number."""
        npv = [columns[f"{self._party}.npv"] for columns in row]
        here = self._outer.values[len(self._npv)]
        self._npv.append(tuple(statistics.mean(one) for one in npv))
        self._p_loss.append(tuple(p_loss(columns[f"{self._party}.net"]) for columns in row))
        for (first, second), ends in zip(pairwise(npv), pairwise(self._inner.values), strict=True):
            self._enter(break_even(first, second, *ends), here, 1)
        if self._before:
            ends = self._outer.values[len(self._npv) - 2], here
            for before, now, value in zip(self._before, npv, self._inner.values, strict=True):
                self._enter(break_even(before, now, *ends), value, 0)
        self._before = npv

    def _enter(self, at: Statistic | None, other: float, place: int) -> None:
        if at is None:
            return
        along, beside = self._directions[place], self._directions[1 - place]
        numbers = {along: at.value, beside: other}
        self._points.append(BreakEven(numbers["across"], numbers["up"], along, at))

    def landscape(self, *, is_turned: bool) -> Landscape:
        """Return the map with the number across first."""
        npv, p_loss = (tuple(zip(*rows, strict=True)) if is_turned else tuple(rows) for rows in (self._npv, self._p_loss))
        return Landscape(npv, p_loss, tuple(sorted(self._points, key=lambda one: (one.across, one.up))))


def break_even(first: Floats, second: Floats, low: float, high: float) -> Statistic | None:
    """Find where a mean that is linear between two values of a number is 0; nothing where it does not change its sign.

    Parameters
    ----------
    first, second
        Shape (n_replications,): the same replications at either value.
    low, high
        The values.

    Notes
    -----
    At the zero the replications hold (1 - t) first + t second, whose mean is 0; the error of that mean, divided by the slope, is
    the error of the place (the delta method).

    Examples
    --------
    >>> found = break_even(np.array([-1.0, -3.0]), np.array([2.0, 4.0]), 10.0, 15.0)
    >>> found.value
    12.0
    """
    before, after = float(np.mean(first)), float(np.mean(second))
    if (before > 0) == (after > 0):
        return None
    part = before / (before - after)
    there = statistics.mean((1 - part) * first + part * second)
    slope = (after - before) / (high - low)
    return replace(there, value=low + part * (high - low), se=there.se / abs(slope))
