"""What each term is worth to each party: the same replications settled with a little less and a little more of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from simengine.config import Study
from simengine.errors import StudyError, UsageError
from simengine.questions.tradeoffs.terms import Placed, placed_terms
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.replications.money import (
    PartyStanding,
    asked_measures,
    chosen_parties,
    measures_of,
    refuse_level,
    standing_of,
    tail_needs,
)
from simengine.replications.stored import StoredEnsemble, store_evidence
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic

_NPV, _P_LOSS, _CVAR = "expected_npv", "p_loss", "cvar"


@dataclass(frozen=True)
class Slope:
    """Change of a number with a term: the difference of both settlements, as a slope."""

    per_step: Statistic
    """For a step of the term upwards."""
    per_unit: Statistic
    """For one unit more of the term."""


@dataclass(frozen=True)
class TermWorth:
    """Value of more of a term to one party."""

    npv: Slope
    """The change of the mean net present value."""
    p_loss: Slope
    """The change of the probability of a net below zero, between `low` and `high`."""
    cvar: Slope | None
    """The change of the mean loss in the tail, between `low` and `high`; null if the tail has too few replications."""
    asked: Mapping[str, Slope] = field(default_factory=dict)
    """By measure of `--measure`: its change."""


@dataclass(frozen=True)
class MovedTerm:
    """One term: its values, and its worth to each party."""

    value: float
    """The term as it is."""
    low: float
    """The lower of the values between which the difference is taken."""
    high: float
    """The higher of them; one of both is the value itself where a side is forbidden."""
    step: float
    """The change to which `per_step` refers, in the unit of the term: the fraction `step` of its size."""
    forbidden: str | None
    """The rule that forbids one side; null if both were settled."""
    parties: Mapping[str, TermWorth]
    """By party: what more of the term is worth to it."""


@dataclass(frozen=True, repr=False)
class Tradeoffs(Answer):
    """Worth of the terms of a study to its parties."""

    step: float
    """Relative change of each term."""
    level: float
    """Level of the CVaR."""
    measures: tuple[str, ...]
    """Those of `--measure`."""
    cvar_needs: int | None
    """Replications needed for a CVaR, if the run has too few: every `cvar` is then null; otherwise null."""
    base: Mapping[str, PartyStanding]
    """By party: statistics of its money, with the terms as they are."""
    terms: Mapping[str, MovedTerm]
    """By path: a term and its worth."""
    left_out: Mapping[str, str]
    """By path: why a number of the contract or the capital was not changed."""


def worth_of_terms(
    study: Study,
    ensemble: Ensemble,
    names: Sequence[str] = (),
    parties: Sequence[str] = (),
    step: float = 0.1,
    level: float = 0.95,
    measures: Sequence[str] = (),
) -> Tradeoffs:
    """Settle the same replications with a little less and a little more of each term.

    Parameters
    ----------
    study
        Whose terms they are.
    ensemble
        Which replications are drawn; they are simulated and measured once.
    names
        Paths of terms; none: all numbers of the contract and the capital but distributions and zeros.
    parties
        Whose money; none: everybody's.
    step
        Relative to the term. A number of months changes by whole months, at least one.
    level
        Of the CVaR.
    measures
        Further measures beside NPV, P(loss) and CVaR: `party.measure`, or a measure alone for every party that has it.

    Raises
    ------
    UsageError
        If a path is not a term, a term cannot be changed, a party has no cash, or the level is invalid.

    Notes
    -----
    The mean is differentiated replication by replication, so that common variation cancels in its error. P(loss) and CVaR are
    differences over the step, because they are not smooth if payments have steps and caps.
    """
    refuse_level(level)
    chosen = chosen_parties(parties, study)
    placed, left_out = placed_terms(study, names, step)
    asked = asked_measures(study, measures)
    stored = stored_for(study, ensemble, chosen, asked)
    base = settled_at(stored, {})
    standard = {party: standard_measures(party, level, ensemble.n_replications) for party in chosen}
    wanted = {party: standard[party] | measures_of(asked, party) for party in chosen}
    terms: dict[str, MovedTerm] = {}
    for path, one in placed.items():
        found = _settled_term(stored, path, one, base, wanted)
        if isinstance(found, MovedTerm):
            terms[path] = found
        elif path in names:
            raise UsageError(f"--term: must be a term that can be moved in every replication; found `{path}`: {found}. "
                             "Give a smaller --step")  # fmt: skip
        else:
            left_out[path] = found
    standings = {party: standing_of(base, party, level, asked) for party in chosen}
    needs = tail_needs(ensemble.n_replications, level)
    texts = tuple(str(measure) for measure in asked if measure.party in chosen)
    return Tradeoffs(
        step, level, texts, needs, standings, terms, left_out, n_replications=ensemble.n_replications, seed=ensemble.seed
    )


def stored_for(study: Study, ensemble: Ensemble, parties: Sequence[str], measures: Sequence[Measure] = ()) -> StoredEnsemble:
    """Store the replications of a study with the study's own distributions, ignoring beliefs."""
    return store_evidence(study.model_copy(update={"sizing": None}), ensemble, parties, parties, measures)


