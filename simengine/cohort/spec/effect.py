"""What the service changes: a move, an event, or an outcome; by how much, when, and for whom."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from simengine.cohort.spec.names import OneOrMore
from simengine.distributions import NotNegative, Quantity, Spec

FORMS_OF_EFFECT = {
    "move": ("hazard_ratio", "relative_risk", "odds_ratio", "difference"),
    "event": ("hazard_ratio", "difference", "length_ratio"),
    "outcome": ("odds_ratio", "relative_risk", "hazard_ratio", "difference"),
}
"""By target of an effect: the forms in which it may be given."""
_FORMS = ("hazard_ratio", "relative_risk", "odds_ratio", "difference", "length_ratio")


class Effect(Spec):
    """What the service changes in those whom it reaches."""

    move: OneOrMore | None = None
    """Moves that change; absent: an event or an outcome does."""
    event: OneOrMore | None = None
    """Events whose rate or length changes; absent: a move or an outcome does."""
    outcome: OneOrMore | None = None
    """Binary outcomes whose probability changes, or scores whose level changes; absent: a move or an event does."""
    hazard_ratio: NotNegative | None = None
    """Factor on a hazard or a rate; a probability p becomes `1 - (1 - p)^ratio`; absent: another form."""
    relative_risk: NotNegative | None = None
    """Factor on a probability, clipped at 1; absent: another form."""
    odds_ratio: NotNegative | None = None
    """Factor on the odds of a probability; absent: another form."""
    difference: Quantity | None = None
    """Added to a probability (then clipped), to a rate per month, or to a score; absent: another form."""
    length_ratio: NotNegative | None = None
    """Factor on the length of every spell; absent: another form."""
    strata: OneOrMore | None = None
    """The strata in which it acts; absent: all."""
    reaches: Literal["treated", "referred"] = "treated"
    """`treated`: those who take part, in proportion to their dose; `referred`: everybody who enters."""
    only_while_engaged: bool = False
    """Whether it ends when the person drops out; only where it reaches the treated."""
    ramp_months: NotNegative | None = None
    """The effect grows as `1 - exp(-t / ramp)` after entry; absent: at once."""
    fades_after_months: NotNegative | None = None
    """Months after entry at which it begins to fade; absent: never."""
    half_life_months: NotNegative | None = None
    """Months in which the effect (its logarithm, for a ratio) then falls by half; 0: it is gone at once. With `fades_after_months`
    only."""

    @property
    def target(self) -> str:
        """The kind of target: `move`, `event` or `outcome`."""
        return next(name for name in FORMS_OF_EFFECT if getattr(self, name) is not None)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of its targets."""
        names: tuple[str, ...] = getattr(self, self.target)
        return names

    @property
    def form(self) -> str:
        """The form in which it was given."""
        return next(name for name in _FORMS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_target_and_form(self) -> Effect:
        targets = [name for name in FORMS_OF_EFFECT if getattr(self, name) is not None]
        forms = [name for name in _FORMS if getattr(self, name) is not None]
        if len(targets) != 1 or len(forms) != 1 or forms[0] not in FORMS_OF_EFFECT[targets[0]]:
            ways = "; ".join(f"`{target}` with one of {', '.join(ways)}" for target, ways in FORMS_OF_EFFECT.items())
            raise ValueError(f"an effect must be given by {ways}; found {', '.join(targets + forms) or 'none of them'}")
        if (self.fades_after_months is None) != (self.half_life_months is None):
            raise ValueError("fades_after_months and half_life_months must be given together")
        if self.only_while_engaged and self.reaches == "referred":
            raise ValueError("an effect that acts only while engaged must reach the treated; found `reaches: referred`")
        return self
