"""What may be asked of the money: who pays it in, when it is drawn, when it comes back, who saves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from simengine.laws import FixedNotNegative, NotNegative, Probability, Quantity, Spec, within


class Party(Spec):
    """Somebody whose money moves."""

    name: str
    discount_rate_per_year: Annotated[FixedNotNegative, AfterValidator(within(0, 1, "a discount rate lies between 0 and 1 a year"))]


class Parties(Spec):
    """Who invests, who pays for outcomes, who delivers."""

    investor: Party
    outcome_payer: Party
    service_provider: Party


class Capital(Spec):
    """How the loan is drawn and repaid."""

    drawn_share: Probability
    """Share of the commitment that is drawn."""
    drawdown_months: Annotated[Quantity, AfterValidator(within(1, 600, "drawdown takes from 1 to 600 months"))]
    """Months from the start over which it is drawn in equal parts."""
    payment_month: dict[str, NotNegative] = {}
    """By term: the month, counted from the start, in which it is paid; for a contract that names no dates itself."""


class Saving(Spec):
    """Who gains when an amount falls: the outcome payer, so far the only party whose savings are counted."""

    party: Literal["outcome_payer"]
