"""How long somebody waits for a first answer: whole processes, in CPU time over that of `python -c "import numpy, numba"`.

Run with `python -m benchmarks.first_answer [--runs 5] [--against FOLDER]`. Each command runs in turn with the unit, so that neighbours
slow both; caches are filled beforehand. FOLDER is another checkout of this project, measured in the same turns.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
UNIT = ["-c", "import numpy, numba"]
COMMANDS = {
    "check": ["check", "norrkoping.yaml"],
    "lint": ["lint", "norrkoping.yaml"],
    "explain": ["explain", "norrkoping.yaml"],
    "replay": ["replay", "contracts/peterborough.yaml"],
    "schema": ["schema", "study"],
    "run tiny": ["run", "tiny.yaml", "-n", "1000", "--seed", "1"],
    "run norrkoping": ["run", "norrkoping.yaml", "-n", "1000", "--seed", "1"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    places = {"here": CONFIGS.parent} | ({"there": options.against.resolve()} if options.against else {})
    with tempfile.TemporaryDirectory() as kept:
        for name, words in COMMANDS.items():
            call = ["-m", "simengine", *words]
            for place in places.values():
                seconds_of(call, place, kept)
            turns = [
                (seconds_of(UNIT, CONFIGS.parent, kept), *(seconds_of(call, one, kept) for one in places.values()))
                for _ in range(options.runs)
            ]
            ratios = [statistics.median(turn[1 + k] / turn[0] for turn in turns) for k in range(len(places))]
            print(f"{name:16}" + "".join(f"   {place} {ratio:5.2f}" for place, ratio in zip(places, ratios, strict=True)))
        for place, folder in places.items():
            with tempfile.TemporaryDirectory() as results:
                plain = statistics.median(
                    seconds_of(["-m", "simengine", *COMMANDS["run tiny"]], folder, kept) for _ in range(options.runs)
                )
                keeps = [["-m", "simengine", *COMMANDS["run tiny"], "-o", f"{results}/{run}"] for run in range(options.runs)]
                kept_too = statistics.median(seconds_of(call, folder, kept) for call in keeps)
            print(f"-o adds to run tiny, {place}: {kept_too - plain:.2f} s")


def seconds_of(arguments: list[str], package_in: Path, kept: str) -> float:
    """Return the CPU seconds of a whole process."""
    environment = os.environ | {"PYTHONPATH": str(package_in), "NUMBA_CACHE_DIR": kept, "MPLCONFIGDIR": kept}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=CONFIGS, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
