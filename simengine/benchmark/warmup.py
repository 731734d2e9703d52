"""Compile everything that a first run would wait for."""

from __future__ import annotations

import time
from typing import Any

from simengine.benchmark.kernels import walk_plainly
from simengine.config import find_study, load_contract, load_study
from simengine.execution import run_study
from simengine.pipeline import replay
from simengine.risk import summarise

STUDIES = ("tiny", "skolfam", "botkyrka_ornskoldsvik")
"""Shipped studies that ask for all that is compiled between them: people abreast and one by one, hazards of their own, events."""


def warm_up() -> tuple[float, bool]:
    """Run some of the shipped studies, two worlds each, and replay a contract.

    Returns
    -------
    The seconds that it took, and whether the compiled kernels are kept for later processes.
    """
    started = time.perf_counter()
    for name in STUDIES:
        summarise(run_study(load_study(find_study(name)), seed=0, n_replications=2, threads=1))
    contract = load_contract(find_study("tiny"))
    replay(contract, dict.fromkeys(contract.metrics, 0.0), contract.commitment.value)
    return time.perf_counter() - started, _are_kernels_kept()


def _are_kernels_kept() -> bool:
    """Say whether a folder for compiled kernels was found: any kernel of the package can tell."""
    kernel: Any = walk_plainly
    return kernel.stats.cache_path is not None if hasattr(kernel, "stats") else False
