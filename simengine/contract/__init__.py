"""The contract: terms as data, settled on what was measured. Random-free, and knows nothing of people."""

from simengine.contract.settle import settle

__all__ = ["settle"]
