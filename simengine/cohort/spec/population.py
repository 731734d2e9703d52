"""Who enters: waves, strata, history, selection, participation, and differences between people."""

from __future__ import annotations

from math import floor
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from simengine.cohort.spec.names import OneOrMore, PositiveFixed
from simengine.cohort.spec.pathway import Pace
from simengine.distributions import Constant, Count, Name, NotNegative, Number, Probability, Quantity, Share, Spec, within


def _people(quantity: Quantity) -> Quantity:
    if isinstance(quantity, Constant):
        return _COUNT.validate_python(quantity)
    if not (quantity.support[0] >= 0 and quantity.centre <= 1e7):
        raise ValueError(f"a number of people must not be negative, and 1e7 at most on average; found {quantity}")
    return quantity


_COUNT: TypeAdapter[Constant] = TypeAdapter(Count)


class Wave(Spec):
    """People who enter together."""

    size: Annotated[Quantity, AfterValidator(_people)]
    """Service users who enter; for a distribution, the integer part of the drawn value."""
    from_month: Count = Constant(value=0.0, certainty="choice", note="the default")
    """First month of enrolment, counted from the start of the study (0)."""
    enrolment_months: Annotated[Quantity, AfterValidator(within(1, 600, "enrolment takes from 1 to 600 months"))]
    """Months over which people enter, each month equally likely."""

    @property
    def last_entry_month(self) -> float:
        """The last month in which somebody may enter."""
        return self.from_month.value + floor(self.enrolment_months.support[1]) - 1


class Stratum(Spec):
    """A part of the population with its own start and its own moves."""

    share: Share


class Selection(Spec):
    """A rule that admits people by an outcome in the months before entry."""

    outcome: Name
    """An outcome, counted over the months before entry."""
    at_least: Number | None = None
    at_most: Number | None = None

    @model_validator(mode="after")
    def _has_an_edge(self) -> Selection:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a selection has an `at_least`, an `at_most`, or both; found neither")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least is not above at_most; found {self.at_least:g} and {self.at_most:g}")
        return self


class Dose(Spec):
    """The amount of the service that a part of the participants receive."""

    share: Share
    strength: Annotated[Quantity, AfterValidator(within(0, 100, "the strength of a dose must lie between 0 and 100"))]
    """Multiplies the full effect (its logarithm, for a ratio)."""


class Engagement(Spec):
    """Participation of those referred: probability, dose and duration."""

    share: Probability
    """Probability that a person who was referred takes part."""
    doses: Annotated[dict[Name, Dose], Field(min_length=1)] | None = None
    """By names of your choice; absent: everybody who takes part receives the full effect."""
    dropout: Pace | None = None
    """Rate at which participants leave the service; absent: nobody does."""


class Frailty(Spec):
    """An unobserved factor of each person, gamma distributed between people with mean 1."""

    variance: NotNegative
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""


class Sites(Spec):
    """Places or providers: people of one place share a factor, lognormal between places with median 1."""

    count: Annotated[Count, AfterValidator(within(1, 1000, "there are from 1 to 1000 sites"))]
    """Each person belongs to one of them: all equally likely, unless `sizes` are given."""
    sizes: Annotated[tuple[Annotated[Number, Field(gt=0, le=1e9)], ...], Field(min_length=1, strict=False)] | None = None
    """Their sizes relative to each other, one for each: the people of every wave, and of every group that they are compared with,
    are allocated to the sites in this proportion."""
    sd: NotNegative
    """Standard deviation between places of the logarithm of the factor."""
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""

    @model_validator(mode="after")
    def _a_size_for_each(self) -> Sites:
        if self.sizes is not None and len(self.sizes) != self.count.value:
            raise ValueError(f"`sizes` must hold one size for each of the {self.count.value:g} sites; found {len(self.sizes)}")
        return self


class Volume(Spec):
    """Referral volume that affects the risk of those referred: with too few people, a referrer relaxes the criteria."""

    planned: PositiveFixed
    """Planned number of people in each wave, for which the factor is 1."""
    elasticity: Quantity
    """The factor is (size of the wave / planned) ^ elasticity."""
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""


class Transfer(Pace):
    """Rate of moving out of the area after entry. Outcomes continue as before, but the evaluator may no longer observe them."""

    factor_in: dict[Name, NotNegative] = {}
    """By state: a factor on the hazard; 1 if a state is not named, 0 if nobody moves away, as after death."""
    ratio_with_service: NotNegative | None = None
    """Factor on the hazard in the service arm; absent: 1."""


class Population(Spec):
    """Who enters the service."""

    waves: Annotated[dict[Name, Wave], Field(min_length=1)]
    strata: Annotated[dict[Name, Stratum], Field(min_length=1)]
    history_months: Annotated[Count, AfterValidator(within(0, 1200, "a history has from 0 to 1200 months"))] = Constant(
        value=0.0, certainty="choice", note="the default: people are known from entry on"
    )
    """Months before entry that are simulated, without the service: people have their `start` at their beginning."""
    selection: Selection | None = None
    """Who of the candidates enters, in every arm; absent: all."""
    engagement: Engagement | None = None
    """Absent: everybody takes part to the end."""
    frailties: dict[Name, Frailty] = {}
    """By names of your choice."""
    sites: dict[Name, Sites] = {}
    """By names of your choice."""
    volume: dict[Name, Volume] = {}
    """By names of your choice."""
    transfer: Transfer | None = None
    """Who moves out of the area; absent: nobody."""
