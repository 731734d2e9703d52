"""Checks of requested numbers, with the same messages in Python and on the command line."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError, did_you_mean, shorten

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SEED = 2**64 - 1
"""As in `streams`, which the deterministic half may not import."""
MOST_REPLICATIONS = 2**32
"""The number of a replication is one word of 32 bits in the address of a draw."""
MOST_THREADS = 1024
LARGEST_BLOCK = 1_000_000
SMALL_CELLS = 5
"""A smaller number of people in a table of somebody's own is not shown, where nobody asks for another limit."""
LEAST_SMALL_CELLS, MOST_SMALL_CELLS = 3, 100
"""Limits of that limit: in a cell of two each knows who the other one is."""


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Take a whole number between two limits, both included; a truth value, a text or 2.0 is none.

    Raises
    ------
    UsageError
        If it has another type or is out of range.

    Examples
    --------
    >>> whole(7, "--panel", 2, 100)
    7
    """
    if isinstance(value, numbers.Integral) and not isinstance(value, bool) and low <= int(value) <= high:
        return int(value)
    raise UsageError(f"{name}: must be a whole number from {low:,} to {high:,}; found {shorten(value)}")


def one_of_words(value: Any, name: str, words: tuple[str, ...]) -> str:
    """Take one of some words.

    Raises
    ------
    UsageError
        If it is another one.
    """
    if isinstance(value, str) and value in words:
        return value
    way_out = did_you_mean(str(value), words, "")
    raise UsageError(f"{name}: must be one of {', '.join(words)}; found {shorten(value)}{f'. {way_out}' if way_out else ''}")


def place_asked(value: Any, name: str) -> Path:
    """Take the place of a file or folder.

    Raises
    ------
    UsageError
        If it is neither a path nor a text.
    """
    if isinstance(value, str | Path):
        return Path(value)
    raise UsageError(f"{name}: must be the place of a file or folder, as a text or a path; found {shorten(value)}")


def names_asked(value: Any, name: str) -> tuple[str, ...]:
    """Take a list of names, or places of files; a text is a name, not a list of letters.

    Raises
    ------
    UsageError
        If it is no list of texts.
    """
    if isinstance(value, list | tuple) and all(isinstance(one, str | Path) for one in value):
        return tuple(map(str, value))
    way_out = f". Write [{shorten(value)}]" if isinstance(value, str) else ""
    raise UsageError(f"{name}: must be a list of names; found {shorten(value)}{way_out}")


def number(value: Any, name: str, low: float, high: float) -> float:
    """Take a number between two limits, both included.

    Raises
    ------
    UsageError
        If it is no finite number or lies outside.
    """
    if is_number(value) and low <= value <= high:
        return float(value)
    between = f" from {low:g} to {high:g}" if math.isfinite(low) or math.isfinite(high) else ""
    raise UsageError(f"{name}: must be a number{between}; found {shorten(value)}")


def is_number(value: Any) -> bool:
    """Return whether something is a finite number."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    try:
        return is_real and math.isfinite(value)
    except OverflowError:  # a whole number that is larger than any float
        return False


def seed_asked(seed: Any) -> int:
    """Take a seed.

    Raises
    ------
    UsageError
        If it is not a whole number from 0 to 2^64 - 1.
    """
    if isinstance(seed, numbers.Integral) and not isinstance(seed, bool) and 0 <= int(seed) <= MAX_SEED:
        return int(seed)
    raise UsageError(f"seed: must be a whole number from 0 to 2^64 - 1; found {shorten(seed)}")


def replications_asked(replications: Any) -> NDArray[np.int64]:
    """Take the numbers of replications, shape (n_replications,); a number may stand more than once.

    A whole number n means the first n: 0 to n - 1.

    Raises
    ------
    UsageError
        If there is none, or one is not a whole number from 0 to 2^32 - 1.
    """
    import numpy as np

    if isinstance(replications, numbers.Integral) and not isinstance(replications, bool):
        return np.arange(whole(replications, "replications", 1, MOST_REPLICATIONS))
    try:
        found = np.asarray(replications)
    except ValueError:
        found = np.empty(0)
    is_sound = found.ndim == 1 and len(found) > 0 and np.issubdtype(found.dtype, np.integer)
    if is_sound and int(found.min()) >= 0 and int(found.max()) < MOST_REPLICATIONS:
        return found.astype(np.int64, copy=False)
    rule = f"must be a number of replications, or a list of one or more of their numbers from 0 to {MOST_REPLICATIONS - 1:,}"
    raise UsageError(f"replications: {rule}; found {shorten(replications)}")


def refuse_mixed(made_by: Sequence[Any], parts: Sequence[NDArray[np.int64]]) -> None:
    """Refuse to join rows that are no parts of one run.

    Parameters
    ----------
    made_by
        By part: what made it.
    parts
        By part: the numbers of its replications, shape (n_rows,).

    Raises
    ------
    UsageError
        If several studies, seeds or ways of drawing made them, or a replication stands in several: it would count twice.
    """
    if any(one != made_by[0] for one in made_by[1:]):
        raise UsageError("results: rows that are joined must come from one study, one seed and one way of drawing; found several")
    ranges = sorted((int(part.min()), int(part.max())) for part in parts if len(part))
    if all(last < first for (_, last), (first, _) in pairwise(ranges)):
        return
    import numpy as np

    found, times = np.unique(np.concatenate([np.unique(part) for part in parts]), return_counts=True)
    if (times > 1).any():
        twice = int(found[times > 1][0])
        raise UsageError(f"results: a replication must stand in one of the parts that are joined; found {twice:,} in several")
