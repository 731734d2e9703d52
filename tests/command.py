"""Run the command line within the tests' own process, which saves its start: the same `main`, the same exit codes, both streams."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from simengine.cli import main as cli
from simengine.interruption import EXIT_CODES


def in_this_process(words: Sequence[object], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `simengine` with some words, and give what a process of its own would have left."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    handlers = {number: signal.getsignal(number) for number in EXIT_CODES}
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["simengine", *map(str, words)])
        patch.setattr("simengine.cli.options._LONG_SECONDS", float("inf"))  # how long a machine takes is no part of an answer
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # the program is called simengine, not pytest
        if cwd is not None:
            patch.chdir(cwd)
        try:
            cli.run_command()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    printed, said = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(list(words), code, printed, said)
