"""The types of arrays, and of indices, used in computing code."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Index: TypeAlias = int | np.int64
Flags: TypeAlias = NDArray[np.bool_]
Int16s: TypeAlias = NDArray[np.int16]
Int32s: TypeAlias = NDArray[np.int32]
Lots: TypeAlias = NDArray[np.uint32]
"""A lot for each of several things, even over all 32-bit numbers."""
Masks: TypeAlias = NDArray[np.uint64]
"""Sets of up to 64 things, one bit for each."""
