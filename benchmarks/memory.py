"""How much memory a run of each shipped study needs at its peak: so much at once, and so many bytes for each replication.

Run with `python -m benchmarks.memory [--study NAME ...] [--dear 10] [--json]`. Whole processes, `simengine run` on two threads, with
100 and 2,000 replications, and with 20,000 where 2,000 took less than `--dear` CPU seconds. Up to 2,000 the two blocks grow that are
simulated at once; beyond them only results are kept. So there are two lines: one for what a replication needs in a block, one for
what it leaves.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks.processes import run_process
from simengine.config.load import shipped_studies

SIZES = (100, 2_000, 20_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", nargs="+", default=[path.stem for path in shipped_studies()])
    parser.add_argument(
        "--dear", type=float, default=10.0, help="CPU seconds of 2,000 replications beyond which 20,000 are left out"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    found = {}
    if not options.json:
        print(
            f"{'peak MiB':28}" + "".join(f"{n:>10,}" for n in SIZES) + f"{'base MiB':>10}{'bytes in a block':>18}{'bytes kept':>12}"
        )
    for study in options.study:
        found[study] = needed(study, options.dear)
        if not options.json:
            show(study, found[study])
    if options.json:
        print(json.dumps(found, indent=1))


def needed(study: str, dear: float) -> dict[str, Any]:
    """Return the peak of each size in MiB, and the two lines through them."""
    peaks: dict[int, float] = {}
    run_process(call(study, SIZES[0]))  # compiles what it needs
    for n in SIZES:
        done = run_process(call(study, n))
        peaks[n] = done.peak_mib
        if n == SIZES[1] and done.cpu_seconds > dear:
            break
    in_block = each_more(peaks, SIZES[0], SIZES[1])
    return {
        "peak_mib": peaks,
        "base_mib": peaks[SIZES[0]] - in_block * SIZES[0] / 2**20,
        "bytes_in_a_block": in_block,
        "bytes_kept": each_more(peaks, SIZES[1], SIZES[2]) if SIZES[2] in peaks else None,
    }


def each_more(peaks: dict[int, float], few: int, many: int) -> float:
    """Return the bytes of one more replication."""
    return (peaks[many] - peaks[few]) * 2**20 / (many - few)


def call(study: str, n: int) -> list[str]:
    return ["-m", "simengine", "run", f"configs/{study}.yaml", "-n", str(n), "--threads", "2", "--seed", "1"]


def show(study: str, one: dict[str, Any]) -> None:
    cells = "".join(f"{one['peak_mib'][n]:10.0f}" if n in one["peak_mib"] else f"{'-':>10}" for n in SIZES)
    kept = "-" if one["bytes_kept"] is None else f"{one['bytes_kept']:,.0f}"
    print(f"{study:28}{cells}{one['base_mib']:10.0f}{one['bytes_in_a_block']:18,.0f}{kept:>12}", flush=True)


if __name__ == "__main__":
    main()
