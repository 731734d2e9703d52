"""Tables of responses to contracts: effort, results, gap, surplus, and the curve behind them."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.incentives.answer import EffortPoint, Incentives, Induced
from simengine.questions.incentives.best_response import BestResponse
from simengine.questions.incentives.efforts import EffortChoice, behaviour_of
from simengine.report.layouts import called, grid, heading, titled
from simengine.report.units import cell, metric_unit, money_unit
from simengine.risk.statistics import Statistic

_LONGEST_CURVE = 30
"""Choices that are all shown; of more, those that are worth most."""


def incentive_tables(study: Study, found: Incentives) -> RenderableType:
    """Return the tables of responses to contracts."""
    contracts = found.contracts
    parts = [
        _effort(study, contracts),
        _fresh(study, contracts),
        *_referrals(study, contracts),
        _bought(study, contracts),
        _gap(study, contracts),
        _surplus(study, contracts),
    ]
    return Group(_heading(study, found), *parts, *(_curve(study, name, one) for name, one in contracts.items()))


def _heading(study: Study, found: Incentives) -> Text:
    behaviour = behaviour_of(study)
    who = f"{study.parties[behaviour.party].name} chooses the efforts. " if behaviour.efforts else ""
    if behaviour.referral is not None:
        last = ", in view of the efforts" if behaviour.efforts else ""
        who += f"{study.parties[behaviour.referral.party].name} chooses how many people it refers{last}."
    if study.behaviour is None:
        who = "The study has no `behaviour`: nobody responds."
    return heading(study, found, f"{found.n_choices} choices. {who.strip()}")


def _effort(study: Study, contracts: Mapping[str, Induced]) -> RenderableType:
    (unit, _), falls = money_unit(study), any(one.giving_up is not None for one in contracts.values())
    table = grid("contract", "chosen", "next best", "advantage over next best", *(["falls at"] if falls else []))
    notes: list[RenderableType] = []
    for name, one in contracts.items():
        response = one.reply.efforts
        next_best = "-" if response.next_best is None else _words(one.curve[one.reply.followed_by[response.next_best]].choice)
        fall = [] if not falls else ["-" if one.giving_up is None else cell(one.giving_up.multiple, 1.0)]
        table.add_row(called(name), _words(one.chosen.choice), next_best, cell(response.lead, unit), *fall)
        notes += [Text(note) for note in _notes(study, name, one)]
    title = "The effort that each contract induces" + ("; at which multiple of its cost it falls at once" if falls else "")
    return Group(titled(title, table), *notes)


def _fresh(study: Study, contracts: Mapping[str, Induced]) -> RenderableType:
    """Lay out what becomes of the choice in replications that had no part in it."""
    table, (unit, _) = (
        grid("contract", "worth", "out of sample", "optimism", "advantage out of sample"),
        money_unit(study),
    )
    for name, one in contracts.items():
        fresh = one.fresh
        table.add_row(called(name), *(cell(number, unit) for number in (one.chosen.worth, fresh.worth, fresh.optimism, fresh.lead)))
    return titled("What is chosen, in as many fresh replications (out of sample); optimism: what is less there", table)


def _referrals(study: Study, contracts: Mapping[str, Induced]) -> list[RenderableType]:
    """Lay out the referrals, where somebody decides about them."""
    if behaviour_of(study).referral is None:
        return []
    table, (unit, _) = (
        grid("contract", "volume", "next best", "advantage over next best", "worth to the referrer"),
        money_unit(study),
    )
    for name, one in contracts.items():
        volumes = one.reply.volumes
        assert volumes is not None
        next_best = "-" if volumes.next_best is None else f"{one.curve[one.beside[volumes.next_best]].choice.volume:.3g}"
        numbers = (cell(volumes.lead, unit), cell(one.chosen.worth_to_referrer, unit))
        table.add_row(called(name), f"{one.chosen.choice.volume:.3g}", next_best, *numbers)
    return [titled("How many people are referred, as a multiple of what the study says", table)]


def _notes(study: Study, name: str, found: Induced) -> list[str]:
    told = []
    told += _undecided(name, found.reply.efforts, "the efforts")
    if found.reply.volumes is not None:
        told += _undecided(name, found.reply.volumes, "the referrals")
    for what, one in (("what is chosen", found.chosen), ("the first best", found.curve[found.first_best])):
        highest = [] if behaviour_of(study).share_out is not None else _at_the_end(found, one)
        if highest:
            told.append(f"{called(name)}: {what} is at the highest level of {', '.join(highest)}: more may be better still.")
    if found.parked:
        told.append(f"{called(name)}: nothing is left for {', '.join(found.parked)}: parked.")
    if found.giving_up is not None:
        high, low = (_words(found.curve[place].choice) for place in (found.giving_up.high, found.giving_up.low))
        told.append(
            f"{called(name)}: at {found.giving_up.multiple.value:.3g} times the cost, effort falls from {high} to {low} at once."
        )
    return told


def _at_the_end(found: Induced, one: EffortPoint) -> list[str]:
    """List the efforts of a choice that are the highest that may be chosen, where there are several levels."""
    levels = {name: {point.choice.efforts[name] for point in found.curve} for name in one.choice.efforts}
    return [name for name, level in one.choice.efforts.items() if len(levels[name]) > 1 and level == max(levels[name])]


def _undecided(name: str, response: BestResponse, what: str) -> list[str]:
    if response.is_decided:
        return []
    n = len(response.not_beaten)
    return [f"{called(name)}: undecided about {what}: {n} choices are within two standard errors of the best."]


def _bought(study: Study, contracts: Mapping[str, Induced]) -> RenderableType:
    currency = study.study.currency
    table = grid("contract", "metric", "true effect", "more than the study says", f"per million {currency} paid")
    for name, one in contracts.items():
        for metric, truth in one.chosen.truth.items():
            scale = metric_unit(study, metric)[0]
            each = one.bought[metric]
            table.add_row(called(name), metric, cell(truth, scale), cell(one.change[metric], scale), cell(each, scale / 1e6))
    return titled("What it buys", table)


def _gap(study: Study, contracts: Mapping[str, Induced]) -> RenderableType:
    table, (unit, _) = grid("contract", "paid metric", "measured minus true", "paid beyond the truth"), money_unit(study)
    for name, one in contracts.items():
        for place, (metric, gap) in enumerate(one.gap.items()):
            paid = cell(one.paid_beyond_truth, unit) if place == 0 else ""
            table.add_row(called(name), metric, cell(gap, metric_unit(study, metric)[0]), paid)
    return titled("The gap between what is paid for and what is true", table)


def _surplus(study: Study, contracts: Mapping[str, Induced]) -> RenderableType:
    table, (unit, _) = grid("contract", "payment", "cost of effort", "surplus", "first best", "lost"), money_unit(study)
    for name, one in contracts.items():
        chosen = one.chosen
        numbers = (chosen.payment, chosen.cost, chosen.surplus)
        best = _words(one.curve[one.first_best].choice)
        table.add_row(called(name), *(cell(number, unit) for number in numbers), best, cell(one.lost_surplus, unit))
    return titled("The surplus of all parties together, after the cost of effort and referral", table)


def _curve(study: Study, name: str, found: Induced) -> RenderableType:
    unit, _ = money_unit(study)
    metrics = list(found.chosen.truth)
    table = grid("choice", "money", "cost", "worth", "P(paid)", *(f"{metric}: truth" for metric in metrics))
    shown = list(found.curve)
    if len(shown) > _LONGEST_CURVE:
        shown = sorted(shown, key=lambda one: -one.worth.value)[:_LONGEST_CURVE]
    for one in shown:
        mark = " *" if one is found.chosen else ""
        money = [cell(number, unit) for number in (one.money, one.cost, one.worth)]
        truths = [cell(one.truth[metric], metric_unit(study, metric)[0]) for metric in metrics]
        table.add_row(_words(one.choice) + mark, *money, _share(one), *truths)
    rest = "" if len(shown) == len(found.curve) else f"; the {_LONGEST_CURVE} that are worth most of {len(found.curve)}"
    return titled(f"{called(name)}: {found.title}. What each choice is worth to the party that chooses{rest}; * is chosen", table)


def _share(one: EffortPoint) -> str:
    return cell(Statistic(one.p_pay.value, one.p_pay.se), 1.0)


def _words(one: EffortChoice) -> str:
    """Write a choice: a single effort as its number, several with their names, and the volume where it is not all."""
    efforts = one.efforts
    text = ", ".join(f"{name} {level:.3g}" for name, level in efforts.items())
    if len(efforts) == 1:
        text = f"{next(iter(efforts.values())):.3g}"
    if one.volume != 1.0:
        text += f"{', ' if text else ''}volume {one.volume:.3g}"
    return text or "as the study says"
