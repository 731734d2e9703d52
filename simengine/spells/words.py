"""How the words, days and answers of a mapping file are written."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from simengine.distributions.names import one_or_several, spelled
from simengine.errors import shorten

DateOrder: TypeAlias = Literal["day-first", "month-first", "year-month"]


class _Day(spelled):
    """Take a day of the calendar, as text or as a date."""

    def __call__(self, raw: Any) -> Any:
        if isinstance(raw, datetime.date) and not isinstance(raw, datetime.datetime):
            return raw.isoformat()
        try:
            return datetime.date.fromisoformat(super().__call__(raw)).isoformat()
        except ValueError:
            raise ValueError(f"{self.rule}; found {shorten(raw)}") from None


def _texts(raw: Any) -> Any:
    """Take whole numbers for texts: `99991231` is a word of the file as well."""
    several = one_or_several(raw)
    is_listed = isinstance(several, list | tuple)
    return [str(one) if type(one) is int else one for one in several] if is_listed else several


DayWritten: TypeAlias = Annotated[str, BeforeValidator(_Day(r"\d{4}-\d{2}-\d{2}", "must be a date, as 2024-12-31"))]
YesNo: TypeAlias = Annotated[bool, Field(strict=True)]
OpenWords: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_texts), Field(strict=False)]
HeaderText: TypeAlias = Annotated[str, Field(min_length=1)]
HeaderRow: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=1000)]


def plain_word(text: str) -> str:
    """Write a word of a file so that blanks and capitals do not matter.

    Examples
    --------
    >>> plain_word("  Familjehem " + chr(160) + "Natt")
    'familjehem natt'
    """
    return " ".join(text.split()).casefold()


def one_meaning(what: str, words: dict[str, str]) -> None:
    """Refuse a word that means two things, in capitals or not.

    Raises
    ------
    ValueError
        With the word.
    """
    meant: dict[str, str] = {}
    for word, name in words.items():
        if meant.setdefault(plain_word(word), name) != name:
            raise ValueError(f"{what}: a word must mean one thing, in capitals or not; found {shorten(word)} twice")


def one_column_each(named: list[str]) -> None:
    """Refuse a column that is to hold two things.

    Raises
    ------
    ValueError
        With its header.
    """
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"columns: a column must hold one thing; found {shorten(twice)} twice")
