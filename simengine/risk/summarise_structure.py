"""The distributions of a capital structure: every tranche, cost, step of the waterfall and guarantee, and how often each bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simengine.records import Outturns
from simengine.risk import statistics
from simengine.risk.draws import Draws, given
from simengine.risk.measures import p_loss
from simengine.risk.returns import STATUSES
from simengine.risk.structure import ENDINGS


def structure_sections(outturns: Outturns, draws: Draws | None = None) -> dict[str, Any]:
    """Give the sections `tranches`, `costs`, `steps` and `guarantees`, by name; none where one loan gets all that comes back."""
    parts = {"tranches": ("tranche.", _tranche), "costs": ("cost.", _cost), "steps": ("step.", _step)}
    parts["guarantees"] = ("guarantee.", _guarantee)
    found = {
        section: {name: describe(outturns, f"{prefix}{name}", draws) for name in _names(outturns, prefix)}
        for section, (prefix, describe) in parts.items()
    }
    return {section: by_name for section, by_name in found.items() if by_name}


def _names(outturns: Outturns, prefix: str) -> Iterator[str]:
    names = (column.removeprefix(prefix).split(".")[0] for column in outturns.columns if column.startswith(prefix))
    yield from dict.fromkeys(names)


def _tranche(outturns: Outturns, path: str, draws: Draws | None) -> Mapping[str, Any]:
    net, multiple, rate = (outturns[f"{path}.{name}"] for name in ("net", "moic", "irr"))
    section: dict[str, Any] = {
        name: statistics.distribution(outturns[f"{path}.{name}"], draws) for name in ("paid_in", "money_back", "net", "lost")
    }
    section["p_loss"] = p_loss(net, draws)
    section["ending"] = {word: statistics.probability(outturns.is_word(f"{path}.ending", word), draws) for word in ENDINGS}
    section["irr_status"] = {word: statistics.probability(outturns.is_word(f"{path}.irr_status", word), draws) for word in STATUSES}
    was_drawn, has_rate = np.isfinite(multiple), np.isfinite(rate)
    if was_drawn.sum() > 1:
        section["moic"] = statistics.distribution(multiple[was_drawn], given(draws, was_drawn))
    if has_rate.sum() > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        section["irr"] = statistics.quantiles(rate[has_rate], given(draws, has_rate))
    return section


def _cost(outturns: Outturns, path: str, draws: Draws | None) -> Mapping[str, Any]:
    unpaid, waiting = outturns[f"{path}.unpaid"], outturns[f"{path}.still_deferred"]
    return {
        "paid": statistics.distribution(outturns[f"{path}.paid"], draws),
        "unpaid": statistics.distribution(unpaid, draws),
        "still_deferred": statistics.distribution(waiting, draws),
        "p_unpaid": statistics.probability(unpaid > 0, draws),
        "p_still_deferred": statistics.probability(waiting > 0, draws),
    }


def _step(outturns: Outturns, path: str, draws: Draws | None) -> Mapping[str, Any]:
    paid = outturns[f"{path}.paid"]
    return {"paid": statistics.distribution(paid, draws), "p_pays": statistics.probability(paid > 0, draws)}


def _guarantee(outturns: Outturns, path: str, draws: Draws | None) -> Mapping[str, Any]:
    paid = outturns[f"{path}.paid"]
    return {
        "paid": statistics.distribution(paid, draws),
        "p_called": statistics.probability(paid > 0, draws),
        "p_exhausted": statistics.probability(outturns.is_word(f"{path}.is_exhausted", "yes"), draws),
    }
