"""Who enters: waves, strata, the months before entry, who is chosen, who takes part, and how people differ."""

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
    """Service users who enter; of a distribution, the whole part of what is drawn."""
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
    """Only people whose months before entry came to this are taken: chosen because they were badly off, or well."""

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
    """How much of the service some of those who take part receive."""

    share: Share
    strength: Annotated[Quantity, AfterValidator(within(0, 100, "the strength of a dose must lie between 0 and 100"))]
    """The full effect (its logarithm, where it is a ratio) is multiplied by this."""


class Engagement(Spec):
    """Who of those referred takes part, how much, and for how long."""

    share: Probability
    """Probability that a person who was referred takes part."""
    doses: Annotated[dict[Name, Dose], Field(min_length=1)] | None = None
    """By names of one's own; absent: everybody who takes part receives the full effect."""
    dropout: Pace | None = None
    """How fast those who take part leave the service; absent: nobody does."""


class Frailty(Spec):
    """What a person brings along that nobody sees: a factor, gamma distributed between people with mean 1."""

    variance: NotNegative
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""


class Sites(Spec):
    """Places or providers: people of one place share a factor, lognormal between places with median 1."""

    count: Annotated[Count, AfterValidator(within(1, 1000, "there are from 1 to 1000 sites"))]
    """Each person belongs to one of them: all equally likely, unless their `sizes` are settled."""
    sizes: Annotated[tuple[Annotated[Number, Field(gt=0, le=1e9)], ...], Field(min_length=1, strict=False)] | None = None
    """Their sizes relative to each other, one for each: the people of every wave, and of every group that they are compared with,
    are dealt to the sites in this proportion."""
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
    """Referral volume that moves the risk of those referred: short of people, a referrer relaxes the criteria."""

    planned: PositiveFixed
    """People whom each wave was planned for: there the factor is 1."""
    elasticity: Quantity
    """The factor is (size of the wave / planned) ^ elasticity."""
    on: OneOrMore
    """Moves (the hazard), events (the rate) and binary outcomes (the odds) that the factor multiplies."""


class Transfer(Pace):
    """How fast people move out of the area after entry. They live on as they would have: only who counts loses sight of them."""

    factor_in: dict[Name, NotNegative] = {}
    """By state: a factor on the hazard; 1 where a state is not named, 0 where nobody moves away, as in death."""
    ratio_with_service: NotNegative | None = None
    """Factor on the hazard of everybody whom the service is for; absent: 1."""


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
    """By names of one's own."""
    sites: dict[Name, Sites] = {}
    """By names of one's own."""
    volume: dict[Name, Volume] = {}
    """By names of one's own."""
    transfer: Transfer | None = None
    """Who moves out of the area; absent: nobody."""
