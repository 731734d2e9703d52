"""Draws of one person from a distribution between people, each at an address of its own."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device
from simengine.streams import uniform_pair

FIXED, UNIFORM, LOGNORMAL, WEIBULL, GAMMA = range(5)
"""The kinds of distributions between people. Parameters: value; low and high; mean and standard deviation of the logarithm; scale and
shape; shape and scale."""


@device
def normal_pair(
    seed: np.uint64, index: np.uint64, person: np.uint64, replication: np.uint64, purpose: np.uint64
) -> tuple[float, float]:
    """Return two independent standard normals at one address (Box and Muller 1958, doi:10.1214/aoms/1177706645)."""
    first, second = uniform_pair(seed, index, person, replication, purpose)
    radius = np.sqrt(-2.0 * np.log(first))
    return radius * np.cos(2.0 * np.pi * second), radius * np.sin(2.0 * np.pi * second)


@device
def gamma_draw(
    seed: np.uint64, index: np.uint64, person: np.uint64, replication: np.uint64, purpose: np.uint64, shape: float
) -> float:
    """Return a gamma variable with scale 1 (Marsaglia and Tsang 2000, doi:10.1145/358407.358414).

    Try number t reads its normal at the even and its uniforms at the odd member of the pair of addresses index + 2 t: an
    address has room for 16 tries, of which more than 10 are needed less than once in 1e13 draws.
    """
    boosted = shape if shape >= 1.0 else shape + 1.0
    d = boosted - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    cube = 1.0
    last = 1.0
    for attempt in range(16):
        at = index + np.uint64(2 * attempt)
        z, _ = normal_pair(seed, at, person, replication, purpose)
        accept, last = uniform_pair(seed, at + np.uint64(1), person, replication, purpose)
        root = 1.0 + c * z
        if root > 0.0:
            cube = root * root * root
            # Most tries pass the first test, which needs no logarithm and implies the second.
            if accept < 1.0 - 0.0331 * (z * z) * (z * z) or np.log(accept) < 0.5 * z * z + d - d * cube + d * np.log(cube):
                break
    value = d * cube
    return value if shape >= 1.0 else value * last ** (1.0 / shape)


@device
def between_people(
    seed: np.uint64,
    index: np.uint64,
    person: np.uint64,
    replication: np.uint64,
    purpose: np.uint64,
    kind: int,
    first: float,
    second: float,
) -> float:
    """Return one draw from a distribution between people; see the kinds above for its two parameters."""
    if kind == FIXED:
        return first
    if kind == GAMMA:
        return gamma_draw(seed, index, person, replication, purpose, first) * second
    if kind == LOGNORMAL:
        z, _ = normal_pair(seed, index, person, replication, purpose)
        return float(np.exp(first + second * z))
    u, _ = uniform_pair(seed, index, person, replication, purpose)
    if kind == UNIFORM:
        return first + (second - first) * u
    return float(first * (-np.log(u)) ** (1.0 / second))
