"""The base of all terms: a formula, held between a floor and a cap, and paid only while its gates are open."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, RootModel, model_validator

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.distributions import Count, Fixed, Name, NamesOrNone, Spec, within
from simengine.distributions.spans import ANYTHING, Span
from simengine.errors import Finding
from simengine.records import INVESTOR, OUTCOME_PAYER

if TYPE_CHECKING:
    from simengine.contract.spec import Contract
    from simengine.contract.terms import Source

Currency = Annotated[Fixed, AfterValidator(within(-1e15, 1e15, "an amount of money must lie within 1e15 either way"))]
Factor = Annotated[Fixed, AfterValidator(within(0, 1e15, "a share or a price must not be negative, and at most 1e15"))]
TermLevel = Annotated[Fixed, AfterValidator(within(-1e15, 1e15, "a level must lie within 1e15 either way"))]
TermMonths = Annotated[Count, AfterValidator(within(0, 1200, "a number of months must lie between 0 and 1200"))]

TERM_KINDS: dict[str, type[Term]] = {}
"""Every kind of term by the one key that marks it."""


class Named(RootModel[Name]):
    """A reference by name: money, a metric, or a term or stop that is settled before."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    def value(self, scope: Scope) -> Register:
        """Compile what the name stands for."""
        return scope.named(self.root)

    def bound(self, scope: Scope) -> Register:
        """Compile which limit decided it."""
        return scope.bound_of_name(self.root)

    def fixed_level(self) -> FixedLevel | None:
        """Return nothing: what a name stands for is not fixed here."""
        return None

    def __str__(self) -> str:
        return self.root


class Gate(Spec):
    """A condition: a lower limit, an upper limit, or both."""

    above: TermLevel | None = None
    """Open above this value, exclusive. At least one limit is needed; absent: no such limit."""
    at_least: TermLevel | None = None
    """Open from this value, inclusive; absent: no such limit."""
    below: TermLevel | None = None
    """Open below this value, exclusive; absent: no such limit."""
    at_most: TermLevel | None = None
    """Open up to this value, inclusive; absent: no such limit."""

    @model_validator(mode="after")
    def _edges(self) -> Gate:
        if (self.above and self.at_least) or (self.below and self.at_most) or self.edges() == []:
            raise ValueError(
                "a gate must have a lower edge, `above` (the edge is left out) or `at_least` (the edge counts), an upper edge, "
                f"`below` or `at_most`, or one of each; found {', '.join(sorted(word for word, _ in self.edges())) or 'none'}"
            )
        return self

    def edges(self) -> list[tuple[Literal["above", "at_least", "below", "at_most"], float]]:
        """List the edges that are given."""
        words: tuple[Literal["above", "at_least", "below", "at_most"], ...] = ("above", "at_least", "below", "at_most")
        return [(word, getattr(self, word).value) for word in words if getattr(self, word) is not None]

    def findings(self, key: str) -> Iterator[Finding]:
        """Find edges that leave no room between them; `key`: where the gate stands."""
        lower, upper = self.at_least or self.above, self.at_most or self.below
        if lower is None or upper is None:
            return
        touches = self.at_least is not None and self.at_most is not None
        if lower.value > upper.value or (lower.value == upper.value and not touches):
            yield key, "the lower edge must leave room below the upper edge", f"{lower.value:g} and {upper.value:g}", ""

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


class Band(Gate):
    """One row of a table: the edges within which it pays, and what."""

    pays: Source
    """The payment of the band."""


@dataclass(frozen=True)
class Edge:
    """A level of a term's input at which its payment changes."""

    key: str
    """Of the number, below the term."""
    level: float
    side: Literal["from", "until", "at"]
    """Whether something is paid from it on, until it, or through it, as through a point of a line."""


