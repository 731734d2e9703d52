"""Outcomes that somebody typed in, as measurements of one replication: what a replay settles on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

import numpy as np

from simengine.contract.rules import NONE, PEOPLE, outcome_problems, uncounted
from simengine.contract.spec import Contract
from simengine.errors import UsageError, one_of, shorten
from simengine.records import Measurements, Milestones, Reached

_MOST = 1e15


def refuse_typed(contract: Contract, outcomes: Mapping[str, float], drawn: float, until: str | None) -> None:
    """Refuse outcomes, money and a date on which nobody can settle a contract.

    Raises
    ------
    UsageError
        If an outcome is not named so, is no number within 1e15, or counts fewer than no people; if people are counted by some
        combinations of milestones and not by all; if the money drawn is not between 0 and the commitment, or the date is none.
    """
    for problem in _problems(contract, outcomes, drawn, until):
        raise UsageError(problem)


def _problems(contract: Contract, outcomes: Mapping[str, float], drawn: float, until: str | None) -> Iterator[str]:
    for name, value in outcomes.items():
        for _, rule, found, way_out in outcome_problems(contract, str(name), ""):
            yield f"outcome {shorten(name)}: {rule}; found {found}. {way_out}"
        if not _is_number(value) or abs(value) > _MOST:
            yield f"outcome {name}: must be a number within 1e15 either way; found {shorten(value)}"
        if not _is_metric(contract, name) and value < 0:
            yield f"outcome {name}: a number of people must not be negative; found {value:,.10g}"
    for rule, found, way_out in uncounted(contract, outcomes):
        yield f"outcome: {rule}; found {found}. {way_out}"
    commitment = contract.commitment.value
    if not _is_number(drawn) or not 0 <= drawn <= commitment:
        found = f"{drawn:,.10g}" if _is_number(drawn) else shorten(drawn)
        yield f"drawn: the money drawn must lie between 0 and the commitment of {commitment:,.0f}; found {found}"
    if until is not None and until not in contract.calendar:
        yield f"until: must be a date of the contract; found {until!r}. {one_of(contract.calendar) or 'It has no `dates`'}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and isfinite(value)


def _is_metric(contract: Contract, outcome: str) -> bool:
    return outcome.partition(".")[0] in contract.metrics


def typed_measurements(contract: Contract, *draws: Mapping[str, float]) -> Measurements:
    """Turn named outcomes into measurements, one replication for each set of them; what is not named was not measured.

    Parameters
    ----------
    contract
        For the names of metrics, waves and milestones.
    draws
        By `metric`, `metric.wave`, `people.wave` or, for people who reached exactly some milestones, `one+two` or `none`, with
        `.wave` where the contract has waves. Where the people of a wave are counted by milestones, combinations not named hold
        nobody; the people of a wave of which no combination is named were not counted.
    """
    metrics, waves, n = contract.inputs(), list(contract.waves) or [""], len(draws)
    pooled = np.full((n, len(metrics)), np.nan)
    by_wave = np.full((n, len(waves), len(metrics)), np.nan)
    people = np.full((n, len(waves)), np.nan)
    counts = np.zeros((n, len(waves), 2 ** len(contract.milestones)))
    for r, outcomes in enumerate(draws):
        counted: set[int] = set()
        for key, value in outcomes.items():
            name, _, wave = key.partition(".")
            place = waves.index(wave) if wave else 0
            if name in metrics and wave:
                by_wave[r, place, metrics.index(name)] = value
            elif name in metrics:
                pooled[r, metrics.index(name)] = value
            elif name == PEOPLE and wave:
                people[r, place] = value
            else:
                counts[r, place, combination_of(contract, name)] = value
                counted.add(place)
        counts[r, [place for place in range(len(waves)) if place not in counted]] = np.nan
    unknown = np.full_like(pooled, np.nan)
    milestones = Milestones(tuple(contract.milestones), counts) if contract.milestones else None
    reached = nothing_reached(contract, n) if contract.outcomes else None
    return Measurements(tuple(metrics), pooled, unknown, unknown, by_wave, people, milestones, reached=reached)


def nothing_reached(contract: Contract, n_replications: int) -> Reached:
    """Return one person of each wave in each replication, who reached nothing."""
    n_waves = len(contract.waves) or 1
    return Reached(
        outcomes=tuple(contract.outcomes),
        waves=tuple(contract.waves),
        groups=tuple(contract.groups),
        horizon=0,
        first_row=np.zeros(n_replications + 1, dtype=np.int64),
        first_person=np.arange(n_replications + 1, dtype=np.int64) * n_waves,
        wave=np.tile(np.arange(n_waves, dtype=np.int16), n_replications),
        group=np.full(n_replications * n_waves, -1, dtype=np.int16),
        entry=np.zeros(n_replications * n_waves, dtype=np.int16),
        person=np.empty(0, dtype=np.int32),
        outcome=np.empty(0, dtype=np.int16),
        month=np.empty(0, dtype=np.int16),
    )


def combination_of(contract: Contract, name: str) -> int:
    """Return the number of a combination of milestones from its name, such as `entry+job` or `none`."""
    names = list(contract.milestones)
    return sum(2 ** names.index(part) for part in name.split("+") if part != NONE)
