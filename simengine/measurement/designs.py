"""The designs: estimates of the service users' untreated mean, with their variances.

An undefined quantity is NaN: a mean without people, a variance of one person, a ratio to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simengine.errors import NO_SLOPE, NOBODY_COMPARED, NOTHING_BEFORE
from simengine.measurement.samples import Sample, ratio
from simengine.measurement.scales import Scale
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
    Draws,
    Floats,
    Integers,
)


@dataclass(frozen=True)
class GroupComparison:
    """Two means with their uncertainty, each of shape (n_replications,)."""

    service: Floats
    untreated: Floats
    """The design's estimate of the mean without the service."""
    service_variance: Floats
    """Of the mean, as the evaluator estimates it."""
    untreated_variance: Floats
    covariance: Floats
    """Of the two means."""
    why: Integers | None = None
    """Reason for a missing untreated mean: index into `NOT_MEASURED`. Absent: it follows from the other."""

    @property
    def variance(self) -> Floats:
        """Variance of the difference of the two means."""
        return np.maximum(self.service_variance + self.untreated_variance - 2 * self.covariance, 0.0)


@dataclass(frozen=True)
class ComparisonCase:
    """One metric under one design: the samples by arm, and the parameters."""

    samples: Callable[[int], Sample]
    name: str
    metric: Metric
    scale: Scale
    protocol: Protocol
    history_months: int
    draws: Draws
    persons: Callable[[int], Floats]
    """By arm: number of people before attrition."""
    sites: tuple[float, ...] | int
    """Relative sizes of the randomised sites; or their number, if people join them at random."""


def compare(design: str, case: ComparisonCase) -> GroupComparison:
    """Compare the service users with others as a design prescribes."""
    return _DESIGNS[design](case)


def _independent(service: Sample, other: Sample, level: Floats, spread: Floats) -> GroupComparison:
    """Compare with other people of measured level `level` and variance `spread`."""
    return GroupComparison(
        service.mean,
        level,
        service.variance * service.per_mean,
        spread * other.per_mean,
        np.zeros_like(service.mean),
        _nobody(other.mean),
    )


def _nobody(*means: Floats) -> Integers:
    """Mark a comparison as missing if any of its means has no people."""
    return np.where(np.logical_or.reduce([np.isnan(mean) for mean in means]), NOBODY_COMPARED, 0)


def _historical(case: ComparisonCase) -> GroupComparison:
    service, earlier = case.samples(SERVICE), case.samples(BASELINE)
    drift = case.draws[f"{case.protocol.path_of(case.name)}.drift_per_year"] * case.draws["measurement.baseline.years_before"]
    level = case.scale.shifted(earlier.mean, -drift)
    return _independent(service, earlier, level, case.scale.spread(earlier, level))


def _randomised(case: ComparisonCase) -> GroupComparison:
    service, control = case.samples(SERVICE), case.samples(CONTROL)
    plain = _independent(service, control, control.mean, control.variance)
    clusters = case.protocol.control.clusters if case.protocol.control is not None else None
    if clusters is None:
        return plain
    own, other = (_design_effect(case, arm, sample.n) for arm, sample in ((SERVICE, service), (CONTROL, control)))
    return replace(plain, service_variance=plain.service_variance * own, untreated_variance=plain.untreated_variance * other)


