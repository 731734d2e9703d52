"""Count the moves that people make, and price them.

A move out of a state happens in the last step of the stay there, as an event of that step would: it counts in the windows and
years that hold this step, and is discounted to it.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import kernel
from simengine.arrays import Floats, Integers
from simengine.cohort.kernels.arrays import People, Stays, WindowArrays
from simengine.cohort.kernels.effects import row_for


@kernel
def count_moves(
    number: Integers,  # (s, s) of a move that has a price, from row to column; -1 for any other
    price: Floats,  # (b, o, k, v)
    discount: Floats,  # (b or 1, o, m)
    scale: Floats,  # (o, p) factor of each person; (0, 0) where nobody differs
    before: Integers,  # (p,) the first step of the clock that is not counted
    history: int,
    calendar_offset: int,  # step of the study in the first step of the tables
    people: People,
    stays: Stays,
    n_stays: int,
    windows: WindowArrays,
    total: Floats,  # (p, o, w) added to
    by_year: Floats,  # (b, o, y) added to
) -> None:
    """Price every move between two stays of a person."""
    # The stays of one person need not lie side by side: those of people who walk abreast do not.
    came_from = np.full(len(people.row), -1, np.int64)
    for x in range(n_stays):
        p, s = stays.person[x], stays.state[x]
        v, m = number[came_from[p], s] if came_from[p] >= 0 else np.int64(-1), stays.first[x] - 1
        came_from[p] = s
        if v < 0 or m >= before[p]:
            continue
        b, row = people.row[p], row_for(discount, people.row[p])
        year = (people.calendar[p] + calendar_offset + m) // 12
        for o in range(price.shape[1]):
            worth = price[b, o, people.stratum[p], v]
            if worth == 0.0:
                continue
            if len(scale) > 0:
                worth *= scale[o, p]
            for w in range(len(windows.stop)):
                if windows.begin[w] <= m < windows.stop[w] <= people.end[p]:
                    total[p, o, w] += worth * discount[row, o, m]
            if m >= history:
                by_year[b, o, year] += worth
