"""The base of all terms: a formula, held between a floor and a cap, and paid only while its gates are open."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, RootModel, model_validator

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.distributions import Count, Fixed, Name, NamesOrNone, Spec, within
from simengine.records import INVESTOR, OUTCOME_PAYER

if TYPE_CHECKING:
    from simengine.contract.terms import Source

Currency = Annotated[Fixed, AfterValidator(within(-1e15, 1e15, "an amount of money lies within 1e15 either way"))]
Factor = Annotated[Fixed, AfterValidator(within(0, 1e15, "a share or a price must not be negative, and at most 1e15"))]
TermLevel = Annotated[Fixed, AfterValidator(within(-1e15, 1e15, "a level lies within 1e15 either way"))]
TermMonths = Annotated[Count, AfterValidator(within(0, 1200, "a number of months must lie between 0 and 1200"))]

TERM_KINDS: dict[str, type[Term]] = {}
"""Every kind of term by the one key that marks it."""


class Named(RootModel[Name]):
    """A reference by name: money, a metric, or a term or stop that is settled before."""

    model_config = ConfigDict(frozen=True)

    def value(self, scope: Scope) -> Register:
        """Compile what the name stands for."""
        return scope.named(self.root)

    def bound(self, scope: Scope) -> Register:
        """Compile which limit decided it."""
        return scope.bound_of_name(self.root)

    def __str__(self) -> str:
        return self.root


class Gate(Spec):
    """A condition: a lower limit, an upper limit, or both."""

    above: TermLevel | None = None
    at_least: TermLevel | None = None
    below: TermLevel | None = None
    at_most: TermLevel | None = None

    @model_validator(mode="after")
    def _edges(self) -> Gate:
        if (self.above and self.at_least) or (self.below and self.at_most) or self.edges() == []:
            raise ValueError(
                "a gate has a lower edge, `above` (the edge is left out) or `at_least` (the edge counts), an upper edge, "
                f"`below` or `at_most`, or one of each; found {', '.join(sorted(word for word, _ in self.edges())) or 'none'}"
            )
        return self

    def edges(self) -> list[tuple[Literal["above", "at_least", "below", "at_most"], float]]:
        """List the edges that are given."""
        words: tuple[Literal["above", "at_least", "below", "at_most"], ...] = ("above", "at_least", "below", "at_most")
        return [(word, getattr(self, word).value) for word in words if getattr(self, word) is not None]

    def is_open(self, reached: Register, scope: Scope) -> Register:
        """Compile whether what was reached lies between the edges."""
        code, conditions = scope.code, []
        for word, level in self.edges():
            edge = code.constant(level)
            compare = code.exceeds if word in ("above", "below") else code.reaches
            conditions.append(compare(reached, edge) if word in ("above", "at_least") else compare(edge, reached))
        is_open = conditions[0]
        for condition in conditions[1:]:
            is_open = code.both(is_open, condition)
        return is_open


@dataclass(frozen=True)
class Edge:
    """A level of a term's input at which its payment changes."""

    key: str
    """Of the number, below the term."""
    level: float
    side: Literal["from", "until", "at"]
    """Whether something is paid from it on, until it, or through it, as through a point of a line."""


class Term(Spec):
    """One formula between floor and cap: `min(max(formula, floor), cap)`, and 0 while a gate is closed."""

    key: ClassVar[str] = ""
    """The one key that marks a term of this kind."""
    looks_at: ClassVar[str] = ""
    """The key of that whose levels its edges are; empty for a kind without edges."""

    floor: Source | None = None
    """The least that is paid while the gates are open."""
    cap: Source | None = None
    """The most that is paid; it takes precedence over the floor."""
    only_if: dict[Name, Gate] = {}
    """By metric, money or stop: all gates must be open."""

    contingent: bool = True
    """Whether the payment depends on outcomes; a guarantee does not."""
    at: NamesOrNone = ()
    """The dates on which it is settled; all dates of the contract if absent."""
    delay_months: TermMonths | None = None
    """Months from the date on which it is settled to its payment."""
    payer: Name = OUTCOME_PAYER
    """The party who owes it."""
    payee: Name = INVESTOR
    """The party to whom it is owed."""
    repays_principal: bool = False
    """Whether the payment lowers the outstanding principal."""
    despite_stop: bool = False
    """Whether it is paid after the contract has been stopped."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.key:
            TERM_KINDS[cls.key] = cls

    @abstractmethod
    def formula(self, scope: Scope) -> Register:
        """Compile the formula, without floor, cap and gates."""

    def edges(self) -> tuple[Edge, ...]:
        """List its edges, in the order in which they are written; those of its gates are theirs."""
        return ()

    def parts(self) -> Iterator[tuple[str, Named | Term]]:
        """Yield what the formula refers to, each by its key."""
        for name in type(self).model_fields:
            child = getattr(self, name)
            if name in Term.model_fields:
                continue
            if isinstance(child, Named | Term):
                yield name, child
            elif isinstance(child, tuple):
                yield from ((f"{name}.{place}", one) for place, one in enumerate(child) if isinstance(one, Named | Term))

    def inner_bound(self, scope: Scope) -> Register:
        """Compile which limit inside the formula decided: the first of its parts that met one; `FORMULA` where none did."""
        return scope.first_bound([scope.bound(part, key) for key, part in self.parts()])

    def value(self, scope: Scope) -> Register:
        """Compile what the term pays where another term holds it."""
        code, value = scope.code, self.formula(scope)
        if self.floor is not None:
            value = code.greatest(value, scope.value(self.floor))
        if self.cap is not None:
            value = code.least(value, scope.value(self.cap))
        is_open = self.is_open(scope)
        return value if is_open is None else code.choose(is_open, value, code.constant(0.0))

    def bound(self, scope: Scope) -> Register:
        """Compile which limit decided it: a number among the limits of the scope."""
        code, value, bound = scope.code, self.formula(scope), self.inner_bound(scope)
        if self.floor is not None:
            floor = scope.value(self.floor)
            value, bound = code.greatest(value, floor), code.choose(code.exceeds(floor, value), scope.limit("floor"), bound)
        if self.cap is not None:
            cap = scope.value(self.cap)
            value, bound = code.least(value, cap), code.choose(code.exceeds(value, cap), scope.limit("cap"), bound)
        is_open = self.is_open(scope)
        return bound if is_open is None else code.choose(is_open, bound, scope.limit("only_if"))

    def is_open(self, scope: Scope) -> Register | None:
        """Compile whether all gates are open; None where there are none."""
        if not self.only_if:
            return None
        is_open = scope.code.constant(1.0)
        for name, gate in self.only_if.items():
            is_open = scope.code.both(is_open, gate.is_open(scope.named(name), scope))
        return is_open


OF_THE_CONTRACT = ("contingent", "at", "delay_months", "payer", "payee", "repays_principal", "despite_stop")
"""The keys that only a term of the contract itself may say, not a term inside another."""


def parts_within(node: Any, path: str) -> Iterator[tuple[str, Named | Term]]:
    """Yield a term and all that it refers to, with paths, from the outside in."""
    if isinstance(node, Named | Term):
        yield path, node
    if isinstance(node, tuple):
        for place, child in enumerate(node):
            yield from parts_within(child, f"{path}.{place}")
    elif isinstance(node, dict):
        for name, child in node.items():
            yield from parts_within(child, f"{path}.{name}")
    elif isinstance(node, BaseModel) and not isinstance(node, Named):
        for name in type(node).model_fields:
            yield from parts_within(getattr(node, name), f"{path}.{name}")
