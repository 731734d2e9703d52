"""Who reached which outcome when: what a rate card is settled on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from simengine.arrays import Flags, Floats, Int16s, Int32s, Integers, Lots
from simengine.records.arrays import Axes, Record


@dataclass(frozen=True, eq=False)
class Reached(Record):
    """The outcomes that people reached, one row each; within a replication by month, then by person.

    Rows and people of all replications stand one after the other; `first_row` and `first_person` say where each replication begins.
    """

    outcomes: tuple[str, ...]
    waves: tuple[str, ...]
    groups: tuple[str, ...]
    horizon: int
    """The last month in which anything can be reached."""
    first_row: Annotated[Integers, Axes("bound")]
    """Where the rows of each replication begin, and at the end where the last ones end."""
    first_person: Annotated[Integers, Axes("bound")]
    """The same of its people."""
    wave: Annotated[Int16s, Axes("somebody")]
    group: Annotated[Int16s, Axes("somebody")]
    """-1 where nobody knows."""
    entry: Annotated[Int16s, Axes("somebody", "months from the start")]
    person: Annotated[Int32s, Axes("row")]
    """Number within the replication."""
    outcome: Annotated[Int16s, Axes("row")]
    month: Annotated[Int16s, Axes("row", "months from the start")]
    """When it was reached: at the end of so many months."""
    units: Annotated[Floats | None, Axes("row", "of the outcome")] = None
    """How much of it; absent: each row counts 1."""
    is_false: Annotated[Flags | None, Axes("row")] = None
    """Whether it was claimed for somebody who had not reached it; absent: none was."""
    lots: Annotated[Lots | None, Axes("row")] = None
    """A lot by which a contract may choose rows to verify; absent unless a contract asks for it."""

    def __len__(self) -> int:
        return len(self.first_row) - 1

    def rows_of(self, replication: int) -> slice:
        """Return the rows of one replication."""
        return slice(int(self.first_row[replication]), int(self.first_row[replication + 1]))

    def people_of(self, replication: int) -> slice:
        """Return the people of one replication."""
        return slice(int(self.first_person[replication]), int(self.first_person[replication + 1]))

    @property
    def replication_of_row(self) -> Integers:
        """Shape (n_rows,): the place of the replication to which each row belongs."""
        return np.repeat(np.arange(len(self)), np.diff(self.first_row))

    def numbers(self) -> dict[str, Floats]:
        """Count by outcome the rows of each replication, or add up their units: each of shape (n_replications,)."""
        at = self.replication_of_row * len(self.outcomes) + self.outcome
        counted = np.bincount(at, self.units, minlength=len(self) * len(self.outcomes)).reshape(len(self), -1)
        return {name: counted[:, o].astype(np.float64) for o, name in enumerate(self.outcomes)}

    @staticmethod
    def join(parts: Sequence[Reached]) -> Reached:
        """Join blocks of replications, one after the other."""
        first = parts[0]
        arrays = ("wave", "group", "entry", "person", "outcome", "month", "units", "is_false", "lots")
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays if getattr(first, name) is not None
        }
        bounds: dict[str, Any] = {
            name: bounds_of(np.concatenate([np.diff(getattr(part, name)) for part in parts]))
            for name in ("first_row", "first_person")
        }
        return replace(first, **joined, **bounds)


def bounds_of(lengths: Integers) -> Integers:
    """Return where each part begins, and at the end where the last one ends, of parts that stand one after the other."""
    return np.concatenate([[0], np.cumsum(lengths)])
