"""The slow twin of a step of tempering: weights by a mixture of proposals, effective sample size, temperature; plain Python."""

from __future__ import annotations

import math

Row = list[float]


def normal_density(x: Row, centre: Row, factor: list[Row]) -> float:
    """Density of a normal distribution whose covariance has this lower Cholesky factor, by forward substitution."""
    reduced: Row = []
    for i, row in enumerate(factor):
        reduced.append((x[i] - centre[i] - sum(row[j] * reduced[j] for j in range(i))) / row[i])
    volume = math.prod(factor[i][i] for i in range(len(x)))
    return math.exp(-sum(one * one for one in reduced) / 2) / ((2 * math.pi) ** (len(x) / 2) * volume)


def weights(rows: list[Row], proposals: list[tuple[Row, list[Row]]], counts: list[int], likelihood: Row, temperature: float) -> Row:
    """phi(z) L(z)^t / sum of (n_t / N) q_t(z), the largest being 1."""
    n = len(rows[0])
    identity = [[float(i == j) for j in range(n)] for i in range(n)]
    found = []
    for row, one in zip(rows, likelihood, strict=True):
        mixture = sum(
            count / sum(counts) * normal_density(row, centre, factor)
            for count, (centre, factor) in zip(counts, proposals, strict=True)
        )
        found.append(normal_density(row, [0.0] * n, identity) * one**temperature / mixture)
    return [one / max(found) for one in found]


def effective(weighed: Row) -> float:
    """Kish: (sum w)^2 / sum w^2."""
    return sum(weighed) ** 2 / sum(one * one for one in weighed)


def temperature(rows: list[Row], proposals: list[tuple[Row, list[Row]]], counts: list[int], likelihood: Row, least: float) -> float:
    """The highest temperature at which the effective sample size is not below `least`, by small steps from 1 downwards."""
    for step in range(1000, -1, -1):
        if effective(weights(rows, proposals, counts, likelihood, step / 1000)) >= least:
            return step / 1000
    return 0.0
