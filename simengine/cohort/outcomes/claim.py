"""A claim: what a rate card pays for a person."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from simengine.cohort.kernels.accumulate import settle_claims
from simengine.cohort.outcomes.base import Batch, NamedStates, OutcomeKind, OutcomeReading, OutcomeScaleName, OutcomeUnit, PriceList
from simengine.distributions import FixedNotNegative, Name
from simengine.distributions.spans import Span


class Claim(OutcomeKind):
    """What a rate card pays for a person: the prices of the milestones reached, up to a cap per person."""

    scale: ClassVar[OutcomeScaleName] = "amount"
    unit: ClassVar[OutcomeUnit] = "money or points"
    reading: ClassVar[OutcomeReading] = "within_a_window"
    has_zero: ClassVar[bool] = True
    is_known_before_entry: ClassVar[bool] = True
    can_be_recounted: ClassVar[bool] = False
    rests_on_rule: ClassVar[str] = "a claim pays for outcomes that are yes or no: binary, reached or target"

    kind: Literal["claim"]
    prices: Annotated[dict[Name, FixedNotNegative], Field(min_length=1, max_length=10)]
    """By milestone: its price, for 1 to 10 outcomes that are `binary`, `reached` or `target`."""
    cap_per_person: FixedNotNegative | None = None
    """The most that is paid for one person; absent: no cap."""

    @property
    def named(self) -> NamedStates:
        """The milestones."""
        return NamedStates(outcomes={f"prices.{milestone}": (milestone,) for milestone in self.prices})

    def may_rest_on(self, other: OutcomeKind) -> bool:
        """On a yes or no."""
        return other.is_yes_or_no

    @property
    def without_moments(self) -> str | None:
        """Nobody has worked them out."""
        return f"of kind {self.kind}"

    @property
    def price_list(self) -> PriceList:
        """The prices, and the cap."""
        return PriceList(self.prices, self.cap_per_person)

    def span(self, window_months: float) -> Span:
        """From nothing to all milestones, or the cap."""
        del window_months
        most = sum(price.value for price in self.prices.values())
        return 0.0, most if self.cap_per_person is None else min(most, self.cap_per_person.value)

    def derive(self, name: str, of: Batch) -> None:
        """Price the milestones that each person reached, and tally people by combination of them."""
        milestones = np.array([of.place_of(milestone) for milestone in self.prices], dtype=np.int64)
        prices = self.price_list.by_combination()
        settle_claims(of.place_of(name), milestones, prices, of.people, of.windows, of.total, of.combinations[name])
