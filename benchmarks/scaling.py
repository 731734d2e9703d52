"""What a run in a store gains from threads and from the workers of a Dask cluster, what a block costs, and what follows on paper.

Run with `python -m benchmarks.scaling [--study tiny] [--blocks 12] [--runs 3] [--json]`. One process; all ways in turns, on the same
blocks of 16,000 replications, so that what else runs on the machine meets all alike: the medians are printed, and the load. A cluster
is up before it is timed. Of a block: CPU time to simulate it and to write it as Parquet, and the time until it is safely on the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import processor
from simengine.config import Study, find_study, load_study
from simengine.replications.ensemble import Ensemble
from simengine.report.document import as_text, kept_text
from simengine.risk import summarise
from simengine.store.block import Stretch, compute, encode
from simengine.store.run import IN_A_BLOCK, Keeping, fill_store
from simengine.store.stored_results import stored_results

AT_ONCE = 1_000
SEED = 1
MOST = 2**32
"""Replications that one seed has."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="tiny")
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    study = load_study(find_study(options.study))
    found: dict[str, Any] = {"study": options.study, "processor": processor(), "load": os.getloadavg()[0]}
    found |= measured(study, options.blocks, options.runs)
    found["on_paper"] = on_paper(found["block"], 10**10, 1_000)
    print(json.dumps(found, indent=1)) if options.json else show(found)


def measured(study: Study, n_blocks: int, runs: int) -> dict[str, Any]:
    """Fill a store in every way, in turns, and take a block apart."""
    with tempfile.TemporaryDirectory() as place, cluster(1) as one, cluster(2) as two:
        ways: dict[str, Callable[[Path], float]] = {
            "1 thread": lambda folder: filled(study, folder, n_blocks, 1),
            "2 threads": lambda folder: filled(study, folder, n_blocks, 2),
            "1 Dask worker": lambda folder: filled(study, folder, n_blocks, 1, one),
            "2 Dask workers": lambda folder: filled(study, folder, n_blocks, 2, two),
        }
        for name, way in ways.items():
            way(Path(place, f"first {name}"))  # loads and compiles
        turns = [{name: way(Path(place, f"{turn} {name}")) for name, way in ways.items()} for turn in range(runs)]
        elapsed = {name: median(turn[name] for turn in turns) for name in ways}
        return {
            "replications": n_blocks * AT_ONCE * IN_A_BLOCK,
            "blocks": n_blocks,
            "elapsed_seconds": elapsed,
            "times_as_fast": {name: median(turn["1 thread"] / turn[name] for turn in turns) for name in ways},
            "block": parts_of_a_block(study, Path(place), runs) | {"answer": answered(study, Path(place), n_blocks)},
        }


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Keep a cluster of processes up."""
    import distributed

    made: Any = distributed.LocalCluster
    with made(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, protocol="tcp://") as there:
        yield there.scheduler_address


def filled(study: Study, folder: Path, n_blocks: int, threads: int, scheduler: str | None = None) -> float:
    """Fill a store, and return the seconds."""
    engine = "threads" if scheduler is None else "dask"
    keeping = Keeping(folder, (kept_text(study), as_text(study.contract)), engine=engine, scheduler=scheduler)
    started = time.perf_counter()
    fill_store(keeping, study, Ensemble(SEED, n_blocks * AT_ONCE * IN_A_BLOCK, threads, AT_ONCE))
    return time.perf_counter() - started


def parts_of_a_block(study: Study, place: Path, runs: int) -> dict[str, float]:
    """Return the CPU seconds to simulate a block and to write it as Parquet, the seconds to put it on the disk, and its bytes."""
    store = fill_store(Keeping(place / "parts", (kept_text(study), as_text(study.contract))), study, Ensemble(SEED, 32, 1, AT_ONCE))
    n = AT_ONCE * IN_A_BLOCK
    simulated, encoded, kept = [], [], []
    for turn in range(runs):
        began = time.process_time()
        block = compute(Stretch(study, SEED, turn * n, (turn + 1) * n, AT_ONCE))
        middle = time.process_time()
        content = encode(block)
        encoded.append(time.process_time() - middle)
        simulated.append(middle - began)
        started = time.perf_counter()
        store.write((turn * n, (turn + 1) * n), content)
        kept.append(time.perf_counter() - started)
    return {
        "replications": n,
        "simulated": median(simulated),
        "encoded": median(encoded),
        "on_the_disk": median(kept),
        "bytes": len(content),
    }


def answered(study: Study, place: Path, n_blocks: int) -> float:
    """Return the CPU seconds of the answer for each block."""
    store = fill_store(Keeping(place / "first 1 thread", ("", ""), is_begun=True), study, Ensemble(SEED, 2))
    began = time.process_time()
    summarise(stored_results(store))
    return (time.process_time() - began) / n_blocks


def on_paper(block: dict[str, float], replications: int, workers: int) -> dict[str, float]:
    """Work out what many replications take, from the parts of a block.

    Shards on workers that all have a disk to themselves: simulating, writing and waiting add up for each block, and workers do not
    wait for each other. One process answers for each seed.
    """
    blocks = replications / block["replications"]
    seeds = -(-replications // MOST)
    each = block["simulated"] + block["encoded"] + block["on_the_disk"]
    return {
        "replications": replications,
        "workers": workers,
        "seeds": seeds,
        "cpu_hours": blocks * (block["simulated"] + block["encoded"]) / 3600,
        "hours_elapsed": blocks * each / workers / 3600,
        "terabytes": blocks * block["bytes"] / 1e12,
        "hours_of_answer_per_seed": blocks * block["answer"] / seeds / 3600,
    }


def show(found: dict[str, Any]) -> None:
    print(f"{found['processor']}; load {found['load']:.1f}")
    print(f"{found['study']}: {found['replications']:,} replications in {found['blocks']} blocks")
    for name, seconds in found["elapsed_seconds"].items():
        print(f"{name:16}{seconds:8.2f} s{found['times_as_fast'][name]:8.2f} times as fast as one thread")
    block = found["block"]
    parts = ", ".join(f"{name.replace('_', ' ')} {block[name]:.3f} s" for name in ("simulated", "encoded", "on_the_disk", "answer"))
    print(f"a block of {block['replications']:,}, {block['bytes'] / 1e6:.2f} MB: {parts}")
    print("on paper: " + ", ".join(f"{name.replace('_', ' ')} {value:,.3g}" for name, value in found["on_paper"].items()))


if __name__ == "__main__":
    main()
