"""Replace a large comparison group by the exact moments of its people: its means are drawn without simulating anybody.

A person's outcome is a sum of rewards over months in states, or a Poisson number whose mean is such a sum. Mean and second
moments of all that is measured follow from one backward recursion over months; the group's means are drawn from the joint normal
distribution that many independent people have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simengine.cohort.people import Entrance
from simengine.cohort.tables import ArmTables
from simengine.errors import Problem, StudyError
from simengine.late import special
from simengine.records import Floats, Integers
from simengine.streams import uniforms

_LEFT_OUT = 1e-3
"""The share of places of matched people that may stay empty."""


@dataclass(frozen=True)
class Moments:
    """Of one person, by stratum and first state: what is measured is numbered j, an outcome and a window."""

    mean: Floats
    """Shape (n_replications, n_strata, n_states, j)."""
    second: Floats
    """Shape (n_replications, n_strata, n_states, j, j): means of products."""
    share: Floats
    """Shape (n_replications, n_strata, n_states): how people enter."""


def moments_of(tables: ArmTables, entrance: Entrance, measured: tuple[str, ...], *, has_before: bool = False) -> Moments:
    """Return the exact moments of the measured outcomes, in every window.

    Parameters
    ----------
    tables
        What people live by; their hazards and rates change with nothing but the months since entry.
    entrance
        Who enters, and where they start.
    measured
        Outcomes, each an amount by days in states or a count of one event.
    has_before
        Whether the months before entry are measured too: they come last, one j for each outcome.

    Notes
    -----
    With rewards f_j(s, m) and the matrix P of a month: a_j <- f_j + P a_j and x_ij <- f_i f_j + f_i P a_j + f_j P a_i + P x_ij,
    backwards from the last month (Howard 1971, "Dynamic Probabilistic Systems"). A count is Poisson given G times its sum of
    rates, G gamma with mean 1: E N_i N_j = E G^2 E L_i L_j + E L of the months in both windows, the last for one event alone. The
    months before entry are a window that shares no month with any other: what goes together is state and frailty.
    """
    clock, windows = tables.cohort.clock, [window * tables.cohort.clock.steps for window in tables.cohort.windows]
    reward = _rewards(tables, measured)
    end = clock.entry + max(windows)
    first = reward[:, :, :, 0, 0]
    asked = [(i, (0, window)) for i in range(len(measured)) for window in windows]
    asked += [(i, (-clock.entry, 0)) for i in range(len(measured))] if has_before else []
    mean = np.zeros((*first.shape, len(asked)))
    second = np.zeros((*first.shape, len(asked), len(asked)))
    for month in range(end - 1, -1, -1):  # as everywhere in the kernels, a month is a step of the clock
        step, ahead = _step(tables, month), month - clock.entry
        counted = np.array([begin <= ahead < stop for _, (begin, stop) in asked], dtype=np.float64)
        value = reward[:, :, :, month][..., [i for i, _ in asked]] * counted
        on, squares = step @ mean, step @ second.reshape(*first.shape, -1)
        cross = value[..., :, None] * on[..., None, :]
        second = value[..., :, None] * value[..., None, :] + cross + cross.swapaxes(-1, -2) + squares.reshape(second.shape)
        mean = value + on
    events = [tables.cohort.outcomes[name].event_of_moments for name in measured]
    for x, (i, (begin, stop)) in enumerate(asked):
        for y, (j, (other_begin, other_stop)) in enumerate(asked):
            if events[i] is not None and events[j] is not None:
                second[..., x, y] *= _shared_frailty(tables, events[i], events[j])[:, None, None]
            if events[i] is not None and events[i] == events[j] and begin == other_begin:
                second[..., x, y] += mean[..., x if stop <= other_stop else y]
    share = np.diff(entrance.start, axis=2, prepend=0.0) * np.diff(entrance.strata, axis=1, prepend=0.0)[:, :, None]
    return Moments(mean, second, share)


def _shared_frailty(tables: ArmTables, one: str | None, other: str | None) -> Floats:
    """Return the mean product of the two events' frailties: 1 + variance for each that acts on both."""
    out = np.ones(len(tables.draws))
    for name, frailty in tables.cohort.population.frailties.items():
        if one in frailty.on and other in frailty.on:
            out = out * (1 + tables.draws[f"population.frailties.{name}.variance"])
    return out


