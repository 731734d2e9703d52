"""Where a term stands when it is compiled: its date, its wave, the metrics it may read, and the money moved before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simengine.contract.program import Code, Register
from simengine.records import FORMULA, GATE, INVESTOR, LIMITS

if TYPE_CHECKING:
    from simengine.contract.spec import Contract
    from simengine.contract.terms import Source

DRAWN, OUTSTANDING, RETURNED = "drawn", "outstanding", "returned"
MONEY = (DRAWN, OUTSTANDING, RETURNED)
"""The money that terms may refer to: all that the investor pays in; what of it is paid in but not yet repaid as principal; what
the investor has got back so far."""
CARD, CARD_LIMIT, REACHED, PEOPLE_COUNTED = "card", "card_limit", "reached", "people_counted"
"""Columns of rate cards: what one pays on a date, and which of its caps cut that first; the number of an outcome in a wave by a
date, or since the date before; the people of a wave among whom outcomes are counted."""
CALL, CALLED = "call", "called"
"""Columns of a study's drawing: what is drawn in a month, and what is drawn by the month in which a term is paid."""


@dataclass(frozen=True)
class Entry:
    """A payment that is settled."""

    term: str
    month: float
    """When it is paid; 0 where the contract has no dates."""
    amount: Register
    payer: str
    payee: str
    repays_principal: bool


@dataclass
class Book:
    """Payments in the order in which they are settled, and the stops and variations that were asked about."""

    entries: list[Entry] = field(default_factory=list)
    on_this_date: dict[str, Register] = field(default_factory=dict)
    """By term; by stop: 1 once the contract has stopped, else 0; by variation: 1 once it holds, else 0."""


