"""Proposals, weights and temperatures: adaptive importance sampling from the prior towards the posterior.

Numbers are drawn as normal scores z, which are independent and standard normal in the prior. Draws of all rounds form one sample:
with n_t draws of N from proposal q_t, a draw weighs

    w(z) = phi(z) L(z)^t / sum over rounds of (n_t / N) q_t(z),

whichever round drew it (the balance heuristic). The prior is the first proposal, so that no draw weighs more than N / n_1 times its
likelihood: a defensive mixture. The temperature t rises to 1 as fast as the effective sample size allows.

References
----------
Owen and Zhou 2000, "Safe and effective importance sampling", doi:10.1080/01621459.2000.10473909: the mixture. Cornuet, Marin, Mira
and Robert 2012, "Adaptive multiple importance sampling", doi:10.1111/j.1467-9469.2011.00756.x: one sample from all rounds. Del
Moral, Doucet and Jasra 2006, "Sequential Monte Carlo samplers", doi:10.1111/j.1467-9868.2006.00553.x: tempering by effective size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simengine.questions.retrospect.weighting import effective_sample_size
from simengine.records import Floats

_INFLATION = 1.3
"""A proposal is wider than what it is fitted to, by this factor of its covariance: its tails bound the weights."""
_HALVINGS = 50


@dataclass(frozen=True)
class Proposal:
    """A normal distribution of the scores."""

    centre: Floats
    """Shape (n_scores,)."""
    factor: Floats
    """Shape (n_scores, n_scores): the lower Cholesky factor of its covariance."""

    def at(self, standard: Floats) -> Floats:
        """Return the scores that some independent standard normal numbers stand for, each of shape (n, n_scores)."""
        return self.centre + standard @ self.factor.T

    def log_density(self, scores: Floats) -> Floats:
        """Return the logarithm of its density, without the constant that all proposals share; shape (n,)."""
        reduced = np.linalg.solve(self.factor, (scores - self.centre).T)
        return np.asarray(-0.5 * (reduced**2).sum(axis=0) - np.log(np.diag(self.factor)).sum())


def prior(n_scores: int) -> Proposal:
    """Return the prior of the scores."""
    return Proposal(np.zeros(n_scores), np.eye(n_scores))


def log_prior_over_mixture(scores: Floats, proposals: Sequence[Proposal], counts: Sequence[int]) -> Floats:
    """Return the logarithm of the prior density over that of the mixture from which all scores were drawn.

    Parameters
    ----------
    scores
        Shape (n, n_scores).
    proposals, counts
        Of each round: from what it drew, and how many.
    """
    share = np.log(np.array(counts) / sum(counts))
    densities = np.stack([proposal.log_density(scores) for proposal in proposals]) + share[:, None]
    return np.asarray(prior(scores.shape[1]).log_density(scores) - np.logaddexp.reduce(densities, axis=0))


def weights_at(ratio: Floats, log_likelihood: Floats, temperature: float) -> Floats:
    """Return the weights at a temperature, the largest being 1; shape (n,)."""
    logs = ratio + temperature * log_likelihood if temperature else ratio
    return np.asarray(np.exp(logs - logs.max()))


def highest_temperature(ratio: Floats, log_likelihood: Floats, least: float) -> float:
    """Return the highest temperature, 1 at most, at which the effective sample size is not below `least`; 0 if none has it."""
    low, high = 0.0, 1.0
    if effective_sample_size(weights_at(ratio, log_likelihood, high)) >= least:
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_enough = effective_sample_size(weights_at(ratio, log_likelihood, middle)) >= least
        low, high = (middle, high) if is_enough else (low, middle)
    return low


def proposal_from(scores: Floats, weights: Floats, learned: Sequence[int]) -> Proposal:
    """Fit a proposal to a weighted sample in the scores that something is learned of; the others are drawn from the prior.

    Parameters
    ----------
    scores
        Shape (n, n_scores).
    weights
        Shape (n,).
    learned
        Places of the scores that are fitted.
    """
    n_scores, these = scores.shape[1], list(learned)
    share = weights / weights.sum()
    centre = np.zeros(n_scores)
    centre[these] = share @ scores[:, these]
    off = scores[:, these] - centre[these]
    fitted = (off * share[:, None]).T @ off
    # Of few draws the correlations are not believed: they are shrunk by numbers to draws.
    trust = 1 - min(len(these) / max(effective_sample_size(weights), 1.0), 0.9)
    alone = np.diag(np.diag(fitted))
    covariance = np.eye(n_scores)
    covariance[np.ix_(these, these)] = _INFLATION * (trust * fitted + (1 - trust) * alone) + 1e-8 * np.eye(len(these))
    return Proposal(centre, np.asarray(np.linalg.cholesky(covariance), dtype=np.float64))
