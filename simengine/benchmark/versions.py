"""The versions that are compared: the engine behind an adapter, and what others would write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from simengine.benchmark.agents import starsim_walk
from simengine.benchmark.arrays import walk_by_period, walk_by_stay
from simengine.benchmark.c_limit import CLimit, Unavailable
from simengine.benchmark.kernels import walk_keyed, walk_plainly
from simengine.benchmark.workload import N_STATES, Counts, Workload
from simengine.cohort.kernels import walk_people
from simengine.streams import purpose_number

ENGINE, C_LIMIT = "engine", "c_limit"
_PURPOSES = tuple(np.uint64(purpose_number(f"benchmark/{decision}")) for decision in ("entry", "moves"))


@dataclass(frozen=True)
class Version:
    """One way to do the work."""

    key: str
    title: str
    walk: Callable[[Workload], Counts]
    are_strata_drawn: bool = False
    """Whether it draws the stratum of each person, instead of giving every stratum its exact size."""
    share: float = 1.0
    """The part of the replications that it is given: slow versions get fewer."""
    is_threaded: bool = True
    """Whether parts of an order can run on threads."""

    @property
    def ratio(self) -> str:
        """Name the ratio that is reported: the limit is below the engine, everything else above."""
        return f"{ENGINE}_over_{self.key}" if self.key == C_LIMIT else f"{self.key}_over_{ENGINE}"


@dataclass(frozen=True)
class Versions:
    """What can run here, and why the rest cannot."""

    engine: Version
    others: tuple[Version, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Reasons by key."""
    instructions: str | None = None
    """The instruction set of the C program."""


def find_versions() -> Versions:
    """Look which versions can run on this machine."""
    engine = Version(ENGINE, "simengine", engine_walk, are_strata_drawn=True)
    others = [
        Version("numpy", "NumPy, period by period", walk_by_period),
        Version("numpy_by_stay", "NumPy, stay by stay", walk_by_stay),
        Version("numba", "Numba, np.random", plain_walk),
        Version("numba_keyed", "Numba, keyed draws", keyed_walk),
    ]
    skipped: dict[str, str] = {}
    instructions = None
    try:
        program = CLimit()
        instructions = program.instructions
        others.append(Version(C_LIMIT, f"C, {instructions}: the limit", program.walk))
    except Unavailable as reason:
        skipped[C_LIMIT] = str(reason)
    try:
        others.append(Version("starsim", "starsim, 400 agents", starsim_walk(), share=0.02, is_threaded=False))
    except Unavailable as reason:
        skipped["starsim"] = str(reason)
    return Versions(engine, tuple(others), skipped, instructions)


def engine_walk(workload: Workload) -> Counts:
    """Run the engine's own kernel: one call an arm, one window of all periods, no outcome, no effect.

    This is the only place that knows the arguments of the kernel. The arms have moves of their own, so no effect is needed; the
    hazards are those whose month has the given probabilities.
    """
    n_replications, n_arms, _, n_states, _ = workload.rows.shape
    n_months, n_moves = workload.n_periods, n_states * (n_states - 1)
    share = np.cumsum(workload.sizes / workload.n_people)
    share[-1] = 1.0
    is_begun = (np.arange(n_states) >= workload.start[:, None]).astype(np.float64)
    of_moves = ~np.eye(n_states, dtype=np.bool_)
    stay = np.einsum("...ii->...i", workload.rows)
    hazard = workload.rows * (-np.log(stay) / (1.0 - stay))[..., None]
    constant = np.ones((1, n_moves, n_months))
    nothing = np.zeros((n_replications, 0, n_states))
    occupancy = np.zeros((n_replications, n_arms, n_states))
    for arm in range(n_arms):
        person_months = np.zeros((n_replications, n_states, 1))
        walk_people(
            seed=np.uint64(workload.seed),
            replications=workload.replications,
            n_people=np.full(n_replications, workload.n_people),
            horizon_months=n_months,
            from_month=0,
            purpose_entry=_PURPOSES[0],
            purpose_moves=_PURPOSES[1],
            enrolment_months=np.ones(n_replications, np.int64),
            strata=np.tile(share, (n_replications, 1)),
            start=np.tile(is_begun, (n_replications, 1, 1)),
            moves_of=np.arange(0, n_moves + 1, n_states - 1),
            move_to=np.nonzero(of_moves)[1].astype(np.int64),
            hazard=np.ascontiguousarray(hazard[:, arm][..., of_moves]),
            by_entry=constant,
            by_stay=constant,
            by_calendar=constant,
            is_walked=np.zeros(n_states, np.bool_),
            effect_move=np.empty(0, np.int64),
            log_ratio=np.empty((n_replications, 0)),
            effect_clock=np.empty((n_replications, 0, 3)),
            windows=np.array([n_months]),
            price_per_month=nothing,
            gathered_weight=np.empty((1, 0, n_months + 1)),
            read_month=np.empty(0, np.int64),
            purpose_outcome=np.empty(0, np.uint64),
            probability=nothing,
            sums=np.zeros((n_replications, 0, 1)),
            squares=np.zeros((n_replications, 0, 1)),
            person_months=person_months,
            by_year=np.zeros((n_replications, 0, -(-n_months // 12))),
        )
        occupancy[:, arm] = person_months[:, :, 0]
    return Counts(occupancy)


def plain_walk(workload: Workload) -> Counts:
    """Run the plain Numba walk; the first replication is part of the seed, so that parts of an order differ."""
    occupancy, entries = np.zeros((2, *workload.rows.shape[:2], N_STATES))
    seed = (workload.seed + int(workload.replications[0])) % 2**32
    walk_plainly(seed, workload.rows, workload.sizes, workload.start, workload.n_periods, occupancy, entries)
    return Counts(occupancy, entries)


def keyed_walk(workload: Workload) -> Counts:
    """Run the Numba walk whose draws have addresses."""
    occupancy, entries = np.zeros((2, *workload.rows.shape[:2], N_STATES))
    walk_keyed(
        np.uint64(workload.seed), _PURPOSES[1], workload.replications, workload.rows, workload.sizes, workload.start,
        workload.n_periods, occupancy, entries,
    )  # fmt: skip
    return Counts(occupancy, entries)
