"""What works on many tasks, such as the blocks of a run: threads of this process, or the workers of a Dask cluster; the bits are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import Any, TypeVar, cast

from simengine.errors import NotMeasuredError, ResultsError, SimengineError, UsageError
from simengine.replications.blocks import map_items

_Key = TypeVar("_Key")
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
_SECONDS_TO_CONNECT = 20
_AHEAD = 2
"""Tasks for each thread of the workers that wait or are worked on: so many results may be held here at once."""
_MADE_WITH = ("simengine", "numpy", "numba", "scipy", "pyarrow")


def work_on(
    engine: str,
    scheduler: str | None,
    tasks: Mapping[_Key, _Task],
    work: Callable[[_Task], _Result],
    done: Callable[[_Key, _Result], None],
    n_replications: int,
    threads: int,
    way_on: str,
) -> None:
    """Work on tasks by an engine of that name; the rest as for `on_dask`."""
    if engine == "dask":
        on_dask(tasks, work, done, n_replications, threads, scheduler, way_on)
    else:
        on_threads(tasks, work, done, n_replications, threads)


def on_threads(
    tasks: Mapping[_Key, _Task],
    work: Callable[[_Task], _Result],
    done: Callable[[_Key, _Result], None],
    n_replications: int,
    threads: int,
) -> None:
    """Work on tasks on threads; each result is handed over as soon as it is there.

    Parameters
    ----------
    tasks
        By key: plain data.
    work
        From a task to its result.
    done
        Takes the key of a task, and its result.
    n_replications
        Of all tasks together, for what is said of what was not measured.
    threads
        Tasks that are worked on at once.
    """

    def one(key: _Key) -> None:
        done(key, work(tasks[key]))

    map_items(one, tasks, n_replications, threads=threads)


@dataclass(frozen=True)
class _Refused:
    """An error of a worker as plain data: an exception does not travel whole."""

    message: str
    lacking: Mapping[tuple[str, str], tuple[int, ...]] | None = None
    """What was not measured, if that is the error."""


def made_with() -> dict[str, str]:
    """Return the versions that decide the bits of a result."""
    return {name: metadata.version(name) for name in _MADE_WITH}


def on_a_worker(work: Callable[[_Task], _Result], task: _Task, versions: Mapping[str, str]) -> _Result | _Refused:
    """Work on a task on a worker, which must have the versions of whoever asks."""
    here = made_with()
    if here != versions:
        apart = ", ".join(f"{name} {here[name]} and not {version}" for name, version in versions.items() if here[name] != version)
        return _Refused(f"--engine dask: workers must have the versions that stand here; found a worker with {apart}")
    try:
        return work(task)
    except NotMeasuredError as error:
        return _Refused(str(error), error.lacking)
    except SimengineError as error:
        return _Refused(str(error))


def on_dask(
    tasks: Mapping[_Key, _Task],
    work: Callable[[_Task], _Result],
    done: Callable[[_Key, _Result], None],
    n_replications: int,
    threads: int,
    scheduler: str | None,
    way_on: str,
) -> None:
    """Work on tasks on the workers of a Dask cluster; their results come back here, so that workers need no common disk.

    A worker that dies costs the task that it works on, which another one does.

    Parameters
    ----------
    tasks, work, done, n_replications
        As for `on_threads`; the work is a function of a module, which workers import.
    threads
        Workers of the cluster that is made here if there is no scheduler: as many processes.
    scheduler
        The address of one, such as tcp://host:8786.
    way_on
        What goes on where the scheduler is lost, for the message.

    Raises
    ------
    UsageError
        If Dask is not installed, or no scheduler answers.
    ResultsError
        If the scheduler is lost, or no worker stays alive.
    """
    if not tasks:
        return
    lacking: list[NotMeasuredError] = []
    with _quietly(), _client(scheduler, threads) as client, _losses_told(way_on):
        for key, found in _results(client, tasks, work, threads):
            if not isinstance(found, _Refused):
                done(key, found)
            elif found.lacking is None:
                raise SimengineError(found.message)
            else:
                lacking.append(NotMeasuredError(found.lacking, n_replications))
    if lacking:
        raise NotMeasuredError.joined(lacking, n_replications)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the log of Dask off the terminal while it works here: what matters of it becomes one message."""
    import logging
    from importlib.util import find_spec

    if find_spec("distributed") is not None:
        import distributed  # noqa: F401 # which sets the levels of its loggers
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _losses_told(way_on: str) -> Iterator[None]:
    """Say that the scheduler was lost, or that no worker survives a block."""
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker:
        rule, way_out = "workers must stay alive until a task is done", "Give them more memory, or take a smaller --block-size"
        raise ResultsError(f"--engine dask: {rule}; found one that several did not survive. {way_out}; {way_on}") from None
    except ImportError as error:
        raise ResultsError(
            f"--engine dask: workers must have simengine and what it needs; found: {error}. Install it there; {way_on}"
        ) from None
    except _losses():
        rule = "the scheduler must stay until all tasks are done"
        raise ResultsError(f"--engine dask: {rule}; found it lost. What is complete stays: {way_on}") from None


def _losses() -> tuple[type[BaseException], ...]:
    import asyncio
    from concurrent import futures

    from distributed import CancelledError
    from distributed.comm.core import CommClosedError

    return CancelledError, CommClosedError, asyncio.CancelledError, futures.CancelledError, OSError, TimeoutError


def _client(scheduler: str | None, threads: int) -> Any:
    """Connect to a scheduler, or make a cluster of processes here."""
    try:
        import distributed
    except ImportError:
        raise UsageError("--engine dask: must have Dask; found none. `pip install 'simengine[dask]'` installs it") from None
    client: Any = distributed.Client
    try:
        if scheduler is None:
            return client(
                n_workers=threads,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                set_as_default=False,
                protocol="tcp://",
            )
        return client(scheduler, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"--scheduler: must be the address of a Dask scheduler, such as tcp://host:8786; found {scheduler}: {found}"
        ) from None


def _results(
    client: Any, tasks: Mapping[_Key, _Task], work: Callable[[_Task], _Result], threads: int
) -> Iterator[tuple[_Key, _Result | _Refused]]:
    """Yield what tasks came to, in the order in which they are done; only some wait at once."""
    import distributed

    versions, waiting = made_with(), iter(tasks.items())
    of: dict[Any, _Key] = {}

    def submit() -> Any:
        for key, task in waiting:
            future = client.submit(on_a_worker, work, task, versions, pure=False)
            of[future.key] = key
            return future
        return None

    at_once = _AHEAD * max(sum(client.nthreads().values()), threads)
    begun = [future for future in (submit() for _ in range(at_once)) if future is not None]
    completed: Any = cast("Any", distributed.as_completed)(begun, loop=client.loop)
    for future in completed:
        found = future.result()
        key = of.pop(future.key)
        if (more := submit()) is not None:
            completed.add(more)
        del future
        yield key, found
