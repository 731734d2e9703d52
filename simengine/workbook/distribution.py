"""The sheet of the distribution: what each party is left with, then every statistic of the run with its standard error."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from simengine.config.roles import with_money
from simengine.records import ALL_LENDERS, ALL_PAYERS
from simengine.risk.frames import frame_row, numbers_in
from simengine.risk.statistics import LEVELS, Statistic
from simengine.workbook.book import WorkbookFile, WorkSheet, cell_reference, quoted
from simengine.workbook.by_date import FanCells
from simengine.workbook.charts import fan_chart, percentiles_of_net
from simengine.workbook.told import ToldRun

_BESIDE = ("p_loss", "var95", "cvar95")
_LEFT_OUT = ("assumptions", "refused", "sampling", "precision", "provenance", "diagnostics", "exceedance")
"""Parts of a summary that are no statistics of the study, or curves."""
_CHARTS_APART = 19
"""Rows from one chart to the next."""


def write_distribution(book: WorkbookFile, told: ToldRun) -> tuple[str, dict[str, str]]:
    """Write the sheet; return references to the heads of percentiles, and by party to its percentiles where all are given."""
    sheet = book.sheet(book.words("sheet.distribution"), (58, *(14 for _ in range(20))))
    first = sheet.title(book.words("distribution.title"), book.words("distribution.what")) + 1
    keys = ("mean", "sd", *LEVELS, *_BESIDE)
    heads = [one for key in keys for one in (book.words(key) if key not in LEVELS else key, book.words("se"))]
    sheet.head(first - 1, book.words("party"), *heads)
    row, rows = first, {}
    for name in (*with_money(told.study), ALL_LENDERS, ALL_PAYERS):
        section = _section_of(told.run.summary, name)
        if not section:
            continue
        sheet.text(row, 0, name)
        there = _write_party(sheet, row, section, keys)
        if there.keys() >= LEVELS.keys():
            rows[name] = (row, there)
        row += 1
    levels = _percentiles(sheet, row + 2, rows, keys)
    _write_all(sheet, row + 4 + len(rows) + 2, told.run.summary)
    return levels


def _section_of(summary: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the statistics of the net of a party: of who lends or pays from its own section, of others from that of who saves."""
    own = summary.get(name, {})
    net = own.get("net") or summary.get("public_value", {}).get(name, {}).get("net", {})
    beside = {key: own[key] for key in _BESIDE if key in own}
    below = summary.get("public_value", {}).get(name, {}).get("p_net_below_zero")
    return {**net, **({"p_loss": below} if below is not None else {}), **beside}


def _write_party(sheet: WorkSheet, row: int, section: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, float]:
    """Write the statistics of a party, and return the values that are given."""
    there = {}
    for place, key in enumerate(keys):
        statistic = section.get(key)
        if statistic is None or statistic["value"] is None:
            continue
        there[key] = statistic["value"]
        style = "number" if key == "p_loss" else "money"
        sheet.value(row, 1 + 2 * place, statistic["value"], style)
        known = statistic.get("covers", True) or "interval_95" in statistic
        sheet.value(row, 2 + 2 * place, statistic["se"] if known else None, style)
    return there


def _percentiles(
    sheet: WorkSheet, row: int, rows: Mapping[str, tuple[int, Mapping[str, float]]], keys: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """Write the percentiles side by side, as references to the table above, which a chart reads."""
    sheet.head(row, sheet.words("charts.level"), *LEVELS)
    found = {}
    for place, (name, (source, values)) in enumerate(rows.items(), start=row + 1):
        sheet.text(place, 0, name)
        for column, level in enumerate(LEVELS, start=1):
            sheet.formula(place, column, cell_reference(source, 1 + 2 * keys.index(level)), values[level])
        found[name] = f"{quoted(sheet.name)}!{cell_reference(place, 1)}:{cell_reference(place, len(LEVELS))}"
    return f"{quoted(sheet.name)}!{cell_reference(row, 1)}:{cell_reference(row, len(LEVELS))}", found


def _write_all(sheet: WorkSheet, row: int, summary: Mapping[str, Any]) -> None:
    """Write every statistic under its path in `summary.json`."""
    first = sheet.section(row, sheet.words("distribution.all")) + 1
    sheet.head(first - 1, *(sheet.words(word) for word in ("statistic", "value", "se", "low_95", "high_95", "covers")))
    told = {name: part for name, part in summary.items() if name not in _LEFT_OUT}
    statistics = ((path, one) for path, one in numbers_in(told) if isinstance(one, Statistic))
    for place, (path, one) in enumerate(statistics):
        value, se, low, high, covers = frame_row(one)
        sheet.text(first + place, 0, path)
        for column, number in enumerate((value, se, low, high), start=1):
            sheet.value(first + place, column, number if isfinite(number) else None)
        sheet.text(first + place, 5, sheet.words("yes" if covers else "no"), "right")


def write_charts(book: WorkbookFile, fans: Mapping[str, FanCells], levels: tuple[str, dict[str, str]]) -> None:
    """Write the sheet of charts: a fan for each name, then the percentiles of each party's net."""
    sheet = book.sheet(book.words("sheet.charts"))
    row = sheet.title(book.words("charts.title"))
    heads, rows = levels
    charts = [percentiles_of_net(book, heads, rows)] if rows else []
    charts += [fan_chart(book, name, cells.period, cells.by_level, cells.mean) for name, cells in fans.items()]
    for place, chart in enumerate(charts):
        sheet.place(row + _CHARTS_APART * (place // 2), 12 * (place % 2), chart)
