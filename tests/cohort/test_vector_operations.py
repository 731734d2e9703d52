"""Sixteen numbers side by side: each instruction against the same arithmetic in NumPy, on more processors than this one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from simengine.accelerate import IS_COMPILED
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="without compilation nobody goes abreast")

SCRIPT = """
import numpy as np
from numba.core.registry import cpu_target
from simengine.accelerate import device
from simengine.cohort.kernels.vector_operations import *

turn, shift = turn_left_by(7), shift_left_by(9)

@device
def tried(one, other, table, threshold, out, bits):
    a, b, t, h = load(one, 0), load(other, 3), load(table, 0), load(threshold, 0)
    seven = fill(np.uint32(7))
    store_lanes(out, 0, look_up(t, a))
    store_lanes(out, 16, add(a, b))
    store_lanes(out, 32, both(a, b))
    store_lanes(out, 48, differ(a, b))
    store_lanes(out, 64, shift_right(a, seven))
    store_lanes(out, 80, turn(a))
    store_lanes(out, 96, shift(a))
    store_lanes(out, 112, reaches(a, h))
    store_lanes(out, 128, add_where_reached(b, t, a, h))
    bits[0] = where_changed_before(a, b, t, h)
    bits[1] = place_of_lowest(bits[0])

random = np.random.default_rng(1)
for _ in range(50):
    one, table, threshold = (random.integers(0, 2**32, 16, dtype=np.uint32) for _ in range(3))
    other = random.integers(0, 2**32, 19, dtype=np.uint32)
    b = other[3:]
    threshold[:4], one[4] = one[:4], 2**32 - 1  # a number reaches itself
    b[5:12] = (one[5:12] & 15) | (b[5:12] & ~np.uint32(15))  # only the four lowest bits tell
    out, bits = np.zeros(144, np.uint32), np.zeros(2, np.int64)
    tried(one, other, table, threshold, out, bits)
    reached = one >= threshold
    rows = [table[one & 15], one + b, one & b, one ^ b, one >> np.uint32(7), (one << np.uint32(7)) | (one >> np.uint32(25))]
    rows += [one << np.uint32(9), np.where(reached, np.uint32(2**32 - 1), np.uint32(0)), np.where(reached, b + table, b)]
    for name, expected in enumerate(rows):
        np.testing.assert_array_equal(out[16 * name :][:16], expected, err_msg=str(name))
    who = ((one & 15) != (b & 15)) & (table < threshold)
    assert bits[0] == sum(1 << lane for lane in np.flatnonzero(who))
    assert not who.any() or bits[1] == np.flatnonzero(who)[0]
features = cpu_target.target_context.codegen().magic_tuple()[2]
print("avx512f" if "+avx512f" in features else "avx2" if "+avx2" in features else "neither")
"""

PROCESSORS = [
    pytest.param({}, None, id="this one"),
    pytest.param({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}, "neither", id="without wide registers"),
]
if platform.machine() in ("x86_64", "AMD64"):
    PROCESSORS.append(pytest.param({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2"}, "avx2", id="tables of eight"))


@pytest.mark.parametrize(("processor", "looks_up_by"), PROCESSORS)
def test_instructions__are_the_arithmetic_of_numpy(processor: dict[str, str], looks_up_by: str | None) -> None:
    """Source: NumPy. A table is looked up in three ways, of which a processor needs one."""
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)} | processor
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, env=environment, capture_output=True, text=True)
    assert looks_up_by in (None, done.stdout.strip())
