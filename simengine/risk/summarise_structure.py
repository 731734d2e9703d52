"""The distributions of a capital structure: every tranche, cost, step of the waterfall, grant and guarantee, and how often each bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simengine.records import ReplicationResults
from simengine.risk import statistics
from simengine.risk.measures import p_loss
from simengine.risk.returns import STATUSES
from simengine.risk.structure import ENDINGS
from simengine.risk.weighting import Weighting, given


def structure_sections(results: ReplicationResults, weighting: Weighting | None = None) -> dict[str, Any]:
    """Return the sections `tranches`, `costs`, `steps`, `grants` and `guarantees`, by name; none where one loan gets all that comes back."""
    parts = {"tranches": ("tranche.", _tranche), "costs": ("cost.", _cost), "steps": ("step.", _step)}
    parts |= {"grants": ("grant.", _grant), "guarantees": ("guarantee.", _guarantee)}
    found = {
        section: {name: describe(results, f"{prefix}{name}", weighting) for name in _names(results, prefix)}
        for section, (prefix, describe) in parts.items()
    }
    return {section: by_name for section, by_name in found.items() if by_name}


def _names(results: ReplicationResults, prefix: str) -> Iterator[str]:
    names = (column.removeprefix(prefix).split(".")[0] for column in results.columns if column.startswith(prefix))
    yield from dict.fromkeys(names)


def _tranche(results: ReplicationResults, path: str, weighting: Weighting | None) -> Mapping[str, Any]:
    net, multiple, rate = (results[f"{path}.{name}"] for name in ("net", "moic", "irr"))
    section: dict[str, Any] = {
        name: statistics.summary(results[f"{path}.{name}"], weighting) for name in ("paid_in", "money_back", "net", "lost")
    }
    section["p_loss"] = p_loss(net, weighting)
    section["ending"] = {word: statistics.probability(results.is_word(f"{path}.ending", word), weighting) for word in ENDINGS}
    section["irr_status"] = {
        word: statistics.probability(results.is_word(f"{path}.irr_status", word), weighting) for word in STATUSES
    }
    if f"{path}.is_exhausted" in results.columns:
        section["peak_outstanding"] = statistics.summary(results[f"{path}.peak_outstanding"], weighting)
        section["p_exhausted"] = statistics.probability(results.is_word(f"{path}.is_exhausted", "yes"), weighting)
    was_drawn, has_rate = np.isfinite(multiple), np.isfinite(rate)
    if was_drawn.sum() > 1:
        section["moic"] = statistics.summary(multiple[was_drawn], given(weighting, was_drawn))
    if has_rate.sum() > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        section["irr"] = statistics.quantiles(rate[has_rate], given(weighting, has_rate))
    return section


def _cost(results: ReplicationResults, path: str, weighting: Weighting | None) -> Mapping[str, Any]:
    unpaid, waiting = results[f"{path}.unpaid"], results[f"{path}.still_deferred"]
    return {
        "paid": statistics.summary(results[f"{path}.paid"], weighting),
        "unpaid": statistics.summary(unpaid, weighting),
        "still_deferred": statistics.summary(waiting, weighting),
        "p_unpaid": statistics.probability(unpaid > 0, weighting),
        "p_still_deferred": statistics.probability(waiting > 0, weighting),
    }


def _step(results: ReplicationResults, path: str, weighting: Weighting | None) -> Mapping[str, Any]:
    paid = results[f"{path}.paid"]
    return {"paid": statistics.summary(paid, weighting), "p_pays": statistics.probability(paid > 0, weighting)}


def _grant(results: ReplicationResults, path: str, weighting: Weighting | None) -> Mapping[str, Any]:
    return {"paid": statistics.summary(results[f"{path}.paid"], weighting)}


def _guarantee(results: ReplicationResults, path: str, weighting: Weighting | None) -> Mapping[str, Any]:
    paid = results[f"{path}.paid"]
    return {
        "paid": statistics.summary(paid, weighting),
        "p_called": statistics.probability(paid > 0, weighting),
        "p_exhausted": statistics.probability(results.is_word(f"{path}.is_exhausted", "yes"), weighting),
    }
