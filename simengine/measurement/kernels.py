"""Draw which rows of a list of outcomes reached are recorded, and for whom one is claimed falsely."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.arrays import Flags, Floats, Int16s, Int32s, Integers, Lots
from simengine.streams import philox, uniform_pair

_BITS = np.uint64(16)


@kernel
def keep_rows(
    seed: np.uint64,
    purpose: np.uint64,
    replications: Integers,  # (r,)
    share: Floats,  # (r,) that is missed
    number: int,  # of the outcome
    first_row: Integers,  # (r + 1,)
    person: Int32s,  # (x,)
    outcome: Int16s,  # (x,)
    month: Int16s,  # (x,)
    kept: Flags,  # (x,) made false for rows that are missed
) -> None:
    """Miss some rows of an outcome."""
    for r in range(len(replications)):
        for x in range(first_row[r], first_row[r + 1]):
            if outcome[x] == number:
                u, _ = uniform_pair(seed, np.uint64(month[x]), np.uint64(person[x]), np.uint64(replications[r]), purpose)
                if u < share[r]:
                    kept[x] = False


@kernel
def claim_falsely(
    seed: np.uint64,
    purpose: np.uint64,
    replications: Integers,  # (r,)
    share: Floats,  # (r,) of those who did not reach it
    first_person: Integers,  # (r + 1,)
    entry: Int16s,  # (people,)
    has_it: Flags,  # (people,)
    within: int,  # months after entry
    horizon: int,
    month: Integers,  # (people,) filled: of the false claim, -1 for none
) -> None:
    """Choose people who did not reach an outcome for whom it is claimed, in any of the months after entry."""
    for r in range(len(replications)):
        for p in range(first_person[r], first_person[r + 1]):
            month[p] = -1
            months = min(within, horizon - entry[p])
            if has_it[p] or months <= 0:
                continue
            person = np.uint64(p - first_person[r])
            u, v = uniform_pair(seed, np.uint64(0), person, np.uint64(replications[r]), purpose)
            if u < share[r]:
                month[p] = entry[p] + 1 + min(np.int64(v * months), months - 1)


@kernel
def draw_lots(
    seed: np.uint64,
    purpose: np.uint64,
    replications: Integers,  # (r,)
    first_row: Integers,  # (r + 1,)
    person: Int32s,  # (x,)
    outcome: Int16s,  # (x,)
    month: Int16s,  # (x,)
    lots: Lots,  # (x,) filled
) -> None:
    """Draw a word of 32 bits for each row, the same whatever other rows there are."""
    for r in range(len(replications)):
        for x in range(first_row[r], first_row[r + 1]):
            index = (np.uint64(outcome[x]) << _BITS) | np.uint64(month[x])
            word, _, _, _ = philox(seed, index, np.uint64(person[x]), np.uint64(replications[r]), purpose)
            lots[x] = np.uint32(word)
