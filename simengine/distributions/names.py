"""Text that is written in a given way: names, months, currencies; and one name where several may stand."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from simengine.errors import shorten


class spelled:  # noqa: N801 - reads as a word in annotations
    """Refuse what does not match a pattern, and say in words what must stand there."""

    def __init__(self, pattern: str, rule: str) -> None:
        self.pattern, self.rule = re.compile(pattern, re.ASCII), rule

    def __call__(self, raw: Any) -> Any:
        if not isinstance(raw, str) or self.pattern.fullmatch(raw) is None:
            raise ValueError(f"{self.rule}; found {shorten(raw)}")
        return raw


def one_or_several(raw: Any) -> Any:
    """Take one name for a list of one."""
    return (raw,) if isinstance(raw, str) else raw


class _Name(spelled):
    """Refuse what is no name, and say how it may be written."""

    def __call__(self, raw: Any) -> Any:
        if isinstance(raw, str) and self.pattern.fullmatch(raw):
            return raw
        plain = unicodedata.normalize("NFKD", raw if isinstance(raw, str) else "").encode("ascii", "ignore").decode()
        plain = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")
        instead = f". Write `{plain}`" if self.pattern.fullmatch(plain) else ""
        raise ValueError(f"{self.rule}; found {shorten(raw)}{instead}. Titles and names of parties may have any letters")


a_name = _Name(r"[A-Za-z][A-Za-z0-9_]*", "a name must have only the letters a to z, digits and `_`, and begin with a letter")
Name: TypeAlias = Annotated[str, BeforeValidator(a_name)]
"""A name that a study gives to something of its own."""
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(one_or_several), Field(min_length=1, strict=False)]
"""One name, or a list of names."""
NamesOrNone: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(one_or_several), Field(strict=False)]
"""One name, or a list of names that may be empty."""
month_of_year = spelled(r"\d{4}-(0[1-9]|1[0-2])", "must be a month, as 2030-01")
Month: TypeAlias = Annotated[str, BeforeValidator(month_of_year)]
"""A month of a year."""
CurrencyCode: TypeAlias = Annotated[str, BeforeValidator(spelled(r"[A-Z]{3}", "must be a currency in three capitals, as SEK"))]
"""A currency as ISO 4217 writes it."""
