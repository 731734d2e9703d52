"""Distributions with a formula: bounded ones, and the four families of two parameters."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from simengine.arrays import Floats
from simengine.distributions.sourced import Number, Sourced, require_increasing, require_one_form
from simengine.distributions.two_quantiles import (
    Z_90,
    Interval,
    Points,
    TwoQuantiles,
    beta_through,
    gamma_through,
    normal_through,
    points_of,
)
from simengine.late import special


class Uniform(Sourced):
    """Uniform between `low` and `high`."""

    distribution: Literal["uniform"]
    low: Number
    """The lower bound, below `high`."""
    high: Number
    """The upper bound."""

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        require_increasing(low=self.low, high=self.high)
        return self

    def inverse(self, uniform: Floats) -> Floats:
        return self.low + (self.high - self.low) * uniform

    @property
    def centre(self) -> float:
        return (self.low + self.high) / 2

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"uniform {self.low:,.6g} to {self.high:,.6g}"


class Triangular(Sourced):
    """Triangular from `low` over `mode` to `high`."""

    distribution: Literal["triangular"]
    low: Number
    """The lower bound, below `high`."""
    mode: Number
    """The most likely value, between the bounds or on one of them."""
    high: Number
    """The upper bound."""

    @model_validator(mode="after")
    def _ordered(self) -> Triangular:
        _require_mode_between(self.low, self.mode, self.high)
        return self

    def inverse(self, uniform: Floats) -> Floats:
        width = self.high - self.low
        turn = (self.mode - self.low) / width
        rising = self.low + np.sqrt(uniform * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - uniform) * width * (self.high - self.mode))
        return np.where(uniform < turn, rising, falling)

    @property
    def centre(self) -> float:
        return (self.low + self.mode + self.high) / 3

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"triangular {self.low:,.6g}, {self.mode:,.6g}, {self.high:,.6g}"


class Pert(Sourced):
    """A beta distribution stretched from `low` to `high` whose mean is (low + 4 mode + high) / 6.

    The shapes are 1 + 4 (mode - low) / (high - low) and 1 + 4 (high - mode) / (high - low).

    References
    ----------
    Malcolm, Roseboom, Clark and Fazar 1959, "Application of a technique for research and development program evaluation",
    doi:10.1287/opre.7.5.646: the mean.
    """

    distribution: Literal["pert"]
    low: Number
    """The lower bound, below `high`."""
    mode: Number
    """The most likely value, between the bounds or on one of them."""
    high: Number
    """The upper bound."""

    @model_validator(mode="after")
    def _ordered(self) -> Pert:
        _require_mode_between(self.low, self.mode, self.high)
        return self

    def inverse(self, uniform: Floats) -> Floats:
        width = self.high - self.low
        shapes = 1 + 4 * (self.mode - self.low) / width, 1 + 4 * (self.high - self.mode) / width
        return self.low + width * _beta_inverse(*shapes, uniform)

    @property
    def centre(self) -> float:
        return (self.low + 4 * self.mode + self.high) / 6

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"pert {self.low:,.6g}, {self.mode:,.6g}, {self.high:,.6g}"


class Normal(Sourced):
    """Normal, from `mean` and `sd`, from a central 90 % interval or from two quantiles."""

    distribution: Literal["normal"]
    mean: Number | None = None
    """Mean, with `sd`; absent: another form."""
    sd: Number | None = None
    """Standard deviation, above 0, with `mean`; absent: another form."""
    interval_90: Interval | None = None
    """`[a, b]`: the value lies below a and above b with 5 % each; absent: another form."""
    quantiles: TwoQuantiles | None = None
    """By probability: `{p: a, q: b}`. The value lies below a with probability p and below b with probability q; absent: another
    form."""

    @model_validator(mode="after")
    def _one_form(self) -> Normal:
        require_one_form(self, ("mean", "sd"), ("interval_90",), ("quantiles",))
        return self

    @property
    def _mean_and_sd(self) -> tuple[float, float]:
        points = points_of(self.interval_90, self.quantiles)
        if points is not None:
            return normal_through(points)
        assert self.mean is not None
        assert self.sd is not None
        return self.mean, self.sd

    def inverse(self, uniform: Floats) -> Floats:
        mean, sd = self._mean_and_sd
        return mean + sd * np.asarray(special.ndtri(uniform))

    @property
    def centre(self) -> float:
        return self._mean_and_sd[0]

    support: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    def __str__(self) -> str:
        mean, sd = self._mean_and_sd
        return f"normal {mean:,.6g}, sd {sd:,.6g}"


class Lognormal(Sourced):
    """Lognormal, from `mean` and `sd`, from a central 90 % interval or from two quantiles."""

    distribution: Literal["lognormal"]
    mean: Number | None = None
    """Mean of the number itself, above 0, with `sd`; absent: another form."""
    sd: Number | None = None
    """Standard deviation, above 0, with `mean`; absent: another form."""
    interval_90: Interval | None = None
    """`[a, b]` with a above 0: the value lies below a and above b with 5 % each; absent: another form."""
    quantiles: TwoQuantiles | None = None
    """By probability: `{p: a, q: b}`, with a above 0. The value lies below a with probability p and below b with probability q;
    absent: another form."""

    @model_validator(mode="after")
    def _one_form(self) -> Lognormal:
        require_one_form(self, ("mean", "sd"), ("interval_90",), ("quantiles",))
        points = points_of(self.interval_90, self.quantiles)
        _require_positive(self.distribution, self.mean if points is None else points.low)
        return self

    @property
    def _location_and_scale(self) -> tuple[float, float]:
        points = points_of(self.interval_90, self.quantiles)
        if points is not None:
            low, high = np.log((points.low, points.high))
            return normal_through(points._replace(low=float(low), high=float(high)))
        assert self.mean is not None
        assert self.sd is not None
        variance_of_log = np.log1p((self.sd / self.mean) ** 2)
        return float(np.log(self.mean) - variance_of_log / 2), float(np.sqrt(variance_of_log))

    def inverse(self, uniform: Floats) -> Floats:
        location, scale = self._location_and_scale
        return np.exp(location + scale * np.asarray(special.ndtri(uniform)))

    @property
    def centre(self) -> float:
        """The mean."""
        location, scale = self._location_and_scale
        return float(np.exp(location + scale**2 / 2))

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        location, scale = self._location_and_scale
        low, high = np.exp(location - Z_90 * scale), np.exp(location + Z_90 * scale)
        return f"lognormal, 90 % from {low:,.6g} to {high:,.6g}"


class Beta(Sourced):
    """Beta on (0, 1), from `mean` and `sd`, from `successes` and `failures`, from a 90 % interval or from two quantiles."""

    distribution: Literal["beta"]
    mean: Number | None = None
    """Mean between 0 and 1, with `sd`; absent: another form."""
    sd: Number | None = None
    """Standard deviation, above 0 and below sqrt(mean (1 - mean)), with `mean`; absent: another form."""
    successes: Annotated[Number, Field(gt=0)] | None = None
    """The first shape, as from that many observed cases, with `failures`; absent: another form."""
    failures: Annotated[Number, Field(gt=0)] | None = None
    """The second shape, as from that many observed cases, with `successes`; absent: another form."""
    interval_90: Interval | None = None
    """`[a, b]` between 0 and 1: the value lies below a and above b with 5 % each; absent: another form."""
    quantiles: TwoQuantiles | None = None
    """By probability: `{p: a, q: b}`, between 0 and 1. The value lies below a with probability p and below b with probability q;
    absent: another form."""

    @model_validator(mode="after")
    def _one_form(self) -> Beta:
        require_one_form(self, ("mean", "sd"), ("successes", "failures"), ("interval_90",), ("quantiles",))
        points = points_of(self.interval_90, self.quantiles)
        if points is not None and not 0 < points.low < points.high < 1:
            raise ValueError(
                f"the quantiles of a beta distribution must lie between 0 and 1; found {points.low:g} and {points.high:g}"
            )
        if self.mean is not None and self.sd is not None:
            if not 0 < self.mean < 1:
                raise ValueError(f"the mean of a beta distribution must lie between 0 and 1; found {self.mean:g}")
            limit = float(np.sqrt(self.mean * (1 - self.mean)))
            if self.sd >= limit:
                raise ValueError(
                    f"the sd of a beta distribution with mean {self.mean:g} must be below {limit:.4g}; found {self.sd:g}"
                )
        return self

    @property
    def _shapes(self) -> tuple[float, float]:
        points = points_of(self.interval_90, self.quantiles)
        if points is not None:
            return beta_through(points)
        if self.mean is None or self.sd is None:
            assert self.successes is not None
            assert self.failures is not None
            return self.successes, self.failures
        total = self.mean * (1 - self.mean) / self.sd**2 - 1
        return self.mean * total, (1 - self.mean) * total

    def inverse(self, uniform: Floats) -> Floats:
        return _beta_inverse(*self._shapes, uniform)

    @property
    def centre(self) -> float:
        successes, failures = self._shapes
        return successes / (successes + failures)

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __str__(self) -> str:
        low, high = self.inverse(np.array([0.05, 0.95]))
        return f"beta, mean {self.centre:.4g}, 90 % from {low:.3g} to {high:.3g}"


class Gamma(Sourced):
    """Gamma, from `mean` and `sd`, from a central 90 % interval or from two quantiles."""

    distribution: Literal["gamma"]
    mean: Annotated[Number, Field(gt=0)] | None = None
    """Mean, above 0, with `sd`; absent: another form."""
    sd: Annotated[Number, Field(gt=0)] | None = None
    """Standard deviation, above 0, with `mean`; absent: another form."""
    interval_90: Interval | None = None
    """`[a, b]` with a above 0: the value lies below a and above b with 5 % each; absent: another form."""
    quantiles: TwoQuantiles | None = None
    """By probability: `{p: a, q: b}`, with a above 0. The value lies below a with probability p and below b with probability q;
    absent: another form."""

    @model_validator(mode="after")
    def _one_form(self) -> Gamma:
        require_one_form(self, ("mean", "sd"), ("interval_90",), ("quantiles",))
        if self._points is not None:
            _require_positive(self.distribution, self._points.low)
        return self

    @property
    def _points(self) -> Points | None:
        return points_of(self.interval_90, self.quantiles)

    @property
    def _shape_and_scale(self) -> tuple[float, float]:
        if self._points is not None:
            return gamma_through(self._points)
        assert self.mean is not None
        assert self.sd is not None
        return (self.mean / self.sd) ** 2, self.sd**2 / self.mean

    def inverse(self, uniform: Floats) -> Floats:
        shape, scale = self._shape_and_scale
        return np.asarray(special.gammaincinv(shape, uniform)) * scale

    @property
    def centre(self) -> float:
        shape, scale = self._shape_and_scale
        return shape * scale if self.mean is None else self.mean

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        shape, scale = self._shape_and_scale
        sd = np.sqrt(shape) * scale if self.sd is None else self.sd
        return f"gamma, mean {self.centre:,.6g}, sd {sd:,.6g}"


_NEAR_ONE = 1e-11


def _beta_inverse(first: float, second: float, uniform: Floats) -> Floats:
    """Return the points at which the beta distribution function with two shapes reaches the uniforms."""
    # Where both shapes are a few bits off 1, `betaincinv` of SciPy 1.17 is wrong by up to 0.5; at exactly 1 it is right.
    first, second = (1.0 if abs(shape - 1) < _NEAR_ONE else shape for shape in (first, second))
    return np.asarray(special.betaincinv(first, second, uniform))


def _require_mode_between(low: float, mode: float, high: float) -> None:
    require_increasing(low=low, high=high)
    if not low <= mode <= high:
        raise ValueError(f"the mode must lie between low and high; found {low:g}, {mode:g}, {high:g}")


def _require_positive(distribution: str, smallest: float | None) -> None:
    if smallest is not None and smallest <= 0:
        raise ValueError(f"a {distribution} distribution must have positive numbers; found {smallest:g}")
