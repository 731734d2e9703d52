"""Divide amounts into whole numbers of the smallest unit: pro rata to debts, or by weights."""

from __future__ import annotations

from simengine.accelerate import device
from simengine.arrays import Floats, Integers
from simengine.rounding import nearest_unit


@device
def total(values: Integers) -> int:
    """Add up whole numbers; NumPy's own sum takes long to compile."""
    found = 0
    for value in values:
        found += value
    return found


@device
def share_pro_rata(amount: int, due: Integers, out: Integers) -> None:
    """Divide an amount pro rata to the amounts due, in whole units; it must not exceed their sum."""
    left, due_left = amount, total(due)
    for i in range(len(due)):
        part = 0
        if due_left > 0:
            part = int(nearest_unit(left * (due[i] / due_left)))
            # If floating point is coarser than a unit, nobody receives more than is due, and the others can take the rest.
            part = min(max(part, left - (due_left - due[i])), min(due[i], left))
        out[i] = part
        left -= part
        due_left -= due[i]


@device
def weigh_out(amount: int, weight: Floats, out: Integers) -> None:
    """Divide an amount by weights, in whole units."""
    left, weight_left = amount, 0.0
    for i in range(len(weight)):
        weight_left += weight[i]
    for i in range(len(weight)):
        part = left
        if i < len(weight) - 1:
            part = int(nearest_unit(left * (weight[i] / weight_left))) if weight_left > 0.0 else 0
        out[i] = min(max(part, 0), left)
        left -= out[i]
        weight_left -= weight[i]
