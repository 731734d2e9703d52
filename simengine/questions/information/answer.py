"""Value of information before signing, and value of a pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.asked import number, whole
from simengine.config import Study
from simengine.config.numbers import with_numbers
from simengine.config.roles import refuse_without_money, roles_in_words
from simengine.config.sizing import Free
from simengine.errors import UsageError
from simengine.pipeline import discount_basis_of, draw_numbers
from simengine.questions.information.pilot import FEWEST_PEOPLE, MOST_PEOPLE, pilot_shows
from simengine.questions.information.value_of_knowing import value_of_knowing, value_with_hindsight
from simengine.questions.size.answer import refuse_impossible_terms
from simengine.questions.size.search import GRID_POINTS, spread_out
from simengine.records import Floats
from simengine.replications.answer import Answer
from simengine.replications.blocks import map_blocks
from simengine.replications.ensemble import Ensemble
from simengine.replications.points import uncertain_paths
from simengine.replications.stored import Belief, belief_of, store_evidence
from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.sampling import distributions_of

_FEWEST = 500
"""Smallest number of replications for the regressions."""
MOST_SHEETS, LONGEST, DEAREST = 10_000, 1200.0, 1e12
"""Limits of the number of term sheets, of the delay by a pilot in months, and of its cost per person."""


@dataclass(frozen=True)
class Decision:
    """The decision maker, its options, and the parties who must agree."""

    party: str
    """Whose net present value decides: to sign, or not."""
    must_accept: tuple[str, ...] = ()
    """Parties who sign only without an expected loss."""
    free: Mapping[str, Free] = field(default_factory=dict)
    """Terms that may be chosen after the information; empty: the terms are fixed."""
    points: int = GRID_POINTS
    """Number of term sheets to choose from."""


@dataclass(frozen=True)
class Pilot:
    """Value of a pilot of some size."""

    n_people: int
    """People of the pilot, with the service and without, together."""
    evsi: Statistic
    """Expected value of sample information, if it decides whether to sign."""
    evsi_with_terms: Statistic | None
    """Its value if it decides on the terms as well; null if no terms are free."""
    evsi_after_waiting: Statistic
    """Its value less the cost of the delay and of its people: below 0 it is better to sign now."""


@dataclass(frozen=True, repr=False)
class Information(Answer):
    """Value of information to one party before it signs."""

    choice: Decision
    signed_now: Statistic
    """Mean net present value of the contract with its present terms."""
    is_signed: bool
    """Whether it is above 0, so that the party signs on present knowledge."""
    hindsight: Statistic
    """Mean gain if the result of this very contract were known beforehand, sampling variation included: an upper bound that no
    research can reach, not an EVPI."""
    evpi: Statistic
    """Expected value of perfect information (EVPI): about all numbers with a distribution, for this party and this one contract (not
    scaled to a population of decisions)."""
    evppi_of_sections: Mapping[str, Statistic]
    """By section of the study: expected value of partial perfect information, about its numbers that have a distribution."""
    evppi: Mapping[str, Statistic]
    """By path: the same about one number, the most valuable first."""
    pilots: tuple[Pilot, ...]
    """The pilots, in the order of the request."""
    terms_today: Statistic | None
    """Additional value of the best free terms today over the contract with its present terms, or over no contract if that is better;
    null if no terms are free."""


def value_information(
    study: Study,
    choice: Decision,
    ensemble: Ensemble,
    pilots: Sequence[int] = (),
    delay_months: float = 0.0,
    cost_per_person: float = 0.0,
) -> Information:
    """Compute the value of information to one party before it signs.

    Parameters
    ----------
    study
        With its contract; the replications are those in which the party believes, for everybody who must accept as well.
    choice
        Who decides, between what.
    ensemble
        At least 500 replications.
    pilots
        Sizes of pilots: half of the people are randomised to the service, half to a control group, and all are followed and
        measured as in the contract.
    delay_months, cost_per_person
        Delay of the contract by a pilot, and its cost to this party.

    Raises
    ------
    UsageError
        If there are too few replications, no number has a distribution under the party's belief, somebody is named whose money the
        study does not move, or a number is none that can be asked for.
    StudyError
        If an end of a free term is against a rule of the study.
    """
    _refuse_nonsense(study, choice, pilots, delay_months, cost_per_person)
    if ensemble.n_replications < _FEWEST:
        raise UsageError(
            f"-n: what is worth knowing must be seen in at least {_FEWEST} replications; found {ensemble.n_replications}"
        )
    eyes = belief_of(study, choice.party)
    uncertain_paths(with_numbers(study, dict(eyes.beliefs)))
    now, later = _nets(study, choice, ensemble)
    drawn = _parameters(study, eyes, ensemble)
    sign_or_not = now[:, 0]
    groups: dict[str, list[str]] = {}
    for path in drawn:
        groups.setdefault(path.split(".")[0], []).append(path)
    single = {path: value_of_knowing(sign_or_not, values[:, None]) for path, values in drawn.items()}
    signed = statistics.mean(sign_or_not[:, 1])
    kept = _kept_after(study, choice.party, delay_months)

    def weigh(n_people: int) -> Pilot:
        shown = pilot_shows(study, eyes, n_people, ensemble)
        value = value_of_knowing(sign_or_not, shown)
        with_terms = None if later is None else _value(later, shown, choice)
        best = with_terms or value
        today = _today(sign_or_not if later is None else later[:, 0], None if later is None else later[:, 1:])
        after = kept * (today + best.value) - today - cost_per_person * n_people
        return Pilot(n_people, value, with_terms, Statistic(after, kept * best.se))

    return Information(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        choice=choice,
        signed_now=signed,
        is_signed=signed.value > 0,
        hindsight=value_with_hindsight(sign_or_not),
        evpi=value_of_knowing(sign_or_not, np.stack(list(drawn.values()), axis=1) if drawn else np.empty((len(now), 0))),
        evppi_of_sections={
            name: value_of_knowing(sign_or_not, np.stack([drawn[p] for p in paths], axis=1)) for name, paths in groups.items()
        },
        evppi=dict(sorted(single.items(), key=lambda one: -one[1].value)),
        pilots=tuple(weigh(n_people) for n_people in pilots),
        terms_today=None if later is None else _terms_today(now, later),
    )


def _refuse_nonsense(study: Study, choice: Decision, pilots: Sequence[int], delay_months: float, cost_per_person: float) -> None:
    """Refuse what cannot be asked: also a choice of somebody whose money the study does not move, or of several parties at once."""
    refuse_without_money(study, choice.party, "--party")
    if choice.party not in study.parties:
        rule = "must be one party, who decides at its own discount rate"
        raise UsageError(f"--party: {rule}; found {choice.party!r}. {roles_in_words(study)}")
    for name in choice.must_accept:
        refuse_without_money(study, name, "--accepted-by")
    if choice.must_accept and not choice.free:
        raise UsageError("--accepted-by: somebody must accept terms that are free; found no --free")
    refuse_impossible_terms(study, choice.free)
    whole(choice.points, "--points", 2, MOST_SHEETS)
    number(delay_months, "--delay-months", 0.0, LONGEST)
    number(cost_per_person, "--cost-per-person", 0.0, DEAREST)
    for n_people in pilots:
        whole(n_people, "--pilot", FEWEST_PEOPLE, MOST_PEOPLE)


def _kept_after(study: Study, party: str, months: float) -> float:
    """Return the value today of one unit of money after so many months, at the party's rate at the start."""
    draws = draw_numbers(study, 0, np.arange(1))
    after_a_year = float(discount_basis_of(study, draws, 1).discount_factors[party][0, 12])
    return float(after_a_year ** (months / 12))


