"""How much sooner two threads finish than one, on every shipped study whose replication takes more than 0.2 ms.

Run with `python -m benchmarks.threads [--runs 5] [--seconds 2] [--json]`. One process; both numbers of threads in turns on the same
replications, as many as one thread does in `--seconds`. Elapsed time says what is gained, if nothing else runs: the load of the
machine is printed. CPU time says what two threads cost more; over elapsed time, how many processors they had.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from statistics import median

from benchmarks.processes import processor
from simengine.config import Study, find_study, load_study
from simengine.config.load import shipped_studies
from simengine.replications.blocks import run_study

LEAST_MS = 0.2
FEW = 200
FIRST = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--study", nargs="+", default=[path.stem for path in shipped_studies()])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    found = {}
    if not options.json:
        print(f"{processor()}; load {os.getloadavg()[0]:.1f}")
        print(f"{'':26}{'ms, one thread':>16}{'n':>8}{'elapsed 1/2':>13}{'CPU 2/1':>9}{'processors had':>16}")
    for name in options.study:
        one = speed_up(load_study(find_study(name)), options.runs, options.seconds)
        if one is None:
            continue
        found[name] = one
        if not options.json:
            values = (one[key] for key in ("ms", "replications", "elapsed_1_over_2", "cpu_2_over_1", "processors"))
            print("{:26}{:16.2f}{:8.0f}{:13.2f}{:9.2f}{:16.2f}".format(name, *values), flush=True)
    if options.json:
        print(json.dumps(found, indent=1))


def speed_up(study: Study, runs: int, seconds: float) -> dict[str, float] | None:
    """Time one and two threads in turns; nothing if a replication is too short."""
    run_study(study, 0, 4, threads=2)
    few = FIRST if timed(study, 1, FIRST)[1] > 0.1 else FEW
    each = (timed(study, 1, 3 * few)[1] - timed(study, 1, few)[1]) / (2 * few)  # without what a run takes by itself
    if 1e3 * each < LEAST_MS:
        return None
    n = max(int(seconds / each) // 2 * 2, 4)
    turns = [(timed(study, 1, n), timed(study, 2, n)) for _ in range(runs)]
    return {
        "ms": 1e3 * median(cpu for (_, cpu), _ in turns) / n,
        "replications": n,
        "elapsed_1_over_2": median(one[0] / two[0] for one, two in turns),
        "cpu_2_over_1": median(two[1] / one[1] for one, two in turns),
        "processors": median(two[1] / two[0] for _, two in turns),
    }


def timed(study: Study, threads: int, n: int) -> tuple[float, float]:
    """Return elapsed and CPU seconds."""
    elapsed, cpu = time.perf_counter(), time.process_time()
    run_study(study, 1, n, threads=threads)
    return time.perf_counter() - elapsed, time.process_time() - cpu


if __name__ == "__main__":
    main()
