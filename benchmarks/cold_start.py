"""How long a newcomer waits: `simengine demo` with nothing compiled before, and with everything compiled.

Run with `python -m benchmarks.cold_start [--runs 3]`. Each run is a whole process in an empty folder. *Cold* has empty caches for
compiled kernels and for fonts; *warm* has both filled.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    commands = {
        "demo, cold": (["demo"], True),
        "demo, warm": (["demo"], False),
        "run tiny, cold": (["run", str(Path("configs/tiny.yaml").resolve()), "--seed", "1"], True),
        "run tiny, warm": (["run", str(Path("configs/tiny.yaml").resolve()), "--seed", "1"], False),
        "--help": (["--help"], False),
    }
    with tempfile.TemporaryDirectory() as filled:
        medians: dict[str, float] = {}
        for name, (arguments, is_cold) in commands.items():
            if not is_cold:
                seconds_of(arguments, Path(filled))
            times = [seconds_of(arguments, None if is_cold else Path(filled)) for _ in range(runs)]
            medians[name] = statistics.median(times)
            print(f"{name:16} median {medians[name]:6.2f} s   min {min(times):6.2f}   max {max(times):6.2f}")
    for study in ("demo", "run tiny"):
        print(f"{study}: cold / warm {medians[f'{study}, cold'] / medians[f'{study}, warm']:.1f}")


def seconds_of(arguments: list[str], caches: Path | None) -> float:
    """Time one whole process; without caches given it has empty ones of its own."""
    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as folder:
        home = caches or Path(own)
        environment = os.environ | {"NUMBA_CACHE_DIR": str(home / "numba"), "MPLCONFIGDIR": str(home / "matplotlib")}
        started = time.perf_counter()
        call = [sys.executable, "-m", "simengine", *arguments]
        subprocess.run(call, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
