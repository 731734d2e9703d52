"""Whole processes: their CPU seconds, elapsed seconds and peak memory; and on what processor they ran."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_KIB = 1 if sys.platform == "darwin" else 1024
"""What the system counts peak memory in: bytes on one, KiB on the others."""


@dataclass(frozen=True)
class Process:
    """What a process took."""

    cpu_seconds: float
    elapsed_seconds: float
    peak_mib: float
    output: str


_MEASURE = """
import json, os, sys, time
started = time.perf_counter()
child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ)
_, status, used = os.wait4(child, 0)
took = [used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss]
os.write(int(sys.argv[1]), json.dumps([os.waitstatus_to_exitcode(status), *took]).encode())
"""
"""A process is never said to need less than the one that started it held: so a small one stands between."""


def run_process(arguments: Sequence[str]) -> Process:
    """Run this Python with some arguments, in the folder of the project, and wait for it.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    reads, writes = os.pipe()
    call = [sys.executable, "-S", "-c", _MEASURE, str(writes), *arguments]
    done = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, pass_fds=[writes])
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as said:
        exit_code, cpu, elapsed, peak = json.load(said)
    if exit_code != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed with exit code {exit_code}: {done.stderr.strip()}")
    return Process(cpu, elapsed, peak * _KIB / 2**20, done.stdout)


def processor() -> str:
    """Name the processor, its family and model, and the widest vector instructions that it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()}, {os.cpu_count()} processors; instruction sets unknown"
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = said.get("flags", "").split()
    widest = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "neither AVX2 nor AVX-512")
    family = f"family {said.get('cpu family', '?')}, model {said.get('model', '?')}"
    return f"{said.get('model name', platform.machine())} ({family}), {widest}, {os.cpu_count()} processors"
