"""Estimate every metric as its design prescribes, with the true effect beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.errors import NOBODY_COMPARED, NOBODY_SERVED, NOTHING_COMPARED, NOTHING_SPENT, Problem, StudyError
from simengine.measurement.designs import ComparisonCase, GroupComparison, compare
from simengine.measurement.errors import as_seen, in_base_prices, redefined, stem_of
from simengine.measurement.recorded import recorded
from simengine.measurement.samples import Sample, pooled, ratio, ratio_of, sample_of, seen_of
from simengine.measurement.scales import SCALES, OutcomeScale
from simengine.measurement.spec import Metric, Protocol
from simengine.records import (
    BASELINE,
    MATCHED_SERVICE,
    SERVICE,
    SERVICE_BEFORE,
    TWIN,
    Draws,
    Floats,
    Measurements,
    Reached,
    Tallies,
    add_in_order,
)


def measure(
    protocol: Protocol, tallies: Tallies, kinds: Mapping[str, OutcomeScale], waves: tuple[str, ...], draws: Draws
) -> Measurements:
    """Estimate every metric of the protocol in every replication.

    Parameters
    ----------
    protocol
        The evaluation that the contract prescribes.
    tallies
        What happened to the people.
    kinds
        By outcome: how its level shifts.
    waves
        Their names in order.
    draws
        The parameters of each replication.

    Returns
    -------
    Estimate, the evaluator's own standard error, and the truth (service arm against its twin), each of shape
    (n_replications, n_metrics) and positive when the service users did better; and the estimates by wave.

    What cannot be estimated is NaN, with the reason beside it: the mean of nobody, a share of a mean that is 0. A standard error
    is NaN where it is unknown, as from one person alone.

    Raises
    ------
    StudyError
        If an estimate grows beyond all numbers.

    Notes
    -----
    With m_s the mean of n service users, m_c what the design takes for their mean without the service, and v the variance of m_c
    - m_s: the total difference n (m_c - m_s) has variance n^2 v; the relative reduction r = 1 - m_s / m_c has variance (v_s + (1
    - r)^2 v_c - 2 (1 - r) cov) / m_c^2 (delta method); an efficiency ratio likewise, of two ratios of means. Where higher is
    better the sign is turned.
    """
    listed = None if tallies.reached is None else recorded(protocol.counted, tallies.reached, draws)
    if not protocol.measured:
        return _nothing_estimated(tallies, draws, listed)
    every = tuple(range(len(waves)))
    evaluators = [
        _Evaluator(name, metric, protocol, tallies, kinds[metric.outcome], waves, draws)
        for name, metric in protocol.measured.items()
    ]
    with np.errstate(all="ignore"):
        whole = [one.conclude(every) for one in evaluators]
        alone = [[one.conclude((wave,)) for wave in every] if len(every) > 1 else [whole[m]] for m, one in enumerate(evaluators)]
        running = [[one.conclude(every[: wave + 1]) for wave in every[:-1]] + [whole[m]] for m, one in enumerate(evaluators)]
        truth = np.stack([one.truth() for one in evaluators], axis=1)
    for name, concluded in zip(protocol.measured, whole, strict=True):
        # Every missing value has a reason; without one the number overflowed.
        _refuse_infinite(
            protocol.path_of(name), ~np.isfinite(concluded.estimate) & (concluded.why == 0) | np.isinf(concluded.standard_error)
        )

    def by_wave(parts: list[list[Concluded]], what: str) -> NDArray[Any]:
        return np.stack([np.stack([getattr(one, what) for one in of_metric], axis=1) for of_metric in parts], axis=2)

    return Measurements(
        tuple(protocol.measured),
        np.stack([one.estimate for one in whole], axis=1),
        np.stack([one.standard_error for one in whole], axis=1),
        truth,
        by_wave=by_wave(alone, "estimate"),
        people=tallies.n_people[:, :, SERVICE].astype(np.float64),
        cumulative=by_wave(running, "estimate"),
        standard_error_by_wave=by_wave(alone, "standard_error"),
        why=np.stack([one.why for one in whole], axis=1),
        why_by_wave=by_wave(alone, "why"),
        replications=draws.replications,
        reached=listed,
    )


def _nothing_estimated(tallies: Tallies, draws: Draws, listed: Reached | None) -> Measurements:
    """Return what is measured where outcomes are counted person by person and nothing is estimated."""
    n, n_waves, _ = tallies.n_people.shape
    nothing, by_wave = np.zeros((n, 0)), np.zeros((n, n_waves, 0))
    why, why_by_wave = np.zeros((n, 0), dtype=np.int8), np.zeros((n, n_waves, 0), dtype=np.int8)
    people = tallies.n_people[:, :, SERVICE].astype(np.float64)
    return Measurements(
        (), nothing, nothing, nothing, by_wave, people, None, by_wave, by_wave, why, why_by_wave, draws.replications, listed
    )


@dataclass(frozen=True)
class Concluded:
    """Estimates from the people of some waves, each of shape (n_replications,)."""

    estimate: Floats
    standard_error: Floats
    """NaN if unknown."""
    why: NDArray[np.int8]
    """Why the estimate is NaN: index into `NOT_MEASURED`."""


def _refuse_infinite(path: str, is_broken: NDArray[np.bool_]) -> None:
    if is_broken.any():
        rule, found = "an estimate must be a finite number", "one beyond all numbers in at least one replication"
        raise StudyError([Problem("the run", path, rule, found, "Check the drift, the years and the prices")])


_OF_SERVICE = (SERVICE, MATCHED_SERVICE, SERVICE_BEFORE)
"""The arms of service users, and of their place before."""


class _Evaluator:
    """One metric, measured by one evaluator."""

    def __init__(
        self,
        name: str,
        metric: Metric,
        protocol: Protocol,
        tallies: Tallies,
        kind: OutcomeScale,
        waves: tuple[str, ...],
        draws: Draws,
    ) -> None:
        self.name, self.metric, self.protocol, self.tallies = name, metric, protocol, tallies
        self.path = protocol.path_of(name)
        # A ratio of two means is no share, whatever it is a ratio of.
        self.scale, self.counting = SCALES["amount" if metric.per is not None else kind], SCALES[kind].counting
        self.waves, self.draws = waves, draws
        # Not `cache` of a method: people in a cycle would be held until the collector comes by.
        self._samples: dict[tuple[int, int], Sample] = {}

    def _seen(self, arm: int, wave: int) -> Sample:
        if (arm, wave) not in self._samples:
            self._samples[arm, wave] = self._see(arm, wave)
        return self._samples[arm, wave]

    def _see(self, arm: int, wave: int) -> Sample:
        sample, stem = seen_of(self.tallies, self.metric, arm, wave, self.scale.is_level), stem_of(self.name, arm, self.waves[wave])
        if self._is_redefined(arm):
            sample = redefined(sample, self.tallies, self.path, self.metric, arm, wave, stem, self.counting, self.draws)
        if self.metric.prices is not None:
            sample = in_base_prices(sample, *self._index_of(arm, wave))
            _refuse_infinite(self.path, ~np.isfinite(sample.square + sample.before_square))
        return as_seen(sample, self.path, self.metric, arm, stem, self.scale.is_share, self.draws)

    def _is_redefined(self, arm: int) -> bool:
        """Whether the definition changes for an arm from a month on; earlier people lived before it."""
        if self.metric.redefined is None or arm == BASELINE:
            return False
        return self.metric.redefined.groups in ("both", "service" if arm in _OF_SERVICE else "comparison")

    def _people(self, arm: int, waves: tuple[int, ...]) -> Sample:
        """Return the measured sample of some waves; the earlier people have no waves."""
        at = (0,) if arm == BASELINE else waves
        if self.metric.per is not None:
            return ratio_of(self.tallies, self.metric, arm, at)
        return pooled([self._seen(arm, wave) for wave in at])

    def _index_of(self, arm: int, wave: int) -> tuple[Floats, Floats, Floats]:
        """Return the gap between prices and index, and the years from the base month to the middle of the window and before it."""
        path, years = f"{self.path}.prices", self._years_to_entry(wave)
        if arm == BASELINE:
            people = [self.tallies.weight[:, w, SERVICE] for w in range(len(self.waves))]
            entries = add_in_order([n * self._years_to_entry(w) for w, n in enumerate(people)])
            years = ratio(entries, add_in_order(people), 0.0) - self.draws["measurement.baseline.years_before"]
        years = years - self.draws[f"{path}.base_month"] / 12
        gap = self.draws[f"{path}.growth_per_year"] - self.draws[f"{path}.index_per_year"]
        return gap, years + self.metric.window_months.value / 24, years - self.tallies.history_months / 24

    def _years_to_entry(self, wave: int) -> Floats:
        """Return the years from the start to the mean entry of a wave, all of whose months are equally likely."""
        path = f"population.waves.{self.waves[wave]}"
        return np.asarray(self.draws[f"{path}.from_month"] + (np.floor(self.draws[f"{path}.enrolment_months"]) - 1) / 2) / 12

    def conclude(self, waves: tuple[int, ...]) -> Concluded:
        """Return the estimate from the people of some waves and its standard error, as the contract will pay on it."""
        designs = self.protocol.designs_of(self.name, [self.waves[wave] for wave in waves])
        found = self._by_design(designs[0], waves) if len(designs) == 1 else self._by_waves(waves)
        shrinkage = self.metric.shrinkage
        if shrinkage is None:
            return found
        estimate, error = found.estimate, found.standard_error
        path = f"{self.path}.shrinkage"
        if shrinkage.credibility is not None:
            weight = self.draws[f"{path}.credibility"]
        else:
            spread = self.draws[f"{path}.prior_sd"] ** 2
            weight = ratio(spread, spread + error**2, 1.0)
            # The weight of an estimate with unknown error is unknown: only the prior counts.
            weight = np.where(np.isnan(error), 0.0, weight)
        return Concluded(weight * estimate + (1 - weight) * self.draws[f"{path}.prior"], weight * error, found.why)

    def _by_waves(self, waves: tuple[int, ...]) -> Concluded:
        """Average waves of different designs, weighted by their people; a total is summed. A wave without people has no weight."""
        parts = [self._by_design(self.protocol.design_of(self.name, self.waves[wave]), (wave,)) for wave in waves]
        people = [self.tallies.weight[:, wave, SERVICE] for wave in waves]
        counts = [n > 0 for n in people]
        if self.metric.estimate == "total_difference":
            people = [np.ones_like(n) for n in people]
            whole = np.ones_like(people[0])
        else:
            whole = add_in_order(people)

        def added(values: list[Floats]) -> Floats:
            return add_in_order([np.where(has, value, 0.0) for has, value in zip(counts, values, strict=True)])

        estimate = ratio(added([n * part.estimate for n, part in zip(people, parts, strict=True)]), whole)
        variance = ratio(added([(n * part.standard_error) ** 2 for n, part in zip(people, parts, strict=True)]), whole**2)
        why = np.where(whole > 0, 0, NOBODY_SERVED)
        for has, part in zip(counts, parts, strict=True):
            why = np.where((why == 0) & has, part.why, why)
        return Concluded(estimate, np.sqrt(variance), why.astype(np.int8))

    def _by_design(self, design: str, waves: tuple[int, ...]) -> Concluded:
        if design == "mix":
            weights = {name: self.draws[f"measurement.mix.{name}"] for name in self.protocol.mix or {}}
            parts = {name: self._by_design(name, waves) for name in weights}

            def mixed(what: str) -> Floats:
                # A design with weight 0 does not count, measured or not.
                values = {name: getattr(parts[name], what) for name in weights}
                return add_in_order([np.where(weights[name] == 0, 0.0, weights[name] * values[name]) for name in weights])

            why = [np.where(weights[name] == 0, 0, parts[name].why) for name in weights]
            first = reduce(lambda one, other: np.where(one == 0, other, one), why)
            # The designs share the service users, so their errors are correlated: the standard errors add.
            return Concluded(mixed("estimate"), mixed("standard_error"), first.astype(np.int8))
        case = ComparisonCase(
            lambda arm: self._people(arm, waves),
            self.name,
            self.metric,
            self.scale,
            self.protocol,
            self.tallies.history_months,
            self.draws,
            lambda arm: add_in_order([self.tallies.n_people[:, wave, arm].astype(np.float64) for wave in waves]),
            self._sites(),
        )
        n_people = add_in_order([self.tallies.weight[:, wave, SERVICE] for wave in waves])
        return self._reported(compare(design, case), n_people)

    def _sites(self) -> tuple[float, ...] | int:
        """Return the randomised sites: those of the people if their number matches the protocol, otherwise equal ones."""
        control = self.protocol.control
        number = 1 if control is None or control.clusters is None else int(control.clusters.number.value)
        of_people = self.tallies.sites.values()
        found = [sites for sites in of_people if (sites if isinstance(sites, int) else len(sites)) == number]
        return found[0] if found else (1.0,) * number

    def _reported(self, comparison: GroupComparison, n_people: Floats) -> Concluded:
        """Return the estimate and its standard error in the metric's own terms."""
        sign = 1.0 if self.metric.better == "lower" else -1.0
        base, is_share = comparison.untreated, self.metric.estimate in ("relative_reduction", "efficiency_ratio")
        if is_share:
            kept = ratio(comparison.service, base)
            variance = comparison.service_variance + kept**2 * comparison.untreated_variance - 2 * kept * comparison.covariance
            estimate, error = sign * (1 - kept), ratio(np.sqrt(np.maximum(variance, 0.0)), np.abs(base))
        else:
            of_each = 1.0 if self.metric.estimate == "rate_difference" else 100.0
            scale = n_people if self.metric.estimate == "total_difference" else np.full_like(base, of_each)
            estimate, error = scale * (sign * (base - comparison.service)), scale * np.sqrt(comparison.variance)
        why = np.zeros(base.shape, dtype=np.int8) if comparison.why is None else np.where(np.isnan(base), comparison.why, 0)
        why = np.where(is_share & (base == 0), NOTHING_COMPARED, why)
        why = np.where(np.isnan(comparison.service), NOBODY_SERVED, why)
        if self.metric.per is not None:
            why = np.where((why == NOBODY_SERVED) | (why == NOBODY_COMPARED), NOTHING_SPENT, why)
        if self.metric.estimate == "total_difference":
            # The total of an empty group is 0, whatever the comparison.
            is_empty = n_people == 0
            estimate, error, why = (np.where(is_empty, 0.0, part) for part in (estimate, error, why))
        return Concluded(estimate, error, why.astype(np.int8))

    def truth(self) -> Floats:
        """Return the same quantity between the service users and their twins."""
        every, means = tuple(range(len(self.waves))), []
        for arm in (SERVICE, TWIN):
            alone = [sample_of(self.tallies, self.metric, arm, wave, True) for wave in every]
            means.append(pooled(alone).mean if self.metric.per is None else ratio_of(self.tallies, self.metric, arm, every).mean)
        nothing = np.zeros_like(means[0])
        n_people = add_in_order([self.tallies.weight[:, wave, SERVICE] for wave in range(len(self.waves))])
        return self._reported(GroupComparison(means[0], means[1], nothing, nothing, nothing), n_people).estimate
