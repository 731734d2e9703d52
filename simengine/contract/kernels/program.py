"""Run a compiled contract for all replications: straight-line instructions over columns, a block of replications at a time.

An instruction reads registers that stand before it and fills its own, so nothing can depend on its own result. NaN means not
measured and passes through every instruction but those that ask for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import kernel
from simengine.arrays import Floats, Integers
from simengine.rounding import nearest_unit

(
    CONSTANT,
    COLUMN,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    LEAST,
    GREATEST,
    REACHES,
    EXCEEDS,
    BOTH,
    CHOOSE,
    IS_NUMBER,
    POWER,
    ROUND,
) = range(15)
BLOCK = 256
"""Replications that are worked on at once: their registers stay in the processor's cache."""


@kernel
def run_program(
    code: Integers,  # (k, 4): operation, and up to three registers or places
    constants: Floats,  # (k,): the number of an instruction that has one
    columns: Floats,  # (b, r): what was measured and drawn
    amounts: Integers,  # (o,): the registers that are wanted as amounts, -1 for none
    bounds: Integers,  # (o,): the registers that are wanted as limits, -1 for none
    amount: Floats,  # (o, r) filled
    bound: NDArray[np.int8],  # (o, r) filled
) -> None:
    """Fill the wanted registers for every replication."""
    # k = instructions, b = columns, r = replications, o = outputs
    n_instructions, n_replications = len(code), amount.shape[1]
    register = np.empty((n_instructions, BLOCK))
    for start in range(0, n_replications, BLOCK):
        n = min(BLOCK, n_replications - start)
        for k in range(n_instructions):
            operation, first, second, third = code[k]
            target, x, y, z = register[k], register[first], register[second], register[third]
            if operation == CONSTANT:
                for i in range(n):
                    target[i] = constants[k]
            elif operation == COLUMN:
                for i in range(n):
                    target[i] = columns[first, start + i]
            elif operation == ADD:
                for i in range(n):
                    target[i] = x[i] + y[i]
            elif operation == SUBTRACT:
                for i in range(n):
                    target[i] = x[i] - y[i]
            elif operation == MULTIPLY:
                for i in range(n):
                    target[i] = x[i] * y[i]
            elif operation == DIVIDE:
                # A mean over nobody is missing.
                for i in range(n):
                    target[i] = np.nan if y[i] == 0.0 else x[i] / y[i]
            elif operation == LEAST:
                for i in range(n):
                    target[i] = y[i] if y[i] < x[i] or y[i] != y[i] else x[i]
            elif operation == GREATEST:
                for i in range(n):
                    target[i] = y[i] if y[i] > x[i] or y[i] != y[i] else x[i]
            elif operation == REACHES:
                for i in range(n):
                    target[i] = np.nan if x[i] != x[i] or y[i] != y[i] else (1.0 if x[i] >= y[i] else 0.0)
            elif operation == EXCEEDS:
                for i in range(n):
                    target[i] = np.nan if x[i] != x[i] or y[i] != y[i] else (1.0 if x[i] > y[i] else 0.0)
            elif operation == BOTH:
                # One shut gate shuts, whatever the other, unmeasured one would have said.
                for i in range(n):
                    target[i] = 0.0 if x[i] == 0.0 or y[i] == 0.0 else x[i] * y[i]
            elif operation == CHOOSE:
                for i in range(n):
                    target[i] = np.nan if x[i] != x[i] else (y[i] if x[i] != 0.0 else z[i])
            elif operation == IS_NUMBER:
                for i in range(n):
                    target[i] = 1.0 if x[i] == x[i] else 0.0
            elif operation == POWER:
                for i in range(n):
                    target[i] = x[i] ** y[i]
            else:
                # Half to even, to the smallest unit of the currency: the instruction holds how many of them make one unit.
                for i in range(n):
                    target[i] = nearest_unit(x[i] * constants[k]) / constants[k]
        for o in range(len(amounts)):
            if amounts[o] >= 0:
                for i in range(n):
                    amount[o, start + i] = register[amounts[o], i]
                    bound[o, start + i] = np.int8(register[bounds[o], i]) if register[bounds[o], i] >= 0.0 else np.int8(0)
