"""Parameters of each replication, and sums of people's outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record
from simengine.records.reached import Reached

ARMS = ("service", "twin", "baseline", "control", "parallel", "matched_service", "matched", "service_before", "parallel_before")
SERVICE, TWIN, BASELINE, CONTROL, PARALLEL, MATCHED_SERVICE, MATCHED, SERVICE_BEFORE, PARALLEL_BEFORE = range(9)


@dataclass(frozen=True, eq=False)
class Draws(Record):
    """The parameters of each replication, drawn from their distributions."""

    seed: int
    replications: Annotated[Integers, Axes("replication")]
    """The numbers of the replications."""
    values: Mapping[str, Floats]
    """By path in the study: one value per replication."""
    weight: Annotated[Floats | None, Axes("replication")] = None
    """Weight of each replication in a mean; absent: equal weights."""
    seed_by_purpose: Callable[[str], int] | None = None
    """For redrawing some decisions and keeping the others: the seed by the name of a decision."""

    def seed_of(self, purpose: str) -> int:
        """Return the seed from which a decision is drawn."""
        return self.seed if self.seed_by_purpose is None else self.seed_by_purpose(purpose)

    def __getitem__(self, path: str) -> Floats:
        return self.values[path]

    def __len__(self) -> int:
        return len(self.replications)


@dataclass(frozen=True, eq=False)
class Tallies(Record):
    """Outcomes summed over persons; individuals are not stored."""

    states: tuple[str, ...]
    outcomes: tuple[str, ...]
    windows: tuple[int, ...]
    """Months after entry, increasing."""
    history_months: int
    """Months before entry that were simulated; 0 for none."""
    milestones: Mapping[str, tuple[str, ...]]
    """By claim: the outcomes that it pays for."""
    n_people: Annotated[Integers, Axes("replication wave arm", "persons")]
    weight: Annotated[Floats, Axes("replication wave arm", "persons")]
    """Sum of the weights of persons in the sums: their number, unless several represent one."""
    weight_squares: Annotated[Floats, Axes("replication wave arm", "persons")]
    sums: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    """Sum over persons of the outcome within the window."""
    squares: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    """Sum over persons of its square: with `sums`, sufficient for a standard error."""
    sums_before: Annotated[Floats, Axes("replication wave arm outcome", "of the outcome")]
    """Sum over persons of the outcome in the months before entry."""
    squares_before: Annotated[Floats, Axes("replication wave arm outcome", "of the outcome, squared")]
    products_with_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    """Sum over persons of the outcome before entry times that after: needed for a correlation."""
    person_months: Annotated[Floats, Axes("replication wave arm state window", "person-months")]
    by_year: Annotated[Floats, Axes("replication wave arm outcome year", "of the outcome")]
    """Sum over persons by calendar year, undiscounted, to the horizon (for control, parallel and matched people, and if no year has
    a value, to the last window); 0 for outcomes that do not add up over time."""
    combinations: Mapping[str, Integers]
    """By claim: shape (replication, wave, arm, window, combination), number of people by combination of its milestones; bit i of
    the number of a combination is milestone i."""
    clipped: Annotated[Integers, Axes("replication", "probabilities")]
    """Drawn probabilities that had to be clipped to remain probabilities."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Pairs of outcomes whose products are needed."""
    pair_products: Annotated[Floats | None, Axes("replication wave arm pair window", "of both outcomes")] = None
    """Sum over persons of the product of the two outcomes of a pair within the window."""
    changes: tuple[int, ...] = ()
    """Months of the calendar, increasing, from which a metric is counted differently."""
    after_change: Annotated[
        Floats | None, Axes("replication wave arm change moment outcome window", "of the outcome, or squared")
    ] = None
    """Sums over persons of outcomes from each such month on, by `MOMENTS`; absent if there is none."""
    by_year_here: Annotated[Floats | None, Axes("replication wave arm outcome year", "of the outcome")] = None
    """As `by_year`, only for months in which people still live in the area; absent if nobody moves out of it."""
    sites: Mapping[str, tuple[float, ...] | int] = field(default_factory=dict)
    """By name: the relative sizes of sites; or their number, if people join sites at random."""
    seen: Seen | None = None
    """The observed part if the evaluator loses people who move out of the area; absent if everybody is followed."""
    reached: Reached | None = None
    """Outcomes of service users, person by person; absent if none are counted so."""


MOMENTS = (
    *("later", "later_squared", "whole_later", "before", "before_squared", "whole_before"),
    *("later_whole", "whole_earlier", "both"),
)
"""For a person: x within a window and h before entry, of which y and k occur from the month on: y, y y, x y, k, k k, h k, y h, x k,
y k."""


@dataclass(frozen=True, eq=False)
class Seen(Record):
    """The same sums over persons, for what is observed within the area."""

    weight: Annotated[Floats, Axes("replication wave arm window", "persons")]
    """Sum of the weights of people observed at all."""
    weight_squares: Annotated[Floats, Axes("replication wave arm window", "persons")]
    sums: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    squares: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    sums_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    """For the months before entry, over people observed in the window."""
    squares_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    products_with_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
