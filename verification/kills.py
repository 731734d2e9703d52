"""Kill runs in a store at random points, and see whether what goes on gives the bytes of an uninterrupted run.

A run of a small study is begun in a process of its own. At a random point it is killed (SIGKILL: at a random moment, or where a file
reaches the disk, gets its name or is removed), or a write fails (the disk is full, the medium fails, or files may not be that large).
Some runs are extended meanwhile, and killed again while they go on. In the end the run goes on undisturbed, what was left behind is
swept, and every file must be that of an uninterrupted run; the answer then is too. With `--dask`, the workers of a cluster of
processes are killed by their own process id instead, and at the end the scheduler is.

    python -m verification.kills --points 100 [--dask 10] [--seed 1]
"""

from __future__ import annotations

import argparse
import errno
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from simengine import Study, find_study, load_study
from simengine.errors import ResultsError
from simengine.store import folder as stores
from simengine.store import record as records
from simengine.store import run
from simengine.store.folder import is_store, open_store
from tests.store.kept import fill, kill_at, sweep, tree

N, MORE = 110, 45
WAYS = ("killed at a moment", "killed at the disk", "disk full", "medium fails", "file too large")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100, help="points at which a run is killed or a write fails")
    parser.add_argument("--dask", type=int, default=0, help="workers of a Dask cluster that are killed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run.IN_A_BLOCK = 1
    study, random = load_study(find_study("tiny")), np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as place:
        fill(study, Path(place, "whole"), N)
        fill(study, Path(place, "longer"), N + MORE)
        seconds = _seconds(study, Path(place, "timed"))
        failed = _kill(study, Path(place), random, options.points, seconds)
        failed += _kill_workers(study, Path(place), options.dask) if options.dask else 0
    sys.exit(1 if failed else 0)


def _seconds(study: Study, folder: Path) -> float:
    started = time.perf_counter()
    fill(study, folder, N)
    return time.perf_counter() - started


def _kill(study: Study, place: Path, random: np.random.Generator, points: int, seconds: float) -> int:
    """Disturb runs at random points, and count those that came to other bytes."""
    done, hit, wrong = Counter[str](), Counter[str](), 0
    while sum(done.values()) < points:
        folder = place / f"run{sum(done.values())}"
        times, extends = int(random.integers(1, 4)), bool(random.integers(2))
        for _ in range(times):
            way = WAYS[int(random.integers(len(WAYS)))]
            done[way] += 1
            hit[way] += _disturbed(study, folder, way, random, seconds, extends=extends)
        if not is_store(folder) or open_store(folder).record.replications == N:
            fill(study, folder, N, extend=MORE if extends and is_store(folder) else 0)
        fill(study, folder, N)
        sweep(folder)
        is_longer = open_store(folder).record.replications > N
        if tree(folder) != tree(place / ("longer" if is_longer else "whole")):
            wrong += 1
            print(f"{folder}: other bytes after {times} disturbances", flush=True)
        else:
            shutil.rmtree(folder)
    for way in WAYS:
        print(f"{way:20} {done[way]:4} points, {hit[way]:4} of them before the end", flush=True)
    print(f"{sum(done.values())} points: {wrong} runs came to other bytes")
    return wrong


def _disturbed(study: Study, folder: Path, way: str, random: np.random.Generator, seconds: float, *, extends: bool) -> bool:
    """Let a child go on with a run, and disturb it; return whether it was still at work."""
    point = int(random.integers(0, 60 if way == "killed at the disk" else 10))
    after = float(random.uniform(0, 0.9 * seconds))
    size = int(random.integers(100, 28_000))

    def work() -> None:
        if way == "killed at the disk":
            kill_at(point)
        elif way == "file too large":
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        elif way != "killed at a moment":
            _fail_at(point, errno.ENOSPC if way == "disk full" else errno.EIO)
        more = MORE if extends and is_store(folder) and open_store(folder).record.replications == N else 0
        fill(study, folder, N, extend=more)

    child = _forked(work)
    if way == "killed at a moment":
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return status != 0


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        code = 0
        try:
            work()
        except ResultsError as error:
            # What fails is told in one line, and what it tells is that it can be gone on with.
            code = 1 if "\n" not in str(error) else 3
        finally:
            os._exit(code)
    return child


def _fail_at(point: int, number: int) -> None:
    """Let one write fail."""
    writes, write = iter(range(10**9)), stores.write_whole

    def failing(path: Path, content: bytes) -> None:
        if next(writes) == point:
            raise OSError(number, os.strerror(number))
        write(path, content)

    stores.write_whole = failing
    records.write_whole = failing


def _kill_workers(study: Study, place: Path, kills: int) -> int:
    """Kill workers one after the other while a cluster fills a store; then the scheduler of another one."""
    import distributed

    n = 40 * N
    fill(study, place / "threads", n)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        is_done, killed = threading.Event(), []

        def kill() -> None:
            while len(killed) < kills and not is_done.wait(0.7):
                workers = [worker for worker in cluster.workers.values() if worker.pid is not None and worker.pid not in killed]
                if workers:
                    killed.append(workers[0].pid)
                    os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        refused = 0
        while not is_store(place / "dask") or open_store(place / "dask").missing():
            try:
                fill(study, place / "dask", n, engine="dask", scheduler=cluster.scheduler_address)
            except ResultsError:
                refused += 1  # one block that several workers did not survive
        is_done.set()
        killer.join()
    same = tree(place / "dask") == tree(place / "threads")
    print(
        f"{len(killed)} workers killed by their process id, {refused} refusals gone on with: {'the same bytes' if same else 'OTHER BYTES'}"
    )
    return 0 if same and _lose_the_scheduler(study, place) else 1


def _lose_the_scheduler(study: Study, place: Path) -> bool:
    import subprocess

    n, folder = 40 * N, place / "lost"
    program = Path(sys.executable).with_name("dask")
    call = [program, "scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1"]
    scheduler = subprocess.Popen(call, stderr=subprocess.PIPE, text=True)
    assert scheduler.stderr is not None
    line = next(line for line in scheduler.stderr if "Scheduler at" in line)
    threading.Thread(target=lambda: list(scheduler.stderr or []), daemon=True).start()
    address = line.split()[-1]
    worker = subprocess.Popen([program, "worker", address, "--nthreads", "1", "--no-dashboard"], stderr=subprocess.DEVNULL)

    def kill() -> None:
        while not list(folder.glob("blocks/*.json")):
            time.sleep(0.05)
        os.kill(scheduler.pid, signal.SIGKILL)

    threading.Thread(target=kill).start()
    try:
        fill(study, folder, n, engine="dask", scheduler=address)
        said = "nothing"
    except ResultsError as error:
        said = str(error)
    os.kill(worker.pid, signal.SIGKILL)
    for process in (scheduler, worker):
        process.wait()
    there = len(open_store(folder).entries)
    fill(study, folder, n)
    same = tree(folder) == tree(place / "threads")
    print(
        f"scheduler killed: {said}\n{there} blocks were there; gone on with on threads: {'the same bytes' if same else 'OTHER BYTES'}"
    )
    return same and "found it lost" in said


if __name__ == "__main__":
    main()