def _value(nets: Floats, shown: Floats, choice: Decision) -> Statistic:
    return value_of_knowing(nets[:, 0], shown, nets[:, 1:] if choice.must_accept else None)


def _today(mine: Floats, others: Floats | None) -> float:
    """Return the choice on present knowledge."""
    means = mine.mean(axis=0)
    is_open = np.ones(len(means), dtype=bool) if others is None else (others.mean(axis=0) >= 0).all(axis=0)
    is_open[0] = True
    return float(means[is_open].max())


def _terms_today(now: Floats, later: Floats) -> Statistic:
    means = later[:, 0].mean(axis=0)
    is_open = (later[:, 1:].mean(axis=0) >= 0).all(axis=0)
    is_open[0] = True
    best = int(np.flatnonzero(is_open)[np.argmax(means[is_open])])
    own = int(np.argmax(now[:, 0].mean(axis=0)))
    return statistics.mean(later[:, 0, best] - now[:, 0, own])


def _nets(study: Study, choice: Decision, ensemble: Ensemble) -> tuple[Floats, Floats | None]:
    """Settle the contract as it is, and under all terms that may be chosen.

    Returns
    -------
    Shape (n_replications, n_parties, n_options) each: who decides comes first, and no contract is the first option.
    """
    parties = (choice.party, *choice.must_accept)
    stored = store_evidence(study, ensemble, [choice.party], parties)

    def nets(all_terms: Sequence[Mapping[str, float]]) -> Floats:
        options = [np.zeros((ensemble.n_replications, len(parties)))]
        for terms in all_terms:
            columns = stored.settle(terms)[choice.party]
            options.append(np.stack([columns[f"{party}.npv"] for party in parties], axis=1))
        return np.stack(options, axis=2)

    if not choice.free:
        return nets([{}]), None
    sheets = spread_out(list(choice.free.values()), choice.points)
    return nets([{}]), nets([dict(zip(choice.free, terms, strict=True)) for terms in sheets])


def _parameters(study: Study, eyes: Belief, ensemble: Ensemble) -> dict[str, Floats]:
    """Draw every uncertain number that a run uses, under the party's belief, in the replications of an ensemble."""
    believed = with_numbers(study, dict(eyes.beliefs))
    parts = map_blocks(
        lambda replications: draw_numbers(believed, ensemble.seed, replications).values,
        ensemble.n_replications,
        threads=ensemble.threads,
        block_size=ensemble.block_size,
        first=ensemble.first,
    )
    drawn = {path: np.concatenate([part[path] for part in parts]) for path in parts[0]}
    read = distributions_of(believed.numbers)
    return {path: values for path, values in drawn.items() if path in read and np.ptp(values) > 0}
