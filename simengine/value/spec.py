"""What may be asked about value: what an outcome is worth to a party, and what of that counts."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from simengine.distributions import Count, Name, NotNegative, Probability, Quantity, Spec, within


class ValuePrice(Spec):
    """What an outcome is worth to one party. Every factor is a number of its own, drawn per replication; absent, it changes nothing."""

    value_per_unit: Quantity | None = None
    """In the study's currency, per unit of the outcome; absent: 1, for an outcome that is money."""
    share: Probability | None = None
    """Share of the outcome that is this party's; absent: all."""
    share_after_transfer: Probability | None = None
    """Share of it that is still this party's once a person has moved out of the area; absent: all."""
    better: Literal["lower", "higher"] | None = None
    """Which way the party gains; absent: lower, for an outcome that is money."""
    cashable_share: Probability | None = None
    """Share of the value that can be released as cash; absent: all, for an outcome that is money."""
    lag_months: NotNegative | None = None
    """Months from the value to its release as cash; absent: 0."""
    years: Annotated[Count, AfterValidator(within(1, 100, "a stream lasts from 1 to 100 years"))] | None = None
    """For an outcome that is read once: the years from then on in each of which the value arises; absent: once, when it is read."""
    deadweight: Probability | None = None
    """Share of the gain that would have come anyway, beyond what the twin shows."""
    attribution: Probability | None = None
    """Share of the gain that is due to this service, not to others."""
    displacement: Probability | None = None
    """Share of the gain that other people lose by it."""
    drop_off_per_year: Probability | None = None
    """Share of the gain that is lost from each year to the next."""
    optimism_bias: Probability | None = None
    """Share by which values of this kind have turned out lower than foreseen."""


PublicPrices: TypeAlias = dict[Name, dict[Name, ValuePrice]]
"""By outcome, then by party."""
