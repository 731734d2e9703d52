"""Stress tests: each party's money under adverse scenarios.

The named ones apply to any study by what it contains; where a study cannot express one, the answer says why. Each is a coherent
vector: all numbers of its kind move together, in every replication, and everything else keeps its draws. The sizes below are
choices, as in supervisory scenarios (an adverse one that an expert would not rule out, a severe one beyond it); a
study states its own under `stresses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simengine.asked import names_asked
from simengine.config import Study, cohort_of
from simengine.config.stresses import Stressed, with_number
from simengine.distributions import Constant
from simengine.errors import UsageError, did_you_mean, one_of
from simengine.measurement import thinned
from simengine.pipeline import DrawOverrides, Evidence, draw_numbers
from simengine.records import Draws, Floats, Integers, Tallies
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, lived, lived_again, measured, with_used_designs_alone
from simengine.replications.money import (
    PartyStanding,
    asked_measures,
    chosen_parties,
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
from simengine.sections import MEASURED_AGAIN, OWN, lies_in

TOGETHER = "all_together"
"""The named stresses that apply, all at once."""
OWN_STRESS = OWN
"""The severity of a stress that the study itself states."""


_LABELS = {
    "success": "weaker effect",
    "counterfactual_drift_against": "drift, measured effect too low",
    "counterfactual_drift_for": "drift, measured effect too high",
}


def label_of(name: str) -> str:
    """Return what tables and pictures call a stress.

    Examples
    --------
    >>> label_of("success"), label_of("payer_delay")
    ('weaker effect', 'payer delay')
    """
    return _LABELS.get(name, name.replace("_", " "))


@dataclass(frozen=True)
class Stress:
    """The changes that a stress makes to a study."""

    words: str
    shift: Mapping[str, float] = field(default_factory=dict)
    change: Mapping[str, Callable[[Floats], Floats]] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    """By path: the value of a number that the study itself fixes."""
    strength: float = 1.0
    """Multiple of every effect."""
    delay_months: int = 0
    """Months by which payers pay later; the amount owed is unchanged."""
    allows_shortfall: bool = False
    """Whether costs may stay unpaid if the money is insufficient."""
    reached_share: float = 1.0
    """Share of the outcomes counted person by person that are reached; which of them is decided by lot."""
    reached_later_months: int = 0
    """Months by which these are reached later."""


@dataclass(frozen=True)
class StressedChange:
    """Effect of a stress on one party, replication by replication."""

    net: Statistic
    """Mean of the difference in net."""
    npv: Statistic
    """The same of the net present value."""
    asked: Mapping[str, Statistic] = field(default_factory=dict)
    """By measure of `--measure`: the same."""


@dataclass(frozen=True)
class Stressing:
    """Results of a stress."""

    words: str
    """What the stress changes, in words."""
    standings: Mapping[str, PartyStanding]
    """By party: statistics of its money under the stress."""
    moved: Mapping[str, StressedChange]
    """By party: the difference to the study as it is, replication by replication."""


@dataclass(frozen=True, repr=False)
class StressTest(Answer):
    """A study under its stresses."""

    level: float
    """Level of the CVaR."""
    measures: tuple[str, ...]
    """Those of `--measure`."""
    cvar_needs: int | None
    """Replications needed for a CVaR, if the run has too few: every `cvar` is then null; otherwise null."""
    parties: tuple[str, ...]
    """Names of the parties."""
    base: Mapping[str, PartyStanding]
    """By party: statistics of its money, the study as it is."""
    stresses: Mapping[str, Mapping[str, Stressing]]
    """By stress and severity: its results. The severity is `adverse`, `severe`, or `own` for a stress of the study."""
    not_applicable: Mapping[str, str]
    """By stress: why the study cannot express it."""


def stress_study(
    study: Study,
    named: Mapping[str, Mapping[str, Stress] | str],
    ensemble: Ensemble,
    level: float,
    measures: Sequence[str] = (),
    parties: Sequence[str] = (),
) -> StressTest:
    """Simulate the same people under every stress.

    Parameters
    ----------
    study
        The question.
    named
        By name: stresses by severity, or why there is none; see `stresses_of`.
    ensemble
        Which replications are drawn; all stresses share their draws.
    level
        Of the CVaR.
    measures
        Further measures beside net, NPV, P(loss) and CVaR: `party.measure`, or a measure alone for every party that has it.
    parties
        Those to speak of; all with cash in the study if empty.

    Raises
    ------
    UsageError
        If the level, a measure or a party is invalid.
    """
    asked, parties = asked_measures(study, measures), chosen_parties(parties, study)
    study = with_used_designs_alone(study)
    refuse_level(level)
    flat = {(name, one): stress for name, found in named.items() if not isinstance(found, str) for one, stress in found.items()}
    answers = ensemble.ask(lambda replications: _settle_all(study, list(flat.values()), ensemble.seed, replications, asked))
    base, columns = answers[0], dict(zip(flat, answers[1:], strict=True))
    return StressTest(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        level=level,
        measures=tuple(str(measure) for measure in asked),
        cvar_needs=tail_needs(ensemble.n_replications, level),
        parties=parties,
        base={party: standing_of(base, party, level, asked) for party in parties},
        stresses={
            name: {
                severity: Stressing(
                    words=flat[name, severity].words,
                    standings={party: standing_of(columns[name, severity], party, level, asked) for party in parties},
                    moved={party: _moved(base, columns[name, severity], party, asked) for party in parties},
                )
                for severity in found
            }
            for name, found in named.items()
            if not isinstance(found, str)
        },
        not_applicable={name: found for name, found in named.items() if isinstance(found, str)},
    )


def chosen_stresses(found: Mapping[str, Mapping[str, Stress] | str], names: Sequence[str]) -> dict[str, Mapping[str, Stress] | str]:
    """Return the requested stresses, or all.

    Raises
    ------
    UsageError
        If there is no stress of a name.
    """
    for name in names_asked(names, "--stress"):
        if name not in found:
            rule = "must be a stress that is named here or in the study's `stresses`"
            raise UsageError(f"--stress: {rule}; found {name!r}. {did_you_mean(name, found, one_of(found))}")
    return {name: one for name, one in found.items() if not names or name in names}


def own_stress(study: Study, stressed: Mapping[str, Stressed]) -> Stress:
    """Convert a stress of a study into changes."""
    numbers = study.numbers
    shift, change, constants = {}, {}, {}
    for path, one in stressed.items():
        if one.shift is not None:
            shift[path] = one.shift
        elif one.quantile is not None:
            change[path] = _constantly(float(numbers[path].inverse(np.array([one.quantile]))[0]))
        elif isinstance(numbers[path], Constant):
            constants[path] = float(one.value or 0.0)
        else:
            change[path] = _constantly(float(one.value or 0.0))
    return Stress("; ".join(f"{path} {one}" for path, one in stressed.items()), shift, change, constants)


def all_together(stresses: Mapping[str, Stress]) -> Stress:
    """Put several stresses, by name, into one."""
    change: dict[str, Callable[[Floats], Floats]] = {}
    for stress in stresses.values():
        for path, one in stress.change.items():
            change[path] = _after(change[path], one) if path in change else one
    return Stress(
        words=f"at once: {'; '.join(map(label_of, stresses))}",
        change=change,
        strength=min((stress.strength for stress in stresses.values()), default=1.0),
        delay_months=max((stress.delay_months for stress in stresses.values()), default=0),
        allows_shortfall=any(stress.allows_shortfall for stress in stresses.values()),
        reached_share=min((stress.reached_share for stress in stresses.values()), default=1.0),
        reached_later_months=max((stress.reached_later_months for stress in stresses.values()), default=0),
    )


def settle_under(
    study: Study,
    stress: Stress,
    seed: int,
    replications: Integers,
    measures: Sequence[Measure] = (),
    unstressed: tuple[Draws, Tallies] | None = None,
) -> Columns:
    """Simulate people under a stress, measure them and post the cash.

    Parameters
    ----------
    study, seed, replications, measures
        As of any question.
    stress
        What changes.
    unstressed
        Draws and people without a stress, if they are at hand: whom the stress does not touch is taken from there.
    """
    for path, value in stress.constants.items():
        study = with_number(study, path, value)
    if stress.allows_shortfall:
        study = study.model_copy(update={"capital": study.capital.model_copy(update={"shortfall": "allowed"})})
    draws = draw_numbers(study, seed, replications, overrides=DrawOverrides(shift=stress.shift, change=stress.change))
    tallies = _people_under(study, stress, draws, unstressed)
    seen = measured(study, study.measurement, tallies, draws)
    if seen.reached is not None:
        seen = replace(seen, reached=thinned(seen.reached, stress.reached_share, stress.reached_later_months, draws))
    if not stress.delay_months:
        return settled_money(study, Evidence(study, draws, tallies, seen), measures)
    late = replace(draws, values=dict(draws.values) | _late_by(study, draws, stress.delay_months))
    longer = _with_longer_calendar(study, stress.delay_months)
    return settled_money(longer, Evidence(longer, late, tallies, seen), measures)


def _people_under(study: Study, stress: Stress, draws: Draws, unstressed: tuple[Draws, Tallies] | None) -> Tallies:
    """Return the people under a stress; only those live again whom it touches, with the same draws."""
    cohort = cohort_of(study)
    if unstressed is None or not _draws_same_people(stress, draws, unstressed[0]):
        return lived(cohort, draws, stress.strength)
    before = unstressed[1]
    return before if stress.strength == 1.0 else lived_again(cohort, draws, stress.strength, before)


def _draws_same_people(stress: Stress, draws: Draws, before: Draws) -> bool:
    """Whether all numbers on which people depend are those without the stress."""
    touched = (path for path in before.values if not lies_in(path, MEASURED_AGAIN))
    return all(lies_in(path, MEASURED_AGAIN) for path in stress.constants) and all(
        np.array_equal(draws.values[path], before.values[path]) for path in touched
    )


def _settle_all(
    study: Study, stresses: Sequence[Stress], seed: int, replications: Integers, measures: Sequence[Measure]
) -> list[Columns]:
    draws = draw_numbers(study, seed, replications)
    unstressed = draws, lived(cohort_of(study), draws)
    return [settle_under(study, stress, seed, replications, measures, unstressed) for stress in (Stress(""), *stresses)]


def _late_by(study: Study, draws: Draws, months: int) -> dict[str, Floats]:
    """Return by how many months each payer is late, by path."""
    paths = [f"capital.payers.{payer}.pays_late_months" for payer in study.capital.who_pays]
    return {path: draws.values.get(path, np.zeros(len(draws))) + months for path in paths}


def _with_longer_calendar(study: Study, months: int) -> Study:
    """Return the study whose calendar of the cash is longer; that of the people is not."""
    heading = study.study
    longer = heading.model_copy(update={"horizon_months": Constant(value=heading.horizon_months.value + months)})
    return study.model_copy(update={"study": longer})


def _moved(base: Columns, stressed: Columns, party: str, measures: Sequence[Measure]) -> StressedChange:
    net, npv = (statistics.mean(stressed[f"{party}.{amount}"] - base[f"{party}.{amount}"]) for amount in ("net", "npv"))
    return StressedChange(net, npv, {text: one.difference(base, stressed) for text, one in measures_of(measures, party).items()})


def _constantly(value: float) -> Callable[[Floats], Floats]:
    return lambda drawn: np.full_like(drawn, value)


def _after(first: Callable[[Floats], Floats], second: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda drawn: second(first(drawn))
