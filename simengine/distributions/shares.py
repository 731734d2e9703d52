"""The joint distribution of the shares of one total."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from simengine.arrays import Floats
from simengine.distributions.sourced import Number, Sourced
from simengine.late import special

# With a smaller count all weights of a whole may be too small to be numbers: the largest is about uniform^(1 / count).
_SMALLEST_COUNT = 0.1


class DirichletCount(Sourced):
    """One of the counts of a Dirichlet distribution, which draws all shares of one whole together.

    Each count k_i gives a weight g_i of its own gamma distribution with shape k_i and scale 1; the share is g_i / (g_1 + ... +
    g_n). So a share has mean k_i / k with k the sum of the counts and variance (k_i / k)(1 - k_i / k) / (k + 1), and two shares
    have the covariance -(k_i / k)(k_j / k) / (k + 1).

    The members speak of the weight; a replication holds the share.

    References
    ----------
    Devroye 1986, "Non-Uniform Random Variate Generation", chapter XI, section 4, doi:10.1007/978-1-4613-8643-8.
    """

    distribution: Literal["dirichlet"]
    count: Annotated[Number, Field(ge=_SMALLEST_COUNT, le=1e12)]
    """Number of observed cases of this kind."""

    def inverse(self, uniform: Floats) -> Floats:
        return np.asarray(special.gammaincinv(self.count, uniform))

    @property
    def centre(self) -> float:
        return self.count

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        return f"dirichlet, count {self.count:,.6g}"
