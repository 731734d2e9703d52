"""Events after reading: what happened to whom on which day, and for how long, without a name of anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from simengine.arrays import Flags, Floats, Integers
from simengine.records.arrays import Axes, Record
from simengine.spells.records import Spells, SpellsFile


@dataclass(frozen=True, eq=False)
class Events(Record):
    """Events sorted by person, kind and first day, of people whose spells say when they were observed.

    Days are counted from 1970-01-01 and are whole. Events of one kind do not overlap.
    """

    kinds: tuple[str, ...]
    """Names that a study may use, sorted."""
    has_length: bool
    """Whether the table says when events end."""
    person: Annotated[Integers, Axes("event")]
    """Index of the person in the spells, increasing."""
    kind: Annotated[Integers, Axes("event")]
    """Index into `kinds`."""
    first_day: Annotated[Floats, Axes("event", "days since 1970-01-01")]
    """First day; before the person's entry if it lasted then (left truncation): such an event has a length, and did not happen in
    the time that is observed."""
    end_day: Annotated[Floats, Axes("event", "days since 1970-01-01")]
    """First day no longer in the event; of an open one the end of observation of its person; NaN without a length."""
    is_open: Annotated[Flags, Axes("event")]
    """Whether it still lasts at the end of observation (censored)."""
    file: SpellsFile

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, eq=False)
class OwnTables:
    """The tables of a municipality, read and joined."""

    spells: Spells
    """Who was in which state; without a table of spells everybody in the one state that the mapping names."""
    events: Events | None = None
    """What happened to the same people; none where there is no such table."""
    has_spells: bool = True
    """Whether a table says who was in which state."""
