"""A rate card: a price for each outcome that a person reaches, paid on the first date after it was validated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.contract.program import Register
from simengine.contract.scope import CARD, CARD_LIMIT, PEOPLE_COUNTED, REACHED, Scope
from simengine.contract.terms.base import Factor, Term, TermMonths
from simengine.contract.terms.volume import VolumeBand
from simengine.distributions import Fixed, Name, Names, NamesOrNone, Spec, within
from simengine.errors import Finding, one_of
from simengine.records import CARD_LIMITS, FORMULA

if TYPE_CHECKING:
    from simengine.contract.spec import Contract

_Share = Annotated[Fixed, AfterValidator(within(0, 1, "a share must lie between 0 and 1"))]
_Rate = Annotated[Fixed, AfterValidator(within(-0.5, 1, "a rate must lie between -0.5 and 1 a year"))]


class LostBy(Spec):
    """An outcome that undoes another one of the same person: a placement that breaks down."""

    outcome: Name
    """An outcome that undoes it."""
    within_months: TermMonths | None = None
    """Months after it was reached within which it can be lost; absent: always."""
    share_owed_back: _Share
    """Share of what was paid for it that is owed back; 0 where only what needs it is lost."""


class OutcomePrice(Spec):
    """A price of one outcome, and its cap."""

    price: Factor | None = None
    """Price for each person who reaches it, or for each unit; absent: `bands` give it, or the outcome is only `needs`, `lost_by` or
    `net_of` for others."""
    by_group: dict[Name, Factor] = {}
    """By group: another price."""
    by_wave: dict[Name, Factor] = {}
    """By wave: another price; that of a group takes precedence."""
    cap: Factor | None = None
    """The most that is paid for it, over all people and dates; absent: no cap."""


class CardPrice(OutcomePrice):
    """What is paid for one outcome, and for whom."""

    from_month: dict[int, Factor] = {}
    """By month from the start: a variation, the price of what is reached from that month on; it replaces `price`, not prices of
    groups or waves."""
    bands: Annotated[tuple[VolumeBand, ...], Field(strict=False)] = ()
    """Prices by volume, in place of `price`: of each person, or unit, beyond so many before, all people together in the order in
    which they come. The first begins beyond 0."""
    index_per_year: _Rate | None = None
    """Growth of the price at each full year from the start; absent: 0."""
    needs: NamesOrNone = ()
    """Other outcomes that the person must have reached; it is paid once all of them are."""
    lost_by: LostBy | None = None
    """How it can be lost again; absent: never."""
    each_time: bool = False
    """Whether a person is paid for each time, not the first time alone; not beside `lost_by`. Units are always added up."""
    beyond_units: Factor | None = None
    """Units of a person that must be reached before any is paid; absent: 0."""
    counted_back: bool = False
    """Whether all units from the first are paid once `beyond_units` are reached, not only those beyond."""
    net_of: NamesOrNone = ()
    """Outcomes whose units of the same person and month are taken off."""

    @model_validator(mode="after")
    def _one_price(self) -> CardPrice:
        if self.bands and (self.price is not None or self.by_group or self.by_wave or self.from_month):
            raise ValueError("a price must be one number, or `bands` by volume; found both")
        if not self.bands and self.price is None and (self.by_group or self.by_wave or self.from_month):
            raise ValueError("other prices must stand beside a `price`; found none. Write `price: 0` where nobody else is paid for")
        starts = [band.beyond.value for band in self.bands]
        if starts and (starts[0] != 0 or any(one >= other for one, other in pairwise(starts))):
            found = ", ".join(f"{start:g}" for start in starts)
            raise ValueError(f"bands by volume must begin beyond 0 and stand in order; found {found}")
        wrong = next((month for month in self.from_month if not 0 <= month <= 1200), None)
        if wrong is not None:
            raise ValueError(f"a price must hold from a month between 0 and 1200; found {wrong}")
        if self.counted_back and self.beyond_units is None:
            raise ValueError("`counted_back` must count back from `beyond_units`; found none")
        if self.lost_by is not None and (self.beyond_units is not None or self.each_time):
            found = "beyond_units" if self.beyond_units is not None else "each_time"
            raise ValueError(f"what is lost again must be reached once until then, by a person; found `lost_by` and `{found}`")
        return self

    @property
    def has_price(self) -> bool:
        """Whether anything is ever paid for it."""
        return self.price is not None or bool(self.bands)

    def findings(self, contract: Contract, name: str, key: str) -> Iterator[Finding]:
        """Find what the price of an outcome says that cannot be; `key`: where it stands."""
        has_units = name in contract.outcomes and contract.outcomes[name].has_units
        others = [(below, other) for below in ("needs", "net_of") for other in getattr(self, below)]
        for below, other in [*others, *([] if self.lost_by is None else [("lost_by.outcome", self.lost_by.outcome)])]:
            yield from _unknown(contract, other, f"{key}.{below}")
            if other == name:
                yield f"{key}.{below}", "must be another outcome", f"`{name}` itself", ""
        yield from _unknown_people(contract, key, self.by_group, self.by_wave)
        for below in ("beyond_units", "net_of") if not has_units else ("each_time", "lost_by"):
            if getattr(self, below):
                of_units, of_people = (
                    "units must be counted beyond others, or net of others",
                    "people reach an outcome again, or lose it",
                )
                unit = contract.outcomes[name].unit if name in contract.outcomes else ""
                found = f"`{below}` of an outcome in {unit}"
                yield f"{key}.{below}", of_people if has_units else of_units, found, "Leave it out, or say another `unit`"
        for other in self.net_of:
            if other in contract.outcomes and has_units and contract.outcomes[other].unit != contract.outcomes[name].unit:
                found = f"`{contract.outcomes[name].unit}` and `{contract.outcomes[other].unit}`"
                yield f"{key}.net_of", "units must be taken off units of the same kind", found, ""


class VariedPrice(OutcomePrice):
    """What a variation changes of what is paid for one outcome; all else stays.

    A new `price` replaces those of `from_month` too; groups and waves with prices of their own keep them.
    """

    @model_validator(mode="after")
    def _changes_something(self) -> VariedPrice:
        if not self.model_fields_set:
            raise ValueError("a variation must change a price or a cap; found neither")
        return self


class VariedCard(Spec):
    """What a variation changes of a card: prices of what is reached after its date, caps on later dates."""

    rate_card: dict[Name, VariedPrice] = {}
    """By outcome of the card: new prices of what is reached after the date."""
    cap_per_person: Factor | None = None
    """The most that is paid for one person, for what is reached after the date; absent: it stays."""
    cap_per_wave: dict[Name, Factor] = {}
    """By wave: the most on later dates; absent: they stay."""
    cap_per_year: Factor | None = None
    """The most in a budget year, on later dates; the card needs a `cap_per_year`; absent: it stays."""
    cap_in_all: Factor | None = None
    """The most under the card, on later dates; absent: it stays."""

    @model_validator(mode="after")
    def _changes_something(self) -> VariedCard:
        if not self.model_fields_set:
            raise ValueError("a variation must change prices or caps; found neither")
        return self


class BudgetYear(Spec):
    """The most that is paid in one budget year of the payer."""

    at_most: Factor
    """The most that is paid in a budget year."""
    from_month: TermMonths | None = None
    """Months from the start in which the first new budget year begins; others follow 12 months apart; absent: 12."""
    excess: Literal["lost", "carried_over"]
    """What exceeds it is `lost`, or `carried_over` to the same outcome on the next date."""


class Audit(Spec):
    """A sample of the claims of each date is verified; what proves false is not paid."""

    share: _Share
    """Share of claims that is verified."""
    extrapolated: bool = False
    """Whether the share of money found false is taken off all claims for that outcome on that date; otherwise only what was found
    is not paid."""


class Dispute(Spec):
    """Claims that are disputed are paid later."""

    share: _Share
    """Share of claims that is disputed."""
    later_by_months: TermMonths
    """Months by which these are validated later."""


class RateCard(Term):
    """A price for each outcome that a person reaches, paid on the first date on which it is validated.

    People are settled month by month. Each outcome is priced, held down by the cap of its person, and rounded to the smallest unit;
    then the amounts of each date are added up by outcome, and the caps of outcomes, waves, budget years and the whole follow.
    """

    key: ClassVar[str] = "rate_card"
    limit_keys: ClassVar[tuple[str, ...]] = ("cap_per_person", "cap_per_wave", "cap_per_year", "cap_in_all")
    looks_at_calendar: ClassVar[bool] = True
    may_stand_inside: ClassVar[bool] = False
    rate_card: Annotated[dict[Name, CardPrice], Field(min_length=1)]
    """By outcome: what is paid for it."""
    cap_per_person: Factor | None = None
    """The most that is paid for one person, in the order in which the person's outcomes are reached; absent: no cap."""
    cap_per_wave: dict[Name, Factor] = {}
    """By wave: the most that is paid for its people."""
    cap_per_year: BudgetYear | None = None
    """A limit by budget year of the payer; absent: no limit."""
    cap_in_all: Factor | None = None
    """The most that is paid under the card over all dates; absent: no cap."""
    open_at_end: Literal["lost", "paid"] = "lost"
    """What was reached by the last date but is validated later: `lost`, or `paid` on the last date."""
    audit: Audit | None = None
    """A sample of the claims is verified; what proves false is not paid."""
    dispute: Dispute | None = None
    """Some claims are disputed, and paid later."""
    varied: dict[Name, VariedCard] = {}
    """By variation of the contract: what it changes."""

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find outcomes and waves that there are not, prices that cannot be, and outcomes that need one another."""
        for name, one in self.rate_card.items():
            yield from _unknown(contract, name, f"{self.key}.{name}")
            yield from one.findings(contract, name, f"{self.key}.{name}")
        yield from _unknown_people(contract, "", {}, self.cap_per_wave, below="cap_per_wave")
        for variation, changed in self.varied.items():
            yield from self._variation(contract, variation, changed)
        circle = _circle({name: one.needs for name, one in self.rate_card.items()})
        if circle:
            yield (
                f"{self.key}.{circle[0]}.needs",
                "an outcome must not need itself",
                " needs ".join(circle),
                "Leave one of them out",
            )

    def _variation(self, contract: Contract, name: str, changed: VariedCard) -> Iterator[Finding]:
        """Find what a variation changes that is not there."""
        key = f"varied.{name}"
        if name not in contract.variations:
            way_out = one_of(contract.variations) or "It has no `variations`"
            yield key, "must be a variation of the contract", f"`{name}`", way_out
        for outcome, one in changed.rate_card.items():
            path = f"{key}.rate_card.{outcome}"
            if outcome not in self.rate_card:
                yield path, "must be an outcome of this card", f"`{outcome}`", one_of(self.rate_card)
            elif not self.rate_card[outcome].has_price:
                yield path, "a variation must change the price of an outcome that has one", f"`{outcome}` without a price", ""
            elif self.rate_card[outcome].bands and (one.price is not None or one.by_group or one.by_wave):
                yield path, "a variation must change one price; bands by volume stay", f"`{outcome}` with `bands`", "Vary its `cap`"
            yield from _unknown_people(contract, path, one.by_group, one.by_wave)
        yield from _unknown_people(contract, key, {}, changed.cap_per_wave, below="cap_per_wave")
        if changed.cap_per_year is not None and self.cap_per_year is None:
            rule = "a variation must change a cap that is there from the start, so that it is known what becomes of the excess"
            yield f"{key}.cap_per_year", rule, "no `cap_per_year` of the card", "Add it to the card, with a high `at_most`"

    @property
    def names_variations(self) -> tuple[str, ...]:
        """Return the variations that change it."""
        return tuple(self.varied)

    @property
    def prices_waves(self) -> bool:
        """Whether it has a cap, or an outcome a price, for the people of one wave."""
        has_caps = bool(self.cap_per_wave) or any(changed.cap_per_wave for changed in self.varied.values())
        return has_caps or any(one.by_wave for one in self.all_prices())

    def all_prices(self) -> list[OutcomePrice]:
        """List what it says of prices, as signed and as varied."""
        varied = [one for changed in self.varied.values() for one in changed.rate_card.values()]
        return [*self.rate_card.values(), *varied]

    def formula(self, scope: Scope) -> Register:
        """Compile what the card pays on this date; it is missing where it is not known whether a variation holds."""
        code, paid = scope.code, scope.code.column(CARD, scope.term, scope.due)
        for name in self.varied:
            held = scope.book.on_this_date.get(name)
            paid = paid if held is None else code.choose(held, paid, paid)
        return paid

    def inner_bound(self, scope: Scope) -> Register:
        """Compile which cap cut this date first."""
        code = scope.code
        first, bound = code.column(CARD_LIMIT, scope.term, scope.due), code.constant(float(FORMULA))
        for number, name in enumerate(CARD_LIMITS, 1):
            if self._may_cut(name):
                bound = code.choose(code.reaches(first, code.constant(float(number))), scope.limit(name), bound)
        return bound

    def _may_cut(self, limit: str) -> bool:
        if limit != "cap_per_outcome":
            return any(bool(getattr(one, limit)) for one in (self, *self.varied.values()))
        return any(one.cap is not None for one in self.all_prices())


def _unknown(contract: Contract, name: str, key: str) -> Iterator[Finding]:
    """Find an outcome that there is not."""
    if name not in contract.outcomes:
        yield key, "must be an outcome of the contract", f"`{name}`", one_of(contract.outcomes) or "It has no `outcomes`"


def _unknown_people(
    contract: Contract, key: str, groups: Collection[str], waves: Collection[str], below: str = ""
) -> Iterator[Finding]:
    """Find groups and waves that there are not."""
    for noun, names, known in (("group", groups, contract.groups), ("wave", waves, contract.waves)):
        for one in names:
            if one not in known:
                path = f"{key}.{below or f'by_{noun}'}.{one}".lstrip(".")
                yield path, f"must be a {noun} of the contract", f"`{one}`", one_of(known) or f"It has no `{noun}s`"


def _circle(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Find outcomes that need one another, the first one again at the end; nothing where there are none."""
    finished: set[str] = set()
    for start in needs:
        way, todo = [start], [list(needs[start])]
        while way and start not in finished:
            if not todo[-1]:
                finished.add(way.pop())
                todo.pop()
                continue
            other = todo[-1].pop()
            if other in way and other in needs:
                return [*way[way.index(other) :], other]
            if other in needs and other not in finished:
                way.append(other)
                todo.append(list(needs[other]))
    return []


