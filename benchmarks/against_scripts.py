"""The engine against what somebody could write instead: a NumPy script for Norrköping, programs in C for two larger studies.

Run with `python -m benchmarks.against_scripts [--runs 5] [--replications 100] [--json]`. A and B run in turns, so that neighbours
slow both; medians of CPU seconds are reported, and their ratios. Norrköping is a command on both sides, timed as a whole process
with 1,000 and with 10,000 replications: the difference is what a replication costs by itself. The other two are timed by
replication in processes of their own, after a first one that loads or compiles what is needed: the engine on one thread with all
that it does, the program in C on a table of numbers that were drawn for it. `python -m benchmarks.agreement` holds all of them to the
same answers.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from statistics import median
from typing import Any

from benchmarks.processes import Process, processor, run_process

FEW, MANY = 1_000, 10_000
STUDIES = ("botkyrka_ornskoldsvik", "peterborough")
SEED = 2016


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--replications", type=int, default=100, help="of each of the two larger studies")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--alone", nargs=2, metavar=("WHO", "STUDY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        who, study = options.alone
        print(json.dumps(alone(who, study, options.replications)))
        return
    found: dict[str, Any] = {"processor": processor(), "runs": options.runs, "norrkoping": commands(options.runs)}
    reason = c_is_missing()
    if reason:
        found["left_out"] = f"the programs in C: {reason}"
    else:
        found |= {study: by_replication(study, options.runs, options.replications) for study in STUDIES}
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)


def commands(runs: int) -> dict[str, Any]:
    """Time the script and the command in turns."""
    calls = {
        "script": ["benchmarks/norrkoping_numpy.py", "--seed", str(SEED), "--replications"],
        "engine": ["-m", "simengine", "run", "configs/norrkoping.yaml", "--seed", str(SEED), "-n"],
    }
    for call in calls.values():
        run_process([*call, str(FEW)])
    turns: dict[tuple[str, int], list[Process]] = {(who, n): [] for n in (FEW, MANY) for who in calls}
    for _ in range(runs):
        for who, n in turns:
            turns[who, n].append(run_process([*calls[who], str(n)]))
    by_who: dict[str, Any] = {}
    for who in calls:
        row = {f"cpu_seconds_at_{n}": median(one.cpu_seconds for one in turns[who, n]) for n in (FEW, MANY)}
        row |= {f"elapsed_seconds_at_{n}": median(one.elapsed_seconds for one in turns[who, n]) for n in (FEW, MANY)}
        row["ms_per_replication"] = 1e3 * median(each_more(turns[who, FEW], turns[who, MANY]))
        row |= {f"peak_mib_at_{n}": median(one.peak_mib for one in turns[who, n]) for n in (FEW, MANY)}
        by_who[who] = row
    ratios = {key: by_who["script"][key] / by_who["engine"][key] for key in by_who["script"]}
    return by_who | {"script_over_engine": ratios}


def each_more(few: list[Process], many: list[Process]) -> list[float]:
    """Return the CPU seconds of one more replication, turn by turn."""
    return [(b.cpu_seconds - a.cpu_seconds) / (MANY - FEW) for a, b in zip(few, many, strict=True)]


def by_replication(study: str, runs: int, n: int) -> dict[str, Any]:
    """Time one study in the engine and in C in turns, each in a process of its own."""
    turns: dict[str, list[dict[str, float]]] = {"engine": [], "c": []}
    for _ in range(runs):
        for who, its in turns.items():
            call = [
                "-m",
                "benchmarks.against_scripts",
                "--alone",
                who,
                study,
                "--replications",
                str(n if who == "engine" else 4 * n),
            ]
            process = run_process(call)
            its.append(json.loads(process.output) | {"peak_mib": process.peak_mib})
    by_who = {who: {key: median(one[key] for one in its) for key in its[0]} for who, its in turns.items()}
    keys = ("ms_per_replication", "peak_mib")
    ratio = {key: median(a[key] / b[key] for a, b in zip(*turns.values(), strict=True)) for key in keys}
    return by_who | {"engine_over_c": ratio}


def alone(who: str, study: str, n: int) -> dict[str, float]:
    """Run one study in this process, and return CPU time a replication and the memory that the run added to the peak."""
    import resource

    from benchmarks.c_programs import BOTKYRKA, PETERBOROUGH
    from simengine.pipeline import draw_numbers
    from simengine.replications.blocks import run_study

    program = next(one for one in (BOTKYRKA, PETERBOROUGH) if one.study == study)
    loaded = program.load()
    if who == "engine":
        run_study(loaded, 0, 2, threads=1)
    given = program.given(loaded, draw_numbers(loaded, SEED, n))
    if who == "c":
        program.run(0, given[:2])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    if who == "engine":
        run_study(loaded, SEED, n, threads=1)
    else:
        program.run(SEED, given)
    seconds = time.process_time() - started
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"ms_per_replication": 1e3 * seconds / n, "added_mib": added / (2**20 if sys.platform == "darwin" else 2**10)}


def c_is_missing() -> str:
    """Say why the programs in C cannot be built here; nothing if they can."""
    from benchmarks.c_programs import FOLDER
    from simengine.benchmark.c_limit import Unavailable, compile_c

    try:
        compile_c(FOLDER / "peterborough.c")
    except Unavailable as reason:
        return str(reason)
    return ""


def show(found: dict[str, Any]) -> None:
    print(found["processor"])
    rows = found["norrkoping"]
    print(f"\nnorrkoping, whole processes, medians of {found['runs']} turns{'script':>13}{'engine':>10}{'script / engine':>17}")
    for key in rows["script"]:
        values = (rows[who][key] for who in ("script", "engine", "script_over_engine"))
        print("{:44}{:13.3f}{:10.3f}{:17.2f}".format(key.replace("_", " "), *values))
    if "left_out" in found:
        print(f"\nleft out: {found['left_out']}")
        return
    print(f"\none thread, by replication{'engine':>31}{'C':>10}{'engine / C':>17}")
    for study in STUDIES:
        for key in found[study]["engine"]:
            ratio = found[study]["engine_over_c"].get(key)
            values = (found[study][who][key] for who in ("engine", "c"))
            name = f"{study}: {key.replace('_', ' ')}"
            print("{:44}{:13.2f}{:10.2f}".format(name, *values) + (f"{ratio:17.2f}" if ratio else ""))


if __name__ == "__main__":
    main()
