"""Scores of a posterior sample: against a hidden truth, and against a reference sample.

References
----------
Gneiting, T. and Raftery, A. E. (2007), Strictly proper scoring rules, prediction, and estimation, Journal of the American Statistical
Association 102, 359-378. Lopez-Paz, D. and Oquab, M. (2017), Revisiting classifier two-sample tests, ICLR (C2ST).
"""

from __future__ import annotations

from math import log, pi, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.late import late, special

spatial = late("scipy.spatial")
_NEIGHBOURS = 25
"""By whom a point is classified; odd, so that no vote is a tie."""
_FOLDS = 5
_MOST_COMPARED = 1000


def crps_of_sample(sample: Floats, value: float) -> float:
    """Return the CRPS of a sample, E|X - y| - E|X - X'| / 2.

    Examples
    --------
    >>> crps_of_sample(np.array([0.0, 1.0]), 0.0)  # (0 + 1) / 2 - (1 / 2) / 2
    0.25
    """
    ordered, n = np.sort(sample), len(sample)
    # E|X - X'| = 2 / n^2 sum (2 i - n - 1) x_i over the ordered sample.
    spread = 2.0 * float((2 * np.arange(1, n + 1) - n - 1) @ ordered) / n**2
    return float(np.mean(np.abs(sample - value))) - spread / 2


def log_score_of_sample(sample: Floats, value: float) -> float:
    """Return minus the log density of a kernel estimate at a value: normal kernels of Silverman's width."""
    sd = float(np.std(sample)) or 1e-12
    width = 1.06 * sd * len(sample) ** -0.2
    exponents = -0.5 * ((value - sample) / width) ** 2
    return -float(special.logsumexp(exponents)) + log(len(sample) * width * sqrt(2 * pi))


def classifier_accuracy(sample: Floats, reference: Floats) -> float:
    """Return how well nearest neighbours tell a sample from a reference sample: about 0.5 where they are alike, 1 where they are apart.

    Points are classified by their neighbours among four fifths of the others, as many of one sample as of the other (five-fold
    cross-validation). Draws that stand in a sample several times are found out: so are they not independent.

    Parameters
    ----------
    sample, reference
        Shape (n, d) and (m, d), n from 20 on; at most 1,000 of each, evenly spread over it, are compared.
    """
    n = min(len(sample), len(reference), _MOST_COMPARED)
    scale = np.where(reference.std(axis=0) > 0, reference.std(axis=0), 1.0)
    points = np.concatenate([part[np.linspace(0, len(part) - 1, n).astype(int)] / scale for part in (sample, reference)])
    labels, fold = np.repeat([0, 1], n), np.tile(np.arange(n) % _FOLDS, 2)
    k = min(_NEIGHBOURS, n // 10 * 2 + 1)
    right = []
    for one in range(_FOLDS):
        is_left_out = fold == one
        _, near = spatial.cKDTree(points[~is_left_out]).query(points[is_left_out], k=k)
        votes = labels[~is_left_out][near.reshape(-1, k)].mean(axis=1)
        right.append((votes > 0.5) == (labels[is_left_out] == 1))
    return float(np.mean(np.concatenate(right)))
