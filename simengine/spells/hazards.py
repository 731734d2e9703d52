"""Fit the hazards of all moves: each number with its distribution in the words of a study, and how the numbers go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.late import special
from simengine.spells.choices import FitChoices, Priors
from simengine.spells.episodes import Episodes, episodes_of, piece_of
from simengine.spells.likelihood import Block, Parameter
from simengine.spells.plan import FitPlan, MovePlan
from simengine.spells.posterior import Posterior, posterior_of
from simengine.spells.records import Spells

TREND_MONTHS = 3
"""Within so many months in a state a trend is taken as constant, in their middle."""
_MOST_MONTHS = 1200
WRITTEN_LEVELS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
_SHAPES = {
    "shape": (0.05, 50.0),
    "shape of a length": (0.1, 50.0),
    "correlation of a score": (-1.0, 1.0),
    "part of a spread": (1e-9, 1e12),
}
"""Between which a study takes a Weibull shape, of a stay and of an event, a correlation, and a standard deviation that may be almost 0."""
_NORMAL = ("trend", "mean of a score")
FRAILTY = "people"
"""Name of the frailty in the study."""
FRAILTY_PATH = f"population.frailties.{FRAILTY}.variance"


@dataclass(frozen=True)
class FittedNumber:
    """A number that was fitted."""

    path: str
    """Path in the study."""
    quantity: Mapping[str, Any]
    """The number as the study says it, without its source."""
    mean: float
    """Mean of its posterior."""
    low: float
    """It lies below with a probability of 5 %."""
    high: float
    """It lies above with a probability of 5 %."""


@dataclass(frozen=True, eq=False)
class MoveHazard:
    """The hazard of one move at the centre of the posterior."""

    log_rate: Floats
    """Log of the rate per month, shape (stratum,)."""
    log_factor: Floats
    """Log of the factor by piece of the time in the state, shape (piece,); 0 in the first."""
    cuts: tuple[int, ...]
    """Months at which the pieces begin, but the first."""
    shape: float = 1.0
    """Weibull shape."""
    trend: float = 0.0
    """Trend per year."""

    def cumulative(self, at: Episodes) -> Floats:
        """Return the cumulative hazard of episodes that no cut divides, for people with a frailty of 1."""
        log_rate = self.log_rate[at.stratum] + self.log_factor[piece_of(at.from_month, self.cuts)] + self.trend * at.years
        return np.asarray(np.exp(log_rate) * (at.until_month**self.shape - at.from_month**self.shape))


@dataclass(frozen=True, eq=False)
class FittedMoves:
    """The hazards of all moves."""

    numbers: tuple[FittedNumber, ...]
    """Every number, in the order of the moves."""
    correlations: tuple[tuple[str, str, float], ...]
    """Two paths, and the correlation of their normal scores."""
    hazards: tuple[MoveHazard, ...]
    """By move: its hazard at the centre."""
    variance: float
    """Variance of the frailty at its centre; 0 without one."""


def fit_hazards(spells: Spells, plan: FitPlan, choices: FitChoices, origin_day: float) -> FittedMoves:
    """Fit the hazards of all moves of a plan.

    Raises
    ------
    UsageError
        If the spells do not determine the numbers.
    """
    pairs = [(move.origin, move.target) for move in plan.moves]
    episodes = episodes_of(spells, pairs, plan.stratum, cuts_of(plan), origin_day)
    numbers: dict[int, list[FittedNumber]] = {}
    hazards: dict[int, MoveHazard] = {}
    correlations: list[tuple[str, str, float]] = []
    variance, of_people = 0.0, list[FittedNumber]()
    for i, move in enumerate(plan.moves):
        if move.is_conjugate:
            numbers[i], hazards[i] = _from_counts(move, i, episodes, len(plan.strata), plan, choices.priors)
    for joint in _joint(plan):
        block = Block([plan.moves[i] for i in joint], joint, episodes, len(plan.strata), choices.priors)
        posterior = posterior_of(block, ", ".join(plan.moves[i].name for i in joint))
        told = _numbers_of(block.parameters, posterior, plan)
        centres = dict(zip(block.parameters, posterior.mean(), strict=True))
        for i in joint:
            numbers[i] = [one for parameter, one in told if parameter.move == plan.moves[i].name]
            hazards[i] = _centre(plan.moves[i], centres, len(plan.strata))
        for parameter, one in told:
            if parameter.kind == "variance":
                of_people, variance = [one], float(np.exp(centres[parameter]))
        matrix = posterior.correlation()
        correlations += [(told[a][1].path, told[b][1].path, float(matrix[a, b])) for a, b in combinations(range(len(told)), 2)]
    every = [one for i in range(len(plan.moves)) for one in numbers[i]] + of_people
    return FittedMoves(tuple(every), tuple(correlations), tuple(hazards[i] for i in range(len(plan.moves))), variance)


def cuts_of(plan: FitPlan, every: int | None = None) -> dict[int, list[float]]:
    """Return, by state, where episodes must end: at the pieces of its moves, and often enough for its trends."""
    cuts: dict[int, set[float]] = {}
    for move in plan.moves:
        step = every or (TREND_MONTHS if move.has_trend else None)
        cuts.setdefault(move.origin, set()).update(map(float, move.cuts))
        if step is not None:
            cuts[move.origin].update(map(float, range(step, _MOST_MONTHS, step)))
    return {state: sorted(of) for state, of in cuts.items()}


def _joint(plan: FitPlan) -> list[list[int]]:
    """Return the moves whose numbers must be fitted together: those of a frailty, and every other one by itself."""
    frail = [i for i, move in enumerate(plan.moves) if move.is_frail]
    others = [[i] for i, move in enumerate(plan.moves) if not (move.is_frail or move.is_conjugate)]
    return ([frail] if frail else []) + others


# ------------------------------------------------------- from counts -------------------------------------------------------


def _from_counts(
    move: MovePlan, number: int, episodes: Episodes, n_strata: int, plan: FitPlan, priors: Priors
) -> tuple[list[FittedNumber], MoveHazard]:
    """Fit a move whose events and times at risk are all that there is to know: gamma distributions, independent of each other."""
    at = episodes.part((episodes.state == move.origin) & ~episodes.is_before)
    piece = piece_of(at.from_month, move.cuts)
    n_pieces = len(move.cuts) + 1
    cell = at.stratum if move.by_stratum else piece
    n_cells = n_strata if move.by_stratum else n_pieces
    events = np.bincount(cell, at.move == number, n_cells)
    months = np.bincount(cell, at.until_month - at.from_month, n_cells)
    told, means = [], np.empty(n_cells)
    for one in range(n_cells):
        k, at_risk = posterior_of_count(events[one], months[one], priors, move.in_class)
        means[one] = k / at_risk
        path = f"pathway.moves.{move.name}.{_cell_path(move, one, plan)}"
        quantity = {"distribution": "seen_events", "events": rounded(k), "at_risk": rounded(at_risk)}
        low, high = special.gammaincinv(k, np.array([0.05, 0.95])) / at_risk
        told.append(FittedNumber(path, quantity, k / at_risk, float(low), float(high)))
    log_mean = np.log(means)
    if move.by_stratum:
        return told, MoveHazard(log_mean, np.zeros(1), ())
    return told, MoveHazard(np.full(n_strata, log_mean[0]), log_mean - log_mean[0], move.cuts)


def posterior_of_count(events: float, at_risk_months: float, priors: Priors, in_class: int | None) -> tuple[float, float]:
    """Return shape and inverse scale of the gamma posterior of a rate.

    Of a move that fewer people made than may be shown, nobody learns more than the class of so many counts, `in_class`, in which the
    events lie: the distribution is that of a rate whose count may be any of them, by its mean and its variance.

    Examples
    --------
    >>> posterior_of_count(48, 360, Priors(), None)
    (48.5, 360.0)
    >>> posterior_of_count(1, 100, Priors(), 5) == posterior_of_count(4, 100, Priors(), 5)
    True
    """
    k, at_risk = events + priors.rate.events, at_risk_months + priors.rate.at_risk_months
    if in_class is None:
        return float(k), float(at_risk)
    middle = in_class * ((max(events, 1) - 1) // in_class) + (in_class + 1) / 2
    mean = middle + priors.rate.events
    variance = mean + (in_class**2 - 1) / 12
    return float(mean**2 / variance), float(at_risk * mean / variance)


def _cell_path(move: MovePlan, cell: int, plan: FitPlan) -> str:
    if move.by_stratum:
        return f"by_stratum.{plan.strata[cell]}.rate_per_month"
    return "rate_per_month" if cell == 0 else f"by_months_in_state.rate_per_month.{cell - 1}"


# ------------------------------------------------------ from a posterior ------------------------------------------------------


def _numbers_of(parameters: Sequence[Parameter], posterior: Posterior, plan: FitPlan) -> list[tuple[Parameter, FittedNumber]]:
    """Say every number of a block by the quantiles of its posterior."""
    quantiles = posterior.quantiles(np.array(WRITTEN_LEVELS))
    told = []
    for i, parameter in enumerate(parameters):
        is_trend = parameter.kind == "trend"
        at, values = quantiles[:, i], posterior.points[:, i]
        if not is_trend:
            at, values = np.exp(at), np.exp(values)
        low, high = float(at[WRITTEN_LEVELS.index(0.05)]), float(at[WRITTEN_LEVELS.index(0.95)])
        quantity = said_by_quantiles(parameter.kind, at, low, high)
        told.append((parameter, FittedNumber(_path_of(parameter, plan), quantity, float(posterior.weights @ values), low, high)))
    return told


def said_by_quantiles(kind: str, quantiles: Floats, low: float, high: float) -> dict[str, Any]:
    """Say a number as a study does: a lognormal or, of a trend or a mean, a normal through its 5 % and 95 % quantiles.

    A Weibull shape or a correlation must have bounds: it is said by its quantiles, the outermost as bounds.
    """
    if kind in _SHAPES:
        values = [rounded(float(one)) for one in np.clip(quantiles, *_SHAPES[kind])]
        levels = [0.0, *WRITTEN_LEVELS[1:-1], 1.0]
        # Where one point carries the weight between two levels, or a bound does, the inner level says nothing more.
        kept = [i for i in range(len(values)) if i in (0, len(values) - 1) or values[i - 1] < values[i] < values[-1]]
        return {"distribution": "quantiles", "levels": [levels[i] for i in kept], "values": [values[i] for i in kept]}
    return {"distribution": "normal" if kind in _NORMAL else "lognormal", "interval_90": [rounded(low), rounded(high)]}


def _path_of(parameter: Parameter, plan: FitPlan) -> str:
    if parameter.kind == "variance":
        return FRAILTY_PATH
    move = next(one for one in plan.moves if one.name == parameter.move)
    at = f"pathway.moves.{move.name}."
    if parameter.kind == "rate":
        return at + (f"by_stratum.{plan.strata[parameter.index]}." if move.by_stratum else "") + "rate_per_month"
    if parameter.kind == "factor":
        return f"{at}by_months_in_state.factor.{parameter.index - 1}"
    return at + {"shape": "weibull_shape", "trend": "by_calendar.trend_per_year"}[parameter.kind]


def _centre(move: MovePlan, centres: Mapping[Parameter, float], n_strata: int) -> MoveHazard:
    def of(kind: str, index: int = 0, otherwise: float = 0.0) -> float:
        return float(centres.get(Parameter(kind, move.name, index), otherwise))

    rates = np.array([of("rate", one if move.by_stratum else 0) for one in range(n_strata)])
    factors = np.array([0.0, *(of("factor", 1 + one) for one in range(len(move.cuts)))])
    return MoveHazard(rates, factors, move.cuts, float(np.exp(of("shape"))), of("trend"))


def rounded(number: float) -> float:
    """Keep seven digits: more than a distribution needs."""
    return float(f"{number:.7g}")
