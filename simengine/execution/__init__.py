"""Where the work is done: blocks of replications on threads."""

from simengine.execution.blocks import BLOCK_SIZE, run_study

__all__ = ["BLOCK_SIZE", "run_study"]
