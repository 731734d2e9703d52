"""What the fitted pathway expects: moves of those at risk, survival in a state, and shares of people in the states."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.late import special
from simengine.spells.episodes import Episodes
from simengine.spells.hazards import FittedMoves, MoveHazard
from simengine.spells.plan import FitPlan

_STEPS = 4
"""Steps of a month by which shares of people are followed."""
_NODES = 12
"""Equally likely frailties for which they are."""


def expected_moves(episodes: Episodes, plan: FitPlan, fitted: FittedMoves) -> Floats:
    """Return the expected number of each move in each episode, given all that was seen of its person before it; shape (move, episode).

    Without a frailty that is the cumulative hazard. With one, a person who has made N moves under it while the cumulative hazard rose
    to H has the expected factor (a + N) / (a + H), a = 1 / variance; over an episode in which H rises from H₀ to H₁ that comes to
    (a + N) log((a + H₁) / (a + H₀)).
    """
    cumulative = np.zeros((len(plan.moves), len(episodes.person)))
    for i, (move, hazard) in enumerate(zip(plan.moves, fitted.hazards, strict=True)):
        at = episodes.state == move.origin
        cumulative[i, at] = hazard.cumulative(episodes.part(at))
    is_frail = np.array([move.is_frail for move in plan.moves])
    if not is_frail.any():
        return np.where(episodes.is_before, 0.0, cumulative)
    a = 1 / fitted.variance
    total = cumulative[is_frail].sum(axis=0)
    moved = np.isin(episodes.move, np.flatnonzero(is_frail)).astype(np.float64)
    risen, seen = _within_person(episodes.person, total), _within_person(episodes.person, moved)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = (a + seen) * np.log((a + risen + total) / (a + risen)) / total
    cumulative[is_frail] *= np.where(total > 0, factor, 1.0)
    return np.where(episodes.is_before, 0.0, cumulative)


def _within_person(person: Integers, values: Floats) -> Floats:
    """Sum values over the earlier episodes of the same person; episodes are sorted by person and time."""
    before = np.cumsum(values) - values
    first = np.flatnonzero(np.diff(person, prepend=-1))
    return np.asarray(before - np.repeat(before[first], np.diff(np.append(first, len(person)))))


def expected_survival(episodes: Episodes, expected: Floats, state: int, most_months: int) -> Floats:
    """Return survival in a state on a grid of months, as expected of those who were at risk; episodes end at every month.

    The hazard of a month is the expected number of moves over the person-months, so that everybody counts for as long as they were at
    risk: strata, calendar and frailties are those of the people in the file.
    """
    at = (episodes.state == state) & ~episodes.is_before
    month = np.minimum(np.floor(episodes.from_month[at]).astype(np.int64), most_months)
    moves = np.bincount(month, expected[:, at].sum(axis=0), most_months + 1)[:most_months]
    at_risk = np.bincount(month, (episodes.until_month - episodes.from_month)[at], most_months + 1)[:most_months]
    with np.errstate(invalid="ignore", divide="ignore"):
        hazard = np.where(at_risk > 0, moves / at_risk, 0.0)
    return np.asarray(np.exp(-np.concatenate([[0.0], np.cumsum(hazard)])))


def expected_occupancy(
    plan: FitPlan, fitted: FittedMoves, begins: Mapping[tuple[int, int], float], years: float, most_months: int
) -> Floats:
    """Return the shares of people in the states on a grid of months after entry, shape (month, state of the file).

    Parameters
    ----------
    plan, fitted
        The pathway at the centre of its posterior.
    begins
        By stratum and state of the file: share of the people.
    years
        When they enter, in years from the origin of the calendar.
    most_months
        Last month of the grid.
    """
    n_states = len(plan.order)
    shares = np.zeros((most_months + 1, n_states))
    factors = _frailties(fitted.variance)
    for stratum in range(len(plan.strata)):
        start = np.array([begins.get((stratum, state), 0.0) for state in range(n_states)])
        if start.sum() > 0:
            for factor in factors:
                shares += _followed(plan, fitted, stratum, start, float(factor), years, most_months) / len(factors)
    return shares


def _frailties(variance: float) -> Floats:
    """Return equally likely factors with mean 1."""
    if variance == 0:
        return np.ones(1)
    factors = special.gammaincinv(1 / variance, (np.arange(_NODES) + 0.5) / _NODES)
    return np.asarray(factors / factors.mean())


def _followed(
    plan: FitPlan, fitted: FittedMoves, stratum: int, start: Floats, factor: float, years: float, most_months: int
) -> Floats:
    """Follow the shares of people of one stratum and one frailty by state and time in it, in short steps."""
    n_steps = most_months * _STEPS
    hazards = [
        _by_step(hazard, stratum, n_steps) * (factor if move.is_frail else 1.0)
        for move, hazard in zip(plan.moves, fitted.hazards, strict=True)
    ]
    people = np.zeros((len(start), n_steps + 1))
    people[:, 0] = start
    shares = np.empty((most_months + 1, len(start)))
    for step in range(n_steps + 1):
        if step % _STEPS == 0:
            shares[step // _STEPS] = people.sum(axis=1)
        if step < n_steps:
            people = _moved(plan, fitted, hazards, people, years + (step + 0.5) / _STEPS / 12)
    return shares


def _by_step(hazard: MoveHazard, stratum: int, n_steps: int) -> Floats:
    """Cumulative hazard of each step of the time in the state, without trend."""
    ends = np.arange(n_steps + 2) / _STEPS
    piece = np.searchsorted(np.asarray(hazard.cuts, dtype=np.float64), ends[:-1], side="right")
    rate = np.exp(hazard.log_rate[stratum] + hazard.log_factor[piece])
    return np.asarray(rate * np.diff(ends**hazard.shape))[: n_steps + 1]


def _moved(plan: FitPlan, fitted: FittedMoves, hazards: list[Floats], people: Floats, years: float) -> Floats:
    """Let people move once, or stay and be a step longer in the state."""
    n_states, length = people.shape
    by_move = [one * np.exp(fit.trend * years) for one, fit in zip(hazards, fitted.hazards, strict=True)]
    leaving = np.zeros((n_states, length))
    for move, one in zip(plan.moves, by_move, strict=True):
        leaving[move.origin] += one
    gone = people * -np.expm1(-leaving)
    after = np.zeros_like(people)
    after[:, 1:] = (people - gone)[:, :-1]
    after[:, -1] += (people - gone)[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        per_hazard = np.where(leaving > 0, gone / leaving, 0.0)
    for move, one in zip(plan.moves, by_move, strict=True):
        after[move.target, 0] += (per_hazard[move.origin] * one).sum()
    return after
