"""Print what a question will cost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from simengine.cli.options import in_words, say

if TYPE_CHECKING:
    from simengine.questions.cost import CostEstimate, Describe
    from simengine.questions.driver import Posed


def say_cost(posed: Posed, command: str, describe: Describe, output: Path | None, *, as_json: bool) -> None:
    """Work out what a question would cost, and print it."""
    from simengine.questions.cost import cost_of
    from simengine.report import document, folder
    from simengine.report.answers import as_plain

    if output is not None:
        folder.refuse_taken(output)
    cost = cost_of(posed, command, describe, is_kept=output is not None, started=time.process_time())
    say(document.as_json(as_plain(cost)) if as_json else _lines(cost))


def _lines(cost: CostEstimate) -> str:
    """Write a cost as lines of text.

    Examples
    --------
    >>> from simengine.questions.cost import CostEstimate
    >>> print(_lines(CostEstimate("stress", 12_000, True, 2, 1000, 61.0, 34.0, None, 1_500_000, {}, None, 512, ("memory",))))
    stress: 12,000 replications at most, on 2 threads, in blocks of at most 1,000
    time    about 30 seconds; 1 minute of CPU time
    memory  unknown
    disk    about 1.5 MB with -o
    Worked out from a trial on 512 replications; nothing was written.
    Not included: memory
    """
    most = " at most" if cost.is_most else ""
    threads = "one thread" if cost.threads == 1 else f"{cost.threads} threads"
    trial = f"a trial on {cost.tried:,} replications" if cost.tried else "the time of a few replications"
    lines = [
        f"{cost.command}: {cost.replications_worked:,} replications{most}, on {threads}, in blocks of at most {cost.block_size:,}",
        f"time    about {in_words(cost.elapsed_seconds)}; {in_words(cost.cpu_seconds)} of CPU time",
        f"memory  {_bytes(cost.peak_memory_bytes)}{'' if cost.peak_memory_bytes is None else ' at the peak'}",
        f"disk    {_bytes(cost.disk_bytes)}{'' if cost.disk_bytes is None else ' with -o'}",
        *([] if cost.store_bytes is None else [f"store   {_bytes(cost.store_bytes)}"]),
        f"Worked out from {trial}; nothing was written.",
        *(f"Not included: {one}" for one in cost.not_included),
    ]
    return "\n".join(lines)


def _bytes(number: int | None) -> str:
    """Write a number of bytes in a unit that suits it.

    Examples
    --------
    >>> [_bytes(one) for one in (None, 800, 24_000, 3_260_000, 412_000_000, 2_210_000_000)]
    ['unknown', 'about 0.8 kB', 'about 24 kB', 'about 3.3 MB', 'about 410 MB', 'about 2.2 GB']
    """
    if number is None:
        return "unknown"
    unit, size = next((one for one in (("GB", 1e9), ("MB", 1e6)) if number >= one[1]), ("kB", 1e3))
    return f"about {float(f'{number / size:.2g}'):g} {unit}"
