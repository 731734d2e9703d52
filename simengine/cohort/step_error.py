"""What moving at the end of a step, at most once, does to where people are.

By their hazards people move at any moment, and more than once within a month. The walk lets nobody move twice within a step. How
far its shares of people in each state lie from those of moves at any moment is computed here without chance, for one set of
numbers: so a study can say how coarse its step is, and a finer one can be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.cohort.kernels.arrays import HAZARD_RATIO
from simengine.cohort.people import entrance_of
from simengine.cohort.tables import ArmTables, Cohort, arm_tables
from simengine.late import linalg
from simengine.records import Draws, Floats

_LARGEST_HAZARD = 200.0
"""Per month: who has a larger one leaves within hours, here as there."""
_MOST_STEPS = 1600
"""Where hazards change with the time in a state: so many are followed at the finest, since each looks back at all before it."""
_MOST_MONTHS = 600
"""There: so many are followed."""


@dataclass(frozen=True)
class StepError:
    """How far the walk's expectations lie from those of moves at any moment, for people whose own factors are all 1."""

    steps: int
    """Of a month."""
    share: float
    """The largest difference of a share of people in a state, over all dates at the end of a month after entry."""
    state: str
    """Where it occurs; so `stratum`, `months_after_entry` and `has_service`."""
    stratum: str
    months_after_entry: int
    has_service: bool
    """Whether the service acts, at full strength: effects on hazards alone count here, not those on probabilities."""
    months_in_state: float
    """The largest difference of the months that a person spends in a state, to the horizon, each step counted where it begins."""
    moves: float
    """Moves of a person to the horizon, without the service."""
    moves_at_any_moment: float


@dataclass(frozen=True)
class _Expected:
    """What people of each stratum come to in one arm."""

    share: Floats
    """Shape (n_strata, n_months + 1, n_states): at the beginning of each month from entry on, and at the horizon."""
    months: Floats
    """Shape (n_strata, n_states): from entry on."""
    moves: Floats
    """Shape (n_strata,): from entry on."""


def step_errors(cohort: Cohort, draws: Draws, asked: Sequence[int]) -> tuple[StepError, ...]:
    """Compare the walk with moves at any moment, for some numbers of steps of a month.

    Parameters
    ----------
    cohort
        Whose steps are judged. Shocks are left out: they are 1 in the middle.
    draws
        One replication: the numbers at which they are compared.
    asked
        Steps of a month.

    Notes
    -----
    With the matrix Q of the hazards of a month and P of the probabilities of a step, the shares after a month are those before it
    times exp(Q), and times P^n. The months spent in states are the upper right part of exp([[Q, I], [0, 0]]) (Van Loan 1978,
    doi:10.1109/TAC.1978.1101743) and of [[P, I / n], [0, I]]^n. Where hazards change with the time in a state, what people come to
    is followed for a few numbers of steps, and is a polynomial in 1 / n between them and towards 0 (Richardson 1911).
    """
    plain = replace(cohort, shocks={})
    entrance = entrance_of(plain.population, plain.pathway, plain.clock, draws)
    start = np.diff(entrance.start[0], axis=1, prepend=0.0)
    by_stratum = np.diff(entrance.strata[0], prepend=0.0)
    # Where no effect is on a move both arms are one.
    with_service = (False, True) if any(effect.target == "move" for effect in plain.effect.values()) else (False,)
    arms = [_followed(plain, draws, start, asked, has_service=has_service) for has_service in with_service]
    errors = []
    for place, steps in enumerate(asked):
        found = []
        for has_service, (at_any_moment, walked) in zip(with_service, arms, strict=True):
            off = np.abs(walked[place].share - at_any_moment.share)
            k, month, s = np.unravel_index(int(off.argmax()), off.shape)
            error = StepError(
                steps=steps,
                share=float(off.max()),
                state=plain.pathway.states[s],
                stratum=list(plain.population.strata)[k],
                months_after_entry=int(month),
                has_service=has_service,
                months_in_state=float(np.abs(walked[place].months - at_any_moment.months).max()),
                moves=float(by_stratum @ walked[place].moves),
                moves_at_any_moment=float(by_stratum @ at_any_moment.moves),
            )
            found.append(error)
        without = found[0]
        worst = max(found, key=lambda one: one.share)
        most_months, moves, at_once = max(one.months_in_state for one in found), without.moves, without.moves_at_any_moment
        errors.append(replace(worst, months_in_state=most_months, moves=moves, moves_at_any_moment=at_once))
    return tuple(errors)


