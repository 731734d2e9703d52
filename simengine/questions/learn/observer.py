"""What a replication would have shown of each result, simulated only as far as the results need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.cohort import simulate_cohort
from simengine.config import Study, cohort_of
from simengine.errors import UsageError
from simengine.pipeline import DrawOverrides, Evidence, as_contract_asks, draw_numbers, evaluate, move_money
from simengine.questions.learn.results import PEOPLE, Result
from simengine.records import SERVICE, Draws, Floats, Integers, Measurements, Reached, Tallies
from simengine.replications.ensemble import measured, with_used_designs_alone
from simengine.sections import lies_left

ShownResults = dict[str, Floats]
"""By label of a result, each of shape (n_replications,): what it came to; and under `_error_of(label)` its standard error."""


@dataclass(frozen=True)
class Observer:
    """The part of a study that some results need, and how each is read from it."""

    study: Study
    """The whole study: every number is drawn as in it."""
    people: Study
    """With the waves and the months that matter."""
    results: tuple[Result, ...]
    settles: bool
    """Whether some result is money, so that the contract is settled to the end."""

    def paths(self, uncertain: Sequence[str]) -> tuple[str, ...]:
        """Return those uncertain numbers from which these results can follow."""
        return tuple(path for path in uncertain if self.settles or lies_left(path))

    def shown(self, seed: int, replications: Integers, overrides: DrawOverrides) -> ShownResults:
        """Simulate replications with chosen numbers, and read every result."""
        draws = draw_numbers(self.study, seed, replications, overrides=overrides)
        tallies = simulate_cohort(cohort_of(self.people), draws)
        seen = measured(self.people, self.people.measurement, tallies, draws)
        columns: ShownResults = {}
        if self.settles:
            columns = self._money(draws, tallies, seen)
        for one in self.results:
            if one.of == PEOPLE:
                columns[one.label] = self._people(one, tallies, seen)
            elif one.is_counted and not one.of.endswith((".number", ".paid")):
                columns[one.label] = _counted(one, _listed(seen), self._wave(one))
            elif one.of.startswith("metric.") and one.label not in columns:
                columns |= self._estimated(one, seen)
        return columns

    def _wave(self, result: Result) -> int | None:
        return None if result.wave is None else list(self.people.population.waves).index(result.wave)

    def _people(self, result: Result, tallies: Tallies, seen: Measurements) -> Floats:
        wave = self._wave(result)
        if not result.is_dated:
            n_people = tallies.n_people[:, :, SERVICE].astype(np.float64)
            return np.asarray(n_people.sum(axis=1) if wave is None else n_people[:, wave])
        listed = _listed(seen)
        # Somebody who enters in the first month has entered by its end.
        month = listed.entry.astype(np.int64) + 1
        counts = _within(result, month) & (True if wave is None else listed.wave == wave)
        owner = np.repeat(np.arange(len(listed)), np.diff(listed.first_person))
        return np.bincount(owner[counts], minlength=len(listed)).astype(np.float64)

    def _estimated(self, result: Result, seen: Measurements) -> ShownResults:
        m = list(self.people.measurement.measured).index(result.subject)
        wave, what = self._wave(result), result.of.rpartition(".")[2]
        if wave is None or what == "truth":
            values = getattr(seen, what)[:, m]
        else:
            by_wave = seen.by_wave if what == "estimate" else seen.standard_error_by_wave
            assert by_wave is not None, "only outcomes given by hand have no estimate by wave"
            values = by_wave[:, wave, m]
        shown: ShownResults = {result.label: values}
        if result.standard_error is not None:
            errors = seen.standard_error if wave is None else seen.standard_error_by_wave
            assert errors is not None, "only outcomes given by hand have no error by wave"
            shown[error_of(result.label)] = errors[:, m] if wave is None else errors[:, wave, m]
        return shown

    def _money(self, draws: Draws, tallies: Tallies, seen: Measurements) -> ShownResults:
        evidence = Evidence(self.study, draws, tallies, seen)
        shown: ShownResults = {}
        paid = [one for one in self.results if one.is_paid]
        if paid:
            payments, _ = move_money(self.study, draws, tallies, as_contract_asks(self.study.contract, tallies, seen, draws))
            for one in paid:
                t = payments.terms.index(one.subject)
                due = _within(one, payments.months[t]) if one.is_dated else payments.is_due[t]
                shown[one.label] = payments.by_due[:, t, due].sum(axis=1)
        others = [one for one in self.results if not one.is_paid and _is_of_evaluation(one)]
        if others:
            results = evaluate(self.study, evidence)
            for one in others:
                if one.of not in results.columns or one.of in results.codes:
                    raise UsageError(f"{one.label}: a result must be a quantity of every replication; found `{one.of}`")
                shown[one.label] = np.asarray(results[one.of], dtype=np.float64)
        return shown


def observer_of(study: Study, results: tuple[Result, ...]) -> Observer:
    """Cut from a study what the results need: waves, months until the last count, metrics, and those with whom they compare.

    People who are simulated shorter are the same people until then: a draw has an address and no state.
    """
    settles = any(one.is_paid or _is_of_evaluation(one) for one in results)
    if settles:
        return Observer(study, study, results, settles=True)
    waves, horizon = study.population.waves, study.study.horizon_months
    ends = [one.until_month if one.is_counted and one.until_month is not None else horizon.value for one in results]
    last = max(ends)
    named = {one.wave for one in results}
    needed = {name: wave for name, wave in waves.items() if wave.from_month.value < last and (None in named or name in named)}
    population = study.population.model_copy(update={"waves": needed or waves})
    heading = study.study
    if all(one.is_counted for one in results) and last < horizon.value:
        heading = heading.model_copy(update={"horizon_months": horizon.model_copy(update={"value": last})})
    protocol = study.measurement
    asked = {one.subject for one in results if one.of.startswith("metric.")}
    metrics = {name: metric for name, metric in protocol.metrics.items() if asked & metric.each(name).keys()}
    changes = {"population": population, "study": heading, "measurement": protocol.model_copy(update={"metrics": metrics})}
    return Observer(study, with_used_designs_alone(study.model_copy(update=changes)), results, settles=False)


def error_of(label: str) -> str:
    """Return the name of the column with the standard error of a result."""
    return f"standard error of {label}"


def _is_of_evaluation(result: Result) -> bool:
    own = result.of.startswith("outcome.") and result.of.endswith((".number", ".paid"))
    return own or not (result.is_paid or result.is_counted or result.of.startswith("metric."))


def _listed(seen: Measurements) -> Reached:
    assert seen.reached is not None, "a result of an outcome is refused where none is counted"
    return seen.reached


def _within(result: Result, month: Integers) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    until = np.inf if result.until_month is None else result.until_month
    return np.asarray((month > result.after_month) & (month <= until))


def _counted(result: Result, listed: Reached, wave: int | None) -> Floats:
    """Count the outcomes of one kind that were recorded within some months, or add up their units."""
    counts = (listed.outcome == listed.outcomes.index(result.subject)) & _within(result, listed.month.astype(np.int64))
    owner = listed.replication_of_row
    if wave is not None:
        counts &= listed.wave[listed.first_person[:-1][owner] + listed.person] == wave
    weights = None if listed.units is None else listed.units[counts]
    return np.bincount(owner[counts], weights, minlength=len(listed)).astype(np.float64)


def overrides_of(paths: Sequence[str], uniform: Floats) -> DrawOverrides:
    """Return the overrides that give numbers some uniforms, of shape (n_replications, n_paths)."""
    return DrawOverrides(uniform={path: np.ascontiguousarray(uniform[:, i]) for i, path in enumerate(paths)})


def values_at(study: Study, paths: Sequence[str], uniform: Floats) -> dict[str, Floats]:
    """Return the values of numbers at some uniforms, with the study's correlations and shares."""
    rows = np.zeros(len(uniform), dtype=np.int64)
    draws = draw_numbers(study, 0, rows, overrides=overrides_of(paths, uniform))
    return {path: draws[path] for path in paths}


def cut_to(observer: Observer, results: tuple[Result, ...]) -> Observer:
    """Return the observer with fewer results, for what tells nothing."""
    return replace(observer, results=results)
