"""How a function is marked that is compiled; nothing is compiled, nor Numba loaded, before the first of them is called.

So what only reads, checks or explains a study never waits for a compiler.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
"""Whether anything is compiled; what cannot run otherwise has a slower stand-in that gives the same bits."""

_ONE_AT_A_TIME = threading.RLock()
_MOST_PLAIN_STEPS = 100_000
"""Steps of plain Python that take about as long as loading Numba."""


class _Here(threading.local):
    is_plain = False


_here = _Here()


class CompiledLater:
    """A function that is compiled when it is first called, or when the first kernel that calls it is."""

    def __init__(self, function: Callable[..., Any], compile_it: Callable[[], Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self._compile, self._compiled = compile_it, None

    def __call__(self, *arguments: Any) -> Any:
        """Call what it was compiled to."""
        return self.py_func(*arguments) if _here.is_plain else self.compiled(*arguments)

    @property
    def compiled(self) -> Any:
        """What Numba made of it, and calls."""
        if self._compiled is None:
            with _ONE_AT_A_TIME:
                for name in self.py_func.__code__.co_names:
                    # Numba must know what is called before it reads the caller.
                    if isinstance(called := self.py_func.__globals__.get(name), CompiledLater):
                        _ = called.compiled
                self._compiled = self._compiled or self._compile()
        return self._compiled

    # By these two Numba, while it compiles a caller, takes this for what stands behind it.

    @property
    def _numba_type_(self) -> Any:
        from simengine.compilation import type_of

        return type_of(self.compiled)

    @property
    def targetoptions(self) -> Any:
        """Whether it is written into its caller."""
        return self.compiled.targetoptions


@contextlib.contextmanager
def plainly_if_few(n_steps: int) -> Iterator[None]:
    """Call kernels as they are written, without a compiler, where they are over before Numba would be loaded."""
    if "numba" in sys.modules or n_steps > _MOST_PLAIN_STEPS:
        yield
        return
    _here.is_plain = True
    try:
        with np.errstate(all="ignore"):  # compiled code warns of nothing either
            yield
    finally:
        _here.is_plain = False


def kernel(function: Function) -> Function:
    """Compile a leaf function: no Python objects, no global lock, no reordering of floating-point arithmetic."""
    return _later(function, is_kept=True)


def device(function: Function) -> Function:
    """Compile a small function that only kernels call; it is compiled, and kept, as a part of each of them."""
    return _later(function)


def inlined(function: Function) -> Function:
    """Compile a small function that is written into its caller before anything is optimised.

    Only so can the compiler turn a loop around it into vector instructions.
    """
    return _later(function, is_inlined=True)


def instruction(module: str, name: str, *arguments: Any) -> Any:
    """Name an instruction that another module defines, by its name there or by calling what is so named."""

    def load_it() -> Any:
        found = getattr(importlib.import_module(module), name)
        return found(*arguments) if arguments else found

    return CompiledLater(load_it, load_it)


def _later(function: Function, *, is_kept: bool = False, is_inlined: bool = False) -> Function:
    def compile_it() -> Any:
        from simengine.compilation import compiled

        return compiled(function, is_kept=is_kept, is_inlined=is_inlined)

    return cast(Function, CompiledLater(function, compile_it)) if IS_COMPILED else function
