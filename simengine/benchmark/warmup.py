"""Compile everything that a first run would wait for."""

from __future__ import annotations

import time
from typing import Any

from simengine.benchmark.kernels import walk_plainly
from simengine.config import find_study, load_contract, load_study
from simengine.execution import run_study
from simengine.pipeline import replay
from simengine.risk import summarise

_WALKED = ["pathway.moves.home -> placed={per_month: 0.04, weibull_shape: 0.8}"]
_SWITCHING = ["population.engagement={share: 0.8, dropout: {per_month: 0.1}}"]
_COUNTED = [
    "population.history_months=3",
    "population.selection={outcome: visits, at_most: 100}",
    "population.frailties={own: {variance: 0.5, on: visit}}",
    "population.sites={place: {count: 2, sd: 0.1, on: visit}}",
    "events={visit: {rates: {home: {rate_per_year: 1}, placed: {rate_per_year: 2}}, length: {kind: fixed, mean_days: 10}}}",
    "outcomes={placement_cost_sek: {kind: amount, per_day: {placed: 3_000}, by_months_in_state: {placed: {from_months: [6], "
    "factor: [0.9]}}, between_people_half_width: 0.1}, school_qualified: {kind: binary, at_month: 12, probability: {home: 0.6, "
    "placed: 0.4}}, visits: {kind: count, events: visit}, days: {kind: days, events: visit}, well_being: {kind: score, "
    "at_month: 12, mean: 0, sd: 1, correlation: 0.5}, home: {kind: reached, states: home}, better: {kind: target, "
    "outcome: well_being, at_least: 1}, claim: {kind: claim, prices: {home: 1, better: 1}}}",
]
"""Changes of the smallest study that need what it does not: every kernel, and each form of the walk."""


def warm_up() -> tuple[float, bool]:
    """Run the smallest shipped study as it is and in a few variations, and replay its contract.

    Returns
    -------
    The seconds that it took, and whether the compiled kernels are kept for later processes.
    """
    started = time.perf_counter()
    path = find_study("tiny")
    for changes in ([], _WALKED, _SWITCHING, [*_WALKED, *_SWITCHING, *_COUNTED]):
        summarise(run_study(load_study(path, changes), seed=0, n_replications=2, threads=1))
    contract = load_contract(path)
    replay(contract, dict.fromkeys(contract.metrics, 0.0), contract.commitment.value)
    return time.perf_counter() - started, _are_kernels_kept()


def _are_kernels_kept() -> bool:
    """Say whether a folder for compiled kernels was found: any kernel of the package can tell."""
    kernel: Any = walk_plainly
    return kernel.stats.cache_path is not None if hasattr(kernel, "stats") else False
