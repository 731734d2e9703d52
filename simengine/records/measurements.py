"""The evaluator's estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record
from simengine.records.reached import Reached


@dataclass(frozen=True, eq=False)
class Milestones(Record):
    """Number of people by combination of milestones, so that prices and caps per person are applied by the contract."""

    names: tuple[str, ...]
    counts: Annotated[Floats, Axes("replication wave combination", "persons")]
    """Combination k holds the people who reached exactly the milestones i whose bit 2^i is set in k; 0 reached none."""


@dataclass(frozen=True, eq=False)
class Measurements(Record):
    """The evaluator's estimates, beside the true effects. NaN: not measured; for a standard error: unknown."""

    metrics: tuple[str, ...]
    estimate: Annotated[Floats, Axes("replication metric", "of the metric")]
    """Positive when the service users did better."""
    standard_error: Annotated[Floats, Axes("replication metric", "of the metric")]
    """The evaluator's own standard error, from the people observed."""
    truth: Annotated[Floats, Axes("replication metric", "of the metric")]
    """The same quantity between the service arm and its twin; NaN if there is none, or if outcomes were given by hand."""
    by_wave: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The estimate from the people of each wave alone, in the order of the study's waves."""
    people: Annotated[Floats | None, Axes("replication wave", "persons")] = None
    """Service users per wave: the weights of a mean over waves."""
    milestones: Milestones | None = None
    """Absent if milestones were not counted."""
    cumulative: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The estimate from the people of each wave and all before it."""
    standard_error_by_wave: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The evaluator's own standard error of `by_wave`."""
    why: Annotated[NDArray[np.int8] | None, Axes("replication metric")] = None
    """Reason for a missing estimate: index into `NOT_MEASURED`. Absent if outcomes were given by hand."""
    why_by_wave: Annotated[NDArray[np.int8] | None, Axes("replication wave metric")] = None
    """The same of `by_wave`."""
    replications: Annotated[Integers | None, Axes("replication")] = None
    """The numbers of the replications; absent if outcomes were given by hand."""
    reached: Reached | None = None
    """Outcomes counted person by person, as they were recorded; absent if none are."""
