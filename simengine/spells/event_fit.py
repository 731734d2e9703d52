"""Fit the rate and the length of events: each number with its distribution in the words of a study, and how the numbers go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.late import special
from simengine.spells.choices import Priors
from simengine.spells.event_likelihood import MONTHS_OF_YEAR, EventBlock, RateParameter
from simengine.spells.event_plan import EventPlan
from simengine.spells.event_records import Events
from simengine.spells.hazards import WRITTEN_LEVELS, FittedNumber, posterior_of_count, rounded, said_by_quantiles
from simengine.spells.lengths import FittedLength, fit_length
from simengine.spells.plan import FitPlan
from simengine.spells.posterior import Posterior, posterior_of
from simengine.spells.records import Spells
from simengine.spells.risk_time import Lengths, RiskTime, lengths_of, risk_time

Correlated = tuple[str, str, float]


@dataclass(frozen=True, eq=False)
class FittedEvent:
    """An event with its rate and length."""

    plan: EventPlan
    numbers: tuple[FittedNumber, ...]
    """Every number, each with its path in the study."""
    correlations: tuple[Correlated, ...]
    """Two paths, and the correlation of their normal scores."""
    at: RiskTime
    """Its time at risk."""
    expected: Floats
    """Events expected of each person with a factor of 1, at the centre of the posterior, by cell of `at`."""
    variance: float
    """Variance of the frailty at its centre; 0 without one."""
    lengths: Lengths | None
    """How long its events lasted; none without a length."""
    length: FittedLength | None


def frailty_of(event: str) -> str:
    """Name the frailty of an event in the study.

    Examples
    --------
    >>> frailty_of("sick_leave")
    'people_of_sick_leave'
    """
    return f"people_of_{event}"


def fit_events(
    spells: Spells, events: Events, plan: FitPlan, plans: Sequence[EventPlan], priors: Priors, origin_month: int
) -> tuple[FittedEvent, ...]:
    """Fit every event of a plan.

    Raises
    ------
    UsageError
        If the events do not determine the numbers.
    """
    return tuple(_fitted(spells, events, plan, one, priors, origin_month) for one in plans)


def _fitted(spells: Spells, events: Events, plan: FitPlan, one: EventPlan, priors: Priors, origin_month: int) -> FittedEvent:
    by_month = one.has_trend or one.has_season
    at = risk_time(spells, events, one.kind, one.states, plan.stratum, lasts=one.length is not None, by_month=by_month)
    expected, variance = np.zeros(len(at.person)), 0.0
    numbers, correlations = dict[str, FittedNumber](), list[Correlated]()
    of_cell = at.state[at.risk_class]
    for state in one.states if one.is_conjugate else one.small:
        here = of_cell == state
        count, months = float(at.n_events[here].sum()), float(at.months[here].sum())
        k, at_risk = posterior_of_count(count, months, priors, spells.small_cells if state in one.small else None)
        path = _rate_path(one, spells.states[state])
        quantity = {"distribution": "seen_events", "events": rounded(k), "at_risk": rounded(at_risk)}
        low, high = special.gammaincinv(k, np.array([0.05, 0.95])) / at_risk
        numbers[path] = FittedNumber(path, quantity, k / at_risk, float(low), float(high))
        expected[here] = at.months[here] * k / at_risk
    if not one.is_conjugate:
        joint = np.isin(of_cell, one.large)
        block = EventBlock(one, _part(at, joint), len(plan.strata), origin_month, priors)
        posterior = posterior_of(block, one.name)
        expected[joint] = block.expected(posterior.mean())
        told = _numbers_of(one, block.parameters, posterior, spells, plan)
        numbers.update({number.path: number for number in told})
        correlations += _pairs(told, posterior)
        variance = float(np.exp(posterior.mean()[-1])) if one.is_frail else 0.0
    lengths = fitted = None
    if one.length is not None:
        lengths = lengths_of(spells, events, one.kind, one.states)
        fitted = fit_length(one.length, lengths, priors, one.name)
        of_length = _numbers_of_length(one, fitted)
        numbers.update({number.path: number for number in of_length})
        correlations += _pairs(of_length, fitted.posterior)
    return FittedEvent(one, tuple(numbers.values()), tuple(correlations), at, expected, variance, lengths, fitted)


def _part(at: RiskTime, chosen: np.ndarray) -> RiskTime:
    cells = {name: getattr(at, name)[chosen] for name in ("person", "risk_class", "months", "n_events")}
    used, risk_class = np.unique(cells["risk_class"], return_inverse=True)
    cells["risk_class"] = risk_class
    return RiskTime(**cells, state=at.state[used], stratum=at.stratum[used], month=at.month[used])


def _rate_path(one: EventPlan, state: str) -> str:
    return f"events.{one.name}.rates.{state}.rate_per_month"


def _pairs(told: Sequence[FittedNumber], posterior: Posterior) -> list[Correlated]:
    matrix = posterior.correlation()
    return [(told[a].path, told[b].path, float(matrix[a, b])) for a, b in combinations(range(len(told)), 2)]


def _numbers_of(
    one: EventPlan, parameters: Sequence[RateParameter], posterior: Posterior, spells: Spells, plan: FitPlan
) -> list[FittedNumber]:
    """Say every number of the rate by the quantiles of its posterior."""
    quantiles = posterior.quantiles(np.array(WRITTEN_LEVELS))
    return [
        _number(_path_of(one, parameter, spells, plan), parameter.kind, quantiles[:, i], posterior.points[:, i], posterior.weights)
        for i, parameter in enumerate(parameters)
    ]


def _path_of(one: EventPlan, parameter: RateParameter, spells: Spells, plan: FitPlan) -> str:
    """Return the path of a number in the study."""
    if parameter.kind == "rate":
        return _rate_path(one, spells.states[parameter.index])
    if parameter.kind == "variance":
        return f"population.frailties.{frailty_of(one.name)}.variance"
    at = f"events.{one.name}."
    if parameter.kind == "stratum":
        return f"{at}by_stratum.{plan.strata[parameter.index]}"
    if parameter.kind == "season":
        return f"{at}by_calendar.season.{MONTHS_OF_YEAR[parameter.index]}"
    return f"{at}by_calendar.trend_per_year"


def _number(path: str, kind: str, quantiles: Floats, values: Floats, weights: Floats) -> FittedNumber:
    if kind != "trend":
        quantiles, values = np.exp(quantiles), np.exp(values)
    low, high = float(quantiles[WRITTEN_LEVELS.index(0.05)]), float(quantiles[WRITTEN_LEVELS.index(0.95)])
    return FittedNumber(path, said_by_quantiles(kind, quantiles, low, high), float(weights @ values), low, high)


def _numbers_of_length(one: EventPlan, fitted: FittedLength) -> list[FittedNumber]:
    """Say the numbers of a length; a fixed one has its mean alone."""
    quantiles = fitted.posterior.quantiles(np.array(WRITTEN_LEVELS))
    at = f"events.{one.name}.length."
    second = "weibull_shape" if fitted.kind == "weibull" else "sd_days"
    names = ("mean_days",) if fitted.kind == "fixed" else ("mean_days", second)
    kinds = {"weibull_shape": "shape of a length"}
    found = []
    for i, name in enumerate(names):
        points, weights = fitted.posterior.points[:, i], fitted.posterior.weights
        found.append(_number(at + name, kinds.get(name, "length"), quantiles[:, i], points, weights))
    return found


def section_of_event(one: FittedEvent, marks: dict[str, Any]) -> dict[str, Any]:
    """Return what stands under the name of an event in a study."""
    tree: dict[str, Any] = {}
    if one.length is not None:
        # The kind comes first: a reader looks for it before the numbers.
        tree["length"] = {"kind": one.length.kind}
    prefix = f"events.{one.plan.name}."
    for number in one.numbers:
        if number.path.startswith(prefix):
            *above, last = number.path.removeprefix(prefix).split(".")
            at = tree
            for name in above:
                at = at.setdefault(name, {})
            at[last] = {**number.quantity, **marks}
    order = ("rates", "by_stratum", "by_calendar", "length")
    return {name: tree[name] for name in order if name in tree}
