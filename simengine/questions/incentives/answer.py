"""The effort that each contract induces, the resulting outcomes, the measurement gap, and the surplus lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.cohort import Cohort
from simengine.config import Study, cohort_of
from simengine.errors import UsageError
from simengine.pipeline import Evidence, as_contract_asks, draw_numbers, evaluate, move_money
from simengine.questions.compare.designs import other_section
from simengine.questions.incentives.best_response import BestResponse, GivingUp, best_response, giving_up, worth_by_replication
from simengine.questions.incentives.efforts import (
    EffortChoice,
    as_the_study_says,
    behaviour_of,
    choices_of,
    cost_of_efforts,
    cost_of_referrals,
    efforts_of,
    volumes_of,
    with_choice,
    with_volume,
)
from simengine.records import Draws, Floats, Integers, Tallies, add_in_order
from simengine.replications.answer import Answer
from simengine.replications.ensemble import (
    Ensemble,
    against_twins,
    beyond_twins,
    lived,
    lived_again,
    measured,
    with_used_designs_alone,
)
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measured import mean_of_measured, those_measured
from simengine.risk.roles import total_of_payers
from simengine.risk.statistics import Statistic

_TRUTH, _ESTIMATE = "truth.", "estimate."


@dataclass(frozen=True)
class EffortPoint:
    """Results of one choice."""

    choice: EffortChoice
    money: Statistic
    """Mean money of the party that chooses the efforts, before any cost of effort or referral."""
    cost: Statistic
    """Mean cost of the efforts, whichever party bears it."""
    worth: Statistic
    """Worth of the choice to the party that chooses the efforts: mean after its own costs, less a/2 times the variance."""
    p_pay: Statistic
    """Probability that the terms that depend on outcomes pay."""
    payment: Statistic
    """Mean of all payments for outcomes."""
    surplus: Statistic
    """Mean of the money of all parties together, less the costs of effort and referral."""
    truth: Mapping[str, Statistic]
    """By metric: the mean true effect."""
    worth_to_referrer: Statistic | None
    """Mean money of the referrer after its costs; null if nobody decides about referrals."""


@dataclass(frozen=True)
class Reply:
    """The final choice: the referrer decides last, and the provider anticipates it."""

    place: int
    """Index of the choice."""
    efforts: BestResponse
    """Over the efforts, each with the volume that follows from it."""
    volumes: BestResponse | None
    """Over the volumes at the chosen efforts; None if nobody decides about referrals."""
    followed_by: tuple[int, ...]
    """By effort: index of the choice with the volume that follows from it."""

    @property
    def to_check(self) -> tuple[int, ...]:
        """Indices of the choice and, if there are alternatives, of the next best efforts."""
        next_best = self.efforts.next_best
        return (self.place,) if next_best is None else (self.place, self.followed_by[next_best])


@dataclass(frozen=True)
class Fresh:
    """The choice, evaluated in fresh replications."""

    worth: Statistic
    """Worth of the choice to the party that chooses the efforts."""
    lead: Statistic | None
    """Its lead over the next best; null if there is no choice."""
    optimism: Statistic
    """Its worth in the replications that selected it less that in fresh ones."""


@dataclass(frozen=True)
class Induced:
    """Response to one contract."""

    title: str
    """Title of the contract."""
    curve: tuple[EffortPoint, ...]
    """By choice; the last is that of the study."""
    reply: Reply
    giving_up: GivingUp | None
    """Discontinuous fall of effort as its cost rises; `high` and `low` are indices of `curve`."""
    parked: tuple[str, ...]
    """Efforts that are zero in every choice that is not beaten, while others are not."""
    change: Mapping[str, Statistic]
    """By metric: the mean true effect less that of the study, in the same replications."""
    bought: Mapping[str, Statistic | None]
    """By metric: true effect per unit of money paid, a ratio of means; None if nothing is paid."""
    gap: Mapping[str, Statistic]
    """By metric of the contract: mean of estimate less truth."""
    paid_beyond_truth: Statistic
    """Mean payment of the contingent terms less their payment on the truth."""
    first_best: int
    """Index of the choice with the largest surplus, of those that may be chosen."""
    lost_surplus: Statistic
    """Surplus of the first best less that of the choice, in the same replications."""
    fresh: Fresh
    """The choice, in as many fresh replications."""

    @property
    def chosen(self) -> EffortPoint:
        """What is chosen."""
        return self.curve[self.reply.place]

    @property
    def beside(self) -> tuple[int, ...]:
        """Indices of the choices with the chosen efforts, in the order of their volumes."""
        n_volumes = 1 if self.reply.volumes is None else len(self.reply.volumes.worth)
        first = self.reply.place - self.reply.place % n_volumes
        return tuple(range(first, first + n_volumes))


@dataclass(frozen=True, repr=False)
class Incentives(Answer):
    """Responses to several contracts in the same replications."""

    n_choices: int
    """Choices that were simulated."""
    contracts: Mapping[str, Induced]


def find_incentives(study: Study, designs: Mapping[str, Study], ensemble: Ensemble) -> Incentives:
    """Compute the effort that each of several contracts induces, and its results.

    Parameters
    ----------
    study
        Its people, evaluation and behaviour. Each choice is simulated once, with the same people and the same draws.
    designs
        By name: the study with other terms; nothing else may differ. Each is settled on every choice.
    ensemble
        Which replications are drawn.

    Raises
    ------
    UsageError
        If a design differs from the study in people, evaluation or behaviour.
    """
    for name, design in designs.items():
        section = other_section(study, design)
        if section is not None:
            raise UsageError(f"designs: each must be the study with other terms alone; found another `{section}` in `{name}`")
    everything = range(len(choices_of(study)))
    found = _ask(study, designs, ensemble, everything)
    replies = {name: reply_to(designs[name], answers) for name, answers in found.items()}
    again = sorted({place for reply in replies.values() for place in reply.to_check})
    beside = replace(ensemble.unwatched, first=ensemble.first + ensemble.n_replications)
    fresh = _ask(study, designs, beside, again)
    return Incentives(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        n_choices=len(everything),
        contracts={
            name: _induced(design, found[name], replies[name], dict(zip(again, fresh[name], strict=True)))
            for name, design in designs.items()
        },
    )


def _ask(study: Study, designs: Mapping[str, Study], ensemble: Ensemble, places: Sequence[int]) -> dict[str, list[Columns]]:
    """Return, by contract, the columns of some choices."""
    answers = ensemble.ask(lambda replications: list(_answers(study, designs, ensemble.seed, replications, places)))
    return {name: answers[place :: len(designs)] for place, name in enumerate(designs)}


def live_choices(
    study: Study, cohort: Cohort, draws: Draws, places: Sequence[int] | None = None
) -> Iterator[tuple[EffortChoice, Draws, Tallies]]:
    """Simulate one block of replications with every choice, or with some; independent of any contract."""
    before, choices = dict[float, Tallies](), choices_of(study)
    for choice in choices if places is None else [choices[place] for place in places]:
        changed, own = with_choice(study, cohort, draws, choice)
        # An effort can only touch the service users; with another number of people, everybody is drawn again.
        first = before.get(choice.volume)
        tallies = lived(changed, own) if first is None else lived_again(changed, own, 1.0, first)
        before.setdefault(choice.volume, tallies)
        yield choice, own, tallies


def _answers(
    study: Study, designs: Mapping[str, Study], seed: int, replications: Integers, places: Sequence[int]
) -> Iterator[Columns]:
    """Settle every contract on every choice: choice after choice, contract after contract."""
    lean, draws = with_used_designs_alone(study), draw_numbers(study, seed, replications)
    of_designs = {name: draw_numbers(design, seed, replications) for name, design in designs.items()}
    for choice, changed, tallies in live_choices(lean, cohort_of(lean), draws, places):
        costs, seen = _costs(study, choice, changed, tallies), measured(lean, lean.measurement, tallies, changed)
        truth = against_twins(lean, changed, tallies, seen)
        for name, design in designs.items():
            own = with_volume(study, of_designs[name], choice)
            paid_on_truth = _paid(design, Evidence(design, own, beyond_twins(tallies), truth))
            yield costs | _settled(design, Evidence(design, own, tallies, seen)) | {"paid_on_truth": paid_on_truth}


def _costs(study: Study, choice: EffortChoice, draws: Draws, tallies: Tallies) -> dict[str, Floats]:
    return {
        "cost": cost_of_efforts(study, choice, draws, tallies),
        "referral_cost": cost_of_referrals(study, choice, draws, tallies),
    }


def _settled(design: Study, evidence: Evidence) -> dict[str, Floats]:
    """Settle one contract on one choice, and keep the columns needed."""
    behaviour, results = behaviour_of(design), evaluate(design, evidence, with_returns=False)
    referral = behaviour.referral
    kept = {
        "money": results[f"{behaviour.party}.{behaviour.objective}"],
        "all_money": add_in_order([results[f"{party}.{part}"] for party in design.parties for part in ("cash", "value")]),
        "payment": results[f"{total_of_payers(results.columns)}.payment"],
        "contingent_payment": results["contingent_payment"],
    }
    kept |= {} if referral is None else {"referrer_money": results[f"{referral.party}.{referral.objective}"]}
    for metric in design.measurement.measured:
        kept[f"{_TRUTH}{metric}"] = results[f"metric.{metric}.truth"]
        kept[f"{_ESTIMATE}{metric}"] = results[f"metric.{metric}.estimate"]
    return {name: np.asarray(values, dtype=np.float64) for name, values in kept.items()}


def _paid(design: Study, evidence: Evidence) -> Floats:
    """Return the payments of the terms that depend on outcomes."""
    contract, draws = design.contract, evidence.draws
    measurements = as_contract_asks(contract, evidence.tallies, evidence.measurements, draws)
    payments, _ = move_money(design, draws, evidence.tallies, measurements)
    amounts = [payments.amount[:, t] for t, name in enumerate(payments.terms) if contract.terms[name].contingent]
    return add_in_order([np.zeros(len(draws)), *amounts])


def reply_to(study: Study, answers: Sequence[Columns]) -> Reply:
    """Compute the choice under one contract.

    Parameters
    ----------
    study
        Its behaviour.
    answers
        By choice, in the order of `choices_of`: columns `money`, `cost`, `referral_cost` and, with a referral, `referrer_money`.
    """
    behaviour, n_volumes = behaviour_of(study), len(volumes_of(study))
    aversion = 0.0 if behaviour.risk_aversion is None else behaviour.risk_aversion.value
    follows, replies = [], []
    for effort in range(len(efforts_of(study))):
        group = answers[effort * n_volumes : (effort + 1) * n_volumes]
        by_volume = None if behaviour.referral is None else best_response([_referrer_keeps(study, one) for one in group])
        replies.append(by_volume)
        follows.append(effort * n_volumes + (0 if by_volume is None else by_volume.best))
    efforts = best_response([decider_keeps(study, answers[place]) for place in follows], aversion)
    return Reply(follows[efforts.best], efforts, replies[efforts.best], tuple(follows))


def decider_keeps(study: Study, columns: Columns) -> Floats:
    """Return the money of the party that chooses the efforts in each replication, after its costs."""
    behaviour = behaviour_of(study)
    return np.asarray(columns["money"] - borne_by(study, behaviour.party, columns))


def _referrer_keeps(study: Study, columns: Columns) -> Floats:
    referral = behaviour_of(study).referral
    assert referral is not None
    return np.asarray(columns["referrer_money"] - borne_by(study, referral.party, columns))


def borne_by(study: Study, party: str, columns: Columns) -> Floats:
    """Return the costs of effort and referral that one party bears in each replication."""
    behaviour = behaviour_of(study)
    referrer = None if behaviour.referral is None else behaviour.referral.party
    bears_effort = party == (behaviour.borne_by or behaviour.party)
    return np.asarray(columns["cost"] * bears_effort + columns["referral_cost"] * (party == referrer))


def _induced(design: Study, answers: Sequence[Columns], reply: Reply, again: Mapping[int, Columns]) -> Induced:
    behaviour, choices = behaviour_of(design), choices_of(design)
    aversion = 0.0 if behaviour.risk_aversion is None else behaviour.risk_aversion.value
    chosen, said = answers[reply.place], answers[choices.index(as_the_study_says(design))]
    surplus = [columns["all_money"] - columns["cost"] - columns["referral_cost"] for columns in answers]
    n_allowed = len(efforts_of(design)) * len(volumes_of(design))
    first_best = int(np.argmax([float(np.mean(one)) for one in surplus[:n_allowed]]))
    metrics = list(design.measurement.measured)
    return Induced(
        title=design.contract.title,
        curve=tuple(
            _point(design, choice, columns, left, aversion) for choice, columns, left in zip(choices, answers, surplus, strict=True)
        ),
        reply=reply,
        giving_up=_giving_up(design, answers, reply, aversion),
        parked=_parked(design, reply),
        change={name: mean_of_measured(chosen[f"{_TRUTH}{name}"] - said[f"{_TRUTH}{name}"]) for name in metrics},
        bought={name: _ratio(chosen[f"{_TRUTH}{name}"], chosen["payment"]) for name in metrics},
        gap={name: mean_of_measured(chosen[f"{_ESTIMATE}{name}"] - chosen[f"{_TRUTH}{name}"]) for name in design.contract.inputs()},
        paid_beyond_truth=statistics.mean(chosen["contingent_payment"] - chosen["paid_on_truth"]),
        first_best=first_best,
        lost_surplus=statistics.mean(surplus[first_best] - surplus[reply.place]),
        fresh=_fresh(design, reply, again, aversion),
    )


def _fresh(study: Study, reply: Reply, again: Mapping[int, Columns], aversion: float) -> Fresh:
    own, *others = (worth_by_replication(decider_keeps(study, again[place]), aversion) for place in reply.to_check)
    worth, found = statistics.mean(own), reply.efforts.worth[reply.efforts.best]
    lead = statistics.mean(own - others[0]) if others else None
    return Fresh(worth, lead, Statistic(found.value - worth.value, float(np.hypot(found.se, worth.se))))


def _point(study: Study, choice: EffortChoice, columns: Columns, surplus: Floats, aversion: float) -> EffortPoint:
    metrics = study.measurement.measured
    return EffortPoint(
        choice=choice,
        money=statistics.mean(columns["money"]),
        cost=statistics.mean(columns["cost"]),
        worth=statistics.mean(worth_by_replication(decider_keeps(study, columns), aversion)),
        p_pay=statistics.probability(columns["contingent_payment"] > 0),
        payment=statistics.mean(columns["payment"]),
        surplus=statistics.mean(surplus),
        truth={name: mean_of_measured(columns[f"{_TRUTH}{name}"]) for name in metrics},
        worth_to_referrer=statistics.mean(_referrer_keeps(study, columns)) if behaviour_of(study).referral else None,
    )


def _giving_up(study: Study, answers: Sequence[Columns], reply: Reply, aversion: float) -> GivingUp | None:
    behaviour = behaviour_of(study)
    if behaviour.borne_by not in (None, behaviour.party):
        return None
    followed = [answers[place] for place in reply.followed_by]
    effort = [sum(efforts.values()) for efforts in efforts_of(study)]
    income = [decider_keeps(study, columns) + columns["cost"] for columns in followed]
    found = giving_up(effort, income, [columns["cost"] for columns in followed], aversion)
    return None if found is None else GivingUp(found.multiple, reply.followed_by[found.high], reply.followed_by[found.low])


def _parked(study: Study, reply: Reply) -> tuple[str, ...]:
    efforts = efforts_of(study)
    kept = [efforts[place] for place in reply.efforts.not_beaten]
    if not all(any(one.values()) for one in kept):
        return ()
    return tuple(name for name in behaviour_of(study).efforts if all(one[name] == 0 for one in kept))


def _ratio(above: Floats, below: Floats) -> Statistic | None:
    """Return a ratio of two means over the replications in which both are known; None if the denominator is 0."""
    (above, below), _ = those_measured(None, above, below)
    if len(below) < 2:
        return None
    scale = float(np.mean(below))
    if scale == 0:
        return None
    ratio = float(np.mean(above)) / scale
    return Statistic(ratio, statistics.mean((above - ratio * below) / scale).se)
