"""Where the work is done: blocks of replications on threads, as many as are asked for or as a precision takes."""

from simengine.execution.blocks import BLOCK_SIZE, available_processors, map_blocks, map_items, run_study
from simengine.execution.memory import refuse_if_too_large
from simengine.execution.precision import AT_MOST, PreciseRun, control_variates, read_goals, run_until

__all__ = [
    "AT_MOST",
    "BLOCK_SIZE",
    "PreciseRun",
    "available_processors",
    "control_variates",
    "map_blocks",
    "map_items",
    "read_goals",
    "refuse_if_too_large",
    "run_study",
    "run_until",
]
