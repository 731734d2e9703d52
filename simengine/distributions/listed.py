"""Distributions without a formula: observed values, or quantiles stated by an expert."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from simengine.arrays import Floats
from simengine.distributions.sourced import Number, Sourced

Numbers = Annotated[tuple[Number, ...], Field(min_length=2, strict=False)]


class Empirical(Sourced):
    """One of the listed values, each equally likely or with a probability in proportion to its weight.

    The value drawn is the smallest at which the distribution function of the list reaches the uniform.
    """

    distribution: Literal["empirical"]
    values: Numbers
    """The values, at least two of them different."""
    weights: Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(strict=False)] | None = None
    """As many numbers, in the order of the values; absent: equal weights."""

    @model_validator(mode="after")
    def _fitting(self) -> Empirical:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise ValueError(f"every value must have one weight; found {len(self.values)} values and {len(self.weights)} weights")
        if min(self.values) == max(self.values):
            raise ValueError(
                "an empirical distribution must have at least two different values. For a value without spread write `value:`"
            )
        return self

    @property
    def _weights(self) -> tuple[float, ...]:
        return self.weights or (1.0,) * len(self.values)

    def inverse(self, uniform: Floats) -> Floats:
        order = np.argsort(self.values, kind="stable")
        reached = np.cumsum(np.array(self._weights)[order])
        # The last level is exactly 1, whatever the rounding of the sums.
        place = np.searchsorted(reached / reached[-1], uniform)
        return np.asarray(np.array(self.values)[order][place])

    @property
    def centre(self) -> float:
        whole = math.fsum(self._weights)
        return math.fsum(weight / whole * value for weight, value in zip(self._weights, self.values, strict=True))

    @property
    def support(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    def __str__(self) -> str:
        weighted = "" if self.weights is None else "weighted "
        return f"empirical, {len(self.values)} {weighted}values from {min(self.values):,.6g} to {max(self.values):,.6g}"


class Quantiles(Sourced):
    """Through the given quantiles; between two of them every value is equally likely."""

    distribution: Literal["quantiles"]
    levels: Numbers
    """Increasing probabilities, beginning with 0 and ending with 1."""
    values: Numbers
    """As many increasing numbers: the value lies below the i-th with the i-th probability."""

    @model_validator(mode="after")
    def _rising(self) -> Quantiles:
        if len(self.levels) != len(self.values):
            raise ValueError(f"every level must have one value; found {len(self.levels)} levels and {len(self.values)} values")
        if (self.levels[0], self.levels[-1]) != (0, 1):
            raise ValueError(f"the levels must go from 0 to 1; found {self.levels[0]:g} to {self.levels[-1]:g}")
        for name in ("levels", "values"):
            steps = np.diff(getattr(self, name))
            if not (steps > 0).all():
                found = ", ".join(f"{number:g}" for number in getattr(self, name))
                raise ValueError(f"the {name} must increase; found {found}")
        return self

    def inverse(self, uniform: Floats) -> Floats:
        # Rounding may step over a bound by one bit; a probability must not.
        return np.clip(np.interp(uniform, self.levels, self.values), *self.support)

    @property
    def centre(self) -> float:
        levels, values = np.array(self.levels), np.array(self.values)
        return math.fsum(np.diff(levels) * (values[:-1] + values[1:]) / 2)

    @property
    def support(self) -> tuple[float, float]:
        return self.values[0], self.values[-1]

    def __str__(self) -> str:
        median = float(self.inverse(np.array([0.5]))[0])
        return f"quantiles from {self.values[0]:,.6g} over {median:,.6g} to {self.values[-1]:,.6g}"
