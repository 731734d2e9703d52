"""Terms made of terms: their sum, product, least, greatest, and the first that applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.base import Named, Term
from simengine.records import FORMULA

if TYPE_CHECKING:
    from simengine.contract.terms import Source


class Sum(Term):
    """All of them together."""

    key: ClassVar[str] = "sum"
    sum: Annotated[tuple[Source, ...], Field(min_length=1, strict=False)]

    def formula(self, scope: Scope) -> Register:
        """Compile `a + b + ...`."""
        return scope.code.add(*(scope.value(part) for part in self.sum))


class Product(Term):
    """One times the other, such as a rate from a table times a sum of money."""

    key: ClassVar[str] = "product"
    product: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]

    def formula(self, scope: Scope) -> Register:
        """Compile `a x b x ...`."""
        total = scope.value(self.product[0])
        for factor in self.product[1:]:
            total = scope.code.multiply(total, scope.value(factor))
        return total


class Least(Term):
    """The smallest of them."""

    key: ClassVar[str] = "least"
    least: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]

    def formula(self, scope: Scope) -> Register:
        """Compile `min(a, b, ...)`."""
        total = scope.value(self.least[0])
        for other in self.least[1:]:
            total = scope.code.least(total, scope.value(other))
        return total

    def inner_bound(self, scope: Scope) -> Register:
        """Compile which member decided, or the limit that decided it; the first is taken for the formula."""
        return _chosen(self.least, "least", scope, scope.code.least, is_less=True)


class Greatest(Term):
    """The largest of them."""

    key: ClassVar[str] = "greatest"
    greatest: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]

    def formula(self, scope: Scope) -> Register:
        """Compile `max(a, b, ...)`."""
        total = scope.value(self.greatest[0])
        for other in self.greatest[1:]:
            total = scope.code.greatest(total, scope.value(other))
        return total

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


class FirstOf(Term):
    """The first of them whose gates are open and whose metrics were measured.

    Where none is open it pays 0; where none is open but one could not be decided for want of a metric, it is not measured.
    """

    key: ClassVar[str] = "first_of"
    first_of: Annotated[tuple[Source, ...], Field(min_length=2, strict=False)]

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
