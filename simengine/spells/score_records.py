"""Scores after reading: how many points whom was given, so many months after entry, without a name of anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record
from simengine.spells.records import SpellsFile


@dataclass(frozen=True, eq=False)
class ScoreReadings(Record):
    """Scores sorted by person, scale and month."""

    scales: tuple[str, ...]
    """Names that a study may use, sorted."""
    groups: tuple[str, ...]
    """Names that a study may use, sorted; `("all",)` where the file has no groups."""
    person: Annotated[Integers, Axes("reading")]
    """Index of the person, from 0 to n_people - 1, increasing."""
    scale: Annotated[Integers, Axes("reading")]
    """Index into `scales`."""
    month: Annotated[Floats, Axes("reading", "months")]
    """Months since entry; negative before it."""
    score: Annotated[Floats, Axes("reading", "points")]
    """What was read."""
    group: Annotated[Integers, Axes("person")]
    """Index into `groups`."""
    observed_months: Annotated[Floats, Axes("person", "months")]
    """Months from entry to the end of observation; infinite where the file has months in place of dates."""
    file: SpellsFile

    @property
    def n_people(self) -> int:
        """Number of people."""
        return len(self.group)

    def __len__(self) -> int:
        return len(self.person)
