"""The first sheet: what the workbook is, what each sheet holds, and which cells are inputs."""

from __future__ import annotations

from textwrap import wrap

from simengine.workbook.book import WorkbookFile, WorkSheet
from simengine.workbook.rates import Inputs
from simengine.workbook.told import PLACES, ToldRun

SHEETS = ("about", "terms", "discounting", "expected", "percentiles", "distribution", "charts", *PLACES, "assumptions")
"""In their order."""


def write_about(sheet: WorkSheet, told: ToldRun, inputs: Inputs) -> None:
    """Write the first sheet."""
    study = told.study.study
    sheet.widths(0, 0, 44)
    sheet.widths(1, 1, 46)
    sheet.widths(2, 2, 16)
    sheet.widths(3, 3, 16)
    what = sheet.words("about.what", currency=study.currency, start=study.start)
    row = sheet.title(sheet.words("about.title"), *_folded(what), *_folded(sheet.words("about.how")))
    row = _write_run(sheet, sheet.section(row, sheet.words("about.run"), 4), told)
    row = sheet.section(row + 1, sheet.words("about.sheets"), 4)
    for name in SHEETS:
        sheet.link(row, 0, sheet.words(f"sheet.{name}"))
        sheet.text(row, 1, _holds(sheet, told, name))
        row += 1
    row = sheet.section(row + 1, sheet.words("about.styles"), 4)
    for style in ("input", "given", "value", "formula"):
        sheet.text(row, 0, sheet.words(f"style.{style}"), "plain", "" if style == "value" else style)
        sheet.text(row, 1, sheet.words(f"about.style.{style}"))
        row += 1
    row = sheet.section(row + 1, sheet.words("about.inputs"), 4)
    if not inputs.all_inputs:
        sheet.text(row, 0, sheet.words("about.no_inputs"))
    for place, one in enumerate(inputs.all_inputs, start=row):
        sheet.text(place, 0, one.name, "code")
        sheet.text(place, 1, one.meaning)
        sheet.formula(place, 2, one.name, one.value, one.style)


def _write_run(sheet: WorkSheet, row: int, told: ToldRun) -> int:
    provenance = told.run.summary["provenance"]
    facts = {
        "about.study": told.study.study.title,
        "about.seed": str(told.run.seed),
        "about.replications": sheet.words.whole(told.run.n_replications),
        **({"about.measured": str(told.run.sampling.measured)} if told.run.sampling.measured > 1 else {}),
        "about.currency": told.study.study.currency,
        "about.fingerprint": provenance["study_sha256"],
        "about.version": provenance["software"]["simengine"],
        "about.ranked": told.party,
    }
    for place, (key, text) in enumerate(facts.items(), start=row):
        sheet.text(place, 0, sheet.words(key))
        sheet.text(place, 1, text)
    return row + len(facts)


def _holds(sheet: WorkSheet, told: ToldRun, name: str) -> str:
    if name not in PLACES:
        return sheet.words(f"holds.{name}")
    shown = next(one for one in told.shown if one.place == name)
    return sheet.words("holds.replication", number=sheet.words.whole(shown.trace.replication))


def _folded(text: str) -> list[str]:
    """Break a text into lines as wide as the sheet."""
    return wrap(text, 120)


def begin_about(book: WorkbookFile) -> WorkSheet:
    """Add the first sheet before all others; it is written last, when the inputs have their places."""
    return book.sheet(book.words("sheet.about"))
