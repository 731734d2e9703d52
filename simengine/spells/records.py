"""Spells after reading: who was in which state from which day until which day, without a name of anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from simengine.arrays import Flags, Floats, Integers
from simengine.asked import LEAST_SMALL_CELLS, MOST_SMALL_CELLS, SMALL_CELLS, whole
from simengine.records.arrays import Axes, Record


@dataclass(frozen=True)
class SpellsFile:
    """Where spells come from, and what was done to the rows; nothing about any person."""

    name: str
    """The file's own name, without its folder."""
    sha256: str
    """Of the file, in hexadecimal digits."""
    n_rows: int
    """Rows below the header that are not empty."""
    left_out: tuple[tuple[str, int], ...] = ()
    """By reason: bad rows that were left out because somebody asked for it (`without_bad_rows`)."""
    n_outside: int = 0
    """Rows left out because they end before the person is observed; they are not bad."""
    n_joined: int = 0
    """Rows that continue the spell before them, in the same state, and were joined to it."""
    n_shortened: int = 0
    """Spells of which the last day was also the first of the next one: that day counts for the next."""
    n_filled: int = 0
    """Spells in no row: gaps that the mapping's `between_spells` or `after_last_spell` says how to fill."""
    notes: tuple[str, ...] = ()
    """Sentences on what was decided from the file itself, such as the order of day and month."""
    small_cells: int = SMALL_CELLS
    """A smaller number of its people is not shown, nor told apart in anything that is fitted."""


@dataclass(frozen=True, eq=False)
class Spells(Record):
    """Spells sorted by person, then by first day; those of one person follow each other without gap or overlap.

    The axis `spell` runs over all spells of all people, `person` over the people, as they first appear in the file. Days are
    counted from 1970-01-01 and are whole. No two spells that follow each other have the same state.
    """

    states: tuple[str, ...]
    """Names that a study may use, sorted."""
    groups: tuple[str, ...]
    """Names that a study may use, sorted; `("all",)` where the file has no groups."""
    person: Annotated[Integers, Axes("spell")]
    """Index of the person, from 0 to n_people - 1, increasing."""
    state: Annotated[Integers, Axes("spell")]
    """Index into `states`."""
    first_day: Annotated[Floats, Axes("spell", "days since 1970-01-01")]
    """First day in the state; before `entry_day` if the spell had begun before the person is observed (left truncation)."""
    end_day: Annotated[Floats, Axes("spell", "days since 1970-01-01")]
    """First day no longer in the state: the spell lasted `end_day - first_day` days, one or more. Of an open spell `observed_until`."""
    is_open: Annotated[Flags, Axes("spell")]
    """Whether the spell still lasts at the end of observation (censored); only the last spell of a person, and every last one."""
    cost_per_day: Annotated[Floats, Axes("spell", "currency units per day")]
    """NaN where none is given."""
    first_spell: Annotated[Integers, Axes("bound")]
    """Where the spells of each person begin, and at the end where the last ones end: shape (n_people + 1,)."""
    group: Annotated[Integers, Axes("person")]
    """Index into `groups`."""
    entry_day: Annotated[Floats, Axes("person", "days since 1970-01-01")]
    """First day on which the person is observed; within the first spell."""
    observed_until: Annotated[Floats, Axes("person", "days since 1970-01-01")]
    """First day on which the person is no longer observed; the end of the last spell."""
    file: SpellsFile

    @property
    def n_people(self) -> int:
        """Number of people."""
        return len(self.group)

    @property
    def small_cells(self) -> int:
        """A smaller number of people is not shown."""
        return self.file.small_cells

    def __len__(self) -> int:
        return len(self.person)


def small_cells_asked(value: object) -> int:
    """Take the number of people below which nothing is shown; nothing asked for is the usual one.

    Raises
    ------
    UsageError
        If it is none that it may be.

    Examples
    --------
    >>> small_cells_asked(None), small_cells_asked(10)
    (5, 10)
    """
    return SMALL_CELLS if value is None else whole(value, "small_cells", LEAST_SMALL_CELLS, MOST_SMALL_CELLS)


def counts_shown(n: int, least: int) -> str:
    """Write a number of people so that a small one, even none, tells nothing about anybody.

    Examples
    --------
    >>> counts_shown(1234, 5), counts_shown(4, 5), counts_shown(4, 3), counts_shown(0, 5)
    ('1,234', 'fewer than 5', '4', 'fewer than 5')
    """
    return f"{n:,}" if n >= least else f"fewer than {least}"
