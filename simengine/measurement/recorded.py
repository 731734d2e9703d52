"""What is recorded of outcomes that are counted person by person: some are never claimed, others are claimed falsely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Flags, Lots
from simengine.measurement.kernels import claim_falsely, draw_lots, keep_rows
from simengine.measurement.spec import CountedOutcome
from simengine.records import Draws, Integers, Reached, bounds_of
from simengine.streams import purpose_number


def recorded(counted: Mapping[str, CountedOutcome], reached: Reached, draws: Draws) -> Reached:
    """Return what is claimed of what was reached.

    Parameters
    ----------
    counted
        By name: how well each outcome is recorded.
    reached
        What people reached.
    draws
        The parameters of each replication.
    """
    rows, listed = np.ones(len(reached.outcome), dtype=np.bool_), (reached.person, reached.outcome, reached.month)
    added: list[tuple[Integers, ...]] = []
    of = reached.replication_of_row
    for number, name in enumerate(reached.outcomes):
        one, path = counted[name], f"measurement.counted.{name}"
        if one.missed is not None:
            keep_rows(*_address(f"{name}/missed", draws), draws[f"{path}.missed"], number, reached.first_row, *listed, rows)
        if one.false_claims is not None:
            has_it = np.zeros(len(reached.wave), dtype=np.bool_)
            mine = reached.outcome == number
            has_it[reached.first_person[of[mine]] + reached.person[mine]] = True
            month = np.full(len(reached.wave), -1, dtype=np.int64)
            last = reached.horizon if one.within_months is None else int(one.within_months.value)
            address = _address(f"{name}/false", draws)
            claim_falsely(
                *address, draws[f"{path}.false_claims"], reached.first_person, reached.entry, has_it, last, reached.horizon, month
            )
            people = np.flatnonzero(month >= 0)
            replication = np.searchsorted(reached.first_person, people, side="right") - 1
            added.append((replication, people - reached.first_person[replication], np.full(len(people), number), month[people]))
    if rows.all() and not added:
        return reached
    return _merged(reached, rows, added)


def _merged(reached: Reached, kept: Flags, added: list[tuple[Integers, ...]]) -> Reached:
    """Drop some rows and add others, in order."""
    was_false = np.zeros(len(kept), dtype=np.bool_) if reached.is_false is None else reached.is_false
    false = [np.concatenate(parts) for parts in zip(*added, strict=True)] if added else [np.zeros(0, np.int64)] * 4
    true: tuple[NDArray[Any], ...] = (reached.replication_of_row, reached.person, reached.outcome, reached.month)
    of, person, outcome, month = (np.concatenate([one[kept].astype(np.int64), new]) for one, new in zip(true, false, strict=True))
    is_false = np.concatenate([was_false[kept], np.ones(len(false[0]), dtype=np.bool_)])
    order = _in_order(of, month, person, outcome)
    units = None if reached.units is None else np.concatenate([reached.units[kept], np.ones(len(false[0]))])[order]
    return replace(
        reached,
        first_row=bounds_of(np.bincount(of, minlength=len(reached))),
        person=person[order].astype(np.int32),
        outcome=outcome[order].astype(np.int16),
        month=month[order].astype(np.int16),
        units=units,
        is_false=is_false[order] if is_false.any() else None,
    )


def _in_order(*keys: Integers) -> Integers:
    """Return the order of rows by some keys, the first before the others.

    Rows that were kept stand in order already, so that to sort one number takes a fraction of a sort by each key. It has room: a million
    replications of ten million people, a hundred years of months and a hundred outcomes.
    """
    together = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        low, high = (int(key.min()), int(key.max())) if len(key) else (0, 0)
        together = together * (high - low + 1) + (key - low)
    return np.argsort(together, kind="stable")


def with_lots(reached: Reached, draws: Draws) -> Reached:
    """Draw a lot for each row, by which a contract may choose those that are verified or disputed."""
    return replace(reached, lots=_lots("lots", reached, draws))


def thinned(reached: Reached, share: float, later_months: int, draws: Draws) -> Reached:
    """Return a share of what was reached, chosen by lot, so many months later."""
    if share < 1.0:
        reached = _merged(reached, _lots("thinned", reached, draws) < share * 2.0**32, [])
    return reached if later_months == 0 else replace(reached, month=reached.month + np.int16(later_months))


def _lots(purpose: str, reached: Reached, draws: Draws) -> Lots:
    """Draw a lot for each row."""
    lots = np.empty(len(reached.outcome), dtype=np.uint32)
    draw_lots(*_address(purpose, draws), reached.first_row, reached.person, reached.outcome, reached.month, lots)
    return lots


def _address(purpose: str, draws: Draws) -> tuple[np.uint64, np.uint64, Integers]:
    name = f"counted/{purpose}"
    return np.uint64(draws.seed_of(name)), np.uint64(purpose_number(name)), draws.replications


def purposes_of_records(counted: Mapping[str, CountedOutcome]) -> list[str]:
    """Name every random stream from which records draw."""
    named = [f"counted/{name}/missed" for name, one in counted.items() if one.missed is not None]
    named += [f"counted/{name}/false" for name, one in counted.items() if one.false_claims is not None]
    return [*named, "counted/lots", "counted/thinned"] if counted else []
