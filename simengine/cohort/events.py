"""Turn what a study says of events and shocks into the tables that the kernels read, one row per replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simengine.arrays import Floats
from simengine.cohort.kernels.arrays import EventRates
from simengine.cohort.kernels.between import FIXED, GAMMA, LOGNORMAL, UNIFORM, WEIBULL
from simengine.cohort.moves import MONTHS_IN, MoveClock, calendar_factor, one_row, ones, series_factor
from simengine.cohort.spec import Event, Length, Shock
from simengine.late import special
from simengine.records import Draws
from simengine.streams import uniforms

_KINDS = {"fixed": FIXED, "uniform": UNIFORM, "lognormal": LOGNORMAL, "weibull": WEIBULL, "gamma": GAMMA}


def rate_tables(
    events: Mapping[str, Event],
    states: Sequence[str],
    strata: Sequence[str],
    clock: MoveClock,
    factors_on_calendar: Mapping[str, Floats],
    draws: Draws,
) -> EventRates:
    """Return the rate of every event by state, its factors, and the distribution of its length.

    Parameters
    ----------
    events
        By name.
    states, strata
        Names in order.
    clock
        Months of the tables.
    factors_on_calendar
        By event: factors that shocks bring, shape (n_replications, months of the calendar).
    draws
        The parameters of each replication.
    """
    n, n_events = len(draws), len(events)
    rate, by_stratum = np.zeros((n, n_events, len(states))), ones(n, n_events, len(strata))
    has_entry = any(event.by_months_since_entry is not None for event in events.values())
    by_entry = ones(n if has_entry else 1, n_events, clock.length)
    has_calendar = any(event.by_calendar is not None or name in factors_on_calendar for name, event in events.items())
    by_calendar = ones(n if has_calendar else 1, n_events, clock.length)
    first, second = np.zeros((n, n_events)), np.zeros((n, n_events))
    for e, (name, event) in enumerate(events.items()):
        path = f"events.{name}"
        for state, said in event.rates.items():
            unit = MONTHS_IN[said.form.removeprefix("rate_per_")]
            rate[:, e, states.index(state)] = draws[f"{path}.rates.{state}.{said.form}"] / unit / clock.steps
        for stratum in event.by_stratum or {}:
            by_stratum[:, e, strata.index(stratum)] = draws[f"{path}.by_stratum.{stratum}"]
        if event.by_months_since_entry is not None:
            path_of_series = f"{path}.by_months_since_entry"
            series_factor(by_entry[:, e], event.by_months_since_entry, path_of_series, clock.entry, clock.steps, draws)
        if has_calendar:
            by_calendar[:, e] = calendar_factor(event.by_calendar, f"{path}.by_calendar", clock, draws)
            by_calendar[:, e] *= factors_on_calendar.get(name, 1.0)
        if event.length is not None:
            first[:, e], second[:, e] = _parameters(event.length, f"{path}.length", draws)
    return EventRates(
        rate=rate,
        by_stratum=by_stratum,
        by_entry=one_row(by_entry),
        by_calendar=one_row(by_calendar),
        acts=np.zeros((0, n_events), dtype=np.bool_),
        length=np.array([-1 if event.length is None else _KINDS[event.length.kind] for event in events.values()], dtype=np.int64),
        length_first=first,
        length_second=second,
    )


def _parameters(length: Length, path: str, draws: Draws) -> tuple[Floats, Floats]:
    """Return the two parameters of the distribution of a length, in days; see `kernels.between`."""
    if length.kind == "uniform":
        return draws[f"{path}.low_days"], draws[f"{path}.high_days"]
    mean = draws[f"{path}.mean_days"]
    if length.kind == "weibull":
        shape = draws[f"{path}.weibull_shape"]
        return np.asarray(mean / special.gamma(1 + 1 / shape)), shape
    if length.kind == "fixed":
        return mean, np.zeros_like(mean)
    sd = draws[f"{path}.sd_days"]
    if length.kind == "gamma":
        return (mean / sd) ** 2, sd**2 / mean
    log_variance = np.log1p((sd / mean) ** 2)
    return np.log(mean) - log_variance / 2, np.sqrt(log_variance)


def shock_factors(shocks: Mapping[str, Shock], clock: MoveClock, is_earlier: bool, draws: Draws) -> dict[str, Floats]:
    """Return the factors that shocks bring, by move, event or binary outcome: shape (n_replications, months of the calendar).

    Parameters
    ----------
    shocks
        By name.
    clock
        Months of the tables.
    is_earlier
        Whether it is the calendar of an earlier comparison group: its years have shocks of their own, and no dated one.
    draws
        The parameters of each replication.
    """
    factors: dict[str, Floats] = {}
    for name, shock in shocks.items():
        factor = _shock(name, shock, clock, is_earlier, draws)
        for target in shock.on:
            factors[target] = factors.get(target, 1.0) * factor
    return factors


def _shock(name: str, shock: Shock, clock: MoveClock, is_earlier: bool, draws: Draws) -> Floats:
    out = ones(len(draws), clock.length)
    month = (np.arange(clock.length) - clock.entry) // clock.steps
    if shock.factor is not None:
        assert shock.from_month is not None
        assert shock.to_month is not None
        inside = (month >= shock.from_month.value) & (month < shock.to_month.value) & (not is_earlier)
        out[:, inside] = draws[f"shocks.{name}.factor"][:, None]
        return out
    group = "earlier" if is_earlier else "study"
    for year in np.unique(month // 12):
        purpose = f"world/shocks/{name}/{group}/{year}"
        z = special.ndtri(uniforms(draws.seed_of(purpose), purpose, draws.replications))
        out[:, month // 12 == year] = np.exp(draws[f"shocks.{name}.sd_per_year"] * z)[:, None]
    return out
