"""The contract: terms as data, settled on what was measured. Deterministic, and independent of people."""

from simengine.contract.card import CardSettlement, cards_of, paid_for_outcomes, settle_cards, verifies_claims
from simengine.contract.listed import reached_from
from simengine.contract.settle import asks_when_drawn, asks_who_reached, inputs_of, outcomes_of, settle_terms
from simengine.contract.typed import refuse_typed, typed_measurements

__all__ = [
    "CardSettlement",
    "asks_when_drawn",
    "asks_who_reached",
    "cards_of",
    "inputs_of",
    "outcomes_of",
    "paid_for_outcomes",
    "reached_from",
    "refuse_typed",
    "settle_cards",
    "settle_terms",
    "typed_measurements",
    "verifies_claims",
]
