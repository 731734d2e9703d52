"""One replication of a study in plain Python: its numbers, its calendar, and the hazards of the moves without the service.

Written from the descriptions of `simengine.cohort`, not from its code: a number is looked up where the study says it, a
hazard is worked out anew for every person and month.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import exp, gamma, log
from statistics import NormalDist
from typing import Any

from tests.reference import streams

DAYS_PER_MONTH = 365.25 / 12
MONTHS_IN = {"day": 12 / 365.25, "month": 1.0, "quarter": 3.0, "year": 12.0}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CERTAIN = 1 - 1e-12
"""A state that is left for certain has an infinite hazard; this one leaves a person behind once in 1e12 periods."""


@dataclass(frozen=True, eq=False)
class ReplicationNumbers:
    """The numbers of one replication, by path in the study."""

    cohort: Any
    seed: int
    replication: int
    values: Mapping[str, float]
    is_earlier: bool = False
    """Whether it is the calendar of the earlier people."""

    def __getitem__(self, path: str) -> float:
        return self.values[path]

    def uniform(self, purpose: str) -> float:
        """Draw for a decision that the whole world shares."""
        return streams.uniforms(self.seed, purpose, [self.replication])[0]

    @property
    def history(self) -> int:
        return int(self.cohort.clock.history)

    @property
    def horizon(self) -> int:
        return int(self.cohort.clock.horizon)


def shares_of(numbers: ReplicationNumbers, shares: Mapping[str, Any], path: str) -> dict[str, float]:
    """Give the shares of a whole: `rest` takes what the others leave; shares above the whole are scaled to it."""
    drawn = {name: numbers[path.format(name)] for name, share in shares.items() if share != "rest"}
    rest = max(0.0, 1.0 - add_up(drawn.values())) if "rest" in shares.values() else 0.0
    whole = add_up(drawn.values()) + rest
    return {name: drawn.get(name, rest) / whole for name in shares}


def is_above_whole(numbers: ReplicationNumbers, shares: Mapping[str, Any], path: str) -> bool:
    """Say whether the drawn shares leave less than nothing."""
    return add_up(numbers[path.format(name)] for name, share in shares.items() if share != "rest") > 1 + 1e-9


def choose(shares: Mapping[str, float], uniform: float) -> str:
    """Give the first name whose running share exceeds the uniform; the last with a share has what rounding leaves."""
    running = 0.0
    for name, share in shares.items():
        running += share
        if uniform < running:
            return name
    return [name for name, share in shares.items() if share > 0][-1]


def add_up(numbers: Any) -> float:
    """Add numbers one after the other."""
    total = 0.0
    for number in numbers:
        total += number
    return total


# ------------------------------------------------ the calendar ------------------------------------------------


def calendar_factor(numbers: ReplicationNumbers, by_calendar: Any, path: str, month: int) -> float:
    """Give trend and season in a month of the study; the trend is taken in the middle of the month."""
    factor = 1.0
    if by_calendar is not None and by_calendar.trend_per_year is not None:
        factor *= exp(numbers[f"{path}.trend_per_year"] * (month + 0.5) / 12)
    if by_calendar is not None and by_calendar.season is not None:
        first = int(numbers.cohort.clock.start.split("-")[1]) - 1
        name = MONTHS[(first + month) % 12]
        factor *= numbers[f"{path}.season.{name}"] if name in by_calendar.season else 1.0
    return factor


def shock_factor(numbers: ReplicationNumbers, target: str, month: int) -> float:
    """Give the factor of all shocks on a move, event or outcome in a month of the study."""
    factor = 1.0
    for name, shock in numbers.cohort.shocks.items():
        if target not in shock.on:
            continue
        if shock.sd_per_year is not None:
            factor *= exp(numbers[f"shocks.{name}.sd_per_year"] * luck_of_year(numbers, name, month // 12))
        elif shock.from_month.value <= month < shock.to_month.value and not numbers.is_earlier:
            factor *= numbers[f"shocks.{name}.factor"]
    return factor


@cache
def luck_of_year(numbers: ReplicationNumbers, shock: str, year: int) -> float:
    """Give the normal number of a calendar year."""
    return NormalDist().inv_cdf(numbers.uniform(f"world/shocks/{shock}/{'earlier' if numbers.is_earlier else 'study'}/{year}"))


def step_of(series: Any, months: int) -> int:
    """Give the step of a series that holds after some months, -1 before the first."""
    return sum(month <= months for month in series.from_months) - 1


def series_factor(numbers: ReplicationNumbers, series: Any, path: str, months: int) -> float:
    """Give the factor of a series after some months; 1 before the first and where the series is no factor."""
    if series is None or series.form != "factor" or step_of(series, months) < 0:
        return 1.0
    return numbers[f"{path}.factor.{step_of(series, months)}"]


# ------------------------------------------------ moves without the service ------------------------------------------------


@cache
def moves_out_of(numbers: ReplicationNumbers, state: str) -> list[str]:
    """List the moves out of a state in the order of the states to which they lead."""
    states = numbers.cohort.pathway.states
    moves = [name for name in numbers.cohort.pathway.moves if name.split(" -> ")[0] == state and name.split(" -> ")[1] != state]
    return sorted(moves, key=lambda name: states.index(name.split(" -> ")[1]))


def period_of(numbers: ReplicationNumbers, state: str) -> float:
    """Give the months of the period in which the moves out of a state are said as probabilities; 1 without any."""
    for name in moves_out_of(numbers, state):
        move = numbers.cohort.pathway.moves[name]
        for pace in (move,) if move.by_stratum is None else tuple(move.by_stratum.values()):
            if pace.form.startswith("per_"):
                return MONTHS_IN[pace.form[4:]]
    return 1.0


@cache
def hazards_out_of(
    numbers: ReplicationNumbers, stratum: str, state: str, after_entry: int, in_state: int, calendar: int
) -> tuple[float, ...]:
    """Give the hazards of the moves out of a state.

    They depend on the months since entry (negative before), those in the state, and the month of the study.
    """
    names = moves_out_of(numbers, state)
    hazards = competing([pace_now(numbers, name, stratum, after_entry, in_state) for name in names])
    out = []
    for name, hazard in zip(names, hazards, strict=True):
        move, path = numbers.cohort.pathway.moves[name], f"pathway.moves.{name}"
        hazard *= series_factor(numbers, move.by_months_since_entry, f"{path}.by_months_since_entry", after_entry)
        hazard *= series_factor(numbers, move.by_months_in_state, f"{path}.by_months_in_state", in_state)
        if move.weibull_shape is not None:
            shape = numbers[f"{path}.weibull_shape"]
            hazard *= (in_state + 1) ** shape - in_state**shape
        hazard *= calendar_factor(numbers, move.by_calendar, f"{path}.by_calendar", calendar)
        out.append(hazard * shock_factor(numbers, name, calendar))
    return tuple(out)


Pace = tuple[str, float, float] | None
"""Form, value and Weibull shape of a pace; None where the move cannot happen."""


def pace_now(numbers: ReplicationNumbers, name: str, stratum: str, after_entry: int, in_state: int) -> Pace:
    """Give the pace of a move: that of a series that has begun, else its own."""
    move, path = numbers.cohort.pathway.moves[name], f"pathway.moves.{name}"
    found = move.pace_in(stratum)
    if found is None:  # nor does it begin to, where a series has begun
        return None
    for axis, months in (("by_months_since_entry", after_entry), ("by_months_in_state", in_state)):
        series = getattr(move, axis)
        if series is not None and series.form != "factor" and step_of(series, months) >= 0:
            return series.form, numbers[f"{path}.{axis}.{series.form}.{step_of(series, months)}"], 1.0
    shape = numbers[f"{path}.weibull_shape"] if move.weibull_shape is not None else 1.0
    return found[1].form, numbers[f"{path}{found[0]}.{found[1].form}"], shape


def competing(paces: list[Pace]) -> list[float]:
    """Turn the paces of all moves out of a state into hazards a month; probabilities are read as one table."""
    leaving = add_up(pace[1] for pace in paces if pace is not None and pace[0].startswith("per_"))
    out = []
    for pace in paces:
        if pace is None:
            out.append(0.0)
        elif pace[0].startswith("per_"):
            months = MONTHS_IN[pace[0][4:]]
            out.append(-log(1 - min(leaving, CERTAIN)) / months * pace[1] / leaving if leaving > 0 else 0.0)
        elif pace[0].startswith("rate_per_"):
            out.append(pace[1] / MONTHS_IN[pace[0][9:]])
        else:
            mean = pace[1] * MONTHS_IN[pace[0][5:-1]]
            out.append((gamma(1 + 1 / pace[2]) / mean) ** pace[2])
    return out


def n_clipped(numbers: ReplicationNumbers) -> int:
    """Count the tables of probabilities, by state and stratum, that add up to more than 1, and the shares that do.

    Only for moves whose pace itself does not change.
    """
    clipped = 0
    for state in numbers.cohort.pathway.states:
        for stratum in numbers.cohort.population.strata:
            paces = [pace_now(numbers, name, stratum, 0, 0) for name in moves_out_of(numbers, state)]
            clipped += add_up(pace[1] for pace in paces if pace is not None and pace[0].startswith("per_")) > 1 + 1e-9
    return clipped + sum(is_above_whole(numbers, shares, path) for shares, path in wholes(numbers))


def wholes(numbers: ReplicationNumbers) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the shares of every whole and their path."""
    population = numbers.cohort.population
    yield {name: stratum.share for name, stratum in population.strata.items()}, "population.strata.{}.share"
    for name in population.strata:
        yield numbers.cohort.pathway.start[name], f"pathway.start.{name}.{{}}"
    if population.engagement is not None and population.engagement.doses is not None:
        doses = {name: dose.share for name, dose in population.engagement.doses.items()}
        yield doses, "population.engagement.doses.{}.share"
