"""Terms that depend on the date: an amount that follows an index, and wording that changes in mid-life."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.base import Term
from simengine.distributions import Name
from simengine.errors import Finding, one_of
from simengine.records import FORMULA

if TYPE_CHECKING:
    from simengine.contract.spec import Contract
    from simengine.contract.terms import Source


class Indexed(Term):
    """A term that grows from the start at a rate per year: `indexed x (1 + rate_per_year)^years`."""

    key: ClassVar[str] = "indexed"
    looks_at_calendar: ClassVar[bool] = True
    accrues: ClassVar[bool] = True
    indexed: Source
    """Pays `indexed x (1 + rate_per_year)^years` since the start."""
    rate_per_year: Source
    """A number, or a metric such as the change of a price index."""

    def formula(self, scope: Scope) -> Register:
        """Compile `indexed x (1 + rate_per_year)^years`."""
        code = scope.code
        growth = code.add(code.constant(1.0), scope.value(self.rate_per_year))
        return code.multiply(scope.value(self.indexed), code.power(growth, scope.month / 12))


class Amended(Term):
    """An amendment: by date, the term that holds from then on; before the first of them nothing is paid."""

    key: ClassVar[str] = "in_force_from"
    looks_at_calendar: ClassVar[bool] = True
    pays_one_of_several: ClassVar[bool] = True
    in_force_from: Annotated[dict[Name, Source], Field(min_length=1)]
    """By date: the value that applies from then on: an amendment, or the latest of several metrics; before the first of them
    nothing is paid."""

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find dates that there are not."""
        for date in self.in_force_from:
            if date not in contract.calendar:
                way_out = one_of(contract.calendar) or "The contract has no `dates`"
                yield self.key, "must be a date of the contract", f"`{date}`", way_out

    def formula(self, scope: Scope) -> Register:
        """Compile the term with the latest date that has come."""
        date = self._latest(scope)
        return scope.code.constant(0.0) if date is None else scope.value(self.in_force_from[date])

    def inner_bound(self, scope: Scope) -> Register:
        """Compile the limit of what is in force."""
        date = self._latest(scope)
        if date is None:
            return scope.code.constant(float(FORMULA))
        return scope.bound(self.in_force_from[date], f"{self.key}.{date}")

    def _latest(self, scope: Scope) -> str | None:
        come = {date: scope.contract.month_of(date) for date in self.in_force_from if scope.contract.month_of(date) <= scope.month}
        return max(come, key=come.__getitem__) if come else None
