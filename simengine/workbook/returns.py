"""The formulas of what came back on money that was lent: shares, multiples, rates of return."""

from __future__ import annotations

from simengine.workbook.book import WorkSheet, cell_reference
from simengine.workbook.figures import Figures, MoneyReturned
from simengine.workbook.places import MonthCells, PostingCells
from simengine.workbook.present_values import PresentValues
from simengine.workbook.rates import Inputs

_COLUMNS = (
    *("who", "paid_in", "share_paid_in", "money_back", "share_money_back", "net", "moic", "irr", "xirr", "npv", "peak", "size"),
    *("share_drawn", "status", "guess"),
)
_PLACE = {name: column for column, name in enumerate(_COLUMNS)}


def write_returns(
    sheet: WorkSheet,
    row: int,
    figures: Figures,
    inputs: Inputs,
    months: MonthCells,
    posted: PostingCells,
    npv: PresentValues,
) -> None:
    """Write the returns of tranches, lenders and all lenders from a row on."""
    if not figures.returns:
        sheet.section(row, sheet.words("replication.returns"))
        sheet.text(row + 1, 0, sheet.words("replication.nothing"))
        return
    first = sheet.section(row, sheet.words("replication.returns"), len(_COLUMNS)) + 1
    sheet.head(first - 1, *(sheet.words(word) for word in _COLUMNS))
    rows = {one.name: first + place for place, one in enumerate(figures.returns)}
    for one in figures.returns:
        _Row(sheet, rows, figures, one).write(inputs, months, posted, npv)


class _Row:
    """Writes one row."""

    def __init__(self, sheet: WorkSheet, rows: dict[str, int], figures: Figures, one: MoneyReturned) -> None:
        self._sheet, self._rows, self._figures, self._one, self._at = sheet, rows, figures, one, rows[one.name]
        self._none = sheet.words("none")

    def write(self, inputs: Inputs, months: MonthCells, posted: PostingCells, npv: PresentValues) -> None:
        one, figures = self._one, self._figures
        cash = months.cash[one.name]
        in_all = sum(other.paid_in for other in figures.returns if other.name in figures.tranches)
        back_in_all = sum(other.money_back for other in figures.returns if other.name in figures.tranches)
        self._sheet.text(self._at, 0, figures.labels[one.name])
        self._put("paid_in", self._paid_in(posted), one.paid_in)
        self._put("share_paid_in", *self._share("paid_in", one.paid_in, in_all), "rate")
        self._put("money_back", f"{self._cell('net')}+{self._cell('paid_in')}", one.money_back)
        self._put("share_money_back", *self._share("money_back", one.money_back, back_in_all), "rate")
        self._put("net", f"SUM({cash.here})", figures.total(one.name))
        multiple = f'IF({self._cell("paid_in")}>0,{self._cell("money_back")}/{self._cell("paid_in")},"{self._none}")'
        self._put("moic", multiple, self._none if one.moic is None else one.moic, "number")
        self._sheet.text(self._at, _PLACE["status"], self._sheet.words(f"status.{one.status}"), "right")
        self._sheet.value(self._at, _PLACE["guess"], one.guess, "number")
        self._put("irr", self._irr(cash.here), self._none if one.irr is None else one.irr, "rate")
        if one.by_days is None:
            self._put("xirr", f'"{self._none}"', self._none, "rate")
        else:
            # From the first month with cash on: some programs refuse a row that begins with 0.
            of_cash, dates = (
                f"{cells.at(one.first_month)}:{cell_reference(cells.last, cells.column)}" for cells in (cash, months.date)
            )
            self._put("xirr", f"XIRR({of_cash},{dates},{self._cell('irr')})", one.by_days, "rate")
        parts = "+".join(cell_reference(self._rows[part], _PLACE["npv"]) for part in one.tranches)
        self._put("npv", npv.of_cash(one.name, one.party) if one.name in figures.tranches else parts, one.npv)
        self._put("peak", f"MAX(0,-MIN({months.cumulative[one.name].here}))", one.peak)
        size = sum(inputs.size[part.removeprefix("tranche.")].value for part in one.tranches)
        self._put("size", "+".join(inputs.size[part.removeprefix("tranche.")].name for part in one.tranches), size)
        share = f'IF({self._cell("size")}=0,"{self._none}",{self._cell("paid_in")}/{self._cell("size")})'
        self._put("share_drawn", share, one.paid_in / size if size else self._none, "rate")

    def _cell(self, name: str) -> str:
        return cell_reference(self._at, _PLACE[name])

    def _put(self, name: str, formula: str, value: float | str, style: str = "money") -> None:
        self._sheet.formula(self._at, _PLACE[name], formula, value, style)

    def _paid_in(self, posted: PostingCells) -> str:
        """Return the formula of the money paid in: the draws of a tranche, or the sum of some."""
        one = self._one
        if one.name in self._figures.tranches:
            line = f"draw.{one.name.removeprefix('tranche.')}"
            return (
                f'SUMIFS({posted.amount.here},{posted.from_account.here},{cell_reference(self._at, 0)},{posted.line.here},"{line}")'
            )
        return "+".join(cell_reference(self._rows[part], _PLACE["paid_in"]) for part in one.tranches)

    def _share(self, name: str, amount: float, in_all: float) -> tuple[str, float | str]:
        """Return the formula of the share of an amount in that of all tranches, and its value."""
        last = self._rows[self._figures.returns[0].name] + len(self._figures.tranches) - 1
        column = _PLACE[name]
        total = f"SUM({cell_reference(self._rows[self._figures.tranches[0]], column)}:{cell_reference(last, column)})"
        return f'IF({total}=0,"{self._none}",{self._cell(name)}/{total})', self._none if in_all == 0 else amount / in_all

    def _irr(self, cash: str) -> str:
        status = self._cell("status")
        found = f"(1+IRR({cash},{self._cell('guess')}))^12-1"
        said = {word: self._sheet.words(f"status.{word}") for word in ("found", "total_loss")}
        return f'IF({status}="{said["found"]}",{found},IF({status}="{said["total_loss"]}",-1,"{self._none}"))'
