"""The likelihood of the results by the numbers of a study: a synthetic likelihood, by regression over all replications.

What a replication shows of result k has the mean m_k(z) and the variance v_k(z), with z the normal scores of its numbers. m_k is a
polynomial of z. Of a count, v_k is a m_k + b m_k^2, which holds for binomial, Poisson and negative binomial counts alike (Morris 1982);
of anything else, the logarithm of v_k is linear in z. Given z an estimate or an amount is normal, a count is negative binomial,
Poisson or binomial, as its mean and variance say; the normal scores of all results (people, the evaluator) have one correlation
matrix. All are fitted by least squares to the replications, weighted so that the region that the results leave possible counts. So
no replication need come near the results, and nothing is widened by a kernel. A direction is a probability, by logistic regression
on the same polynomial and on the errors of the other results.

What is approximated: the polynomial, the families, the copula.

References
----------
Wood 2010, "Statistical inference for noisy nonlinear ecological dynamic systems", doi:10.1038/nature09319, and Price, Drovandi, Lee
and Nott 2018, "Bayesian synthetic likelihood", doi:10.1080/10618600.2017.1302882: the method. An, Nott and Drovandi 2020, "Robust
Bayesian synthetic likelihood via a semi-parametric approach", doi:10.1007/s11222-019-09904-x: margins and a normal copula. Morris
1982, "Natural exponential families with quadratic variance functions", doi:10.1214/aos/1176345690. Golub, Heath and Wahba 1979,
"Generalized cross-validation as a method for choosing a good ridge parameter", doi:10.1080/00401706.1979.10489751.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.late import special
from simengine.questions.learn.counts import count_log_mass
from simengine.records import Floats

_STEPS_OF_VARIANCE, _LONGEST_STEP = 30, 1.0
_WIDEST_RATIO = 4.0
_LEAST_MEAN = 0.1
"""Of a count: as a part of its mean over all replications; a polynomial may fall below 0."""
_REACH = 4.5
"""Beyond so many standard deviations of the fit, the polynomials are held at their values there."""
_ROWS_PER_FEATURE, _ROWS_PER_SEARCH = 4, 5
_PENALTIES = 10.0 ** np.arange(-5.0, 4.1, 0.5)
"""Ridge penalties that are tried, as parts of the mean eigenvalue."""
_MINUTE = 1e-12
_SHRUNK = 1e-2
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
    is_count: tuple[bool, ...]
    """By figure: whether it counts people."""


@dataclass(frozen=True)
class Synthetic:
    """A fitted likelihood."""

    basis: Basis
    of_mean: Floats
    """Shape (n_features, n_figures)."""
    of_log_variance: Floats
    """Shape (1 + n_learned, n_figures); of figures that are no counts."""
    of_count: Floats
    """Shape (4, n_figures): a and b, and between which values a + b m stays; zeros for figures that are no counts."""
    least_mean: Floats
    """Shape (n_figures,): below which no mean of a count falls; minus infinity for other figures."""
    taken: Floats
    """Shape (n_figures,): the simulated evaluator's variance, where a published one replaces it."""
    correlation: Floats
    """Of the errors: shape (n_figures, n_figures)."""
    of_events: tuple[Floats, ...]
    """By direction: the coefficients of a logistic regression."""

    def mean(self, u: Floats) -> Floats:
        """Return what is expected of each figure, shape (n, n_figures)."""
        return np.asarray(np.maximum(self.basis.features(u) @ self.of_mean, self.least_mean))

    def variance(self, u: Floats, added: Floats) -> Floats:
        """Return the variance of each figure given the numbers, shape (n, n_figures)."""
        simulated = np.exp(self.basis.features(u)[:, : 1 + u.shape[1]] @ self.of_log_variance)
        is_count = np.isfinite(self.least_mean)
        mean, (a, b, low, high) = self.mean(u)[:, is_count], self.of_count[:, is_count]
        simulated[:, is_count] = mean * np.clip(a + b * mean, low, high)
        return np.asarray(np.maximum(simulated - self.taken, 0.0) + added)

    def log_likelihood(self, scores: Floats, target: Target) -> Floats:
        """Return the logarithm of the likelihood, without its constant; shape (n,)."""
        u = self.basis.coordinates(scores)
        found = np.zeros(len(scores))
        errors = np.zeros((len(scores), len(target.figures)))
        if len(target.figures):
            mean, variance = self.mean(u), self.variance(u, target.added)
            for k, figure in enumerate(target.figures):
                if target.is_count[k]:
                    log_density, errors[:, k] = count_log_mass(figure, mean[:, k], variance[:, k])
                else:
                    errors[:, k] = (figure - mean[:, k]) / np.sqrt(variance[:, k])
                    log_density = -0.5 * errors[:, k] ** 2 - 0.5 * np.log(variance[:, k])
                found = found + log_density
            # The density of the copula: all but what the margins say already.
            reduced = np.linalg.solve(np.linalg.cholesky(self.correlation), errors.T)
            found = found - 0.5 * (reduced**2).sum(axis=0) + 0.5 * (errors**2).sum(axis=1)
        happened = np.ones((len(scores), len(self.of_events)))
        for i, coefficients in enumerate(self.of_events):
            log_odds = _event_features(self.basis, u, errors, happened[:, :i]) @ coefficients
            found = found - np.logaddexp(0.0, -log_odds)
        return np.asarray(found)