def _rewards(tables: ArmTables, measured: tuple[str, ...]) -> Floats:
    """Return what a month in a state is worth to each outcome, shape (n_replications, n_strata, n_states, n_months, n_outcomes)."""
    cohort, worth, rates = tables.cohort, tables.worth, tables.rates
    n, n_strata, n_states, n_months = (
        len(tables.draws),
        len(cohort.population.strata),
        len(cohort.pathway.states),
        cohort.clock.length,
    )
    out = np.zeros((n, n_strata, n_states, n_months, len(measured)))
    for i, name in enumerate(measured):
        o, event = list(cohort.outcomes).index(name), cohort.outcomes[name].event_of_moments
        if event is None:
            out[..., i] = worth.per_month[:, o][:, None, :, None] * worth.discount[:, o, :n_months][:, None, None, :]
        else:
            e = list(cohort.events).index(event)
            by_stratum, by_entry = rates.by_stratum[:, e][:, :, None, None], rates.by_entry[:, e][:, None, None, :]
            out[..., i] = rates.rate[:, e][:, None, :, None] * by_stratum * by_entry
    return out


def _step(tables: ArmTables, month: int) -> Floats:
    """Return the probabilities of one month, shape (n_replications, n_strata, n_states, n_states)."""
    moves, n_states = tables.moves, len(tables.cohort.pathway.states)
    hazard = moves.hazard * moves.by_entry[:, :, :, month]
    step = np.zeros((*hazard.shape[:2], n_states, n_states))
    for s in range(n_states):
        of = slice(moves.of[s], moves.of[s + 1])
        total = np.zeros(hazard.shape[:2])
        for v in range(moves.of[s], moves.of[s + 1]):
            total = total + hazard[:, :, v]
        leaving = -np.expm1(-total)
        step[:, :, s, s] = 1 - leaving
        for v in range(of.start, of.stop):
            step[:, :, s, moves.to[v]] += leaving * np.divide(hazard[:, :, v], total, out=np.zeros_like(total), where=total > 0)
    return step


@dataclass(frozen=True)
class Drawn:
    """The drawn sums of a group that is not simulated."""

    n_people: Integers
    weight: Floats
    weight_squares: Floats
    sums: Floats
    """Shape (n_replications, j)."""
    squares: Floats
    """So that the evaluator's variance between persons is the exact one."""
    products: Floats | None = None
    """Shape (n_replications, j, j): so that the covariances are; absent if not needed."""


def draw_group(moments: Moments, size: Integers, purpose: str, seed: int, replications: Integers) -> Drawn:
    """Draw the means of a group of people who are not matched."""
    shares = moments.share[..., None]
    mean = over_cells(moments.mean * shares)
    second = over_cells(moments.second * shares[..., None])
    spread = second - mean[:, :, None] * mean[:, None, :]
    n = size.astype(np.float64)
    seen = mean + _noise(spread, n, purpose, seed, replications)
    variance = np.einsum("bjj->bj", spread)
    squares = variance * np.maximum(n - 1, 0)[:, None] + n[:, None] * seen**2
    products = spread * np.maximum(n - 1, 0)[:, None, None] + n[:, None, None] * seen[:, :, None] * seen[:, None, :]
    return Drawn(size, n, n.copy(), seen * n[:, None], squares, products)


