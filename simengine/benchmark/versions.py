"""The versions that are compared: the engine behind an adapter, and what others would write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simengine.arrays import Floats
from simengine.benchmark.agents import starsim_walk
from simengine.benchmark.arrays import walk_by_period, walk_by_stay
from simengine.benchmark.c_limit import CLimit, Unavailable
from simengine.benchmark.kernels import walk_keyed, walk_plainly
from simengine.benchmark.workload import N_STATES, Workload, WorkloadCounts
from simengine.cohort.counting import empty_counts
from simengine.cohort.kernels.arrays import Moves
from simengine.cohort.life import Arm, StayBuffer, live
from simengine.cohort.moves import MoveClock
from simengine.cohort.people import Entrance, Group
from simengine.cohort.spec import Pathway, Population
from simengine.cohort.tables import Cohort, Comparisons, arm_tables
from simengine.records import Draws
from simengine.streams import purpose_number

ENGINE, C_LIMIT = "engine", "c_limit"
_PURPOSE = np.uint64(purpose_number("benchmark/moves"))


@dataclass(frozen=True)
class Version:
    """One way to do the work."""

    key: str
    title: str
    walk: Callable[[Workload], WorkloadCounts]
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


def engine_walk(workload: Workload) -> WorkloadCounts:
    """Run the engine's own path: people enter by batches, walk, and are counted; one window of all periods, no outcome.

    The arms have moves of their own, so no effect is needed; the hazards are those whose month has the given probabilities.
    """
    n_replications, n_arms, _, n_states, _ = workload.rows.shape
    cohort = _cohort_of(workload)
    draws = Draws(workload.seed, workload.replications, {})
    share = np.cumsum(workload.sizes / workload.n_people)
    share[-1] = 1.0
    is_begun = (np.arange(n_states) >= workload.start[:, None]).astype(np.float64)
    entrance = Entrance(
        cohort.population, cohort.clock, draws, np.tile(share, (n_replications, 1)), np.tile(is_begun, (n_replications, 1, 1))
    )
    once = np.ones(n_replications, np.int64)
    group = Group("benchmark", workload.n_people * once, 0, once)
    empty = arm_tables(cohort, (), draws, has_service=False)
    stay = np.einsum("...ii->...i", workload.rows)
    hazard = workload.rows * (-np.log(stay) / (1.0 - stay))[..., None]
    tables, counts, room = [], [empty_counts(empty) for _ in range(n_arms)], StayBuffer()
    # Behind the first, the entries of a matrix stand in rows that all end with one of the diagonal.
    of_moves = hazard.reshape(-1, n_states**2)[:, 1:].reshape(*hazard.shape[:3], n_states - 1, n_states + 1)[..., :-1]
    for arm in range(n_arms):
        of_arm = of_moves[:, arm].reshape(n_replications, hazard.shape[2], -1)
        moves = _moves_of(np.ascontiguousarray(of_arm), n_states, workload.n_periods)
        tables.append(replace(empty, moves=moves, on_moves=empty.on_moves._replace(of=np.zeros(len(moves.to) + 1, np.int64))))
    for people in entrance.batches(group):
        live(group, [Arm(of_arm, people, its) for of_arm, its in zip(tables, counts, strict=True)], room, until=workload.n_periods)
    return WorkloadCounts(np.stack([its.person_months[:, :, 0] for its in counts], axis=1))


def _cohort_of(workload: Workload) -> Cohort:
    """Return what the engine is told of the workload: everything but the moves, which stand in arrays."""
    states, strata = (tuple(f"{kind}_{i}" for i in range(n)) for kind, n in (("state", N_STATES), ("stratum", len(workload.sizes))))
    population = {
        "waves": {"benchmark": {"size": workload.n_people, "enrolment_months": 1}},
        "strata": {name: {"share": size / workload.n_people} for name, size in zip(strata, workload.sizes.tolist(), strict=True)},
    }
    start = {name: {states[s]: 1} for name, s in zip(strata, workload.start, strict=True)}
    return Cohort(
        population=Population.model_validate(population),
        pathway=Pathway.model_validate({"states": states, "start": start, "moves": {}}),
        events={},
        shocks={},
        effect={},
        outcomes={},
        windows=(workload.n_periods,),
        clock=MoveClock(0, workload.n_periods, "2030-01"),
        comparisons=Comparisons(),
    )


def _moves_of(hazard: Floats, n_states: int, n_months: int) -> Moves:
    """Return the tables of hazards that do not change; hazard: (r, stratum, move)."""
    n_moves = n_states * (n_states - 1)
    return Moves(
        of=np.arange(0, n_moves + 1, n_states - 1),
        to=np.nonzero(~np.eye(n_states, dtype=np.bool_))[1].astype(np.int64),
        hazard=hazard,
        by_entry=np.ones((1, 1, n_moves, n_months)),
        by_stay=np.ones((1, 1, n_moves, n_months)),
        by_calendar=np.ones((1, n_moves, n_months)),
        period=np.ones(n_states),
        clock=np.arange(n_states),
        acts=np.zeros((0, n_moves), np.bool_),
        is_walked=np.zeros(n_states, np.bool_),
    )


def plain_walk(workload: Workload) -> WorkloadCounts:
    """Run the plain Numba walk; the first replication is part of the seed, so that parts of an order differ."""
    occupancy, entries = np.zeros((2, *workload.rows.shape[:2], N_STATES))
    seed = (workload.seed + int(workload.replications[0])) % 2**32
    walk_plainly(seed, workload.rows, workload.sizes, workload.start, workload.n_periods, occupancy, entries)
    return WorkloadCounts(occupancy, entries)


def keyed_walk(workload: Workload) -> WorkloadCounts:
    """Run the Numba walk whose draws have addresses."""
    occupancy, entries = np.zeros((2, *workload.rows.shape[:2], N_STATES))
    walk_keyed(
        np.uint64(workload.seed), _PURPOSE, workload.replications, workload.rows, workload.sizes, workload.start,
        workload.n_periods, occupancy, entries,
    )  # fmt: skip
    return WorkloadCounts(occupancy, entries)
