"""Parameters of each replication, and what became of the people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record

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
    """What each replication counts for in a mean; absent: all the same."""
    seed_by_purpose: Callable[[str], int] | None = None
    """For a question that draws some decisions anew and leaves the others: from the name of a decision to its seed."""

    def seed_of(self, purpose: str) -> int:
        """Return the seed from which a decision is drawn."""
        return self.seed if self.seed_by_purpose is None else self.seed_by_purpose(purpose)

    def __getitem__(self, path: str) -> Floats:
        return self.values[path]

    def __len__(self) -> int:
        return len(self.replications)


@dataclass(frozen=True, eq=False)
class Tallies(Record):
    """What happened to the people, summed over persons; no person is kept."""

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
    """Sum of the weights with which persons enter the sums: their number, but where several stand for one."""
    weight_squares: Annotated[Floats, Axes("replication wave arm", "persons")]
    sums: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    """Sum over persons of the outcome within the window."""
    squares: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    """Sum over persons of its square: with `sums`, all that a standard error needs."""
    sums_before: Annotated[Floats, Axes("replication wave arm outcome", "of the outcome")]
    """Sum over persons of the outcome in the months before entry."""
    squares_before: Annotated[Floats, Axes("replication wave arm outcome", "of the outcome, squared")]
    products_with_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    """Sum over persons of the outcome before entry times that after: all that a correlation needs."""
    person_months: Annotated[Floats, Axes("replication wave arm state window", "person-months")]
    by_year: Annotated[Floats, Axes("replication wave arm outcome year", "of the outcome")]
    """Sum over persons by calendar year, undiscounted, to the horizon (of control, parallel and matched people, and where no study
    values a year, to the last window); 0 for outcomes that do not add up over time."""
    combinations: Mapping[str, Integers]
    """By claim: shape (replication, wave, arm, window, combination), how many people reached each combination of its milestones;
    bit i of the number of a combination is milestone i."""
    clipped: Annotated[Integers, Axes("replication", "probabilities")]
    """Drawn probabilities that had to be clipped to remain probabilities."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Two outcomes that somebody compares with each other."""
    pair_products: Annotated[Floats | None, Axes("replication wave arm pair window", "of both outcomes")] = None
    """Sum over persons of the product of the two outcomes of a pair within the window."""
    changes: tuple[int, ...] = ()
    """Months of the calendar, increasing, from which on somebody counts in another way."""
    after_change: Annotated[
        Floats | None, Axes("replication wave arm change moment outcome window", "of the outcome, or squared")
    ] = None
    """Sums over persons of what came about from each such month on, by `MOMENTS`; absent where there is none."""
    by_year_here: Annotated[Floats | None, Axes("replication wave arm outcome year", "of the outcome")] = None
    """As `by_year`, of the months alone in which people still live in the area; absent where nobody moves out of it."""
    sites: Mapping[str, tuple[float, ...] | int] = field(default_factory=dict)
    """By name: the relative sizes of sites; the number of them, where everybody joins any of them, all equally likely."""
    seen: Seen | None = None
    """What an evaluator sees who loses those who move out of the area; absent where he follows everybody."""


MOMENTS = (
    *("later", "later_squared", "whole_later", "before", "before_squared", "whole_before"),
    *("later_whole", "whole_earlier", "both"),
)
"""Of a person: x within a window and h before entry, of which y and k came about from the month on: y, y y, x y, k, k k, h k, y h,
x k, y k."""


@dataclass(frozen=True, eq=False)
class Seen(Record):
    """The same sums over persons, of what can be seen of them from within the area."""

    weight: Annotated[Floats, Axes("replication wave arm window", "persons")]
    """Sum of the weights of those of whom something is seen."""
    weight_squares: Annotated[Floats, Axes("replication wave arm window", "persons")]
    sums: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    squares: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    sums_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    """Of the months before entry, over those who are seen in the window."""
    squares_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    products_with_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
