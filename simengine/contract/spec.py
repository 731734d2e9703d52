"""What a contract may say: terms that turn measured outcomes and money moved into payments.

A contract is a list of terms, each a small frozen value, each made of smaller ones. Terms are data: no text of a contract is
ever evaluated as a program, and no contract has a line of code of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from simengine.contract.scope import DRAWN, MONEY, OUTSTANDING, RETURNED
from simengine.contract.terms import AnyTerm, Gate, Source, Term
from simengine.contract.terms.base import TermLevel, TermMonths
from simengine.distributions import Count, CurrencyCode, Fixed, FixedNotNegative, Name, Names, NamesOrNone, Spec, within
from simengine.records import OUTCOME_PAYER, ROLES

__all__ = ["DRAWN", "MONEY", "OUTSTANDING", "RETURNED", "Contract", "Due", "MetricUse", "PublishedCase", "Stop"]

MOST_DATES = 400
_Share = Annotated[Fixed, AfterValidator(within(0, 1, "a share must lie between 0 and 1"))]


class MetricUse(Spec):
    """What the contract needs to know of a metric."""

    meaning: str
    """What is measured, in words."""
    unit: str
    """Its unit: one of the words for units, or any other text."""
    evaluator: str | None = None
    """Who measures it."""
    derived: Source | None = None
    """How it follows from metrics above it, such as a weighted mean of two estimates; it is then not measured by itself."""
    measured_on: NamesOrNone = ()
    """Dates, or dates that repeat, for each of which it is measured anew, as `<metric>_1`, `<metric>_2` and so on; absent: measured
    once."""
    counts: Literal["so_far", "since_last"] = "so_far"
    """Of one that is measured anew: `so_far`, the latest measurement, or `since_last`, by how much it exceeds the one before."""

    @model_validator(mode="after")
    def _anew(self) -> MetricUse:
        if self.counts == "since_last" and not self.measured_on:
            raise ValueError("a metric that counts `since_last` must be measured anew; found no `measured_on`")
        return self

    def each(self, name: str, dates: list[str], first: str) -> dict[str, MetricUse]:
        """Return what is measured for each of some dates, and how it follows from that; `first`: the first date of the contract.

        Before the second date the first measurement counts, so that nothing can be paid before it is known.
        """
        names = [f"{name}_{number}" for number in range(1, len(dates) + 1)]
        plain = {"measured_on": (), "counts": "so_far"}
        whole_part = {"value": 1, "certainty": "choice", "note": "all that came about since the measurement before"}
        latest: dict[str, object] = {first: names[0]}
        for date, one, before in zip(dates[1:], names[1:], names, strict=False):
            latest[date] = one if self.counts == "so_far" else {"share": whole_part, "of": one, "above": before}
        whole = MetricUse.model_validate(
            {"meaning": self.meaning, "unit": self.unit, "over_waves": self.over_waves, "derived": {"in_force_from": latest}}
        ).model_copy(update={"measured_on": self.measured_on, "counts": self.counts})
        return {one: self.model_copy(update=plain) for one in names} | {name: whole}

    over_waves: Literal["mean", "sum"] = "mean"
    """How waves are combined into a cumulative metric: `mean`, weighted by people, or `sum`."""
    when_missing: TermLevel | None = None
    """The value used if it was not measured; absent: a settlement without it is refused."""


class OutcomeUse(Spec):
    """An outcome that is counted person by person, when it is reached."""

    meaning: str
    """What counts, and what proves it."""
    unit: str = "people"
    """`people`: each person counts once, or each time; or what is counted so many of, such as `days`."""
    evaluator: str | None = None
    """Who validates it."""
    validated_after_months: TermMonths | None = None
    """Months from the end of the month in which it was reached until it is validated and may be paid; absent: 0."""

    @property
    def has_units(self) -> bool:
        """Whether units are added up, and not people counted."""
        return self.unit != "people"


class Due(Spec):
    """A date on which the contract pays, or on which money is paid in; or dates that repeat."""

    month: TermMonths | None = None
    """Months from the start; absent: the date repeats."""
    drawn: _Share | None = None
    """The share of the money drawn that the investor pays in on this date, for a replay; all shares add up to 1. In a study they
    must be what the study draws; absent: a study says when, and a replay assumes that all is paid in at the start."""
    every_months: Annotated[Count, AfterValidator(within(1, 1200, "dates must repeat every 1 to 1200 months"))] | None = None
    """Months between dates that repeat, named after it with a number from 1 on: `quarter_1`, `quarter_2`; absent: a single date."""
    from_month: TermMonths | None = None
    """The first of the dates that repeat; absent: one interval after the start."""
    until_month: TermMonths | None = None
    """The last month in which one of the dates that repeat may lie; needed for them."""

    @model_validator(mode="after")
    def _one_form(self) -> Due:
        repeats = {key: getattr(self, key) for key in ("every_months", "from_month", "until_month")}
        given = [key for key, value in repeats.items() if value is not None]
        if (self.month is None) == (not given):
            found = "neither" if self.month is None else f"`month` and {', '.join(given)}"
            raise ValueError(f"a date must have a `month`, or repeats: `every_months` until `until_month`; found {found}")
        if given and (self.every_months is None or self.until_month is None):
            raise ValueError(f"dates that repeat must have `every_months` and `until_month`; found {', '.join(given)} alone")
        if given and self.drawn is not None:
            raise ValueError("the investor must pay in on a single date; found `drawn` on dates that repeat")
        if given and self.until_month is not None and self.until_month.value < self.months()[0]:
            raise ValueError(f"dates must end after they begin; found {self.months()[0]:g} to {self.until_month.value:g}")
        return self

    def months(self) -> list[float]:
        """List the months in which it lies: one, or those of dates that repeat."""
        if self.month is not None:
            return [self.month.value]
        # Both are there where no month is: see above.
        every, until = (getattr(self, key).value for key in ("every_months", "until_month"))
        first = every if self.from_month is None else self.from_month.value
        return [first + i * every for i in range(max(int((until - first) // every), 0) + 1)]


@dataclass(frozen=True)
class CalendarDate:
    """One date of the contract."""

    month: float
    """Months from the start."""
    drawn: float | None
    """The share of the money drawn that the investor pays in."""


class Stop(Spec):
    """A right to end the contract early: after this date only terms with `despite_stop` pay."""

    at: Name
    """The date on which it is decided."""
    only_if: Annotated[dict[Name, Gate], Field(min_length=1)]
    """By metric or money: the contract is stopped if all these gates are open."""
    by: Names
    """The parties who decide; several decide together."""


class Variation(Spec):
    """A change of the contract that is agreed before signing: it holds after its date, or only where a level is reached by then."""

    at: Name
    """The date on which it is decided, after which it holds."""
    only_if: dict[Name, Gate] = {}
    """By metric: it holds if all these gates are open; without gates in any case."""


class PublishedCount(Spec):
    """How many people reached an outcome in a month, or how many units of it."""

    outcome: Name
    """The outcome."""
    month: TermMonths
    """The month at whose end it was reached, from the start."""
    number: FixedNotNegative
    """Number of people, or of units."""
    wave: Name | None = None
    """The wave whose it is."""
    group: Name | None = None
    """The group whose it is."""


class PublishedCase(Spec):
    """What is known to have happened: outcomes that were measured, and what was paid on them."""

    outcome: dict[str, TermLevel] = {}
    """By metric or `metric.wave`: what was measured; also `people.wave`, and combinations of milestones such as `entry+job`;
    absent: outcomes are `reached`."""
    reached: Annotated[tuple[PublishedCount, ...], Field(strict=False)] = ()
    """For rate cards: outcomes counted person by person, as so many different people."""
    drawn: FixedNotNegative | None = None
    """The money drawn; absent: all of the commitment."""
    date: Name | None = None
    """The date whose payments count; nothing later is settled; absent: all dates."""
    terms: NamesOrNone = ()
    """The terms that count; absent: all."""
    paid: TermLevel | None = None
    """The payment; if terms pay in opposite directions, the investor's net; absent: not published."""
    compares: Literal["amount", "whether_paid"] = "amount"
    """`whether_paid` if only that is known: `paid` is then 1 or 0."""
    rounded_to: FixedNotNegative | None = None
    """Rounding unit of the published figure; absent: the smallest unit of the currency."""
    basis: Literal["strict", "form guessed", "expressiveness"]
    """How the rule is known: `strict`, without looking at the payment; `form guessed`, after seeing it, without a free number;
    `expressiveness`, with a number that was fitted or assumed."""
    note: str | None = None
    """The arithmetic, or open questions."""

    @model_validator(mode="after")
    def _says_what_happened(self) -> PublishedCase:
        if not self.outcome and not self.reached:
            raise ValueError("a published case must have an `outcome`, or outcomes `reached`; found neither")
        return self


