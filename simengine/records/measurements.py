"""What the evaluator concluded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record


@dataclass(frozen=True, eq=False)
class Milestones(Record):
    """How many people reached which milestones, by combination, so that prices and caps per person stay with the contract."""

    names: tuple[str, ...]
    counts: Annotated[Floats, Axes("replication wave combination", "persons")]
    """Combination k holds the people who reached exactly the milestones i whose bit 2^i is set in k; 0 reached none."""


@dataclass(frozen=True, eq=False)
class Measurements(Record):
    """What the evaluator concluded, beside what was true. NaN: not measured; of a standard error: unknown."""

    metrics: tuple[str, ...]
    estimate: Annotated[Floats, Axes("replication metric", "of the metric")]
    """Positive when the service users did better."""
    standard_error: Annotated[Floats, Axes("replication metric", "of the metric")]
    """The evaluator's own standard error, from the persons seen."""
    truth: Annotated[Floats, Axes("replication metric", "of the metric")]
    """The same quantity between the service arm and its twin; NaN where there is none, and where outcomes were typed in."""
    by_wave: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The estimate from the people of each wave alone, in the order of the study's waves."""
    people: Annotated[Floats | None, Axes("replication wave", "persons")] = None
    """Service users per wave: the weights of a mean over waves."""
    milestones: Milestones | None = None
    """Absent where nobody tallied milestones."""
    cumulative: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The estimate from the people of each wave and all before it."""
    standard_error_by_wave: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The evaluator's own standard error of `by_wave`."""
    why: Annotated[NDArray[np.int8] | None, Axes("replication metric")] = None
    """Why an estimate was not made: index into `NOT_MEASURED`. Absent where outcomes were typed in."""
    why_by_wave: Annotated[NDArray[np.int8] | None, Axes("replication wave metric")] = None
    """The same of `by_wave`."""
    replications: Annotated[Integers | None, Axes("replication")] = None
    """The numbers of the replications; absent where outcomes were typed in."""
