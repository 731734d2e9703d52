"""What the columns and words of a table of events mean: the part `events` of the mapping file."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from simengine.distributions import Name, Spec
from simengine.spells.words import DateOrder, HeaderRow, HeaderText, OpenWords, YesNo, one_column_each, one_meaning

EventRole: TypeAlias = Literal["person", "event", "date", "from", "to", "group"]
"""What a column of a table of events holds."""


class EventsMapping(Spec):
    """What the columns, words and dates of a table of events mean."""

    columns: dict[EventRole, HeaderText] = {}
    """By what it holds: the header of a column of the table of events; absent: an ordinary English or Swedish header."""
    kinds: dict[str, Name] = {}
    """By word in the file: the name of the event in the study; absent: the words themselves, written as names."""
    event: Name = "event"
    """Name of the event in the study, where no column tells several apart; absent: `event`."""
    open: OpenWords = ()
    """Words that stand in place of the last date of an event that still lasts; `""` is an empty cell."""
    last_day_counts: YesNo | None = None
    """Whether the last date is a day of the event (true) or the first day after it (false); needed if events have a last date."""
    dates: DateOrder | None = None
    """How dates as 1/3/2024 are meant, or that months alone are dates; absent: as the file itself shows."""
    sheet: str | None = None
    """Sheet of an Excel workbook; absent: its only one."""
    header_row: HeaderRow = 1
    """Line of the file that names the columns."""
    state: Name = "observed"
    """The one state of everybody, where there is no table of spells; absent: `observed`."""
    people: dict[Name, Annotated[int, Field(strict=True, ge=1, le=10_000_000)]] = {}
    """By group, or under `all` where there are none: how many people were observed from `observed_from` to `observed_until`, with or
    without an event; needed where there is no table of spells, and refused where there is one."""

    @model_validator(mode="after")
    def _consistent(self) -> EventsMapping:
        one_meaning("kinds", self.kinds)
        one_column_each(list(self.columns.values()))
        if "date" in self.columns and {"from", "to"} & set(self.columns):
            raise ValueError("columns: events must have either `date`, or `from` and `to`; found both")
        return self
