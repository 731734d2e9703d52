"""The evaluator: what would have been concluded from the people seen. The contract pays on this, never on the truth."""

from simengine.measurement.designs import Kind
from simengine.measurement.measure import measure
from simengine.measurement.samples import purposes_of_errors

__all__ = ["Kind", "measure", "purposes_of_errors"]
