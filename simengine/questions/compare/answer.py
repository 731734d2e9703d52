"""Several contracts on the same people: each party's results, and its gain from changing the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simengine.config import Study
from simengine.config.consistency import study_problems
from simengine.config.roles import with_money
from simengine.contract.spec import Contract
from simengine.currencies import units_of
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.pipeline import simulate
from simengine.questions.compare.designs import OWN_CONTRACT
from simengine.records import Integers
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, with_used_designs_alone
from simengine.replications.money import (
    PartyStanding,
    asked_measures,
    measures_of,
    refuse_level,
    settled_money,
    standing_of,
    tail_needs,
)
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic
from simengine.risk.trust import bar_levels


@dataclass(frozen=True)
class Switch:
    """Change of a party's money under another contract, replication by replication on the same people."""

    net: Statistic
    """Mean of the difference: the other contract less `own`."""
    npv: Statistic
    """The same of the net present value."""
    gains: Statistic
    """Share of the replications in which its net is larger by at least the smallest unit of the currency."""
    loses: Statistic
    """Share in which it is smaller by as much."""
    same: Statistic
    """The remaining share."""
    asked: Mapping[str, Statistic] = field(default_factory=dict)
    """By measure of `--measure`: the difference, replication by replication."""


@dataclass(frozen=True, repr=False)
class Comparison(Answer):
    """Contracts side by side."""

    level: float
    """Level of the CVaR."""
    measures: tuple[str, ...]
    """Those of `--measure`."""
    cvar_needs: int | None
    """Replications needed for a CVaR, if the run has too few: every `cvar` is then null; otherwise null."""
    titles: Mapping[str, str]
    """By contract: its title; `own` is the study's, and the reference."""
    parties: tuple[str, ...]
    """Names of the parties."""
    standings: Mapping[str, Mapping[str, PartyStanding]]
    """By contract and party: statistics of its money."""
    switches: Mapping[str, Mapping[str, Switch]]
    """By contract and party: statistics of the difference to `own`, replication by replication; of every other contract."""
    quantile_levels: tuple[float, float, float]
    """0.05, 0.5 and 0.95, or, where too few replications lie in a tail, 0.25, 0.5 and 0.75."""
    quantiles: Mapping[str, Mapping[str, tuple[float, float, float]]]
    """By contract and party: the quantiles of the net at these levels."""


def compare_contracts(
    study: Study, others: Mapping[str, Study | Contract], ensemble: Ensemble, level: float, measures: Sequence[str] = ()
) -> Comparison:
    """Settle several contracts on the same people, measured once.

    Parameters
    ----------
    study
        Its own contract is the first, called `own`.
    others
        By name: further contracts, or the study under them.
    ensemble
        Which replications are drawn; each is simulated and measured once.
    level
        Of the CVaR.
    measures
        Further measures beside net, NPV, P(loss) and CVaR: `party.measure`, or a measure alone for every party that has it.

    Raises
    ------
    StudyError
        If a contract cannot be settled on what the study measures, or does not say when it pays.
    UsageError
        If there is nothing to compare, or the level or a measure is invalid.
    """
    study = with_used_designs_alone(study)
    if not others:
        raise UsageError("CONTRACT: must be at least one contract beside the study's own; found none")
    refuse_level(level)
    asked = asked_measures(study, measures)
    studies = {OWN_CONTRACT: study} | {name: with_used_designs_alone(under(study, name, other)) for name, other in others.items()}
    answers = ensemble.ask(lambda replications: _settle_all(list(studies.values()), ensemble.seed, replications, asked))
    columns: dict[str, Columns] = dict(zip(studies, answers, strict=True))
    moved = {party for one in studies.values() for party in with_money(one)}
    parties = tuple(party for party in study.parties if party in moved)
    low, high = bar_levels(ensemble.n_replications)
    levels = (low, 0.5, high)
    return Comparison(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        level=level,
        measures=tuple(str(measure) for measure in asked),
        cvar_needs=tail_needs(ensemble.n_replications, level),
        titles={name: one.contract.title for name, one in studies.items()},
        parties=parties,
        standings={
            name: {party: standing_of(answer, party, level, asked) for party in parties} for name, answer in columns.items()
        },
        switches={
            name: {party: _switch(columns[OWN_CONTRACT], answer, party, units_of(study.study.currency), asked) for party in parties}
            for name, answer in columns.items()
            if name != OWN_CONTRACT
        },
        quantile_levels=levels,
        quantiles={name: {party: _quantiles(answer, party, levels) for party in parties} for name, answer in columns.items()},
    )


def under(study: Study, name: str, other: Study | Contract | Mapping[str, Any]) -> Study:
    """Return the study under another contract, which may come with its own study, or under terms by their paths.

    Raises
    ------
    StudyError
        If they do not fit the study.
    UsageError
        If it is something else.
    """
    if isinstance(other, Study):
        return other
    if isinstance(other, Contract):
        return with_contract(study, name, other)
    if isinstance(other, Mapping):
        return study.with_(other)
    rule = "must be a contract, the study under other terms, or values of terms by their paths"
    raise UsageError(f"{name}: {rule}; found {shorten(other)}")


def with_contract(study: Study, name: str, contract: Contract) -> Study:
    """Return the study with another contract.

    A contract that names dates pays on them. One without dates is paid in the months that the study gives to terms of the same
    names; if it has others, it is refused.
    """
    months = study.capital.payment_month
    if not contract.calendar:
        for term in contract.terms:
            if term not in months:
                rule = "a contract must name the dates on which it pays, or have terms that are called like those of the study"
                found = f"`{term}`, for which the study has no month"
                way_out = f"Give the contract `dates`. The study has months for: {', '.join(months) or 'no term'}"
                raise StudyError([Problem(name, f"terms.{term}", rule, found, way_out)])
    kept = {} if contract.calendar else {term: months[term] for term in contract.terms}
    capital = study.capital.model_copy(update={"payment_month": kept})
    changed = study.model_copy(update={"contract": contract, "capital": capital})
    problems = [Problem(name, path.removeprefix("contract."), *rest) for path, *rest in study_problems(changed)]
    if problems:
        raise StudyError(problems)
    return changed


def _settle_all(studies: Sequence[Study], seed: int, replications: Integers, asked: Sequence[Measure]) -> list[Columns]:
    evidence = simulate(studies[0], seed, replications)
    return [settled_money(study, evidence, asked) for study in studies]


def _switch(own: Columns, other: Columns, party: str, units: int, asked: Sequence[Measure]) -> Switch:
    net, npv = (other[f"{party}.{measure}"] - own[f"{party}.{measure}"] for measure in ("net", "npv"))
    step = 0.5 / units
    return Switch(
        net=statistics.mean(net),
        npv=statistics.mean(npv),
        gains=statistics.probability(net > step),
        loses=statistics.probability(net < -step),
        same=statistics.probability(np.abs(net) <= step),
        asked={text: measure.difference(own, other) for text, measure in measures_of(asked, party).items()},
    )


def _quantiles(columns: Columns, party: str, levels: tuple[float, float, float]) -> tuple[float, float, float]:
    # Order statistics: an interpolation between two atoms would be an amount that is never paid.
    low, middle, high = np.quantile(columns[f"{party}.net"], levels, method="inverted_cdf")
    return float(low), float(middle), float(high)
