"""Terms of one level: a fixed amount, a share, a price per unit, a part of a full amount in proportion to a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, model_validator

from simengine.contract.program import Register
from simengine.contract.scope import DRAWN, Scope
from simengine.contract.terms.base import Currency, Edge, Factor, FixedLevel, Named, Term, TermLevel
from simengine.distributions import Constant, Fixed, within
from simengine.distributions.spans import Span

if TYPE_CHECKING:
    from simengine.contract.terms import Source

_Positive = Annotated[Fixed, AfterValidator(within(1e-12, 1e15, "a target must lie between 1e-12 and 1e15"))]


class FixedAmount(Term):
    """A fixed sum of money, or a level of a metric; it may be written as a bare number, or as `{value: ...}` with its source."""

    key: ClassVar[str] = "amount"
    amount: Currency
    """A fixed sum; a bare number means the same."""

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_number(cls, raw: Any) -> Any:
        is_number = (isinstance(raw, int | float) and not isinstance(raw, bool)) or isinstance(raw, Constant)
        return {"amount": raw} if is_number or (isinstance(raw, Mapping) and "value" in raw) else raw

    def formula(self, scope: Scope) -> Register:
        """Compile `amount`."""
        return scope.code.constant(self.amount.value)

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Say the amount, twice."""
        del span_of
        return self.amount.value, self.amount.value

    def fixed_level(self) -> FixedLevel | None:
        """Return the amount."""
        return FixedLevel(self.amount.value)


class ShareOf(Term):
    """A share of something, or of what exceeds something: `share x (of - above)`."""

    key: ClassVar[str] = "share"
    share: Factor
    """Pays `share x (of - above)`."""
    of: Source
    """The base of the share."""
    above: Source | None = None
    """Only the part above this is shared; absent: 0."""

    def pays_share(self) -> tuple[float, Source] | None:
        """Return the share and its base."""
        return self.share.value, self.of

    def formula(self, scope: Scope) -> Register:
        """Compile `share x (of - above)`."""
        code, shared = scope.code, scope.value(self.of)
        if self.above is not None:
            shared = code.subtract(shared, scope.value(self.above))
        return code.multiply(code.constant(self.share.value), shared)

    def alike(self) -> tuple[Source, ...]:
        """List what is shared, and what it exceeds."""
        return (self.of,) if self.above is None else (self.of, self.above)

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Say between what `share x (of - above)` lies."""
        low, high = span_of(self.of)
        less = (0.0, 0.0) if self.above is None else span_of(self.above)
        factor = self.share.value
        return (0.0, 0.0) if factor == 0 else ((low - less[1]) * factor, (high - less[0]) * factor)

    def fixed_level(self) -> FixedLevel | None:
        """Return a share of the money drawn, the only money that is never negative."""
        return FixedLevel(self.share.value, DRAWN, self.above) if self.of == Named(DRAWN) else None


class UnitPrice(Term):
    """A price for each unit beyond deadweight, up to a volume: `price x min(max(per - deadweight, 0), up_to)`."""

    key: ClassVar[str] = "price"
    limit_keys: ClassVar[tuple[str, ...]] = ("up_to",)
    price: Factor
    """Pays `price x min(max(per - deadweight, 0), up_to)`."""
    per: Source
    """The units that count."""
    deadweight: Source | None = None
    """Units that would have occurred anyway; absent: 0."""
    up_to: Source | None = None
    """The most units that are paid for; absent: no limit."""

    def formula(self, scope: Scope) -> Register:
        """Compile `price x min(max(per - deadweight, 0), up_to)`."""
        code, units = scope.code, self._units(scope)
        if self.up_to is not None:
            units = code.least(units, scope.value(self.up_to))
        return code.multiply(code.constant(self.price.value), units)

    def alike(self) -> tuple[Source, ...]:
        """List the units, those beyond which and those up to which they count."""
        return (self.per, *(part for part in (self.deadweight, self.up_to) if part is not None))

    def _units(self, scope: Scope) -> Register:
        """Compile `max(per - deadweight, 0)`."""
        code, units = scope.code, scope.value(self.per)
        if self.deadweight is not None:
            units = code.subtract(units, scope.value(self.deadweight))
        return code.greatest(units, code.constant(0.0))

    def inner_bound(self, scope: Scope) -> Register:
        """Compile whether there are more units than are paid for."""
        bound = super().inner_bound(scope)
        if self.up_to is None:
            return bound
        is_more = scope.code.exceeds(self._units(scope), scope.value(self.up_to))
        return scope.code.choose(is_more, scope.limit("up_to"), bound)


class TargetRatio(Term):
    """A part of a full amount, in proportion to what was reached of a target: `full x min(max(of / target, 0), at_most)`."""

    key: ClassVar[str] = "target"
    looks_at: ClassVar[str] = "of"
    limit_keys: ClassVar[tuple[str, ...]] = ("at_most", "pays_from")
    target: _Positive
    """Pays `full x min(max(of / target, 0), at_most)`."""
    of: Source
    """What is compared with the target."""
    full: Source
    """What is paid at the target."""
    at_most: Factor = Constant(value=1.0, certainty="choice", note="the default: nothing more beyond the target")
    """The most, as a multiple of the full amount."""
    pays_from: TermLevel | None = None
    """The level of `of` from which anything is paid; absent: any level."""

    def edges(self) -> tuple[Edge, ...]:
        """List the target, and the level from which anything is paid."""
        levels = (("target", self.target), ("pays_from", self.pays_from))
        return tuple(Edge(key, level.value, "from") for key, level in levels if level is not None)

    def formula(self, scope: Scope) -> Register:
        """Compile `full x min(max(of / target, 0), at_most)`, and 0 below `pays_from`."""
        code, reached = scope.code, scope.value(self.of)
        part = code.divide(reached, code.constant(self.target.value))
        part = code.least(code.greatest(part, code.constant(0.0)), code.constant(self.at_most.value))
        paid = code.multiply(scope.value(self.full), part)
        if self.pays_from is None:
            return paid
        return code.choose(code.reaches(reached, code.constant(self.pays_from.value)), paid, code.constant(0.0))

    def inner_bound(self, scope: Scope) -> Register:
        """Compile whether more was reached than is paid for, or less than anything is paid from."""
        code, reached = scope.code, scope.value(self.of)
        part = code.divide(reached, code.constant(self.target.value))
        is_more = code.exceeds(part, code.constant(self.at_most.value))
        bound = code.choose(is_more, scope.limit("at_most"), super().inner_bound(scope))
        if self.pays_from is None:
            return bound
        return code.choose(code.reaches(reached, code.constant(self.pays_from.value)), bound, scope.limit("pays_from"))
