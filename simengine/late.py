"""Libraries that are loaded when they are first used: what does not need them does not wait for them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def late(name: str) -> Any:
    """Return a module that is imported at the first use of anything in it."""
    return _Late(name)


special, linalg, optimize, stats, qmc = (late(f"scipy.{name}") for name in ("special", "linalg", "optimize", "stats", "stats.qmc"))
