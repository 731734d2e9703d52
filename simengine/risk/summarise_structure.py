"""The distributions of a capital structure: every tranche, cost, step of the waterfall, grant and guarantee, and how often each bound."""

from __future__ import annotations

import numpy as np

from simengine.records import ReplicationResults
from simengine.risk import statistics, sums
from simengine.risk.measures import p_loss
from simengine.risk.returns import STATUSES
from simengine.risk.sections import CostSection, GrantSection, GuaranteeSection, StepSection, StructureSections, TrancheSection
from simengine.risk.structure import ENDINGS
from simengine.risk.weighting import Weighting, given


def structure_sections(results: ReplicationResults, weighting: Weighting | None = None) -> StructureSections:
    """Return the sections `tranches`, `costs`, `steps`, `grants` and `guarantees`, by name; none where one loan gets all that comes back."""
    found: StructureSections = {}
    if tranches := _names(results, "tranche."):
        found["tranches"] = {name: _tranche(results, f"tranche.{name}", weighting) for name in tranches}
    if costs := _names(results, "cost."):
        found["costs"] = {name: _cost(results, f"cost.{name}", weighting) for name in costs}
    if steps := _names(results, "step."):
        found["steps"] = {name: _step(results, f"step.{name}", weighting) for name in steps}
    if grants := _names(results, "grant."):
        found["grants"] = {name: _grant(results, f"grant.{name}", weighting) for name in grants}
    if guarantees := _names(results, "guarantee."):
        found["guarantees"] = {name: _guarantee(results, f"guarantee.{name}", weighting) for name in guarantees}
    return found


def _names(results: ReplicationResults, prefix: str) -> list[str]:
    return list(dict.fromkeys(column.removeprefix(prefix).split(".")[0] for column in results.columns if column.startswith(prefix)))


def _tranche(results: ReplicationResults, path: str, weighting: Weighting | None) -> TrancheSection:
    multiple, rate = results[f"{path}.moic"], results[f"{path}.irr"]
    section: TrancheSection = {
        "paid_in": statistics.summary(results[f"{path}.paid_in"], weighting),
        "money_back": statistics.summary(results[f"{path}.money_back"], weighting),
        "net": statistics.summary(results[f"{path}.net"], weighting),
        "lost": statistics.summary(results[f"{path}.lost"], weighting),
        "p_loss": p_loss(results[f"{path}.net"], weighting),
        "ending": {word: statistics.probability(results.is_word(f"{path}.ending", word), weighting) for word in ENDINGS},
        "irr_status": {word: statistics.probability(results.is_word(f"{path}.irr_status", word), weighting) for word in STATUSES},
    }
    if f"{path}.is_exhausted" in results.columns:
        section["peak_outstanding"] = statistics.summary(results[f"{path}.peak_outstanding"], weighting)
        section["p_exhausted"] = statistics.probability(results.is_word(f"{path}.is_exhausted", "yes"), weighting)
    was_drawn, has_rate = np.isfinite(multiple), np.isfinite(rate)
    if sums.count(was_drawn) > 1:
        section["moic"] = statistics.summary(multiple[was_drawn], given(weighting, was_drawn))
    if sums.count(has_rate) > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        section["irr"] = statistics.quantiles(rate[has_rate], given(weighting, has_rate))
    return section


def _cost(results: ReplicationResults, path: str, weighting: Weighting | None) -> CostSection:
    unpaid, waiting = results[f"{path}.unpaid"], results[f"{path}.still_deferred"]
    return {
        "paid": statistics.summary(results[f"{path}.paid"], weighting),
        "unpaid": statistics.summary(unpaid, weighting),
        "still_deferred": statistics.summary(waiting, weighting),
        "p_unpaid": statistics.probability(unpaid > 0, weighting),
        "p_still_deferred": statistics.probability(waiting > 0, weighting),
    }


def _step(results: ReplicationResults, path: str, weighting: Weighting | None) -> StepSection:
    paid = results[f"{path}.paid"]
    return {"paid": statistics.summary(paid, weighting), "p_pays": statistics.probability(paid > 0, weighting)}


def _grant(results: ReplicationResults, path: str, weighting: Weighting | None) -> GrantSection:
    return {"paid": statistics.summary(results[f"{path}.paid"], weighting)}


def _guarantee(results: ReplicationResults, path: str, weighting: Weighting | None) -> GuaranteeSection:
    paid = results[f"{path}.paid"]
    return {
        "paid": statistics.summary(paid, weighting),
        "p_called": statistics.probability(paid > 0, weighting),
        "p_exhausted": statistics.probability(results.is_word(f"{path}.is_exhausted", "yes"), weighting),
    }
