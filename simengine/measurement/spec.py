"""What may be asked of the evaluator: against whom the service users are compared, and what is estimated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from simengine.laws import Constant, Count, Months, Quantity, Spec, within


class Baseline(Spec):
    """The earlier people with whom the service users are compared."""

    size: Annotated[Count, AfterValidator(within(2, 1e9, "a baseline group has at least two people"))]
    years_before: Annotated[Quantity, AfterValidator(within(0, 200, "the years between two groups lie between 0 and 200"))]
    """Years between the two groups' entries."""


class Metric(Spec):
    """One number that the contract may pay on."""

    outcome: str
    window_months: Months
    """Months after each person's entry that are counted."""
    estimate: Literal["total_difference", "rate_difference"]
    """`total_difference`: the baseline's mean per person times the number of service users, against their total.
    `rate_difference`: the two shares (or means), one minus the other."""
    better: Literal["lower", "higher"]
    """Which way is an improvement; the estimate is positive when the service users did better."""
    drift_per_year: Quantity = Constant(value=0.0, certainty="choice", note="the default: no drift")
    """Yearly growth, on the logarithmic scale, of the untreated level (of the odds, for a binary outcome) between the two
    groups for which the evaluator does not correct."""


class Protocol(Spec):
    """The evaluation that the contract prescribes."""

    design: Literal["historical"]
    baseline: Baseline
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]
