"""What may be asked about value: what an outcome is worth to a party, and what of that counts."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from simengine.distributions import Count, Name, NotNegative, Probability, Quantity, Spec, within


class ValuePrice(Spec):
    """What an outcome is worth to one party. Every factor is a number of its own, drawn per replication; absent, it changes nothing."""

    value_per_unit: Quantity | None = None
    """What one unit of the outcome is worth, in the study's currency; absent: 1 for an outcome of kind `amount`; else needed."""
    share: Probability | None = None
    """Share of the outcome that is this party's; absent: 1."""
    share_after_transfer: Probability | None = None
    """This party's share of outcomes after a person has moved out of the area, for an outcome that adds up over time; absent: 1."""
    better: Literal["lower", "higher"] | None = None
    """Which direction is a gain for the party; absent: `lower` for an outcome of kind `amount`; else needed."""
    cashable_share: Probability | None = None
    """Share of the value that can be released as cash; absent: 1 for an outcome of kind `amount`; else needed."""
    lag_months: NotNegative | None = None
    """Months from the value to its release as cash; absent: 0."""
    years: Annotated[Count, AfterValidator(within(1, 100, "a stream must last from 1 to 100 years"))] | None = None
    """For an outcome that is read once: years from then on in each of which the value arises; absent: it arises once."""
    deadweight: Probability | None = None
    """Share of the gain that would have happened anyway, in addition to what the twin shows; absent: 0."""
    attribution: Probability | None = None
    """Share of the gain that is due to this service; absent: 1."""
    displacement: Probability | None = None
    """Share of the gain that is offset by losses of other people; absent: 0."""
    drop_off_per_year: Probability | None = None
    """Share of the gain that is lost from each year to the next; absent: 0."""
    optimism_bias: Probability | None = None
    """Share by which such values have turned out lower than foreseen; absent: 0."""


PublicPrices: TypeAlias = dict[Name, dict[Name, ValuePrice]]
"""By outcome, then by party."""
