"""Compare a forecast with known results, and update it on an interim result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simengine.asked import names_asked, number
from simengine.config import Study
from simengine.config.known import Known
from simengine.config.roles import totals_of, with_money
from simengine.errors import UsageError, one_of
from simengine.pipeline import evaluate, simulate
from simengine.questions.retrospect.weighting import effective_sample_size, weighted_mean, weighted_quantile, weights_near
from simengine.records import Floats, Integers
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.coverage import is_constant
from simengine.risk.statistics import Statistic
from simengine.sampling import distributions_of
from simengine.streams import uniforms

BANDWIDTH = 0.25
"""Width of the kernel in the evaluator's standard errors: it widens an interval by sqrt(1 + 0.25^2), 3 %."""
LEAST_EFFECTIVE = 100.0
WIDEST = 10.0
_PARAMETER = "parameter."


@dataclass(frozen=True)
class Shift:
    """A number of the study that differs in replications with the known result."""

    path: str
    forecast: float
    """Its mean in all replications."""
    updated: float
    """Its mean in those with the known result."""
    in_sd: Statistic
    """The difference in its standard deviations in the forecast."""


@dataclass(frozen=True)
class PlaceInForecast:
    """Where a known result falls in the forecast."""

    known: Known
    below: Statistic
    """Probability of less than the figure, given its rounding."""
    inside: Statistic
    """Probability of the known result: of the figure given its rounding, or of the direction."""
    pit: float
    """Randomised probability integral transform: uniform between the probabilities of less, and of less or as much."""
    effective: float
    """Effective sample size of the matching replications."""
    shifts: tuple[Shift, ...]
    """The numbers that change most; none if too few replications match."""


@dataclass(frozen=True)
class Update:
    """An update on an interim result: every quantity before and after."""

    given: tuple[str, ...]
    effective: float
    means: Mapping[str, tuple[Statistic, Statistic]]
    quantiles: Mapping[str, Mapping[str, tuple[Statistic, Statistic]]]
    """By quantity and p05, p50, p95."""
    probabilities: Mapping[str, tuple[Statistic, Statistic]]
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, repr=False)
class Retrospect(Answer):
    """The known results in the forecast, and the update on those given."""

    bandwidth: float
    places: Mapping[str, PlaceInForecast]
    update: Update | None
    columns: Columns
    weights: Floats | None


def look_back(
    study: Study,
    ensemble: Ensemble,
    *,
    variant: str | None = None,
    given: Sequence[str] = (),
    bandwidth: float = BANDWIDTH,
    least_effective: float = LEAST_EFFECTIVE,
) -> Retrospect:
    """Locate known results in the forecast, and update the forecast on the results in `given`.

    Parameters
    ----------
    study
        The question, as it stood before.
    ensemble
        The replications of the forecast.
    variant
        The variant that the study is: only results of this variant are used.
    given
        Known results to condition on, all together.
    bandwidth
        Width of the kernel around a published estimate, in the evaluator's standard errors.
    least_effective
        Effective sample size below which no update is reported.

    Raises
    ------
    UsageError
        If there are no known results, a result refers to an unknown quantity, or too few replications match those given.
    """
    number(bandwidth, "--bandwidth", 0.0, WIDEST)
    number(least_effective, "--least-effective", 1.0, 1e9)
    known = {name: one for name, one in study.known.items() if one.variant == variant}
    if not known:
        elsewhere = sorted({one.variant or "none" for one in study.known.values()})
        way_out = f"Known under --variant {', '.join(elsewhere)}" if elsewhere else "Add a section `known`"
        raise UsageError(f"known: must have a result to look back at; found none for this study. {way_out}")
    for name in names_asked(given, "--given"):
        if name not in known:
            raise UsageError(f"--given: must be a known result of the study; found `{name}`. {one_of(known)}")
    (found,) = ensemble.ask(lambda replications: [columns_of(study, ensemble.seed, replications)])
    # A rate of return that some replications do not have is no quantity of all replications.
    columns = {name: column for name, column in found.items() if np.isfinite(column).all()}
    for name, one in known.items():
        if one.column not in columns:
            there = [column for column in columns if not column.startswith(_PARAMETER)]
            raise UsageError(
                f"known.{name}.of: must be a quantity that every replication has; found `{one.column}`. {one_of(there)}"
            )
    weights = {name: _weights(one, columns, bandwidth) for name, one in known.items()}
    places = {name: _place(name, one, columns, weights[name], ensemble.seed, least_effective) for name, one in known.items()}
    if not given:
        return Retrospect(bandwidth, places, None, columns, None, n_replications=ensemble.n_replications, seed=ensemble.seed)
    together = np.ones(ensemble.n_replications)
    for name in given:
        together = together * weights[name]
    update = _update(tuple(given), columns, together, least_effective)
    return Retrospect(bandwidth, places, update, columns, together, n_replications=ensemble.n_replications, seed=ensemble.seed)


