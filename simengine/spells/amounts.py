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
Decimals: TypeAlias = Literal["comma", "point"]
_SIGNS: dict[Decimals, tuple[str, str]] = {"comma": (",", "."), "point": (".", ",")}
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


def read_amounts(values: Sequence[Any], decimal: Decimals | None) -> AmountsRead:
    """Read the different cells of a column as amounts; an empty one is none, and nothing is wrong with it.

    Parameters
    ----------
    values
        Texts or numbers; each once.
    decimal
        What separates decimals; absent: it is decided by an amount as 4,5 or 1.234,50.
    """
    texts = ["" if value is None else _bare(value) for value in values]
    shown_by, undecided = None, tuple[int, ...]()
    if decimal is None:
        shows = {sign: next((at for at, text in enumerate(texts) if _shows(text) == sign), None) for sign in _SIGNS}
        shown = [sign for sign, at in shows.items() if at is not None]
        in_doubt = next((at for at, text in enumerate(texts) if _OPEN.fullmatch(text)), None)
        if len(shown) == 1:
            decimal, shown_by = shown[0], shows[shown[0]]
        elif shown:
            undecided = tuple(at for at in shows.values() if at is not None)
        elif in_doubt is not None:
            undecided = (in_doubt,)
    read = [
        (float(value), "")
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        else _amount(text, decimal or "point")
        for value, text in zip(values, texts, strict=True)
    ]
    read = [(np.nan, NEGATIVE) if amount < 0 else (amount, wrong) for amount, wrong in read]
    wrongs = tuple(wrong or (NO_AMOUNT if np.isinf(amount) else "") for amount, wrong in read)
    return AmountsRead(np.array([amount for amount, _ in read], dtype=np.float64), wrongs, decimal, shown_by, undecided)


def _bare(value: Any) -> str:
    """Return a text without blanks around it or between thousands; a number is no text that decides anything."""
    if isinstance(value, int | float | Decimal):
        return ""
    return _BLANKS.sub("", str(value).strip()).replace("\u2212", "-")


def _shows(text: str) -> Decimals | None:
    """Return what separates decimals in a text, where the text itself can tell."""
    last = max(_SIGNS, key=lambda sign: text.rfind(_SIGNS[sign][0]))
    sign, other = _SIGNS[last]
    if sign not in text or not re.fullmatch(r"-?[\d.,]+", text, re.ASCII):
        return None
    if other in text:
        return last if text.count(sign) == 1 else "point" if last == "comma" else "comma"
    if text.count(sign) > 1:
        return "point" if last == "comma" else "comma"
    return None if _OPEN.fullmatch(text) and not re.match(r"-?0\d*[.,]", text) else last


def _amount(text: str, decimal: Decimals) -> tuple[float, str]:
    """Read a text; thousands may be separated by the other sign."""
    if not text:
        return np.nan, ""
    sign, other = map(re.escape, _SIGNS[decimal])
    if re.fullmatch(rf"-?(?:\d+|\d{{1,3}}(?:{other}\d{{3}})+)(?:{sign}\d+)?", text, re.ASCII) is None:
        return np.nan, NO_AMOUNT
    return float(text.replace(_SIGNS[decimal][1], "").replace(_SIGNS[decimal][0], ".")), ""
