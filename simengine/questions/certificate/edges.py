"""Find jumps of a payment, and the level from which it is made, from its values alone.

Nothing here knows what a contract may say. A payment is a function of one number; it may be bent, and it may jump.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

Pay = Callable[[float], float]

_CELLS = 400
_RESOLUTION = 1e-12
"""Width, as a share of the range searched, below which a change of the payment is a jump."""
_ROUNDING = 2.1
"""Two payments are off by so many of the units to which each is rounded, at most."""


@dataclass(frozen=True)
class Jump:
    """A level at which a payment jumps."""

    edge: float
    below: float
    """Payment just below the threshold."""
    above: float
    """Payment just above it."""


def levels_between(low: float, high: float) -> list[float]:
    """List the levels that both searches settle first, so that a caller can settle them all at once."""
    ends = _ends(low, high)
    return [*ends, *((left + right) / 2 for left, right in pairwise(ends))]


def _ends(low: float, high: float) -> list[float]:
    ends: list[float] = np.linspace(low, high, _CELLS + 1).tolist()
    return ends


def find_jumps(pay: Pay, low: float, high: float, rounded_to: float) -> list[Jump]:
    """Find every jump of a payment between two levels, from the lowest.

    Parameters
    ----------
    pay
        From a level to the payment.
    low, high
        The range that is searched. Of jumps that are nearer to each other than 1/400 of it, some may be missed.
    rounded_to
        The smallest unit of the currency, to which every payment is rounded.

    Examples
    --------
    >>> find_jumps(lambda level: 100.0 if level >= 7 else 20.0, 0, 9, 0.01)
    [Jump(edge=7.0, below=20.0, above=100.0)]
    """
    known, width, slack = cache(pay), (high - low) * _RESOLUTION, _ROUNDING * rounded_to
    digits = 10 - int(np.floor(np.log10(high - low)))
    cells = pairwise(_ends(low, high))
    found = [pair for left, right in cells for pair in _jumps_within(known, left, right, width, slack)]
    return [Jump(round((left + right) / 2, digits) + 0.0, known(left), known(right)) for left, right in found]


def first_level(pay: Pay, low: float, high: float, is_reached: Callable[[float], bool]) -> float | None:
    """Find the level from which on a payment reaches something; None if it does so everywhere or nowhere between two levels.

    Examples
    --------
    >>> first_level(lambda level: max(level - 3, 0.0), 0, 9, lambda payment: payment > 0)
    3.0
    """
    levels = _ends(low, high)
    reached = [is_reached(pay(level)) for level in levels]
    if reached[0] or True not in reached:
        return None
    left, right = levels[reached.index(True) - 1], levels[reached.index(True)]
    while right - left > (high - low) * _RESOLUTION:
        middle = (left + right) / 2
        left, right = (left, middle) if is_reached(pay(middle)) else (middle, right)
    return float(round(right, 8 - int(np.floor(np.log10(high - low))))) + 0.0


def _jumps_within(pay: Pay, low: float, high: float, width: float, slack: float) -> Iterator[tuple[float, float]]:
    """Yield, for every jump between two levels, two levels that enclose it."""
    if high - low <= width or _bend(pay, low, high) <= slack:
        return
    left, right = low, high
    while right - left > width:
        middle = (left + right) / 2
        bends = _bend(pay, left, middle), _bend(pay, middle, right)
        if max(bends) <= slack:
            # A kink, or a curve that is straight from near by.
            break
        left, right = (left, middle) if bends[0] >= bends[1] else (middle, right)
    if right - left <= width and abs(pay(right) - pay(left)) > slack:
        yield from _jumps_within(pay, low, left, width, slack)
        yield left, right
        yield from _jumps_within(pay, right, high, width, slack)


def _bend(pay: Pay, low: float, high: float) -> float:
    """Return how far the payment in the middle is from the straight line: half of a jump; of a kink less in a smaller cell."""
    return abs(pay((low + high) / 2) - (pay(low) + pay(high)) / 2)
