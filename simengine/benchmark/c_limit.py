"""The C limit: compile `c_limit.c` for this machine and call it; other programs in C are compiled in the same way."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from simengine.benchmark.workload import N_STATES, Workload, WorkloadCounts

SOURCE = Path(__file__).with_name("c_limit.c")
COMPILERS = ("cc", "gcc", "clang")
_FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")


class Unavailable(Exception):  # noqa: N818 - not an error: a version that cannot run here is skipped, with this reason
    """A version cannot run on this machine; the message says why."""


class CLimit:
    """The compiled program.

    Parameters
    ----------
    *flags
        More flags for the compiler; `-U__AVX512F__`, for instance, hides an instruction set from the program.
    """

    def __init__(self, *flags: str) -> None:
        self._library = compile_c(SOURCE, *flags)
        self._library.instructions.restype = ctypes.c_char_p
        integers = np.ctypeslib.ndpointer(np.int64, flags="C_CONTIGUOUS")
        floats = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
        number = ctypes.c_int64
        self._library.walk.argtypes = [
            ctypes.c_uint64, integers, number, number, number, integers, integers, number, floats, integers, integers,
        ]  # fmt: skip
        self._library.walk.restype = None

    @property
    def instructions(self) -> str:
        """Name the instruction set that the compiler found."""
        return bytes(self._library.instructions()).decode()

    def walk(self, workload: Workload) -> WorkloadCounts:
        """Run the order; the global lock is not held meanwhile."""
        n_replications, n_arms, n_strata, n_states, _ = workload.rows.shape
        if n_states != N_STATES:
            raise ValueError(f"the C program is written for {N_STATES} states; found {n_states}")
        occupancy, entries = np.empty((2, n_replications, n_arms, n_states), np.int64)
        self._library.walk(
            workload.seed, workload.replications, n_replications, n_arms, n_strata, workload.sizes, workload.start,
            workload.n_periods, workload.rows, occupancy, entries,
        )  # fmt: skip
        return WorkloadCounts(occupancy.astype(np.float64), entries.astype(np.float64))


def compile_c(source: Path, *flags: str) -> ctypes.CDLL:
    """Compile a program in C for this machine and load it.

    Parameters
    ----------
    source
        A file that needs nothing but the mathematical library and what lies beside it.
    *flags
        More flags for the compiler.

    Raises
    ------
    Unavailable
        If there is no compiler, or it cannot build or load the program; the message says why.
    """
    compiler = next((found for found in map(shutil.which, COMPILERS) if found), None)
    if compiler is None:
        raise Unavailable(f"no C compiler was found: none of {', '.join(COMPILERS)} is on the PATH")
    # A library that has been loaded stays, though its file goes with the folder; where a system refuses that, the file stays.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = Path(folder) / f"{source.stem}.so"
        call = [compiler, *_FLAGS, *flags, str(source), "-o", str(library), "-lm"]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            complaint = (done.stderr.strip() or "no message").split("\n")[0]
            raise Unavailable(f"{Path(compiler).name} could not build the program: {complaint}")
        try:
            return ctypes.CDLL(str(library))
        except OSError as error:
            raise Unavailable(f"the compiled program could not be loaded: {error}") from error
