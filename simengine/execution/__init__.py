"""Where the work is done: blocks of replications on threads."""

from simengine.execution.blocks import BLOCK_SIZE, map_blocks, map_items, run_study

__all__ = ["BLOCK_SIZE", "map_blocks", "map_items", "run_study"]
