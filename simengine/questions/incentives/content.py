"""Responses to contracts as one JSON object."""

from __future__ import annotations

from typing import Any

from simengine.config import Study
from simengine.questions.incentives.answer import EffortPoint, Incentives, Induced
from simengine.questions.incentives.best_response import BestResponse, GivingUp
from simengine.questions.incentives.efforts import EffortChoice, behaviour_of
from simengine.report.document import plain


def incentives(study: Study, found: Incentives) -> dict[str, Any]:
    """Return responses to contracts as plain numbers."""
    behaviour = behaviour_of(study)
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replications": found.n_replications,
        "decides": behaviour.party,
        "objective": behaviour.objective,
        "refers": None if behaviour.referral is None else behaviour.referral.party,
        "n_choices": found.n_choices,
        "contracts": {name: _induced(one) for name, one in found.contracts.items()},
    }


def _induced(found: Induced) -> dict[str, Any]:
    volumes = found.reply.volumes
    return {
        "title": found.title,
        "chosen": effort_point(found.chosen),
        "response": _response(found, found.reply.efforts, found.reply.followed_by),
        "referral": None if volumes is None else _response(found, volumes, found.beside),
        "gives_up": None if found.giving_up is None else _giving_up(found, found.giving_up),
        "parked": list(found.parked),
        "change": plain(found.change),
        "bought_per_unit": {name: None if one is None else plain(one) for name, one in found.bought.items()},
        "gap": plain(found.gap),
        "paid_beyond_truth": plain(found.paid_beyond_truth),
        "first_best": effort_point(found.curve[found.first_best]),
        "lost_surplus": plain(found.lost_surplus),
        "fresh": {name: None if one is None else plain(one) for name, one in vars(found.fresh).items()},
        "curve": [effort_point(one) for one in found.curve],
    }


def _giving_up(found: Induced, fall: GivingUp) -> dict[str, Any]:
    high, low = (choice(found.curve[place].choice) for place in (fall.high, fall.low))
    return {"cost_multiple": plain(fall.multiple), "from": high, "to": low}


def _response(found: Induced, response: BestResponse, places: tuple[int, ...]) -> dict[str, Any]:
    next_best, lead = response.next_best, response.lead
    return {
        "is_decided": response.is_decided,
        "next_best": None if next_best is None else choice(found.curve[places[next_best]].choice),
        "lead": None if lead is None else plain(lead),
        "not_beaten": [choice(found.curve[places[place]].choice) for place in response.not_beaten],
    }


def effort_point(one: EffortPoint) -> dict[str, Any]:
    """Return a choice and its results."""
    numbers = ("money", "cost", "worth", "p_pay", "payment", "surplus")
    referrer = None if one.worth_to_referrer is None else plain(one.worth_to_referrer)
    content = choice(one.choice) | {name: plain(getattr(one, name)) for name in numbers}
    return content | {"worth_to_referrer": referrer, "truth": plain(one.truth)}


def choice(one: EffortChoice) -> dict[str, Any]:
    """Return a choice as plain numbers."""
    return {"efforts": dict(one.efforts), "volume": one.volume}
