"""The inputs of the formulas on the sheet of terms, and the discount factors that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simengine.capital.discount import discount_factors
from simengine.config.roles import with_money
from simengine.questions.cash.periods import date_of
from simengine.workbook.book import SheetCells, WorkbookFile, WorkSheet
from simengine.workbook.told import ToldRun


@dataclass(frozen=True)
class Input:
    """A cell that formulas use."""

    name: str
    """By which formulas call it."""
    meaning: str
    value: float
    style: str
    sheet: str
    row: int
    column: int


@dataclass(frozen=True)
class RateCells:
    """Where the rates of a table stand: its years beside its rates."""

    years: SheetCells
    rates: SheetCells


@dataclass(frozen=True)
class Inputs:
    """The inputs, and where they stand."""

    rate: Mapping[str, Input]
    """By party: its rate per year, where it has one of its own."""
    size: Mapping[str, Input]
    """By tranche: its size."""
    tables: Mapping[str, RateCells]
    """By table of rates."""
    all_inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Factors:
    """Where the discount factors stand."""

    by_month: Mapping[str, SheetCells]
    """By party: month 0 first."""
    in_mid_year: Mapping[str, SheetCells]
    """By party: the factor of the middle of each year."""


def write_inputs(book: WorkbookFile, sheet: WorkSheet, row: int, told: ToldRun) -> tuple[int, Inputs]:
    """Write the inputs from a row on, and return the row below them."""
    study, found = told.study, list[Input]()

    def put(name: str, meaning: str, value: float, style: str) -> Input:
        at = row + len(found)
        sheet.text(at, 0, meaning)
        sheet.value(at, 1, value, style, "input")
        one = Input(book.named(name, sheet.name, at, 1), meaning, value, style, sheet.name, at, 1)
        sheet.text(at, 2, one.name, "code")
        found.append(one)
        return one

    parties = [(name, study.parties[name]) for name in with_money(study)]
    rate = {
        name: put(f"rate_{name}", book.words("terms.rate", party=name), party.discount_rate_per_year.value, "rate")
        for name, party in parties
        if party.discount_rate_per_year is not None
    }
    size = {}
    if told.lenders:
        for name, tranche in study.capital.all_tranches(study.contract.commitment.value).items():
            assert tranche.size != "rest"
            size[name] = put(f"size_{name}", book.words("terms.size", tranche=name), tranche.size.value, "money")
    tables = {}
    for table in dict.fromkeys(str(party.discounting) for _, party in parties if party.discount_rate_per_year is None):
        steps = study.rates[table].from_year or study.rates[table].from_calendar_year
        of_study, first = bool(study.rates[table].from_year), row + len(found)
        for year in sorted(steps):
            said = book.words("terms.year_of_study", year=year) if of_study else str(year)
            meaning = book.words("terms.rate_of_table", table=table, year=said)
            one = put(f"rate_{table}_{year}", meaning, steps[year].value, "rate")
            sheet.value(one.row, 3, year, "whole")
        last = row + len(found) - 1
        tables[table] = RateCells(SheetCells(sheet.name, 3, first, last), SheetCells(sheet.name, 1, first, last))
    return row + len(found), Inputs(rate, size, tables, tuple(found))


def write_discounting(book: WorkbookFile, told: ToldRun, inputs: Inputs) -> Factors:
    """Write the sheet of discount factors."""
    study = told.study
    parties = with_money(study)
    real = [book.words("discounting.real", party=name) for name in parties if is_real(told, name)]
    sheet = book.sheet(book.words("sheet.discounting"), (9, 10, 11, 11, *(13.0 for _ in parties)))
    first = sheet.title(book.words("discounting.title"), book.words("discounting.what"), *real) + 1
    n_years = max(shown.public_value.value.shape[2] for shown in told.shown)
    n_months = max(told.cash.flows.n_months, 12 * n_years)
    sheet.head(
        first - 1, *(book.words(one) for one in ("month", "date", "year_of_study", "calendar_year")), *parties, right=range(2, 99)
    )
    last = first + n_months - 1
    by_month = {name: SheetCells(sheet.name, 4 + place, first, last) for place, name in enumerate(parties)}
    start = study.study.start
    for month in range(n_months):
        row, date = first + month, date_of(start, month)
        sheet.value(row, 0, month, "whole")
        sheet.month(row, 1, date)
        sheet.value(row, 2, month // 12 + 1, "whole")
        sheet.value(row, 3, int(date[:4]), "whole")
    for name, cells in by_month.items():
        own = study.parties[name].discount_rate_per_year
        values = discount_factors(own.value if own else study.rates[str(study.parties[name].discounting)], start, n_months)
        for month in range(n_months):
            sheet.formula(cells.first + month, cells.column, _factor(told, inputs, name, cells, month), values[month], "factor")
    below = sheet.section(last + 2, book.words("discounting.middle"), 4 + len(parties))
    mid = {name: SheetCells(sheet.name, one.column, below, below + n_years - 1) for name, one in by_month.items()}
    for year in range(n_years):
        sheet.value(below + year, 0, 12 * year + 6, "whole")
        sheet.month(below + year, 1, date_of(start, 12 * year + 6))
        sheet.value(below + year, 2, year + 1, "whole")
    for name, cells in mid.items():
        own = study.parties[name].discount_rate_per_year
        values = discount_factors(own.value if own else study.rates[str(study.parties[name].discounting)], start, n_months)
        for year in range(n_years):
            sheet.formula(cells.first + year, cells.column, by_month[name].at(12 * year + 6), values[12 * year + 6], "factor")
    sheet.freeze(first, 2)
    return Factors(by_month, mid)


def _factor(told: ToldRun, inputs: Inputs, party: str, cells: SheetCells, month: int) -> str:
    """Return the formula of a discount factor."""
    row = cells.first + month
    if party in inputs.rate:
        return f"(1+{inputs.rate[party].name})^(-{SheetCells(cells.sheet, 0, row, row).at(0)}/12)"
    if month == 0:
        return "1"
    name = str(told.study.parties[party].discounting)
    table, counts_years = inputs.tables[name], bool(told.study.rates[name].from_year)
    # The rate that acts from the month before; before the first year of a table its first rate does.
    year = SheetCells(cells.sheet, 2 if counts_years else 3, row - 1, row - 1).at(0)
    years, rates = table.years.from_elsewhere, table.rates.from_elsewhere
    return f"{cells.at(month - 1)}*(1+LOOKUP(MAX({year},MIN({years})),{years},{rates}))^(-1/12)"


def is_real(told: ToldRun, party: str) -> bool:
    """Whether the rate of a party is for money in the prices of the start."""
    own = told.study.parties[party]
    if own.discount_rate_per_year is not None or told.study.prices is None:
        return False
    return told.study.rates[str(own.discounting)].real
