"""How well a fitted score describes what was read: the spread of readings at entry, of a second one, and at the date given those before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from simengine.arrays import Floats
from simengine.late import special
from simengine.records.arrays import Axes, Record
from simengine.spells.goodness import verdict_of
from simengine.spells.observed import chi_square_tail, far_enough_apart, wilson
from simengine.spells.score_fit import FittedScore

_MOST_CLASSES = 10
_IN_CLASS = 4
"""Times the smallest number that is shown: so many people are expected in each class."""


@dataclass(frozen=True)
class ScoreTest:
    """Readings of one kind against the fit."""

    people: str
    """People with one, rounded down to a multiple of the smallest number that is shown."""
    observed_mean: float
    """Their mean."""
    fitted_mean: float
    """The mean that the fit expects of these people, given their earlier readings."""
    observed_sd: float
    """Standard deviation of the difference from what the fit expects of each."""
    fitted_sd: float
    """The one that it expects."""
    chi_square: float | None
    """In classes that the fit takes for as likely: sum of (observed - expected)² / expected; null if there are too few people."""
    degrees: int
    """Classes less one, less the numbers that describe them."""
    p_value: float | None
    """Probability of a larger chi-square if the fit is right."""
    verdict: str
    """In words."""


@dataclass(frozen=True, eq=False)
class ScoreCurve(Record):
    """Share of people below a score, with its band, at scores between which enough people lie to be shown."""

    score: Annotated[Floats, Axes("point", "points")]
    share: Annotated[Floats, Axes("point")]
    low: Annotated[Floats, Axes("point")]
    """Lower end of the 95 % band."""
    high: Annotated[Floats, Axes("point")]
    """Upper end of the 95 % band."""
    fitted: Annotated[Floats, Axes("point")]
    """The share that the fit expects of these people, given their earlier readings."""


@dataclass(frozen=True, eq=False)
class ScoreGoodness:
    """All of one score, by `at entry`, `again`, and `at the date`."""

    tests: dict[str, ScoreTest]
    curves: dict[str, ScoreCurve]


def judge_score(one: FittedScore, least: int) -> ScoreGoodness:
    """Compare readings with the fit; each is held against what earlier readings of its person let expect, so drop-out does no harm."""
    pairs, mean, covariance = one.pairs, one.mean, one.covariance
    n, tests, curves = len(pairs.entry), {}, {}
    before = np.stack([pairs.entry, pairs.second], axis=1)
    nothing = np.full((n, 2), np.nan)
    kinds = (
        ("at entry", pairs.entry, 0, nothing, 2),
        ("again", pairs.second, 1, np.stack([pairs.entry, nothing[:, 0]], axis=1), 1),
        ("at the date", pairs.at_date, 2, before, 3),
    )
    for name, read, place, given, n_numbers in kinds:
        known = np.isfinite(read)
        if int(known.sum()) < least:
            continue
        centre, sd = _expected(given[known], place, mean, covariance)
        step = _step_of(read[known])
        tests[name] = _test(read[known], centre, sd, step, n_numbers, least)
        curves[name] = _curve(read[known], centre, sd, step, least)
    return ScoreGoodness(tests, curves)


def _expected(given: Floats, place: int, mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Return by person mean and standard deviation of a reading, given those before that are known."""
    centre, variance = np.full(len(given), mean[place]), np.full(len(given), covariance[place, place])
    for which in ((0,), (1,), (0, 1)):
        at = (np.isfinite(given) == [one in which for one in (0, 1)]).all(axis=1)
        if at.any():
            slope = np.linalg.solve(covariance[np.ix_(which, which)], covariance[list(which), place])
            centre[at] += (given[at][:, which] - mean[list(which)]) @ slope
            variance[at] -= slope @ covariance[list(which), place]
    return centre, np.sqrt(variance)


def _step_of(read: Floats) -> float:
    """Return the step of the scale: the smallest distance between two scores that were given."""
    return float(np.diff(np.unique(read)).min(initial=np.inf)) if len(np.unique(read)) > 1 else 1.0


def _test(read: Floats, centre: Floats, sd: Floats, step: float, n_numbers: int, least: int) -> ScoreTest:
    """Count readings in classes that are as likely; one of a scale with steps stands for all within half a step of it."""
    n = len(read)
    people = f"{n // least * least:,}"
    means = float(read.mean()), float(centre.mean())
    spreads = float(np.sqrt(np.mean((read - centre) ** 2))), float(np.sqrt(np.mean(sd**2)))
    n_classes = min(_MOST_CLASSES, n // (_IN_CLASS * least))
    degrees = n_classes - 1 - n_numbers
    if degrees < 1:
        return ScoreTest(people, *means, *spreads, None, 0, None, "too few people to tell")
    low, high = (special.ndtr((read + half - centre) / sd) for half in (-step / 2, step / 2))
    edges = np.arange(1, n_classes) / n_classes
    width = np.maximum(high - low, 1e-12)
    below = np.clip((edges[:, None] - low) / width, 0.0, 1.0).sum(axis=1)
    seen = np.diff(np.concatenate([[0.0], below, [float(n)]]))
    statistic = float(((seen - n / n_classes) ** 2).sum() / (n / n_classes))
    p = chi_square_tail(statistic, degrees)
    return ScoreTest(people, *means, *spreads, round(statistic, 3), degrees, p, verdict_of(p))


def _curve(read: Floats, centre: Floats, sd: Floats, step: float, least: int) -> ScoreCurve:
    """Return the share of people at or below a score, observed and fitted."""
    score, times = np.unique(read, return_counts=True)
    so_far, n = np.cumsum(times), len(read)
    shown = far_enough_apart(np.concatenate([[0], so_far]), least)[1:] & (so_far >= least) & (n - so_far >= least)
    score, so_far = score[shown], so_far[shown]
    low, high = wilson(so_far, np.full(len(so_far), n))
    fitted = special.ndtr((score[:, None] + step / 2 - centre) / sd).mean(axis=1)
    return ScoreCurve(score, so_far / n, low, high, np.asarray(fitted))
