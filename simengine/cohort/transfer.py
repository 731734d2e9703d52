"""Lives that are cut at a month: people who move out of the area, and registers that count in another way from a date on.

Lives go on as they would have. What changes is who counts: a register, a payer, an evaluator who looks at one area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags
from simengine.cohort.kernels.arrays import People, Stays, WindowArrays
from simengine.cohort.kernels.transfer import last_months_here
from simengine.cohort.moves import MoveClock, hazard_per_month
from simengine.cohort.outcomes import OutcomeKind
from simengine.cohort.spec import Transfer
from simengine.records import Draws, Floats, Integers

STREAM = "transfer"
"""The decision about a person from which the month of moving away is drawn."""


def leaving_hazard(transfer: Transfer | None, states: Sequence[str], strength: float, steps: int, draws: Draws) -> Floats | None:
    """Return the hazard per step of moving away by state, shape (n_replications, n_states).

    Parameters
    ----------
    transfer
        What the study says of it; nothing where nobody moves away.
    states
        Names in order.
    strength
        Multiplies the logarithm of what the service does to the hazard; 0 without a service.
    steps
        Of a month.
    draws
        The parameters of each replication.
    """
    if transfer is None:
        return None
    path = "population.transfer"
    hazard = hazard_per_month(transfer.form, f"{path}.{transfer.form}", draws) / steps
    if transfer.ratio_with_service is not None:
        hazard = hazard * draws[f"{path}.ratio_with_service"] ** strength
    factor = np.ones((len(draws), len(states)))
    for state in transfer.factor_in:
        factor[:, states.index(state)] = draws[f"{path}.factor_in.{state}"]
    return np.ascontiguousarray(hazard[:, None] * factor)


@dataclass(frozen=True)
class Cut:
    """The month at which the life of each person of a batch is cut, for who counts."""

    month: Integers
    """Shape (n_people,): the first step of the clock behind the cut; beyond the clock where there is none."""
    is_read_at: bool
    """Whether what is read at the very date of the cut still counts as before it."""

    def stays_before(self, stays: Stays, n_stays: int) -> Stays:
        """Return the stays as far as they lie before the cut."""
        person, state, first, stop, since = (array[:n_stays] for array in stays)
        stop = np.minimum(stop, self.month[person]).astype(np.int32)
        kept = first < stop
        return Stays(*(np.ascontiguousarray(array[kept]) for array in (person, state, first, stop, since)))

    def is_behind(self, windows: WindowArrays) -> Flags:
        """Say for whom the cut lies behind all months of each window, shape (n_people, n_windows)."""
        return np.asarray(self.month[:, None] >= windows.stop[None, :])

    def keep_read(self, outcomes: Mapping[str, OutcomeKind], clock: MoveClock, total: Floats, here: Floats) -> None:
        """Copy what is read at one date before the cut; nothing else is read."""
        for o, one in enumerate(outcomes.values()):
            if one.read_at_month is not None:
                date = one.step_of_reading(clock)
                is_read = self.month >= date if self.is_read_at else self.month > date
                here[:, o] = np.where(is_read[:, None], total[:, o], 0.0)


def away(
    seed: np.uint64,
    replications: Integers,
    purpose: np.uint64,
    history: int,
    leaving: Floats,
    people: People,
    stays: Stays,
    n_stays: int,
) -> Cut:
    """Draw when the people of a batch move away: each spends -log(u) of the hazard that gathers from entry on."""
    month = np.full(len(people.row), np.iinfo(np.int32).max, dtype=np.int64)
    last_months_here(seed, replications, purpose, history, leaving, people, stays, n_stays, month)
    return Cut(month, is_read_at=True)


def at_month(month: int, clock: MoveClock, people: People) -> Cut:
    """Cut the histories of a batch at a month of the calendar, counted from the start of the study."""
    return Cut(month * clock.steps + clock.entry - people.calendar.astype(np.int64), is_read_at=False)


@dataclass(frozen=True)
class SeenCounts:
    """Sums over the persons of one group in one arm of what can be seen of them from within the area; all are added to."""

    weights: Floats
    """Shape (n_replications, 2, n_windows): of the persons' weights and of their squares."""
    sums: Floats
    """Shape (n_replications, 5, n_outcomes, n_windows): the outcome, its square, that before entry, its square, their product."""


def empty_seen(n_replications: int, n_outcomes: int, n_windows: int) -> SeenCounts:
    """Make room for what is seen of one group in one arm."""
    return SeenCounts(np.zeros((n_replications, 2, n_windows)), np.zeros((n_replications, 5, n_outcomes, n_windows)))
