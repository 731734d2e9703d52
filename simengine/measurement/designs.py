"""The designs: what stands for the service users' untreated mean, and how uncertain it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simengine.measurement.samples import Sample, ratio
from simengine.measurement.spec import Metric, Protocol
from simengine.records import (
    BASELINE,
    CONTROL,
    MATCHED,
    MATCHED_SERVICE,
    PARALLEL,
    PARALLEL_BEFORE,
    SERVICE,
    SERVICE_BEFORE,
    Floats,
    Worlds,
)

Kind = Literal["amount", "number", "share", "score"]
"""How a level shifts: by a factor, of an amount as of a number of events; by a factor on the odds; by addition."""


@dataclass(frozen=True)
class Comparison:
    """Two means with their uncertainty, each of shape (n_replications,)."""

    service: Floats
    untreated: Floats
    """What the design takes for the mean without the service."""
    service_variance: Floats
    """Of the mean, as the evaluator estimates it."""
    untreated_variance: Floats
    covariance: Floats
    """Of the two means."""

    @property
    def variance(self) -> Floats:
        """Variance of the difference of the two means."""
        return np.maximum(self.service_variance + self.untreated_variance - 2 * self.covariance, 0.0)


@dataclass(frozen=True)
class Case:
    """One metric of one design: the samples that it may look at, by arm, and the parameters."""

    samples: Callable[[int], Sample]
    name: str
    metric: Metric
    kind: Kind
    protocol: Protocol
    history_months: int
    worlds: Worlds


def compare(design: str, case: Case) -> Comparison:
    """Compare the service users with others as a design prescribes."""
    return _DESIGNS[design](case)


def _independent(service: Sample, other: Sample, level: Floats, spread: Floats) -> Comparison:
    """Compare with other people whose level the evaluator sees as `level`, with a variance `spread` between them."""
    return Comparison(
        service.mean, level, service.variance * service.per_mean, spread * other.per_mean, np.zeros_like(service.mean)
    )


def _shifted(mean: Floats, size: Floats, kind: Kind) -> Floats:
    """Shift a level by a size on its scale: added for a score, a factor exp(size) else, on the odds for a share."""
    if kind == "score":
        return np.asarray(mean + size)
    factor = np.exp(size)
    if kind == "share":
        return np.asarray(mean * factor / (mean * factor + 1 - mean))
    return np.asarray(mean * factor)


def _spread(sample: Sample, level: Floats, kind: Kind) -> Floats:
    """Give the variance between people whose level appears shifted: the spread goes with the level."""
    if kind == "score":
        return sample.variance
    if kind == "share":
        return ratio(level * (1 - level), 1 - sample.per_mean)
    return sample.variance * ratio(level, sample.mean, 1.0) ** 2


def _stretch(level: Floats, mean: Floats, kind: Kind) -> Floats:
    """Give the factor on the standard deviation between people whose mean is shifted to a level."""
    if kind == "score":
        return np.ones_like(level)
    return np.sqrt(ratio(level * (1 - level), mean * (1 - mean))) if kind == "share" else ratio(level, mean, 1.0)


def _historical(case: Case) -> Comparison:
    service, earlier = case.samples(SERVICE), case.samples(BASELINE)
    path = f"measurement.metrics.{case.name}.drift_per_year"
    drift = case.worlds[path] * case.worlds["measurement.baseline.years_before"]
    level = _shifted(earlier.mean, -drift, case.kind)
    return _independent(service, earlier, level, _spread(earlier, level, case.kind))


def _randomised(case: Case) -> Comparison:
    service, control = case.samples(SERVICE), case.samples(CONTROL)
    plain = _independent(service, control, control.mean, control.variance)
    clusters = case.protocol.control.clusters if case.protocol.control is not None else None
    if clusters is None:
        return plain
    # Donner and Klar 2000, "Design and Analysis of Cluster Randomization Trials": 1 + (m - 1) rho with m people in a site.
    rho, number = case.worlds["measurement.control.clusters.intra_cluster_correlation"], clusters.number.value
    own, other = (1 + (np.maximum(sample.n / number, 1.0) - 1) * rho for sample in (service, control))
    return Comparison(
        plain.service, plain.untreated, plain.service_variance * own, plain.untreated_variance * other, plain.covariance
    )


def _matched(case: Case) -> Comparison:
    service, others = case.samples(MATCHED_SERVICE), case.samples(MATCHED)
    level = _shifted(others.mean, case.worlds["measurement.matched.hidden_bias"], case.kind)
    return _independent(service, others, level, _spread(others, level, case.kind))


@dataclass(frozen=True)
class _Periods:
    """One place, before and after: variances and covariance are those of the two means."""

    after: Sample
    before: Sample
    variance: Floats
    variance_before: Floats
    covariance: Floats


def _periods(case: Case, arm: int) -> _Periods:
    """See the same people before and after; or, in a repeated cross-section, others before, whose luck goes with nobody's."""
    after = case.samples(arm)
    if case.protocol.cross_section is None:
        return _Periods(
            after, after, after.variance * after.per_mean, after.variance_before * after.per_mean, after.covariance * after.per_mean
        )
    before = case.samples({SERVICE: SERVICE_BEFORE, PARALLEL: PARALLEL_BEFORE}[arm])
    nothing = np.zeros_like(after.mean)
    return _Periods(after, before, after.variance * after.per_mean, before.variance_before * before.per_mean, nothing)


