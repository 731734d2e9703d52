"""Blocks on the workers of a Dask cluster: the same bytes, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from simengine import Study
from simengine.errors import NotMeasuredError, ResultsError, SimengineError, UsageError
from simengine.store import engines
from simengine.store.block import Stretch, compute_and_encode
from simengine.store.engines import made_with, on_a_worker, on_dask
from tests.command import in_this_process
from tests.store.kept import fill, small_blocks, tree

__all__ = ["small_blocks"]
distributed: Any = pytest.importorskip("distributed", reason="Dask is not installed: `pip install 'simengine[dask]'`")


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of sockets of who was killed
def test_killed_worker__costs_its_block_and_no_bit(tiny: Study, tmp_path: Path) -> None:
    # Oracle: the same run on one thread of this process.
    fill(tiny, tmp_path / "threads", 120)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, protocol="tcp://"
    ) as cluster:
        first = next(iter(cluster.workers.values())).pid

        def kill() -> None:
            while not list(tmp_path.glob("dask/blocks/*.json")):
                time.sleep(0.01)
            os.kill(first, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        fill(tiny, tmp_path / "dask", 120, engine="dask", scheduler=cluster.scheduler_address)
        killer.join()
        assert next(iter(cluster.workers.values())).pid != first

    assert tree(tmp_path / "dask") == tree(tmp_path / "threads")


def stretch(study: Study) -> Stretch:
    return Stretch(study, 1, 0, 4, 4)


def test_worker__has_the_versions_of_whoever_asks(tiny: Study) -> None:
    assert on_a_worker(compute_and_encode, stretch(tiny), made_with()) == compute_and_encode(stretch(tiny))
    refused = on_a_worker(compute_and_encode, stretch(tiny), made_with() | {"numpy": "0.1"})
    assert not isinstance(refused, bytes)
    assert refused.message.startswith("--engine dask: workers must have the versions that stand here; found a worker with numpy ")


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (engines._Refused("the study: no"), SimengineError, "the study: no"),
        (
            engines._Refused("", {("saving", "nobody is seen of the service users"): (3,)}),
            NotMeasuredError,
            "in 1 of 10 replications",
        ),
        (distributed.CancelledError("x"), ResultsError, "the scheduler must stay until all tasks are done; found it lost"),
        (distributed.comm.core.CommClosedError("x"), ResultsError, "What is complete stays: `this` goes on"),
        (
            ImportError("No module named 'simengine'"),
            ResultsError,
            "workers must have simengine and what it needs; found: No module",
        ),
        (distributed.scheduler.KilledWorker("x", None, 3), ResultsError, "found one that several did not survive"),
    ],
)
def test_errors_of_workers__are_told_here(
    found: Any, kind: type[Exception], said: str, tiny: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Client:
        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def results(*_: object) -> Any:
        if isinstance(found, Exception):
            raise found
        yield 1, found

    monkeypatch.setattr(engines, "_client", lambda *_: Client())
    monkeypatch.setattr(engines, "_results", results)
    with pytest.raises(kind) as caught:
        on_dask({1: stretch(tiny)}, compute_and_encode, lambda *_: None, 10, 1, "tcp://here:1", "`this` goes on")
    assert type(caught.value) is kind
    assert said in str(caught.value)


def test_scheduler__that_does_not_answer_is_named(tiny_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_SECONDS_TO_CONNECT", 0.2)
    words = ["run", tiny_path, "-n", 40, "--store", tmp_path / "run", "--engine", "dask", "--scheduler"]
    done = in_this_process([*words, "tcp://127.0.0.1:9"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "simengine: --scheduler: must be the address of a Dask scheduler, such as tcp://host:8786; found tcp://127"
    )
    assert done.stderr.count("\n") == 1


def test_dask__that_is_not_installed_is_named(tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"must have Dask; found none\. `pip install 'simengine\[dask\]'` installs it"):
        engines._client(None, 1)