def _design_effect(case: ComparisonCase, arm: int, n: Floats) -> Floats:
    """Return the design effect: the factor on the variance of a mean over n people who share sites.

    Notes
    -----
    1 + (M - 1) rho, with M the size of the site of a randomly drawn person: the sum of the squares of the sizes over the sum
    of the sizes, (cv^2 + 1) m for a mean size m with a coefficient of variation cv. Of n people who join k sites at random M - 1 is
    (n - 1) / k on average: cv^2 = (1 - 1 / k) / m. Of sizes that are settled M is known; if some people are lost at random, M - 1
    falls as n - 1 does.

    References
    ----------
    Eldridge, S. M., Ashby, D. and Kerry, S. (2006), Sample size for cluster randomized trials: effect of coefficient of variation
    of cluster size and analysis method, International Journal of Epidemiology 35, 1292-1300.
    """
    rho = case.draws["measurement.control.clusters.intra_cluster_correlation"]
    more = np.maximum(n - 1, 0.0)
    if isinstance(case.sites, int):
        return 1 + more / case.sites * rho
    sizes, persons = np.array(case.sites), case.persons(arm)
    of_a_person = persons * float((sizes**2).sum() / sizes.sum() ** 2)
    return 1 + np.maximum(of_a_person - 1, 0.0) * ratio(more, persons - 1, 0.0) * rho


def _matched(case: ComparisonCase) -> GroupComparison:
    service, others = case.samples(MATCHED_SERVICE), case.samples(MATCHED)
    level = case.scale.shifted(others.mean, case.draws["measurement.matched.hidden_bias"])
    return _independent(service, others, level, case.scale.spread(others, level))


@dataclass(frozen=True)
class _Periods:
    """One place, before and after: variances and covariance are those of the two means."""

    after: Sample
    before: Sample
    variance: Floats
    variance_before: Floats
    covariance: Floats


def _periods(case: ComparisonCase, arm: int) -> _Periods:
    """Return the same people before and after; or, in a repeated cross-section, different people before, who are independent."""
    after = case.samples(arm)
    if case.protocol.cross_section is None:
        return _Periods(
            after, after, after.variance * after.per_mean, after.variance_before * after.per_mean, after.covariance * after.per_mean
        )
    before = case.samples({SERVICE: SERVICE_BEFORE, PARALLEL: PARALLEL_BEFORE}[arm])
    nothing = np.zeros_like(after.mean)
    return _Periods(after, before, after.variance * after.per_mean, before.variance_before * before.per_mean, nothing)


def _before_after(case: ComparisonCase) -> GroupComparison:
    own = _periods(case, SERVICE)
    before = own.before.mean_before
    return GroupComparison(own.after.mean, before, own.variance, own.variance_before, own.covariance, _nobody(before))


def _difference_in_differences(case: ComparisonCase) -> GroupComparison:
    assert case.protocol.parallel is not None
    own, other = _periods(case, SERVICE), _periods(case, PARALLEL)
    draws = case.draws
    years = (case.history_months + case.metric.window_months.value) / 2 / 12
    level = draws["measurement.parallel.level"]
    before = case.scale.shifted(other.before.mean_before, level)
    after = case.scale.shifted(other.after.mean, level + draws["measurement.parallel.trend_gap_per_year"] * years)
    of_before = case.scale.stretch(before, other.before.mean_before)
    of_after = case.scale.stretch(after, other.after.mean)
    variance_before, variance_after = other.variance_before * of_before**2, other.variance * of_after**2
    covariance = other.covariance * of_before * of_after
    mean, mean_before = own.after.mean, own.before.mean_before
    nobody = _nobody(mean_before, other.before.mean_before, other.after.mean)
    if case.protocol.parallel.form == "regression":
        here = _Levels(mean, mean_before, own.variance, own.variance_before, own.covariance, own.after.per_mean)
        elsewhere = _Levels(after, before, variance_after, variance_before, covariance, other.after.per_mean)
        return _by_regression(here, elsewhere, nobody)
    if case.protocol.parallel.form == "ratio":
        # The delta method, for the factor and for its product with the level before.
        factor = ratio(after, before)
        of_factor = ratio(variance_after + factor**2 * variance_before - 2 * factor * covariance, before**2)
        variance = factor**2 * own.variance_before + mean_before**2 * of_factor
        why = np.where(before == 0, NOTHING_BEFORE, nobody)
        return GroupComparison(mean, mean_before * factor, own.variance, variance, factor * own.covariance, why)
    untreated = _sum(after, mean_before - before, np.abs(mean_before) + np.abs(before))
    variance = variance_after + (own.variance_before + variance_before) - 2 * covariance
    return GroupComparison(mean, untreated, own.variance, variance, own.covariance, nobody)


