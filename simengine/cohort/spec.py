"""What may be asked of the people: who enters, which states they move between, what the service changes, what is counted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.laws import Constant, Count, Months, NotNegative, Probability, Quantity, Share, Spec, within

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Wave(Spec):
    """People who enter together."""

    size: Count
    """Service users who enter."""
    from_month: Count = Constant(value=0.0, certainty="choice", note="the default")
    """First month of enrolment, counted from the start of the study (0)."""
    enrolment_months: Annotated[Quantity, AfterValidator(within(1, 600, "enrolment takes from 1 to 600 months"))]
    """Months over which people enter, each month equally likely."""


class Stratum(Spec):
    """A part of the population with its own start and its own moves."""

    share: Share


class Population(Spec):
    """Who enters the service."""

    waves: Annotated[dict[Name, Wave], Field(min_length=1)]
    strata: Annotated[dict[Name, Stratum], Field(min_length=1)]


class Move(Spec):
    """A move between two states in the world without the service."""

    per_month: Probability | None = None
    """Probability per month, the same in every stratum."""
    per_month_by_stratum: dict[Name, Probability] | None = None
    """Probability per month by stratum; 0 where a stratum is not named."""

    @model_validator(mode="after")
    def _one_form(self) -> Move:
        if (self.per_month is None) == (self.per_month_by_stratum is None):
            raise ValueError("a move is given by either per_month or per_month_by_stratum")
        return self


class Pathway(Spec):
    """The states and the untreated moves between them."""

    states: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    start: dict[Name, dict[Name, Share]]
    """By stratum: the shares of the states in the month of entry."""
    moves: dict[Annotated[str, Field(pattern=r"^\w+ -> \w+$")], Move]
    """Keys read `from -> to`."""


class Effect(Spec):
    """What the service changes: the hazard of a move, or the odds of a binary outcome."""

    move: str | None = None
    hazard_ratio: NotNegative | None = None
    outcome: Name | None = None
    odds_ratio: NotNegative | None = None
    ramp_months: NotNegative | None = None
    """The effect grows as 1 - exp(-t / ramp_months) after entry; absent: at once."""
    fades_after_months: NotNegative | None = None
    """Months after entry at which the effect begins to fade; absent: never."""
    half_life_months: NotNegative | None = None
    """Months in which the logarithm of the effect falls by half once it fades."""

    @model_validator(mode="after")
    def _one_target(self) -> Effect:
        on_move = self.move is not None and self.hazard_ratio is not None
        on_outcome = self.outcome is not None and self.odds_ratio is not None
        given = [name for name in ("move", "hazard_ratio", "outcome", "odds_ratio") if getattr(self, name) is not None]
        if len(given) != 2 or not (on_move or on_outcome):
            raise ValueError(
                "an effect is given by `move` and `hazard_ratio`, or by `outcome` and `odds_ratio`; "
                f"found {', '.join(given) or 'none of them'}"
            )
        if (self.fades_after_months is None) != (self.half_life_months is None):
            raise ValueError("fades_after_months and half_life_months are given together")
        if on_outcome and (self.ramp_months is not None or self.fades_after_months is not None):
            raise ValueError("an effect on a binary outcome has no ramp and does not fade: the outcome is read at one date")
        return self


class Amount(Spec):
    """Money (or any other amount) that grows with the days spent in each state."""

    kind: Literal["amount"]
    per_day: dict[Name, NotNegative]
    """By state; 0 where a state is not named."""


class Binary(Spec):
    """Yes or no at one date after entry, with a probability that depends on the state at that date."""

    kind: Literal["binary"]
    at_month: Months
    probability: dict[Name, Probability]
    """By state, in the world without the service."""


Outcome = Annotated[Amount | Binary, Field(discriminator="kind")]
