"""How money is rounded to whole numbers of its smallest unit: half to even, by the decimal number and not by its binary neighbour.

7,860,000 × 0.0003 / 0.80 is 2,947.5. In binary floating point it is 2,947.4999999999995, and the nearest whole number to that is
another one than that to which the rule leads. An amount that stands nearer to a half than floating point can tell is therefore that
half: nearer than 2^-43 of itself (1.1e-13; some 500 roundings of the last bit), and never farther from it than 2^-7 of a unit.
Amounts above 7e13 units have no halves that arithmetic could be trusted with; they are rounded as they are.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device
from simengine.arrays import Floats

_SHARE = 2.0**-43
"""Of twice an amount: how far it may be from a whole number that it stands for."""
_FARTHEST = 2.0**-6
"""Of a half unit: beyond this nothing is taken for a half, however large the amount is."""


@device
def nearest_unit(amount: float) -> float:
    """Round an amount in smallest units to a whole number of them, half to even."""
    # Twice an amount is exact, and a whole number for each half.
    twice = amount * 2.0
    halves = np.rint(twice)
    is_half_or_whole = abs(twice - halves) <= min(abs(twice) * _SHARE, _FARTHEST)
    return float(np.rint(halves * 0.5 if is_half_or_whole else amount))


def nearest_units(amounts: Floats) -> Floats:
    """Round each of some amounts as `nearest_unit` does, to the same bits."""
    with np.errstate(over="ignore", invalid="ignore"):
        twice = amounts * 2.0
        halves = np.rint(twice)
        is_half_or_whole = np.abs(twice - halves) <= np.minimum(np.abs(twice) * _SHARE, _FARTHEST)
        rounded: Floats = np.rint(np.where(is_half_or_whole, halves * 0.5, amounts))
    return rounded
