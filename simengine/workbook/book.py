"""A workbook and its sheets: texts that can never run as formulas, formulas that hold their value, styles, ranges with names."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from simengine.currencies import decimals_of
from simengine.report.excel import CREATED, close_excel, require_xlsxwriter
from simengine.workbook.words import WorkbookWords

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""With these a spreadsheet may begin to read a text as a formula when somebody edits the cell or pastes it elsewhere."""
_LONGEST_TEXT = 32_000
"""Characters of a cell; Excel itself takes 32,767."""
_HEIGHT_OF_HEAD = 27
"""Points: two lines."""
_BASE = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
_STYLES: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "section": {"bold": True, "font_size": 11, "top": 1},
    "head": {"bold": True, "bottom": 1, "text_wrap": True},
    "head_right": {"bold": True, "bottom": 1, "text_wrap": True, "align": "right"},
    "plain": {},
    "wrapped": {"text_wrap": True},
    "right": {"align": "right"},
    "code": {"font_name": "Courier New"},
    "link": {"font_color": "#0563C1", "underline": 1},
    "money": {"num_format": "{money}"},
    "rate": {"num_format": "0.00 %"},
    "factor": {"num_format": "0.000000"},
    "number": {"num_format": "#,##0.######"},
    "whole": {"num_format": "0"},
    "month": {"num_format": "yyyy-mm", "align": "left"},
}
_COLOURS: Mapping[str, Mapping[str, Any]] = {
    "input": {"bg_color": "#FFF2CC", "font_color": "#0000FF", "border": 1},
    "given": {"bg_color": "#EDEDED"},
    "formula": {"font_color": "#000000", "bg_color": "#E2EFDA"},
}
"""What a cell is, beside how it is written."""


def cell_reference(row: int, column: int) -> str:
    """Return the absolute reference of a cell; both count from 0.

    Examples
    --------
    >>> cell_reference(0, 0), cell_reference(9, 27)
    ('$A$1', '$AB$10')
    """
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"${letters}${row + 1}"


@dataclass(frozen=True)
class SheetCells:
    """Some cells of one column of a sheet."""

    sheet: str
    column: int
    first: int
    last: int

    def at(self, place: int) -> str:
        """Return the reference to the cell at a place, from 0, on its own sheet."""
        return cell_reference(self.first + place, self.column)

    @property
    def here(self) -> str:
        """Reference on its own sheet."""
        return f"{cell_reference(self.first, self.column)}:{cell_reference(self.last, self.column)}"

    @property
    def from_elsewhere(self) -> str:
        """Reference from another sheet."""
        return f"{quoted(self.sheet)}!{self.here}"

    def head(self, n: int) -> SheetCells:
        """Return the first n cells."""
        return SheetCells(self.sheet, self.column, self.first, self.first + n - 1)


def quoted(sheet: str) -> str:
    """Write the name of a sheet as a formula needs it."""
    return "'" + sheet.replace("'", "''") + "'"


class WorkbookFile:
    """A workbook that is being written."""

    def __init__(self, place: Path, currency: str, words: WorkbookWords) -> None:
        """Begin a workbook at a place, with amounts to the smallest unit of a currency, in the words of a language."""
        self.words = words
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": _BASE,
        }
        self._file = require_xlsxwriter().Workbook(str(place), options)
        self._file.set_properties({"created": CREATED, "title": words("about.title")})
        self._styles: dict[tuple[str, str, bool], Any] = {}
        self._names: dict[str, str] = {}
        decimals = decimals_of(currency)
        self._money = "#,##0" + ("." + "0" * decimals if decimals else "")

    def sheet(self, name: str, widths: Sequence[float] = ()) -> WorkSheet:
        """Add a sheet; widths of its first columns, in characters."""
        raw = self._file.add_worksheet(name)
        for column, width in enumerate(widths):
            raw.set_column(column, column, width)
        raw.hide_gridlines(2)
        raw.set_landscape()
        raw.set_paper(9)
        raw.fit_to_pages(1, 0)
        return WorkSheet(self, name, raw)

    def named(self, name: str, sheet: str, row: int, column: int) -> str:
        """Define a name of a cell, and return it: the name that was asked for, in letters that Excel takes, and unlike every other."""
        plain = re.sub(r"[^A-Za-z0-9_.]", "_", name)
        found, number = plain, 1
        while found.casefold() in self._names:
            number += 1
            found = f"{plain}_{number}"
        self._names[found.casefold()] = found
        self._file.define_name(found, f"={quoted(sheet)}!{cell_reference(row, column)}")
        return found

    def style(self, name: str, colour: str = "", *, is_quoted: bool = False) -> Any:
        """Return a format of XlsxWriter, made once."""
        key = (name, colour, is_quoted)
        if key not in self._styles:
            asked = {**_BASE, **_STYLES[name], **(_COLOURS[colour] if colour else {})}
            asked = {one: self._money if value == "{money}" else value for one, value in asked.items()}
            if "num_format" in asked:
                asked["num_format"] = self.words.number_locale + asked["num_format"]
            made = self._file.add_format(asked)
            if is_quoted:
                made.set_quote_prefix()
            self._styles[key] = made
        return self._styles[key]

    def chart(self, kind: str) -> Any:
        """Begin a chart."""
        return self._file.add_chart({"type": kind})

    def close(self) -> None:
        """Write the file."""
        close_excel(self._file)


