"""Record of a run: enough to repeat it, and everything that may differ between two equal runs."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, TypedDict

PACKAGES = ("numpy", "scipy", "numba", "pydantic", "pandas", "pyarrow", "matplotlib")
SCHEMA_VERSION = 1


class Machine(TypedDict):
    """The machine."""

    system: str
    """Operating system."""
    processor: str
    """Kind of processor."""
    processors: int | None
    """Number of processors."""


class Clock(TypedDict):
    """When it ran."""

    started: str
    """Start in UTC."""
    seconds: float
    """Duration."""


class Provenance(TypedDict):
    """Record of a run."""

    schema_version: int
    """Version of this layout: 1."""
    software: Mapping[str, str]
    """By package: version of simengine, python, numpy, scipy, numba, pydantic, pandas, pyarrow, matplotlib."""
    machine: Machine
    """The machine on which it ran."""
    settings: Mapping[str, Any]
    """By option: what was asked, every option of the command by its name (`--at-most` is `at_most`). Beside these the file (`study`, or
    `contract` of a replay), `seed`, `replications`, `threads` and `block_size`, `variant` (null if there is none) and `overrides`: each
    `--set`, in order. Overrides and variant are in the study text, too."""
    study_sha256: str
    """SHA-256 of the study as it was run (`study.yaml` of the folder); of a replay, of the contract as JSON; of a
    reference class, of the checksums of its tables."""
    time: Clock
    """When it ran."""


class Stopwatch:
    """Measure the duration of a run."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._from = time.perf_counter()

    def reading(self) -> Clock:
        """Return the start of the run and the seconds since."""
        return {
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._from, 3),
        }


def describe_run(clock: Stopwatch, study_text: str, settings: Mapping[str, Any]) -> Provenance:
    """Describe a run: the software, the machine, the settings, and a fingerprint of the study.

    Parameters
    ----------
    clock
        Started when the run began.
    study_text
        The study as it was run, overrides included.
    settings
        Settings from the command line.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "software": {"simengine": metadata.version("simengine"), "python": platform.python_version()}
        | {name: metadata.version(name) for name in PACKAGES},
        "machine": {"system": platform.platform(), "processor": platform.machine(), "processors": os.cpu_count()},
        "settings": dict(settings),
        "study_sha256": hashlib.sha256(study_text.encode()).hexdigest(),
        "time": clock.reading(),
    }
