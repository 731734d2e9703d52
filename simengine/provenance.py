"""Record of a run: enough to repeat it, and everything that may differ between two equal runs."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, TypedDict

from simengine.disk import sum_of

PACKAGES = ("numpy", "scipy", "numba", "pydantic", "pandas", "pyarrow", "matplotlib")
SCHEMA_VERSION = 2


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
    """Version of this layout: 2."""
    command: str
    """The command."""
    arguments: list[str]
    """What the command names beside the study, such as other contracts, as the folder of the answer keeps them."""
    stream_version: int
    """Version of the layout of the random streams: results of another one differ."""
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
    contract_sha256: str | None
    """SHA-256 of its contract as text: of the `contract.yaml` that `simengine explain -o` writes of that study; null where there is no
    study, or several."""
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


def describe_run(
    clock: Stopwatch,
    study_text: str,
    settings: Mapping[str, Any],
    *,
    command: str,
    arguments: Sequence[str] = (),
    contract_text: str | None = None,
) -> Provenance:
    """Describe a run: the command, the software, the machine, the settings, and fingerprints of the study and of its contract.

    Parameters
    ----------
    clock
        Started when the run began.
    study_text
        The study as it was run, overrides included.
    settings
        Settings from the command line.
    command
        Its name.
    arguments
        What it names beside the study, as it is kept.
    contract_text
        The contract of the study.
    """
    from simengine.streams import STREAM_VERSION

    return {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "arguments": list(arguments),
        "stream_version": STREAM_VERSION,
        "software": {"simengine": metadata.version("simengine"), "python": platform.python_version()}
        | {name: metadata.version(name) for name in PACKAGES},
        "machine": {"system": platform.platform(), "processor": platform.machine(), "processors": os.cpu_count()},
        "settings": dict(settings),
        "study_sha256": sum_of(study_text.encode()),
        "contract_sha256": None if contract_text is None else sum_of(contract_text.encode()),
        "time": clock.reading(),
    }