def _followed(
    cohort: Cohort, draws: Draws, start: Floats, asked: Sequence[int], *, has_service: bool
) -> tuple[_Expected, list[_Expected]]:
    """Follow people of one arm by moves at any moment, and by the walk with each number of steps."""

    def tables_of(steps: int, horizon: int) -> ArmTables:
        clock = replace(cohort.clock, steps=steps, horizon=horizon)
        return arm_tables(replace(cohort, clock=clock), (), draws, has_service=has_service)

    by_month = tables_of(1, cohort.clock.horizon)
    if (by_month.moves.by_stay == 1.0).all():
        return _by_matrices(by_month, start, None), [_by_matrices(by_month, start, steps) for steps in asked]
    horizon = max(min(cohort.clock.horizon, _MOST_MONTHS - cohort.clock.history), 1)
    months = cohort.clock.history + horizon
    finest = next((finest for finest in (16, 8) if finest * months <= _MOST_STEPS), 4)
    nodes = sorted({1, finest // 4, finest // 2, finest})
    at_nodes = [_by_stays(tables_of(steps, horizon), start) for steps in nodes]
    return _between(nodes, at_nodes, 0.0), [_between(nodes, at_nodes, 1 / steps) for steps in asked]


def _between(nodes: Sequence[int], at_nodes: Sequence[_Expected], step: float) -> _Expected:
    """Put a polynomial in the length of a step, in months, through what is known at some numbers of steps (Lagrange)."""
    lengths = [1 / steps for steps in nodes]
    weights = [float(np.prod([(step - other) / (length - other) for other in lengths if other != length])) for length in lengths]
    parts = ([getattr(one, name) for one in at_nodes] for name in ("share", "months", "moves"))
    return _Expected(*(sum(weight * part for weight, part in zip(weights, of_part, strict=True)) for of_part in parts))


def _ratios(tables: ArmTables) -> Floats:
    """Multiply up the factors of the service on hazards at full strength, shape (n_strata, n_moves)."""
    effects, (_, n_strata, n_moves) = tables.on_moves, tables.moves.hazard.shape
    ratio = np.ones((n_strata, n_moves))
    for v in range(n_moves):
        for j in range(effects.of[v], effects.of[v + 1]):
            if effects.form[j] == HAZARD_RATIO:
                ratio[effects.acts[j], v] *= np.exp(effects.value[0, j] * effects.weight[0, :, j].max())
    return ratio


def _hazards(tables: ArmTables, ratios: Floats, at: int) -> Floats:
    """Look up hazards at a month or step of the clock, of the first wave, but for the time in a state: (n_strata, n_moves)."""
    moves, clock = tables.moves, tables.cohort.clock
    calendar = int(min(wave.from_month.value for wave in tables.cohort.population.waves.values())) * clock.steps
    on_calendar = moves.by_calendar[0, :, min(calendar + at, moves.by_calendar.shape[2] - 1)]
    hazard = moves.hazard[0] * moves.by_entry[0, :, :, at] * on_calendar
    return np.asarray(np.minimum(hazard * (ratios if at >= clock.entry else 1.0), _LARGEST_HAZARD / clock.steps))


def _matrix(tables: ArmTables, hazards: Floats) -> Floats:
    """Arrange hazards in a matrix, with what leaves a state on its diagonal: shape (n_strata, n_states, n_states)."""
    moves, n_states = tables.moves, len(tables.moves.of) - 1
    out = np.zeros((len(hazards), n_states, n_states))
    for s in range(n_states):
        for v in range(moves.of[s], moves.of[s + 1]):
            out[:, s, moves.to[v]] += hazards[:, v]
            out[:, s, s] -= hazards[:, v]
    return out


def _by_matrices(tables: ArmTables, start: Floats, steps: int | None) -> _Expected:
    """Follow people whose hazards change with the months of the clock alone; tables: of months; `steps`: None for any moment."""
    clock, ratios, n_states = tables.cohort.clock, _ratios(tables), start.shape[1]
    share, shares = start, [start]
    months, moves = np.zeros_like(start), np.zeros(len(start))
    matrix = np.full((len(start), n_states, n_states), np.nan)
    for month in range(clock.length):
        here = _matrix(tables, _hazards(tables, ratios, month))
        if not np.array_equal(here, matrix):
            matrix, block = here, _month(here, steps)
            leaving = -np.einsum("kss->ks", matrix)
            leaving = leaving if steps is None else -np.expm1(-leaving / steps) * steps
        spent = np.einsum("ks,kst->kt", share, block[:, :n_states, n_states:])
        share = np.einsum("ks,kst->kt", share, block[:, :n_states, :n_states])
        if month < clock.entry:
            shares = [share]
            continue
        shares.append(share)
        months, moves = months + spent, moves + (spent * leaving).sum(axis=1)
    return _Expected(np.stack(shares, axis=1), months, moves)


def _month(matrix: Floats, steps: int | None) -> Floats:
    """Compute what a month makes of shares, and beside it the months spent in each state: (n_strata, 2 n_states, 2 n_states)."""
    n_states = matrix.shape[1]
    block = np.zeros((len(matrix), 2 * n_states, 2 * n_states))
    if steps is None:
        block[:, :n_states, :n_states], block[:, :n_states, n_states:] = matrix, np.eye(n_states)
        return np.asarray(linalg.expm(block))
    leaving = -np.einsum("kss->ks", matrix)[:, :, None]
    shared = np.divide(-np.expm1(-leaving / steps), leaving, out=np.full_like(leaving, 1 / steps), where=leaving > 0)
    block[:, :n_states, :n_states] = np.eye(n_states) + matrix * shared
    block[:, :n_states, n_states:] = np.eye(n_states) / steps
    block[:, n_states:, n_states:] = np.eye(n_states)
    return np.linalg.matrix_power(block, steps)


def _by_stays(tables: ArmTables, start: Floats) -> _Expected:
    """Follow people step by step by the steps that they have been in their state; tables: of these steps.

    From some time in a state on its hazards change no more: all who have been there for longer are held in one place.
    """
    clock, moves, ratios = tables.cohort.clock, tables.moves, _ratios(tables)
    n_strata, n_states = start.shape
    by_stay = moves.by_stay[0, :, :, : _last_change(moves.by_stay[0]) + 1]
    n_places = by_stay.shape[2]
    origin, to = np.repeat(np.arange(n_states), np.diff(moves.of)), np.asarray(moves.to)
    leaves, enters, goes_on = np.eye(n_states)[origin], np.eye(n_states)[to], (moves.clock[to] == moves.clock[origin])[:, None]
    here, hazards = np.zeros((n_strata, n_states, n_places)), np.full((n_strata, len(to)), np.nan)
    here[:, :, 0] = start
    shares, months, n_moves = [start], np.zeros_like(start), np.zeros(n_strata)
    for step in range(clock.length):
        if not np.array_equal(now := _hazards(tables, ratios, step), hazards):
            hazards, moving = now, _moving(now[:, :, None] * by_stay, leaves)
        is_after, held = step >= clock.entry, min(step + 1, n_places)
        gone = here[:, origin, :held] * moving[:, :, :held]
        months += here.sum(axis=2) / clock.steps * is_after
        n_moves += gone.sum(axis=(1, 2)) * is_after
        old = here[:, :, :held] + np.einsum("kvt,vs->kst", gone, enters * goes_on - leaves)
        here = np.zeros_like(here)
        here[:, :, 1 : held + 1] = old[:, :, : n_places - 1]
        here[:, :, -1] += old[:, :, -1] * (held == n_places)
        here[:, :, 0] += gone.sum(axis=2) @ (enters * ~goes_on)
        if (step + 1) % clock.steps == 0:
            shares = [*shares, here.sum(axis=2)] if is_after else [here.sum(axis=2)]
    return _Expected(np.stack(shares, axis=1), months, n_moves)


def _last_change(by_stay: Floats) -> int:
    """Find the steps in a state after which no factor changes; shape (n_strata or 1, n_moves, n_steps)."""
    changes = np.flatnonzero((by_stay != by_stay[:, :, -1:]).any(axis=(0, 1)))
    return int(changes[-1]) + 1 if len(changes) else 0


def _moving(hazards: Floats, leaves: Floats) -> Floats:
    """Compute the share of people in a state who make each of its moves in a step: (n_strata, n_moves, n_places)."""
    total = np.einsum("kvt,vs,ws->kwt", hazards, leaves, leaves)
    return np.asarray(-np.expm1(-total) * np.divide(hazards, total, out=np.zeros_like(total), where=total > 0))
