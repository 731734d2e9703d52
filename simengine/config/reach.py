"""Range of a metric: the least and the greatest value that an estimate can have, whatever happens to people.

A bound is stated only if it is certain: of shares, of relative reductions, of days in a window, of amounts with a highest price a
day, times the people that the waves can hold. Everything else is unbounded. Numbers with a distribution are evaluated at the
smallest and the largest uniform that can be drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, inf

from simengine.config.study import Study
from simengine.distributions import Constant
from simengine.distributions.spans import ANYTHING, Span, outcome_span_of, product
from simengine.measurement.spec import Metric


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
    metric, protocol = study.measurement.measured[name], study.measurement
    chosen = list(study.population.waves) if waves is None else list(waves)
    designs = protocol.compared_by(name, chosen)
    span = _hull([_by_design(study, metric, design) for design in designs] or [(-inf, inf)])
    if metric.estimate == "total_difference":
        span = _times(span, sum(_most_people(study, wave) for wave in chosen))
    if metric.estimate == "per_100_difference":
        span = _times(span, 100.0)
    if metric.shrinkage is not None:
        span = _hull([span, outcome_span_of(metric.shrinkage.prior)])
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
        most = inf if card is None else 1 + outcome_span_of(card.double_claims)[1]
        return (min(service[0], 0.0), product(max(service[1], 0.0), most))
    low, high = untreated[0] - service[1], untreated[1] - service[0]
    return (low, high) if metric.better == "lower" else (-high, -low)


def _untreated(study: Study, metric: Metric, design: str, service: Span) -> Span:
    """Span of a design's estimate of the mean without the service."""
    outcome = study.outcomes[metric.outcome]
    if design == "difference_in_differences" or not outcome.has_zero:
        return ANYTHING
    if outcome.is_yes_or_no:
        return service
    shift = 0.0
    if design == "historical" and study.measurement.baseline is not None:
        years = outcome_span_of(study.measurement.baseline.years_before)[1]
        shift = years * max(-outcome_span_of(metric.drift_per_year)[0], 0.0)
    elif design == "matched" and study.measurement.matched is not None:
        shift = max(outcome_span_of(study.measurement.matched.hidden_bias)[1], 0.0)
    elif design == "before_after":
        # The months before entry stand for as many as the window has.
        history = study.population.history_months.value
        return service if history == metric.window_months.value else (service[0], inf)
    return service[0], product(service[1], exp(shift) if shift < 700 else inf)


def _seen(study: Study, metric: Metric) -> Span:
    """Span of the mean of a group of people as measured by the evaluator."""
    outcome = study.outcomes[metric.outcome]
    low, high = outcome.span(metric.window_months.value)
    if metric.per is not None:
        return max(low, 0.0), inf
    if metric.redefined is not None and not outcome.is_yes_or_no:
        high = product(high, max(outcome_span_of(metric.redefined.factor)[1], 1.0))
    if metric.prices is not None:
        high = inf
    gap = None if metric.attrition is None else metric.attrition.gap
    return (low, high) if gap is None or (isinstance(gap, Constant) and gap.value == 0) else ANYTHING


def _hull(spans: Sequence[Span]) -> Span:
    return min(low for low, _ in spans), max(high for _, high in spans)


def _most_people(study: Study, wave: str) -> float:
    """Return the most people that a wave can hold, whatever is drawn."""
    known = study.reference_class
    factor = 1.0 if known is None else outcome_span_of(known.paid_over_planned)[1]
    return product(outcome_span_of(study.population.waves[wave].size)[1], factor)


def _times(span: Span, factor: float) -> Span:
    return product(span[0], factor), product(span[1], factor)


def reaches_of(study: Study) -> Mapping[str, Span]:
    """Find the range of every input of the contract, named as in a replay: metrics, also by wave, and people."""
    waves, found = study.contract.waves, dict[str, Span]()
    for name in study.contract.inputs():
        if name in study.measurement.measured:
            found[name] = reach_of(study, name)
            found |= {f"{name}.{wave}": reach_of(study, name, [wave]) for wave in waves}
    for wave in waves:
        found[f"people.{wave}"] = (0.0, _most_people(study, wave))
    return found
