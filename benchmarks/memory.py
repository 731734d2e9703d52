"""How much memory a run of each shipped study needs at its peak: so much at once, and so many bytes for each replication.

Run with `python -m benchmarks.memory [--study NAME ...] [--dear 10] [--json]`, or with `--stored N ...` for runs in a store. Whole
processes, `simengine run` on two threads, with 100 and 2,000 replications, and with 20,000 where 2,000 took less than `--dear` CPU
seconds. Up to 2,000 the two blocks grow that are simulated at once; beyond them only results are kept. So there are two lines: one
for what a replication needs in a block, one for what it leaves.

With `--stored` the first study is run in a store (`simengine run --store`), and answered from it, with each of some numbers of
replications: that peak is to be the same whatever their number, and below `CEILING_MIB`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.processes import run_process
from simengine.config.load import shipped_studies

SIZES = (100, 2_000, 20_000)
CEILING_MIB = 500
"""Of a run of `tiny` in a store, with any number of replications."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", nargs="+", default=[path.stem for path in shipped_studies()])
    parser.add_argument(
        "--dear", type=float, default=10.0, help="CPU seconds of 2,000 replications beyond which 20,000 are left out"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--stored", nargs="+", type=int, help="numbers of replications of runs in a store")
    options = parser.parse_args()
    if options.stored:
        show_stored(options.study[0] if len(options.study) == 1 else "tiny", options.stored)
        return
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


def show_stored(study: str, sizes: list[int]) -> None:
    """Run a study in a store with some numbers of replications, each more than the last: what is there is added to."""
    print(f"{'replications':>14}{'peak MiB':>10}{'CPU s':>9}{'answered, MiB':>15}{'CPU s':>9}{'store MB':>10}")
    with tempfile.TemporaryDirectory() as place:
        store, before = Path(place, "run"), 0
        for n in sizes:
            begin = ["run", f"configs/{study}.yaml", "-n", str(n), "--threads", "2", "--seed", "1", "--store", str(store)]
            more = ["run", str(store), "--extend", str(n - before), "--threads", "2"]
            filled = run_process(["-m", "simengine", *(more if before else begin)])
            answered = run_process(["-m", "simengine", "run", str(store)])
            size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) / 1e6
            cells = (
                f"{filled.peak_mib:10.0f}{filled.cpu_seconds:9.0f}{answered.peak_mib:15.0f}{answered.cpu_seconds:9.0f}{size:10.0f}"
            )
            print(f"{n:14,}{cells}", flush=True)
            if max(filled.peak_mib, answered.peak_mib) > CEILING_MIB and study == "tiny":
                raise SystemExit(
                    f"a run in a store must stay below {CEILING_MIB} MiB; found {max(filled.peak_mib, answered.peak_mib):.0f}"
                )
            before = n


def call(study: str, n: int) -> list[str]:
    return ["-m", "simengine", "run", f"configs/{study}.yaml", "-n", str(n), "--threads", "2", "--seed", "1"]


def show(study: str, one: dict[str, Any]) -> None:
    cells = "".join(f"{one['peak_mib'][n]:10.0f}" if n in one["peak_mib"] else f"{'-':>10}" for n in SIZES)
    kept = "-" if one["bytes_kept"] is None else f"{one['bytes_kept']:,.0f}"
    print(f"{study:28}{cells}{one['base_mib']:10.0f}{one['bytes_in_a_block']:18,.0f}{kept:>12}", flush=True)


if __name__ == "__main__":
    main()
