"""The only place where Numba flags are chosen.

Kernels are compiled on first use and cached beside the package or, where that folder is read-only, in the user's cache
folder. Where neither can be written Numba refuses to cache: then the kernels are compiled anew in each process, which
costs seconds but changes no result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a leaf function: no Python objects, no global lock, no reordering of floating-point arithmetic."""
    try:
        return cast(Function, njit(nogil=True, cache=True)(function))
    except RuntimeError:  # "cannot cache function: no locator available"
        return cast(Function, njit(nogil=True)(function))


def device(function: Function) -> Function:
    """Compile a small function that only kernels call; it is compiled, and cached, as a part of each of them."""
    return cast(Function, njit(nogil=True)(function))


def inlined(function: Function) -> Function:
    """Compile a small function that is written into its caller before anything is optimised.

    Only so can the compiler turn a loop around it into vector instructions.
    """
    return cast(Function, njit(nogil=True, inline="always")(function))
