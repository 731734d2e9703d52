"""What few studies have beside a loan: lines of credit, which are drawn again, and grants.

Apart from the walk, which asks for it only where there is any: so a study without either is walked as fast as if neither existed.
"""

from __future__ import annotations

from simengine.accelerate import device
from simengine.arrays import Floats, Integers
from simengine.capital.kernels.arrays import (
    CASH,
    DUE_INTEREST,
    GIVEN,
    OUTSTANDING,
    PEAK,
    SPENT,
    WORK,
    Lines,
    WaterfallFlags,
)
from simengine.capital.kernels.parts import total


@device
def receive_grants(want: int, by_plan: Integers, at_most: Integers, whole: Integers, out: Integers) -> int:
    """Receive the grants of a month, those by plan first; return what costs need beyond them."""
    for o in range(len(out)):
        out[o] = by_plan[o]
        want -= out[o]
    for o in range(len(out)):
        part = max(min(want, at_most[o] - whole[GIVEN, o]), 0)
        whole[GIVEN, o] += part
        out[o] += part
        want -= part
    whole[CASH, WORK] += total(out)
    return max(want, 0)


@device
def note_draws(revolving: WaterfallFlags, room: Integers, whole: Integers, drawn: Integers) -> None:
    """Note how far lines of credit are drawn."""
    for k in range(len(revolving)):
        if revolving[k]:
            whole[PEAK, k] = max(whole[PEAK, k], whole[OUTSTANDING, k])
            if drawn[k] > 0 and room[k] == 0:
                whole[SPENT, k] = 1


@device
def reopen_lines(m: int, lines: Lines, member: Integers, got: Integers, room: Integers) -> None:
    """Let principal that was paid back on lines of credit be drawn again."""
    for i in range(len(member)):
        if lines.revolving[member[i]] and m <= lines.until[member[i]]:
            room[member[i]] += got[i]


@device
def charge_fees(m: int, fee: Floats, until: Integers, room: Integers, real: Floats) -> None:
    """Add one month's fee on what may still be drawn to the interest due."""
    for k in range(len(fee)):
        if m <= until[k]:
            real[DUE_INTEREST, k] += room[k] * fee[k]


@device
def close_lines(m: int, until: Integers, room: Integers) -> None:
    """Let nothing more be drawn from a tranche after its last month."""
    for k in range(len(until)):
        if m > until[k]:
            room[k] = 0


@device
def may_be_given(begin: int, given: Integers, out: WaterfallFlags) -> None:
    """Add the months from `begin` in which a grant falls due."""
    for m in range(begin, len(out)):
        for o in range(given.shape[1]):
            out[m] = out[m] or given[m, o] != 0
