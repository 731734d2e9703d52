"""Compile everything that a first run would wait for."""

from __future__ import annotations

import time
from typing import Any

from simengine.accelerate import IS_COMPILED
from simengine.benchmark.kernels import walk_plainly
from simengine.config import find_study, load_contract, load_study, shipped_studies
from simengine.config.request import Requested, with_request
from simengine.questions.size.answer import size_terms
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.risk import summarise
from simengine.settlement import replay

_FREE = ("contract.terms.guarantee.share=0..1",)
_NOT_SHIPPED = (
    (
        "population.engagement={share: 0.9, dropout: {per_month: 0.1}}",
        "population.sites={place: {count: 2, sd: 0.1, on: [placed -> home]}}",
        "population.transfer={per_year: 0.1}",
        "effect.sooner_home.only_while_engaged=true",
        "measurement.transfers=hidden",
        "outcomes.placement_cost_sek.by_months_in_state={placed: {from_months: [0, 3], factor: [1, 2]}}",
    ),
    ("measurement.metrics.saving.redefined={from_month: 3, factor: 1.1}",),
)
"""What a study may say and no shipped one does, where it is counted by kernels, or forms of kernels, of its own."""


def warm_up() -> tuple[float, bool]:
    """Run every shipped study, and those that say what none of them does; replay a contract and size one.

    Two replications are enough; questions settle in kernels of their own.

    Returns
    -------
    The seconds that it took, and whether the compiled kernels are kept for later processes.
    """
    started = time.perf_counter()
    studies = [
        *(load_study(path) for path in shipped_studies()),
        *(load_study(find_study("tiny"), changes) for changes in _NOT_SHIPPED),
    ]
    for study in studies:
        summarise(run_study(study, seed=0, n_replications=2, threads=1))
    contract = load_contract(find_study("tiny"))
    replay(contract, dict.fromkeys(contract.metrics, 0.0), contract.commitment.value)
    tiny = load_study(find_study("tiny"))
    size_terms(with_request(tiny, Requested(free=_FREE)), Ensemble(0, 100, 1), n_points=4)
    return time.perf_counter() - started, _are_kernels_kept()


def _are_kernels_kept() -> bool:
    """Return whether a folder for compiled kernels was found: any kernel of the package can tell."""
    kernel: Any = walk_plainly
    return IS_COMPILED and kernel.compiled.stats.cache_path is not None
