"""What may be asked of the money: who pays it in, when it is drawn, when it comes back, who saves."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from simengine.laws import FixedNotNegative, Name, NotNegative, Probability, Quantity, Spec, within


class Party(Spec):
    """Somebody whose money moves."""

    name: str
    discount_rate_per_year: Annotated[FixedNotNegative, AfterValidator(within(0, 1, "a discount rate lies between 0 and 1 a year"))]


def _has_roles(parties: dict[str, Party]) -> dict[str, Party]:
    missing = [role for role in ROLES if role not in parties]
    if missing:
        raise ValueError(f"every study has the parties {', '.join(ROLES)}; missing: {', '.join(missing)}")
    return parties


ROLES = ("investor", "outcome_payer", "service_provider")
"""The parties that every contract speaks of."""
Parties: TypeAlias = Annotated[dict[Name, Party], AfterValidator(_has_roles)]
"""By name: whose money moves; beside the three roles as many others as one likes."""


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
