"""How long events last: a gamma, lognormal or Weibull distribution, with what is not known of it.

Lengths are whole days. One of n days stands for any from n - 1/2 to n + 1/2, so that the mean of the distribution is that of the days
that are counted: none is shorter than half a day, for a day is the least that a file knows. An event that still lasts after n
days counts as longer than n - 1/2, and one that had lasted n days when its person was first observed is one of those longer than
n + 1/2 (left truncation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Floats
from simengine.late import optimize, special
from simengine.spells.choices import Priors, SpreadPrior
from simengine.spells.posterior import Posterior, posterior_of
from simengine.spells.risk_time import Lengths

_STEP = 1e-5
_LEAST = 1e-300


def gamma_survival(days: Floats, mean: float, variation: float) -> Floats:
    """Return the share of lengths above some days; variation: standard deviation over mean."""
    shape = variation**-2
    return np.asarray(special.gammaincc(shape, np.maximum(days, 0.0) * shape / mean))


def lognormal_survival(days: Floats, mean: float, variation: float) -> Floats:
    """Return the same of a lognormal distribution."""
    sd = np.sqrt(np.log1p(variation**2))
    with np.errstate(divide="ignore"):
        z = (np.log(np.maximum(days, 0.0)) - np.log(mean) + sd**2 / 2) / sd
    return np.asarray(special.ndtr(-z))


def weibull_survival(days: Floats, mean: float, shape: float) -> Floats:
    """Return the same of a Weibull distribution."""
    scale = mean / special.gamma(1 + 1 / shape)
    return np.asarray(np.exp(-((np.maximum(days, 0.0) / scale) ** shape)))


SURVIVALS: Mapping[str, Callable[[Floats, float, float], Floats]] = {
    "gamma": gamma_survival,
    "lognormal": lognormal_survival,
    "weibull": weibull_survival,
}
"""By kind: the share of lengths above some days, with the mean and the second number."""


class LengthBlock:
    """The two numbers of a distribution of lengths, both as logarithms: the mean in days, and the variation or the Weibull shape."""

    def __init__(self, kind: str, lengths: Lengths, priors: Priors) -> None:
        self.survival = SURVIVALS[kind]
        self.known: Sequence[SpreadPrior] = (
            priors.mean_length_days,
            priors.weibull_shape if kind == "weibull" else priors.length_variation,
        )
        rows = np.stack([lengths.days, lengths.is_over.astype(np.float64), lengths.from_day], axis=1)
        kinds, self.times = np.unique(rows, axis=0, return_counts=True)
        days, self._is_over, from_day = kinds[:, 0], kinds[:, 1] > 0, kinds[:, 2]
        self._above = days - 0.5
        self._below = days + 0.5
        self._since = np.where(from_day > 0, from_day + 0.5, 0.0)
        # Somebody observed in the middle of an event that is not seen to end has no more than that to tell.
        self._above = np.maximum(self._above, self._since)

    def start(self) -> Floats:
        """Return where the search begins: the mean of what was seen, and the median of what is known before."""
        mean = (self._below - 0.5) @ self.times / max(self.times[self._is_over].sum(), 1)
        return np.asarray(np.log(np.array([mean, self.known[1].median])))

    def log_likelihood(self, point: Floats) -> float:
        """Return the log likelihood of both numbers."""
        first, second = float(np.exp(point[0])), float(np.exp(point[1]))
        above, below, since = (self.survival(days, first, second) for days in (self._above, self._below, self._since))
        inside = np.where(self._is_over, above - below, above)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.times @ (np.log(np.maximum(inside, _LEAST)) - np.log(np.maximum(since, _LEAST))))

    def log_posterior(self, point: Floats) -> tuple[float, Floats]:
        """Return the logarithm of the posterior density, up to a constant, and its gradient by differences; shape (parameter,)."""
        gradient = np.array(
            [
                (self._log_density(point + step) - self._log_density(point - step)) / (2 * _STEP)
                for step in _STEP * np.eye(len(point))
            ]
        )
        return self._log_density(point), gradient

    def _log_density(self, point: Floats) -> float:
        known = sum(((x - np.log(one.median)) / one.sd_of_log) ** 2 / 2 for x, one in zip(point, self.known, strict=True))
        return self.log_likelihood(point) - float(known)


@dataclass(frozen=True, eq=False)
class FittedLength:
    """A distribution of lengths."""

    kind: str
    """`gamma`, `lognormal` or `weibull`, or `fixed`."""
    basis: str
    """The distribution from which a fixed length has its mean; else `kind`."""
    posterior: Posterior
    """Of the logarithms of the mean and of the second number: the standard deviation, or the Weibull shape."""
    log_likelihoods: Mapping[str, float]
    """By kind that was compared: the largest log likelihood; nothing where one was asked for."""

    def survival(self, days: Floats) -> Floats:
        """Return the share of lengths above some days, at the centre of the posterior."""
        mean, second = np.exp(self.posterior.mean())
        return SURVIVALS[self.basis](days, float(mean), float(second if self.basis == "weibull" else second / mean))


def fit_length(asked: str, lengths: Lengths, priors: Priors, name: str) -> FittedLength:
    """Fit a distribution of lengths, or of three the likeliest: all have two numbers, so their likelihoods may be compared.

    Raises
    ------
    UsageError
        If the lengths do not determine the numbers.
    """
    basis, compared = asked, dict[str, float]()
    if asked not in SURVIVALS:
        compared = {kind: _largest(LengthBlock(kind, lengths, priors)) for kind in SURVIVALS}
        basis = max(compared, key=compared.__getitem__)
    posterior = posterior_of(LengthBlock(basis, lengths, priors), f"the length of {name}")
    if basis != "weibull":
        points = posterior.points.copy()
        points[:, 1] += points[:, 0]
        posterior = Posterior(points, posterior.weights)
    return FittedLength("fixed" if asked == "fixed" else basis, basis, posterior, compared)


def _largest(block: LengthBlock) -> float:
    found = optimize.minimize(lambda point: -block.log_likelihood(point), block.start(), method="Nelder-Mead")
    return float(-found.fun)
