"""The contract: terms as data, settled on what was measured. Deterministic, and independent of people."""

from simengine.contract.card import settle_cards, verifies_claims
from simengine.contract.settle import asks_when_drawn, inputs_of, outcomes_of, settle_terms
from simengine.contract.typed import refuse_typed, typed_measurements

__all__ = ["asks_when_drawn", "inputs_of", "outcomes_of", "refuse_typed", "settle_cards", "settle_terms", "typed_measurements", "verifies_claims"]
