"""Cash, savings, and side payments that leave no actor worse off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from simengine.asked import names_asked
from simengine.config import Study
from simengine.config.roles import with_money
from simengine.errors import UsageError, one_of
from simengine.pipeline import run_block
from simengine.questions.value.side_payments import MOST_ACTORS, by_shapley_value, proportional
from simengine.records import Floats, add_in_order
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, with_used_designs_alone
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measures import p_loss
from simengine.risk.public_value import VALUE_AMOUNTS, value_by_party
from simengine.risk.sections import ValueSection
from simengine.risk.statistics import Statistic

SharingRule: TypeAlias = Callable[[Floats], "tuple[Floats, Floats] | None"]


@dataclass(frozen=True)
class SidePayments:
    """Side payment to each actor, from expected nets, and its net afterwards; all empty if they are not possible."""

    received: Mapping[str, Statistic]
    """By party: the amount that it receives; negative if it pays. They add up to 0. The error is that of the delta method."""
    left_with: Mapping[str, Statistic]
    """By party: its mean net afterwards."""
    p_still_loses: Mapping[str, Statistic]
    """By party: probability that its net is still below 0, given the payment, because replications differ from their mean."""

    @property
    def are_possible(self) -> bool:
        """Whether there is enough to compensate every loser."""
        return bool(self.received)


@dataclass(frozen=True, repr=False)
class WrongPockets(Answer):
    """Cash, savings and side payments."""

    public_value: Mapping[str, ValueSection]
    """By party: its cash and the value of the true effect to it."""
    among: tuple[str, ...]
    """The parties between whom side payments are made."""
    must_agree: tuple[str, ...]
    """Those of them whose cash the contract changes, or who lose on average."""
    total: Statistic
    """Mean net of them together: below 0, the gap that no side payment can close."""
    proportional: SidePayments
    """The payments in proportion to what each gains; null if they are not possible."""
    shapley: SidePayments
    """The payments by Shapley's rule; null if they are not possible."""


def find_wrong_pockets(study: Study, ensemble: Ensemble, among: Sequence[str] = ()) -> WrongPockets:
    """Compute each party's net, and the side payments with which nobody loses.

    Parameters
    ----------
    study
        The question.
    ensemble
        The replications.
    among
        The actors between whom side payments are made. If absent: all but those who are paid for a cost and of whom the study says
        nothing else, such as a service provider without `costs` of its own: what they get they spend on delivery, so that they
        neither gain nor lose.

    Raises
    ------
    UsageError
        If an actor is no party of the study, or if there are fewer than two, or too many to look at every coalition.
    """
    actors = _actors(study, among)
    small = with_used_designs_alone(study)
    (columns,) = ensemble.ask(lambda numbers: [_wanted(run_block(small, ensemble.seed, numbers).columns, study)])
    nets = np.stack([columns[f"{actor}.net"] for actor in actors], axis=1)
    moves = np.array([columns[f"{actor}.cash"].any() for actor in actors])
    means = nets.mean(axis=0)
    must_agree = moves | (means < 0)
    return WrongPockets(
        seed=ensemble.seed,
        n_replications=ensemble.n_replications,
        public_value=value_by_party(columns),
        among=actors,
        must_agree=tuple(actor for actor, must in zip(actors, must_agree, strict=True) if must),
        total=statistics.mean(add_in_order(nets.T)),
        proportional=_side_payments(actors, nets, proportional),
        shapley=_side_payments(actors, nets, lambda positions: by_shapley_value(positions, list(must_agree))),
    )


def _actors(study: Study, among: Sequence[str]) -> tuple[str, ...]:
    taking_part = with_money(study)
    for actor in names_asked(among, "--among"):
        if actor not in taking_part:
            raise UsageError(f"--among: must be a party whose money the study moves; found `{actor}`. {one_of(taking_part)}")
    actors = tuple(dict.fromkeys(among)) or tuple(party for party in taking_part if party not in _paid_at_cost(study))
    if not 2 <= len(actors) <= MOST_ACTORS:
        raise UsageError(f"--among: side payments must be made between 2 to {MOST_ACTORS} actors; found {len(actors)}")
    return actors


def _paid_at_cost(study: Study) -> set[str]:
    """Return those who are paid for a cost and state none of their own, and who neither save nor pay nor lend."""
    capital = study.capital
    paid = {"service_provider", *capital.payees.values()}
    saves = {party for by_party in study.public_value.values() for party in by_party}
    puts_in = {*capital.lenders, *capital.who_pays, *(grant.giver for grant in capital.grants.values())}
    spends = {name for name, party in study.parties.items() if party.costs}
    return paid - saves - puts_in - spends - {guarantee.guarantor for guarantee in capital.guarantees.values()}


def _wanted(columns: Columns, study: Study) -> Columns:
    return {f"{party}.{name}": columns[f"{party}.{name}"] for party in with_money(study) for name in (*VALUE_AMOUNTS, "net")}


def _side_payments(actors: tuple[str, ...], nets: Floats, rule: SharingRule) -> SidePayments:
    """Make side payments on mean positions; their errors follow from those of the means by the delta method."""
    means = nets.mean(axis=0)
    found = rule(means)
    if found is None:
        return SidePayments({}, {}, {})
    received, slope = found
    variance = np.cov(nets, rowvar=False) / len(nets)
    errors, errors_after = (_errors(one, variance) for one in (slope, slope + np.eye(len(actors))))
    return SidePayments(
        received={actor: Statistic(float(received[i]), errors[i]) for i, actor in enumerate(actors)},
        left_with={actor: Statistic(float(means[i] + received[i]), errors_after[i]) for i, actor in enumerate(actors)},
        p_still_loses={actor: p_loss(nets[:, i] + received[i]) for i, actor in enumerate(actors)},
    )


def _errors(slope: Floats, variance: Floats) -> list[float]:
    return [float(np.sqrt(max(one, 0.0))) for one in np.einsum("ij,jk,ik->i", slope, variance, slope)]
