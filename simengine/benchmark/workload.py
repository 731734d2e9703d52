"""The reference workload: what every version of the walk is given, and what it has to give back.

A replication has two arms of the same size. A person belongs to one of three strata and moves among five states from period to
period; the probabilities of the moves differ between replications, arms and strata. Counted are the periods that all
persons of an arm spend in each state and, where a version does it, how often they enter it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from simengine.arrays import Floats, Integers

Regime = Literal["sticky", "mixing"]

N_ARMS, N_STATES = 2, 5
STRATA_SHARES = (0.5, 0.3, 0.2)
START = (0, 1, 2)
"""The state of entry of each stratum."""
PERSON_PERIODS = 24_000
"""Of one replication of the reference size: 2 arms of 200 people for 60 periods."""

_LEAVING_PER_PERIOD = np.array(
    [[0.030, 0.050, 0.060, 0.040, 0.030], [0.035, 0.045, 0.090, 0.050, 0.030], [0.03, 0.06, 0.07, 0.03, 0.035]]
)
"""Hazard of leaving, shape (stratum, state)."""
_FASTER = {"sticky": 1.0, "mixing": 7.0}
_DESTINATION = np.array([[0, 6, 2, 1, 1], [3, 0, 4, 2, 1], [1, 3, 0, 5, 1], [1, 2, 3, 0, 4], [1, 1, 2, 4, 0]], dtype=np.float64)
"""Where those who leave go: weights, shape (from, to)."""
_DIRECTION = np.subtract.outer(np.arange(N_STATES), np.arange(N_STATES)).T / (N_STATES - 1.0)
"""What a positive shift does to a move, shape (from, to): towards later states is more likely, towards earlier less."""
_SPREAD = {"shock": 0.2, "stratum": 0.1, "effect": 0.15, "provider": 0.1}
"""Standard deviations of the normal shifts of a replication."""
_MEAN_EFFECT = 0.4


@dataclass(frozen=True, eq=False)
class Workload:
    """One order: so many replications, people and periods, with the moves of each."""

    seed: int
    replications: Integers
    """Shape (r,): the numbers of the replications."""
    rows: Floats
    """Shape (r, arm, stratum, from, to): probabilities of the moves in a period, each row with sum 1."""
    sizes: Integers
    """Shape (stratum,): people of one arm."""
    start: Integers
    """Shape (stratum,): the state of entry."""
    n_periods: int

    @property
    def n_replications(self) -> int:
        """The number of replications."""
        return len(self.replications)

    @property
    def n_people(self) -> int:
        """The people of one arm."""
        return int(self.sizes.sum())

    @property
    def person_periods(self) -> int:
        """The amount of work."""
        return self.n_replications * int(self.rows.shape[1]) * self.n_people * self.n_periods

    def part(self, first: int, stop: int) -> Workload:
        """Return the same order for some of its replications."""
        return replace(self, replications=self.replications[first:stop], rows=self.rows[first:stop])


@dataclass(frozen=True, eq=False)
class WorkloadCounts:
    """What a version gives back."""

    occupancy: Floats
    """Shape (r, arm, state): person-periods in each state."""
    entries: Floats | None = None
    """Shape (r, arm, state): moves into each state; absent where a version does not count them."""


def make_workload(
    regime: Regime = "sticky", n_replications: int = 1000, n_people: int = 200, n_periods: int = 60, seed: int = 2016
) -> Workload:
    """Draw the moves of every replication.

    Parameters
    ----------
    regime
        *sticky*: about two and a half moves a person in 60 periods; *mixing*: about fifteen.
    n_replications, n_people, n_periods
        The size; people of one arm.
    seed
        Of the moves, and of the persons in the versions that have a seed.

    Examples
    --------
    >>> make_workload(n_replications=1).person_periods
    24000
    """
    normal = np.random.default_rng(seed).standard_normal
    n_strata = len(STRATA_SHARES)
    shift = np.zeros((n_replications, N_ARMS, n_strata))
    shift += _SPREAD["shock"] * normal((n_replications, 1, 1)) + _SPREAD["stratum"] * normal((n_replications, 1, n_strata))
    effect = _SPREAD["effect"] * normal((n_replications, 1)) + _SPREAD["provider"] * normal((n_replications, 1))
    shift[:, 1] += _MEAN_EFFECT + effect
    smaller = [round(share * n_people) for share in STRATA_SHARES[1:]]
    return Workload(
        seed=seed,
        replications=np.arange(n_replications, dtype=np.int64),
        rows=_rows(regime, shift),
        sizes=np.array([n_people - sum(smaller), *smaller], dtype=np.int64),
        start=np.array(START, dtype=np.int64),
        n_periods=n_periods,
    )


def _rows(regime: Regime, shift: Floats) -> Floats:
    """Shift the moves of each stratum and make every row add up to 1 again; shift: (r, arm, stratum)."""
    leaving = -np.expm1(-_FASTER[regime] * _LEAVING_PER_PERIOD)
    whole = _DESTINATION.sum(axis=1, keepdims=True)
    base = leaving[:, :, None] * (_DESTINATION / whole) + np.eye(N_STATES) * (1.0 - leaving)[:, :, None]
    rows = base * np.exp(shift[..., None, None] * _DIRECTION)
    return np.ascontiguousarray(rows / rows.sum(axis=-1, keepdims=True))