def columns_of(study: Study, seed: int, replications: Integers) -> Columns:
    """Return all that may be known or may follow, the estimates of each wave, and every number that has a distribution."""
    evidence = simulate(study, seed, replications)
    results = evaluate(study, evidence)
    wanted, owners = ("metric.", "term.", "contingent_payment", "drawn"), {*with_money(study), *totals_of(study)}
    columns = {
        name: np.asarray(column, dtype=np.float64)
        for name, column in results.columns.items()
        if name not in results.codes and (name.startswith(wanted) or name.partition(".")[0] in owners)
    }
    by_wave, people = evidence.measurements.by_wave, evidence.measurements.people
    if by_wave is not None and people is not None:
        everybody = people.sum(axis=1)
        for w, wave in enumerate(study.population.waves):
            # As many times fewer people, as many times the variance; a total adds up instead.
            share = np.divide(people[:, w], everybody, out=np.ones(len(everybody)), where=everybody > 0)
            for m, (name, metric) in enumerate(study.measurement.measured.items()):
                power = 0.5 if metric.estimate == "total_difference" else -0.5
                scale = np.power(share, power, out=np.ones_like(share), where=share > 0)
                columns[f"metric.{name}.estimate.{wave}"] = by_wave[:, w, m]
                columns[f"metric.{name}.standard_error.{wave}"] = columns[f"metric.{name}.standard_error"] * scale
    distributions = distributions_of(study.numbers)
    return columns | {f"{_PARAMETER}{path}": evidence.draws[path] for path in distributions}


def _weights(known: Known, columns: Columns, bandwidth: float) -> Floats:
    values = columns[known.column]
    low, high = known.ends
    spread = np.zeros_like(values)
    # Only a figure that an evaluator estimated has an error; a direction is taken as it stands.
    if known.stands == "at" and known.of.endswith(".estimate"):
        spread = bandwidth * columns[known.column.replace(".estimate", ".standard_error")]
    # A replication without this estimate, or with one of unknown error that is not the figure, did not come near it.
    spread = np.where(np.isnan(spread), 0.0, spread)
    return np.where(np.isnan(values), 0.0, weights_near(values, low, high, spread))


def _place(name: str, known: Known, columns: Columns, weights: Floats, seed: int, least_effective: float) -> PlaceInForecast:
    values = columns[known.column]
    low, high = known.ends
    there = values[np.isfinite(values)]
    if not len(there):
        raise UsageError(f"known.{name}: what is known must be measured in some replication; found `{known.column}` in none")
    below, inside = statistics.probability(there < low), statistics.probability((there >= low) & (there <= high))
    uniform = float(uniforms(seed, f"retrospect/{name}", np.array([0]))[0])
    effective = effective_sample_size(weights)
    shifts = _shifts(columns, weights) if effective >= least_effective else ()
    return PlaceInForecast(known, below, inside, below.value + uniform * inside.value, effective, shifts)


def _shifts(columns: Columns, weights: Floats, most: int = 5) -> tuple[Shift, ...]:
    """Return the numbers whose mean changes most, in their own standard deviations."""
    shifts = []
    for name, values in columns.items():
        if name.startswith(_PARAMETER) and not is_constant(values):
            spread = float(values.std())
            before, after = float(values.mean()), weighted_mean(values, weights)
            moved = Statistic((after.value - before) / spread, float(np.hypot(after.se / spread, 1 / np.sqrt(len(values)))))
            shifts.append(Shift(name.removeprefix(_PARAMETER), before, after.value, moved))
    return tuple(sorted(shifts, key=lambda shift: -abs(shift.in_sd.value))[:most])


def _update(given: tuple[str, ...], columns: Columns, weights: Floats, least_effective: float) -> Update:
    effective = effective_sample_size(weights)
    if effective < least_effective:
        raise UsageError(
            f"--given {', '.join(given)}: enough replications must come close to what is given, an effective sample size of "
            f"{least_effective:g}; found {effective:.1f} of {len(weights):,}. Ask for more replications with -n, give "
            "fewer results, or ask `simengine learn`. "
            "Where hardly any replication comes close, the forecast itself has to be thought over"
        )
    named = [n for n in columns if not n.startswith(_PARAMETER) and ".standard_error" not in n]
    # Of what was not measured everywhere, those replications are summarised in which it was, if they still weigh something.
    there = {n: np.isfinite(columns[n]) for n in named}
    follows = [n for n in named if weights[there[n]].any()]

    def both(values: Floats, is_there: NDArray[np.bool_], of: Callable[[Floats, Floats], Statistic]) -> tuple[Statistic, Statistic]:
        kept = weights[is_there]
        return of(values[is_there], np.ones_like(kept)), of(values[is_there], kept)

    levels = {"p05": 0.05, "p50": 0.50, "p95": 0.95}
    events = {f"{n} > 0": columns[n] > 0 for n in follows if n.startswith(("metric.", "term.", "contingent_payment"))}
    events |= {f"{n} < 0": columns[n] < 0 for n in follows if n.endswith(".net")}
    return Update(
        given,
        effective,
        {n: both(columns[n], there[n], weighted_mean) for n in follows},
        {
            n: {label: both(columns[n], there[n], partial(weighted_quantile, level=level)) for label, level in levels.items()}
            for n in follows
        },
        {n: both(event.astype(np.float64), there[n.split()[0]], weighted_mean) for n, event in events.items()},
        _shifts(columns, weights),
    )
