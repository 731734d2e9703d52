"""The joint posterior of the numbers of a block, from evenly spread points that are weighted.

The most likely numbers and the curvature there give a multivariate t distribution; its points, from one scrambled Sobol sequence, are
weighted by the posterior density over that of the t distribution (importance sampling). So the posterior is not taken to be normal,
and the same file gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simengine.arrays import Floats
from simengine.errors import UsageError
from simengine.late import linalg, optimize, qmc, special
from simengine.streams import generator_of

_LOG2_POINTS = 11
_DEGREES = 6.0
"""Degrees of freedom of the t distribution: its tails are heavier than those of the posterior."""
_LEAST_POINTS = 100.0
"""Effective number of points below which quantiles cannot be trusted."""
_STEP = 1e-4


class LogDensity(Protocol):
    """A posterior density of some numbers, up to a constant."""

    def start(self) -> Floats:
        """Return where the search for the most likely numbers begins, shape (parameter,)."""

    def log_posterior(self, point: Floats) -> tuple[float, Floats]:
        """Return the logarithm of the density and its gradient, shape (parameter,)."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted points of the joint posterior of the numbers of a block."""

    points: Floats
    """Shape (point, parameter); logarithms, but of trends."""
    weights: Floats
    """Shape (point,); they add up to 1."""

    @property
    def effective_points(self) -> float:
        """How many equally weighted points would be worth the same."""
        return float(1 / (self.weights**2).sum())

    def mean(self) -> Floats:
        """Mean of every number, shape (parameter,)."""
        return np.asarray(self.weights @ self.points)

    def quantiles(self, levels: Floats) -> Floats:
        """Quantiles of every number, shape (level, parameter)."""
        return np.stack([_quantiles(self.points[:, i], self.weights, levels) for i in range(self.points.shape[1])], axis=1)

    def correlation(self) -> Floats:
        """Correlation of the normal scores of the numbers, shape (parameter, parameter)."""
        scores = np.stack([_normal_scores(self.points[:, i], self.weights) for i in range(self.points.shape[1])], axis=1)
        centred = scores - self.weights @ scores
        covariance = (centred * self.weights[:, None]).T @ centred
        sd = np.sqrt(np.diag(covariance))
        return np.asarray(covariance / sd[:, None] / sd[None, :])


def posterior_of(block: LogDensity, name: str) -> Posterior:
    """Return the joint posterior of the numbers of a block.

    Parameters
    ----------
    block
        The moves, or the event.
    name
        Names them in messages.

    Raises
    ------
    UsageError
        If the spells do not determine the numbers.
    """
    mode, factor = _mode(block, name)
    n = len(mode)
    engine = qmc.Sobol(n + 1, scramble=True, seed=generator_of(0, "spells/posterior"))
    uniform = np.clip(engine.random_base2(_LOG2_POINTS), 2.0**-40, 1 - 2.0**-40)
    normal = special.ndtri(uniform[:, :n])
    scale = special.gammaincinv(_DEGREES / 2, uniform[:, n]) / (_DEGREES / 2)
    standard = normal / np.sqrt(scale)[:, None]
    points = mode + standard @ factor.T
    log_proposal = -(_DEGREES + n) / 2 * np.log1p((standard**2).sum(axis=1) / _DEGREES)
    with np.errstate(over="ignore", invalid="ignore"):
        log_density = np.array([block.log_posterior(point)[0] for point in points])
    log_weight = np.where(np.isfinite(log_density), log_density, -np.inf) - log_proposal
    weights = np.exp(log_weight - log_weight.max())
    found = Posterior(points, weights / weights.sum())
    if found.effective_points < _LEAST_POINTS:
        raise _undetermined(name, f"a posterior that {found.effective_points:.0f} of {len(points):,} points carry")
    return found


def _mode(block: LogDensity, name: str) -> tuple[Floats, Floats]:
    """Find the most likely numbers, and the Cholesky factor of the inverse of the curvature there."""
    start = block.start()

    def negative(point: Floats) -> tuple[float, Floats]:
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient = block.log_posterior(point)
        return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(gradient))

    found = optimize.minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 2000})
    curvature = np.empty((len(start), len(start)))
    for place in range(len(start)):
        step = np.zeros(len(start))
        step[place] = _STEP
        curvature[place] = (negative(found.x + step)[1] - negative(found.x - step)[1]) / (2 * _STEP)
    try:
        root = np.linalg.cholesky((curvature + curvature.T) / 2)
    except np.linalg.LinAlgError:
        raise _undetermined(name, "no single most likely value") from None
    return found.x, np.asarray(linalg.solve_triangular(root, np.eye(len(start)), lower=True).T)


def _undetermined(name: str, found: str) -> UsageError:
    return UsageError(
        f"the spells must determine the numbers of {name}; found {found}. Ask for less: fewer pieces, no shape, no trend or no frailty"
    )


def _quantiles(values: Floats, weights: Floats, levels: Floats) -> Floats:
    order = np.argsort(values)
    return np.interp(levels, _heights(weights[order]), values[order])


def _normal_scores(values: Floats, weights: Floats) -> Floats:
    order = np.argsort(values)
    scores = np.empty(len(values))
    scores[order] = special.ndtri(np.clip(_heights(weights[order]), 1e-12, 1 - 1e-12))
    return scores


def _heights(weights: Floats) -> Floats:
    """Return the distribution function in the middle of the step of each point."""
    return np.asarray(np.cumsum(weights) - weights / 2)
