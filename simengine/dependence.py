"""Dependence between the numbers of a study: correlations, and shares that are drawn jointly.

A number keeps its own distribution. A correlation only moves its uniforms, before they are inverted: with z_i the standard normal
quantile of the uniform of number i, the correlated uniform of the i-th number is Φ((L z)_i), where L is the Cholesky factor of
the correlation matrix. This is the Gaussian copula; the given value is the correlation of the normal scores, also called
rank-normal, and the rank correlation (Spearman) of two numbers with value r is 6 / π arcsin(r / 2).

References
----------
Cario and Nelson 1997, "Modeling and generating random vectors with arbitrary marginal distributions and correlation matrix",
Northwestern University: the method. Kruskal 1958, "Ordinal measures of association", doi:10.1080/01621459.1958.10501481: the
rank correlation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from simengine.distributions import Constant, DirichletCount, Floats, Number, Sourced
from simengine.errors import LISTED_BY_CHECK, Finding, did_you_mean
from simengine.late import special
from simengine.records import add_in_order

_SMALLEST_UNIFORM = 2.0**-53
_LEAST_EIGENVALUE = 1e-9
"""A matrix nearer than this to a singular one has no reliable factor."""


class Correlation(Constant):
    """The correlation of two numbers of a study, fixed over replications, with its source and certainty."""

    value: Number
    """The correlation of their normal scores, above -1 and below 1."""
    between: Annotated[tuple[str, str], Field(strict=False)]
    """The two numbers: paths of numbers with distributions, as `check` lists them."""

    @field_validator("value")
    @classmethod
    def _inside(cls, value: float) -> float:
        if not -1 < value < 1:
            raise ValueError(f"a correlation must lie between -1 and 1, both left out; found {value:g}")
        return value

    @field_validator("between")
    @classmethod
    def _two(cls, between: tuple[str, str]) -> tuple[str, str]:
        if between[0] == between[1]:
            raise ValueError(f"a correlation must join two different numbers; found `{between[0]}` twice")
        return between

    def __str__(self) -> str:
        return f"{self.value:,.10g} between {' and '.join(self.between)}"


def correlate(uniform: Mapping[str, Floats], correlations: Mapping[str, Correlation]) -> dict[str, Floats]:
    """Return the uniforms of all numbers with the correlations between them.

    Parameters
    ----------
    uniform
        By path: shape (n_replications,), independent, strictly between 0 and 1.
    correlations
        By name; together they must be positive definite.

    Returns
    -------
    The same paths in the same order, shape (n_replications,), strictly between 0 and 1. A number that no correlation names
    keeps its uniforms to the last bit, and so does the first, in the order of the paths' names, of those that hang together.

    Examples
    --------
    >>> drawn = {"b": np.array([0.5]), "a": np.array([0.9])}
    >>> together = correlate(drawn, {"x": Correlation(value=0.6, between=("a", "b"))})
    >>> [round(float(together[path][0]), 4) for path in "ba"]  # Φ(0.6 x 1.2816 + 0.8 x 0)
    [0.779, 0.9]
    """
    moved = dict(uniform)
    for paths in clusters_of(correlations):
        factor = np.linalg.cholesky(matrix_of(paths, correlations))
        scores = [np.asarray(special.ndtri(uniform[path])) for path in paths]
        for i, path in enumerate(paths[1:], start=1):
            # Not a matrix product: it would choose its order by the number of replications.
            together = add_in_order(factor[i, j] * scores[j] for j in range(i + 1))
            moved[path] = np.clip(special.ndtr(together), _SMALLEST_UNIFORM, 1 - _SMALLEST_UNIFORM)
    return moved


def shifted(uniform: Floats, by: float) -> Floats:
    """Shift the normal scores of some uniforms by a number of standard deviations.

    Examples
    --------
    >>> round(float(shifted(np.array([0.5]), -1.6448536)[0]), 6)
    0.05
    """
    return np.asarray(np.clip(special.ndtr(special.ndtri(uniform) + by), _SMALLEST_UNIFORM, 1 - _SMALLEST_UNIFORM))


def share_out(drawn: Mapping[str, Floats], numbers: Mapping[str, Sourced], wholes: Iterable[Iterable[str]]) -> dict[str, Floats]:
    """Turn the weights of each Dirichlet distribution into shares: g_i / (g_1 + ... + g_n) within one whole.

    Parameters
    ----------
    drawn
        By path: shape (n_replications,); a weight where the number has a Dirichlet distribution.
    numbers
        The quantities by path.
    wholes
        The paths of the shares of each whole; one that says `rest` is no quantity.

    Returns
    -------
    The same paths in the same order, shape (n_replications,); all that is not a weight is untouched.
    """
    shared = dict(drawn)
    for paths in wholes:
        weights = {path: drawn[path] for path in paths if isinstance(numbers.get(path), DirichletCount)}
        if weights:
            whole = add_in_order(weights.values())
            shared |= {path: weight / whole for path, weight in weights.items()}
    return shared


def correlation_problems(correlations: Mapping[str, Correlation], numbers: Mapping[str, Sourced]) -> Iterator[Finding]:
    """Find correlations that name what cannot be correlated, name a pair again, or contradict each other."""
    seen: dict[frozenset[str], str] = {}
    is_sound = True
    for name, correlation in correlations.items():
        for finding in _pair_problems(f"correlations.{name}.between", correlation, numbers):
            is_sound = False
            yield finding
        first = seen.setdefault(frozenset(correlation.between), name)
        if first != name:
            is_sound = False
            yield f"correlations.{name}", "a pair must be correlated once", f"the pair of `{first}` again", "Leave one of them out"
    for paths in clusters_of(correlations) if is_sound else ():
        yield from _contradictions(paths, correlations)


def _pair_problems(key: str, correlation: Correlation, numbers: Mapping[str, Sourced]) -> Iterator[Finding]:
    for path in correlation.between:
        number = numbers.get(path)
        if number is None:
            way_out = did_you_mean(path, numbers, LISTED_BY_CHECK)
            yield key, "a correlation must join numbers of the study", f"no number `{path}`", way_out
        elif isinstance(number, Constant):
            yield key, "a number with a correlation must have a distribution", f"`{path}` is {number} in every replication", ""
        elif isinstance(number, DirichletCount):
            rule = "shares with a dirichlet distribution must be drawn together and have no further correlation"
            yield key, rule, f"`{path}`", ""


def _contradictions(paths: list[str], correlations: Mapping[str, Correlation]) -> Iterator[Finding]:
    """Return whether the matrix of some numbers is positive definite, and how far to shrink its correlations until it is.

    With A the matrix without its diagonal, 1 + t A has the smallest eigenvalue 1 - t (1 - smallest eigenvalue of 1 + A).
    """
    smallest = float(np.linalg.eigvalsh(matrix_of(paths, correlations))[0])
    if smallest > _LEAST_EIGENVALUE:
        return
    names = [name for name, correlation in correlations.items() if correlation.between[0] in paths]
    multiple = math.floor(1000 * (1 - _LEAST_EIGENVALUE) / (1 - smallest)) / 1000
    rule = f"correlations must be possible together: the matrix of {', '.join(paths)} must be positive definite"
    found = f"{', '.join(names)} with a smallest eigenvalue of {smallest:.4g}"
    yield f"correlations.{names[0]}", rule, found, f"Multiply each of them by {multiple:g} or less"


def clusters_of(correlations: Mapping[str, Correlation]) -> list[list[str]]:
    """Return the groups of paths that hang together, each in the order of its names; other groups do not change its draws."""
    groups: list[set[str]] = []
    for correlation in correlations.values():
        touched = [group for group in groups if group & set(correlation.between)]
        groups = [group for group in groups if group not in touched] + [set(correlation.between).union(*touched)]
    return [sorted(group) for group in groups]


def matrix_of(paths: list[str], correlations: Mapping[str, Correlation]) -> Floats:
    """Return the correlation matrix of some paths, shape (path, path); pairs that nobody names have 0."""
    matrix = np.eye(len(paths))
    for correlation in correlations.values():
        if correlation.between[0] in paths:
            i, j = (paths.index(path) for path in correlation.between)
            matrix[i, j] = matrix[j, i] = correlation.value
    return matrix
