"""Between what a number lies, whatever is drawn."""

from __future__ import annotations

from math import inf

import numpy as np

from simengine.distributions import Constant, Quantity

Span = tuple[float, float]
"""The least and the greatest."""
ANYTHING: Span = (-inf, inf)
_ENDS = np.array([2.0**-53, 1 - 2.0**-53])
"""The smallest and the largest uniform that is ever drawn: see `streams.uniform_of`."""


def outcome_span_of(quantity: Quantity) -> Span:
    """Return the least and the greatest value of a number of the study, in its own unit."""
    if isinstance(quantity, Constant):
        return quantity.value, quantity.value
    low, high = quantity.inverse(_ENDS)
    return float(low), float(high)


def product(one: float, other: float) -> float:
    """Multiply; nothing of something without end is nothing."""
    return 0.0 if one == 0 or other == 0 else one * other