@dataclass(frozen=True)
class FixedLevel:
    """A payment that hangs on no outcome, so that two of them can be compared: an amount, or a share of the money drawn."""

    number: float
    of: str = ""
    """The money of which it is a share; empty for an amount."""
    above: Named | Term | None = None
    """Only what exceeds this is shared."""

    @property
    def is_plain(self) -> bool:
        """Whether it can be read off without anything else."""
        return self.above is None

    def is_above(self, other: FixedLevel) -> bool:
        """Return whether it is more of the same."""
        return (self.of, self.above) == (other.of, other.above) and self.number > other.number

    def __str__(self) -> str:
        return f"{self.number:g} of {self.of}" if self.of else f"{self.number:,g}"


@dataclass(frozen=True)
class WavesApart:
    """The part of a term that is settled wave by wave."""

    key: str
    waves: tuple[str, ...]
    """Those that count."""
    is_cumulative: bool
    """Whether the metrics of a wave include those of the waves before."""


@dataclass(frozen=True)
class MilestoneList:
    """What a term pays for the milestones of one person."""

    prices: Mapping[str, float]
    """By milestone."""
    cap: float | None
    """The most for one person."""
    is_in_order: bool
    """Whether a milestone is paid only for those who reached all earlier ones."""

    def pays_for(self, milestone: str) -> bool:
        """Return whether it pays anything for a milestone."""
        return self.prices.get(milestone, 0.0) > 0

    def decisive(self, milestones: Sequence[str]) -> set[str]:
        """Find those of the contract's milestones that it looks at: what it pays for and, in order, all that stands before."""
        paid = [place for place, name in enumerate(milestones) if self.pays_for(name)]
        before = milestones[: max(paid, default=0)] if self.is_in_order else ()
        return {*(milestones[place] for place in paid), *before}


