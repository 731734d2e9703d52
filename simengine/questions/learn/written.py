"""Write a posterior as a study: distributions of the numbers that moved, correlations, and how far the two are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.config import Study
from simengine.config.numbers import with_numbers
from simengine.config.study import Assumption
from simengine.dependence import Correlation, clusters_of, matrix_of
from simengine.distributions import DirichletCount, Sourced
from simengine.late import special
from simengine.pipeline import draw_numbers
from simengine.questions.learn.marginals import weighted_moments, written_as
from simengine.questions.learn.posterior import StudyPosterior
from simengine.records import Floats

TOLERANCE = 0.05
"""Of a mean, in standard deviations of the posterior; of a standard deviation, as a part of it; and of a correlation."""
_MOVED = 0.05
"""Change of a mean in standard deviations of the prior, or of a standard deviation as a part of it, below which a number stays."""
_FEWEST_ERRORS = 4.0
"""In standard errors: a smaller change is chance."""
_TOLD = 0.4
"""Correlations of this part of the tolerance are written."""
_CHECKED = 20_000
"""Draws from the written study that are held against the posterior."""
_LEAST_EIGENVALUE = 1e-6


@dataclass(frozen=True)
class Written:
    """A number whose distribution is the posterior."""

    distribution: str
    """The distribution that is written, in words."""
    mean_off: float
    """Mean of the written study less that of the posterior, in standard deviations of the posterior."""
    sd_off: float
    """Standard deviation of the written study over that of the posterior, less 1."""
    correlation_off: float
    """Largest difference of a correlation with another number that moved, without its sign."""
    is_near: bool
    """Whether all three are within the tolerance."""


@dataclass(frozen=True)
class LearnedStudy:
    """The study, and how near it is to the posterior."""

    study: Study
    written: Mapping[str, Written]
    """By path: the numbers that moved."""
    correlations: Mapping[str, Correlation]
    """By name: those that were written."""


def write_study(posterior: StudyPosterior, results: str, seed: int, variant: str | None = None) -> LearnedStudy:
    """Write a posterior as a study that draws it.

    Parameters
    ----------
    posterior
        The weighted sample.
    results
        What was known, in words: the source of every distribution that is written.
    seed
        For the draws that are held against the posterior.
    variant
        The variant that the study is: what is known of others is left out, as variants are.
    """
    study = posterior.study
    code = _free({**study.study.sources, **study.study.takes_for_granted}, "learned")
    moved = moved_numbers(posterior)
    source = {"source": code}
    changed: dict[str, Sourced] = {}
    for path in moved:
        before = study.numbers[path]
        if isinstance(before, DirichletCount):
            continue
        words = {"note": f"posterior given {results}; before: {before}", "certainty": before.certainty, "layer": before.layer}
        values = posterior.values[path]
        changed[path] = written_as(before, values, posterior.weights, posterior.effective, **source, **words)
    changed |= _shares(posterior, moved, code, results)
    correlations, kept = _correlations(posterior, moved, code)
    heading = study.study
    granted = Assumption(
        text=(
            f"The distributions with the source `{code}` are a posterior given {results}. Every run simulates all people anew: "
            "it does not hold what was observed fixed."
        ),
        certainty="choice",
    )
    title = f"posterior of this study given {results} (simengine learn, seed {seed}, {len(posterior.weights):,} replications)"
    heading = heading.model_copy(
        update={
            # Without any a study takes every text for a source.
            "sources": {**heading.sources, code: title} if heading.sources else {},
            "takes_for_granted": {**heading.takes_for_granted, code: granted},
        }
    )
    used = {one.result.name for one in posterior.fits if one.result.name is not None}
    known = {
        name: one.model_copy(update={"variant": None})
        for name, one in study.known.items()
        if name not in used and one.variant == variant
    }
    with_posterior = with_numbers(study, changed).model_copy(
        update={"study": heading, "correlations": {**kept, **correlations}, "known": known, "variants": {}}
    )
    # The whole is validated again: what is written can be read.
    learned = with_posterior.with_()
    return LearnedStudy(learned, _held_against(posterior, learned, sorted(changed, key=posterior.paths.index), seed), correlations)


def moved_numbers(posterior: StudyPosterior) -> tuple[str, ...]:
    """Return the numbers whose mean or standard deviation changed by more than chance and more than a trifle.

    Only a number with a score from which something is learned, or correlated with one in the study, can move.
    """
    weights, n_prior = posterior.weights, posterior.n_prior
    error = _FEWEST_ERRORS * np.sqrt(1 / posterior.effective + 1 / n_prior)
    moved = []
    for path in concerned(posterior):
        values = posterior.values[path]
        (before, spread), (after, left) = weighted_moments(values[:n_prior], np.ones(n_prior)), weighted_moments(values, weights)
        if abs(after - before) / spread > max(_MOVED, error) or abs(left / spread - 1) > max(_MOVED, error):
            moved.append(path)
    return tuple(moved)


def concerned(posterior: StudyPosterior) -> tuple[str, ...]:
    """Return the numbers that can move, in the order of the study."""
    study, found = posterior.study, {posterior.paths[place] for place in posterior.learned}
    joined = [set(cluster) for cluster in clusters_of(study.correlations)] + [set(whole) for whole in study.wholes()]
    for together in joined:
        if found & together:
            found |= together
    return tuple(path for path in posterior.paths if path in found)


def _shares(posterior: StudyPosterior, moved: Sequence[str], code: str, results: str) -> dict[str, Sourced]:
    """Fit counts to shares that are drawn together: their means, and the mean of their variances."""
    numbers, found = posterior.study.numbers, dict[str, Sourced]()
    for whole in posterior.study.wholes():
        paths = [path for path in whole if isinstance(numbers.get(path), DirichletCount)]
        if not set(paths) & set(moved):
            continue
        moments = [weighted_moments(posterior.values[path], posterior.weights) for path in paths]
        count = sum(mean * (1 - mean) for mean, _ in moments) / sum(sd**2 for _, sd in moments) - 1
        for path, (mean, _) in zip(paths, moments, strict=True):
            before = numbers[path]
            note = f"posterior given {results}; before: {before}"
            update = {"count": float(f"{max(mean * count, 0.1):.6g}"), "source": code, "note": note}
            found[path] = before.model_copy(update=update)
    return found


def _correlations(
    posterior: StudyPosterior, moved: Sequence[str], code: str
) -> tuple[dict[str, Correlation], dict[str, Correlation]]:
    """Return the correlations to write, and those of the study that stay."""
    study = posterior.study
    paths = [path for path in concerned(posterior) if not isinstance(study.numbers[path], DirichletCount)]
    kept = {name: one for name, one in study.correlations.items() if not set(one.between) <= set(paths)}
    scores = np.stack([_normal_scores(posterior.values[path], posterior.weights) for path in paths], axis=1) if paths else None
    if scores is None or len(paths) < 2:
        return {}, dict(study.correlations)
    matrix = _weighted_correlation(scores, posterior.weights)
    own = matrix_of(paths, study.correlations)
    least = max(TOLERANCE, _FEWEST_ERRORS / np.sqrt(posterior.effective))
    if not moved and (np.abs(matrix - own) < least).all():
        return {}, dict(study.correlations)
    # Between two numbers that moved, all that the tolerance could notice; else what is more than chance.
    both = np.outer(*[np.array([path in moved for path in paths])] * 2)
    told = np.where(np.abs(matrix) >= np.where(both, _TOLD * TOLERANCE, least), matrix, 0.0)
    if np.linalg.eigvalsh(told)[0] < _LEAST_EIGENVALUE:
        told = matrix * 0.999 + 0.001 * np.eye(len(paths))
    written: dict[str, Correlation] = {}
    for i, j in zip(*np.triu_indices(len(paths), 1), strict=True):
        if told[i, j]:
            name = _free({**study.correlations, **written}, f"{code}_{len(written) + 1}")
            value = float(f"{told[i, j]:.4g}")
            written[name] = Correlation(value=value, between=(paths[i], paths[j]), source=code, certainty="D")
    return written, kept


def _normal_scores(values: Floats, weights: Floats) -> Floats:
    """Return the normal score of each value within the posterior; equal values share the middle of their weight."""
    place = np.unique(values, return_inverse=True)[1]
    mass = np.bincount(place, weights) / weights.sum()
    middle = np.cumsum(mass) - mass / 2
    return np.asarray(special.ndtri(np.clip(middle, 1e-9, 1 - 1e-9))[place])


def _weighted_correlation(columns: Floats, weights: Floats) -> Floats:
    share = weights / weights.sum()
    off = columns - share @ columns
    covariance = (off * share[:, None]).T @ off
    sd = np.sqrt(np.diag(covariance))
    sd = np.where(sd > 0, sd, 1.0)
    return np.asarray(covariance / np.outer(sd, sd) * (1 - np.eye(len(sd))) + np.eye(len(sd)))


def _held_against(posterior: StudyPosterior, learned: Study, paths: Sequence[str], seed: int) -> dict[str, Written]:
    """Draw from the written study, and measure how far it is from the posterior."""
    if not paths:
        return {}
    drawn = draw_numbers(learned, seed, _CHECKED)
    ours = np.stack([posterior.values[path] for path in paths], axis=1)
    theirs = np.stack([drawn[path] for path in paths], axis=1)
    apart = np.abs(_weighted_correlation(theirs, np.ones(len(theirs))) - _weighted_correlation(ours, posterior.weights)).max(axis=1)
    found = {}
    for i, path in enumerate(paths):
        (mean, sd), (its_mean, its_sd) = (
            weighted_moments(ours[:, i], posterior.weights),
            weighted_moments(theirs[:, i], np.ones(len(theirs))),
        )
        sd = max(sd, 1e-300)
        off = ((its_mean - mean) / sd, its_sd / sd - 1, float(apart[i]))
        found[path] = Written(str(learned.numbers[path]), *off, is_near=max(map(abs, off)) <= TOLERANCE)
    return found


def _free(taken: Mapping[str, object], name: str) -> str:
    """Return a name that is not taken."""
    return next(one for i in range(1, len(taken) + 2) if (one := name if i == 1 else f"{name}_{i}") not in taken)
