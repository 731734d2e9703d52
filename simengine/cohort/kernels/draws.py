"""Draw for many people or stays side by side: a uniform each, or how long a stay lasts and where it leads."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, kernel
from simengine.cohort.kernels.arrays import Floats, Integers, People, Words
from simengine.streams import philox, uniform_from

# The logarithm of fdlibm (e_log.c, Sun Microsystems 1993), which errs by less than one unit in the last place.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_L1, _L2, _L3, _L4 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01
_L5, _L6, _L7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
_ROOT_HALF = 0x3FE6A09E << 32
_FROM_ROOT_HALF = (0x3FF00000 - 0x3FE6A09E) << 32
_FRACTION = (1 << 52) - 1


@kernel
def fill_uniforms(seed: np.uint64, replications: Integers, purpose: np.uint64, people: People, uniform: Floats) -> None:
    """Fill the first uniform of everybody at a purpose; uniform: (p,)."""
    number, attempt, row = people.number, people.attempt, people.row
    replication = np.empty(len(row), np.uint32)
    for p in range(len(row)):
        replication[p] = np.uint32(replications[row[p]])
    for p in range(len(row)):
        a, b, _, _ = philox(seed, np.uint64(attempt[p]), np.uint64(number[p]), np.uint64(replication[p]), purpose)
        uniform[p] = uniform_from(a, b)


@device
def fill_draws(
    seed: np.uint64,
    purpose: np.uint64,
    replication: Words,
    number: Words,
    index: Words,
    to_spend: Floats,
    to_move: Floats,
    uniform: Floats,
    fraction: Floats,
) -> None:
    """Fill -log(u) of the first uniform u at many addresses, and the second uniform; all (x,), the last two are room.

    The logarithm is taken of u = 2^n (1 + f) with 1 + f between the roots of 1/2 and 2. No loop branches, and no instruction
    differs from one processor to another.
    """
    for x in range(len(index)):
        a, b, c, d = philox(seed, np.uint64(index[x]), np.uint64(number[x]), np.uint64(replication[x]), purpose)
        uniform[x], to_move[x] = uniform_from(a, b), uniform_from(c, d)
    bits, bits_of_fraction = uniform.view(np.int64), fraction.view(np.int64)
    for x in range(len(index)):
        shifted = bits[x] + _FROM_ROOT_HALF
        to_spend[x] = np.float64(np.int32((shifted >> 52) - 1023))
        bits_of_fraction[x] = (shifted & _FRACTION) + _ROOT_HALF
    for x in range(len(index)):
        n, f = to_spend[x], fraction[x] - 1.0
        s = np.divide(f, 2.0 + f)
        z = s * s
        w = z * z
        even = w * (_L2 + w * (_L4 + w * _L6))
        odd = z * (_L1 + w * (_L3 + w * (_L5 + w * _L7)))
        half = 0.5 * f * f
        to_spend[x] = ((half - (s * (half + (odd + even)) + n * _LN2_LOW)) - f) - n * _LN2_HIGH
