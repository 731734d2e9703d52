"""Prices by volume: the next unit may cost less than the first (a learning curve), or more (an accelerator)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.base import Edge, Factor, Term, TermLevel
from simengine.distributions import Spec

if TYPE_CHECKING:
    from simengine.contract.terms import Source


class VolumeBand(Spec):
    """The price of the units beyond a volume, until the next tranche begins."""

    beyond: TermLevel
    """The volume beyond which it begins; the next one ends it."""
    price: Factor
    """Its price for each unit."""


class VolumePrices(Term):
    """Each unit at the price of the tranche it falls into: `sum of price x units within the tranche`."""

    key: ClassVar[str] = "prices"
    looks_at: ClassVar[str] = "per"
    prices: Annotated[tuple[VolumeBand, ...], Field(min_length=1, strict=False)]
    """Each unit of `per` at the price of the tranche it falls into."""
    per: Source
    """The units that count."""

    @model_validator(mode="after")
    def _in_order(self) -> VolumePrices:
        starts = [tranche.beyond.value for tranche in self.prices]
        if any(one >= other for one, other in pairwise(starts)):
            raise ValueError(
                f"tranches must stand in order, one beyond the other; found {', '.join(f'{start:g}' for start in starts)}"
            )
        return self

    def edges(self) -> tuple[Edge, ...]:
        """List where each tranche begins."""
        return tuple(Edge(f"prices.{number}.beyond", one.beyond.value, "from") for number, one in enumerate(self.prices))

    def formula(self, scope: Scope) -> Register:
        """Compile `sum of price x min(max(per - beyond, 0), next beyond - beyond)`."""
        code, units, parts = scope.code, scope.value(self.per), []
        for tranche, following in zip(self.prices, (*self.prices[1:], None), strict=True):
            inside = code.greatest(code.subtract(units, code.constant(tranche.beyond.value)), code.constant(0.0))
            if following is not None:
                inside = code.least(inside, code.constant(following.beyond.value - tranche.beyond.value))
            parts.append(code.multiply(code.constant(tranche.price.value), inside))
        return code.add(*parts)
