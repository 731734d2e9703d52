"""The numbers with which somebody asks: whole or not, within which limits, refused in the same words from Python and the command line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.errors import UsageError, shorten

MAX_SEED = 2**64 - 1
MOST_REPLICATIONS = 2**32
"""The number of a replication is one word of 32 bits in the address of a draw."""
MOST_THREADS = 1024
LARGEST_BLOCK = 1_000_000


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Take a whole number between two limits, both included; a truth value, a text or 2.0 is none.

    Raises
    ------
    UsageError
        If it is another thing or lies outside.

    Examples
    --------
    >>> whole(7, "--luck", 2, 100)
    7
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    limits = f"a whole number from {low:,}" + ("" if high >= MAX_SEED else f" to {high:,}")
    raise UsageError(f"{name}: must be {limits}; found {shorten(value)}")


def number(value: Any, name: str, low: float, high: float) -> float:
    """Take a number between two limits, both included.

    Raises
    ------
    UsageError
        If it is no finite number or lies outside.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and low <= value <= high:
        return float(value)
    raise UsageError(f"{name}: must be a number from {low:g} to {high:g}; found {shorten(value)}")


def seed_asked(seed: Any) -> int:
    """Take a seed.

    Raises
    ------
    UsageError
        If it is not a whole number from 0 to 2^64 - 1.
    """
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool) and 0 <= seed <= MAX_SEED:
        return int(seed)
    raise UsageError(f"seed: must be a whole number from 0 to 2^64 - 1; found {shorten(seed)}")


def replications_asked(replications: Any) -> NDArray[np.int64]:
    """Take the numbers of replications, shape (n_replications,); a number may stand more than once.

    Raises
    ------
    UsageError
        If there is none, or one is not a whole number from 0 to 2^32 - 1.
    """
    try:
        numbers = np.asarray(replications)
    except ValueError:
        numbers = np.empty(0)
    is_sound = numbers.ndim == 1 and len(numbers) > 0 and np.issubdtype(numbers.dtype, np.integer)
    if is_sound and 0 <= int(numbers.min()) and int(numbers.max()) < MOST_REPLICATIONS:
        return numbers.astype(np.int64, copy=False)
    rule = f"must be a list of one or more whole numbers from 0 to {MOST_REPLICATIONS - 1:,}"
    raise UsageError(f"replications: {rule}; found {shorten(replications)}")