def _before_after(case: Case) -> Comparison:
    own = _periods(case, SERVICE)
    return Comparison(own.after.mean, own.before.mean_before, own.variance, own.variance_before, own.covariance)


def _difference_in_differences(case: Case) -> Comparison:
    assert case.protocol.parallel is not None
    own, other = _periods(case, SERVICE), _periods(case, PARALLEL)
    worlds = case.worlds
    years = (case.history_months + case.metric.window_months.value) / 2 / 12
    level = worlds["measurement.parallel.level"]
    before = _shifted(other.before.mean_before, level, case.kind)
    after = _shifted(other.after.mean, level + worlds["measurement.parallel.trend_gap_per_year"] * years, case.kind)
    of_before = _stretch(before, other.before.mean_before, case.kind)
    of_after = _stretch(after, other.after.mean, case.kind)
    variance_before, variance_after = other.variance_before * of_before**2, other.variance * of_after**2
    covariance = other.covariance * of_before * of_after
    mean, mean_before = own.after.mean, own.before.mean_before
    if case.protocol.parallel.form == "ratio":
        untreated = mean_before * ratio(after, before)
        relative = ratio(own.variance_before, mean_before**2) + ratio(variance_after, after**2)
        relative = relative + ratio(variance_before, before**2) - 2 * ratio(covariance, after * before)
        slope = ratio(untreated, mean_before)
        return Comparison(mean, untreated, own.variance, untreated**2 * relative, slope * own.covariance)
    slope = np.ones_like(before)
    if case.protocol.parallel.form == "regression":
        # The slope within groups, from both: analysis of covariance.
        mine, theirs = own.after, other.after
        joint = mine.covariance * mine.n + theirs.covariance * of_before * of_after * theirs.n
        slope = ratio(joint, mine.variance_before * mine.n + theirs.variance_before * of_before**2 * theirs.n)
    untreated = after + slope * (mean_before - before)
    variance = variance_after + slope**2 * (own.variance_before + variance_before) - 2 * slope * covariance
    return Comparison(mean, untreated, own.variance, variance, slope * own.covariance)


def _rate_card(case: Case) -> Comparison:
    service, worlds = case.samples(SERVICE), case.worlds
    claims = 1 + worlds["measurement.rate_card.double_claims"]
    claimed, deadweight = service.mean * claims, worlds["measurement.rate_card.deadweight"]
    variance = service.variance * service.per_mean * claims**2
    return Comparison(claimed, claimed * deadweight, variance, variance * deadweight**2, variance * deadweight)


_DESIGNS: dict[str, Callable[[Case], Comparison]] = {
    "historical": _historical,
    "randomised": _randomised,
    "matched": _matched,
    "before_after": _before_after,
    "difference_in_differences": _difference_in_differences,
    "rate_card": _rate_card,
}
