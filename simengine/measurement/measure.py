"""Let the evaluator measure the service users as a design prescribes, and keep the truth beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from simengine.errors import Problem, StudyError
from simengine.measurement.designs import Case, Comparison, Kind, compare
from simengine.measurement.errors import as_seen, in_base_prices, redefined, stem_of
from simengine.measurement.samples import Sample, pooled, ratio, ratio_of, sample_of, seen_of
from simengine.measurement.spec import Metric, Protocol
from simengine.records import (
    BASELINE,
    MATCHED_SERVICE,
    SERVICE,
    SERVICE_BEFORE,
    TWIN,
    Floats,
    Measurements,
    Tallies,
    Worlds,
    add_in_order,
)


def measure(
    protocol: Protocol, tallies: Tallies, kinds: Mapping[str, Kind], waves: tuple[str, ...], worlds: Worlds
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
    worlds
        The parameters of each replication.

    Returns
    -------
    Estimate, the evaluator's own standard error, and the truth (service arm against its twin), each of shape
    (n_replications, n_metrics) and positive when the service users did better; and the estimates by wave.

    Raises
    ------
    StudyError
        If an estimate is not a finite number.

    Notes
    -----
    With m_s the mean of n service users, m_c what the design takes for their mean without the service, and v the variance of m_c
    - m_s: the total difference n (m_c - m_s) has variance n^2 v; the relative reduction r = 1 - m_s / m_c has variance (v_s + (1
    - r)^2 v_c - 2 (1 - r) cov) / m_c^2 (delta method); an efficiency ratio likewise, of two ratios of means. Where higher is
    better the sign is turned.
    """
    columns = [
        _measure_one(name, metric, protocol, tallies, kinds[metric.outcome], waves, worlds)
        for name, metric in protocol.metrics.items()
    ]
    estimate, standard_error, truth = (np.stack([column[i] for column in columns], axis=1) for i in range(3))
    by_wave, cumulative, error_by_wave = (np.stack([column[i] for column in columns], axis=2) for i in (3, 4, 5))
    people = tallies.n_people[:, :, SERVICE].astype(np.float64)
    return Measurements(tuple(protocol.metrics), estimate, standard_error, truth, by_wave, people, None, cumulative, error_by_wave)


def _measure_one(
    name: str, metric: Metric, protocol: Protocol, tallies: Tallies, kind: Kind, waves: tuple[str, ...], worlds: Worlds
) -> tuple[Floats, ...]:
    evaluator = _Evaluator(name, metric, protocol, tallies, kind, waves, worlds)
    every = tuple(range(len(waves)))
    with np.errstate(all="ignore"):
        estimate, standard_error = evaluator.conclude(every)
        truth = evaluator.truth()
        alone = [evaluator.conclude((wave,)) for wave in every] if len(every) > 1 else [(estimate, standard_error)]
        running = [evaluator.conclude(every[: wave + 1])[0] for wave in every[:-1]] + [estimate]
    if not (np.isfinite(estimate).all() and np.isfinite(standard_error).all()):
        rule = "an estimate is a finite number in every replication"
        way_out = "Check the drift, the years and the prices"
        if metric.per is not None:
            way_out += f"; and that some of `{metric.per}` is spent in every replication"
        raise StudyError([Problem("the run", f"measurement.metrics.{name}", rule, "", way_out)])
    by_wave, error_by_wave = (np.stack([one[i] for one in alone], axis=1) for i in (0, 1))
    return estimate, standard_error, truth, by_wave, np.stack(running, axis=1), error_by_wave


_OF_SERVICE = (SERVICE, MATCHED_SERVICE, SERVICE_BEFORE)
"""The arms of service users, and of their place before."""


