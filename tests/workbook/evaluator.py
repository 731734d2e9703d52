"""The slow twin of a spreadsheet: reads a formula and works it out, with the few functions that a workbook uses.

Definitions are those of OASIS Open Document Format for Office Applications 1.2, part 2 (OpenFormula): IRR and XIRR as roots of a
sum of discounted flows, found here by bisection and by another library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyxirr
from openpyxl.utils import range_boundaries
from openpyxl.workbook import Workbook

TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"]|\"\")*\")"
    r"|(?P<range>(?:'(?:[^']|'')+'!)?\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?(?![\w.(]))"
    r"|(?P<number>\d+(?:\.\d+)?(?:E[-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<sign><>|<=|>=|[-+*/^(),=<>]))"
)


class Sheets:
    """The cells of a workbook by sheet, worked out when they are asked for."""

    def __init__(self, book: Workbook, **inputs: float) -> None:
        """Take a workbook with its formulas; inputs: other values of named cells."""
        self._cells = {sheet.title: {(c.row, c.column): c.value for row in sheet for c in row} for sheet in book}
        self._names = {name: defined.attr_text for name, defined in book.defined_names.items()}
        self._known: dict[tuple[str, int, int], Any] = {}
        self._ranges: dict[tuple[str, str], Any] = {}
        for name, value in inputs.items():
            sheet, place = self._place(self._names[name], "")
            column, row, _, _ = range_boundaries(place)
            self._cells[sheet][row, column] = value

    def formulas(self) -> Iterator[tuple[str, int, int, str]]:
        for sheet, cells in self._cells.items():
            for (row, column), value in cells.items():
                if isinstance(value, str) and value.startswith("="):
                    yield sheet, row, column, value

    def value(self, sheet: str, row: int, column: int) -> Any:
        key = (sheet, row, column)
        if key not in self._known:
            raw = self._cells[sheet].get((row, column))
            self._known[key] = (
                Formula(self, sheet, tokens_of(raw[1:])).value() if isinstance(raw, str) and raw.startswith("=") else raw
            )
        return self._known[key]

    def named(self, name: str) -> Any:
        sheet, place = self._place(self._names[name], "")
        return self.range(f"'{sheet}'!{place}", sheet)

    def range(self, text: str, here: str) -> Any:
        if (text, here) not in self._ranges:
            self._ranges[text, here] = self._range(text, here)
        return self._ranges[text, here]

    def _range(self, text: str, here: str) -> Any:
        sheet, place = self._place(text, here)
        left, top, right, bottom = range_boundaries(place.replace("$", ""))
        found = [self.value(sheet, row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)]
        return found if ":" in place else found[0]

    @staticmethod
    def _place(text: str, here: str) -> tuple[str, str]:
        sheet, mark, place = text.rpartition("!")
        return (sheet.strip("'").replace("''", "'") if mark else here), place.replace("$", "")


class Formula:
    """One formula, read from left to right by precedence: comparison, sum, product, power, sign."""

    def __init__(self, sheets: Sheets, here: str, tokens: list[tuple[str, str]]) -> None:
        self._sheets, self._here, self._tokens = sheets, here, tokens

    def value(self) -> Any:
        found = self._comparison()
        assert not self._tokens
        return found

    def _next(self) -> tuple[str, str]:
        return self._tokens[0] if self._tokens else ("", "")

    def _take(self, *signs: str) -> str:
        kind, text = self._next()
        return self._tokens.pop(0)[1] if kind == "sign" and text in signs else ""

    def _comparison(self) -> Any:
        left = self._sum()
        sign = self._take("=", ">", "<", ">=", "<=", "<>")
        if not sign:
            return left
        right = self._sum()
        compare: dict[str, Callable[[], bool]] = {
            "=": lambda: _folded(left) == _folded(right),
            "<>": lambda: _folded(left) != _folded(right),
            ">": lambda: left > right,
            "<": lambda: left < right,
            ">=": lambda: left >= right,
            "<=": lambda: left <= right,
        }
        return compare[sign]()

    def _sum(self) -> Any:
        found = self._product()
        while sign := self._take("+", "-"):
            other = self._product()
            found = _number(found) + _number(other) if sign == "+" else _number(found) - _number(other)
        return found

    def _product(self) -> Any:
        found = self._power()
        while sign := self._take("*", "/"):
            other = self._power()
            found = found * other if sign == "*" else found / other
        return found

    def _power(self) -> Any:
        found = self._signed()
        while self._take("^"):
            found = found ** self._signed()
        return found

    def _signed(self) -> Any:
        return -_number(self._signed()) if self._take("-") else self._atom()

    def _atom(self) -> Any:
        if self._take("("):
            found = self._comparison()
            assert self._take(")")
            return found
        kind, text = self._tokens.pop(0)
        if kind == "number":
            return float(text)
        if kind == "text":
            return text[1:-1].replace('""', '"')
        if kind == "range":
            return self._sheets.range(text, self._here)
        assert kind == "name", text
        if not self._take("("):
            return self._sheets.named(text)
        given = [Formula(self._sheets, self._here, tokens) for tokens in self._arguments()]
        if text == "IF":
            return given[1 if given[0].value() else 2].value()
        return FUNCTIONS[text](*(one.value() for one in given))

    def _arguments(self) -> list[list[tuple[str, str]]]:
        """Take the tokens of every argument, up to the bracket that closes them."""
        found: list[list[tuple[str, str]]] = [[]]
        depth = 1
        while True:
            kind, text = self._tokens.pop(0)
            depth += {"(": 1, ")": -1}.get(text, 0) if kind == "sign" else 0
            if depth == 0:
                return found
            if depth == 1 and (kind, text) == ("sign", ","):
                found.append([])
            else:
                found[-1].append((kind, text))


def tokens_of(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(text):
        one = TOKEN.match(text, place)
        assert one is not None, text[place:]
        found.append((str(one.lastgroup), one[str(one.lastgroup)]))
        place = one.end()
    return found


class RootNotFoundError(Exception):
    """No rate of return lies between the bounds of the search."""


def _number(value: Any) -> float:
    return 0.0 if value is None else value


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _numbers(*given: Any) -> list[float]:
    flat = [one for part in given for one in (part if isinstance(part, list) else [part])]
    return [one for one in flat if isinstance(one, int | float)]


def _sum_if(amounts: list[float], *criteria: Any) -> float:
    pairs = list(zip(criteria[::2], criteria[1::2], strict=True))
    amounts, columns = (amounts, pairs) if isinstance(amounts, list) else ([amounts], [([one], key) for one, key in pairs])
    return sum(
        _number(amount)
        for place, amount in enumerate(amounts)
        if all(_folded(column[place]) == _folded(key) for column, key in columns)
    )


def _irr(cash: list[float], guess: float) -> float:
    """The root of the polynomial that lies nearest to the guess: of all its roots, by their companion matrix."""
    flows = np.trim_zeros(np.array(cash, dtype=float) / max(map(abs, cash)), "b")
    roots = np.roots(flows[::-1])
    real = [1 / root.real - 1 for root in roots if abs(root.imag) < 1e-9 and root.real > 0]
    if not real:
        raise RootNotFoundError
    rate = min(real, key=lambda one: abs(one - guess))
    powers = np.arange(len(flows))
    for _ in range(5):  # a polynomial of high degree has inexact roots: Newton's steps make this one exact
        worth, slope = (flows * (1 + rate) ** -powers).sum(), (-powers * flows * (1 + rate) ** (-powers - 1.0)).sum()
        rate -= worth / slope
    return float(rate)


def _xirr(cash: list[float], dates: list[datetime], guess: float) -> float:
    largest = max(map(abs, cash))
    found = pyxirr.xirr(dates, [one / largest for one in cash], guess=guess)
    if found is None:
        raise RootNotFoundError
    return float(found)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUM": lambda *given: sum(_numbers(*given)),
    "MAX": lambda *given: max(_numbers(*given)),
    "MIN": lambda *given: min(_numbers(*given)),
    "ROUND": lambda value, digits: round(value, int(digits)),
    "SUMPRODUCT": lambda *columns: float(np.prod(np.array([[_number(one) for one in column] for column in columns]), axis=0).sum()),
    "SUMIFS": _sum_if,
    "IRR": _irr,
    "XIRR": _xirr,
    "LOOKUP": lambda key, keys, found: [
        one
        for year, one in zip(*(part if isinstance(part, list) else [part] for part in (keys, found)), strict=True)
        if year <= key
    ][-1],
}