class NumberReached(Term):
    """How many people, or units, have reached some outcomes, validated by this date: for gates, shares, prices, derived metrics."""

    key: ClassVar[str] = "reached"
    looks_at_calendar: ClassVar[bool] = True
    reached: Names
    """How many people, or units, have reached these outcomes, validated by the date; several are added up. For gates, shares and
    derived metrics."""
    since: Literal["start", "last_date"] = "start"
    """Since the `start`, or since the `last_date` of the contract."""
    per_person: bool = False
    """Whether it is divided by all people."""

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find outcomes that there are not, and shares of people in outcomes that count units."""
        for name in self.reached:
            yield from _unknown(contract, name, self.key)
        for name in self.reached if self.per_person else ():
            if name in contract.outcomes and contract.outcomes[name].has_units:
                rule, found = (
                    "a share of people must be of those who reached an outcome",
                    f"`{name}` in {contract.outcomes[name].unit}",
                )
                yield "per_person", rule, found, "Leave `per_person` out"

    @property
    def counted_outcomes(self) -> tuple[str, ...]:
        """Return the outcomes that it names."""
        return tuple(self.reached)

    def formula(self, scope: Scope) -> Register:
        """Compile the number, or the number divided by all people."""
        waves = range(len(scope.contract.waves) or 1)
        if scope.wave is not None:
            waves = range(0 if scope.is_cumulative else scope.wave, scope.wave + 1)
        code = scope.code
        number = code.add(
            *(code.column(REACHED, name, wave, scope.due, self.since == "last_date") for name in self.reached for wave in waves)
        )
        if not self.per_person:
            return number
        return code.divide(number, code.add(*(code.column(PEOPLE_COUNTED, wave) for wave in waves)))
