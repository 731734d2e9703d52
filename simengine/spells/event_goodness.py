"""How well fitted events describe those that were seen: how many each person had, and how long they lasted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.late import special
from simengine.spells.event_fit import FittedEvent
from simengine.spells.goodness import compare_curves, shortened_curve, verdict_of
from simengine.spells.observed import NORMAL_95, Curve, chi_square_tail, kaplan_meier, shown_survival

_MOST_CLASSES = 10
_MOST_COUNT = 400
"""Events of a person beyond which all are one class."""
_GRID = 120
"""Lengths at which survival is compared."""


@dataclass(frozen=True)
class CountClass:
    """People with so many events: observed against fitted."""

    from_events: int
    """Smallest number of events of a person."""
    to_events: int | None
    """Largest; null in the last class."""
    observed: int
    """People with so many; never fewer than may be shown."""
    expected: float
    """People that the fit expects."""
    low: float
    """The number of people lies below with a probability of about 2.5 %, if the fit is right."""
    high: float
    """It lies above with a probability of about 2.5 %."""

    @property
    def words(self) -> str:
        """The class as a person writes it: `2`, `3-5`, `6+`."""
        if self.to_events is None:
            return f"{self.from_events}+"
        return str(self.from_events) if self.to_events == self.from_events else f"{self.from_events}-{self.to_events}"


@dataclass(frozen=True)
class CountsTest:
    """Whether people have as many events as the fit expects, given their time at risk."""

    classes: tuple[CountClass, ...]
    """Classes of the number of events of a person; in each as many people as may be shown, or more."""
    chi_square: float | None
    """Sum of (observed - expected)² / expected; null if there are too few classes."""
    degrees: int
    """Classes less one, and less one each for the rate and the frailty; 0 if there are too few."""
    p_value: float | None
    """Probability of a larger one, if the fit is right; null if there are too few classes."""
    verdict: str
    """The same in words."""
    way_out: str
    """What may describe it better; empty where it fits."""


@dataclass(frozen=True)
class LengthTest:
    """The largest distance between observed and fitted shares of events that last longer than so many days."""

    distance: float | None
    """Distance on the day on which it is largest beside the width of the band; null where too few were seen to end."""
    at_day: int | None
    """Days after which that is."""
    inside: float | None
    """Share of the days that are compared on which the fit lies inside the 95 % band of what was observed."""
    verdict: str
    """The same in words."""


@dataclass(frozen=True, eq=False)
class EventsGoodness:
    """All comparisons, and the curves behind them."""

    counts: Mapping[str, CountsTest]
    """By event."""
    lengths: Mapping[str, LengthTest]
    """By event with a length: how long they last."""
    length_curves: Mapping[str, tuple[Curve, Floats]]
    """By event: the share that lasts longer, as observed and as fitted on the same grid, in months of 365.25 / 12 days."""


def judge_events(fitted: tuple[FittedEvent, ...], small_cells: int) -> EventsGoodness:
    """Compare events with what was fitted."""
    curves = {one.plan.name: _length_curves(one, small_cells) for one in fitted if one.length is not None}
    return EventsGoodness(
        {one.plan.name: _counts_test(one, small_cells) for one in fitted},
        {name: _length_test(*pair) for name, pair in curves.items()},
        curves,
    )


def _length_test(seen: Curve, fitted: Floats) -> LengthTest:
    found = compare_curves(seen, fitted)
    day = None if found.at_month is None else round(float(seen.months[found.at_month]) * DAYS_PER_MONTH)
    return LengthTest(found.distance, day, found.inside, found.verdict)


def _counts_test(one: FittedEvent, small_cells: int) -> CountsTest:
    """Compare how many people had 0, 1, 2 ... events; the time at risk of each is taken as it was."""
    people, person = np.unique(one.at.person, return_inverse=True)
    seen = np.bincount(person, one.at.n_events, len(people)).astype(np.int64)
    expected_of = np.bincount(person, one.expected, len(people)).astype(np.float64)
    chances = chances_of_counts(expected_of, one.variance, int(seen.max()))
    bounds = _bounds(np.bincount(np.minimum(seen, chances.shape[1] - 1), minlength=chances.shape[1]), small_cells)
    classes = []
    for number, begin in enumerate(bounds):
        stop = bounds[number + 1] if number + 1 < len(bounds) else None
        chance = chances[:, begin:stop].sum(axis=1)
        expected, sd = float(chance.sum()), float(np.sqrt((chance * (1 - chance)).sum()))
        n = int(((seen >= begin) & (seen < (np.inf if stop is None else stop))).sum())
        last = None if stop is None else stop - 1
        classes.append(
            CountClass(
                begin,
                last,
                n,
                round(expected, 1),
                round(max(expected - NORMAL_95 * sd, 0.0), 1),
                round(expected + NORMAL_95 * sd, 1),
            )
        )
    degrees = len(classes) - 2 - one.plan.is_frail
    if degrees < 1:
        return CountsTest(tuple(classes), None, 0, None, "too few people to tell", "")
    statistic = sum((each.observed - each.expected) ** 2 / max(each.expected, 0.05) for each in classes)
    p = chi_square_tail(statistic, degrees)
    way_out = "" if verdict_of(p) == "fits" else _way_out(one)
    return CountsTest(tuple(classes), round(statistic, 3), degrees, p, verdict_of(p), way_out)


def _way_out(one: FittedEvent) -> str:
    if not one.plan.is_frail:
        return "Write `frailty: true`: people differ"
    return "People differ in another way than by a gamma factor: try `by_stratum: true`, or groups"


def chances_of_counts(expected: Floats, variance: float, most: int) -> Floats:
    """Return by person the probability of 0, 1, ... events, the last column that of more: negative binomial, or Poisson without variance.

    Parameters
    ----------
    expected
        Events expected of each person, shape (person,).
    variance
        Variance of the factor between people.
    most
        Largest number that has a column of its own.

    Examples
    --------
    >>> chances_of_counts(np.array([1.0]), 1.0, 1).round(3).tolist()
    [[0.5, 0.25, 0.25]]
    """
    n = np.arange(min(most, _MOST_COUNT) + 1)
    mean = np.maximum(expected, 1e-12)[:, None]
    if variance > 0:
        a = 1 / variance
        logs = special.gammaln(a + n) - special.gammaln(a) - special.gammaln(n + 1.0)
        chance = np.exp(logs + a * np.log(a / (a + mean)) + n * np.log(mean / (a + mean)))
    else:
        chance = np.exp(n * np.log(mean) - mean - special.gammaln(n + 1.0))
    return np.concatenate([chance, np.maximum(1 - chance.sum(axis=1, keepdims=True), 0.0)], axis=1)


def _bounds(people: Integers, small_cells: int) -> list[int]:
    """Choose where classes begin, so that enough people are in each to be shown, and not too many classes."""
    least = max(small_cells, int(people.sum()) // (4 * _MOST_CLASSES))
    bounds, held = [0], 0
    for number, n in enumerate(people):
        if held >= least and len(bounds) < _MOST_CLASSES:
            bounds.append(number)
            held = 0
        held += int(n)
    if held < small_cells and len(bounds) > 1:
        bounds.pop()
    return bounds


def _length_curves(one: FittedEvent, small_cells: int) -> tuple[Curve, Floats]:
    """Return the share of events that last longer than so many days, observed and fitted, on a grid of whole days."""
    assert one.lengths is not None
    assert one.length is not None
    lengths = one.lengths
    longest = float(np.quantile(lengths.days, 0.98))
    days = np.unique(np.floor(np.linspace(0.0, max(longest, 2.0), _GRID)))
    entry = np.where(lengths.from_day > 0, lengths.from_day, -1.0)
    share, variance, at_risk = kaplan_meier(entry, lengths.days, lengths.is_over, days)
    left = np.searchsorted(np.sort(lengths.days[lengths.is_over]), days, side="right")
    curve = shown_survival(days / DAYS_PER_MONTH, share, variance, at_risk, left, small_cells)
    # More than n whole days is any length from n + 1/2 on.
    return shortened_curve(curve, np.where(days > 0, one.length.survival(days + 0.5), 1.0))
