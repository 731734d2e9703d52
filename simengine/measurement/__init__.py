"""The evaluator: what would have been concluded from the people seen. The contract pays on this, never on the truth."""

from simengine.measurement.errors import purposes_of_errors
from simengine.measurement.measure import measure
from simengine.measurement.scales import OutcomeScale

__all__ = ["OutcomeScale", "measure", "purposes_of_errors"]
