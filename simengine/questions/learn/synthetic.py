"""The likelihood of the results by the numbers of a study: a synthetic likelihood, by regression over all replications.

What a replication shows of result k is m_k(z) + s_k(z) e_k, with z the normal scores of its numbers. m_k is a polynomial of z, the
logarithm of s_k^2 is linear in it, and the errors e (people, the evaluator) are jointly normal with one correlation matrix. All
are fitted by least squares to the replications, weighted so that the region that the results leave possible counts. So no
replication need come near the results, and nothing is widened by a kernel. A direction is a probability, by logistic regression
on the same polynomial and on the errors of the other results.

What is approximated: normal errors, and the polynomial. For one Poisson count y under a flat prior the posterior has the right mean,
y + 1, and the variance y + 2 in place of y + 1.

References
----------
Wood 2010, "Statistical inference for noisy nonlinear ecological dynamic systems", doi:10.1038/nature09319; Price, Drovandi, Lee and
Nott 2018, "Bayesian synthetic likelihood", doi:10.1080/10618600.2017.1302882.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simengine.late import special
from simengine.records import Floats

_MEAN_OF_LOG = -1.2703628454614782
"""Mean of the logarithm of a chi-square with one degree of freedom: psi(1/2) + log 2."""
_REACH = 4.5
"""Beyond so many standard deviations of the fit, the polynomials are held at their values there."""
_ROWS_PER_FEATURE, _ROWS_PER_SEARCH = 8, 5
_MINUTE = 1e-12
_SHRUNK = 1e-3
"""Part of the identity in the correlation of errors: results that add up to another would make it singular."""
_MISTAKEN = 1e-4
"""Probability that a search finds a score on which nothing depends."""
_ROUNDS_OF_LOGISTIC, _RIDGE_OF_LOGISTIC = 25, 1e-2


@dataclass(frozen=True)
class Basis:
    """Polynomials of the scores that matter, in coordinates in which the fitted replications are round."""

    learned: tuple[int, ...]
    centre: Floats
    whitener: Floats
    degree: int
    """1: linear; 2: with powers up to the third of each; 3: with products of two as well."""

    def coordinates(self, scores: Floats) -> Floats:
        """Return the coordinates, no further out than the fit reaches."""
        u = (scores[:, list(self.learned)] - self.centre) @ self.whitener
        reach = np.sqrt(len(self.learned)) + _REACH
        length = np.sqrt((u**2).sum(axis=1, keepdims=True))
        return np.asarray(u * np.minimum(1.0, reach / np.maximum(length, _MINUTE)))

    def features(self, u: Floats) -> Floats:
        """Return the terms of the polynomial at some coordinates, shape (n, n_features)."""
        parts = [np.ones((len(u), 1)), u]
        if self.degree > 1:
            parts += [u**2, u**3]
        if self.degree > 2:
            first, second = np.triu_indices(u.shape[1], 1)
            parts.append(u[:, first] * u[:, second])
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class Target:
    """The figures of the results, and what is added to or taken from the variance of each."""

    figures: Floats
    """Shape (n_figures,)."""
    added: Floats
    """Shape (n_figures,): the variance of rounding, and that of a published standard error."""
    is_replaced: Floats
    """Shape (n_figures,): 1 where a published standard error stands in place of the simulated evaluator's."""


