"""What the columns and words of a table of scores mean: the part `scores` of the mapping file."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import model_validator

from simengine.distributions import Name, Number, Spec
from simengine.spells.words import DateOrder, HeaderRow, HeaderText, OpenWords, one_column_each, one_meaning

ScoreRole: TypeAlias = Literal["person", "scale", "date", "month", "score", "group", "entry"]
"""What a column of a table of scores holds."""


class ScoresMapping(Spec):
    """What the columns, words, dates and numbers of a table of scores mean."""

    columns: dict[ScoreRole, HeaderText] = {}
    """By what it holds: the header of a column of the table of scores; absent: an ordinary English or Swedish header."""
    scales: dict[str, Name] = {}
    """By word in the file: the name of the outcome in the study; absent: the words themselves, written as names."""
    scale: Name = "score"
    """Name of the outcome in the study, where no column tells several apart; absent: `score`."""
    lowest: Number | None = None
    """Smallest score that there can be; absent: any."""
    highest: Number | None = None
    """Largest score that there can be; absent: any."""
    dates: DateOrder | None = None
    """How dates as 1/3/2024 are meant, or that months alone are dates; absent: as the file itself shows."""
    decimal: Literal["comma", "point"] | None = None
    """What separates decimals; absent: as the file itself shows."""
    sheet: str | None = None
    """Sheet of an Excel workbook; absent: its only one."""
    header_row: HeaderRow = 1
    """Line of the file that names the columns."""

    @model_validator(mode="after")
    def _consistent(self) -> ScoresMapping:
        one_meaning("scales", self.scales)
        one_column_each(list(self.columns.values()))
        if {"date", "month"} <= set(self.columns):
            raise ValueError("columns: scores must have either `date` or `month`; found both")
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(f"lowest must be below highest; found {self.lowest:g} and {self.highest:g}")
        return self

    @property
    def open(self) -> OpenWords:
        """No score lasts."""
        return ()
