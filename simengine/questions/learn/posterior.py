"""Draw the posterior of the uncertain numbers of a study: rounds of proposals, each fitted to the ones before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simengine.config import Study
from simengine.errors import UsageError
from simengine.late import special
from simengine.questions.learn.observer import Observer, ShownResults, cut_to, error_of, observer_of, overrides_of, values_at
from simengine.questions.learn.results import Result
from simengine.questions.learn.synthetic import Synthetic, Target, fit_synthetic, scores_that_matter
from simengine.questions.learn.tempering import (
    Proposal,
    highest_temperature,
    log_prior_over_mixture,
    prior,
    proposal_from,
    weights_at,
)
from simengine.questions.retrospect.weighting import effective_sample_size
from simengine.records import Floats, Integers
from simengine.replications.ensemble import Ensemble
from simengine.replications.points import uncertain_paths
from simengine.streams import generator_of

FEWEST, FEWEST_EACH = 200, 20
"""Replications in all, and for each number and one more: half of these must tell the slopes of a regression."""
_FIRST, _ROUNDS = 0.2, 9
"""Part of the replications that the first round draws, at least; and rounds."""
_LEAST_SHARE = 0.15
"""Effective sample size that a temperature must leave, as a part of the replications so far."""
_FITTED_AT = 0.5
"""The likelihood is fitted where this power of it leaves weight: the posterior and its surroundings."""
_IMPOSSIBLE = 6.0
"""Standard deviations from what the posterior expects, from which on a result is called impossible."""
_GROUPS = 16
"""Groups of replications that are left out in turn for standard errors."""
_SMALLEST = 2.0**-53


@dataclass(frozen=True)
class Round:
    """One round of replications."""

    n_replications: int
    """Drawn in it."""
    temperature: float
    """Power of the likelihood to which the next round was fitted; of the last, 1."""
    effective_sample_size: float
    """Of all replications so far, at this temperature."""


@dataclass(frozen=True)
class Fit:
    """How well the likelihood describes a result, over the replications of the posterior."""

    result: Result
    """The result."""
    tells: bool
    """Whether the result differs between replications, so that something can be learned from it."""
    forecast_mean: float
    """Mean of what the replications of the prior show."""
    forecast_sd: float
    """Its standard deviation."""
    expected: float
    """Mean of what the posterior expects; of a direction, its probability."""
    expected_sd: float
    """Its standard deviation, with the error of people and evaluator."""
    bias: float
    """Mean of the standardised errors in the posterior: 0 if the polynomial is right."""
    error_sd: float
    """Their standard deviation: 1 if the spread is right."""
    skewness: float
    """Their skewness: 0 for normal errors."""


@dataclass(frozen=True)
class StudyPosterior:
    """A weighted sample of the numbers of a study."""

    study: Study
    paths: tuple[str, ...]
    """The numbers that were drawn with their scores."""
    learned: tuple[int, ...]
    """Places of those of whose scores something is learned."""
    scores: Floats
    """Shape (n, n_paths)."""
    weights: Floats
    """Shape (n,), the largest being 1."""
    without: tuple[Floats, ...]
    """The same without each group of replications, for errors: the likelihood is fitted anew each time."""
    n_prior: int
    """The first so many were drawn from the prior."""
    rounds: tuple[Round, ...]
    fits: tuple[Fit, ...]

    @cached_property
    def values(self) -> dict[str, Floats]:
        """By path: the values of the numbers, of shape (n,)."""
        return values_at(self.study, self.paths, uniform_of_scores(self.scores))

    @property
    def effective(self) -> float:
        """Effective sample size (Kish)."""
        return effective_sample_size(self.weights)


@dataclass
class _Sample:
    """All replications so far."""

    scores: Floats
    shown: ShownResults
    proposals: list[Proposal]
    counts: list[int]


def draw_posterior(study: Study, results: tuple[Result, ...], ensemble: Ensemble, least_effective: float) -> StudyPosterior:
    """Draw the posterior of the uncertain numbers of a study.

    Raises
    ------
    UsageError
        If no number is uncertain, there are too few replications, the results are impossible under the study, or the effective
        sample size is below the least.
    """
    n = ensemble.n_replications
    observer = observer_of(study, results)
    paths = observer.paths(uncertain_paths(study))
    if not paths:
        raise UsageError("learn: a number on which the results depend must have a distribution; found none")
    fewest = max(FEWEST, FEWEST_EACH * (1 + len(paths)))
    if n < fewest:
        raise UsageError(f"-n: learning about {len(paths)} numbers must have {fewest} replications or more; found {n}")
    first = max(int(_FIRST * n), FEWEST_EACH // 2 * (1 + len(paths)))
    each = (n - first) // (_ROUNDS - 1)
    counts = [first, *[each] * (_ROUNDS - 2), n - first - each * (_ROUNDS - 2)]
    sample = _Sample(np.empty((0, len(paths))), {}, [], [])
    _add(sample, observer, paths, ensemble, prior(len(paths)), counts[0])
    observer, silent = _telling(observer, sample)
    learned: set[int] = set()
    rounds: list[Round] = []
    likelihood: Synthetic | None = None
    for count in counts[1:]:
        likelihood = _fitted(sample, observer, learned, likelihood)
        if likelihood is None:
            # Nothing is found yet on which the results depend: more of the prior may show it.
            rounds.append(Round(sample.counts[-1], 0.0, float(len(sample.scores))))
            _add(sample, observer, paths, ensemble, prior(len(paths)), count)
            continue
        ratio = log_prior_over_mixture(sample.scores, sample.proposals, sample.counts)
        log_likelihood = likelihood.log_likelihood(sample.scores, _target(observer.results, sample))
        reached = highest_temperature(ratio, log_likelihood, _LEAST_SHARE * len(sample.scores))
        weights = weights_at(ratio, log_likelihood, reached)
        rounds.append(Round(sample.counts[-1], reached, effective_sample_size(weights)))
        _add(sample, observer, paths, ensemble, proposal_from(sample.scores, weights, sorted(learned)), count)
    likelihood = _fitted(sample, observer, learned, _fitted(sample, observer, learned, likelihood))
    if likelihood is None:
        raise UsageError(
            "learn: a result must depend on an uncertain number; found none that moves it by more than chance. "
            "Ask for more replications with -n; else nothing can be learned from it"
        )
    ratio = log_prior_over_mixture(sample.scores, sample.proposals, sample.counts)
    weights = weights_at(ratio, likelihood.log_likelihood(sample.scores, _target(observer.results, sample)), 1.0)
    rounds.append(Round(sample.counts[-1], 1.0, effective_sample_size(weights)))
    fits = (*_fits(observer, sample, likelihood, weights), *silent)
    _refuse_impossible(fits, sample)
    if rounds[-1].effective_sample_size < least_effective:
        raise UsageError(
            f"learn: the posterior must rest on an effective sample size of {least_effective:g} or more; found "
            f"{rounds[-1].effective_sample_size:.1f} of {n:,}. Ask for more replications with -n, add rows up to longer periods, or "
            "give fewer results"
        )
    without = _without_groups(sample, observer, learned, likelihood, ratio)
    return StudyPosterior(study, paths, tuple(sorted(learned)), sample.scores, weights, without, counts[0], tuple(rounds), fits)


def uniform_of_scores(scores: Floats) -> Floats:
    """Return the uniforms of normal scores, strictly between 0 and 1."""
    return np.asarray(np.clip(special.ndtr(scores), _SMALLEST, 1 - _SMALLEST))


def _add(sample: _Sample, observer: Observer, paths: tuple[str, ...], ensemble: Ensemble, proposal: Proposal, count: int) -> None:
    """Draw a round, and simulate it as far as the results need."""
    first = len(sample.scores)
    standard = generator_of(ensemble.seed, f"learn/round {len(sample.counts)}").standard_normal((count, len(paths)))
    scores = proposal.at(standard)
    uniform = uniform_of_scores(scores)

    def work(replications: Integers) -> list[ShownResults]:
        own = uniform[replications - ensemble.first - first]
        return [observer.shown(ensemble.seed, replications, overrides_of(paths, own))]

    asked = replace(ensemble, n_replications=count, first=ensemble.first + first, on_pace=None)
    if ensemble.on_pace is not None and not first:
        on_pace, whole = ensemble.on_pace, ensemble.n_replications
        # The first round is timed, and all that follow take as long for each replication.
        asked = replace(asked, on_pace=lambda seconds, n, threads: on_pace(seconds * whole / n, whole, threads))
    (shown,) = asked.ask(work)
    sample.scores = np.concatenate([sample.scores, scores])
    sample.shown = {name: np.concatenate([sample.shown.get(name, np.empty(0)), column]) for name, column in shown.items()}
    sample.proposals.append(proposal)
    sample.counts.append(count)


def _telling(observer: Observer, sample: _Sample) -> tuple[Observer, tuple[Fit, ...]]:
    """Leave out results that are the same in every replication of the prior; refuse them if they are others."""
    tells, silent = [], []
    for one in observer.results:
        column = sample.shown[one.label]
        column = column[np.isfinite(column)]
        if not len(column):
            raise UsageError(f"{one.label}: what is known must be measured in some replication; found in none")
        seen = np.asarray(one.holds(column)) if one.is_event else column
        if seen.min() < seen.max():
            tells.append(one)
            continue
        is_so = bool(seen[0]) if one.is_event else abs(seen[0] - one.value) <= max(one.rounded_to / 2, 1e-9 * abs(one.value))
        if not is_so:
            raise UsageError(_impossible(one, sample, f"{column[0]:,.6g} in every replication"))
        mean = 1.0 if one.is_event else float(column[0])
        silent.append(Fit(one, False, mean, 0.0, mean, 0.0, 0.0, 1.0, 0.0))
    if not tells:
        named = ", ".join(one.label for one in observer.results)
        raise UsageError(
            f"learn: a result must differ between replications; found {named} the same in all. Nothing is learned from it"
        )
    return cut_to(observer, tuple(tells)), tuple(silent)


def _figures(results: Sequence[Result]) -> list[Result]:
    return [one for one in results if not one.is_event]


def _target(results: Sequence[Result], sample: _Sample) -> Target:
    figures = _figures(results)
    is_count = tuple(one.is_counted and not one.rounded_to and _is_whole(sample.shown[one.label], one.value) for one in figures)
    rounding = np.array([one.rounded_to**2 / 12 for one in figures])
    stated = np.array([0.0 if one.standard_error is None else one.standard_error for one in figures])
    return Target(np.array([one.value for one in figures]), rounding + stated**2, (stated > 0).astype(np.float64), is_count)


def _is_whole(column: Floats, value: float) -> bool:
    """Whether a result is a number of people or of outcomes, and no sum of units."""
    return value >= 0 and value == int(value) and bool((column == np.floor(column)).all())


def _fitted(sample: _Sample, observer: Observer, learned: set[int], before: Synthetic | None) -> Synthetic | None:
    """Fit the likelihood to all replications, where the one before leaves weight; `learned` is added to.

    Nothing is fitted as long as no score is found on which a result depends.
    """
    shown, events, errors_squared = _columns(sample, observer)
    target, weights = _target(observer.results, sample), np.ones(len(sample.scores))
    if before is not None:
        weights = _weights_of_fit(sample, before, target, log_prior_over_mixture(sample.scores, sample.proposals, sample.counts))
    learned |= scores_that_matter(sample.scores, np.concatenate([shown, events], axis=1), weights)
    if not learned:
        return None
    return fit_synthetic(sample.scores, shown, events, weights, sorted(learned), target, errors_squared)


def _weights_of_fit(sample: _Sample, before: Synthetic, target: Target, ratio: Floats) -> Floats:
    log_likelihood = before.log_likelihood(sample.scores, target)
    reached = highest_temperature(ratio, log_likelihood, _LEAST_SHARE * len(sample.scores))
    return weights_at(ratio, log_likelihood, min(reached, _FITTED_AT))


def _columns(sample: _Sample, observer: Observer) -> tuple[Floats, Floats, Floats]:
    """Return what was shown of the figures, which events happened, and the squared standard errors of figures."""
    figures, n = _figures(observer.results), len(sample.scores)
    shown = np.stack([sample.shown[one.label] for one in figures], axis=1) if figures else np.empty((n, 0))
    of_errors = [sample.shown.get(error_of(one.label), np.zeros(n)) ** 2 for one in figures]
    errors_squared = np.nan_to_num(np.stack(of_errors, axis=1)) if figures else np.empty((n, 0))
    # That something was measured at all is a part of what is known.
    columns = [np.isfinite(shown[:, k]) for k in range(shown.shape[1]) if not np.isfinite(shown[:, k]).all()]
    columns += [np.asarray(one.holds(sample.shown[one.label])) for one in observer.results if one.is_event]
    return shown, np.stack(columns, axis=1).astype(np.float64) if columns else np.empty((n, 0)), errors_squared


def _without_groups(
    sample: _Sample, observer: Observer, learned: set[int], likelihood: Synthetic, ratio: Floats
) -> tuple[Floats, ...]:
    """Return the weights without each group of replications: those whose number leaves the same rest."""
    shown, events, errors_squared = _columns(sample, observer)
    target, group = _target(observer.results, sample), np.arange(len(sample.scores)) % _GROUPS
    of_fit = _weights_of_fit(sample, likelihood, target, ratio)
    found = []
    for one in range(_GROUPS):
        part = np.where(group == one, 0.0, of_fit)
        again = fit_synthetic(sample.scores, shown, events, part, sorted(learned), target, errors_squared)
        weights = weights_at(ratio, again.log_likelihood(sample.scores, target), 1.0)
        found.append(np.where(group == one, 0.0, weights))
    return tuple(found)


def _fits(observer: Observer, sample: _Sample, likelihood: Synthetic, weights: Floats) -> list[Fit]:
    target, n_prior = _target(observer.results, sample), sample.counts[0]
    share = weights / weights.sum()
    u = likelihood.basis.coordinates(sample.scores)
    expected, own = likelihood.mean(u), likelihood.variance(u, np.zeros(len(target.figures)) + likelihood.taken)
    with_error = likelihood.variance(u, target.added)
    fits, k = [], 0
    for one in observer.results:
        column = sample.shown[one.label]
        if one.is_event:
            happened = np.asarray(one.holds(column), dtype=np.float64)
            before, after = float(happened[:n_prior].mean()), float(share @ happened)
            fits.append(Fit(one, True, before, np.sqrt(before * (1 - before)), after, np.sqrt(after * (1 - after)), 0.0, 1.0, 0.0))
            continue
        prior_values = column[:n_prior][np.isfinite(column[:n_prior])]
        is_there = np.isfinite(column)
        part = share * is_there / max(float(share[is_there].sum()), 1e-300)
        errors = np.where(is_there, column - expected[:, k], 0.0) / np.sqrt(own[:, k])
        bias = float(part @ errors)
        sd = float(np.sqrt(max(part @ (errors - bias) ** 2, 1e-300)))
        # Of a single replication there is none, and its power would be no number.
        skewness = float(part @ ((errors - bias) / sd) ** 3) if sd > 1e-100 else 0.0
        mean = float(share @ expected[:, k])
        spread = float(np.sqrt(share @ ((expected[:, k] - mean) ** 2 + with_error[:, k])))
        fits.append(Fit(one, True, float(prior_values.mean()), float(prior_values.std()), mean, spread, bias, sd, skewness))
        k += 1
    return fits


def _refuse_impossible(fits: Sequence[Fit], sample: _Sample) -> None:
    """Refuse results that the posterior does not come near, though it has moved towards them."""
    for one in fits:
        if not one.tells:
            continue
        if one.result.is_event:
            if one.expected == 0.0:
                raise UsageError(_impossible(one.result, sample, "none"))
        elif abs(one.result.value - one.expected) > _IMPOSSIBLE * max(one.expected_sd, 1e-300):
            found = f"{one.result.written(1.0)}, with {one.expected:,.4g} expected (sd {one.expected_sd:,.2g}) by the numbers that fit best"
            raise UsageError(_impossible(one.result, sample, found))


def _impossible(result: Result, sample: _Sample, found: str) -> str:
    column = sample.shown[result.label]
    column = column[np.isfinite(column)]
    nearest = float(column[np.argmin(np.abs(column - result.value))])
    return (
        f"{result.label}: a result must be possible under the study; found {found}. The nearest of {len(sample.scores):,} "
        f"replications came to {nearest:,.6g}. Look at the figure, its unit and its months; if it is right, the study's distributions "
        "are too narrow or its model is another one"
    )
