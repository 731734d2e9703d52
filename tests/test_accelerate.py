"""Compiled code is kept, and made anew when any file that it was made of has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT

DRAW = """
import numpy as np
from simengine.streams import _fill_uniforms

out = np.empty(1)
_fill_uniforms(np.uint64(1), np.uint64(2), np.array([3]), out)
print(out[0], sum(_fill_uniforms.stats.cache_hits.values()))
"""


def draw(folder: Path) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, check=True, env=environment, cwd=folder)
    return done.stdout.split()


def test_kernel__is_kept_until_any_compiled_file_changes(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "simengine", tmp_path / "simengine", ignore=shutil.ignore_patterns("__pycache__"))
    first, again = draw(tmp_path), draw(tmp_path)

    # Another file than that of the kernel.
    other = tmp_path / "simengine" / "cohort" / "kernels" / "between.py"
    other.write_text(other.read_text() + "\n# changed\n")

    assert (first[1], again[1], draw(tmp_path)[1]) == ("0", "1", "0")
    assert first[0] == again[0]
