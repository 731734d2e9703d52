"""What a published table of totals means: the part `totals` of the mapping file."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from simengine.distributions import Name, Number, Spec, one_or_several
from simengine.spells.words import HeaderRow, HeaderText

TotalsRole: TypeAlias = Literal["year", "value"]
"""What a column of a table of totals holds, beside what its numbers are of."""
WordsCounted: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(one_or_several), Field(strict=False, min_length=1)]


class TotalsChosen(Spec):
    """Which numbers of the table are meant."""

    where: dict[str, WordsCounted] = {}
    """By header: the word, or words, of the rows that count; of several the numbers are added."""
    times: Annotated[Number, Field(gt=0, le=1e9)] = 1.0
    """By which each number is multiplied: the part of a country that a municipality is, or kronor from thousands of them; absent: 1."""


class TotalsByState(TotalsChosen):
    """The same, by state."""

    by: HeaderText
    """Header of the column that says of which state a number is."""
    states: Annotated[dict[str, Name], Field(min_length=1)]
    """By word in that column: the name of the state in the study; words that are not named do not count."""


class TotalsMapping(Spec):
    """What the columns and words of a published table of totals by year mean."""

    columns: dict[TotalsRole, HeaderText] = {}
    """Headers of the columns of years and of numbers; absent: ordinary ones, or years that are headers themselves."""
    entries: TotalsChosen | None = None
    """Numbers of people who enter in a year; absent: none."""
    start: TotalsByState | None = None
    """Numbers of people by the state in which they are, or begin; absent: none."""
    cost_per_day: TotalsByState | None = None
    """What a day in a state costs, with `times` if it is published by year or in thousands; absent: none."""
    from_year: Annotated[int, Field(strict=True, ge=1900, le=2200)] | None = None
    """First year that counts; absent: the first of the table."""
    decimal: Literal["comma", "point"] | None = None
    """What separates decimals; absent: as the file itself shows."""
    sheet: str | None = None
    """Sheet of an Excel workbook; absent: its only one."""
    header_row: HeaderRow = 1
    """Line of the file that names the columns."""

    @model_validator(mode="after")
    def _one_name_each(self) -> TotalsMapping:
        for key in ("start", "cost_per_day"):
            one: TotalsByState | None = getattr(self, key)
            if one is not None and len(set(one.states.values())) < len(one.states):
                raise ValueError(f"{key}.states: each word must have a name of its own; to add words up, name them in `where`")
        return self
