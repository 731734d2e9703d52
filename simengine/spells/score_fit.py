"""Fit a score: level at entry and at a date, spread, correlation, error of measurement and drop-out, in the words of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.errors import UsageError
from simengine.late import special
from simengine.spells.choices import Priors, ScoreChoices
from simengine.spells.hazards import WRITTEN_LEVELS, FittedNumber, said_by_quantiles
from simengine.spells.posterior import Posterior, posterior_of
from simengine.spells.score_likelihood import ScoreBlock
from simengine.spells.score_pairs import ScorePairs

_KINDS = {"mean": "mean of a score", "mean_at_entry": "mean of a score", "correlation": "correlation of a score"}


@dataclass(frozen=True)
class DropOut:
    """Who was due at the date and has no score."""

    share: Mapping[str, Any]
    """Share of those with a reading at entry, as a study says it."""
    gap: Mapping[str, Any]
    """What they would have been read, less what the others were, if that depends on the reading at entry alone."""


@dataclass(frozen=True, eq=False)
class FittedScore:
    """One score."""

    name: str
    at_month: int
    reported: str
    asked: ScoreChoices
    pairs: ScorePairs
    numbers: tuple[FittedNumber, ...]
    """Every number, each with its path in the study."""
    correlations: tuple[tuple[str, str, float], ...]
    """Two paths, and the correlation of their normal scores."""
    mean: Floats
    """Of readings at entry, at entry again, and at the date, at the centre of the posterior: shape (3,)."""
    covariance: Floats
    """Shape (3, 3)."""
    drop_out: DropOut | None
    notes: tuple[str, ...]


def fit_score(
    name: str, pairs: ScorePairs, asked: ScoreChoices, priors: Priors, at_month: int, reported: str, least: int
) -> FittedScore:
    """Fit one score.

    Parameters
    ----------
    name
        Of the outcome.
    pairs
        The readings.
    asked
        How it is fitted.
    priors
        What is known before.
    at_month
        Months after entry at which it is measured.
    reported
        `level` or `gain`.
    least
        The smallest number of people that is shown.

    Raises
    ------
    UsageError
        If too few people were read, or their readings do not determine the numbers.
    """
    notes: list[str] = []
    n_both = int(pairs.has_both.sum())
    if n_both < least:
        rule = f"scores.{name}: {least} people or more must have a reading at entry and one at month {at_month}; found fewer"
        raise UsageError(f"{rule}. `at_month`, `within_months` and `entry_within_months` say which readings count")
    if (n_second := int(np.isfinite(pairs.second).sum())) < least:
        if asked.second_within_days is not None:
            notes.append(f"`{name}`: fewer than {least} people were read twice at entry; the error of measurement is not fitted.")
        pairs = ScorePairs(pairs.entry, np.full(len(pairs.entry), np.nan), *_rest(pairs), n_unused=pairs.n_unused + n_second)
    for what, read in (("at entry", pairs.entry), (f"at month {at_month}", pairs.at_date)):
        if float(np.nanstd(read)) == 0.0:
            raise UsageError(f"scores.{name}: people must differ {what}; found one score for all. Is the column the right one?")
    block = ScoreBlock(pairs, priors)
    posterior = posterior_of(block, f"`{name}`")
    derived = block.written(posterior.points)
    written = Posterior(np.stack(list(derived.values()), axis=1), posterior.weights)
    numbers = _numbers(name, list(derived), written)
    matrix = written.correlation()
    pairs_of = combinations(range(len(numbers)), 2)
    correlations = tuple((numbers[a].path, numbers[b].path, float(matrix[a, b])) for a, b in pairs_of)
    mean, covariance = block.moments(posterior.mean())
    mean, covariance = block.centre + block.spread * mean, block.spread**2 * covariance
    drop_out, said = _drop_out(name, pairs, block, posterior, reported, least)
    return FittedScore(
        *(name, at_month, reported, asked, pairs, tuple(numbers), correlations),
        *(mean, covariance, drop_out, (*notes, *said)),
    )


def _rest(pairs: ScorePairs) -> tuple[Any, Any, Any]:
    return pairs.at_date, pairs.is_lost, pairs.is_due


def _numbers(name: str, keys: list[str], written: Posterior) -> list[FittedNumber]:
    quantiles = written.quantiles(np.array(WRITTEN_LEVELS))
    found = []
    for place, key in enumerate(keys):
        at = quantiles[:, place]
        low, high = float(at[WRITTEN_LEVELS.index(0.05)]), float(at[WRITTEN_LEVELS.index(0.95)])
        is_part = "error_sd_at_entry" in keys and key.endswith("sd_at_entry")
        kind = "part of a spread" if is_part else _KINDS.get(key, "sd of a score")
        mean = float(written.weights @ written.points[:, place])
        found.append(FittedNumber(f"outcomes.{name}.{key}", said_by_quantiles(kind, at, low, high), mean, low, high))
    return found


def _drop_out(
    name: str, pairs: ScorePairs, block: ScoreBlock, posterior: Posterior, reported: str, least: int
) -> tuple[DropOut | None, list[str]]:
    """Fit the share of people who were lost, and how far their scores would have lain from those of the others.

    The share has Jeffreys's prior. If who is lost depends on the reading at entry alone, the gap is the slope of the reading at the date
    on that at entry, times the difference at entry between those lost and the others; of a gain, the slope less 1.
    """
    lost, seen = pairs.is_lost, pairs.is_due & ~pairs.is_lost
    n_lost, n_seen = int(lost.sum()), int(seen.sum())
    if n_lost < least or n_seen < least:
        return None, [f"`{name}`: fewer than {least} people were due at the date and have no score; drop-out is not fitted."]
    a, b = n_lost + 0.5, n_seen + 0.5
    share = {
        "distribution": "beta",
        "mean": float(f"{a / (a + b):.6g}"),
        "sd": float(f"{np.sqrt(a * b / (a + b + 1)) / (a + b):.4g}"),
    }
    points = posterior.points
    reliability = special.expit(points[:, 5]) if block.has_second else np.ones(len(points))
    slope = np.tanh(points[:, 4]) * np.sqrt(reliability) * np.exp(points[:, 3] - points[:, 2]) - (reported == "gain")
    difference = float(pairs.entry[lost].mean() - pairs.entry[seen].mean())
    variance = (block.spread * np.exp(points[:, 2])) ** 2 * (1 / n_lost + 1 / n_seen)
    centre = float(posterior.weights @ slope)
    # The variance of a product, of which the difference is known as well as its two means allow.
    spread = float(posterior.weights @ (slope**2 * (difference**2 + variance))) - (centre * difference) ** 2
    gap = {"distribution": "normal", "mean": float(f"{centre * difference:.4g}"), "sd": float(f"{np.sqrt(spread):.4g}")}
    return DropOut(share, gap), []
