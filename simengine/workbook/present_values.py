"""The formulas of present values in one replication."""

from __future__ import annotations

from dataclasses import dataclass

from simengine.workbook.book import SheetCells
from simengine.workbook.places import MonthCells, ValueCells
from simengine.workbook.rates import Factors, is_real
from simengine.workbook.told import ToldRun


@dataclass(frozen=True)
class PresentValues:
    """Formulas on the cash and the public value of one replication."""

    told: ToldRun
    factors: Factors
    months: MonthCells
    value: ValueCells

    def of_cash(self, name: str, party: str) -> str:
        """Return the formula of the present value of the cash of a name, at the rate of a party."""
        cash = self.months.cash[name]
        factor = self.factors.by_month[party].head(cash.last - cash.first + 1)
        return f"SUMPRODUCT({cash.here},{factor.from_elsewhere}{self._real(party, self.months.price_level)})"

    def of_party(self, party: str) -> str:
        """Return the formula of the net present value of a party: its cash and its public value."""
        if party not in self.value.value:
            return self.of_cash(party, party)
        value = self.value.value[party]
        factor = self.factors.in_mid_year[party].head(value.last - value.first + 1)
        real = self._real(party, self.value.price_level)
        return f"{self.of_cash(party, party)}+SUMPRODUCT({value.here},{factor.from_elsewhere}{real})"

    def undiscounted_value(self, party: str) -> str:
        """Return the formula of the public value of a party over all years."""
        return f"SUM({self.value.value[party].here})" if party in self.value.value else "0"

    def _real(self, party: str, price_level: SheetCells | None) -> str:
        return f",{price_level.here}" if price_level is not None and is_real(self.told, party) else ""
