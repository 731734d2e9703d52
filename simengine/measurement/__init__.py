"""The evaluator: estimates from the people observed. The contract pays on these, never on the truth."""

from simengine.measurement.errors import purposes_of_errors
from simengine.measurement.measure import measure
from simengine.measurement.recorded import purposes_of_records, thinned, with_lots
from simengine.measurement.scales import OutcomeScale

__all__ = ["OutcomeScale", "measure", "purposes_of_errors", "purposes_of_records", "thinned", "with_lots"]
