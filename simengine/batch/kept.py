"""The statistics of the studies of a batch, each in a file that appears as a whole: a batch that was stopped goes on with the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simengine.disk import sum_of
from simengine.errors import ResultsError
from simengine.interruption import say_if_stopped
from simengine.risk.statistics import Statistic
from simengine.store import locks
from simengine.store.engines import made_with
from simengine.store.record import read_sealed, write_sealed


class KeptStatistics:
    """A folder of statistics by what decides them; none if no folder is named."""

    way_on = "the same command does what is missing, if it has a --store"
    """For messages."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Claim the folder for this process.

        Raises
        ------
        ResultsError
            If it cannot be made, or another process has claimed it.
        """
        if self._folder is None:
            yield
            return
        locks.make_folder(self._folder)
        say_if_stopped(f"what is complete stays in {self._folder}, and the same command goes on")
        with locks.claimed(self._folder):
            yield

    def _place(self, folder: Path, key: Mapping[str, Any]) -> Path:
        return folder / f"{sum_of(json.dumps({**key, 'made_with': made_with()}).encode())[:32]}.json"

    def read(self, key: Mapping[str, Any]) -> Mapping[str, Statistic] | None:
        """Read the statistics of a study, once their checksum holds; None where they are not there.

        Raises
        ------
        ResultsError
            If they have changed.
        """
        if self._folder is None or not (path := self._place(self._folder, key)).exists():
            return None
        found = read_sealed(path, "the statistics of a study")["statistics"]
        return {name: _statistic(one) for name, one in found.items()}

    def write(self, key: Mapping[str, Any], name: str, statistics: Mapping[str, Statistic]) -> None:
        """Keep the statistics of a study.

        Raises
        ------
        ResultsError
            If they cannot be written.
        """
        if self._folder is None:
            return
        plain = {path: asdict(one) for path, one in statistics.items()}
        try:
            write_sealed(self._place(self._folder, key), {"name": name, "statistics": plain})
        except OSError as error:
            way_out = "What is complete stays: make room, and the same command goes on"
            raise ResultsError(f"{self._folder}: must take the statistics; found: {error.strerror}. {way_out}") from None


def _statistic(plain: dict[str, Any]) -> Statistic:
    interval = plain["interval_95"]
    return Statistic(**{**plain, "interval_95": None if interval is None else tuple(interval)})