@dataclass(frozen=True)
class Synthetic:
    """A fitted likelihood."""

    basis: Basis
    of_mean: Floats
    """Shape (n_features, n_figures)."""
    of_log_variance: Floats
    """Shape (1 + n_learned, n_figures)."""
    taken: Floats
    """Shape (n_figures,): the simulated evaluator's variance, where a published one replaces it."""
    correlation: Floats
    """Of the errors: shape (n_figures, n_figures)."""
    of_events: tuple[Floats, ...]
    """By direction: the coefficients of a logistic regression."""

    def mean(self, u: Floats) -> Floats:
        """Return what is expected of each figure, shape (n, n_figures)."""
        return np.asarray(self.basis.features(u) @ self.of_mean)

    def variance(self, u: Floats, added: Floats) -> Floats:
        """Return the variance of each figure given the numbers, shape (n, n_figures)."""
        simulated = np.exp(self.basis.features(u)[:, : 1 + u.shape[1]] @ self.of_log_variance)
        return np.asarray(np.maximum(simulated - self.taken, 0.0) + added)

    def log_likelihood(self, scores: Floats, target: Target) -> Floats:
        """Return the logarithm of the likelihood, without its constant; shape (n,)."""
        u = self.basis.coordinates(scores)
        found = np.zeros(len(scores))
        errors = np.zeros((len(scores), len(target.figures)))
        if len(target.figures):
            variance = self.variance(u, target.added)
            errors = (target.figures - self.mean(u)) / np.sqrt(variance)
            reduced = np.linalg.solve(np.linalg.cholesky(self.correlation), errors.T)
            found = -0.5 * (reduced**2).sum(axis=0) - 0.5 * np.log(variance).sum(axis=1)
        happened = np.ones((len(scores), len(self.of_events)))
        for i, coefficients in enumerate(self.of_events):
            log_odds = _event_features(self.basis, u, errors, happened[:, :i]) @ coefficients
            found = found - np.logaddexp(0.0, -log_odds)
        return np.asarray(found)


def fit(
    scores: Floats,
    figures: Floats,
    events: Floats,
    weights: Floats,
    learned: Sequence[int],
    target: Target,
    errors_squared: Floats,
) -> Synthetic:
    """Fit the likelihood to weighted replications.

    Parameters
    ----------
    scores
        Shape (n, n_scores).
    figures
        Shape (n, n_figures): what each replication showed; NaN where it was not measured.
    events
        Shape (n, n_events): 1 where a direction held.
    weights
        Shape (n,).
    learned
        Places of the scores that matter.
    target
        The results.
    errors_squared
        Shape (n, n_figures): the simulated evaluator's variance; 0 where nobody published another.
    """
    there = np.isfinite(figures).all(axis=1) & (weights > 0)
    share = np.where(there, weights, 0.0)
    basis = basis_for(scores, share, learned)
    u = basis.coordinates(scores)
    features = basis.features(u)
    of_mean = least_squares(features[there], figures[there], share[there])
    off = np.where(there[:, None], figures - features @ of_mean, 0.0)
    linear = features[:, : 1 + u.shape[1]]
    smallest = _MINUTE * (1 + np.abs(np.where(there[:, None], figures, 0.0)).max(axis=0, initial=0.0)) ** 2
    logs = np.log(np.maximum(off**2, smallest)) - _MEAN_OF_LOG
    of_log_variance = least_squares(linear[there], logs[there], share[there])
    # Errors that are not normal have another mean logarithm: the variance is scaled to what it is.
    scale = _mean(off**2 / np.exp(linear @ of_log_variance), share)
    of_log_variance[0] += np.log(np.maximum(scale, _MINUTE))
    taken = target.is_replaced * _mean(np.where(there[:, None], errors_squared, 0.0), share)
    standard = off / np.sqrt(np.exp(linear @ of_log_variance))
    correlation = _correlation(standard, share)
    fitted = Synthetic(basis, of_mean, of_log_variance, taken, correlation, ())
    seen = (figures - fitted.mean(u)) / np.sqrt(fitted.variance(u, target.added))
    seen = np.where(there[:, None], seen, 0.0)
    logistic = [_logistic(_event_features(basis, u, seen, events[:, :i]), events[:, i], weights) for i in range(events.shape[1])]
    return Synthetic(basis, of_mean, of_log_variance, taken, correlation, tuple(logistic))


