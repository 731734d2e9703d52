"""Compile everything for a level of processors, to travel in a wheel: `python -m simengine.benchmark.shipping x86-64-v3`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from simengine.compilation import PROCESSOR_LEVELS, SHIPPED, levels_here
from simengine.errors import UsageError, one_of


def ship(level: str) -> Path:
    """Compile everything that `warmup` compiles, and put it into the package; return the folder.

    Raises
    ------
    UsageError
        If there is no such level, or if this processor is below it: what is compiled is also run.
    """
    if level not in PROCESSOR_LEVELS:
        raise UsageError(f"level: must be one of the levels of processors; found {level}. {one_of(PROCESSOR_LEVELS)}")
    if level not in levels_here():
        raise UsageError(f"level: must be one that this processor has; found {level}. {one_of(levels_here())}")
    with tempfile.TemporaryDirectory() as folder:
        asked = {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": PROCESSOR_LEVELS[level], "NUMBA_CACHE_DIR": folder}
        subprocess.run([sys.executable, "-m", "simengine", "warmup"], env={**os.environ, **asked}, check=True)
        shutil.rmtree(SHIPPED / level, ignore_errors=True)
        return Path(shutil.copytree(Path(folder) / "simengine", SHIPPED / level))


if __name__ == "__main__":
    try:
        for one in sys.argv[1:]:
            ship(one)
    except UsageError as error:
        sys.exit(f"simengine: {error}")
