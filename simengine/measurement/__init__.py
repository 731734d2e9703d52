"""The evaluator: what would have been concluded from the people seen. The contract pays on this, never on the truth."""

from simengine.measurement.measure import measure

__all__ = ["measure"]
