"""Draw a uniform for many people side by side."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.arrays import Floats, Integers
from simengine.cohort.kernels.arrays import People
from simengine.streams import philox, uniform_from


@kernel
def fill_uniforms(seed: np.uint64, replications: Integers, purpose: np.uint64, people: People, uniform: Floats) -> None:
    """Fill the first uniform of everybody at a purpose; uniform: (p,)."""
    number, attempt, row = people.number, people.attempt, people.row
    replication = np.empty(len(row), np.uint32)
    for p in range(len(row)):
        replication[p] = np.uint32(replications[row[p]])
    for p in range(len(row)):
        a, b, _, _ = philox(seed, np.uint64(attempt[p]), np.uint64(number[p]), np.uint64(replication[p]), purpose)
        uniform[p] = uniform_from(a, b)
