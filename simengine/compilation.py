"""How Numba is asked to compile, and where compiled kernels are kept: loaded when the first kernel is called.

Kernels are kept beside the package or, where that folder is read-only, in the user's cache folder;
`NUMBA_CACHE_DIR` names another. Where none can be written, kernels are compiled anew in each process, which costs seconds but
changes no result.

What is kept is found by content: its name holds a hash of the kernel's file and of all files of the package that this one imports.
So a copy, a checkout or an edit elsewhere loses nothing, and two versions never take each other's code. Numba's own test looks at
the kernel's file alone, not at the files of functions compiled into it. What cannot be read, or is damaged, counts as not there.

A wheel may bring compiled code along, for levels of processors and not for one of them (`make wheel`): it is looked for where
nothing was compiled here before.
"""

# Numba has no types to tell.
# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import pickle
import platform
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llvmlite.binding import get_host_cpu_features
from numba import config as _config
from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, NullCache, _CacheLocator
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.misc.appdirs import AppDirs

_PACKAGE = Path(__file__).resolve().parent
_IMPORT = re.compile(rb"^\s*from (simengine[\w.]*) import|^\s*import (simengine[\w.]*)", re.MULTILINE)
_CHECKSUM_BYTES = hashlib.sha256().digest_size


@functools.cache
def _files_of(path: Path) -> frozenset[Path]:
    """List a file and the files of the package that it imports, directly or not."""
    found, waiting = {path}, [path]
    while waiting:
        for match in _IMPORT.finditer(waiting.pop().read_bytes()):
            place = _PACKAGE.joinpath(*(match[1] or match[2]).decode().split(".")[1:])
            # Of a package it is unknown here which of its modules is meant: all of them.
            modules = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
            fresh = [one for one in modules if one not in found and one.is_file()]
            found.update(fresh)
            waiting += fresh
    return frozenset(found)


@functools.cache
def content_of(path: Path) -> str:
    """Hash all that is compiled into the kernels of a file."""
    digest = hashlib.sha256()
    for one in sorted(_files_of(path)):
        text = one.read_bytes()
        digest.update(f"{one.relative_to(_PACKAGE).as_posix()} {len(text)} ".encode() + text)
    return digest.hexdigest()


SHIPPED = _PACKAGE / "compiled"
"""Where a wheel keeps compiled code: a folder a level."""
_LEVEL_3 = (
    "+avx,+avx2,+bmi,+bmi2,+cmov,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sahf,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,"
    "+xsave"
)
PROCESSOR_LEVELS: Mapping[str, str] = {
    "x86-64-v4": f"{_LEVEL_3},+avx512bw,+avx512cd,+avx512dq,+avx512f,+avx512vl",
    "x86-64-v3": _LEVEL_3,
}
"""What the processors of a level can do, by the name that LLVM has for it; the better level first."""


@functools.cache
def levels_here() -> tuple[str, ...]:
    """List the levels of this processor, the best first; none where somebody asks Numba for another one."""
    if getattr(_config, "CPU_NAME", None) is not None or platform.machine() not in ("x86_64", "AMD64"):
        return ()
    can = {name for name, is_there in get_host_cpu_features().items() if is_there}
    return tuple(level for level, needed in PROCESSOR_LEVELS.items() if {one[1:] for one in needed.split(",")} <= can)


class _ByContent(_CacheLocator):
    """Say where the code of a kernel is kept, and under which name."""

    def __init__(self, function: Any, folder: Path) -> None:
        self._file, self._folder = Path(function.__code__.co_filename).resolve(), folder
        self._line = function.__code__.co_firstlineno
        self._py_file = str(self._file)

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return content_of(self._file)

    def get_disambiguator(self) -> str:
        room = ".".join(self._file.relative_to(_PACKAGE).with_suffix("").parts[:-1])
        return f"{room}-{self._line}-{content_of(self._file)[:16]}"

    @classmethod
    def from_function(cls, function: Any, py_file: str) -> _ByContent | None:
        if not Path(py_file).resolve().is_relative_to(_PACKAGE):
            return None
        for folder in _folders():
            locator = cls(function, folder)
            with contextlib.suppress(OSError):
                locator.ensure_cache_path()
                return locator
        return None


