"""The distributions of a capital structure: every tranche, cost, step of the waterfall and guarantee, and how often each bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simengine.records import Outturns
from simengine.risk import statistics
from simengine.risk.returns import STATUSES
from simengine.risk.structure import ENDINGS

_LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)


def structure_sections(outturns: Outturns) -> dict[str, Any]:
    """Give the sections `tranches`, `costs`, `steps` and `guarantees`, by name; none where one loan gets all that comes back."""
    parts = {"tranches": ("tranche.", _tranche), "costs": ("cost.", _cost), "steps": ("step.", _step)}
    parts["guarantees"] = ("guarantee.", _guarantee)
    found = {
        section: {name: describe(outturns, f"{prefix}{name}") for name in _names(outturns, prefix)}
        for section, (prefix, describe) in parts.items()
    }
    return {section: by_name for section, by_name in found.items() if by_name}


def _names(outturns: Outturns, prefix: str) -> Iterator[str]:
    names = (column.removeprefix(prefix).split(".")[0] for column in outturns.columns if column.startswith(prefix))
    yield from dict.fromkeys(names)


def _tranche(outturns: Outturns, path: str) -> Mapping[str, Any]:
    net, multiple, rate = (outturns[f"{path}.{name}"] for name in ("net", "moic", "irr"))
    section: dict[str, Any] = {
        name: statistics.distribution(outturns[f"{path}.{name}"]) for name in ("paid_in", "money_back", "net", "lost")
    }
    section["p_loss"] = statistics.probability(net < 0)
    section["ending"] = {word: statistics.probability(outturns.is_word(f"{path}.ending", word)) for word in ENDINGS}
    section["irr_status"] = {word: statistics.probability(outturns.is_word(f"{path}.irr_status", word)) for word in STATUSES}
    if np.isfinite(multiple).sum() > 1:
        section["moic"] = statistics.distribution(multiple[np.isfinite(multiple)])
    if np.isfinite(rate).sum() > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        known = rate[np.isfinite(rate)]
        section["irr"] = {f"p{round(100 * level):02d}": statistics.quantile(known, level) for level in _LEVELS}
    return section


def _cost(outturns: Outturns, path: str) -> Mapping[str, Any]:
    unpaid, waiting = outturns[f"{path}.unpaid"], outturns[f"{path}.still_deferred"]
    return {
        "paid": statistics.distribution(outturns[f"{path}.paid"]),
        "unpaid": statistics.distribution(unpaid),
        "still_deferred": statistics.distribution(waiting),
        "p_unpaid": statistics.probability(unpaid > 0),
        "p_still_deferred": statistics.probability(waiting > 0),
    }


def _step(outturns: Outturns, path: str) -> Mapping[str, Any]:
    paid = outturns[f"{path}.paid"]
    return {"paid": statistics.distribution(paid), "p_pays": statistics.probability(paid > 0)}


def _guarantee(outturns: Outturns, path: str) -> Mapping[str, Any]:
    paid = outturns[f"{path}.paid"]
    return {
        "paid": statistics.distribution(paid),
        "p_called": statistics.probability(paid > 0),
        "p_exhausted": statistics.probability(outturns.is_word(f"{path}.is_exhausted", "yes")),
    }
