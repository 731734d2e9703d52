"""The sheet of one replication: its postings as values, and formulas from the cash of a month to the rates of return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simengine.questions.cash.periods import date_of
from simengine.workbook.book import SheetCells, WorkbookFile, WorkSheet, cell_reference
from simengine.workbook.charts import lines_over_months
from simengine.workbook.figures import Figures, figures_of
from simengine.workbook.places import MonthCells, PartPlaces, PostingCells, ValueCells
from simengine.workbook.present_values import PresentValues
from simengine.workbook.rates import Factors, Inputs
from simengine.workbook.returns import write_returns
from simengine.workbook.told import ShownReplication, ToldRun

_WIDE = 15
"""Characters of a column of money."""
_CHART_COLUMN = 8
"""Right of the parts that are narrow."""


def write_replication(book: WorkbookFile, told: ToldRun, shown: ShownReplication, inputs: Inputs, factors: Factors) -> None:
    """Write the sheet of one replication."""
    figures = figures_of(told, shown)
    sheet = book.sheet(book.words(f"sheet.{shown.place}"), (26, 24, *(_WIDE for _ in range(2 * len(figures.cash) + 2))))
    number, trace = book.words.whole(shown.trace.replication), shown.trace
    if told.run.sampling.measured > 1:
        number = book.words("replication.measurement", number=number, measurement=trace.measurement)
    first = sheet.title(
        book.words(f"replication.title.{shown.place}", party=told.party, number=number),
        book.words("replication.again", seed=trace.seed),
        _command(told, shown),
    )
    at = _places(first, figures, trace)
    posted = _postings(sheet, at.postings, told, figures)
    months = _cash(sheet, at.cash, told, figures, posted)
    value = _public_value(sheet, at.value, told, figures, shown)
    npv = PresentValues(told, factors, months, value)
    _left(sheet, at.left, told, figures, months, npv, inputs)
    write_returns(sheet, at.returns, figures, inputs, months, posted, npv)
    _metrics(sheet, at.metrics, trace.metrics)
    _payments(sheet, at.payments, at.by_term, trace.payments, figures)
    _drawn(sheet, at.drawn, trace.drawn)
    chart = lines_over_months(book, months.date, {name: months.cumulative[name] for name in figures.of_interest})
    sheet.place(at.metrics, _CHART_COLUMN, chart)


def _command(told: ToldRun, shown: ShownReplication) -> str:
    more = f" --measurement {shown.trace.measurement}" if told.run.sampling.measured > 1 else ""
    return f"simengine trace {told.run.folder.name} --replication {shown.trace.replication}{more}"


def _places(first: int, figures: Figures, trace: Any) -> PartPlaces:
    """Lay the parts out one below the other: each has a title, a head, its rows, and an empty row."""
    frame = 3
    left = first
    returns = left + frame + len(figures.parties) + 1
    metrics = returns + frame + len(figures.returns)
    payments = metrics + frame + len(trace.metrics)
    by_term = payments + frame + len(trace.payments)
    value = by_term + frame + len({row["term"] for row in trace.payments})
    cash = value + frame + figures.n_years
    postings = cash + frame + figures.n_months
    drawn = postings + frame + max(len(figures.postings), 1)
    return PartPlaces(left, returns, metrics, payments, by_term, value, cash, postings, drawn)


def _postings(sheet: WorkSheet, row: int, told: ToldRun, figures: Figures) -> PostingCells:
    first = sheet.section(row, sheet.words("replication.postings")) + 1
    words = ("month", "date", "line", "from_account", "to_account", "from_party", "to_party", "amount")
    sheet.head(first - 1, *(sheet.words(word) for word in words), right=range(7, 99))
    for place, posting in enumerate(figures.postings):
        at = first + place
        sheet.value(at, 0, posting.month, "whole")
        sheet.month(at, 1, date_of(told.study.study.start, posting.month))
        texts = (posting.line, posting.from_account, posting.to_account, posting.from_party, posting.to_party)
        for column, text in enumerate(texts, start=2):
            sheet.text(at, column, text)
        sheet.value(at, 7, posting.amount, "money")
    last = first + max(len(figures.postings), 1) - 1
    return PostingCells(*(SheetCells(sheet.name, column, first, last) for column in (0, 2, 3, 4, 5, 6, 7)))


def _cash(sheet: WorkSheet, row: int, told: ToldRun, figures: Figures, posted: PostingCells) -> MonthCells:
    first, names = sheet.section(row, sheet.words("replication.cash"), 4 + 2 * len(figures.cash)) + 1, list(figures.cash)
    real = figures.price_level is not None
    shift, last = 2 + real, first + figures.n_months - 1
    cash = {name: SheetCells(sheet.name, shift + place, first, last) for place, name in enumerate(names)}
    check = SheetCells(sheet.name, shift + len(names), first, last)
    cumulative = {name: SheetCells(sheet.name, check.column + 1 + place, first, last) for place, name in enumerate(names)}
    sheet.head(
        first - 1, sheet.words("month"), sheet.words("date"), *([sheet.words("price_level")] if real else []), right=range(2, 99)
    )
    sheet.head(first - 1, *(figures.labels[name] for name in names), sheet.words("sum_of_parties"), column=shift, right=range(99))
    heads = (sheet.words("replication.cumulative", name=figures.labels[name]) for name in names)
    sheet.head(first - 1, *heads, column=check.column + 1, right=range(99))
    for month in range(figures.n_months):
        sheet.value(first + month, 0, month, "whole")
        sheet.month(first + month, 1, date_of(told.study.study.start, month))
        if figures.price_level is not None:
            sheet.value(first + month, 2, figures.price_level[month], "factor")
    for name in names:
        so_far = 0.0
        for month, amount in enumerate(figures.cash[name]):
            at = first + month
            formula = _of_month(name, figures, cash, posted, at, cell_reference(first - 1, cash[name].column))
            sheet.formula(at, cash[name].column, formula, amount)
            so_far = figures.cumulative[name][month]
            before = f"{cell_reference(at - 1, cumulative[name].column)}+" if month else ""
            sheet.formula(at, cumulative[name].column, f"{before}{cell_reference(at, cash[name].column)}", so_far)
    for month in range(figures.n_months):
        parts = "+".join(cell_reference(first + month, cash[name].column) for name in figures.parties)
        sheet.formula(first + month, check.column, f"ROUND({parts},{figures.decimals})", 0.0)
    price_level = SheetCells(sheet.name, 2, first, last) if real else None
    return MonthCells(cash, cumulative, SheetCells(sheet.name, 1, first, last), price_level)


def _of_month(name: str, figures: Figures, cash: Mapping[str, SheetCells], posted: PostingCells, row: int, head: str) -> str:
    """Return the formula of the cash of a name in the month of a row."""
    if name in figures.sums:
        return "+".join(cell_reference(row, cash[part].column) for part in figures.sums[name])
    by_account = name in figures.tranches
    to, from_ = (posted.to_account, posted.from_account) if by_account else (posted.to_party, posted.from_party)
    month = f"{posted.month.here},{cell_reference(row, 0)}"
    return f"SUMIFS({posted.amount.here},{month},{to.here},{head})-SUMIFS({posted.amount.here},{month},{from_.here},{head})"


def _public_value(sheet: WorkSheet, row: int, told: ToldRun, figures: Figures, shown: ShownReplication) -> ValueCells:
    """Write the public value by year."""
    first, names = sheet.section(row, sheet.words("replication.value")) + 1, list(figures.value)
    real = figures.price_level is not None
    shift, last = 2 + real, first + figures.n_years - 1
    sheet.head(
        first - 1,
        sheet.words("year"),
        sheet.words("date"),
        *([sheet.words("price_level")] if real else []),
        *names,
        right=range(2, 99),
    )
    for year in range(figures.n_years):
        sheet.value(first + year, 0, year + 1, "whole")
        sheet.month(first + year, 1, date_of(told.study.study.start, 12 * year + 6))
        if shown.basis.deflators is not None and real:
            sheet.value(first + year, 2, float(shown.basis.deflators[0, 12 * year + 6]), "factor")
        for place, name in enumerate(names):
            sheet.value(first + year, shift + place, figures.value[name][year], "money")
    cells = {name: SheetCells(sheet.name, shift + place, first, last) for place, name in enumerate(names)}
    return ValueCells(cells, SheetCells(sheet.name, 2, first, last) if real else None)


def _left(
    sheet: WorkSheet, row: int, told: ToldRun, figures: Figures, months: MonthCells, npv: PresentValues, inputs: Inputs
) -> None:
    first = sheet.section(row, sheet.words("replication.left")) + 1
    sheet.head(
        first - 1,
        *(sheet.words(word) for word in ("party", "name", "cash", "value", "net", "rate", "npv", "peak")),
        right=range(2, 99),
    )
    for place, name in enumerate(figures.parties):
        at, own = first + place, told.study.parties.get(name)
        sheet.text(at, 0, figures.labels[name])
        sheet.text(at, 1, own.name if own else "")
        sheet.formula(at, 2, f"SUM({months.cash[name].here})", figures.total(name))
        if own is not None and name in figures.net:
            years = figures.value.get(name)
            sheet.formula(at, 3, npv.undiscounted_value(name), 0.0 if years is None else sum(years))
            sheet.formula(at, 4, f"{cell_reference(at, 2)}+{cell_reference(at, 3)}", figures.net[name])
            if name in inputs.rate:
                sheet.formula(at, 5, inputs.rate[name].name, inputs.rate[name].value, "rate")
            else:
                sheet.text(at, 5, sheet.words("by_table"), "right")
            sheet.formula(at, 6, npv.of_party(name), figures.npv[name])
        sheet.formula(at, 7, f"MAX(0,-MIN({months.cumulative[name].here}))", figures.peak[name])
    at = first + len(figures.parties)
    sheet.text(at, 0, sheet.words("sum_of_parties"))
    sheet.formula(at, 2, f"ROUND(SUM({cell_reference(first, 2)}:{cell_reference(at - 1, 2)}),{figures.decimals})", 0.0)


def _metrics(sheet: WorkSheet, row: int, metrics: Sequence[Mapping[str, Any]]) -> None:
    first = sheet.section(row, sheet.words("replication.metrics")) + 1
    sheet.head(first - 1, *(sheet.words(word) for word in ("metric", "estimate", "standard_error", "truth")))
    for place, one in enumerate(metrics):
        sheet.text(first + place, 0, one["metric"])
        for column, key in enumerate(("estimate", "standard_error", "truth"), start=1):
            sheet.value(first + place, column, one[key])


def _payments(sheet: WorkSheet, row: int, row_by_term: int, payments: Sequence[Mapping[str, Any]], figures: Figures) -> None:
    first = sheet.section(row, sheet.words("replication.payments")) + 1
    sheet.head(
        first - 1, *(sheet.words(word) for word in ("term", "date", "payer", "payee", "bound", "amount")), right=range(5, 99)
    )
    for place, one in enumerate(payments):
        bound = sheet.words.or_as_it_stands("bound", one["bound"])
        for column, text in enumerate((*(one[key] for key in ("term", "date", "payer", "payee")), bound)):
            sheet.text(first + place, column, text)
        sheet.value(first + place, 5, one["amount"], "money")
    below = sheet.section(row_by_term, sheet.words("replication.by_term")) + 1
    sheet.head(below - 1, sheet.words("term"), sheet.words("amount"))
    for place, term in enumerate(dict.fromkeys(one["term"] for one in payments)):
        # Rows of one term stand together.
        mine = [number for number, one in enumerate(payments) if one["term"] == term]
        amounts = SheetCells(sheet.name, 5, first + mine[0], first + mine[-1])
        sheet.text(below + place, 0, term)
        sheet.formula(below + place, 1, f"SUM({amounts.here})", figures.owed[term])


def _drawn(sheet: WorkSheet, row: int, drawn: Mapping[str, float]) -> None:
    first = sheet.section(row, sheet.words("replication.drawn")) + 1
    sheet.head(first - 1, sheet.words("path"), "", sheet.words("value"), right=range(2, 99))
    for place, (path, value) in enumerate(drawn.items()):
        sheet.text(first + place, 0, path)
        sheet.value(first + place, 2, value)
