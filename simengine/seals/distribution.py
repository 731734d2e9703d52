"""The distribution of one result in a seal: its atoms exactly, every per cent between them, and how much is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from functools import cached_property
from math import ceil, isfinite

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.errors import UsageError

PIECES = 100
"""Between two knots lie fewer replications than one part in so many: no probability is off by more than this part."""
ATOMS = 200
"""A value that one replication in so many shares, and no fewer than `LEAST_SHARED` of them, is an atom."""
LEAST_SHARED = 5
LARGEST_VALUE = 1e18
"""Larger values, either way, are in no seal: the squares of all smaller ones are numbers."""
MOST_SEALED = 2_000_000
"""Replications of a seal: so many numbers are held when it is scored."""


@dataclass(frozen=True)
class Knot:
    """One value of a result, and exactly how many replications lie below it and at it."""

    value: float
    below: int
    at: int


@dataclass(frozen=True)
class SealedDistribution:
    """A sample by some of its values; the others lie evenly between them.

    Raises
    ------
    UsageError
        If the knots are those of no sample.
    """

    knots: tuple[Knot, ...]
    lost_probability: float
    """The largest difference between the distribution functions of this and of all replications: no probability of less than some
    value, and so no PIT, differs by more."""
    lost_crps: float
    """Twice the mean distance between the ordered values of the two: no CRPS differs by more."""

    def __post_init__(self) -> None:
        """Refuse what is the distribution of no sample."""
        if not self.knots:
            raise UsageError("knots: must be at least one; found none")
        last = Knot(-np.inf, 0, 0)
        for knot in self.knots:
            if not abs(knot.value) <= LARGEST_VALUE:
                raise UsageError(f"knots: a value must lie within {LARGEST_VALUE:g} either way; found {knot.value:g}")
            least = last.below + last.at
            if knot.value <= last.value or knot.at < 1 or knot.below < least or (last.at == 0 and knot.below > 0):
                raise UsageError(f"knots: must stand in order, from the smallest value on; found {knot} after {last}")
            last = knot
        if self.n_replications > MOST_SEALED:
            raise UsageError(f"knots: must hold at most {MOST_SEALED:,} replications; found {self.n_replications:,}")
        if not (0 <= self.lost_probability <= 1 and self.lost_crps >= 0 and isfinite(self.lost_crps)):
            raise UsageError(f"lost: must be a part and a distance; found {self.lost_probability:g} and {self.lost_crps:g}")

    @property
    def n_replications(self) -> int:
        """Replications of which it is the distribution."""
        return self.knots[-1].below + self.knots[-1].at

    @cached_property
    def sample(self) -> Floats:
        """The values of all replications as the seal knows them, in order, shape (n_replications,): exact at the knots, even between."""
        ranks = [rank for knot in self.knots for rank in (knot.below + 1, knot.below + knot.at)]
        values = [knot.value for knot in self.knots for _ in range(2)]
        return np.asarray(np.interp(np.arange(1.0, self.n_replications + 1), ranks, values))

    @property
    def atoms(self) -> tuple[Knot, ...]:
        """The values that many replications share."""
        least = least_of_an_atom(self.n_replications)
        return tuple(knot for knot in self.knots if knot.at >= least)

    def in_order(self, rank: int) -> float:
        """Return the value at a rank, from 1."""
        return float(self.sample[rank - 1])


def least_of_an_atom(n_replications: int) -> int:
    """Return how many replications have to share a value that is an atom."""
    return max(LEAST_SHARED, ceil(n_replications / ATOMS))


def sealed_distribution(sample: Floats) -> SealedDistribution:
    """Reduce the values of all replications, shape (n_replications,), to a few knots.

    Atoms, the smallest and the largest value, and the values at every per cent are kept exactly; in the outer per cent those at its
    half, quarter, eighth ... too, down to a single replication. A sample of at most a hundred is kept whole.

    Raises
    ------
    UsageError
        If a value is too large, or no number.
    """
    values, counts = np.unique(sample + 0.0, return_counts=True)
    if not np.isfinite(values).all():
        raise UsageError("a sealed result must be a number in every replication; found one that is none")
    n, up_to = len(sample), np.cumsum(counts)
    is_knot = counts >= least_of_an_atom(n)
    is_knot[np.searchsorted(up_to, _ranks(n))] = True
    knots = tuple(
        Knot(float(value), int(end - count), int(count))
        for value, end, count in zip(values[is_knot], up_to[is_knot], counts[is_knot], strict=True)
    )
    return SealedDistribution(knots, *_lost(np.sort(sample), SealedDistribution(knots, 0.0, 0.0).sample))


def _ranks(n: int) -> Integers:
    """Return the ranks, from 1, of the values that are kept."""
    every = [ceil(n * piece / PIECES) for piece in range(1, PIECES)]
    outer, tail = [1], n / PIECES
    while tail > 1:
        outer.append(ceil(tail))
        tail /= 2
    return np.unique([*every, *outer, *(n + 1 - rank for rank in outer)])


def _lost(ordered: Floats, kept: Floats) -> tuple[float, float]:
    """Return by how much probabilities, and by how much a CRPS, can differ between a sample and what is kept of it, both in order.

    The difference of two step functions is largest at one of their steps. With F and G these functions and y the outcome, the CRPS
    differ by the integral of (F - G)(F + G - 2 [x >= y]), of which the second factor is at most 2; and the integral of |F - G| is the
    mean distance of the ordered values.
    """
    points, n = np.concatenate([ordered, kept]), len(ordered)
    apart = np.abs(np.searchsorted(ordered, points, "right") - np.searchsorted(kept, points, "right"))
    return _upwards(float(apart.max()) / n), _upwards(2 * float(np.mean(np.abs(ordered - kept))))


def _upwards(bound: float) -> float:
    """Round a bound up to three digits: a sum in another order leaves it as it is."""
    return float(Context(prec=3, rounding=ROUND_CEILING).create_decimal(bound))


def knots_from(rows: Sequence[tuple[float, int, int]]) -> tuple[Knot, ...]:
    """Return knots from their numbers: the value, the replications below it, and those at it."""
    return tuple(Knot(*row) for row in rows)