@dataclass(frozen=True)
class Scope:
    """All that a term may look at."""

    code: Code
    contract: Contract
    book: Book
    due: str = ""
    """The date on which it is settled; empty where the contract has no dates."""
    month: float = 0.0
    previous_month: float = 0.0
    """The month of the date on which the same term was due before; 0 for the first."""
    wave: int | None = None
    """The wave that metrics are read for; None: all waves together."""
    is_cumulative: bool = False
    """Whether the waves before count as well."""
    term: str = ""
    """The term of the contract that is settled."""
    draw_months: tuple[int, ...] | None = None
    """The months in which a study draws money; None where there is no study: then the contract itself says when."""
    path: str = ""
    """Where a term stands inside the term of the contract that is settled; empty for that term itself."""
    limits: list[str] = field(default_factory=lambda: list(LIMITS))
    """The limits of the term that is settled, by the numbers that stand for them."""

    def value(self, source: Source) -> Register:
        """Compile what a term refers to."""
        return source.value(self)

    def as_of(self, month: float) -> Scope:
        """Return the same place, looking at the money moved by an earlier month."""
        return replace(self, month=month)

    def inside(self, key: str) -> Scope:
        """Enter a part of a term."""
        return replace(self, path=f"{self.path}.{key}" if self.path else key)

    def limit(self, key: str) -> Register:
        """Name a limit of the term at this place, and compile the number that stands for it."""
        word = f"{self.path}.{key}" if self.path else key
        # The gates of the term itself have a word of their own.
        word = LIMITS[GATE] if word == "only_if" else word
        if word not in self.limits:
            self.limits.append(word)
        return self.code.constant(float(self.limits.index(word)))

    def bound(self, source: Source, key: str) -> Register:
        """Compile which limit decided a part of a term: `FORMULA` where none did."""
        return source.bound(self.inside(key))

    def first_bound(self, bounds: Sequence[Register]) -> Register:
        """Compile the first of several limits that decided anything."""
        nothing = self.code.constant(float(FORMULA))
        found = nothing
        for bound in reversed([one for one in bounds if one != nothing]):
            found = self.code.choose(self.code.exceeds(bound, nothing), bound, found)
        return found

    def bound_of_name(self, name: str) -> Register:
        """Compile which limit decided a derived metric; what another term pays is decided there."""
        use = self.contract.metrics.get(name)
        if use is None or use.derived is None:
            return self.code.constant(float(FORMULA))
        return use.derived.bound(replace(self, path=f"metrics.{name}.derived"))

    def in_wave(self, wave: int, *, is_cumulative: bool) -> Scope:
        """Return the same place, reading the metrics of one wave, or of all waves up to it."""
        return replace(self, wave=wave, is_cumulative=is_cumulative)

    def named(self, name: str) -> Register:
        """Compile a name: money, a metric, or a term, stop or variation that was settled before."""
        if name in self.contract.metrics:
            return self._metric(name)
        if name == DRAWN:
            return self.code.column(DRAWN)
        if name == OUTSTANDING:
            return self.outstanding()
        if name == RETURNED:
            return self.returned()
        return self.book.on_this_date.get(name, self.code.constant(0.0))

    def _metric(self, name: str) -> Register:
        use = self.contract.metrics[name]
        if use.derived is not None:
            return self.value(use.derived)
        if self.wave is None:
            measured = self.code.column("metric", name)
        elif self.is_cumulative and self.wave > 0:
            measured = self._cumulative(name, range(self.wave + 1), is_total=use.over_waves == "sum")
        else:
            measured = self.code.column("wave", name, self.wave)
        if use.when_missing is None:
            return measured
        return self.code.choose(self.code.is_number(measured), measured, self.code.constant(use.when_missing.value))

    def _cumulative(self, name: str, waves: Sequence[int], *, is_total: bool) -> Register:
        """Compile a metric over several waves: their sum, or their mean weighted by people.

        A wave without people has no say in a mean, and a mean over nobody is missing.
        """
        code = self.code
        values = [code.column("wave", name, wave) for wave in waves]
        if is_total:
            return code.add(*values)
        people = [code.column("people", wave) for wave in waves]
        nobody, everybody = code.constant(0.0), code.add(*people)
        weighted = [
            code.choose(code.exceeds(weight, nobody), code.multiply(weight, value), nobody)
            for weight, value in zip(people, values, strict=True)
        ]
        return code.divide(code.add(*weighted), everybody)

    # ------------------------------------------------ money so far ------------------------------------------------

    def calls(self) -> list[tuple[float, Register]]:
        """List the money paid in by this date: month and amount.

        A study says when its money is drawn, and there is no second source. Only where a contract is replayed on outcomes that
        somebody typed in do the contract's own dates say.
        """
        if self.draw_months is not None and self.contract.calendar:
            return [(month, self.code.column(CALL, month)) for month in self.draw_months if month <= self.month]
        if self.draw_months is not None:
            return [(0.0, self.code.column(CALLED, self.term))]
        drawn, so_far = self.code.column(DRAWN), []
        for month, share in self.contract.calls():
            if month <= self.month:
                so_far.append((month, drawn if share == 1 else self.code.multiply(self.code.constant(share), drawn)))
        return so_far

    def received(self) -> list[tuple[float, Register]]:
        """List what the investor has got by this date: month and amount; what it has paid to others is negative."""
        flows = []
        for entry in self._settled():
            if entry.payee == INVESTOR:
                flows.append((entry.month, entry.amount))
            elif entry.payer == INVESTOR:
                flows.append((entry.month, self.code.subtract(self.code.constant(0.0), entry.amount)))
        return flows

    def returned(self) -> Register:
        """Compile what the investor has got back by this date."""
        return self.code.add(*(amount for _, amount in self.received()))

    def outstanding(self) -> Register:
        """Compile the principal that is paid in and not yet repaid."""
        repaid = [entry.amount for entry in self._settled() if entry.repays_principal]
        paid_in = self.code.add(*(amount for _, amount in self.calls()))
        return self.code.subtract(paid_in, self.code.add(*repaid)) if repaid else paid_in

    def paid_under(self, terms: Sequence[str]) -> Register:
        """Compile what has been paid under some terms by this date, this date's earlier payments included."""
        return self.code.add(*(entry.amount for entry in self._settled() if entry.term in terms))

    def paid_by(self, party: str) -> Register:
        """Compile what a party has been made to pay so far, payments that are yet to fall due included."""
        return self.code.add(*(entry.amount for entry in self.book.entries if entry.payer == party))

    def _settled(self) -> list[Entry]:
        return [entry for entry in self.book.entries if entry.month <= self.month]
