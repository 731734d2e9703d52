"""Terms made of terms: their sum, product, least, greatest, and the first that applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.amounts import FixedAmount
from simengine.contract.terms.base import Named, Term
from simengine.distributions.spans import ANYTHING, Span
from simengine.records import FORMULA

if TYPE_CHECKING:
    from simengine.contract.terms import Source


class OfAlike(Term):
    """A term of parts in one unit, which is its own."""

    keeps_unit: ClassVar[bool] = True

    def alike(self) -> tuple[Source, ...]:
        """List its parts."""
        return tuple(part for _, part in self.parts())


class Sum(OfAlike):
    """All of them together."""

    key: ClassVar[str] = "sum"
    sum: Annotated[tuple[Source, ...], Field(min_length=1, strict=False)]
    """The sum of a list."""

    def formula(self, scope: Scope) -> Register:
        """Compile `a + b + ...`."""
        return scope.code.add(*(scope.value(part) for part in self.sum))

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Add up where its parts lie."""
        spans = [span_of(part) for part in self.sum]
        return sum(low for low, _ in spans), sum(high for _, high in spans)


class Product(Term):
    """One times the other, such as a rate from a table times a sum of money."""

    key: ClassVar[str] = "product"
    product: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]
    """The product of a list, such as a rate from a table and an amount of money."""

    def formula(self, scope: Scope) -> Register:
        """Compile `a x b x ...`."""
        total = scope.value(self.product[0])
        for factor in self.product[1:]:
            total = scope.code.multiply(total, scope.value(factor))
        return total

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Multiply where its parts lie; one without an end leaves nothing to say."""
        total = (1.0, 1.0)
        for span in map(span_of, self.product):
            if inf in (abs(end) for end in (*span, *total)):
                return ANYTHING
            ends = [one * other for one in total for other in span]
            total = (min(ends), max(ends))
        return total


def times(number: float, term: Term) -> Term:
    """Return so many times a term."""
    return Product.model_construct(product=(FixedAmount.model_validate(number), term))


class Least(OfAlike):
    """The smallest of them."""

    key: ClassVar[str] = "least"
    limit_keys: ClassVar[tuple[str, ...]] = ("least",)
    pays_one_of_several: ClassVar[bool] = True
    least: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]
    """The smallest of a list."""

    def formula(self, scope: Scope) -> Register:
        """Compile `min(a, b, ...)`."""
        total = scope.value(self.least[0])
        for other in self.least[1:]:
            total = scope.code.least(total, scope.value(other))
        return total

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Return the least of both ends."""
        spans = [span_of(part) for part in self.least]
        return min(low for low, _ in spans), min(high for _, high in spans)

    def inner_bound(self, scope: Scope) -> Register:
        """Compile which member decided, or the limit that decided it; the first is taken for the formula."""
        return _chosen(self.least, "least", scope, scope.code.least, is_less=True)


class Greatest(OfAlike):
    """The largest of them."""

    key: ClassVar[str] = "greatest"
    limit_keys: ClassVar[tuple[str, ...]] = ("greatest",)
    pays_one_of_several: ClassVar[bool] = True
    greatest: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]
    """The largest of a list."""

    def formula(self, scope: Scope) -> Register:
        """Compile `max(a, b, ...)`."""
        total = scope.value(self.greatest[0])
        for other in self.greatest[1:]:
            total = scope.code.greatest(total, scope.value(other))
        return total

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Return the greatest of both ends."""
        spans = [span_of(part) for part in self.greatest]
        return max(low for low, _ in spans), max(high for _, high in spans)

    def inner_bound(self, scope: Scope) -> Register:
        """Compile which member decided, or the limit that decided it; the first is taken for the formula."""
        return _chosen(self.greatest, "greatest", scope, scope.code.greatest, is_less=False)


def _chosen(
    members: tuple[Source, ...], key: str, scope: Scope, choose: Callable[[Register, Register], Register], *, is_less: bool
) -> Register:
    """Compile the limit of the member that is least or greatest; of equal ones the first."""
    code, total = scope.code, scope.value(members[0])
    bound = scope.bound(members[0], f"{key}.0")
    for place, member in enumerate(members[1:], 1):
        value = scope.value(member)
        decides = code.exceeds(total, value) if is_less else code.exceeds(value, total)
        inner = scope.first_bound([scope.bound(member, f"{key}.{place}"), scope.limit(f"{key}.{place}")])
        total, bound = choose(total, value), code.choose(decides, inner, bound)
    return bound


@dataclass(frozen=True)
class Alternative:
    """One of several terms of which the first that applies is paid, compiled."""

    value: Register
    is_open: Register | None
    """Whether all gates are open; None where there are none."""


class FirstOf(OfAlike):
    """The first of them whose gates are open and whose metrics were measured.

    Where none is open it pays 0; where none is open but one could not be decided for want of a metric, it is not measured.
    """

    key: ClassVar[str] = "first_of"
    covers_missing: ClassVar[bool] = True
    pays_one_of_several: ClassVar[bool] = True
    first_of: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]
    """The first of a list whose gates are open and whose metrics were measured; 0 if none is."""

    def formula(self, scope: Scope) -> Register:
        """Compile the alternatives from the last to the first."""
        code, nothing = scope.code, scope.code.constant(0.0)
        alternatives = [self._alternative(source, scope) for source in self.first_of]
        # Not measured where one is in doubt, else 0; any alternative that applies overrides it.
        paid = code.add(*(code.choose(code.is_number(one.value), nothing, one.value) for one in alternatives))
        for one in reversed(alternatives):
            applies = code.is_number(one.value)
            if one.is_open is not None:
                # A gate that is in doubt leaves the value unmeasured too, so this is never unmeasured itself.
                applies = code.both(applies, one.is_open)
            paid = code.choose(applies, one.value, paid)
        return paid

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Say between what any of its parts lies, or 0."""
        spans = [span_of(part) for part in self.first_of]
        return min(0.0, *(low for low, _ in spans)), max(0.0, *(high for _, high in spans))

    def inner_bound(self, scope: Scope) -> Register:
        """Compile the limit of the alternative that applies."""
        code, bound = scope.code, scope.code.constant(float(FORMULA))
        for place, source in reversed(list(enumerate(self.first_of))):
            one = self._alternative(source, scope)
            applies = code.is_number(one.value)
            if one.is_open is not None:
                applies = code.both(applies, one.is_open)
            bound = code.choose(applies, scope.bound(source, f"first_of.{place}"), bound)
        return bound

    @staticmethod
    def _alternative(source: Source, scope: Scope) -> Alternative:
        if isinstance(source, Named):
            return Alternative(scope.value(source), None)
        return Alternative(source.value(scope), source.is_open(scope))
