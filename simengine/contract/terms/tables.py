"""Terms that look a metric up: a table of bands, and a line through points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.base import Band, Edge, Term, TermLevel
from simengine.distributions import Spec
from simengine.errors import Finding
from simengine.records import FORMULA

if TYPE_CHECKING:
    from simengine.contract.spec import Contract
    from simengine.contract.terms import Source


class Steps(Term):
    """A table: the first band that holds the metric pays; outside all bands `otherwise`."""

    key: ClassVar[str] = "steps"
    looks_at: ClassVar[str] = "of"
    pays_one_of_several: ClassVar[bool] = True
    steps: Annotated[tuple[Band, ...], Field(min_length=1, strict=False)]
    """A table of `of`: the first band that contains it pays."""
    of: Source
    """What the table is read at."""
    otherwise: Source | None = None
    """What is paid outside all bands; absent: 0."""

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find bands that hold nothing."""
        del contract
        for number, band in enumerate(self.steps):
            yield from band.findings(f"{self.key}.{number}")

    def bands(self) -> tuple[Band, ...]:
        """List its rows."""
        return self.steps

    def can_fall(self) -> bool:
        """Whether every row pays something that can be read off."""
        entries = [band.pays for band in self.steps] + ([] if self.otherwise is None else [self.otherwise])
        levels = [entry.fixed_level() for entry in entries]
        return all(level is not None and level.is_plain for level in levels)

    def edges(self) -> tuple[Edge, ...]:
        """List those of every band."""
        return tuple(
            Edge(f"steps.{number}.{word}", level, "from" if word in ("above", "at_least") else "until")
            for number, band in enumerate(self.steps)
            for word, level in band.edges()
        )

    def formula(self, scope: Scope) -> Register:
        """Compile the first band that holds `of`."""
        code, reached = scope.code, scope.value(self.of)
        paid = code.constant(0.0) if self.otherwise is None else scope.value(self.otherwise)
        for band in reversed(self.steps):
            paid = code.choose(band.is_open(reached, scope), scope.value(band.pays), paid)
        return paid

    def inner_bound(self, scope: Scope) -> Register:
        """Compile the limit of what the band pays, or else that of what is looked up."""
        code, reached = scope.code, scope.value(self.of)
        nothing = code.constant(float(FORMULA))
        bound = nothing if self.otherwise is None else scope.bound(self.otherwise, "otherwise")
        for number, band in reversed(list(enumerate(self.steps))):
            inner = scope.bound(band.pays, f"steps.{number}.pays")
            if inner != bound:
                bound = code.choose(band.is_open(reached, scope), inner, bound)
        return scope.first_bound([bound, scope.bound(self.of, "of")])


class TablePoint(Spec):
    """A point of a line."""

    at: TermLevel
    """Its position. Two points at one position are a jump, and the second one applies at that position."""
    pays: TermLevel
    """Its payment."""


class TableLine(Term):
    """Straight lines between points, level before the first and after the last.

    Two points at one place are a jump: the edge itself is paid by the second.
    """

    key: ClassVar[str] = "line"
    looks_at: ClassVar[str] = "of"
    line: Annotated[tuple[TablePoint, ...], Field(min_length=2, strict=False)]
    """Piecewise linear in `of`, constant before the first point and after the last."""
    of: Source
    """What the line is read at."""

    @model_validator(mode="after")
    def _in_order(self) -> TableLine:
        places = [point.at.value for point in self.line]
        crowded = any(places[i] == places[i + 2] for i in range(len(places) - 2))
        if sorted(places) != places or crowded:
            found = ", ".join(f"{place:g}" for place in places)
            raise ValueError(f"the points of a line must stand in order, at most two at one place; found {found}")
        return self

    def can_fall(self) -> bool:
        """Whether what it pays can be read off: always."""
        return True

    def edges(self) -> tuple[Edge, ...]:
        """List the places of its points."""
        return tuple(Edge(f"line.{number}.at", point.at.value, "at") for number, point in enumerate(self.line))

    def formula(self, scope: Scope) -> Register:
        """Compile `pays + slope x (of - at)` on each stretch."""
        code, reached = scope.code, scope.value(self.of)
        paid = code.constant(self.line[0].pays.value)
        for left, right in zip(self.line, (*self.line[1:], None), strict=True):
            start, stretch = code.constant(left.at.value), code.constant(left.pays.value)
            if right is not None and right.at.value > left.at.value:
                slope = (right.pays.value - left.pays.value) / (right.at.value - left.at.value)
                rise = code.multiply(code.constant(slope), code.subtract(reached, start))
                stretch = code.add(code.constant(left.pays.value), rise)
            paid = code.choose(code.reaches(reached, start), stretch, paid)
        return paid