def settled_at(stored: StoredEnsemble, terms: Mapping[str, float]) -> Columns:
    """Return the money of every party with other numbers at some paths: `<party>.net` and `<party>.npv`, by replication."""
    return next(iter(stored.settle(terms).values()))


def standard_measures(party: str, level: float, n_replications: int) -> dict[str, Measure]:
    """Return the measures that every term is judged by; no CVaR where its tail would hold too few replications."""
    found = {_NPV: Measure(party, _NPV, 0.0), _P_LOSS: Measure(party, _P_LOSS, 0.0)}
    return found if tail_needs(n_replications, level) is not None else found | {_CVAR: Measure(party, _CVAR, level)}


def _settled_term(
    stored: StoredEnsemble, path: str, placed: Placed, base: Columns, wanted: Mapping[str, Mapping[str, Measure]]
) -> MovedTerm | str:
    """Settle a term on both its sides, and say what it is worth; or why it could be settled on neither."""
    sides: dict[float, Columns] = {placed.value: base}
    forbidden = placed.forbidden
    for value in (placed.low, placed.high):
        try:
            sides.setdefault(value, base if value == placed.value else settled_at(stored, {path: value}))
        except StudyError as error:
            first = error.problems[0]
            forbidden = f"{first.rule}; found {first.found}" if first.found else first.rule
    low, high = min(sides), max(sides)
    if low == high:
        return forbidden or ""
    worth = {party: worth_between(sides[low], sides[high], high - low, placed.step, mine) for party, mine in wanted.items()}
    return MovedTerm(placed.value, low, high, placed.step, forbidden, worth)


def worth_between(low: Columns, high: Columns, span: float, step: float, measures: Mapping[str, Measure]) -> TermWorth:
    """Say what more of a term is worth to a party, from the same replications settled with less and with more of it.

    Parameters
    ----------
    low, high
        What the measures read, each column of shape (n_replications,).
    span
        How much more of the term there is in `high`, in its unit.
    step
        The part of the term for which the change is told, in its unit.
    measures
        Of the party: `expected_npv`, `p_loss`, `cvar` where it is given, and what was asked for.
    """
    slopes = {text: _as_slope(measure.difference(low, high), span, step) for text, measure in measures.items()}
    asked = {text: slope for text, slope in slopes.items() if text not in (_NPV, _P_LOSS, _CVAR)}
    return TermWorth(slopes[_NPV], slopes[_P_LOSS], slopes.get(_CVAR), asked)


def _as_slope(difference: Statistic, span: float, step: float) -> Slope:
    return Slope(_times(difference, step / span), _times(difference, 1 / span))


def _times(one: Statistic, factor: float) -> Statistic:
    interval = None if one.interval_95 is None else (factor * one.interval_95[0], factor * one.interval_95[1])
    return replace(one, value=factor * one.value, se=factor * one.se, interval_95=interval)
