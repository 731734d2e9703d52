"""Turn what a study says of moves into the tables that the kernel reads, one row per replication.

However a pace is said (a probability, a hazard, a mean time; by the day, month, quarter or year), it becomes a hazard per
month here, and nowhere else. So a study in quarters and one in months that say the same thing are the same study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simengine.cohort.spec import MONTHS_OF_THE_YEAR, ByMonths, Move, Pace, Pathway
from simengine.records import Floats, Integers, Worlds, add_in_order

DAYS_PER_MONTH = 365.25 / 12
_MONTHS_IN = {"day": 1 / DAYS_PER_MONTH, "month": 1.0, "quarter": 3.0, "year": 12.0}
_LARGEST_LEAVING = 1 - 1e-12
ROUNDING = 1e-9
"""Probabilities such as 0.33, 0.56 and 0.11 add up to a little more than 1 in binary: nothing is clipped there."""


@dataclass(frozen=True)
class MoveTables:
    """The world without the service; moves stand in the order of the states that they leave."""

    names: tuple[str, ...]
    moves_of: Integers
    """Shape (n_states + 1,): the moves out of state s are moves_of[s] to moves_of[s + 1] - 1."""
    move_to: Integers
    """Shape (n_moves,)."""
    hazard: Floats
    """Shape (n_replications, n_strata, n_moves), per month."""
    by_entry: Floats
    """Shape (n_replications or 1, n_moves, n_months): factor by months after entry; 1 row serves all replications."""
    by_stay: Floats
    """Shape (n_replications or 1, n_moves, n_months): factor by months in the state."""
    by_calendar: Floats
    """Shape (n_replications or 1, n_moves, n_months): factor by months of the calendar."""
    is_walked: NDArray[np.bool_]
    """Shape (n_states,): whether a move out of the state has a factor by stay or by calendar."""
    clipped: Integers
    """Shape (n_replications,): how many probabilities of leaving were above 1."""


def move_tables(pathway: Pathway, strata: Sequence[str], start: str, horizon_months: int, worlds: Worlds) -> MoveTables:
    """Give the hazards and factors of every move.

    Parameters
    ----------
    pathway
        States and moves.
    strata
        Names in order.
    start
        Month 0 of the calendar, as year-month.
    horizon_months
        Months of the tables.
    worlds
        The parameters of each replication.

    Notes
    -----
    The probabilities p_j of all moves out of a state in one period of n months are read as one table: the hazard of leaving
    is h = -log(1 - sum p_j) / n a month, shared as h_j = h p_j / sum p_j. Rates add to that. With a Weibull shape g the hazard
    of the first month is multiplied by (d + 1)^g - d^g in month d of the stay; a mean time m gives (gamma(1 + 1/g) / m)^g.
    """
    states = pathway.states
    # By state, whatever the order in the file: the same study draws the same people.
    moves = sorted(pathway.moves.items(), key=lambda item: [states.index(state) for state in item[0].split(" -> ")])
    origins = np.array([states.index(name.split(" -> ")[0]) for name, _ in moves], dtype=np.int64)
    hazard = np.zeros((len(worlds), len(strata), len(moves)))
    clipped = np.zeros(len(worlds), dtype=np.int64)
    for s in range(len(states)):
        out_of = np.flatnonzero(origins == s)
        for k, stratum in enumerate(strata):
            hazard[:, k, out_of], is_clipped = _competing([moves[v] for v in out_of], stratum, worlds)
            clipped += is_clipped
    named = {f"pathway.moves.{name}": move for name, move in moves}
    by_entry = _ones(len(worlds), horizon_months, [move.by_months_since_entry for move in named.values()])
    by_stay = _ones(len(worlds), horizon_months, [move.by_months_in_state or move.weibull_shape for move in named.values()])
    by_calendar = _ones(len(worlds), horizon_months, [move.by_calendar for move in named.values()])
    for v, (path, move) in enumerate(named.items()):
        _by_months(by_entry[:, v], move.by_months_since_entry, f"{path}.by_months_since_entry", worlds)
        _by_months(by_stay[:, v], move.by_months_in_state, f"{path}.by_months_in_state", worlds)
        _by_weibull(by_stay[:, v], move, path, worlds)
        _by_calendar(by_calendar[:, v], move, path, start, worlds)
    walked = {s for s, (_, move) in zip(origins, moves, strict=True) if move.changes_with_stay_or_calendar}
    return MoveTables(
        tuple(name for name, _ in moves),
        np.searchsorted(origins, np.arange(len(states) + 1)).astype(np.int64),
        np.array([states.index(name.split(" -> ")[1]) for name, _ in moves], dtype=np.int64),
        hazard,
        *(by_entry, by_stay, by_calendar),
        np.array([s in walked for s in range(len(states))]),
        clipped,
    )


def _ones(n_replications: int, horizon_months: int, used: Sequence[object]) -> Floats:
    """Give factors of 1, for every replication where some move has a factor, else once for all."""
    return np.ones((n_replications if any(part is not None for part in used) else 1, len(used), horizon_months))


def _competing(moves: list[tuple[str, Move]], stratum: str, worlds: Worlds) -> tuple[Floats, Integers]:
    """Give the hazards of the moves out of one state in one stratum, shape (n_replications, n_moves), and clips."""
    hazard = np.zeros((len(worlds), len(moves)))
    probability = np.zeros((len(worlds), len(moves)))
    months = 1.0
    for place, (name, move) in enumerate(moves):
        found = move.pace_in(stratum)
        if found is None:
            continue
        below, pace = found
        path = f"pathway.moves.{name}{below}.{pace.form}"
        if pace.form.startswith("per_"):
            probability[:, place], months = worlds[path], _MONTHS_IN[pace.form.removeprefix("per_")]
        else:
            hazard[:, place] = _hazard(pace, path, move, f"pathway.moves.{name}.weibull_shape", worlds)
    leaving = add_in_order([np.zeros(len(worlds)), *probability.T])
    # A state that is left for certain has an infinite hazard; this one leaves a person behind once in 1e12 periods.
    of_leaving = -np.log1p(-np.minimum(leaving, _LARGEST_LEAVING)) / months
    shared = np.divide(of_leaving, leaving, out=np.zeros_like(leaving), where=leaving > 0)
    return hazard + probability * shared[:, None], (leaving > 1 + ROUNDING).astype(np.int64)


def _hazard(pace: Pace, path: str, move: Move, shape_path: str, worlds: Worlds) -> Floats:
    """Give the hazard per month of a pace that is not a probability, shape (n_replications,)."""
    kind, unit = pace.form.rsplit("_", 1)
    if kind == "rate_per":
        return worlds[path] / _MONTHS_IN[unit]
    mean_months = worlds[path] * _MONTHS_IN[unit.removesuffix("s")]
    shape = worlds[shape_path] if move.weibull_shape is not None else np.ones(len(worlds))
    return np.asarray((special.gamma(1 + 1 / shape) / mean_months) ** shape)


def _by_months(out: Floats, factors: ByMonths | None, path: str, worlds: Worlds) -> None:
    """Multiply a factor that changes at given months into `out`, shape (n_replications, n_months)."""
    if factors is None:
        return
    until = [*factors.from_months[1:], out.shape[1]]
    for number, (first, stop) in enumerate(zip(factors.from_months, until, strict=True)):
        out[:, first:stop] *= worlds[f"{path}.factor.{number}"][:, None]


def _by_weibull(out: Floats, move: Move, path: str, worlds: Worlds) -> None:
    if move.weibull_shape is not None:
        shape = worlds[f"{path}.weibull_shape"][:, None]
        month = np.arange(out.shape[1])[None, :]
        out *= (month + 1) ** shape - month**shape


def _by_calendar(out: Floats, move: Move, path: str, start: str, worlds: Worlds) -> None:
    if move.by_calendar is None:
        return
    month = np.arange(out.shape[1])
    if move.by_calendar.trend_per_year is not None:
        # The middle of the month, in years from the start of the study.
        out *= np.exp(worlds[f"{path}.by_calendar.trend_per_year"][:, None] * (month + 0.5)[None, :] / 12)
    for name in move.by_calendar.season or {}:
        is_month = (month + int(start.split("-")[1]) - 1) % 12 == MONTHS_OF_THE_YEAR.index(name)
        out[:, is_month] *= worlds[f"{path}.by_calendar.season.{name}"][:, None]
