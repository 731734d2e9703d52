"""The value of information before a decision: regression on the information, and the best choice given it."""

from __future__ import annotations

import numpy as np

from simengine.late import special
from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic

_DEGREE = 4
_MOST_CROSSED = 8
"""Columns whose products with each other enter: those that say most by themselves."""
_GROUPS = 20
"""Parts that are left out in turn for the standard error."""


def value_with_hindsight(net: Floats) -> Statistic:
    """Return the expected value of perfect information, including sampling variation: the gain from choosing in each replication.

    Parameters
    ----------
    net
        Shape (n_replications, n_options): what each choice is worth in each replication.
    """
    return statistics.mean(net.max(axis=1) - net[:, int(np.argmax(net.mean(axis=0)))])


def value_of_knowing(net: Floats, known: Floats, accepted: Floats | None = None) -> Statistic:
    """Return the average gain of a choice if something is known before it is made.

    Parameters
    ----------
    net
        Shape (n_replications, n_options): what each choice is worth in each replication.
    known
        Shape (n_replications, n_known): what would be known: parameters (the value of partial perfect information), or what a pilot
        would show (the value of sample information).
    accepted
        Shape (n_replications, n_others, n_options): what each choice is worth to others who must expect no loss from it; absent:
        nobody is asked. The first option, which is worth nothing to anybody, is open always.

    Returns
    -------
    The value, never below 0 where nobody else is asked, with its standard error.

    Notes
    -----
    The expectation of each choice given what is known is a least-squares fit on Hermite polynomials of normal scores, to the
    fourth degree, with products of pairs. The best choice is taken on the fit (Strong, M., Oakley, J. E. and Brennan, A. 2014,
    Estimating multiparameter partial expected value of perfect information from a probabilistic sensitivity analysis sample,
    Medical Decision Making 34, 311-326; for samples the same authors with Breeze, P. 2015, MDM 35, 570-583). A fit that follows
    chance makes this too large; the jackknife over 20 parts takes the first order of that away and gives the standard error.
    """
    others = np.zeros((len(net), 0, net.shape[1])) if accepted is None else accepted
    targets = np.concatenate([net[:, None], others], axis=1)
    design = _design(known, net)
    flat = targets.reshape(len(net), -1)
    # Neighbours in the list share nothing, so a part is a run of them.
    parts = np.array_split(np.arange(len(net)), _GROUPS)
    grams = np.stack([design[part].T @ design[part] for part in parts])
    sides = np.stack([design[part].T @ flat[part] for part in parts])

    def value(left_out: int | None) -> float:
        stay = [g for g in range(_GROUPS) if g != left_out]
        coefficients = np.linalg.lstsq(grams[stay].sum(axis=0), sides[stay].sum(axis=0), rcond=1e-12)[0]
        best, total = 0.0, np.zeros(targets.shape[1:])
        for part in (slice(parts[g][0], parts[g][-1] + 1) for g in stay):
            best += float(_chosen((design[part] @ coefficients).reshape(-1, *targets.shape[1:])).sum())
            total += targets[part].sum(axis=0)
        n = sum(len(parts[g]) for g in stay)
        return best / n - float(_chosen(total[None] / n)[0])

    whole, without = value(None), np.array([value(g) for g in range(_GROUPS)])
    corrected = _GROUPS * whole - (_GROUPS - 1) * float(without.mean())
    error = float(np.sqrt((_GROUPS - 1) / _GROUPS * ((without - without.mean()) ** 2).sum()))
    return Statistic(corrected if accepted is not None else max(corrected, 0.0), error)


def _chosen(expected: Floats) -> Floats:
    """Return the expected worth of the best choice that everybody accepts; axes: replication, party, option."""
    mine = expected[:, 0].copy()
    if expected.shape[1] > 1:
        is_open = np.asarray((expected[:, 1:] >= 0).all(axis=1))
        is_open[:, 0] = True
        mine[~is_open] = -np.inf
    return np.asarray(mine.max(axis=1))


def _design(known: Floats, net: Floats) -> Floats:
    """Return the columns on which is regressed; what is the same in every replication says nothing."""
    spread = known[:, np.ptp(known, axis=0) > 0]
    scores = np.stack([_normal_scores(column) for column in spread.T], axis=1) if spread.size else np.zeros((len(known), 0))
    powers = [special.eval_hermitenorm(degree, scores) / np.sqrt(special.factorial(degree)) for degree in range(1, _DEGREE + 1)]
    says_most = np.argsort(-_correlation(scores, net))[:_MOST_CROSSED]
    crossed = [scores[:, [one]] * scores[:, [other]] for n, one in enumerate(says_most) for other in says_most[:n]]
    return np.concatenate([np.ones((len(known), 1)), *powers, *crossed], axis=1)


def _normal_scores(values: Floats) -> Floats:
    """Return the normal quantiles of the ranks; equal values share the mean of their ranks."""
    distinct, place, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - 0.5 * count
    return np.asarray(special.ndtri(rank / len(values))[place] if len(distinct) > 1 else np.zeros(len(values)))


def _correlation(scores: Floats, net: Floats) -> Floats:
    """Return the largest correlation, without its sign, of each column with what any choice is worth."""
    centred, worth = scores - scores.mean(axis=0), net - net.mean(axis=0)
    sizes = np.sqrt((centred**2).sum(axis=0))[:, None] * np.sqrt((worth**2).sum(axis=0))[None, :]
    return np.asarray(
        np.abs(np.divide(centred.T @ worth, sizes, out=np.zeros_like(sizes), where=sizes > 0)).max(axis=1, initial=0.0)
    )
