"""What a contract may say: terms that turn measured outcomes and money drawn into payments.

Every term is one formula, `share x (of - above)`, held between a floor and a cap and paid only while its gates are open.
Terms are data: no text of a contract is ever evaluated as a program, and no contract has a line of code of its own.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from simengine.laws import Fixed, FixedNotNegative, Spec, within

DRAWN = "drawn"
"""The name by which terms refer to the money that the investor has paid in."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Currency = Annotated[Fixed, AfterValidator(within(-1e15, 1e15, "an amount of money lies within 1e15 either way"))]


class Part(Spec):
    """A share of the drawn money or of a metric; or a sum of money, written as a bare number."""

    share: FixedNotNegative | None = None
    of: Name | None = None
    amount: Currency | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_number(cls, raw: Any) -> Any:
        return {"amount": raw} if isinstance(raw, int | float) and not isinstance(raw, bool) else raw

    @model_validator(mode="after")
    def _one_form(self) -> Part:
        if (self.amount is None) != (self.share is not None and self.of is not None):
            raise ValueError("a part is either a number or a `share` and what it is a share `of`")
        return self


class Gate(Spec):
    """A condition on one metric."""

    above: Fixed | None = None
    at_least: Fixed | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Gate:
        if (self.above is None) == (self.at_least is None):
            raise ValueError("a gate is given by either `above` (the edge does not pay) or `at_least` (the edge pays)")
        return self


class Term(Spec):
    """One payment: `min(max(share x (of - above), floor), cap)`, and 0 while a gate is shut."""

    share: FixedNotNegative
    of: Name
    """`drawn` or a metric of the contract."""
    above: Part | None = None
    """Only what exceeds this is shared."""
    floor: Part | None = None
    cap: Part | None = None
    only_if: dict[Name, Gate] = {}
    """By metric: all gates must be open."""
    contingent: bool = True
    """Whether the payment depends on outcomes; a guarantee does not."""


class MetricUse(Spec):
    """What the contract needs to know of a metric."""

    meaning: str
    unit: str


class Contract(Spec):
    """An outcome contract: what is measured, what is lent, what is paid."""

    title: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    commitment: Annotated[Fixed, AfterValidator(within(0, 1e15, "a commitment lies between 0 and 1e15"))]
    """The most that the investor lends."""
    metrics: Annotated[dict[Name, MetricUse], Field(min_length=1)]
    terms: Annotated[dict[Name, Term], Field(min_length=1)]
    sources: dict[str, str] = {}
    """Titles and addresses by the codes that `source:` uses."""