class Term(Spec):
    """One formula between floor and cap: `min(max(formula, floor), cap)`, and 0 while a gate is closed.

    What else must be known of a kind it says itself: the rules, the contract check and the study ask the term, and no file outside
    this folder knows a kind by name. The answers here are those of most kinds.
    """

    key: ClassVar[str] = ""
    """The one key that marks a term of this kind."""
    looks_at: ClassVar[str] = ""
    """The key of that whose levels its edges are; empty for a kind without edges."""
    names_terms: ClassVar[str] = ""
    """The key under which it names terms of the contract whose payments count; empty where it names none."""
    limit_keys: ClassVar[tuple[str, ...]] = ()
    """Its keys, besides floor, cap and gates, under which a limit may decide; a list is one limit for each of its members."""
    looks_at_calendar: ClassVar[bool] = False
    """Whether it can be settled only in a contract with dates."""
    accrues: ClassVar[bool] = False
    """Whether it grows with time, so that paying it on every date pays nothing twice."""
    looks_at_money: ClassVar[bool] = False
    """Whether it depends on money that has moved, beyond what is named in it."""
    may_stand_inside: ClassVar[bool] = True
    """Whether it may be a part of another term."""
    keeps_unit: ClassVar[bool] = False
    """Whether it is in the unit of what it puts together: see `alike`."""
    covers_missing: ClassVar[bool] = False
    """Whether it may have a value where one of its parts was not measured."""
    pays_one_of_several: ClassVar[bool] = False
    """Whether one of its parts is paid and not the others, or a part has been paid for already."""

    floor: Source | None = None
    """The least that is paid; absent: no floor."""
    cap: Source | None = None
    """The most that is paid; it takes precedence over the floor; absent: no cap."""
    only_if: dict[Name, Gate] = {}
    """By metric, money, term, stop or variation: gates, all of which must be open; absent: always paid."""

    contingent: bool = True
    """Whether the payment depends on outcomes; `false` for a guarantee."""
    at: NamesOrNone = ()
    """The dates on which it is settled, in their order; absent: all dates. A single measurement is then paid on each of them."""
    delay_months: TermMonths | None = None
    """Months from settlement to payment; absent: 0."""
    payer: Name = OUTCOME_PAYER
    """Who owes it."""
    payee: Name = INVESTOR
    """To whom it is owed."""
    repays_principal: bool = False
    """Whether it reduces `outstanding`."""
    despite_stop: bool = False
    """Whether it is paid after a stop."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.key:
            TERM_KINDS[cls.key] = cls

    @abstractmethod
    def formula(self, scope: Scope) -> Register:
        """Compile the formula, without floor, cap and gates."""

    # ------------------------------------------------ what it says of itself ------------------------------------------------

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find what it says of its contract that cannot be, with keys below the term; names that it refers to are checked for it."""
        del contract
        yield from ()

    def edges(self) -> tuple[Edge, ...]:
        """List its edges, in the order in which they are written; those of its gates are theirs."""
        return ()

    def bands(self) -> tuple[Band, ...]:
        """List the rows of its table, which stand under its key; nothing for a kind without a table."""
        return ()

    def can_fall(self) -> bool:
        """Whether what it pays at its edges is fixed, so that it may fall where more is reached: mostly a slip of the pen."""
        return False

    def pays_share(self) -> tuple[float, Source] | None:
        """Return the share that it pays and of what; nothing for a kind that pays no share."""
        return None

    def alike(self) -> tuple[Source, ...]:
        """List what it adds, compares or subtracts, which has to be in one unit."""
        return ()

    def formula_span(self, span_of: Callable[[Source], Span]) -> Span:
        """Say between what its formula lies, from that of its parts; anything where that cannot be said."""
        del span_of
        return ANYTHING

    def fixed_level(self) -> FixedLevel | None:
        """Return what it pays where that is fixed; floor, cap and gates left aside."""
        return None

    def waves_apart(self, contract: Contract) -> WavesApart | None:
        """Return the part that is settled wave by wave; nothing where all waves are settled together."""
        del contract
        return None

    @property
    def prices_waves(self) -> bool:
        """Whether people of one wave have a price or a cap of their own."""
        return False

    @property
    def milestone_list(self) -> MilestoneList | None:
        """What it pays for the milestones of a person; nothing for most."""
        return None

    @property
    def names_variations(self) -> tuple[str, ...]:
        """The variations of the contract that change it; those in gates and formulae are names like others."""
        return ()

    @property
    def counted_outcomes(self) -> tuple[str, ...]:
        """The outcomes of the contract of which it counts those who reached them by a date."""
        return ()

    def n_limits(self) -> int:
        """Count the limits, at most, that may decide it; those inside its parts are theirs."""
        given = [getattr(self, key) for key in ("floor", "cap", "only_if", *self.limit_keys)]
        return sum(len(limit) if isinstance(limit, tuple) else bool(limit) for limit in given)

    # ------------------------------------------------ how it is compiled ------------------------------------------------

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
        return all_open(self.only_if, scope) if self.only_if else None


def all_open(gates: Mapping[Name, Gate], scope: Scope) -> Register:
    """Compile whether all of some gates are open; without any, nothing is shut."""
    is_open = scope.code.constant(1.0)
    for name, gate in gates.items():
        is_open = scope.code.both(is_open, gate.is_open(scope.named(name), scope))
    return is_open


OF_THE_CONTRACT = ("contingent", "at", "delay_months", "payer", "payee", "repays_principal", "despite_stop")
"""The keys that only a term of the contract itself may say, not a term inside another."""


def parts_within(node: Any, path: str) -> list[tuple[str, Named | Term]]:
    """List a term and all that it refers to, with paths, from the outside in."""
    found: list[tuple[str, Named | Term]] = []
    _gather(node, path, found)
    return found


def _gather(node: Any, path: str, found: list[tuple[str, Named | Term]]) -> None:
    if isinstance(node, Named | Term):
        found.append((path, node))
    if isinstance(node, tuple):
        for place, child in enumerate(node):
            _gather(child, f"{path}.{place}", found)
    elif isinstance(node, dict):
        for name, child in node.items():
            _gather(child, f"{path}.{name}", found)
    elif isinstance(node, BaseModel) and not isinstance(node, Named):
        for name in type(node).__pydantic_fields__:
            _gather(getattr(node, name), f"{path}.{name}", found)
