"""Simulate the people of every wave in every arm, for a block of replications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.cohort.kernels import walk_people
from simengine.cohort.spec import Amount, Binary, Effect, Outcome, Pathway, Population
from simengine.cohort.tables import DAYS_PER_MONTH, ROUNDING, MoveTables, move_tables
from simengine.laws import Share
from simengine.records import ARMS, BASELINE, SERVICE, TWIN, Floats, Integers, Tallies, Worlds, add_in_order
from simengine.streams import purpose_number

_NEVER = np.inf
_BASELINE = "of the baseline"
"""Not a name that a wave can have."""


@dataclass(frozen=True)
class Cohort:
    """The contract-free part of a study: everything that the people depend on."""

    population: Population
    pathway: Pathway
    effect: Mapping[str, Effect]
    outcomes: Mapping[str, Outcome]
    windows: tuple[int, ...]
    """Months after entry, increasing."""
    start: str
    """Month 0 of the calendar, as year-month."""
    horizon_months: int
    n_baseline: int
    """People of a historical comparison; 0 for none."""


def simulate_cohort(cohort: Cohort, worlds: Worlds) -> Tallies:
    """Draw the people of each world and tally what happened to them.

    Parameters
    ----------
    cohort
        What is simulated.
    worlds
        The parameters of each replication.

    Returns
    -------
    Sums and sums of squares over persons, with the axes of `Tallies`.
    """
    tallies = _empty_tallies(cohort, len(worlds))
    strata = {name: stratum.share for name, stratum in cohort.population.strata.items()}
    inputs = _Inputs(
        move_tables(cohort.pathway, list(strata), cohort.start, cohort.horizon_months, worlds),
        _cumulative(list(_shares(strata, worlds, "population.strata.{}.share").values())),
        _start(cohort, worlds),
        _prices(cohort, worlds),
        _weights(cohort, worlds),
    )
    shares = [("population.strata.{}.share", strata)]
    shares += [(f"pathway.start.{name}.{{}}", cohort.pathway.start[name]) for name in strata]
    tallies.clipped[:] = inputs.moves.clipped + sum(_exceeds_whole(of, worlds, path) for path, of in shares)
    for wave_number, (name, wave) in enumerate(cohort.population.waves.items()):
        size, enrolment_months = (
            np.floor(worlds[f"population.waves.{name}.{key}"]).astype(np.int64) for key in ("size", "enrolment_months")
        )
        group = _Group(name, size, int(wave.from_month.value), enrolment_months)
        for arm in (SERVICE, TWIN):
            _walk(cohort, worlds, inputs, group, arm, wave_number, tallies)
    once = np.ones(len(worlds), dtype=np.int64)
    earlier = _Group(_BASELINE, cohort.n_baseline * once, 0, once)
    _walk(cohort, worlds, inputs, earlier, BASELINE, 0, tallies)
    return tallies


@dataclass(frozen=True)
class _Inputs:
    """What all groups and arms share, one row per replication."""

    moves: MoveTables
    strata: Floats
    start: Floats
    price_per_month: Floats
    gathered_weight: Floats


def purposes_of_people(waves: Iterable[str], outcomes: Iterable[str]) -> list[str]:
    """Name every random stream that the people draw from."""
    decisions = ["entry", "moves", *(f"outcome/{name}" for name in outcomes)]
    return [_purpose(group, decision) for group in (*waves, _BASELINE) for decision in decisions]


def _purpose(group: str, decision: str) -> str:
    return f"people/{group}/{decision}"


@dataclass(frozen=True)
class _Group:
    """People who enter together, and the name under which their luck is drawn."""

    name: str
    size: Integers
    """Shape (n_replications,)."""
    from_month: int
    enrolment_months: Integers


def _walk(cohort: Cohort, worlds: Worlds, inputs: _Inputs, group: _Group, arm: int, wave: int, tallies: Tallies) -> None:
    """Run the kernel for one group in one arm and put its sums where they belong."""
    tallies.n_people[:, wave, arm] = group.size
    effects = list(cohort.effect.items()) if arm == SERVICE else []
    on_moves = [(name, effect) for name, effect in effects if effect.move is not None]
    moves = inputs.moves
    walk_people(
        np.uint64(worlds.seed),
        worlds.replications,
        group.size,
        cohort.horizon_months,
        group.from_month,
        np.uint64(purpose_number(_purpose(group.name, "entry"))),
        np.uint64(purpose_number(_purpose(group.name, "moves"))),
        group.enrolment_months,
        inputs.strata,
        inputs.start,
        moves.moves_of,
        moves.move_to,
        moves.hazard,
        moves.by_entry,
        moves.by_stay,
        moves.by_calendar,
        moves.is_walked,
        np.array([moves.names.index(effect.move or "") for _, effect in on_moves], np.int64),
        _columns([_log_ratio(worlds[f"effect.{name}.hazard_ratio"]) for name, _ in on_moves], len(worlds)),
        _effect_clock(on_moves, worlds),
        np.array(cohort.windows, dtype=np.int64),
        inputs.price_per_month,
        inputs.gathered_weight,
        np.array([int(o.at_month.value) if isinstance(o, Binary) else -1 for o in cohort.outcomes.values()], np.int64),
        np.array([purpose_number(_purpose(group.name, f"outcome/{name}")) for name in cohort.outcomes], np.uint64),
        _probabilities(cohort, worlds, effects),
        tallies.sums[:, wave, arm],
        tallies.squares[:, wave, arm],
        tallies.person_months[:, wave, arm],
        tallies.by_year[:, wave, arm],
    )


def _empty_tallies(cohort: Cohort, n_replications: int) -> Tallies:
    n_outcomes, n_windows, n_states = len(cohort.outcomes), len(cohort.windows), len(cohort.pathway.states)
    n_years, n_waves = -(-cohort.horizon_months // 12), len(cohort.population.waves)
    shape = (n_replications, n_waves, len(ARMS))
    return Tallies(
        states=cohort.pathway.states,
        outcomes=tuple(cohort.outcomes),
        windows=cohort.windows,
        n_people=np.zeros(shape, dtype=np.int64),
        sums=np.zeros((*shape, n_outcomes, n_windows)),
        squares=np.zeros((*shape, n_outcomes, n_windows)),
        person_months=np.zeros((*shape, n_states, n_windows)),
        by_year=np.zeros((*shape, n_outcomes, n_years)),
        clipped=np.zeros(n_replications, dtype=np.int64),
    )


def _start(cohort: Cohort, worlds: Worlds) -> Floats:
    """Give the cumulative shares of the states at entry, shape (replication, stratum, state)."""
    states, nobody = cohort.pathway.states, np.zeros(len(worlds))
    out = np.empty((len(worlds), len(cohort.population.strata), len(states)))
    for k, stratum in enumerate(cohort.population.strata):
        share = _shares(cohort.pathway.start[stratum], worlds, f"pathway.start.{stratum}.{{}}")
        out[:, k] = _cumulative([share.get(state, nobody) for state in states])
    return out


def _shares(shares: Mapping[str, Share], worlds: Worlds, path: str) -> dict[str, Floats]:
    """Give the drawn shares by name; `rest` takes what is left, and shares that exceed the whole are scaled to it."""
    drawn = {name: worlds[path.format(name)] for name, share in shares.items() if share != "rest"}
    of_known = add_in_order([np.zeros(len(worlds)), *drawn.values()])
    rest = np.maximum(1.0 - of_known, 0.0)
    whole = of_known + rest if "rest" in shares.values() else of_known
    return {name: drawn.get(name, rest) / whole for name in shares}


def _cumulative(shares: Sequence[Floats]) -> Floats:
    """Add up shares in order, shape (replication, name), and reach exactly 1 with the last share that is not 0."""
    rising = np.cumsum(np.stack(shares, axis=1), axis=1)
    rising[rising == rising[:, -1:]] = 1.0
    return rising


def _exceeds_whole(shares: Mapping[str, Share], worlds: Worlds, path: str) -> Integers:
    """Say in which replications the drawn shares add up to more than 1, so that all are scaled and `rest` is 0."""
    drawn = [worlds[path.format(name)] for name, share in shares.items() if share != "rest"]
    return (add_in_order([np.zeros(len(worlds)), *drawn]) > 1 + ROUNDING).astype(np.int64)


def _effect_clock(effects: list[tuple[str, Effect]], worlds: Worlds) -> Floats:
    """Give ramp, start of fading and half-life in months, shape (replication, effect, 3)."""
    out = np.empty((len(worlds), len(effects), 3))
    for e, (name, effect) in enumerate(effects):
        absent = {"ramp_months": 0.0, "fades_after_months": _NEVER, "half_life_months": _NEVER}
        for column, (key, value) in enumerate(absent.items()):
            out[:, e, column] = value if getattr(effect, key) is None else worlds[f"effect.{name}.{key}"]
    return out


def _prices(cohort: Cohort, worlds: Worlds) -> Floats:
    """Give the price of a month in each state, shape (replication, outcome, state)."""
    out = np.zeros((len(worlds), len(cohort.outcomes), len(cohort.pathway.states)))
    for o, (name, outcome) in enumerate(cohort.outcomes.items()):
        if isinstance(outcome, Amount):
            for state in outcome.per_day:
                path = f"outcomes.{name}.per_day.{state}"
                out[:, o, cohort.pathway.states.index(state)] = worlds[path] * DAYS_PER_MONTH
    return out


def _weights(cohort: Cohort, worlds: Worlds) -> Floats:
    """Give the discounted months before each month after entry, shape (replication, outcome, month + 1)."""
    discounted = [
        isinstance(outcome, Amount) and outcome.discount_rate_per_year is not None for outcome in cohort.outcomes.values()
    ]
    n_rows = len(worlds) if any(discounted) else 1
    month = np.arange(cohort.horizon_months + 1, dtype=np.float64)
    out = np.tile(month, (n_rows, len(cohort.outcomes), 1))
    for o, name in enumerate(cohort.outcomes):
        if discounted[o]:
            rate = worlds[f"outcomes.{name}.discount_rate_per_year"][:, None]
            out[:, o, 1:] = np.cumsum((1 + rate) ** (-month[None, :-1] / 12), axis=1)
    return out


def _probabilities(cohort: Cohort, worlds: Worlds, effects: list[tuple[str, Effect]]) -> Floats:
    """Give the probability of each binary outcome by state, with the odds ratios of an arm, shape (replication, outcome, state)."""
    out = np.zeros((len(worlds), len(cohort.outcomes), len(cohort.pathway.states)))
    for o, (name, outcome) in enumerate(cohort.outcomes.items()):
        if not isinstance(outcome, Binary):
            continue
        ratio = np.ones(len(worlds))
        for key, effect in effects:
            if effect.outcome == name:
                ratio = ratio * worlds[f"effect.{key}.odds_ratio"]
        for s, state in enumerate(cohort.pathway.states):
            p = worlds[f"outcomes.{name}.probability.{state}"]
            # What is certain stays certain, even at odds ratio 0.
            whole = 1.0 - p + p * ratio
            out[:, o, s] = np.divide(p * ratio, whole, out=np.ones_like(p), where=whole > 0)
    return out


def _log_ratio(hazard_ratio: Floats) -> Floats:
    """Give the logarithm of a hazard ratio; a ratio of 0 becomes one that no simulation can tell from it."""
    return np.log(np.maximum(hazard_ratio, 1e-300))


def _columns(columns: list[Floats], n_replications: int) -> Floats:
    return np.stack(columns, axis=1) if columns else np.empty((n_replications, 0))
