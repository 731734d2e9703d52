"""Whole processes: their CPU seconds, elapsed seconds and peak memory; and on what processor they ran."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
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


def run_process(arguments: Sequence[str], more_environment: Mapping[str, str] | None = None) -> Process:
    """Run this Python with some arguments, in the folder of the project, and wait for it.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"} | dict(more_environment or {})
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        output = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.perf_counter() - started
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed with exit code {child.returncode}")
    return Process(used.ru_utime + used.ru_stime, elapsed, used.ru_maxrss * _KIB / 2**20, output)


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
