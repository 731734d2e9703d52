"""The sheets of the terms and of the assumptions: the inputs, the contract in words, its numbers, and every number of the study."""

from __future__ import annotations

from simengine.contract_text.explain import explanation
from simengine.distributions import Constant
from simengine.report.document import assumptions
from simengine.workbook.book import WorkbookFile, WorkSheet
from simengine.workbook.rates import Inputs, write_inputs
from simengine.workbook.told import ToldRun

_SECTIONS = ("contract.", "capital.")


def write_terms(book: WorkbookFile, told: ToldRun) -> Inputs:
    """Write the sheet of the terms, and return its inputs."""
    sheet = book.sheet(book.words("sheet.terms"), (62, 18, 44, 14, 14, 40))
    row = sheet.section(sheet.title(book.words("terms.title")), book.words("terms.inputs"), 6)
    sheet.head(row, book.words("input"), book.words("value"), book.words("name"), right={1})
    row, inputs = write_inputs(book, sheet, row + 1, told)
    row = _write_numbers(book, sheet, sheet.section(row + 1, book.words("terms.numbers"), 6), told)
    row = sheet.section(row + 1, book.words("terms.contract"), 6)
    for place, line in enumerate(explanation(told.study.contract, book.words.language.plain_wording()).splitlines()):
        sheet.text(row + place, 0, line)
    return inputs


def _write_numbers(book: WorkbookFile, sheet: WorkSheet, row: int, told: ToldRun) -> int:
    """Write the numbers of the contract and the capital with names, and return the row below them."""
    sheet.head(row, *(book.words(word) for word in ("path", "value", "name", "certainty", "source", "note")), right={1})
    row += 1
    for path, number in told.study.numbers.items():
        if not path.startswith(_SECTIONS):
            continue
        sheet.text(row, 0, path)
        if isinstance(number, Constant):
            sheet.value(row, 1, number.value, "number", "given")
            sheet.text(row, 2, book.named(path, sheet.name, row, 1), "code")
        else:
            sheet.text(row, 1, book.words("terms.distribution", distribution=number), "plain", "given")
        for column, text in enumerate((number.certainty, number.source, number.note), start=3):
            sheet.text(row, column, text or "")
        row += 1
    return row


def write_assumptions(book: WorkbookFile, told: ToldRun) -> None:
    """Write every number of the study with its certainty and source, and what it takes for granted."""
    sheet = book.sheet(book.words("sheet.assumptions"), (62, 40, 12, 14, 60))
    row = sheet.title(book.words("assumptions.title"))
    sheet.head(row, *(book.words(word) for word in ("path", "value", "certainty", "source", "note")), right=())
    for place, entry in enumerate(assumptions(told.study), start=row + 1):
        texts = (entry["path"], entry["value"], entry["certainty"], entry["source"], entry["note"])
        for column, text in enumerate(texts):
            sheet.text(place, column, text or "")
    sheet.freeze(row + 1, 1)
