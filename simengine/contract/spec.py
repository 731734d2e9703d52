"""What a contract may say: terms that turn measured outcomes and money moved into payments.

A contract is a list of terms, each a small frozen value, each made of smaller ones. Terms are data: no text of a contract is
ever evaluated as a program, and no contract has a line of code of its own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.contract.scope import DRAWN, MONEY, OUTSTANDING, RETURNED
from simengine.contract.terms import AnyTerm, Gate, Source
from simengine.contract.terms.base import TermLevel, TermMonths
from simengine.distributions import CurrencyCode, Fixed, FixedNotNegative, Name, Names, NamesOrNone, Spec, within
from simengine.records import OUTCOME_PAYER, ROLES

__all__ = ["DRAWN", "MONEY", "OUTSTANDING", "RETURNED", "Contract", "Due", "MetricUse", "PublishedCase", "Stop"]

_Share = Annotated[Fixed, AfterValidator(within(0, 1, "a share must lie between 0 and 1"))]


class MetricUse(Spec):
    """What the contract needs to know of a metric."""

    meaning: str
    unit: str
    evaluator: str | None = None
    """Who measures it."""
    derived: Source | None = None
    """How it follows from other metrics; then nobody measures it by itself."""
    over_waves: Literal["mean", "sum"] = "mean"
    """How waves add up to a cumulative metric: a mean weighted by people, or a sum."""
    when_missing: TermLevel | None = None
    """What counts in its place where it was not measured; if absent, such a settlement is refused."""


class Due(Spec):
    """A date on which the contract pays, or on which money is paid in."""

    month: TermMonths
    """Months from the start."""
    drawn: _Share | None = None
    """The share of the money drawn that the investor pays in on this date."""


class Stop(Spec):
    """A right to end the contract early: after this date only terms with `despite_stop` pay."""

    at: Name
    """The date on which it is decided."""
    only_if: Annotated[dict[Name, Gate], Field(min_length=1)]
    """By metric or money: it is stopped where all gates are open."""
    by: Names
    """The parties who decide; all of them together."""


class PublishedCase(Spec):
    """What is known to have happened: outcomes that were measured, and what was paid on them."""

    outcome: Annotated[dict[str, TermLevel], Field(min_length=1)]
    """By metric, or by metric.wave."""
    drawn: FixedNotNegative | None = None
    """The money drawn; all of the commitment if absent."""
    date: Name | None = None
    """The date whose payments count; nothing later is settled. All dates if absent."""
    terms: NamesOrNone = ()
    """The terms that count; all terms if absent."""
    paid: TermLevel | None = None
    """What was paid; absent where it was not published."""
    compares: Literal["amount", "whether_paid"] = "amount"
    """`whether_paid`: only whether anything was paid is known: 1, or 0."""
    rounded_to: FixedNotNegative | None = None
    """What the published figure is rounded to; if absent, the smallest unit of the currency."""
    basis: Literal["strict", "form guessed", "expressiveness"]
    """How the rule is known: without looking at the payment; its form after seeing it, without a free number; or with a number
    that was fitted or assumed."""
    note: str | None = None


class Contract(Spec):
    """An outcome contract: what is measured, what is lent, what is paid."""

    title: str
    currency: CurrencyCode
    commitment: Annotated[Fixed, AfterValidator(within(0, 1e15, "a commitment must lie between 0 and 1e15"))]
    """The most that the investor lends."""
    metrics: dict[Name, MetricUse]
    terms: Annotated[dict[Name, AnyTerm], Field(min_length=1)]
    parties: dict[Name, str] = {}
    """Further parties besides investor, outcome payer and service provider, in words."""
    dates: dict[Name, Due] = {}
    """In order; without any, every term is settled once and the study says when it is paid."""
    waves: dict[Name, str] = {}
    """The waves of people that terms may tell apart, in words, in their order."""
    milestones: dict[Name, str] = {}
    """The milestones that a person may reach, in words, in their order."""
    stops: dict[Name, Stop] = {}
    total_cap: Source | None = None
    """The most that the outcome payer pays under all terms together; later payments are cut first."""
    published: dict[Name, PublishedCase] = {}
    """What is known to have been measured and paid: the engine must say the same."""
    sources: dict[str, str] = {}
    """Titles and addresses by the codes that `source:` uses."""
    explained: dict[str, str] = {}
    """By rule of the contract check: why the wording stays as it is."""

    @model_validator(mode="after")
    def _dates_in_order(self) -> Contract:
        months = [due.month.value for due in self.dates.values()]
        if any(one >= other for one, other in pairwise(months)):
            raise ValueError(f"dates stand in their order, one after the other; found months {', '.join(f'{m:g}' for m in months)}")
        shares = [due.drawn.value for due in self.dates.values() if due.drawn is not None]
        if shares and abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"the shares that are drawn on dates add up to 1; found {sum(shares):g}")
        return self

    def month_of(self, date: str) -> float:
        """Return the month of a date."""
        return self.dates[date].month.value

    def calls(self) -> list[tuple[float, float]]:
        """List when the investor pays in which share of the money drawn: all of it at the start, unless dates say otherwise."""
        called = [(due.month.value, due.drawn.value) for due in self.dates.values() if due.drawn is not None]
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
