"""The walk in starsim, a general agent-based simulator; it is optional and is not a dependency of this package."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.benchmark.c_limit import Unavailable
from simengine.benchmark.workload import Workload, WorkloadCounts


def starsim_walk() -> Callable[[Workload], WorkloadCounts]:
    """Return the walk, or say how to get it: one simulation per replication, its agents are the people of both arms."""
    if importlib.util.find_spec("starsim") is None:
        raise Unavailable("starsim is not installed; `python -m pip install starsim` adds it to this environment")
    os.environ.setdefault("STARSIM_INSTALL_FONTS", "0")  # its first import would otherwise talk on standard output
    starsim: Any = importlib.import_module("starsim")

    class Walk(starsim.Module):  # type: ignore[misc]  # an optional package: its types are not known
        """Move every agent once a step by its row of cumulative moves."""

        def __init__(self, cumulative: Floats, workload: Workload) -> None:
            super().__init__(name="walk")
            self.define_states(starsim.FloatArr("place", default=0))
            self.uniform = starsim.random()
            n_arms, n_strata = cumulative.shape[:2]
            self.thresholds = cumulative[..., :-1]
            self.arm = np.repeat(np.arange(n_arms), workload.n_people)
            self.stratum = np.tile(np.repeat(np.arange(n_strata), workload.sizes), n_arms)
            self.start_state = workload.start[self.stratum]
            self.occupancy = np.zeros((n_arms, cumulative.shape[-1]))

        def init_post(self) -> None:
            super().init_post()
            self.place[:] = self.start_state

        def step(self) -> None:
            place = self.place.values.astype(np.int64)
            np.add.at(self.occupancy, (self.arm, place), 1)
            uniform = self.uniform.rvs(self.sim.people.auids)
            reached = uniform[:, None] >= self.thresholds[self.arm, self.stratum, place]
            self.place[:] = reached.sum(axis=1)

    def walk(workload: Workload) -> WorkloadCounts:
        cumulative = workload.rows.cumsum(axis=-1)
        occupancy = np.empty((workload.n_replications, *cumulative.shape[1:2], cumulative.shape[-1]))
        for r, replication in enumerate(workload.replications):
            module = Walk(cumulative[r], workload)
            starsim.Sim(
                n_agents=cumulative.shape[1] * workload.n_people, modules=[module], start=0, stop=workload.n_periods - 1, dt=1,
                rand_seed=workload.seed + int(replication), verbose=0, copy_inputs=False,
            ).run()  # fmt: skip
            occupancy[r] = module.occupancy
        return WorkloadCounts(occupancy)

    return walk
