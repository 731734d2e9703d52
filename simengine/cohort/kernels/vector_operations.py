"""Sixteen numbers of 32 bits side by side, as one value: what processors calculate with, and Numba has no word for.

Here are their names, for kernels to call; the instructions are loaded when a kernel is compiled (`vector_instructions`).
"""

from __future__ import annotations

from typing import Any

from simengine.accelerate import instruction

WIDTH = 16
Lanes = Any
"""The type of such a value, for a reader of kernels."""

_INSTRUCTIONS = "simengine.cohort.kernels.vector_instructions"

load, store_lanes, fill = (instruction(_INSTRUCTIONS, name) for name in ("load", "store_lanes", "fill"))
add, both, differ, shift_right = (instruction(_INSTRUCTIONS, name) for name in ("add", "both", "differ", "shift_right"))
look_up, reaches, add_where_reached = (instruction(_INSTRUCTIONS, name) for name in ("look_up", "reaches", "add_where_reached"))
where_changed_before, place_of_lowest = (instruction(_INSTRUCTIONS, name) for name in ("where_changed_before", "place_of_lowest"))


def shift_left_by(bits: int) -> Any:
    """Make a function that shifts every number to the left; zeros come in below."""
    return instruction(_INSTRUCTIONS, "shifted_left_by", bits)


def turn_left_by(bits: int) -> Any:
    """Make a function that turns every number to the left: the bits that leave above come back below."""
    return instruction(_INSTRUCTIONS, "turned_left_by", bits)
