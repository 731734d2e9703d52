"""The value: what outcomes are worth to each public actor, when, and how much of it can be released as cash.

The truth is valued, not what an evaluator concludes: twin against service user. Nothing here is random but what was drawn with
the replications, and nothing knows the contract.
"""

from simengine.value.spec import PublicPrices, ValuePrice
from simengine.value.value_outcomes import Timing, value_outcomes

__all__ = ["PublicPrices", "Timing", "ValuePrice", "value_outcomes"]