def draw_matched(
    moments: Moments,
    users: Integers,
    per_person: int,
    candidates: int,
    on: tuple[str, ...],
    purpose: str,
    seed: int,
    replications: Integers,
) -> Drawn:
    """Draw the means of people who are matched to service users.

    Parameters
    ----------
    moments
        Of one person.
    users
        Shape (n_replications, n_strata, n_states): service users by stratum and first state.
    per_person, candidates, on
        How many are matched to each, among how many, and in what they are the same.
    purpose, seed, replications
        Of the draws.

    Raises
    ------
    StudyError
        If more than one place in a thousand would stay empty: then the people compared with are others.
    """
    n = users.sum(axis=(1, 2)).astype(np.float64)
    kept = tuple(axis for axis, trait in ((1, "stratum"), (2, "state")) if trait not in on)
    alike = moments.share.sum(axis=kept, keepdims=True) if kept else moments.share
    empty = np.where(users > 0, (1 - alike) ** candidates, 0.0) * users
    if (empty.sum(axis=(1, 2)) > _LEFT_OUT * np.maximum(n, 1)).any():
        rule = "people replaced by their moments must be found for all but one in a thousand service users"
        way_out = "Raise `candidates`, match on less, or leave `exact_moments` out"
        raise StudyError([Problem("the run", "measurement.matched.exact_moments", rule, "fewer", way_out)])
    # Matched people have the service user's traits; the others are as people enter.
    of_users = users.sum(axis=kept, keepdims=True) if kept else users
    within = np.divide(moments.share, alike, out=np.zeros_like(moments.share), where=alike > 0)
    cells = np.divide(of_users, np.maximum(n, 1)[:, None, None])
    mean = over_cells(moments.mean * (within * cells)[..., None])
    second = over_cells(moments.second * (within * cells)[..., None, None])
    inside = moments.mean * within[..., None]
    by_cell = inside.sum(axis=kept, keepdims=True) if kept else inside
    between = over_cells(by_cell[..., :, None] * by_cell[..., None, :] * cells[..., None, None])
    seen = mean + _noise(second - between, n * per_person, purpose, seed, replications)
    whole = np.einsum("bjj->bj", second) - mean**2
    inner = np.einsum("bjj->bj", second - between)
    # The mean square about the mean that is seen, on average.
    about = whole - np.divide(inner, (n * per_person)[:, None], out=np.zeros_like(inner), where=n[:, None] > 0)
    return Drawn((n * per_person).astype(np.int64), n, n / per_person, seen * n[:, None], (about + seen**2) * n[:, None])


def over_cells(values: Floats) -> Floats:
    """Add up over strata and states, one after the other."""
    out = np.zeros((values.shape[0], *values.shape[3:]))
    for k in range(values.shape[1]):
        for s in range(values.shape[2]):
            out = out + values[:, k, s]
    return out


def _noise(spread: Floats, n: Floats, purpose: str, seed: int, replications: Integers) -> Floats:
    """Draw the error of means over n people whose covariances between persons are `spread`: jointly normal."""
    size = spread.shape[1]
    z = np.stack([special.ndtri(uniforms(seed, f"{purpose}/{j}", replications)) for j in range(size)], axis=1)
    root = np.zeros_like(spread)
    # Cholesky by hand: what has no spread of its own, or only that of others, has none left.
    for j in range(size):
        for i in range(j, size):
            left = spread[:, i, j].copy()
            for m in range(j):
                left -= root[:, i, m] * root[:, j, m]
            if i == j:
                root[:, j, j] = np.sqrt(np.where(left > 1e-12 * np.abs(spread[:, j, j]), left, 0.0))
            else:
                root[:, i, j] = np.divide(left, root[:, j, j], out=np.zeros_like(left), where=root[:, j, j] > 0)
    error = np.zeros_like(z)
    for j in range(size):
        error = error + root[:, :, j] * z[:, j, None]
    return np.asarray(np.divide(error, np.sqrt(n)[:, None], out=np.zeros_like(error), where=n[:, None] > 0))
