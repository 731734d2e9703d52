"""Simulation-based calibration of the events of `simengine fit`: as that of its pathways, with a table of events beside the spells.

People are in one of two states that they leave by the calendar, observed from a day of their own on; events happen to them again and
again at a rate with everything that can be asked for, and last or do not. Days are whole, as in a file: an event of a moment is dated
to its day, and lasts a whole number of days; the priors make lengths of less than half a day, which no file knows, next to impossible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter
from scipy import special

from simengine import SimengineError
from simengine.config.document import Document
from simengine.distributions import Quantity
from simengine.spells.choices import FitChoices
from simengine.spells.event_fit import fit_events, frailty_of
from simengine.spells.event_likelihood import MONTHS_OF_YEAR
from simengine.spells.event_plan import plan_events
from simengine.spells.event_records import Events
from simengine.spells.plan import plan_fit
from simengine.spells.records import Spells, SpellsFile
from simengine.spells.risk_time import months_of
from verification.height import height_of

DAYS_PER_MONTH = 365.25 / 12
STATES = ("away", "home")
EVENT = "report"
_FIRST_DAY, _N_DAYS = 17_167, 1_461
"""1 January 2017, for four years."""
_PRIORS = {
    "rate": {"events": 4, "at_risk_months": 40},
    "weibull_shape": {"median": 2, "sd_of_log": 0.2},
    "frailty_variance": {"median": 0.5, "sd_of_log": 0.6},
    "factor": {"median": 0.7, "sd_of_log": 0.4},
    "season_factor": {"median": 1, "sd_of_log": 0.3},
    "trend_sd": 0.1,
    "mean_length_days": {"median": 20, "sd_of_log": 0.4},
    "length_variation": {"median": 0.6, "sd_of_log": 0.25},
}


@dataclass(frozen=True)
class EventsCase:
    """What is asked of the event, and of how many people."""

    asked: Mapping[str, object]
    n_people: int = 120
    groups: tuple[str, ...] = ("a",)


EVENT_CASES: Mapping[str, EventsCase] = {
    "events": EventsCase({"frailty": False, "length": "none"}),
    "events, frailty and strata": EventsCase({"by_stratum": True, "length": "none"}, 160, ("a", "b")),
    "events, trend and season": EventsCase({"trend": True, "season": True, "length": "none"}, 200),
    "events, gamma length": EventsCase({"length": "gamma"}),
    "events, lognormal length": EventsCase({"length": "lognormal"}),
    "events, weibull length": EventsCase({"length": "weibull"}),
}


def calibrate_events(case: EventsCase, n_sets: int, seed: int) -> dict[str, np.ndarray]:
    """Return by path of a number: the probability below the truth in every data set; NaN where it was not fitted."""
    choices = FitChoices.model_validate({"events": {EVENT: case.asked}, "priors": _PRIORS})
    found: dict[str, list[float]] = {}
    for number in range(n_sets):
        rng = np.random.default_rng([seed, number])
        truth = _drawn_events(choices, case, rng)
        spells, events = simulate_events(truth, choices, case, rng)
        for path, height in _heights_of_events(spells, events, choices, truth).items():
            found.setdefault(path, []).append(height)
    return {path: np.array(heights) for path, heights in found.items()}


def _drawn_events(choices: FitChoices, case: EventsCase, rng: np.random.Generator) -> dict[str, float]:
    """Draw the numbers from the priors, by the paths at which the fit writes them; of a length, its sd in place of its variation."""
    priors, asked, at = choices.priors, choices.events[EVENT], f"events.{EVENT}."

    def of(known: object) -> float:
        return float(known.median * np.exp(known.sd_of_log * rng.normal()))  # type: ignore[attr-defined]

    truth = {
        f"{at}rates.{state}.rate_per_month": float(rng.gamma(priors.rate.events) / priors.rate.at_risk_months) for state in STATES
    }
    if asked.by_stratum:
        truth |= {f"{at}by_stratum.{group}": of(priors.factor) for group in case.groups[1:]}
    if asked.season:
        truth |= {f"{at}by_calendar.season.{month}": of(priors.season_factor) for month in MONTHS_OF_YEAR[1:]}
    if asked.trend:
        truth[f"{at}by_calendar.trend_per_year"] = float(priors.trend_sd * rng.normal())
    if asked.frailty:
        truth[f"population.frailties.{frailty_of(EVENT)}.variance"] = of(priors.frailty_variance)
    if asked.length not in (None, "none"):
        mean = truth[f"{at}length.mean_days"] = of(priors.mean_length_days)
        if asked.length == "weibull":
            truth[f"{at}length.weibull_shape"] = of(priors.weibull_shape)
        else:
            truth[f"{at}length.sd_days"] = mean * of(priors.length_variation)
    return truth


def simulate_events(
    truth: Mapping[str, float], choices: FitChoices, case: EventsCase, rng: np.random.Generator
) -> tuple[Spells, Events]:
    """Simulate people one by one, day by day of the calendar where the rate changes."""
    rows: list[tuple[int, int, int, int]] = []
    happened: list[tuple[int, int, float, bool]] = []
    groups, entries = [], []
    variance = truth.get(f"population.frailties.{frailty_of(EVENT)}.variance")
    for person in range(case.n_people):
        group = int(rng.integers(len(case.groups)))
        factor = rng.gamma(1 / variance) * variance if variance else 1.0
        factor *= truth.get(f"events.{EVENT}.by_stratum.{case.groups[group]}", 1.0)
        begin = int(rng.integers(-400, _N_DAYS - 200))
        entry = max(begin, 0)
        state, day, stays = int(rng.integers(2)), begin, []
        while day < _N_DAYS:
            end = min(day + 1 + int(rng.exponential(300)), _N_DAYS)
            if end > entry:
                stays.append((person, state, day, end))
            state, day = 1 - state, end
        rows += stays
        groups.append(group)
        entries.append(max(stays[0][2], 0))
        happened += [(person, *one) for one in _events_of(truth, choices, stays, factor, begin, rng) if one[1] > entries[-1]]
    return _as_tables(rows, happened, groups, entries, case.groups)


def _events_of(
    truth: Mapping[str, float],
    choices: FitChoices,
    stays: list[tuple[int, int, int, int]],
    factor: float,
    begin: int,
    rng: np.random.Generator,
) -> list[tuple[int, float, bool]]:
    """Return the events of a person: first day, first day no longer in it, and whether it still lasts."""
    found: list[tuple[int, float, bool]] = []
    free = float(min(begin, stays[0][2]))
    for _, state, first, stop in stays:
        at = max(float(first), free)
        while at < stop:
            month = int(months_of(np.array([_FIRST_DAY + at]))[0])
            next_month = float(np.datetime64(month + 1, "M").astype("datetime64[D]").astype(int)) - _FIRST_DAY
            until = min(float(stop), next_month)
            wait = rng.exponential(DAYS_PER_MONTH / (factor * _rate(truth, STATES[state], month)))
            if at + wait >= until:
                at = until
                continue
            day = int(np.floor(at + wait))
            if choices.events[EVENT].length in (None, "none"):
                found.append((day, float(day + 1), False))
                at = at + wait
                continue
            days = max(1, round(_length(truth, choices, rng)))
            found.append((day, float(min(day + days, _N_DAYS)), day + days >= _N_DAYS))
            at = free = float(day + days)
    return found


def _rate(truth: Mapping[str, float], state: str, month: int) -> float:
    at = f"events.{EVENT}."
    rate = truth[f"{at}rates.{state}.rate_per_month"] * truth.get(f"{at}by_calendar.season.{MONTHS_OF_YEAR[month % 12]}", 1.0)
    years = (month - 12 * 47 + 0.5) / 12
    return float(rate * np.exp(truth.get(f"{at}by_calendar.trend_per_year", 0.0) * years))


def _length(truth: Mapping[str, float], choices: FitChoices, rng: np.random.Generator) -> float:
    at = f"events.{EVENT}.length."
    mean = truth[f"{at}mean_days"]
    if choices.events[EVENT].length == "weibull":
        shape = truth[f"{at}weibull_shape"]
        return float(mean / special.gamma(1 + 1 / shape) * rng.weibull(shape))
    variation = truth[f"{at}sd_days"] / mean
    if choices.events[EVENT].length == "gamma":
        return float(rng.gamma(variation**-2) * mean * variation**2)
    sd = np.sqrt(np.log1p(variation**2))
    return float(rng.lognormal(np.log(mean) - sd**2 / 2, sd))


def _as_tables(
    rows: list[tuple[int, int, int, int]],
    happened: list[tuple[int, int, float, bool]],
    groups: list[int],
    entries: list[int],
    names: tuple[str, ...],
) -> tuple[Spells, Events]:
    table = np.array(rows)
    bounds = np.searchsorted(table[:, 0], np.arange(len(groups) + 1))
    spells = Spells(
        states=STATES,
        groups=names if len(names) > 1 else ("all",),
        person=table[:, 0],
        state=table[:, 1],
        first_day=_FIRST_DAY + table[:, 2].astype(np.float64),
        end_day=_FIRST_DAY + table[:, 3].astype(np.float64),
        is_open=np.append(np.diff(table[:, 0]) > 0, True),
        cost_per_day=np.full(len(rows), np.nan),
        first_spell=bounds,
        group=np.array(groups),
        entry_day=_FIRST_DAY + np.array(entries, dtype=np.float64),
        observed_until=np.full(len(groups), float(_FIRST_DAY + _N_DAYS)),
        file=SpellsFile("simulated", "0" * 64, len(rows)),
    )
    of = np.array([(person, first, end, is_open) for person, first, end, is_open in happened])
    events = Events(
        kinds=(EVENT,),
        has_length=True,
        person=of[:, 0].astype(np.int64),
        kind=np.zeros(len(of), np.int64),
        first_day=_FIRST_DAY + of[:, 1],
        end_day=_FIRST_DAY + of[:, 2],
        is_open=of[:, 3] > 0,
        file=SpellsFile("simulated", "1" * 64, len(of)),
    )
    return spells, events


_READ = TypeAdapter(Quantity)


def _heights_of_events(spells: Spells, events: Events, choices: FitChoices, truth: Mapping[str, float]) -> dict[str, float]:
    """Return by path the probability that the written distribution gives to values below the truth."""
    try:
        plan = plan_fit(spells, choices, Document({}), has_events=True)
        plans, _ = plan_events(spells, events, plan, choices, Document({}))
        fitted = fit_events(spells, events, plan, plans, choices.priors, 12 * 47)
    except SimengineError:
        return dict.fromkeys(truth, np.nan)
    numbers = [one for event in fitted for one in event.numbers if one.path in truth]
    heights = {one.path: height_of(_READ.validate_python(dict(one.quantity)), truth[one.path]) for one in numbers}
    return {path: heights.get(path, np.nan) for path in truth}
