"""Arrays with named axes, of which every record is made, and their sums in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, reduce
from operator import add
from typing import Any, cast, get_type_hints

from simengine.arrays import Floats


@dataclass(frozen=True)
class Axes:
    """The axes of an array in order, separated by blanks, and its unit."""

    names: str
    unit: str = ""


class Record:
    """A frozen bundle of arrays whose shared axes have the same length; it prints as one line, the lengths of its axes."""

    def __init_subclass__(cls) -> None:
        # A dataclass writes a repr of all arrays for every class that has none of its own.
        if "__repr__" not in vars(cls):
            cls.__repr__ = Record.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        lengths = ", ".join(f"{axis} {length:,}" for axis, length in self._lengths().items())
        return f"<{type(self).__name__}: {lengths}>" if lengths else f"<{type(self).__name__}>"

    def __post_init__(self) -> None:
        """Refuse arrays with inconsistent axes: always a bug in the stage that made them."""
        self._lengths()

    def _lengths(self) -> dict[str, int]:
        """Return the length of every axis."""
        lengths: dict[str, int] = {}
        for name, axes in axes_of(cast(Any, type(self))).items():
            if getattr(self, name) is None:
                continue
            shape = getattr(self, name).shape
            names = axes.names.split()
            if len(shape) != len(names):
                raise ValueError(f"{type(self).__name__}.{name} has axes {names}; found shape {shape}")
            for axis, length in zip(names, shape, strict=True):
                if lengths.setdefault(axis, length) != length:
                    raise ValueError(f"{type(self).__name__}.{name}: axis {axis} has {length}, elsewhere {lengths[axis]}")
        return lengths


@cache
def axes_of(record: Any) -> dict[str, Axes]:
    """Return the axes of every array of a record, by its name."""
    hints = get_type_hints(record, include_extras=True)
    return {name: axes for name, hint in hints.items() for axes in getattr(hint, "__metadata__", ()) if isinstance(axes, Axes)}


def add_in_order(arrays: Iterable[Floats]) -> Floats:
    """Add arrays one after the other.

    NumPy's own sums choose their order by the shape of the array, so that the last bits would depend on the block size.
    """
    return reduce(add, arrays)
