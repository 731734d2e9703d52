"""Learn from results known so far: the posterior of the numbers of a study, as a study that can be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.asked import number
from simengine.config import Study
from simengine.questions.learn.marginals import quantile_of, weighted_moments
from simengine.questions.learn.posterior import Fit, Round, StudyPosterior, draw_posterior
from simengine.questions.learn.results import Result, results_of
from simengine.questions.learn.written import TOLERANCE, Written, concerned, write_study
from simengine.records import Floats
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.risk.statistics import Statistic
from simengine.sampling import distributions_of

_LEAST_EFFECTIVE = 200.0
"""Effective sample size below which nothing is written."""
_LEVELS = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
_MOST_EFFECTIVE = 1e9


@dataclass(frozen=True)
class LearnedNumber:
    """A number that the results can say something about, before and after."""

    prior_mean: Statistic
    """Its mean in the study."""
    prior_sd: float
    """Its standard deviation in the study."""
    mean: Statistic
    """Its mean in the posterior."""
    sd: Statistic
    """Its standard deviation in the posterior."""
    quantiles: Mapping[str, Statistic]
    """Its quantiles in the posterior: p05, p50 and p95."""
    shift_in_sd: Statistic
    """Mean after less mean before, in standard deviations before."""
    sd_ratio: Statistic
    """Standard deviation after over that before."""
    written: Written | None
    """What is written in the learned study; null: it did not move, and keeps its distribution."""


@dataclass(frozen=True, repr=False)
class Learned(Answer):
    """The posterior of the numbers of a study given results known so far."""

    results: tuple[Fit, ...]
    """What was known, and how the study expects it before and after."""
    rounds: tuple[Round, ...]
    """The rounds of proposals, in order."""
    effective_sample_size: float
    """Of the final weights (Kish)."""
    distinct: int
    """Different replications with a weight of more than a millionth of the largest."""
    numbers: Mapping[str, LearnedNumber]
    """By path, those that moved most first: every number that the results can say something about."""
    untouched: tuple[str, ...]
    """Paths of the uncertain numbers of which the results say nothing."""
    tolerance: float
    """Within which the written study has the means, standard deviations and correlations of the posterior."""
    farthest: float
    """The largest distance of any number that was written."""
    study: Study
    """The study with the posterior in place of what it assumed; run it, or ask it anything."""
    posterior: StudyPosterior
    """The weighted sample itself."""


def learn(
    study: Study,
    ensemble: Ensemble,
    *,
    given: Sequence[str] = (),
    observed: Sequence[Mapping[str, Any]] | None = None,
    variant: str | None = None,
    least_effective: float = _LEAST_EFFECTIVE,
) -> Learned:
    """Learn from results known so far.

    Parameters
    ----------
    study
        What was believed before.
    ensemble
        How many replications are simulated, in all rounds together.
    given
        Names in the study's section `known`.
    observed
        Rows of a table of results, as `results_table` returns them.
    variant
        The variant that the study is: only known results of this variant are used.
    least_effective
        Effective sample size below which nothing is written.

    Raises
    ------
    UsageError
        If nothing is known, the results are impossible under the study, or too few replications say anything.
    """
    number(least_effective, "--least-effective", 10.0, _MOST_EFFECTIVE)
    results = results_of(study, given, observed, variant)
    posterior = draw_posterior(study, results, ensemble, least_effective)
    learned = write_study(posterior, _in_words(results), ensemble.seed, variant)
    found = {path: _number(posterior, path, learned.written.get(path)) for path in concerned(posterior)}
    by_change = sorted(found, key=lambda path: -abs(found[path].shift_in_sd.value) - abs(found[path].sd_ratio.value - 1))
    return Learned(
        results=posterior.fits,
        rounds=posterior.rounds,
        effective_sample_size=posterior.effective,
        distinct=int((posterior.weights > 1e-6).sum()),
        numbers={path: found[path] for path in by_change},
        untouched=tuple(path for path in distributions_of(study.numbers) if path not in found),
        tolerance=TOLERANCE,
        farthest=max((_farthest(one) for one in learned.written.values()), default=0.0),
        study=learned.study,
        posterior=posterior,
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
    )


def _in_words(results: Sequence[Result]) -> str:
    """Say what was known: by its names, and how many rows of a table."""
    named, n_rows = [one.name for one in results if one.name is not None], sum(one.name is None for one in results)
    rows = [f"{n_rows} observed result{'s' if n_rows > 1 else ''}"] if n_rows else []
    return " and ".join([*([", ".join(named)] if named else []), *rows])


def _number(posterior: StudyPosterior, path: str, written: Written | None) -> LearnedNumber:
    """Summarise a number; errors are those of a jackknife that fits the likelihood again without each group of replications."""
    values, n = posterior.values[path], posterior.n_prior
    before, spread = weighted_moments(values[:n], np.ones(n))
    levels = np.array(list(_LEVELS.values()))

    def summary(weights: Floats) -> Floats:
        mean, sd = weighted_moments(values, weights)
        return np.array([mean, sd, (mean - before) / spread, sd / spread, *quantile_of(values, weights, levels)])

    found, without = summary(posterior.weights), np.stack([summary(weights) for weights in posterior.without])
    groups = len(without)
    error = np.sqrt((groups - 1) / groups * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    of_prior = np.array([0.0, 0.0, 1 / np.sqrt(n), found[3] / np.sqrt(2 * n), *np.zeros(len(levels))])
    mean, sd, shift, ratio, *quantiles = (
        Statistic(float(one), float(se)) for one, se in zip(found, np.hypot(error, of_prior), strict=True)
    )
    return LearnedNumber(
        Statistic(before, spread / float(np.sqrt(n))),
        spread,
        mean,
        sd,
        dict(zip(_LEVELS, quantiles, strict=True)),
        shift,
        ratio,
        written,
    )


def _farthest(written: Written) -> float:
    return max(abs(written.mean_off), abs(written.sd_off), written.correlation_off)
