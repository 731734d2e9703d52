"""How much of a written distribution lies below a value."""

from __future__ import annotations

import numpy as np
from scipy import special

from simengine.distributions import Quantity


def height_of(distribution: Quantity, value: float) -> float:
    """Invert an inverse distribution function by halving."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        reached = float(distribution.inverse(np.array([special.ndtr(middle)]))[0])
        low, high = (middle, high) if reached < value else (low, middle)
    return float(special.ndtr(low))
