"""Terms that depend on earlier payments: a coupon, a return to date, a change of share once it is reached."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.base import Factor, Term
from simengine.distributions import Fixed, Names, within

if TYPE_CHECKING:
    from simengine.contract.terms import Source

_Part = Annotated[Fixed, AfterValidator(within(1e-6, 1, "the first share must lie above 0, at least 1e-6, and be at most 1"))]


class Coupon(Term):
    """Interest on a sum of money for the time since the term was last due: `coupon x of x years`.

    It accrues month by month on the sum as it was: what was drawn or repaid between two dates counts from its month on.
    """

    key: ClassVar[str] = "coupon"
    looks_at_calendar: ClassVar[bool] = True
    accrues: ClassVar[bool] = True
    coupon: Source
    """Interest at this rate per year since the term was last due: `coupon x of / 12` for each month, with `of` as it stood in that
    month."""
    of: Source
    """The base of the interest, such as `outstanding`."""

    def formula(self, scope: Scope) -> Register:
        """Compile the sum over the months since the last due date of `coupon x of / 12`, with `of` as it stood in each of them."""
        code, rate = scope.code, scope.value(self.coupon)
        # Equal instructions have one register: months in which nothing moves are one stretch of time.
        months = Counter(scope.as_of(month).value(self.of) for month in range(int(scope.previous_month), int(scope.month)))
        months = months or Counter({scope.value(self.of): 0})
        return code.add(*(code.multiply(code.multiply(rate, of), code.constant(n / 12)) for of, n in months.items()))


class ToIrr(Term):
    """The amount missing to a return to date: the payment that would bring the investor's yearly rate of return to this rate.

    Negative if the investor already has more.
    """

    key: ClassVar[str] = "to_irr"
    looks_at_money: ClassVar[bool] = True
    looks_at_calendar: ClassVar[bool] = True
    accrues: ClassVar[bool] = True
    to_irr: Source
    """What the investor needs to reach this yearly rate of return, a number or a term such as a table. Negative beyond it."""

    def formula(self, scope: Scope) -> Register:
        """Compile `sum of calls x (1 + rate)^years - sum of what came back x (1 + rate)^years`."""
        code = scope.code
        growth = code.add(code.constant(1.0), scope.value(self.to_irr))

        def grown(month: float, amount: Register) -> Register:
            years = (scope.month - month) / 12
            return amount if years == 0 else code.multiply(amount, code.power(growth, years))

        owed = code.add(*(grown(month, amount) for month, amount in scope.calls()))
        received = [grown(month, amount) for month, amount in scope.received()]
        # Even where nothing has had time to grow, a rate that was not measured must be noticed.
        owed = code.choose(code.reaches(growth, growth), owed, owed)
        return code.subtract(owed, code.add(*received)) if received else owed


class ToMultiple(Term):
    """The amount missing to a multiple of the money paid in so far; negative if the investor already has more."""

    key: ClassVar[str] = "to_multiple"
    looks_at_money: ClassVar[bool] = True
    to_multiple: Factor
    """What the investor needs to reach this multiple of the money paid in. Negative beyond it."""

    def formula(self, scope: Scope) -> Register:
        """Compile `multiple x paid in so far - returned so far`."""
        code = scope.code
        owed = code.multiply(code.constant(self.to_multiple.value), code.add(*(amount for _, amount in scope.calls())))
        return code.subtract(owed, scope.returned()) if scope.received() else owed


class Until(Term):
    """A share until an amount is reached, and another share of what is left: `min(first x of, until) + then x rest`.

    The rest is `max(of - until / first, 0)`; an amount below 0 counts as reached.
    """

    key: ClassVar[str] = "until"
    until: Source
    """Pays `min(first x of, until) + then x max(of - until / first, 0)`: a share until an amount is reached, another of the
    rest."""
    of: Source
    """What is shared."""
    first: _Part
    """The first share."""
    then: Factor
    """The second share."""

    def formula(self, scope: Scope) -> Register:
        """Compile `min(first x of, until) + then x max(of - until / first, 0)`."""
        code, shared, zero = scope.code, scope.value(self.of), scope.code.constant(0.0)
        first, limit = code.constant(self.first.value), code.greatest(scope.value(self.until), zero)
        before = code.least(code.multiply(first, shared), limit)
        rest = code.greatest(code.subtract(shared, code.divide(limit, first)), zero)
        return code.add(before, code.multiply(code.constant(self.then.value), rest))


class PaidSoFar(Term):
    """What has been paid so far under some terms of the contract, earlier payments of the same date included."""

    key: ClassVar[str] = "paid"
    names_terms: ClassVar[str] = "paid"
    paid: Names
    """What has been paid so far under these terms, earlier payments of the same date included."""

    def formula(self, scope: Scope) -> Register:
        """Compile the sum of the payments under the named terms."""
        return scope.paid_under(self.paid)


class TrueUp(Term):
    """The difference between the total due and the payments under some terms; negative is a claw-back."""

    key: ClassVar[str] = "true_up"
    names_terms: ClassVar[str] = "against"
    pays_one_of_several: ClassVar[bool] = True
    true_up: Source
    """The total due, less the payments under the terms of `against`."""
    against: Names
    """The terms whose payments count."""
    claw_back: bool = False
    """Whether an excess is paid back."""

    def formula(self, scope: Scope) -> Register:
        """Compile `true_up - paid under the terms`, not below 0 without claw-back."""
        code = scope.code
        difference = code.subtract(scope.value(self.true_up), scope.paid_under(self.against))
        return difference if self.claw_back else code.greatest(difference, code.constant(0.0))