class Contract(Spec):
    """An outcome contract: what is measured, what is lent, what is paid."""

    title: str
    """Name of the contract."""
    currency: CurrencyCode
    """Currency of all money in it, the same as the study's; every payment is rounded to its smallest unit."""
    commitment: Annotated[Fixed, AfterValidator(within(0, 1e15, "a commitment must lie between 0 and 1e15"))]
    """The most that the investor lends."""
    metrics: dict[Name, MetricUse] = {}
    """Outcomes that are estimated, to which terms may refer, by names of your choice."""
    terms: Annotated[dict[Name, AnyTerm], Field(min_length=1)]
    """The payments, by names of your choice, in the order in which they are settled."""
    parties: dict[Name, str] = {}
    """By name: a party besides `investor`, `outcome_payer` and `service_provider`, in words."""
    dates: dict[Name, Due] = {}
    """When the contract pays, in order; absent: each term is settled once, and the study says when it is paid."""
    waves: dict[Name, str] = {}
    """By wave: in words, the people that terms distinguish, in order; in a study the waves of its population."""
    milestones: dict[Name, str] = {}
    """By milestone: in words, what a person may reach, in order, at most six; in a study an outcome of kind `claim` counts the same
    ones."""
    outcomes: dict[Name, OutcomeUse] = {}
    """Outcomes that are counted person by person, for rate cards, at most 64; those of one person and month are settled in this
    order."""
    groups: dict[Name, str] = {}
    """By group: in words, the people whose prices a rate card tells apart; in a study strata of the population."""
    stops: dict[Name, Stop] = {}
    """Rights to end the contract early, by names of your choice: after the date of one only terms with `despite_stop` pay."""
    variations: dict[Name, Variation] = {}
    """Changes on the way that are agreed before signing, by names of your choice: rate cards and gates refer to them."""
    total_cap: Source | None = None
    """The most that the outcome payer pays under all terms; later payments are cut first."""
    published: dict[Name, PublishedCase] = {}
    """By case: what was measured and paid, as published; the engine must say the same."""
    sources: dict[str, str] = {}
    """By code that `source:` uses: title and address."""
    explained: dict[str, str] = {}
    """By rule of the contract check: why the wording is kept. A rule without a finding is refused."""

    @model_validator(mode="after")
    def _dates_in_order(self) -> Contract:
        names = [date for name in self.dates for date in self.dates_named(name)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"each date must have a name of its own; found `{twice}` twice, once of dates that repeat")
        if len(names) > MOST_DATES:
            raise ValueError(f"a contract must have at most {MOST_DATES} dates; found {len(names)}")
        months = [(name, due.month.value) for name, due in self.dates.items() if due.month is not None]
        wrong = next((pair for pair in pairwise(months) if pair[0][1] >= pair[1][1]), None)
        if wrong is not None:
            (one, month), (other, later) = wrong
            found = f"`{other}` in month {later:g} after `{one}` in month {month:g}"
            way_out = "Exchange them" if later < month else "Give one of them another month"
            said = f"dates must stand in the order of their months; found {found}. {way_out}"
            raise PydanticCustomError("value_error", said, {"below": ("dates", other)})
        every = [date.month for date in self.calendar.values()]
        again = next((one for one, other in pairwise(every) if one == other), None)
        if again is not None:
            raise ValueError(f"one date must lie in one month, so that nothing is paid twice; found two in month {again:g}")
        shares = [due.drawn.value for due in self.dates.values() if due.drawn is not None]
        if shares and abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"the shares that are drawn on dates must add up to 1; found {sum(shares):g}")
        return self

    @model_validator(mode="after")
    def _measured_anew(self) -> Contract:
        """Write out metrics that are measured anew: each measurement, and which of them counts when."""
        every: dict[str, MetricUse] = {}
        for name, use in self.metrics.items():
            is_written_out = use.derived is not None and f"{name}_1" in self.metrics
            dates = [date for one in use.measured_on for date in self.dates_named(one)]
            if use.measured_on and use.derived is not None and not is_written_out:
                raise ValueError(f"a metric must be measured anew, or derived from others; found both of `{name}`")
            unknown = next((date for date in dates if date not in self.calendar), None)
            if unknown is not None:
                raise ValueError(f"`measured_on` of `{name}` must name dates of the contract; found `{unknown}`")
            if sorted(dates, key=list(self.calendar).index) != dates or len(set(dates)) != len(dates):
                raise ValueError(f"the dates of `measured_on` must stand once, in order; found {', '.join(dates)} for `{name}`")
            is_plain = is_written_out or not dates
            new = {name: use} if is_plain else use.each(name, dates, next(iter(self.calendar)))
            twice = next((one for one in new if one in every or (one != name and one in self.metrics)), None)
            if twice is not None:
                raise ValueError(
                    f"each metric must have a name of its own; found `{twice}` twice, once of one that is measured anew"
                )
            every |= new
        # Written out in place: nobody has seen the contract yet.
        self.__dict__["metrics"] = every
        return self

    @cached_property
    def calendar(self) -> dict[str, CalendarDate]:
        """Every date by its name, in order of time; dates that repeat are written out."""
        dates = [
            (date, CalendarDate(month, None if due.drawn is None else due.drawn.value))
            for name, due in self.dates.items()
            for date, month in zip(self.dates_named(name), due.months(), strict=True)
        ]
        return dict(sorted(dates, key=lambda one: one[1].month))

    @cached_property
    def programs(self) -> dict[tuple[str | None, tuple[int, ...] | None], Any]:
        """What it was compiled to, by the date and the months of drawing that were asked for: see `compile_contract`."""
        return {}

    @property
    def measured_for(self) -> dict[str, str]:
        """Of each measurement of a metric that is measured anew: the metric."""
        return {
            f"{name}_{number}": name
            for name, use in self.metrics.items()
            for number in range(1, 1 + sum(len(self.dates_named(date)) for date in use.measured_on))
        }

    def decisive_gates(self) -> Iterator[tuple[str, str, Gate]]:
        """Yield the gates that decide about stops and variations, each with its path and the metric or money that it looks at."""
        for section in ("stops", "variations"):
            for name, one in getattr(self, section).items():
                for metric, gate in one.only_if.items():
                    yield f"{section}.{name}.only_if.{metric}", metric, gate

    def dates_named(self, name: str) -> list[str]:
        """List the dates for which a name stands: its own, or all of the dates that repeat under it."""
        due = self.dates.get(name)
        if due is None or due.month is not None:
            return [name]
        return [f"{name}_{number}" for number in range(1, len(due.months()) + 1)]

    def dates_of(self, term: Term) -> list[str]:
        """List the dates on which a term is settled; nothing where the contract has no dates."""
        return [date for name in term.at for date in self.dates_named(name)] or list(self.calendar)

    def month_of(self, date: str) -> float:
        """Return the month of a date."""
        return self.calendar[date].month

    def calls(self) -> list[tuple[float, float]]:
        """List when the investor pays in which share of the money drawn: all of it at the start, unless dates say otherwise."""
        called = [(date.month, date.drawn) for date in self.calendar.values() if date.drawn is not None]
        return called or [(0.0, 1.0)]

    def paid_for_outcomes(self) -> dict[str, int]:
        """Say which contingent terms are payment for outcomes, and in which direction.

        Returns
        -------
        By term: 1 where the outcome payer pays, -1 where money comes back to it. A term between others is no payment for outcomes,
        and is left out, unless no contingent term moves the outcome payer's money: then all of them count.
        """
        contingent = {name: term for name, term in self.terms.items() if term.contingent}
        signs = {name: (term.payer == OUTCOME_PAYER) - (term.payee == OUTCOME_PAYER) for name, term in contingent.items()}
        counted = {name: sign for name, sign in signs.items() if sign}
        return counted or dict.fromkeys(contingent, 1)

    def all_parties(self) -> list[str]:
        """List the names of all parties."""
        return [*ROLES, *self.parties]

    def inputs(self) -> list[str]:
        """List the metrics that somebody must measure."""
        return [name for name, use in self.metrics.items() if use.derived is None]