def _sum(level: Floats, change: Floats, scale: Floats) -> Floats:
    """Add a change, computed from numbers of a given size, to a level; rounding errors become 0."""
    total = level + change
    return np.where(np.abs(total) <= 1e-12 * (np.abs(level) + scale), 0.0, total)


@dataclass(frozen=True)
class _Levels:
    """Means after and before of one group, with the variances and the covariance of these means."""

    after: Floats
    before: Floats
    variance: Floats
    variance_before: Floats
    covariance: Floats
    per_mean: Floats
    """1 / n for equal weights."""


def _by_regression(own: _Levels, other: _Levels, nobody: Integers) -> GroupComparison:
    """Take the level before as a covariate with one slope within both groups: analysis of covariance by least squares.

    Notes
    -----
    With n_1 and n_2 people, S the sums of squares and products within both groups, b = S_xb / S_bb and d the difference of the
    means before: s^2 = (S_xx - b S_xb) / (n_1 + n_2 - 3), and the difference has the variance
    s^2 (1 / n_1 + 1 / n_2 + d^2 / S_bb) (Cochran 1957, "Analysis of covariance: its nature and uses", Biometrics 13, 261-281). The
    luck of the service users' level before moves both means alike. Where the level before varies within neither group there is no
    slope: it is not needed where it is the same in both, and nothing can be said where it is not.
    """
    n, n_other = (ratio(np.ones_like(one.per_mean), one.per_mean) for one in (own, other))

    def within(name: str) -> Floats:
        # A variance of a mean times n is that between persons, and n - 1 of these are a sum of squares; 0 of one person.
        parts = [np.where(m > 1 + 1e-9, getattr(one, name) * m * (m - 1), m * 0.0) for one, m in ((own, n), (other, n_other))]
        return parts[0] + parts[1]

    joint, squares, apart = within("covariance"), within("variance_before"), own.before - other.before
    level = np.maximum(own.before**2 / own.per_mean, other.before**2 / other.per_mean)
    varies = squares > 1e-12 * level
    is_same = np.abs(apart) <= 1e-9 * np.maximum(np.abs(own.before), np.abs(other.before))
    slope = np.where(varies, ratio(joint, squares), np.where(is_same, 0.0, np.nan) + 0.0 * joint)
    left = n + n_other - np.where(varies, 3.0, 2.0)
    spread = ratio(np.maximum(within("variance") - slope * joint, 0.0), np.where(left > 1e-9, left, 0.0))
    of_slope = spread * np.where(varies, ratio(apart**2, squares), 0.0)
    shared = slope**2 * ratio(squares, n + n_other - 2) / n
    untreated = _sum(other.after, slope * apart, np.abs(slope) * (np.abs(own.before) + np.abs(other.before)))
    why = np.where((nobody == 0) & ~varies & ~is_same, NO_SLOPE, nobody)
    return GroupComparison(own.after, untreated, spread / n + shared, spread / n_other + of_slope + shared, shared, why)


def _rate_card(case: ComparisonCase) -> GroupComparison:
    service, draws = case.samples(SERVICE), case.draws
    claims = 1 + draws["measurement.rate_card.double_claims"]
    claimed, deadweight = service.mean * claims, draws["measurement.rate_card.deadweight"]
    variance = service.variance * service.per_mean * claims**2
    return GroupComparison(claimed, claimed * deadweight, variance, variance * deadweight**2, variance * deadweight)


_DESIGNS: dict[str, Callable[[ComparisonCase], GroupComparison]] = {
    "historical": _historical,
    "randomised": _randomised,
    "matched": _matched,
    "before_after": _before_after,
    "difference_in_differences": _difference_in_differences,
    "rate_card": _rate_card,
}
