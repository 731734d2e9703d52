"""The sections of a study as a table: the half to which each belongs, and its other properties.

This is the only such list; a test checks that it is complete and not repeated elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

WallSide = Literal["left", "right", "beside"]


@dataclass(frozen=True)
class Section:
    """What the engine knows of a section of a study."""

    side: WallSide
    """Of the wall: left of it everything is drawn and nothing knows the contract; right of it everything follows from what was
    measured. Beside: no run reads it."""
    is_of_people: bool = False
    """Whether people live otherwise where it is another one."""
    is_terms: bool = False
    """Whether it may differ between contracts on the same people, which are then settled again without a new simulation."""
    may_be_free: bool = False
    """Whether its numbers may be free terms of a sizing."""
    is_read_again: bool = False
    """Whether something right of the wall reads its numbers too."""
    is_measured_again: bool = False
    """Whether its numbers touch no person, so that the same people may be measured and paid with new ones."""
    is_agreed: bool = False
    """Whether its numbers are fixed however sure somebody is of them: another reading is a variant, not a distribution."""


SECTIONS: dict[str, Section] = {
    "study": Section("right", is_agreed=True),
    "parties": Section("right", is_terms=True, is_measured_again=True),
    "rates": Section("right", is_terms=True),
    "prices": Section("right", is_terms=True),
    "population": Section("left", is_of_people=True, is_read_again=True),
    "pathway": Section("left", is_of_people=True),
    "events": Section("left", is_of_people=True),
    "shocks": Section("left", is_of_people=True),
    "environment": Section("left", is_of_people=True),
    "effect": Section("left", is_of_people=True),
    "promise": Section("beside"),
    "outcomes": Section("left", is_of_people=True),
    "measurement": Section("left", is_measured_again=True),
    "contract": Section("right", is_terms=True, may_be_free=True, is_agreed=True),
    "capital": Section("right", is_terms=True, may_be_free=True, is_measured_again=True),
    "public_value": Section("right"),
    "correlations": Section("left", is_read_again=True, is_agreed=True),
    "behaviour": Section("beside"),
    "known": Section("beside"),
    "run": Section("beside"),
    "sizing": Section("beside"),
    "variants": Section("beside"),
    "stresses": Section("beside"),
}
"""In the order of a study. What the heading says of the people is told by `CALENDAR`."""
CALENDAR = ("currency", "start", "horizon_months")
"""What the heading of a study says of the people: when they live, and in which money their outcomes are counted."""


def section_named(asked: Callable[[Section], bool]) -> tuple[str, ...]:
    """Name the sections of which something holds.

    Examples
    --------
    >>> section_named(lambda section: section.may_be_free)
    ('contract', 'capital')
    """
    return tuple(name for name, section in SECTIONS.items() if asked(section))


def lies_in(path: str, sections: tuple[str, ...]) -> bool:
    """Return whether the number at a path stands in one of some sections."""
    return path.partition(".")[0] in sections


LEFT = section_named(lambda section: section.side == "left")
"""Sections from which people, their measurement and the draws follow."""
OF_PEOPLE = section_named(lambda section: section.is_of_people)
OWN = "own"
"""What the contract or a stress of a study itself is called beside others."""
TERMS = section_named(lambda section: section.is_terms)
"""Sections right of the wall that contracts on the same people may change."""
FREE = section_named(lambda section: section.may_be_free)
"""Where free terms stand: right of the wall, so that nobody need live again."""
UNREAD = section_named(lambda section: section.side == "beside")
"""Sections that no run reads."""
READ_AT_THE_WALL = tuple(name for name in SECTIONS if name not in LEFT or SECTIONS[name].is_read_again)
"""Sections whose numbers something right of the wall reads."""
MEASURED_AGAIN = section_named(lambda section: section.is_measured_again)
AGREED = section_named(lambda section: section.is_agreed)


def lies_left(path: str) -> bool:
    """Return whether people or their measurement follow from the number at a path."""
    name, _, rest = path.partition(".")
    return name in LEFT or (name == "study" and rest.partition(".")[0] in CALENDAR)
