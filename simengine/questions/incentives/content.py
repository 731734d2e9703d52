"""What JSON says of responses to contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypedDict

from simengine.config import Study
from simengine.questions.incentives.answer import EffortPoint, Fresh, Incentives, Induced
from simengine.questions.incentives.best_response import BestResponse, GivingUp
from simengine.questions.incentives.efforts import EffortChoice, behaviour_of
from simengine.report.answers import Heading, answer_heading
from simengine.risk.statistics import Statistic


class EffortContent(TypedDict):
    """A choice and its results; what has no sentence here is told in `EffortPoint`."""

    efforts: Mapping[str, float]
    """By effort: its level; at 1 the service has the effect in the study."""
    volume: float
    """The multiple of the size of every wave."""
    money: Statistic
    cost: Statistic
    worth: Statistic
    p_pay: Statistic
    payment: Statistic
    surplus: Statistic
    worth_to_referrer: Statistic | None
    truth: Mapping[str, Statistic]


class ResponseContent(TypedDict):
    """How certain a choice is."""

    is_decided: bool
    """Whether it beats all others beyond doubt."""
    next_best: EffortChoice | None
    """The next best choice; null if there is no choice."""
    lead: Statistic | None
    """Its lead over the next best in the same replications, with the error of that difference; null if there is no choice."""
    not_beaten: list[EffortChoice]
    """Choices within two standard errors of the best, including itself."""


@dataclass(frozen=True)
class Fall:
    """A discontinuous fall of effort."""

    cost_multiple: Statistic
    """The multiple of the cost at which it occurs."""
    from_: EffortChoice
    """The choice just below this multiple."""
    to: EffortChoice
    """The choice just above it."""


class InducedContent(TypedDict):
    """Response to one contract; what has no sentence here is told in `Induced`."""

    title: str
    chosen: Annotated[EffortContent, EffortPoint]
    """The choice."""
    response: ResponseContent
    """Certainty of the choice."""
    referral: ResponseContent | None
    """The same for the volume at the chosen efforts; null if nobody decides about referrals."""
    gives_up: Fall | None
    """Discontinuous fall of effort as its cost rises; null if there is none."""
    parked: tuple[str, ...]
    change: Mapping[str, Statistic]
    bought_per_unit: Mapping[str, Statistic | None]
    """By metric: mean true effect divided by the mean of all payments; null if nothing is paid."""
    gap: Mapping[str, Statistic]
    paid_beyond_truth: Statistic
    first_best: Annotated[EffortContent, EffortPoint]
    """The choice with the largest surplus, of those that may be chosen."""
    lost_surplus: Statistic
    fresh: Fresh
    curve: list[Annotated[EffortContent, EffortPoint]]
    """All choices; that of the study comes last if it may not be chosen."""


class IncentivesContent(Heading):
    """Responses to contracts."""

    decides: str
    """Who chooses the efforts."""
    objective: str
    """The money that it considers."""
    refers: str | None
    """Who chooses the referrals; null if nobody does."""
    n_choices: int
    """Choices that were simulated, including that of the study."""
    contracts: Mapping[str, Annotated[InducedContent, Induced]]
    """By name: the response to a contract, `own` first."""


def incentives(study: Study, found: Incentives) -> IncentivesContent:
    """Return what JSON says of responses to contracts."""
    behaviour = behaviour_of(study)
    return {
        **answer_heading(study, found),
        "decides": behaviour.party,
        "objective": behaviour.objective,
        "refers": None if behaviour.referral is None else behaviour.referral.party,
        "n_choices": found.n_choices,
        "contracts": {name: _induced(one) for name, one in found.contracts.items()},
    }


def _induced(found: Induced) -> InducedContent:
    volumes = found.reply.volumes
    return {
        "title": found.title,
        "chosen": _effort_point(found.chosen),
        "response": _response(found, found.reply.efforts, found.reply.followed_by),
        "referral": None if volumes is None else _response(found, volumes, found.beside),
        "gives_up": None if found.giving_up is None else _giving_up(found, found.giving_up),
        "parked": found.parked,
        "change": found.change,
        "bought_per_unit": found.bought,
        "gap": found.gap,
        "paid_beyond_truth": found.paid_beyond_truth,
        "first_best": _effort_point(found.curve[found.first_best]),
        "lost_surplus": found.lost_surplus,
        "fresh": found.fresh,
        "curve": [_effort_point(one) for one in found.curve],
    }


def _giving_up(found: Induced, fall: GivingUp) -> Fall:
    return Fall(fall.multiple, found.curve[fall.high].choice, found.curve[fall.low].choice)


def _response(found: Induced, response: BestResponse, places: tuple[int, ...]) -> ResponseContent:
    next_best = response.next_best
    return {
        "is_decided": response.is_decided,
        "next_best": None if next_best is None else found.curve[places[next_best]].choice,
        "lead": response.lead,
        "not_beaten": [found.curve[places[place]].choice for place in response.not_beaten],
    }


def _effort_point(one: EffortPoint) -> EffortContent:
    return {
        "efforts": one.choice.efforts,
        "volume": one.choice.volume,
        "money": one.money,
        "cost": one.cost,
        "worth": one.worth,
        "p_pay": one.p_pay,
        "payment": one.payment,
        "surplus": one.surplus,
        "worth_to_referrer": one.worth_to_referrer,
        "truth": one.truth,
    }
