"""The same people measured by every design that the study specifies, and the payments under each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simengine.config import Study, cohort_of
from simengine.config.evaluation import evaluation_problems
from simengine.config.moments import without_exact_moments
from simengine.errors import UsageError
from simengine.measurement.spec import Protocol
from simengine.pipeline import draw_numbers
from simengine.records import Draws, Floats, Integers, Measurements, Tallies
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, against_twins, beyond_twins, contingent_terms, lived, measured, settled
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measured import NOT_GIVEN, mean_of_measured, those_measured
from simengine.risk.statistics import Statistic

PRESCRIBED, ON_TRUTH = "as_prescribed", "on_truth"
"""Names beside those of the designs: the protocol as prescribed, where it has several; and the truth, which no design observes."""
_CONCLUDED = ("estimate", "standard_error", "by_wave", "cumulative", "standard_error_by_wave", "why", "why_by_wave")
"""Estimates of a design, beside the truth."""
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class EstimateReading:
    """Estimates of one metric by one design."""

    estimate: Statistic
    """Mean estimate."""
    bias: Statistic
    """Mean of estimate minus truth."""
    sd: Statistic
    """Standard deviation of the estimate between replications."""
    standard_error: Statistic
    """Mean of the standard error that the evaluator would report."""
    coverage: Statistic
    """Probability that the truth lies within 1.96 of these from the estimate."""


@dataclass(frozen=True)
class PaymentByDesign:
    """Contingent payments of the contract under one design."""

    payment: Statistic
    """Mean payment."""
    p_pay: Statistic
    """Probability that anything is paid."""
    borrowed: tuple[str, ...]
    """Metrics of the contract that the design cannot measure: they are measured as the protocol prescribes."""


@dataclass(frozen=True)
class MetricByDesign:
    """One metric, as every design that can measure it sees it."""

    prescribed: str
    """Its design under the contract; `as_prescribed` where it has several."""
    truth: Statistic
    """Mean truth: between the service users and their twins."""
    designs: Mapping[str, EstimateReading]
    """By design: what it finds; a design appears under a metric that it can measure."""


@dataclass(frozen=True, repr=False)
class MethodSpread(Answer):
    """Results of every design on the same people."""

    contingent_terms: tuple[str, ...]
    """Names of the terms that count as payment."""
    prescribed: str
    """The design of the contract; `as_prescribed` where it has several."""
    metrics: Mapping[str, MetricByDesign]
    """By metric: the estimates of the designs."""
    paid: Mapping[str, PaymentByDesign]
    """By design, and `on_truth`: payments of the contract if it used the design, or paid on the truth."""


def compare_methods(study: Study, ensemble: Ensemble) -> MethodSpread:
    """Measure the same people with every design that the study specifies.

    Parameters
    ----------
    study
        The designs are those of its section `measurement`, and `before_after` if people have a history.
    ensemble
        Which replications are drawn; each is simulated once and measured by all designs.

    Raises
    ------
    UsageError
        If no term of the contract depends on outcomes.
    """
    terms, protocols = contingent_terms(study), _protocols(study)
    answers = ensemble.ask(lambda replications: _measure_all(study, protocols, ensemble.seed, replications))
    columns = dict(zip([*protocols, ON_TRUTH], answers, strict=True))
    metrics, on_truth = study.measurement.measured, columns[ON_TRUTH]
    pays_on = study.contract.inputs()
    borrowed = {design: tuple(name for name in pays_on if name not in one.measured) for design, one in protocols.items()}
    return MethodSpread(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        contingent_terms=terms,
        prescribed=_prescribed(study, metrics),
        metrics={
            name: MetricByDesign(
                prescribed=_prescribed(study, [name]),
                truth=mean_of_measured(on_truth[f"metric.{name}.truth"]),
                designs={design: _reading(name, columns[design]) for design, one in protocols.items() if name in one.measured},
            )
            for name in metrics
        },
        paid={design: _paid(of_design, borrowed.get(design, ())) for design, of_design in columns.items()},
    )


def _protocols(study: Study) -> dict[str, Protocol]:
    """Return the protocol of every design, with the metrics that it can measure; designs that measure nothing are left out."""
    own = study.measurement
    found = {design: _alone(study, design) for design in own.possible}
    protocols = {design: protocol for design, protocol in found.items() if protocol is not None}
    if own.measured and _prescribed(study, own.measured) == PRESCRIBED:
        protocols[PRESCRIBED] = own
    if not protocols:
        raise UsageError("measurement: at least one design must be able to measure a metric of the study; found none")
    return protocols


def _prescribed(study: Study, metrics: Iterable[str]) -> str:
    """Name the design that the contract prescribes for some metrics, if it is one in every wave."""
    designs = {design for name in metrics for design in study.measurement.designs_of(name)}
    return designs.pop() if len(designs) == 1 else PRESCRIBED


def _alone(study: Study, design: str) -> Protocol | None:
    """Return the protocol under which a design measures everybody, with the metrics that it can; nothing where it can none.

    The rules are those by which a study of this design would be refused.
    """
    own = study.measurement
    mix = own.mix if design == "mix" else None
    protocol = own.all_by(design, mix=mix)
    changed = study.model_copy(update={"measurement": protocol})
    problems = list(evaluation_problems(changed))
    if any(path in ("measurement.design", "measurement.mix") or path.startswith("measurement.mix.") for path, *_ in problems):
        return None
    metrics = {name: metric for name, metric in protocol.measured.items() if _can_be_measured(changed, name, problems)}
    return protocol.model_copy(update={"metrics": metrics}) if metrics else None


def _can_be_measured(study: Study, metric: str, problems: Iterable[tuple[str, str, str, str]]) -> bool:
    unknown = (reason for section in study.measurement.by_moments for reason in without_exact_moments(study, section, metric))
    return not any(path.startswith(f"{study.measurement.path_of(metric)}.") for path, *_ in problems) and not any(unknown)


def _measure_all(study: Study, protocols: Mapping[str, Protocol], seed: int, replications: Integers) -> list[Columns]:
    """Simulate one block of replications once, and settle the contract on the estimates of every design, and on the truth."""
    draws = draw_numbers(study, seed, replications)
    tallies = lived(cohort_of(study), draws)
    own = measured(study, study.measurement, tallies, draws)
    seen = [_by(study, protocol, own, tallies, draws) for protocol in protocols.values()]
    truth = settled(study, draws, beyond_twins(tallies), against_twins(study, draws, tallies, own))
    return [*(settled(study, draws, tallies, one) for one in seen), truth]


def _by(study: Study, protocol: Protocol, own: Measurements, tallies: Tallies, draws: Draws) -> Measurements:
    """Return the measurements of a design; a metric that it cannot measure is measured by the study's own protocol."""
    seen = measured(study, protocol, tallies, draws)
    places = [seen.metrics.index(name) if name in seen.metrics else None for name in own.metrics]

    def put(name: str) -> Floats:
        one, other = getattr(seen, name), getattr(own, name)
        return np.stack([other[..., m] if place is None else one[..., place] for m, place in enumerate(places)], axis=-1)

    changed: dict[str, Any] = {name: put(name) for name in _CONCLUDED}
    return replace(own, **changed)


def _reading(metric: str, columns: Columns) -> EstimateReading:
    estimate, truth, error = (columns[f"metric.{metric}.{name}"] for name in ("estimate", "truth", "standard_error"))
    (there,), _ = those_measured(None, estimate)
    (gap, own), _ = those_measured(None, estimate - truth, error)
    return EstimateReading(
        estimate=mean_of_measured(estimate),
        bias=mean_of_measured(estimate - truth),
        sd=statistics.sd(there) if len(there) > 1 else NOT_GIVEN,
        standard_error=mean_of_measured(error),
        coverage=statistics.probability(np.abs(gap) <= _Z_95 * own) if len(gap) > 1 else NOT_GIVEN,
    )


def _paid(columns: Columns, borrowed: tuple[str, ...]) -> PaymentByDesign:
    payment = columns["contingent_payment"]
    return PaymentByDesign(statistics.mean(payment), statistics.probability(payment > 0), borrowed)