def fit_synthetic(
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
    of_mean = polynomial(features[there], 1 + len(learned), figures[there], share[there])
    whole = _mean(np.where(there[:, None], figures, 0.0), share)
    least_mean = np.where(target.is_count, np.maximum(_LEAST_MEAN * whole, _MINUTE), -np.inf)
    mean = np.maximum(features @ of_mean, least_mean)
    off = np.where(there[:, None], figures - mean, 0.0)
    of_log_variance = log_linear_variance(features[:, : 1 + u.shape[1]], off**2, share)
    of_count = np.zeros((4, len(target.is_count)))
    for k in np.flatnonzero(target.is_count):
        of_count[:, k] = variance_of_count(mean[:, k], off[:, k] ** 2, share)
    taken = target.is_replaced * _mean(np.where(there[:, None], errors_squared, 0.0), share)
    alone = Synthetic(basis, of_mean, of_log_variance, of_count, least_mean, np.zeros_like(taken), np.eye(len(taken)), ())
    correlation = _correlation(off / np.sqrt(alone.variance(u, np.zeros_like(taken))), share)
    fitted = replace(alone, taken=taken, correlation=correlation)
    seen = (figures - fitted.mean(u)) / np.sqrt(fitted.variance(u, target.added))
    seen = np.where(there[:, None], seen, 0.0)
    logistic = [_logistic(_event_features(basis, u, seen, events[:, :i]), events[:, i], weights) for i in range(events.shape[1])]
    return replace(fitted, of_events=tuple(logistic))


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


def polynomial(features: Floats, n_linear: int, shown: Floats, weights: Floats) -> Floats:
    """Return the coefficients of polynomials: first the linear terms, then the others on what is left, each shrunk by a ridge.

    How much, generalised cross-validation says for each figure and each of the two alone (Golub, Heath and Wahba 1979): a rare
    count tells few coefficients, and hardly any figure bends in all directions.

    Parameters
    ----------
    features
        Shape (n, n_features): the constant, the linear terms up to `n_linear`, the others.
    shown
        Shape (n, n_figures).
    weights
        Shape (n,).
    """
    part = weights / weights.sum()
    n_effective = 1.0 / float((part**2).sum())
    found = np.zeros((features.shape[1], shown.shape[1]))
    left, used = shown, np.ones(shown.shape[1])
    for first, last in ((1, n_linear), (n_linear, features.shape[1])):
        if first == last:
            continue
        before = features[:, :first]
        lean = least_squares(before, features[:, first:last], weights)
        block = features[:, first:last] - before @ lean
        level = least_squares(before[:, :1], left, weights)
        slopes, freedom = _ridge(block, left - level, part, n_effective, used)
        found[first:last] += slopes
        found[:first] -= lean @ slopes
        found[:1] += level
        left, used = left - level - block @ slopes, used + freedom
    return found


def _ridge(block: Floats, left: Floats, part: Floats, n_effective: float, used: Floats) -> tuple[Floats, Floats]:
    """Return the ridge coefficients of what is left, shape (n_terms, n_figures), and the degrees of freedom that they take."""
    scale = np.sqrt(np.maximum(part @ block**2, _MINUTE))
    weighed = (block / scale) * part[:, None]
    values, vectors = np.linalg.eigh(weighed.T @ (block / scale))
    values = np.maximum(values, 0.0)
    cross = vectors.T @ (weighed.T @ left)
    penalties = _PENALTIES * values.mean()
    shrunk = values[None, :] + penalties[:, None]
    freedom = (values / shrunk).sum(axis=1)
    explained = ((values + 2 * penalties[:, None]) / shrunk**2) @ cross**2
    squares = np.maximum((part @ left**2)[None, :] - explained, 0.0)
    room = np.maximum(1 - (used[None, :] + freedom[:, None]) / n_effective, 1e-3)
    best = np.argmin(squares / room**2, axis=0)
    slopes = vectors @ (cross / shrunk[best].T)
    return slopes / scale[:, None], freedom[best]


def least_squares(features: Floats, shown: Floats, weights: Floats) -> Floats:
    """Return the coefficients of a weighted regression, shape (n_features, n_shown)."""
    part = weights / weights.sum()
    cross = (features * part[:, None]).T @ features
    cross += _MINUTE * np.trace(cross) * np.eye(len(cross))
    return np.asarray(np.linalg.solve(cross, (features * part[:, None]).T @ shown))


def log_linear_variance(linear: Floats, squares: Floats, weights: Floats) -> Floats:
    """Return the coefficients of the logarithm of a variance, fitted to squared errors as a gamma regression; by Fisher's scoring.

    Parameters
    ----------
    linear
        Shape (n, n_terms), the first of them 1.
    squares
        Shape (n, n_figures).
    weights
        Shape (n,); 0 where nothing was measured.
    """
    part = weights / weights.sum()
    found = np.zeros((linear.shape[1], squares.shape[1]))
    average = np.maximum(part @ squares, _MINUTE)
    found[0] = np.log(average)
    cross = (linear * part[:, None]).T @ linear
    projection = np.linalg.solve(cross + _MINUTE * np.trace(cross) * np.eye(len(cross)), (linear * part[:, None]).T)
    for _ in range(_STEPS_OF_VARIANCE):
        step = projection @ (squares / np.exp(linear @ found) - 1)
        longest = np.maximum(np.abs(step).max(axis=0), _MINUTE)
        found += step * np.minimum(1.0, _LONGEST_STEP / longest)
        if longest.max(initial=0.0) < 1e-6:
            break
    return found


def variance_of_count(mean: Floats, squares: Floats, weights: Floats) -> Floats:
    """Return a and b of the variance a m + b m^2 of a count, and between which values a + b m stays: a quarter and four times its mean.

    Parameters
    ----------
    mean, squares, weights
        Shape (n,): what is expected, the squared error, and what each replication weighs.
    """
    ratio = float(weights @ squares) / float(weights @ mean)
    terms = np.stack([np.ones_like(mean), mean], axis=1)
    a, b = least_squares(terms, (squares / mean)[:, None], weights * mean)[:, 0]
    return np.array([a, b, ratio / _WIDEST_RATIO, ratio * _WIDEST_RATIO])


def scores_that_matter(scores: Floats, shown: Floats, weights: Floats) -> set[int]:
    """Find the scores on which the mean of some result depends, beyond what chance explains.

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
    limit = float(special.ndtri(1 - _MISTAKEN / (2 * max(n_scores * 2 * shown.shape[1], 1))))
    found: set[int] = set()
    for column in y.T:
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
