"""One number at a time: the smallest, or the largest, value of one term with which one limit is kept, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from simengine.asked import one_of_words
from simengine.config import Study
from simengine.config.sizing import Free, steps_of
from simengine.errors import UsageError
from simengine.questions.size.answer import refuse_impossible_terms
from simengine.questions.size.induced import stored_evidence
from simengine.questions.size.search import Settlement
from simengine.records import Integers
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.risk.amounts import Columns
from simengine.risk.limits import Limit
from simengine.risk.statistics import Statistic

_WALK = 21
"""Points at which the way of the measure is looked at before its crossing is sought."""
_HALVINGS = 24
_SIGNIFICANT = 4.0
"""A turn of the measure by more standard errors than this, replication by replication, is no noise: one in 15,000 at each of a few points."""
_BAND = 1.96
_OF_A_BAND = 1.96
"""Standard errors between a value and either end of its 95 % band."""


@dataclass(frozen=True, repr=False)
class OneNumber(Answer):
    """The end of the range of one term from which on a limit is kept."""

    path: str
    end: Literal["smallest", "largest"]
    limit: Limit
    value: float
    """With these replications: the limit is kept here, and no longer a little beyond."""
    low: float
    """With `high` an interval of 95 %: beyond it the limit would be clearly broken on one side, clearly kept on the other."""
    high: float
    at_value: Statistic
    fresh: Statistic
    """The measure at the value in replications that had no part in finding it."""
    walk: tuple[tuple[float, Statistic], ...]
    """The measure along the range."""


def find_number(
    study: Study, path: str, limit: Limit, free: Free, ensemble: Ensemble, end: Literal["smallest", "largest"] = "smallest"
) -> OneNumber:
    """Find the smallest, or the largest, value of a term of a study with which a limit is kept.

    Raises
    ------
    UsageError
        If the measure turns along the range, the limit is kept nowhere in it, or there is no such end.
    StudyError
        If an end of the range is against a rule of the study.
    """
    one_of_words(end, "end", ("smallest", "largest"))
    refuse_impossible_terms(study, {path: free})

    def stored(draws: Ensemble) -> Settlement:
        return stored_evidence(study, draws, [limit.measure]).settle

    fresh = replace(ensemble, first=ensemble.first + ensemble.n_replications)
    found = search_number(path, limit, free, stored(ensemble), end)
    again = limit.measure.of(stored(fresh)({path: found.value})[limit.measure.party])
    return replace(found, n_replications=ensemble.n_replications, seed=ensemble.seed, fresh=again)


def search_number(
    path: str, limit: Limit, free: Free, settle: Settlement, end: Literal["smallest", "largest"] = "smallest"
) -> OneNumber:
    """Search one number on settled replications; `fresh` repeats what was found, until somebody asks other replications.

    Notes
    -----
    With the same replications at every value the measure moves without noise of its own, so that halving finds the crossing to any
    precision. What noise does to it is said by an interval: the values at which the limit lies within 1.96 standard errors of the
    measure. This inverts a band of confidence at each value, and needs no slope.
    """

    def columns(value: float) -> Columns:
        return settle({path: value})[limit.measure.party]

    def excess(value: float, band: float = 0.0) -> float:
        measured = limit.measure.of(columns(value))
        return limit.excess(measured.value) + band * _error(measured)

    values, is_listed = _values(free, end), free.step is not None
    walk = _walk(path, limit, columns, values, is_listed=is_listed)
    if limit.excess(walk[-1][1].value) > 0:
        _refuse_unreachable(path, limit, walk)
    value = _crossing(excess, values, is_listed=is_listed)
    early, late = (_crossing(lambda x, band=band: excess(x, band), values, is_listed=is_listed) for band in (-_BAND, _BAND))  # type: ignore[misc]
    at_value = limit.measure.of(columns(value))
    low, high = min(early, late), max(early, late)
    steps = tuple(sorted(walk, key=lambda one: one[0]))
    return OneNumber(path, end, limit, value, low, high, at_value, at_value, steps, n_replications=0, seed=0)


def _error(measured: Statistic) -> float:
    """Return the standard error; where it does not cover, as much as the farther end of the interval, or the bound, asks for."""
    if not np.isfinite(measured.value):
        return 0.0
    return max(measured.se, *(abs(end - measured.value) / _OF_A_BAND for end in measured.band_95))


def _values(free: Free, end: Literal["smallest", "largest"]) -> list[float]:
    """List the values of a term that has steps, or the two ends of its range, in the direction of the search."""
    values = [free.low, free.high] if free.step is None else steps_of(free)
    return values if end == "smallest" else values[::-1]


def _walk(
    path: str, limit: Limit, columns: Callable[[float], Columns], values: Sequence[float], *, is_listed: bool
) -> list[tuple[float, Statistic]]:
    """Walk along the range, and refuse a measure that turns on the way."""
    walk: list[tuple[float, Statistic]] = []
    sign = -1.0 if limit.is_least else 1.0
    lowest: tuple[float, float, Columns] | None = None
    on_way = np.array(values)[_places(len(values))] if is_listed else np.linspace(values[0], values[-1], _WALK)
    for value in on_way:
        replication = columns(float(value))
        measured = limit.measure.of(replication)
        walk.append((float(value), measured))
        here = sign * measured.value
        if lowest is not None:
            change = limit.measure.difference(lowest[2], replication)
            rise = sign * change.value
            if rise > _SIGNIFICANT * change.se and rise > 1e-12 * abs(here):
                _refuse_turn(path, limit, walk, lowest[0])
        if lowest is None or not here > lowest[1]:
            lowest = float(value), here, replication
    return walk


def _refuse_turn(path: str, limit: Limit, walk: list[tuple[float, Statistic]], turn: float) -> None:
    seen = dict(walk)
    start, (here, now) = walk[0][0], walk[-1]
    if turn == start:
        nearer = f"it is {_shown(seen[start])} at {start:g} and {_shown(now)} at {here:g}: it moves away from the limit all along"
    else:
        nearer = f"it comes to {_shown(seen[turn])} at {turn:g} and turns back to {_shown(now)} at {here:g}"
    raise UsageError(
        f"{path}: {limit.measure} must move one way along the range, towards the limit; found that {nearer}. "
        "Ask for the other end, or give a range within which it does not turn"
    )


def _refuse_unreachable(path: str, limit: Limit, walk: list[tuple[float, Statistic]]) -> None:
    sign = -1.0 if limit.is_least else 1.0
    value, best = min(walk, key=lambda one: sign * one[1].value)
    first, last = sorted((walk[0][0], walk[-1][0]))
    raise UsageError(
        f"{path}: {limit} must be kept somewhere between {first:g} and {last:g}; found at best {_shown(best)}, at {value:g}. "
        "Give a wider range, or another limit"
    )


def _shown(measured: Statistic) -> str:
    return f"{measured.value:.4g} ± {measured.se:.1g}"


def _places(n_values: int) -> Integers:
    """Spread a walk over a list of values: the places of those that are looked at."""
    return np.unique(np.round(np.linspace(0, n_values - 1, min(n_values, _WALK))).astype(np.int64))


def _crossing(excess: Callable[[float], float], values: Sequence[float], *, is_listed: bool) -> float:
    """Halve the way until the value is found from which on the excess is not above 0: any number between two, or one of a list."""
    first, last = values[0], values[-1]
    if excess(first) <= 0:
        return first
    if excess(last) > 0:
        return last
    if is_listed:
        broken, kept = 0, len(values) - 1
        while kept - broken > 1:
            middle = (broken + kept) // 2
            broken, kept = (broken, middle) if excess(values[middle]) <= 0 else (middle, kept)
        return values[kept]
    for _ in range(_HALVINGS):
        between = 0.5 * (first + last)
        first, last = (first, between) if excess(between) <= 0 else (between, last)
    return last
