"""Amounts of money as people write them: with a comma or a point, and blanks between thousands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import numpy as np

from simengine.arrays import Floats

NO_AMOUNT = "must be an amount, as 4 250,50 or 4250.50, or empty"
NEGATIVE = "must not be negative"
LARGEST_AMOUNT = 1e12
TOO_LARGE = "must be below a million millions"
Decimals: TypeAlias = Literal["comma", "point"]
_SIGNS: dict[Decimals, tuple[str, str]] = {"comma": (",", "."), "point": (".", ",")}
_PATTERNS: dict[Decimals, re.Pattern[str]] = {
    decimal: re.compile(rf"-?(?:\d+|\d{{1,3}}(?:{re.escape(other)}\d{{3}})+)(?:{re.escape(sign)}\d+)?", re.ASCII)
    for decimal, (sign, other) in _SIGNS.items()
}
"""A number with its decimals; its thousands may be separated by the other sign."""
_PLAIN = re.compile(r"-?[\d.,]+", re.ASCII)
_BLANKS = re.compile(r"(?<=\d)[\s'\u2019](?=\d{3}(?!\d))")
"""Between thousands: a blank of any width, or an apostrophe."""
_OPEN = re.compile(r"-?\d{1,3}[.,]\d{3}", re.ASCII)
"""A thousand and something, or a number with three decimals."""


@dataclass(frozen=True)
class AmountsRead:
    """The amounts of a column, by its different texts."""

    amount: Floats
    """Shape (n_texts,): NaN where it is none."""
    wrong: tuple[str, ...]
    """The rule that is broken; empty where none is."""
    decimal: Decimals | None
    """What was decided; absent where there was nothing to decide."""
    shown_by: int | None
    """The text that decided it."""
    undecided: tuple[int, ...]
    """Texts that leave it open, or contradict each other: the column must be refused."""


def read_amounts(values: Sequence[Any], decimal: Decimals | None, *, signed: bool = False) -> AmountsRead:
    """Read the different cells of a column as amounts; an empty one is none, and nothing is wrong with it.

    Parameters
    ----------
    values
        Texts or numbers; each once.
    decimal
        What separates decimals; absent: it is decided by an amount as 4,5 or 1.234,50.
    signed
        Whether one may be negative.
    """
    texts = ["" if value is None else _bare(value) for value in values]
    shown_by, undecided = None, tuple[int, ...]()
    if decimal is None:
        shows = _first_shown(texts)
        shown = [sign for sign in _SIGNS if sign in shows]
        if len(shown) == 1:
            decimal, shown_by = shown[0], shows[shown[0]]
        elif shown:
            undecided = tuple(shows[sign] for sign in shown)
        elif "doubt" in shows:
            undecided = (shows["doubt"],)
    pattern, (sign, other) = _PATTERNS[decimal or "point"], _SIGNS[decimal or "point"]
    amounts, wrongs = np.full(len(texts), np.nan), [""] * len(texts)
    for at, (value, text) in enumerate(zip(values, texts, strict=True)):
        if pattern.fullmatch(text):
            amounts[at] = float(text.replace(other, "").replace(sign, "."))
        elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            amounts[at] = float(value)
        elif text or isinstance(value, bool):
            wrongs[at] = NO_AMOUNT
    is_large = np.isinf(amounts) | (np.abs(amounts) >= LARGEST_AMOUNT)
    for at in np.flatnonzero(is_large if signed else is_large | (amounts < 0)).tolist():
        amounts[at], wrongs[at] = np.nan, NEGATIVE if amounts[at] < 0 and not signed else TOO_LARGE
    return AmountsRead(amounts, tuple(wrongs), decimal, shown_by, undecided)


def _first_shown(texts: Sequence[str]) -> dict[str, int]:
    """Return the first text that shows each way of separating decimals, and the first that leaves it in doubt."""
    first: dict[str, int] = {}
    for at, text in enumerate(texts):
        if "," in text or "." in text:
            shown = _shows(text)
            first.setdefault(shown or ("doubt" if _OPEN.fullmatch(text) else ""), at)
    return first


def _bare(value: Any) -> str:
    """Return a text without blanks around it or between thousands; a number is no text that decides anything."""
    if isinstance(value, int | float | Decimal):
        return ""
    text = str(value).strip()
    return text if _PLAIN.fullmatch(text) else _BLANKS.sub("", text).replace("\u2212", "-")


def _shows(text: str) -> Decimals | None:
    """Return what separates decimals in a text, where the text itself can tell."""
    last = max(_SIGNS, key=lambda sign: text.rfind(_SIGNS[sign][0]))
    sign, other = _SIGNS[last]
    if sign not in text or not _PLAIN.fullmatch(text):
        return None
    if other in text:
        return last if text.count(sign) == 1 else "point" if last == "comma" else "comma"
    if text.count(sign) > 1:
        return "point" if last == "comma" else "comma"
    return None if _OPEN.fullmatch(text) and not re.match(r"-?0\d*[.,]", text) else last
