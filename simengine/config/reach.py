"""How far a metric can go: the least and the greatest value that an estimate can have, whatever happens to people.

A bound is stated only where it is certain: of shares, of relative reductions, of days in a window, of amounts with a highest price
a day, times the people that the waves can hold. Everything else is unbounded. Numbers with a law stand at the smallest and the
largest uniform that is ever drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, inf

import numpy as np

from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.cohort.spec import Amount, Binary, Claim, DaysInSpells, Reached, Score, Target
from simengine.config.study import Study
from simengine.laws import Constant, Quantity
from simengine.measurement.spec import Metric

Span = tuple[float, float]
"""The least and the greatest."""
ANYTHING: Span = (-inf, inf)
_ENDS = np.array([2.0**-53, 1 - 2.0**-53])
"""The smallest and the largest uniform that is ever drawn: see `streams.uniform_of`."""


def reach_of(study: Study, name: str, waves: Iterable[str] | None = None) -> Span:
    """Find the least and the greatest value of a metric, in its own unit.

    Parameters
    ----------
    study
        Its protocol measures the metric.
    name
        Of the metric.
    waves
        The waves whose people it is measured on together; absent: all.
    """
    metric, protocol = study.measurement.metrics[name], study.measurement
    chosen = list(study.population.waves) if waves is None else list(waves)
    designs = {protocol.by_wave.get(wave, protocol.design) for wave in chosen}
    designs = {one for design in designs for one in (protocol.mix or {} if design == "mix" else [design])}
    span = _hull([_by_design(study, metric, design) for design in designs] or [(-inf, inf)])
    if metric.estimate == "total_difference":
        span = _times(span, sum(_span(study.population.waves[wave].size)[1] for wave in chosen))
    if metric.estimate == "per_100_difference":
        span = _times(span, 100.0)
    if metric.shrinkage is not None:
        span = _hull([span, _span(metric.shrinkage.prior)])
    use = study.contract.metrics.get(name)
    if use is not None and use.when_missing is not None:
        span = _hull([span, (use.when_missing.value, use.when_missing.value)])
    return span


def _by_design(study: Study, metric: Metric, design: str) -> Span:
    """Span of the mean difference or of the ratio that a design finds, before it is multiplied by people."""
    service = _seen(study, metric)
    untreated = _untreated(study, metric, design, service)
    if metric.estimate in ("relative_reduction", "efficiency_ratio"):
        if service[0] < 0 or untreated[0] < 0 or design == "rate_card":
            return ANYTHING
        return (-inf, 1.0) if metric.better == "lower" else (-1.0, inf)
    if design == "rate_card":
        card = study.measurement.rate_card
        most = inf if card is None else 1 + _span(card.double_claims)[1]
        return (min(service[0], 0.0), _product(max(service[1], 0.0), most))
    low, high = untreated[0] - service[1], untreated[1] - service[0]
    return (low, high) if metric.better == "lower" else (-high, -low)


def _untreated(study: Study, metric: Metric, design: str, service: Span) -> Span:
    """Span of what a design takes for the mean without the service."""
    is_answer, is_score = (isinstance(study.outcomes[metric.outcome], kinds) for kinds in (Binary | Reached | Target, Score))
    if design == "difference_in_differences" or is_score:
        return ANYTHING
    if is_answer:
        return service
    shift = 0.0
    if design == "historical" and study.measurement.baseline is not None:
        years = _span(study.measurement.baseline.years_before)[1]
        shift = years * max(-_span(metric.drift_per_year)[0], 0.0)
    elif design == "matched" and study.measurement.matched is not None:
        shift = max(_span(study.measurement.matched.hidden_bias)[1], 0.0)
    elif design == "before_after":
        # The months before entry stand for as many as the window has.
        history = study.population.history_months.value
        return service if history == metric.window_months.value else (service[0], inf)
    return service[0], _product(service[1], exp(shift) if shift < 700 else inf)


def _seen(study: Study, metric: Metric) -> Span:
    """Span of the mean of a group of people as the evaluator sees it."""
    low, high = _of_person(study, metric.outcome, metric.window_months.value)
    if metric.per is not None:
        return max(low, 0.0), inf
    if metric.redefined is not None and not isinstance(study.outcomes[metric.outcome], Binary):
        high = _product(high, max(_span(metric.redefined.factor)[1], 1.0))
    if metric.prices is not None:
        high = inf
    gap = None if metric.attrition is None else metric.attrition.gap
    return (low, high) if gap is None or (isinstance(gap, Constant) and gap.value == 0) else ANYTHING


def _of_person(study: Study, name: str, window: float) -> Span:
    """Span of an outcome of one person within the window."""
    outcome = study.outcomes[name]
    if isinstance(outcome, Binary | Reached | Target):
        return 0.0, 1.0
    if isinstance(outcome, Score):
        return ANYTHING
    if isinstance(outcome, DaysInSpells):
        events = [outcome.events] if isinstance(outcome.events, str) else list(outcome.events)
        return 0.0, len(events) * window * DAYS_PER_MONTH
    if isinstance(outcome, Claim):
        most = sum(price.value for price in outcome.prices.values())
        return 0.0, most if outcome.cap_per_person is None else min(most, outcome.cap_per_person.value)
    if isinstance(outcome, Amount):
        return 0.0, _most_of_amount(outcome, window)
    return 0.0, inf


def _most_of_amount(outcome: Amount, window: float) -> float:
    """Find the most that a person can come to: every day in the dearest state."""
    if outcome.per_event or outcome.per_spell_day or outcome.between_people_sd is not None:
        return inf
    by_state = []
    for state, price in outcome.per_day.items():
        factor = 1.0
        for series in (outcome.by_months_since_entry.get(state), outcome.by_months_in_state.get(state)):
            values: Sequence[Quantity] = () if series is None or series.factor is None else series.factor
            factor = _product(factor, max([1.0, *(_span(one)[1] for one in values)]))
        by_state.append(_product(_span(price)[1], factor))
    # Simpson's rule counts every second month for four thirds.
    most = max(by_state, default=0.0) * window * DAYS_PER_MONTH * (4 / 3 if outcome.counted == "simpson" else 1.0)
    spread = 1.0 if outcome.between_people_half_width is None else 1 + _span(outcome.between_people_half_width)[1]
    return _product(most, spread)


def _span(quantity: Quantity) -> Span:
    """Span of a number of the study."""
    if isinstance(quantity, Constant):
        return quantity.value, quantity.value
    low, high = quantity.inverse(_ENDS)
    return float(low), float(high)


def _hull(spans: Sequence[Span]) -> Span:
    return min(low for low, _ in spans), max(high for _, high in spans)


def _times(span: Span, factor: float) -> Span:
    return _product(span[0], factor), _product(span[1], factor)


def _product(one: float, other: float) -> float:
    """Multiply; nothing of something without end is nothing."""
    return 0.0 if one == 0 or other == 0 else one * other


def reaches_of(study: Study) -> Mapping[str, Span]:
    """Find how far everything can go that the contract looks at, by the words of a replay: metrics, by wave too, and people."""
    waves, found = study.contract.waves, dict[str, Span]()
    for name in study.contract.inputs():
        if name in study.measurement.metrics:
            found[name] = reach_of(study, name)
            found |= {f"{name}.{wave}": reach_of(study, name, [wave]) for wave in waves}
    for wave in waves:
        found[f"people.{wave}"] = (0.0, _span(study.population.waves[wave].size)[1])
    return found
