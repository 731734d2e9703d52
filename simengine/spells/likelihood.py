"""The likelihood of moves whose hazards share numbers: Weibull shapes, factors by months, trends, and a frailty.

The hazard of a move after d months in the state, for a person of stratum s, at y years from the origin of the calendar, is

    u × rate_s × factor(d) × exp(trend × y) × shape × d^(shape - 1)

with u the person's own factor, gamma distributed between people with mean 1 and variance v (1 for all without a frailty). With N moves
of a person under the frailty, H their cumulative hazard while the person was observed (with u = 1), G the same before that, and
a = 1 / v, the likelihood of a person is the product of the hazards at the moves times

    Γ(a + N) / Γ(a) × (a + G)^a / (a + G + H)^(a + N)

The factor with G is that of people who were still in the state when they were first observed: left truncation. A spell that began
before it is taken to have begun with the frailties of everybody.

References
----------
Nielsen, Gill, Andersen and Sørensen 1992, "A counting process approach to maximum likelihood estimation in frailty models",
Scandinavian Journal of Statistics 19, 25-43: the likelihood. Van den Berg and Drepper 2016, "Inference for shared-frailty survival
models with left-truncated data", doi:10.1080/07474938.2014.975640: the factor of the truncation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.late import special
from simengine.spells.choices import Priors
from simengine.spells.episodes import Episodes, piece_of
from simengine.spells.log_prior import log_prior
from simengine.spells.plan import MovePlan


@dataclass(frozen=True)
class Parameter:
    """One number of a block; all but a trend are fitted as logarithms."""

    kind: str
    """`rate`, `factor`, `shape`, `trend` or `variance`."""
    move: str
    """The move that has it; nothing for a variance."""
    index: int = 0
    """Of the stratum of a rate (0 where all have one), or of the piece of a factor, from 1."""


@dataclass(frozen=True, eq=False)
class _OfMove:
    """The episodes at risk of one move, and where its numbers stand in the vector."""

    rows: Integers
    n_moves: float
    log_months: Floats
    """Log of the months at the end of an episode; 0 at an end that is no move."""
    is_move: Floats
    start: Floats
    stop: Floats
    rate: Integers
    """By episode: place of the log rate."""
    factor: Integers
    """By episode: place of the log factor; -1 in the first piece."""
    years: Floats
    """In the middle of an episode: where its cumulative hazard is taken."""
    years_at_end: Floats
    """Where the move is."""
    shape: int
    trend: int


class Block:
    """Moves that share numbers, at their episodes.

    Parameters
    ----------
    moves, numbers
        The moves, and the index of each in the episodes.
    episodes
        Cut at the pieces of every state.
    n_strata
        Number of strata.
    priors
        What is known before.
    """

    def __init__(
        self, moves: Sequence[MovePlan], numbers: Sequence[int], episodes: Episodes, n_strata: int, priors: Priors
    ) -> None:
        self.priors = priors
        self.parameters: list[Parameter] = []
        self._is_frail = any(move.is_frail for move in moves)
        at = np.isin(episodes.state, [move.origin for move in moves])
        self._episodes = episodes.part(at if self._is_frail else at & ~episodes.is_before)
        self._is_before = self._episodes.is_before
        self._moves = [self._of_move(move, number, n_strata) for move, number in zip(moves, numbers, strict=True)]
        self._variance = self._add("variance", "") if self._is_frail else -1
        people, self._person = np.unique(self._episodes.person, return_inverse=True)
        self._n_people = len(people)
        n_moves = np.zeros(self._n_people)
        for one in self._moves:
            n_moves += np.bincount(self._person[one.rows], one.is_move, self._n_people)
        self._n_moves = n_moves

    def _add(self, kind: str, move: str, index: int = 0) -> int:
        self.parameters.append(Parameter(kind, move, index))
        return len(self.parameters) - 1

    def _of_move(self, move: MovePlan, number: int, n_strata: int) -> _OfMove:
        of = self._episodes
        rows = np.flatnonzero(of.state == move.origin)
        rates = np.array([self._add("rate", move.name, one) for one in range(n_strata if move.by_stratum else 1)])
        factors = np.array([-1, *(self._add("factor", move.name, 1 + one) for one in range(len(move.cuts)))])
        is_move = (of.move[rows] == number).astype(np.float64)
        return _OfMove(
            rows=rows,
            n_moves=is_move.sum(),
            log_months=np.log(np.where(is_move > 0, of.until_month[rows], 1.0)),
            is_move=is_move,
            start=of.from_month[rows],
            stop=of.until_month[rows],
            rate=rates[of.stratum[rows] if move.by_stratum else np.zeros(len(rows), np.int64)],
            factor=factors[piece_of(of.from_month[rows], move.cuts)],
            years=of.years[rows],
            years_at_end=of.years[rows] + (of.until_month - of.from_month)[rows] / 24,
            shape=self._add("shape", move.name) if move.has_shape else -1,
            trend=self._add("trend", move.name) if move.has_trend else -1,
        )

    def start(self) -> Floats:
        """Return where the search for the most likely numbers begins: crude rates, and the medians of what is known before."""
        point = np.zeros(len(self.parameters))
        for one in self._moves:
            months = (one.stop - one.start)[~self._is_before[one.rows]].sum()
            point[np.unique(one.rate)] = np.log((one.n_moves + 0.5) / months)
        if self._is_frail:
            point[self._variance] = np.log(self.priors.frailty_variance.median)
        return point

    def log_posterior(self, point: Floats) -> tuple[float, Floats]:
        """Return the logarithm of the posterior density, up to a constant, and its gradient; shape (parameter,)."""
        value, gradient = log_prior((one.kind for one in self.parameters), point, self.priors)
        hazards = [self._hazard(one, point) for one in self._moves]
        for one, (log_hazard, _, _) in zip(self._moves, hazards, strict=True):
            value += float(one.is_move @ log_hazard)
        weight, of_frailty, of_variance = self._weights(point, hazards)
        value += of_frailty
        if self._is_frail:
            gradient[self._variance] += of_variance
        for one, (_, cumulative, by_shape) in zip(self._moves, hazards, strict=True):
            self._add_gradient(one, point, one.is_move + weight[one.rows] * cumulative, gradient)
            if one.shape >= 0:
                shape = np.exp(point[one.shape])
                of_moves = one.is_move @ (1.0 + shape * one.log_months)
                gradient[one.shape] += of_moves + weight[one.rows] @ by_shape
        return value, gradient

    @staticmethod
    def _hazard(one: _OfMove, point: Floats) -> tuple[Floats, Floats, Floats]:
        """Log hazard at the end, cumulative hazard, and its derivative by the log shape, of each episode of a move."""
        log_rate = point[one.rate] + np.where(one.factor >= 0, point[one.factor], 0.0)
        log_hazard = log_rate
        if one.trend >= 0:
            log_hazard = log_rate + point[one.trend] * one.years_at_end
            log_rate = log_rate + point[one.trend] * one.years
        if one.shape < 0:
            return log_hazard, np.exp(log_rate) * (one.stop - one.start), np.zeros(0)
        shape = np.exp(point[one.shape])
        stop, start = one.stop**shape, one.start**shape
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = stop * np.log(one.stop) - np.where(one.start > 0, start * np.log(one.start), 0.0)
        rate = np.exp(log_rate)
        return log_hazard + point[one.shape] + (shape - 1) * one.log_months, rate * (stop - start), rate * shape * slope

    def _weights(self, point: Floats, hazards: Sequence[tuple[Floats, Floats, Floats]]) -> tuple[Floats, float, float]:
        """By episode: the derivative of the log likelihood by a cumulative hazard; then what the hazards add to it, and its derivative
        by the log variance."""  # noqa: D205, D209
        if not self._is_frail:
            return np.where(self._is_before, 0.0, -1.0), -sum(float(cumulative.sum()) for _, cumulative, _ in hazards), 0.0
        total, before = np.zeros(self._n_people), np.zeros(self._n_people)
        for one, (_, cumulative, _) in zip(self._moves, hazards, strict=True):
            person, is_before = self._person[one.rows], self._is_before[one.rows]
            total += np.bincount(person, cumulative, self._n_people)
            before += np.bincount(person, cumulative * is_before, self._n_people)
        a, n = np.exp(-point[self._variance]), self._n_moves
        value = special.gammaln(a + n) - special.gammaln(a) + a * np.log(a + before) - (a + n) * np.log(a + total)
        by_a = special.digamma(a + n) - special.digamma(a) + np.log((a + before) / (a + total))
        by_a += a / (a + before) - (a + n) / (a + total)
        expected = (a + n) / (a + total)
        weight = np.where(self._is_before, (a / (a + before) - expected)[self._person], -expected[self._person])
        return weight, float(value.sum()), float(-a * by_a.sum())

    @staticmethod
    def _add_gradient(one: _OfMove, point: Floats, residual: Floats, gradient: Floats) -> None:
        n = len(point)
        gradient += np.bincount(one.rate, residual, n)
        has_factor = one.factor >= 0
        gradient += np.bincount(one.factor[has_factor], residual[has_factor], n)
        if one.trend >= 0:
            gradient[one.trend] += residual @ one.years + one.is_move @ (one.years_at_end - one.years)