class _Evaluator:
    """One metric, seen by one evaluator."""

    def __init__(
        self, name: str, metric: Metric, protocol: Protocol, tallies: Tallies, kind: Kind, waves: tuple[str, ...], worlds: Worlds
    ) -> None:
        self.name, self.metric, self.protocol, self.tallies = name, metric, protocol, tallies
        # A ratio of two means is no share, whatever it is a ratio of.
        self.kind: Kind = "amount" if metric.per is not None else kind
        self.counting = {"share": "answers", "number": "events"}.get(kind, "scaled")
        self.waves, self.worlds = waves, worlds
        self._seen = cache(self._see)

    def _see(self, arm: int, wave: int) -> Sample:
        sample = seen_of(self.tallies, self.metric, arm, wave, self.kind in ("share", "score"))
        if self._is_redefined(arm):
            stem = stem_of(self.name, arm, self.waves[wave])
            sample = redefined(sample, self.tallies, self.name, self.metric, arm, wave, stem, self.counting, self.worlds)
        if self.metric.prices is not None:
            sample = in_base_prices(sample, *self._index_of(arm, wave))
        return as_seen(sample, self.name, self.metric, arm, self.waves[wave], self.kind == "share", self.worlds)

    def _is_redefined(self, arm: int) -> bool:
        """Whether the register of an arm counts in another way from a month on; earlier people lived before it."""
        if self.metric.redefined is None or arm == BASELINE:
            return False
        return self.metric.redefined.groups in ("both", "service" if arm in _OF_SERVICE else "comparison")

    def _people(self, arm: int, waves: tuple[int, ...]) -> Sample:
        """Give what the evaluator sees of the people of some waves; the earlier people have no waves."""
        at = (0,) if arm == BASELINE else waves
        if self.metric.per is not None:
            return ratio_of(self.tallies, self.metric, arm, at)
        return pooled([self._seen(arm, wave) for wave in at])

    def _index_of(self, arm: int, wave: int) -> tuple[Floats, Floats, Floats]:
        """Give the gap between prices and index, and the years from the base month to the middle of the window and before it."""
        path, years = f"measurement.metrics.{self.name}.prices", self._years_to_entry(wave)
        if arm == BASELINE:
            people = [self.tallies.weight[:, w, SERVICE] for w in range(len(self.waves))]
            entries = add_in_order([n * self._years_to_entry(w) for w, n in enumerate(people)])
            years = ratio(entries, add_in_order(people)) - self.worlds["measurement.baseline.years_before"]
        years = years - self.worlds[f"{path}.base_month"] / 12
        gap = self.worlds[f"{path}.growth_per_year"] - self.worlds[f"{path}.index_per_year"]
        return gap, years + self.metric.window_months.value / 24, years - self.tallies.history_months / 24

    def _years_to_entry(self, wave: int) -> Floats:
        """Give the years from the start to the mean entry of a wave, all of whose months are equally likely."""
        path = f"population.waves.{self.waves[wave]}"
        return np.asarray(self.worlds[f"{path}.from_month"] + (np.floor(self.worlds[f"{path}.enrolment_months"]) - 1) / 2) / 12

    def conclude(self, waves: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Give the estimate from the people of some waves and its standard error, as the contract will pay on it."""
        designs = {self.protocol.by_wave.get(self.waves[wave], self.protocol.design) for wave in waves}
        if len(designs) == 1:
            estimate, error = self._by_design(designs.pop(), waves)
        else:
            estimate, error = self._by_waves(waves)
        shrinkage = self.metric.shrinkage
        if shrinkage is None:
            return estimate, error
        path = f"measurement.metrics.{self.name}.shrinkage"
        if shrinkage.credibility is not None:
            weight = self.worlds[f"{path}.credibility"]
        else:
            spread = self.worlds[f"{path}.prior_sd"] ** 2
            whole = spread + error**2
            weight = np.divide(spread, whole, out=np.ones_like(spread), where=whole > 0)
        return weight * estimate + (1 - weight) * self.worlds[f"{path}.prior"], weight * error

    def _by_waves(self, waves: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Put waves of different designs together, by their people; a total adds up."""
        parts = [self._by_design(self.protocol.by_wave.get(self.waves[wave], self.protocol.design), (wave,)) for wave in waves]
        people = [self.tallies.weight[:, wave, SERVICE] for wave in waves]
        if self.metric.estimate == "total_difference":
            people = [np.ones_like(n) for n in people]
            whole = np.ones_like(people[0])
        else:
            whole = np.maximum(add_in_order(people), 1.0)
        estimate = add_in_order([n * part[0] for n, part in zip(people, parts, strict=True)]) / whole
        variance = add_in_order([(n * part[1]) ** 2 for n, part in zip(people, parts, strict=True)]) / whole**2
        return estimate, np.sqrt(variance)

    def _by_design(self, design: str, waves: tuple[int, ...]) -> tuple[Floats, Floats]:
        if design == "mix":
            weights = {name: self.worlds[f"measurement.mix.{name}"] for name in self.protocol.mix or {}}
            parts = {name: self._by_design(name, waves) for name in weights}
            estimate = add_in_order([weights[name] * parts[name][0] for name in weights])
            # The designs share the service users, so their errors go together: the standard errors add.
            return estimate, add_in_order([weights[name] * parts[name][1] for name in weights])
        case = Case(
            lambda arm: self._people(arm, waves),
            self.name,
            self.metric,
            self.kind,
            self.protocol,
            self.tallies.history_months,
            self.worlds,
        )
        n_people = add_in_order([self.tallies.weight[:, wave, SERVICE] for wave in waves])
        return self._reported(compare(design, case), n_people)

    def _reported(self, comparison: Comparison, n_people: Floats) -> tuple[Floats, Floats]:
        """Give the estimate and its standard error in the metric's own terms."""
        sign = 1.0 if self.metric.better == "lower" else -1.0
        difference = sign * (comparison.untreated - comparison.service)
        if self.metric.estimate in ("relative_reduction", "efficiency_ratio"):
            base = comparison.untreated
            kept = np.divide(comparison.service, base, out=np.ones_like(base), where=base != 0)
            variance = comparison.service_variance + kept**2 * comparison.untreated_variance - 2 * kept * comparison.covariance
            spread = np.divide(np.sqrt(np.maximum(variance, 0.0)), np.abs(base), out=np.zeros_like(base), where=base != 0)
            return np.where(n_people > 0, sign * (1 - kept), 0.0), spread
        scale = {"total_difference": n_people, "rate_difference": np.minimum(n_people, 1)}.get(
            self.metric.estimate, 100 * np.minimum(n_people, 1)
        )
        return scale * difference, scale * np.sqrt(comparison.variance)

    def truth(self) -> Floats:
        """Give the same quantity between the service users and their twins."""
        every, means = tuple(range(len(self.waves))), []
        for arm in (SERVICE, TWIN):
            alone = [sample_of(self.tallies, self.metric, arm, wave, True) for wave in every]
            means.append(pooled(alone).mean if self.metric.per is None else ratio_of(self.tallies, self.metric, arm, every).mean)
        nothing = np.zeros_like(means[0])
        n_people = add_in_order([self.tallies.weight[:, wave, SERVICE] for wave in range(len(self.waves))])
        return self._reported(Comparison(means[0], means[1], nothing, nothing, nothing), n_people)[0]