class WorkSheet:
    """A sheet that is being written; rows and columns count from 0."""

    def __init__(self, book: WorkbookFile, name: str, raw: Any) -> None:
        """Take a worksheet of XlsxWriter."""
        self.book, self.name, self._raw, self.words = book, name, raw, book.words

    def text(self, row: int, column: int, text: str, style: str = "plain", colour: str = "") -> None:
        """Write a text as a text, whatever it begins with."""
        text = self._as_cell(text)
        self._raw.write_string(row, column, text, self.book.style(style, colour, is_quoted=text.startswith(_FORMULA_SIGNS)))

    def value(self, row: int, column: int, value: Any, style: str = "number", colour: str = "") -> None:
        """Write a number or a text; nothing where there is none."""
        if isinstance(value, str):
            self.text(row, column, value, "plain", colour)
        elif value is not None and isfinite(value):
            self._raw.write_number(row, column, float(value), self.book.style(style, colour))
        elif colour:
            self._raw.write_blank(row, column, None, self.book.style(style, colour))

    def month(self, row: int, column: int, date: str) -> None:
        """Write a month, given as year-month, as the date of its first day."""
        self._raw.write_datetime(row, column, first_day(date), self.book.style("month"))

    def formula(self, row: int, column: int, formula: str, value: float | str, style: str = "money") -> None:
        """Write a formula with the value that the program found for it."""
        held = value if isinstance(value, str) else float(value) + 0.0
        self._raw.write_formula(row, column, f"={formula}", self.book.style(style, "formula"), held)

    def link(self, row: int, column: int, sheet: str) -> None:
        """Write the name of a sheet, which leads there."""
        self._raw.write_url(row, column, f"internal:{quoted(sheet)}!A1", self.book.style("link"), sheet)

    def head(self, row: int, *names: str, column: int = 0, right: Container[int] | None = None) -> None:
        """Write the heads of some columns; those of numbers to the right, by their places: absent, all but the first."""
        numbers = range(1, len(names)) if right is None else right
        for place, name in enumerate(names):
            self.text(row, column + place, name, "head_right" if place in numbers else "head")
        self._raw.set_row(row, _HEIGHT_OF_HEAD)

    def title(self, title: str, *sentences: str) -> int:
        """Write the head of a sheet, and return the first row that is free below it."""
        self.text(0, 0, title, "title")
        for place, sentence in enumerate(sentences, start=1):
            self.text(place, 0, sentence)
        return len(sentences) + 2

    def section(self, row: int, title: str, width: int = 8) -> int:
        """Write the head of a part, and return the row below it."""
        for column in range(width):
            self.text(row, column, title if column == 0 else "", "section")
        return row + 1

    def freeze(self, row: int, column: int) -> None:
        """Let the rows above and the columns to the left stand still."""
        self._raw.freeze_panes(row, column)

    def widths(self, first: int, last: int, width: float) -> None:
        """Set the width of some columns, in characters."""
        self._raw.set_column(first, last, width)

    def place(self, row: int, column: int, chart: Any) -> None:
        """Put a chart at a cell."""
        self._raw.insert_chart(row, column, chart)

    def _as_cell(self, text: str) -> str:
        """Return a text as a cell can hold it; one that is too long says where it is cut."""
        if len(text) <= _LONGEST_TEXT:
            return text
        return text[:_LONGEST_TEXT] + self.words("cut", characters=self.words.whole(len(text)))


def first_day(date: str) -> datetime:
    """Return the first day of a month that is given as year-month."""
    year, month = (int(part) for part in date.split("-"))
    return datetime(year, month, 1)