def _folders() -> list[Path]:
    """List the folders in which compiled code may be kept, the first choice first."""
    if asked := getattr(_config, "CACHE_DIR", ""):
        return [Path(asked) / "simengine"]
    return [_PACKAGE / "__pycache__" / "kernels", Path(AppDirs(appname="simengine", appauthor=False).user_cache_dir)]


class _Checked(IndexDataCacheFile):
    """Files that begin with a checksum of the rest; what is damaged counts as not there."""

    def _load_index(self) -> Any:
        try:
            version, stamp, overloads = self._read(self._index_path)
        except OSError:
            return {}
        return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: Any) -> None:
        self._write(self._index_path, (self._version, self._source_stamp, overloads))

    def _load_data(self, name: str) -> Any:
        return self._read(self._data_path(name))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), data)

    def _read(self, path: str) -> Any:
        checksum, kept = (text := Path(path).read_bytes())[:_CHECKSUM_BYTES], text[_CHECKSUM_BYTES:]
        if hashlib.sha256(kept).digest() != checksum:
            raise OSError(f"{path} is damaged")  # to Numba, what cannot be read is not there
        return pickle.loads(kept)

    def _write(self, path: str, value: Any) -> None:
        kept = self._dump(value)
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(kept).digest() + kept)


class _Cache(FunctionCache):
    """What is kept of a kernel, found by content; what cannot be kept is said once, and changes nothing else."""

    class _impl_class(CompileResultCacheImpl):  # noqa: N801 (Numba's name)
        _locator_classes = [_ByContent]

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = _Checked(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # Numba would load all that it can compile first, a third of a second, of which code that is kept needs the allocator alone.
        # Where nothing is kept, the compiler loads the rest before it begins.
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
            return self._shipped(sig, target_context) if found is None else found

    def _shipped(self, sig: Any, target_context: Any) -> Any:
        codegen = target_context.codegen()
        triple, code = codegen.magic_tuple()[0], self._index_key(sig, codegen)[2]
        for level in levels_here() if SHIPPED.is_dir() else ():
            files = _Checked(str(SHIPPED / level), self._impl.filename_base, self._impl.locator.get_source_stamp())
            data = files.load((sig, (triple, level, PROCESSOR_LEVELS[level]), code))
            if data is not None:
                return self._impl.rebuild(target_context, data)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say_not_kept(f"{self._cache_path}: {error.strerror or error}")


class _NoCache(NullCache):
    """No folder can be written."""

    def save_overload(self, sig: Any, cres: Any) -> None:  # noqa: ARG002
        _say_not_kept(f"none of {', '.join(map(str, _folders()))} can be written")


@functools.cache
def _say_not_kept(why: str) -> None:
    way_out = "Each run compiles anew, for up to a minute; set NUMBA_CACHE_DIR to a folder that can be written"
    logging.getLogger("simengine").warning("simengine: compiled code cannot be kept: %s. %s", why, way_out)


def compiled(function: Callable[..., Any], *, is_kept: bool, is_inlined: bool) -> Any:
    """Compile a function; without the global lock, and without reordering floating-point arithmetic.

    What Python calls is kept by itself, what only kernels call as a part of each of them.
    """
    made: Any = njit(nogil=True, inline="always" if is_inlined else "never")(function)
    if is_kept:
        try:
            made._cache = _Cache(function)
        except RuntimeError:  # "cannot cache function: no locator available"
            made._cache = _NoCache()
    return made


def type_of(compiled: Any) -> Any:
    """Return what Numba takes a compiled function or an instruction for, where another one calls it."""
    return cpu_target.typing_context.resolve_value_type(compiled)
