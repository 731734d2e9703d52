"""Who enters: waves, strata, history, selection, participation, and differences between people."""

from __future__ import annotations

from functools import cache
from math import floor
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from simengine.cohort.spec.names import OneOrMore, PositiveFixed
from simengine.cohort.spec.pathway import Pace
from simengine.distributions import Constant, Count, Name, NotNegative, Number, Probability, Quantity, Share, Spec, within


def _people(quantity: Quantity) -> Quantity:
    if isinstance(quantity, Constant):
        return _as_count().validate_python(quantity)
    if not (quantity.support[0] >= 0 and quantity.centre <= 1e7):
        raise ValueError(f"a number of people must not be negative, and 1e7 at most on average; found {quantity}")
    return quantity


@cache
def _as_count() -> TypeAdapter[Constant]:
    return TypeAdapter(Count)


class Wave(Spec):
    """People who enter together."""

    size: Annotated[Quantity, AfterValidator(_people)]
    """Service users who enter, in persons. A distribution, such as `referrals`, has a mean of 10 million at most; the integer part
    of the drawn value counts."""
    from_month: Count = Constant(value=0.0, certainty="choice", note="the default")
    """First month of enrolment, counted from the start of the study."""
    enrolment_months: Annotated[Quantity, AfterValidator(within(1, 600, "enrolment must take from 1 to 600 months"))]
    """Months over which people enter, each equally likely; the integer part of the drawn value."""

    @property
    def last_entry_month(self) -> float:
        """The last month in which somebody may enter."""
        return self.from_month.value + floor(self.enrolment_months.support[1]) - 1


class Stratum(Spec):
    """A part of the population with its own start and its own moves."""

    share: Share
    """Share of the people."""


class Selection(Spec):
    """A rule that admits people by an outcome in the months before entry."""

    outcome: Name
    """The outcome that decides, counted over the months before entry; of a score, the level at entry."""
    at_least: Number | None = None
    """The smallest value accepted, inclusive. At least one of the two limits is needed; absent: no lower limit."""
    at_most: Number | None = None
    """The largest value accepted, inclusive; absent: no upper limit."""

    @model_validator(mode="after")
    def _has_an_edge(self) -> Selection:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a selection must have an `at_least`, an `at_most`, or both; found neither")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least must not be above at_most; found {self.at_least:g} and {self.at_most:g}")
        return self


class Dose(Spec):
    """The amount of the service that a part of the participants receive."""

    share: Share
    """Share among those who take part."""
    strength: Annotated[Quantity, AfterValidator(within(0, 100, "the strength of a dose must lie between 0 and 100"))]
    """Multiplies the full effect (its logarithm, where it is a ratio)."""


class Engagement(Spec):
    """Participation of those referred: probability, dose and duration."""

    share: Probability
    """Probability that a person who was referred takes part."""
    doses: Annotated[dict[Name, Dose], Field(min_length=1)] | None = None
    """Amounts of the service received by those who take part, by names of your choice; absent: all of it."""
    dropout: Pace | None = None
    """Rate at which those who take part leave the service; absent: nobody does."""


class Frailty(Spec):
    """An unobserved factor of each person, gamma distributed between people with mean 1."""

    variance: NotNegative
    """Each person has a factor, gamma distributed between people with mean 1 and this variance; 0: all are alike."""
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""


class Sites(Spec):
    """Places or providers: people of one place share a factor, lognormal between places with median 1."""

    count: Annotated[Count, AfterValidator(within(1, 1000, "there must be from 1 to 1000 sites"))]
    """How many there are; each person belongs to one of them, all equally likely unless `sizes` are given."""
    sizes: Annotated[tuple[Annotated[Number, Field(gt=0, le=1e9)], ...], Field(min_length=1, strict=False)] | None = None
    """Their sizes relative to each other, one for each site: the people of every wave, and of every group that they are compared
    with, are allocated to the sites in this proportion; absent: everybody joins one of them at random."""
    sd: NotNegative
    """Each place has a factor, lognormal between places with median 1: the standard deviation of its logarithm."""
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
    """The factor is `(size of the wave / planned)^elasticity`."""
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""


class Transfer(Pace):
    """Rate of moving out of the area after entry. Outcomes continue as before, but the evaluator may no longer observe them."""

    factor_in: dict[Name, NotNegative] = {}
    """By state: factor on that hazard; 1 if a state is not named, 0 if nobody moves, as after death."""
    ratio_with_service: NotNegative | None = None
    """Factor on the hazard of everybody in the service arm; absent: 1."""


class Population(Spec):
    """Who enters the service."""

    waves: Annotated[dict[Name, Wave], Field(min_length=1)]
    """Groups of people who enter together, by names of your choice."""
    strata: Annotated[dict[Name, Stratum], Field(min_length=1)]
    """Parts of the population with their own start and moves, by names of your choice."""
    history_months: Annotated[Count, AfterValidator(within(0, 1200, "a history must have from 0 to 1200 months"))] = Constant(
        value=0.0, certainty="choice", note="the default: people are known from entry on"
    )
    """Months before entry that are simulated, without the service; with the horizon at most 2,400."""
    selection: Selection | None = None
    """Who of the candidates enters, in every arm; absent: all."""
    engagement: Engagement | None = None
    """Who of those referred takes part, how much and for how long; absent: everybody, in full, to the end."""
    frailties: dict[Name, Frailty] = {}
    """Unobserved differences between people, by names of your choice."""
    sites: dict[Name, Sites] = {}
    """Places or providers whose people share a factor, by names of your choice."""
    volume: dict[Name, Volume] = {}
    """Referral volume that affects the risk of those referred, by names of your choice."""
    transfer: Transfer | None = None
    """Rate at which people move out of the area after entry: their states and events continue as before, but the evaluator may no
    longer observe them; absent: nobody moves."""
