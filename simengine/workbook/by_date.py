"""The sheets of the cash by date: the mean of each month with its present value and rate of return, and percentiles by period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.config.roles import with_money
from simengine.questions.cash.periods import date_of
from simengine.records import ALL_LENDERS, PROJECT, SUPPLIERS, Floats
from simengine.risk.returns import STATUSES, present_values, rates_of_return
from simengine.risk.statistics import LEVELS
from simengine.workbook.book import SheetCells, WorkbookFile, WorkSheet, cell_reference
from simengine.workbook.rates import Factors, is_real
from simengine.workbook.told import ToldRun, factors_of


@dataclass(frozen=True)
class FanCells:
    """Where the cumulative cash of a name stands by period."""

    period: SheetCells
    mean: SheetCells
    by_level: Mapping[str, SheetCells]


def write_expected(book: WorkbookFile, told: ToldRun, factors: Factors) -> None:
    """Write the mean cash of each month by name, and what follows from it."""
    names, start = list(told.cash.cash), told.study.study.start
    sheet = book.sheet(book.words("sheet.expected"), (24, 10, *(15 for _ in range(2 * len(names)))))
    row = sheet.title(book.words("expected.title"), book.words("expected.what"))
    top = row + 1
    first = top + 7
    means = {name: np.array([one.cash["mean"].value for one in told.cash.by_period("month", [name])[name]]) for name in names}
    n_months = told.cash.flows.n_months
    last = first + n_months - 1
    cash = {name: SheetCells(sheet.name, 2 + place, first, last) for place, name in enumerate(names)}
    cumulative = {name: SheetCells(sheet.name, 2 + len(names) + place, first, last) for place, name in enumerate(names)}
    sheet.head(row, "", "", *names, right=range(99))
    heads = (book.words("replication.cumulative", name=name) for name in names)
    sheet.head(first - 1, book.words("month"), book.words("date"), *names, *heads, right=range(2, 99))
    for month in range(n_months):
        sheet.value(first + month, 0, month, "whole")
        sheet.month(first + month, 1, date_of(start, month))
    for name in names:
        so_far = np.cumsum(means[name])
        for month in range(n_months):
            at = first + month
            sheet.value(at, cash[name].column, float(means[name][month]), "money")
            before = f"{cell_reference(at - 1, cumulative[name].column)}+" if month else ""
            sheet.formula(at, cumulative[name].column, before + cell_reference(at, cash[name].column), float(so_far[month]))
    _below_means(sheet, top, told, factors, means, cash, cumulative)
    sheet.freeze(first, 2)


def _below_means(
    sheet: WorkSheet,
    row: int,
    told: ToldRun,
    factors: Factors,
    means: Mapping[str, Floats],
    cash: Mapping[str, SheetCells],
    cumulative: Mapping[str, SheetCells],
) -> None:
    """Write the total, the present value, the peak need and the rate of return of the mean cash, from a row on."""
    for place, word in enumerate(("total", "npv", "peak", "guess", "irr_of_mean")):
        sheet.text(row + place, 0, sheet.words(word))
    for name, mean in means.items():
        column = cash[name].column
        sheet.formula(row, column, f"SUM({cash[name].here})", float(mean.sum()))
        party = _discounted_by(told, name)
        if party:
            factor = factors.by_month[party].head(len(mean)).from_elsewhere
            value = float(present_values(mean[None], factors_of(told.shown[0], party)[None, : len(mean)])[0])
            sheet.formula(row + 1, column, f"SUMPRODUCT({cash[name].here},{factor})", value)
        lowest = max(0.0, -float(np.cumsum(mean).min()))
        sheet.formula(row + 2, column, f"MAX(0,-MIN({cumulative[name].here}))", lowest)
        found = rates_of_return(mean[None])
        if _lends(told, name) and STATUSES[int(found.status[0])] == "found":
            rate = float(found.rate[0])
            sheet.value(row + 3, column, round((1 + rate) ** (1 / 12) - 1, 4))
            sheet.formula(row + 4, column, f"(1+IRR({cash[name].here},{cell_reference(row + 3, column)}))^12-1", rate, "rate")


def _discounted_by(told: ToldRun, name: str) -> str:
    """Return at whose rate the mean cash of a name is discounted; empty where no single factor of a month does it."""
    if name.startswith("tranche."):
        name = told.study.capital.tranches[name.removeprefix("tranche.")].holder
    name = name.removesuffix(".loans")
    return name if name in with_money(told.study) and not is_real(told, name) else ""


def _lends(told: ToldRun, name: str) -> bool:
    return name in told.lenders or name == ALL_LENDERS or name.startswith("tranche.") or name.endswith(".loans")


def write_percentiles(book: WorkbookFile, told: ToldRun) -> dict[str, FanCells]:
    """Write mean and percentiles of the cash of each name by period, and return where the cumulative ones stand."""
    sheet = book.sheet(book.words("sheet.percentiles"), (22, 11, 10, 10, *(14 for _ in range(14))))
    first = sheet.title(book.words("percentiles.title"), book.words("percentiles.what")) + 1
    levels = [book.words("mean"), book.words("se"), *LEVELS]
    heads = [book.words("cumulative_mean"), book.words("se"), *(book.words("cumulative", level=level) for level in LEVELS)]
    sheet.head(first - 1, *(book.words(one) for one in ("name", "period", "first", "last")), *levels, *heads, right=range(4, 99))
    row, fans = first, {}
    for name, party in told.cash.parties.items():
        begin = row
        for one in party.by_date:
            sheet.text(row, 0, name)
            sheet.text(row, 1, one.period.name)
            sheet.month(row, 2, one.period.first)
            sheet.month(row, 3, one.period.last)
            for column, key in enumerate(("mean", "se", *LEVELS), start=4):
                for shift, summary in ((0, one.cash), (2 + len(LEVELS), one.cumulative)):
                    statistic = summary.get("mean" if key == "se" else key)
                    if statistic is None:
                        continue
                    value = statistic.se if key == "se" else statistic.value
                    if shift and key == "mean":
                        before = f"{cell_reference(row - 1, column + shift)}+" if row > begin else ""
                        sheet.formula(row, column + shift, before + cell_reference(row, column), value)
                    else:
                        sheet.value(row, column + shift, value, "money")
            row += 1
        if name not in (PROJECT, SUPPLIERS):
            fans[name] = _fan(sheet, begin, row - 1, told, name)
    sheet.freeze(first, 2)
    return fans


def _fan(sheet: WorkSheet, first: int, last: int, told: ToldRun, name: str) -> FanCells:
    """Return where a fan stands, with the levels that every period has."""
    mean = 4 + 2 + len(LEVELS)
    periods = told.cash.parties[name].by_date
    there = [(place, level) for place, level in enumerate(LEVELS) if all(level in one.cumulative for one in periods)]
    by_level = {level: SheetCells(sheet.name, mean + 2 + place, first, last) for place, level in there}
    return FanCells(SheetCells(sheet.name, 1, first, last), SheetCells(sheet.name, mean, first, last), by_level)
