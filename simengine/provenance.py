"""Record of a run: enough to repeat it, and everything that may differ between two equal runs."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

PACKAGES = ("numpy", "scipy", "numba", "pydantic", "pandas", "pyarrow", "matplotlib")
SCHEMA_VERSION = 1


class Stopwatch:
    """Measure the duration of a run."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._from = time.perf_counter()

    def reading(self) -> dict[str, Any]:
        """Return the start of the run and the seconds since."""
        return {
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._from, 3),
        }


def describe_run(clock: Stopwatch, study_text: str, settings: Mapping[str, Any]) -> dict[str, Any]:
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
