"""Convert the moves of a study into the tables of the walk, one row per replication.

Every form of a rate (a probability, a hazard, a mean time; by day, month, quarter or year) becomes a hazard per month here, and
nowhere else. So equivalent studies in quarters and in months are the same study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simengine.cohort.kernels.arrays import Moves
from simengine.cohort.spec import MONTHS_OF_THE_YEAR, ByCalendar, ByMonths, MoveSpec, Pathway
from simengine.late import special
from simengine.records import Draws, Floats, Integers, add_in_order

DAYS_PER_MONTH = 365.25 / 12
MONTHS_IN = {"day": 1 / DAYS_PER_MONTH, "month": 1.0, "quarter": 3.0, "year": 12.0}
_LARGEST_LEAVING = 1 - 1e-12
MOVES_ROUNDING = 1e-9
"""Probabilities such as 0.33, 0.56 and 0.11 add up to a little more than 1 in binary: nothing is clipped there."""


@dataclass(frozen=True)
class MoveClock:
    """The months of the tables, and the steps into which each is cut."""

    history: int
    """Months before entry."""
    horizon: int
    """Months of the study."""
    start: str
    """Month 0 of the study, as year-month."""
    steps: int = 1
    """Steps in a month. People move at the end of a step, at most once: what the kernels call a month is a step."""

    @property
    def entry(self) -> int:
        """Steps before entry."""
        return self.history * self.steps

    @property
    def length(self) -> int:
        """Steps of a life from the beginning of its history, at most; as many steps of the calendar begin `entry` before 0."""
        return (self.history + self.horizon) * self.steps


def states_joined_by(move: str) -> list[str]:
    """Return the two states that a move joins."""
    return move.split(" -> ")


def moves_in_order(pathway: Pathway) -> list[tuple[str, MoveSpec]]:
    """List the moves by state, whatever the order in the file: the same study draws the same people. Staying is no move."""
    real = [(name, move) for name, move in pathway.moves.items() if len(set(states_joined_by(name))) == 2]
    return sorted(real, key=lambda item: [pathway.states.index(state) for state in states_joined_by(item[0])])


def move_tables(
    pathway: Pathway, strata: Sequence[str], clock: MoveClock, factors_on_calendar: Mapping[str, Floats], draws: Draws
) -> tuple[Moves, Integers]:
    """Return the hazards and factors of every move, and how many probabilities of leaving were clipped in each replication.

    Parameters
    ----------
    pathway
        States and moves.
    strata
        Names in order.
    clock
        Months of the tables.
    factors_on_calendar
        By move: factors that shocks bring, shape (n_replications, months of the calendar).
    draws
        The parameters of each replication.

    Notes
    -----
    The probabilities p_j of all moves out of a state in one period of n months are read as one table: the hazard of leaving
    is h = -log(1 - sum p_j) / n a month, shared as h_j = h p_j / sum p_j. Rates add to that. With a Weibull shape g the hazard
    of the first month is multiplied by (d + 1)^g - d^g in month d of the stay; a mean time m gives (gamma(1 + 1/g) / m)^g. Where a
    month has n steps a step has an n-th of these hazards, and the Weibull factors are those of the steps.
    """
    moves = moves_in_order(pathway)
    origins = np.array([pathway.states.index(states_joined_by(name)[0]) for name, _ in moves], dtype=np.int64)
    paths = [f"pathway.moves.{name}" for name, _ in moves]
    hazard, clipped = _hazards(pathway, moves, origins, strata, draws)
    hazard /= clock.steps
    by_entry, more = _by_axis("by_months_since_entry", clock.entry, pathway, moves, origins, strata, clock, hazard, draws)
    by_stay, most = _by_axis("by_months_in_state", 0, pathway, moves, origins, strata, clock, hazard, draws)
    if any(move.weibull_shape for _, move in moves):
        by_stay = np.repeat(by_stay, len(draws) if len(by_stay) == 1 else 1, axis=0)
    for v, (_, move) in enumerate(moves):
        if move.weibull_shape is not None:
            by_stay[:, :, v] *= _weibull(draws[f"{paths[v]}.weibull_shape"], clock)[:, None, :]
    has_calendar = [move.by_calendar is not None or name in factors_on_calendar for name, move in moves]
    by_calendar = ones(len(draws) if any(has_calendar) else 1, len(moves), clock.length)
    for v, (name, move) in enumerate(moves):
        if has_calendar[v]:
            by_calendar[:, v] = calendar_factor(move.by_calendar, f"{paths[v]}.by_calendar", clock, draws)
            by_calendar[:, v] *= factors_on_calendar.get(name, 1.0)
    changing = {origins[v] for v, (_, move) in enumerate(moves) if move.changes_with_stay_or_calendar or has_calendar[v]}
    return Moves(
        of=np.searchsorted(origins, np.arange(len(pathway.states) + 1)).astype(np.int64),
        to=np.array([pathway.states.index(states_joined_by(name)[1]) for name, _ in moves], dtype=np.int64),
        hazard=hazard,
        by_entry=one_row(by_entry),
        by_stay=one_row(by_stay),
        by_calendar=one_row(by_calendar),
        period=np.array([clock.steps * _period(moves, np.flatnonzero(origins == s).tolist()) for s in range(len(pathway.states))]),
        clock=_clock_numbers(pathway),
        acts=np.zeros((0, len(moves)), dtype=np.bool_),
        is_walked=np.array([s in changing for s in range(len(pathway.states))], dtype=np.bool_),
    ), clipped + more + most


def ones(*shape: int) -> Floats:
    """Return factors of 1."""
    return np.ones(shape)


def one_row(table: Floats) -> Floats:
    """Keep one row of a table whose rows, one per replication, are the same."""
    return table[:1].copy() if len(table) > 1 and (table == table[:1]).all() else table


def _clock_numbers(pathway: Pathway) -> Integers:
    numbers = np.arange(len(pathway.states), dtype=np.int64)
    for group in pathway.time_together.values():
        members = [pathway.states.index(state) for state in group]
        numbers[members] = min(members)
    return numbers


def _period(moves: Sequence[tuple[str, MoveSpec]], out_of: list[int]) -> float:
    """Return the period in months of the probabilities out of one state; 1 if all its moves have rates or times."""
    for v in out_of:
        move = moves[v][1]
        for pace in [move] if move.by_stratum is None else move.by_stratum.values():
            if pace.form.startswith("per_"):
                return MONTHS_IN[pace.form.removeprefix("per_")]
    return 1.0


@dataclass(frozen=True)
class _Pace:
    """How one move out of a state is said in one stratum."""

    form: str
    path: str
    shape_path: str | None


def _paces(moves: Sequence[tuple[str, MoveSpec]], out_of: list[int], stratum: str) -> list[_Pace | None]:
    paces: list[_Pace | None] = []
    for v in out_of:
        name, move = moves[v]
        found = move.pace_in(stratum)
        shape_path = f"pathway.moves.{name}.weibull_shape" if move.weibull_shape is not None else None
        paces.append(None if found is None else _Pace(found[1].form, f"pathway.moves.{name}{found[0]}.{found[1].form}", shape_path))
    return paces


def _hazards(
    pathway: Pathway, moves: Sequence[tuple[str, MoveSpec]], origins: Integers, strata: Sequence[str], draws: Draws
) -> tuple[Floats, Integers]:
    hazard, clipped = np.zeros((len(draws), len(strata), len(moves))), np.zeros(len(draws), dtype=np.int64)
    for s in range(len(pathway.states)):
        out_of = np.flatnonzero(origins == s).tolist()
        for k, stratum in enumerate(strata):
            hazard[:, k, out_of], is_clipped = _competing(_paces(moves, out_of, stratum), draws)
            clipped += is_clipped
    return hazard, clipped


def _competing(paces: Sequence[_Pace | None], draws: Draws) -> tuple[Floats, Integers]:
    """Return the hazards of the moves out of one state in one stratum, shape (n_replications, n_moves), and clips."""
    hazard, probability = np.zeros((len(draws), len(paces))), np.zeros((len(draws), len(paces)))
    months = 1.0
    for place, pace in enumerate(paces):
        if pace is None:
            continue
        if pace.form.startswith("per_"):
            probability[:, place], months = draws[pace.path], MONTHS_IN[pace.form.removeprefix("per_")]
        else:
            hazard[:, place] = _hazard(pace, draws)
    leaving = add_in_order([np.zeros(len(draws)), *probability.T])
    # A state that is left for certain has an infinite hazard; this one leaves a person behind once in 1e12 periods.
    of_leaving = -np.log1p(-np.minimum(leaving, _LARGEST_LEAVING)) / months
    shared = np.divide(of_leaving, leaving, out=np.zeros_like(leaving), where=leaving > 0)
    return hazard + probability * shared[:, None], (leaving > 1 + MOVES_ROUNDING).astype(np.int64)


def _hazard(pace: _Pace, draws: Draws) -> Floats:
    """Return the hazard per month of a rate that is not a probability, shape (n_replications,)."""
    kind, unit = pace.form.rsplit("_", 1)
    if kind == "rate_per":
        return draws[pace.path] / MONTHS_IN[unit]
    mean_months = draws[pace.path] * MONTHS_IN[unit.removesuffix("s")]
    shape = draws[pace.shape_path] if pace.shape_path is not None else np.ones(len(draws))
    return np.asarray((special.gamma(1 + 1 / shape) / mean_months) ** shape)


def hazard_per_month(form: str, path: str, draws: Draws) -> Floats:
    """Return the hazard per month of a single rate, shape (n_replications,)."""
    return _competing([_Pace(form, path, None)], draws)[0][:, 0]


def _by_axis(
    axis: str,
    origin: int,
    pathway: Pathway,
    moves: Sequence[tuple[str, MoveSpec]],
    origins: Integers,
    strata: Sequence[str],
    clock: MoveClock,
    hazard: Floats,
    draws: Draws,
) -> tuple[Floats, Integers]:
    """Return what changes along months since entry or in the state, shape (n_replications or 1, n_strata or 1, n_moves, n_months).

    If a rate itself changes, the table holds the hazards of all moves out of the state, and `hazard` becomes 1.
    """
    given = [getattr(move, axis) for _, move in moves]
    has_paces = any(series is not None and series.form != "factor" for series in given)
    shape = (len(draws) if any(given) else 1, len(strata) if has_paces else 1, len(moves), clock.length)
    table, clipped = ones(*shape), np.zeros(len(draws), dtype=np.int64)
    for v, series in enumerate(given):
        if series is not None and series.form == "factor":
            series_factor(table[:, :, v], series, f"pathway.moves.{moves[v][0]}.{axis}", origin, clock.steps, draws)
    for s in range(len(pathway.states)):
        out_of = np.flatnonzero(origins == s).tolist()
        series_of = {v: given[v] for v in out_of if given[v] is not None and given[v].form != "factor"}
        if not series_of:
            continue
        begins = {v: [origin + month * clock.steps for month in series.from_months] for v, series in series_of.items()}
        breaks = sorted({0, *(at for steps in begins.values() for at in steps), clock.length})
        for first, stop in pairwise(at for at in breaks if at <= clock.length):
            for k, stratum in enumerate(strata):
                paces = _paces(moves, out_of, stratum)
                for v, series in series_of.items():
                    number = sum(at <= first for at in begins[v]) - 1
                    # A move that does not happen in a stratum does not begin to.
                    if number >= 0 and paces[out_of.index(v)] is not None:
                        path = f"pathway.moves.{moves[v][0]}.{axis}.{series.form}.{number}"
                        paces[out_of.index(v)] = _Pace(series.form, path, None)
                hazards, is_clipped = _competing(paces, draws)
                table[:, k, out_of, first:stop] *= hazards[:, :, None] / clock.steps
                clipped += is_clipped
        hazard[:, :, out_of] = 1.0
    return table, clipped


def series_factor(out: Floats, series: ByMonths, path: str, origin: int, steps: int, draws: Draws) -> None:
    """Multiply a factor that changes at given months into `out`, shape (n_replications, ..., n_steps); `steps`: of a month."""
    begins = [origin + month * steps for month in series.from_months]
    for number, (first, stop) in enumerate(zip(begins, [*begins[1:], out.shape[-1]], strict=True)):
        factor = draws[f"{path}.factor.{number}"]
        out[..., first:stop] *= factor.reshape(-1, *[1] * (out.ndim - 1))


def _weibull(shape: Floats, clock: MoveClock) -> Floats:
    """Factors of the steps in a state on the hazard of a step, shape (n_replications, n_steps)."""
    months = np.arange(clock.length + 1)[None, :] / clock.steps
    return np.asarray(clock.steps * np.diff(months ** shape[:, None], axis=1))


def calendar_factor(by_calendar: ByCalendar | None, path: str, clock: MoveClock, draws: Draws) -> Floats:
    """Return trend and season by step of the calendar, shape (n_replications, steps of the calendar)."""
    out = ones(len(draws), clock.length)
    if by_calendar is None:
        return out
    step = np.arange(clock.length) - clock.entry
    month = step // clock.steps
    if by_calendar.trend_per_year is not None:
        # The middle of the step, in years from the start of the study.
        out *= np.exp(draws[f"{path}.trend_per_year"][:, None] * (step + 0.5)[None, :] / (12 * clock.steps))
    for name in by_calendar.season or {}:
        is_month = (month + int(clock.start.split("-")[1]) - 1) % 12 == MONTHS_OF_THE_YEAR.index(name)
        out[:, is_month] *= draws[f"{path}.season.{name}"][:, None]
    return out
