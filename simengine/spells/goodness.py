"""How well the fitted pathway describes the spells: a test for each move, the largest distance for each state, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Floats
from simengine.spells.episodes import DAYS_PER_YEAR, Episodes, episodes_of
from simengine.spells.expected import expected_moves, expected_occupancy, expected_survival
from simengine.spells.hazards import FittedMoves, cuts_of
from simengine.spells.observed import Curve, chi_square_tail, occupancy_curve, survival_curve
from simengine.spells.people import incident
from simengine.spells.plan import FitPlan, MovePlan
from simengine.spells.records import Spells

MOST_MONTHS = 120
"""Months after entry, or in a state, that are compared at most."""
_CLASSES = 6
"""Classes of the time in a state that a test has, beyond one for each number that describes it."""
_DOUBTFUL, _REFUTED = 0.05, 0.01
NOT_TESTED = "too few moves to tell"


@dataclass(frozen=True)
class MoveTest:
    """Whether the hazard of a move changes with the time in its state as it was fitted."""

    chi_square: float | None
    """Sum of (observed - expected)² / expected over classes of the time in the state; null if there are too few moves."""
    degrees: int
    """Degrees of freedom; 0 if there are too few moves."""
    p_value: float | None
    """Probability of a larger one, if the fit is right; null if there are too few moves."""
    verdict: str
    """The same in words."""
    way_out: str
    """What may describe it better; empty where it fits."""


@dataclass(frozen=True)
class StateTest:
    """The largest distance between what was observed of a state and what was fitted."""

    distance: float | None
    """Distance between the two shares of people in the month in which it is largest beside the width of the band; null where too few
    people were observed."""
    at_month: int | None
    """That month."""
    inside: float | None
    """Share of months in which the fit lies inside the 95 % band of what was observed."""
    verdict: str
    """The same in words."""


@dataclass(frozen=True, eq=False)
class Goodness:
    """All comparisons, and the curves behind them."""

    moves: Mapping[str, MoveTest]
    """By move."""
    survival: Mapping[str, StateTest]
    """By state that can be left: how long people stay."""
    occupancy: Mapping[str, StateTest]
    """By state: the share of people in it by month since entry."""
    survival_curves: Mapping[str, tuple[Curve, Floats]]
    """By state: what was observed, and what was fitted on the same grid."""
    occupancy_curves: Mapping[str, tuple[Curve, Floats]]
    """By state, the same."""


def judge_fit(spells: Spells, plan: FitPlan, fitted: FittedMoves, origin_day: float) -> Goodness:
    """Compare the spells with the fitted pathway."""
    pairs = [(move.origin, move.target) for move in plan.moves]
    monthly = episodes_of(spells, pairs, plan.stratum, cuts_of(plan, every=1), origin_day)
    expected = expected_moves(monthly, plan, fitted)
    tests = {move.name: _test(i, move, monthly, expected[i], spells.small_cells) for i, move in enumerate(plan.moves)}
    survival = {}
    for state in dict.fromkeys(move.origin for move in plan.moves):
        seen = survival_curve(spells, state, MOST_MONTHS)
        survival[spells.states[state]] = shortened_curve(seen, expected_survival(monthly, expected, state, MOST_MONTHS))
    absorbing = tuple(set(plan.order) - {move.origin for move in plan.moves})
    observed = occupancy_curve(spells, plan, absorbing, MOST_MONTHS)
    occupancy = {}
    if int(incident(spells).sum()) >= spells.small_cells:
        years = float((spells.entry_day[incident(spells)].mean() - origin_day) / DAYS_PER_YEAR)
        known = [int(np.flatnonzero(np.isfinite(curve.share)).max(initial=0)) for curve in observed.values()]
        shares = expected_occupancy(plan, fitted, _begins(spells, plan), years, max([1, *known]))
        for state, curve in observed.items():
            n = len(shares)
            part = Curve(curve.months[:n], curve.share[:n], curve.low[:n], curve.high[:n])
            occupancy[spells.states[state]] = part, shares[:, state]
    return Goodness(
        tests,
        {name: compare_curves(*curves) for name, curves in survival.items()},
        {name: compare_curves(*curves) for name, curves in occupancy.items()},
        survival,
        occupancy,
    )


def _begins(spells: Spells, plan: FitPlan) -> dict[tuple[int, int], float]:
    """By stratum and state: the share of people who begin so, of those who entered while observed."""
    is_new = incident(spells)
    first = spells.state[spells.first_spell[:-1]][is_new]
    pairs, counts = np.unique(np.stack([plan.stratum[is_new], first], axis=1), axis=0, return_counts=True)
    return {(int(a), int(b)): float(n / is_new.sum()) for (a, b), n in zip(pairs, counts, strict=True)}


def _test(number: int, move: MovePlan, episodes: Episodes, expected: Floats, least: int) -> MoveTest:
    """Compare observed and expected moves in classes of the time in the state that hold as many moves each."""
    is_move = episodes.move == number
    n_numbers = 1 + len(move.cuts) + move.has_shape
    n_classes = min(int(is_move.sum()) // least, _CLASSES + n_numbers - 1)
    at = (episodes.state == move.origin) & ~episodes.is_before
    # An episode lies in one month: it is put into the class of the beginning of that month.
    month = np.floor(episodes.from_month)
    edges = np.unique(np.quantile(month[is_move], np.arange(1, n_classes) / n_classes)) if n_classes > 1 else np.zeros(0)
    edges = edges[edges > month[at].min(initial=0.0)]
    # Between two moves that lie far apart nobody may be at risk: such a class says nothing.
    is_held = np.bincount(np.searchsorted(edges, month[at], side="right"), expected[at], len(edges) + 1) > 0
    edges = edges[is_held[1:]]
    degrees = len(edges) + 1 - n_numbers
    if move.is_small or degrees < 1:
        return MoveTest(None, 0, None, NOT_TESTED, "")
    place = np.searchsorted(edges, month[at], side="right")
    seen = np.bincount(place, is_move[at], len(edges) + 1)
    fitted = np.bincount(place, expected[at], len(edges) + 1)
    statistic = float(((seen - fitted) ** 2 / fitted).sum())
    p = chi_square_tail(statistic, degrees)
    return MoveTest(statistic, degrees, p, *_verdict_on(p, has_shape=bool(move.cuts) or move.has_shape))


def _verdict_on(p: float, *, has_shape: bool) -> tuple[str, str]:
    way_out = "other months in `by_months`" if has_shape else "`by_months` or `weibull`"
    return verdict_of(p), "" if p >= _DOUBTFUL else f"Try {way_out} for the state that it leaves"


def verdict_of(p: float) -> str:
    """Say in words what the probability of a larger chi-square means."""
    return "fits" if p >= _DOUBTFUL else "doubtful" if p >= _REFUTED else "does not fit"


def shortened_curve(seen: Curve, fitted: Floats) -> tuple[Curve, Floats]:
    """Leave out the months after the last one of which enough was observed."""
    n = int(np.flatnonzero(np.isfinite(seen.share)).max(initial=0)) + 1
    return Curve(seen.months[:n], seen.share[:n], seen.low[:n], seen.high[:n]), fitted[:n]


def compare_curves(seen: Curve, fitted: Floats) -> StateTest:
    """Return the largest distance between two curves, beside the width of the band; its month is the place on their grid."""
    known = np.isfinite(seen.share) & np.isfinite(seen.low)
    if not known.any():
        return StateTest(None, None, None, "too few people to tell")
    gap = np.abs(seen.share - fitted)
    width = np.where(known, seen.high - seen.low, 0.0)
    at = int(np.divide(gap, width, out=np.full(len(gap), -1.0), where=width > 0).argmax())
    inside = float(((fitted >= seen.low) & (fitted <= seen.high))[known].mean())
    words = "fits" if inside >= 0.95 else "fits in most months" if inside >= 0.75 else "does not fit"
    return StateTest(round(float(gap[at]), 3), at, round(inside, 2), words)
