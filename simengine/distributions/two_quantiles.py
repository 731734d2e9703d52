"""The distribution of a family that has two given quantiles: two equations for its two parameters.

There is at most one. If two distributions of a family shared two quantiles, their distribution functions would agree at these and
at both ends, so their densities would cross three times. But the logarithm of the ratio of two densities is linear in (x, x²) for
normal distributions, in (x, log x) for gamma distributions and in (log x, log(1 - x)) for beta distributions: it is 0 at most
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field

from simengine.distributions.sourced import Number, require_increasing
from simengine.late import special

Interval = Annotated[tuple[Number, Number], Field(strict=False)]
"""The ends of a central 90 % interval."""
QuantileLevel = Annotated[float, Field(gt=0, lt=1)]
"""A probability as the key of a mapping, where YAML gives text."""


def _two_and_rising(quantiles: dict[float, float]) -> dict[float, float]:
    if len(quantiles) != 2:
        raise ValueError(f"a distribution of two parameters must have exactly two quantiles; found {len(quantiles)}")
    rising = dict(sorted(quantiles.items()))
    require_increasing(**{f"the quantile at {level:g}": value for level, value in rising.items()})
    return rising


TwoQuantiles = Annotated[dict[QuantileLevel, Number], AfterValidator(_two_and_rising)]


class Points(NamedTuple):
    """Two points of a distribution function: it reaches `lower_level` at `low` and `upper_level` at `high`."""

    lower_level: float
    low: float
    upper_level: float
    high: float

    def __str__(self) -> str:
        return f"quantile {self.low:.10g} at {self.lower_level:g} and {self.high:.10g} at {self.upper_level:g}"


def points_of(interval_90: tuple[float, float] | None, quantiles: dict[float, float] | None) -> Points | None:
    """Return the two points that an interval or two quantiles stand for; none where neither is given."""
    if interval_90 is not None:
        return Points(0.05, interval_90[0], 0.95, interval_90[1])
    if quantiles is None:
        return None
    (lower_level, low), (upper_level, high) = quantiles.items()
    return Points(lower_level, low, upper_level, high)


# Standard normal quantile at 95 %: half the width of a central 90 % interval, in standard deviations.
Z_90 = 1.6448536269514722  # the 95 % quantile of a standard normal distribution


def normal_through(points: Points) -> tuple[float, float]:
    """Return mean and standard deviation of the normal distribution through two points.

    Notes
    -----
    With z_i the standard normal quantiles at the levels: sd = (high - low) / (z_2 - z_1), mean = low - z_1 sd.
    """
    if (points.lower_level, points.upper_level) == (0.05, 0.95):  # a central interval is symmetric to the last bit
        return (points.low + points.high) / 2, (points.high - points.low) / (2 * Z_90)
    z_low, z_high = (float(special.ndtri(level)) for level in (points.lower_level, points.upper_level))
    sd = (points.high - points.low) / (z_high - z_low)
    return points.low - z_low * sd, sd


# Shapes beyond these are not told apart by the distribution functions in floating point.
_SMALLEST_SHAPE, _LARGEST_SHAPE = 1e-3, 1e12
_EXACT = 1e-13


@lru_cache(maxsize=1024)
def gamma_through(points: Points) -> tuple[float, float]:
    """Return shape and scale of the gamma distribution through two points above 0.

    Notes
    -----
    The ratio of two quantiles depends on the shape alone and falls from infinity to 1 as the shape rises, so the shape is the
    root of one equation; the scale then follows from either quantile.

    Raises
    ------
    ValueError
        If the points are so close or so far apart that floating point cannot tell the distribution.
    """
    levels = np.array([points.lower_level, points.upper_level])

    def gap(log_shape: float) -> float:
        low, high = special.gammaincinv(np.exp(log_shape), levels)
        return float(np.log(high / low) - np.log(points.high / points.low))

    # Below this shape the lower quantile of a gamma distribution is smaller than any number: about level^(1 / shape).
    smallest = max(_SMALLEST_SHAPE, -np.log(points.lower_level) / 700)
    log_shape = _root("gamma", points, gap, np.log(smallest), np.log(_LARGEST_SHAPE))
    shape = float(np.exp(log_shape))
    return shape, points.high / float(special.gammaincinv(shape, points.upper_level))


@lru_cache(maxsize=1024)
def beta_through(points: Points) -> tuple[float, float]:
    """Return the two shapes of the beta distribution through two points between 0 and 1.

    Notes
    -----
    For any sum n of the shapes one mean m puts the lower point on the distribution function F(x; mn, (1 - m)n), which falls as m
    rises. With that mean, F at the upper point rises with n from the lower level to 1, so n is the root of one equation.

    Raises
    ------
    ValueError
        If the points are so close or so far apart that floating point cannot tell the distribution.
    """

    def shapes_at(log_total: float) -> tuple[float, float]:
        total = float(np.exp(log_total))

        def excess(logit_mean: float) -> float:
            shapes = special.expit(logit_mean) * total, special.expit(-logit_mean) * total
            return float(special.betainc(*shapes, points.low) - points.lower_level)

        logit_mean = _root("beta", points, excess, -80.0, 80.0)
        return float(special.expit(logit_mean) * total), float(special.expit(-logit_mean) * total)

    def gap(log_total: float) -> float:
        return float(special.betainc(*shapes_at(log_total), points.high) - points.upper_level)

    return shapes_at(_root("beta", points, gap, np.log(_SMALLEST_SHAPE), np.log(_LARGEST_SHAPE)))


def _root(distribution: str, points: Points, function: Callable[[float], float], low: float, high: float) -> float:
    """Find the root of a function between two arguments, or say that the distribution cannot be computed."""
    if not function(low) * function(high) < 0:
        raise ValueError(
            f"the {distribution} distribution with {points} cannot be computed: the quantiles are too close or too far apart"
        )
    from scipy import optimize  # only a distribution that is given by quantiles needs it, and it takes a tenth of a second

    return float(optimize.brentq(function, low, high, xtol=_EXACT))
