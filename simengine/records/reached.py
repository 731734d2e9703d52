"""Who reached which outcome when: what a rate card is settled on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
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
    wave: Annotated[NDArray[np.int16], Axes("somebody")]
    group: Annotated[NDArray[np.int16], Axes("somebody")]
    """-1 where nobody knows."""
    entry: Annotated[NDArray[np.int16], Axes("somebody", "months from the start")]
    person: Annotated[NDArray[np.int32], Axes("row")]
    """Number within the replication."""
    outcome: Annotated[NDArray[np.int16], Axes("row")]
    month: Annotated[NDArray[np.int16], Axes("row", "months from the start")]
    """When it was reached: at the end of so many months."""
    units: Annotated[Floats | None, Axes("row", "of the outcome")] = None
    """How much of it; absent: each row counts 1."""
    is_false: Annotated[NDArray[np.bool_] | None, Axes("row")] = None
    """Whether it was claimed for somebody who had not reached it; absent: none was."""
    lots: Annotated[NDArray[np.uint32] | None, Axes("row")] = None
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
            name: _one_after_the_other([getattr(part, name) for part in parts]) for name in ("first_row", "first_person")
        }
        return replace(first, **joined, **bounds)


def _one_after_the_other(bounds: Sequence[Integers]) -> Integers:
    lengths = np.concatenate([np.diff(one) for one in bounds])
    return np.concatenate([[0], np.cumsum(lengths)])
