"""What of a table of people may be shown in a message: never what may name somebody."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from simengine.errors import shorten

_LIKE_A_NUMBER_OF_SOMEBODY = re.compile(r"\d{6}(?:\d{2})?\s*[-+]?\s*[\dTX][\dA-Z]{3}(?!\d)", re.ASCII)
"""A Swedish personal identity number, a coordination number, or what municipalities write in place of one."""
_LONG_NUMBER = re.compile(r"\d[\d \u00a0-]{7,}\d", re.ASCII)
HIDDEN = "a value that is not shown, since it may name somebody"
_LONGEST = 40


def shown_value(value: Any, people: Container[str] = ()) -> str:
    """Write a cell for a message, unless it is, or looks like, what names a person.

    Examples
    --------
    >>> shown_value("2024-13-01"), shown_value("A17", {"A17"}) == HIDDEN, shown_value("190001019999") == HIDDEN
    ("'2024-13-01'", True, True)
    """
    text = " ".join(str(value).split())
    if text in people or _LIKE_A_NUMBER_OF_SOMEBODY.search(text):
        return HIDDEN
    return shorten(text, _LONGEST)


def shown_header(header: str) -> str:
    """Write a header for a message; where a file has none, its first line is somebody's row."""
    return "(not shown)" if _LONG_NUMBER.search(header) or _LIKE_A_NUMBER_OF_SOMEBODY.search(header) else shown_value(header)