def basis_for(scores: Floats, share: Floats, learned: Sequence[int]) -> Basis:
    """Choose coordinates, and the largest polynomial that so many replications can tell."""
    these = scores[:, list(learned)]
    part = share / share.sum()
    centre = part @ these
    off = these - centre
    covariance = (off * part[:, None]).T @ off + _MINUTE * np.eye(len(learned))
    whitener = np.linalg.inv(np.linalg.cholesky(covariance)).T
    n_effective = 1.0 / (part**2).sum()
    n = len(learned)
    sizes = {3: 1 + 3 * n + n * (n - 1) // 2, 2: 1 + 3 * n, 1: 1 + n}
    degree = next((degree for degree, size in sizes.items() if size * _ROWS_PER_FEATURE <= n_effective), 1)
    return Basis(tuple(learned), centre, whitener, degree)


def least_squares(features: Floats, shown: Floats, weights: Floats) -> Floats:
    """Return the coefficients of a weighted regression, shape (n_features, n_shown)."""
    part = weights / weights.sum()
    cross = (features * part[:, None]).T @ features
    cross += _MINUTE * np.trace(cross) * np.eye(len(cross))
    return np.asarray(np.linalg.solve(cross, (features * part[:, None]).T @ shown))


def scores_that_matter(scores: Floats, shown: Floats, weights: Floats) -> set[int]:
    """Find the scores on which some result depends, in mean or in spread, beyond what chance explains.

    Each coefficient of a linear regression with squares is held against its standard error, which is robust to unequal spread; the
    threshold is that of many searches at once.
    """
    n_scores = scores.shape[1]
    there = np.isfinite(shown).all(axis=1) & (weights > 0)
    z, y, part = scores[there], shown[there], weights[there] / weights[there].sum()
    n_effective = 1.0 / (part**2).sum()
    if n_effective < _ROWS_PER_SEARCH * (1 + n_scores):
        return set()
    has_squares = n_effective >= _ROWS_PER_SEARCH * (1 + 2 * n_scores)
    features = np.concatenate([np.ones((len(z), 1)), z, z**2 - 1] if has_squares else [np.ones((len(z), 1)), z], axis=1)
    inverse = np.linalg.inv((features * part[:, None]).T @ features + _MINUTE * np.eye(features.shape[1]))
    leverage = features @ inverse * part[:, None]
    # A row that pulls the fit towards itself hides its error (HC3).
    kept = np.maximum(1 - (leverage * features).sum(axis=1), 0.1)
    limit = float(special.ndtri(1 - _MISTAKEN / (2 * max(n_scores * 4 * shown.shape[1], 1))))
    found: set[int] = set()
    off = y - features @ (leverage.T @ y)
    logs = np.log(np.maximum(off**2, _MINUTE * (1 + np.abs(y).max(axis=0, initial=0.0)) ** 2))
    for column in (*y.T, *logs.T):
        slopes = leverage.T @ column
        residual = (column - features @ slopes) / kept
        error = np.sqrt((leverage**2 * residual[:, None] ** 2).sum(axis=0))
        large = np.flatnonzero(np.abs(slopes[1:]) > limit * np.maximum(error[1:], _MINUTE))
        found |= {int(place) % n_scores for place in large}
    return found


def _mean(values: Floats, share: Floats) -> Floats:
    return np.asarray((values * share[:, None]).sum(axis=0) / share.sum())


def _correlation(standard: Floats, share: Floats) -> Floats:
    n = standard.shape[1]
    if not n:
        return np.zeros((0, 0))
    part = share / share.sum()
    products = (standard * part[:, None]).T @ standard
    sd = np.sqrt(np.maximum(np.diag(products), _MINUTE))
    return np.asarray((1 - _SHRUNK) * products / np.outer(sd, sd) * (1 - np.eye(n)) + np.eye(n))


def _event_features(basis: Basis, u: Floats, errors: Floats, before: Floats) -> Floats:
    return np.concatenate([basis.features(u), np.clip(errors, -4, 4), before], axis=1)


def _logistic(features: Floats, happened: Floats, weights: Floats) -> Floats:
    """Return the coefficients of a ridge logistic regression, by Newton's method."""
    part = weights / weights.sum() * len(weights)
    coefficients = np.zeros(features.shape[1])
    ridge = _RIDGE_OF_LOGISTIC * np.eye(features.shape[1])
    for _ in range(_ROUNDS_OF_LOGISTIC):
        chance = special.expit(features @ coefficients)
        gradient = features.T @ (part * (happened - chance)) - ridge @ coefficients
        curvature = (features * (part * chance * (1 - chance))[:, None]).T @ features + ridge
        step = np.linalg.solve(curvature, gradient)
        coefficients = coefficients + step * min(1.0, 4.0 / max(float(np.abs(step).max()), _MINUTE))
        if float(np.abs(step).max()) < 1e-8:
            break
    return coefficients
