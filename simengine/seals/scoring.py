"""Score one outcome against its sealed distribution: PIT, CRPS, log score, Brier score, each with its Monte Carlo standard error.

The sample of a seal stands for the replications it was made of: errors say how far a score is from that of infinitely many of them.

References
----------
Gneiting, T. and Raftery, A. E. (2007), Strictly proper scoring rules, prediction, and estimation, Journal of the American Statistical
Association 102, 359-378. Czado, C., Gneiting, T. and Held, L. (2009), Predictive model assessment for count data, Biometrics 65,
1254-1261 (the randomised PIT). Brier, G. W. (1950), Verification of forecasts expressed in terms of probability, Monthly Weather
Review 78, 1-3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, log, nan, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.errors import UnknownNameError
from simengine.risk import statistics
from simengine.risk.coverage import is_constant, judged
from simengine.risk.statistics import LEAST_CASES, Statistic, rank_of
from simengine.seals.distribution import SealedDistribution
from simengine.seals.document import Seal
from simengine.seals.outcome import Outcome
from simengine.streams import uniforms

LEVELS_OF_INTERVALS = (0.5, 0.8, 0.95)
"""Of the central intervals that are told."""
_UNSEEN = 1.5
"""Half of 3, by the rule of three: the replications by which a probability that all agree about may be off."""


@dataclass(frozen=True)
class LogScore:
    """The logarithm of the probability, or of the density, that the forecast gave to what came."""

    score: Statistic
    of: str
    """`probability` or `density`."""
    between: tuple[float, float] | None
    """Of a density: the values between which it is the mean density."""


@dataclass(frozen=True)
class ScoredOutcome:
    """One outcome and its scores."""

    outcome: Outcome
    below: Statistic
    """Probability of less than what came."""
    inside: Statistic
    """Probability of what came: of the figure within its rounding, or of the direction."""
    pit: Statistic | None
    """Probability of less, and a random part of that of the figure; nothing for a direction."""
    crps: Statistic | None
    """Continuous ranked probability score of the figure, in its unit: 0 is perfect; nothing for a direction."""
    log_score: LogScore
    brier: Statistic | None
    """Of a direction: the squared distance of its probability from 1."""
    intervals: Mapping[str, tuple[float, float]]
    """By level in per cent: the central interval of the forecast."""
    lost_probability: float
    """By so much the probabilities can differ from those of all replications, because a seal holds some of their values only."""
    lost_crps: float
    """By so much the CRPS can."""

    def is_within(self, level: float) -> bool | None:
        """Return whether the PIT lies within the central interval of a level; nothing for a direction.

        By the randomised PIT, not by the ends: so a true forecast with atoms, too, covers as often as it says.
        """
        return None if self.pit is None else abs(self.pit.value - 0.5) <= level / 2


def scored(seal: Seal, outcome: Outcome) -> ScoredOutcome:
    """Score an outcome.

    Raises
    ------
    UnknownNameError
        If the seal holds no such result.
    """
    if outcome.result not in seal.results:
        raise UnknownNameError("outcome", outcome.result, tuple(seal.results))
    distribution = seal.results[outcome.result]
    sample, (low, high) = distribution.sample, outcome.ends
    below, inside = statistics.probability(sample < low), statistics.probability((sample >= low) & (sample <= high))
    is_direction = outcome.is_direction
    return ScoredOutcome(
        outcome,
        below,
        inside,
        None if is_direction else _pit(sample, low, high, uniform_of_seal(seal, outcome.result)),
        None if is_direction else crps(sample, outcome.value),
        log_score(distribution, outcome),
        _through(inside, lambda p: (1 - p) ** 2, lambda p: 2 * (1 - p)) if is_direction else None,
        {f"{100 * level:g}": _interval(distribution, level) for level in LEVELS_OF_INTERVALS},
        distribution.lost_probability,
        distribution.lost_crps,
    )


def uniform_of_seal(seal: Seal, result: str) -> float:
    """Return the uniform of a result's randomised PIT.

    Its seed is the first 64 bits of the seal's SHA-256, its purpose `score/<result>`: so it is fixed when the seal is made, before
    anybody knows the outcome, and is another one in every seal.
    """
    return float(uniforms(int(seal.sha256[:16], 16), f"score/{result}", np.array([0]))[0])


def _pit(sample: Floats, low: float, high: float, uniform: float) -> Statistic:
    """Return P(X < low) + u P(low <= X <= high), the mean of what each replication adds."""
    parts = (sample < low) + uniform * ((sample >= low) & (sample <= high))
    if not is_constant(parts):
        return statistics.mean(parts)
    if 0 < parts[0] < 1:
        return Statistic(float(parts[0]), _UNSEEN / len(sample))
    return statistics.probability(parts > 0)


def crps(sample: Floats, value: float) -> Statistic:
    """Return the CRPS of a forecast, E|X - y| - E|X - X'| / 2, with the standard error of its first-order expansion.

    Parameters
    ----------
    sample
        Shape (n,), in order.
    value
        What came, y.

    Notes
    -----
    It is the integral of (F(x) - [x >= y])^2, F the distribution function of the sample. What replication i adds is
    |x_i - y| - E|x_i - X'|, less the mean. Of finitely many replications the score is larger by E|X - X'| / (2 n) on average, less
    than its error unless n is below ten or so.

    Examples
    --------
    >>> round(crps(np.array([0.0, 1.0]), 0.0).value, 4)  # (0 + 1) / 2 - (1 / 2) / 2
    0.25
    """
    n, around = len(sample), sample - sample.mean()
    total, up_to = float(around.sum()), np.cumsum(around)
    ranks = np.arange(1, n + 1)
    to_others = np.maximum(((2 * ranks - n) * around + total - 2 * up_to) / n, 0.0)
    to_outcome = np.abs(sample - value)
    found = float(np.mean(to_outcome) - np.mean(to_others) / 2)
    if is_constant(sample):
        return Statistic(found, 0.0)
    parts = to_outcome - to_others
    parts = parts - parts.mean()
    error = judged(float(np.std(parts, ddof=1) / sqrt(n)), parts)
    return Statistic(max(found, 0.0), error.se, covers=error.covers)


def log_score(distribution: SealedDistribution, outcome: Outcome) -> LogScore:
    """Return the log score of an outcome, a natural logarithm: the larger the better.

    A direction, and a figure with its rounding, score by the probability of all they stand for, an atom by its own. Any other figure
    scores by a density: of the replications that are in no atom, those between two knots around the figure, by the distance of these
    knots. They are the nearest between which at least 30 lie, so that the error of the logarithm is at most about 0.2.
    """
    n, sample, atoms = distribution.n_replications, distribution.sample, distribution.atoms
    is_point = not outcome.is_direction and not outcome.rounded_to
    is_discrete = sum(knot.at for knot in atoms) == n
    if not is_point or is_discrete or any(knot.value == outcome.value for knot in atoms):
        low, high = outcome.ends
        chance = statistics.probability((sample >= low) & (sample <= high))
        return LogScore(_through(chance, _log, lambda p: 1 / p if p else inf), "probability", None)
    found = _around(distribution, outcome.value)
    if found is None:
        return LogScore(Statistic(-inf, nan), "density", None)
    low, high, count = found
    chance = statistics.probability(np.arange(n) < count)
    density = _through(chance, lambda p: _log(p) - log(high - low), lambda p: 1 / p if p else inf)
    return LogScore(density, "density", (low, high))


def _around(distribution: SealedDistribution, value: float) -> tuple[float, float, int] | None:
    """Return the nearest knots around a value between which enough replications lie that are in no atom, and how many do."""
    knots, atoms = distribution.knots, distribution.atoms
    if not knots[0].value <= value <= knots[-1].value:
        return None
    right = next(place for place, knot in enumerate(knots) if knot.value >= value)
    left = max(right - 1, 0) if knots[right].value > value or right == len(knots) - 1 else right
    while True:
        low, high = knots[left], knots[right]
        within = sum(knot.at for knot in atoms if low.value < knot.value <= high.value)
        count = high.below + high.at - low.below - low.at - within
        if (count >= LEAST_CASES and high.value > low.value) or (left, right) == (0, len(knots) - 1):
            return (low.value, high.value, count) if high.value > low.value else None
        left, right = max(left - 1, 0), min(right + 1, len(knots) - 1)


def _interval(distribution: SealedDistribution, level: float) -> tuple[float, float]:
    low, high = (rank_of(distribution.n_replications, (1 + side * level) / 2) for side in (-1, 1))
    return distribution.in_order(low), distribution.in_order(high)


def _log(value: float) -> float:
    return log(value) if value > 0 else -inf


def _through(found: Statistic, function: Callable[[float], float], slope: Callable[[float], float]) -> Statistic:
    """Return a monotone function of a statistic: its error by the delta method, the ends of its intervals as they are."""
    low, high = sorted(map(function, found.interval_95 or (nan, nan)))
    falls = function(1.0) < function(0.5)
    upper = None if found.upper_95 is None else function(found.upper_95)
    lower = None if found.lower_95 is None else function(found.lower_95)
    steepness = abs(slope(found.value))
    return Statistic(
        function(found.value),
        found.se * steepness if np.isfinite(steepness) else nan,
        upper_95=lower if falls else upper,
        lower_95=upper if falls else lower,
        interval_95=None if found.interval_95 is None else (low, high),
        covers=found.covers,
    )
