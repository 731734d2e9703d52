"""The only place where Numba flags are chosen.

Kernels are compiled on first use and cached beside the package or, where that folder is read-only, in the user's cache
folder. Where neither can be written Numba refuses to cache: then the kernels are compiled anew in each process, which
costs seconds but changes no result.

Numba asks whether the file of a kernel has changed since it was compiled, not whether the files have of the small functions
that were compiled into it. So the freshness of every kernel is that of all files here that such functions stand in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import config as _config
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

IS_COMPILED = not getattr(_config, "DISABLE_JIT", 0)
"""Whether anything is compiled; what cannot run otherwise has a slower stand-in that gives the same bits."""


def _freshness() -> tuple[tuple[str, int, int], ...]:
    """Give name, date and size of every file of the package that is compiled."""
    package = Path(__file__).resolve().parent
    files = [
        *package.glob("*.py"),
        *package.glob("**/kernels.py"),
        *package.glob("**/kernels/*.py"),
        *package.glob("benchmark/*.py"),
    ]
    return tuple((str(path.relative_to(package)), path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(files))


_FRESHNESS = _freshness()


def kernel(function: Function) -> Function:
    """Compile a leaf function: no Python objects, no global lock, no reordering of floating-point arithmetic."""
    try:
        compiled: Any = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        return cast(Function, njit(nogil=True)(function))
    if compiled is not function:  # as it is where compilation is switched off
        compiled._cache._cache_file._source_stamp = _FRESHNESS
    return cast(Function, compiled)


def device(function: Function) -> Function:
    """Compile a small function that only kernels call; it is compiled, and cached, as a part of each of them."""
    return cast(Function, njit(nogil=True)(function))


def inlined(function: Function) -> Function:
    """Compile a small function that is written into its caller before anything is optimised.

    Only so can the compiler turn a loop around it into vector instructions.
    """
    return cast(Function, njit(nogil=True, inline="always")(function))
