"""The names of what may work on the blocks of a run, or on the studies of a batch: known without loading any of it."""

from __future__ import annotations

from simengine.errors import UsageError

ENGINES = ("threads", "dask")


def refuse_scheduler_alone(engine: str, scheduler: str | None) -> None:
    """Refuse the address of a scheduler where nothing would ask it.

    Raises
    ------
    UsageError
        If there is one, and the engine is not Dask.
    """
    if scheduler is not None and engine != "dask":
        raise UsageError("--scheduler: must go with --engine dask; found threads. Add --engine dask, or leave it out")
