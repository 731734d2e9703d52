"""Outcomes that somebody typed in, as measurements of one replication: what a replay settles on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.contract.spec import Contract
from simengine.records import Measurements, Milestones

PEOPLE, NONE = "people", "none"


def typed_measurements(contract: Contract, *worlds: Mapping[str, float]) -> Measurements:
    """Turn named outcomes into measurements, one replication for each set of them; what is not named was not measured.

    Parameters
    ----------
    contract
        For the names of metrics, waves and milestones.
    worlds
        By `metric`, `metric.wave`, `people.wave` or, for people who reached exactly some milestones, `one+two` or `none`, with
        `.wave` where the contract has waves. Where any people are counted by milestones, those not named are nobody.
    """
    metrics, waves, n = contract.inputs(), list(contract.waves) or [""], len(worlds)
    pooled = np.full((n, len(metrics)), np.nan)
    by_wave = np.full((n, len(waves), len(metrics)), np.nan)
    people = np.full((n, len(waves)), np.nan)
    counts = np.zeros((n, len(waves), 2 ** len(contract.milestones)))
    for r, outcomes in enumerate(worlds):
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
        if not _is_counted(contract, outcomes):
            counts[r] = np.nan
    unknown = np.full_like(pooled, np.nan)
    milestones = Milestones(tuple(contract.milestones), counts) if contract.milestones else None
    return Measurements(tuple(metrics), pooled, unknown, unknown, by_wave, people, milestones)


def combination_of(contract: Contract, name: str) -> int:
    """Give the number of a combination of milestones from its name, such as `entry+job` or `none`."""
    names = list(contract.milestones)
    return sum(2 ** names.index(part) for part in name.split("+") if part != NONE)


def _is_counted(contract: Contract, outcomes: Mapping[str, float]) -> bool:
    others = {PEOPLE, *contract.inputs()}
    return any(key.partition(".")[0] not in others for key in outcomes)
