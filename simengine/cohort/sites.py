"""Who belongs to which site, where the sizes of the sites are settled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simengine.records import Integers


def dealt(number: NDArray[np.uint32], size: Integers, sizes: Sequence[float]) -> Integers:
    """Deal people to sites in proportion to the sizes of these: the first to the first site, and so on.

    Parameters
    ----------
    number
        Shape (n_people,): their numbers in their group.
    size
        Shape (n_people,): how many the group has.
    sizes
        Relative sizes of the sites.

    Examples
    --------
    >>> dealt(np.arange(5, dtype=np.uint32), np.full(5, 5), [1.0, 3.0, 1.0])
    array([0, 1, 1, 1, 2])
    """
    edges = np.cumsum(sizes) / np.sum(sizes)
    return np.searchsorted(edges[:-1], (number + 0.5) / np.maximum(size, 1), side="right")
