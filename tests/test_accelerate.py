"""Compiled code is found by the content of what was compiled, and a damaged or unwritable folder costs time alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simengine.accelerate import IS_COMPILED
from simengine.benchmark.shipping import ship
from simengine.compilation import PROCESSOR_LEVELS, levels_here
from simengine.errors import UsageError

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="compilation is switched off")

# Philox is a leaf that compiles in a moment; hits and misses are Numba's own count.
ASK = """
import importlib, sys, numba, numpy as np
from simengine import accelerate, streams
for folder in sys.argv[1:]:
    numba.config.CACHE_DIR = folder
    importlib.reload(streams)  # its kernels are new, as in a process that has just begun
    values = streams.uniforms(1, "purpose", np.arange(4))
    dispatchers = [one.compiled for one in vars(streams).values() if isinstance(one, accelerate.CompiledLater)]
    print(sum(len(one.stats.cache_hits) for one in dispatchers), sum(len(one.stats.cache_misses) for one in dispatchers))
    print(values.tolist())
"""
Asked = tuple[list[int], str]


def ask_all(package_in: Path, *caches: Path, **more: str) -> tuple[list[Asked], str]:
    """Draw four numbers in a process of its own, once with each folder; hits and misses, the numbers, and what was said."""
    environment = {**os.environ, "PYTHONPATH": str(package_in), "NUMBA_CACHE_DIR": str(caches[0]), **more}
    command = [sys.executable, "-c", ASK, *map(str, caches)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=package_in)
    lines = done.stdout.splitlines()
    return [([int(n) for n in counts.split()], drawn) for counts, drawn in zip(lines[::2], lines[1::2], strict=True)], done.stderr


def ask(package_in: Path, cache: Path, **more: str) -> tuple[list[int], str, str]:
    (found,), said = ask_all(package_in, cache, **more)
    return *found, said


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The package without compiled code that a wheel would bring along."""
    ignored = shutil.ignore_patterns("__pycache__", "compiled")
    return Path(shutil.copytree(checkout / "simengine", tmp_path_factory.mktemp("original") / "simengine", ignore=ignored)).parent


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, original: Path) -> tuple[Path, str]:
    """A folder of compiled code, and the numbers that it gave."""
    folder = tmp_path_factory.mktemp("compiled")
    (_, misses), numbers, _ = ask(original, folder)
    assert misses > 0
    return folder, numbers


@pytest.fixture
def kept(tmp_path: Path, compiled: tuple[Path, str]) -> tuple[Path, str]:
    """The same, to be harmed."""
    return Path(shutil.copytree(compiled[0], tmp_path / "kept")), compiled[1]


@pytest.fixture
def copied(tmp_path: Path, original: Path) -> Path:
    """A copy of the package, with other dates."""
    shutil.copytree(original / "simengine", tmp_path / "copy" / "simengine", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def test_cache__copy_with_edits_elsewhere_finds_what_the_original_compiled(kept: tuple[Path, str], copied: Path) -> None:
    (copied / "simengine" / "cli.py").write_text("# An edit elsewhere.\n")
    os.utime(copied / "simengine" / "streams.py", (1, 1))

    (hits, misses), again, _ = ask(copied, kept[0])

    assert hits > 0
    assert (misses, again) == (0, kept[1])


def test_cache__what_is_kept_is_called_without_what_compiles(compiled: tuple[Path, str], original: Path) -> None:
    """Numba's part for linear algebra, and SciPy's, come with all that it can compile."""
    drawn = "import sys, numpy as np; from simengine import streams; streams.uniforms(1, 'purpose', np.arange(4))"
    command = [sys.executable, "-c", f"{drawn}; print([m for m in ('numba.np.linalg', 'scipy.linalg') if m in sys.modules])"]
    environment = {**os.environ, "PYTHONPATH": str(original), "NUMBA_CACHE_DIR": str(compiled[0])}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=original)

    assert done.stdout == "[]\n"


def test_cache__edit_of_an_imported_file_compiles_anew_and_keeps_both(kept: tuple[Path, str], original: Path, copied: Path) -> None:
    with (copied / "simengine" / "accelerate.py").open("a") as file:  # `streams` imports it
        file.write("\n# Another content.\n")

    assert ask(copied, kept[0])[0][0] == 0
    assert ask(copied, kept[0])[0][1] == 0
    assert ask(original, kept[0])[0][1] == 0


HARMS = [(suffix, harm) for suffix in ("nbi", "nbc") for harm in ("empty", "cut", "flipped")]


def test_cache__damaged_file_is_a_cold_entry(compiled: tuple[Path, str], tmp_path: Path, original: Path) -> None:
    folders = []
    for suffix, harm in HARMS:
        folders.append(Path(shutil.copytree(compiled[0], tmp_path / f"{suffix}-{harm}")))
        for path in folders[-1].rglob(f"*.{suffix}"):
            text = bytearray(path.read_bytes())
            text[len(text) // 2] ^= 4
            path.write_bytes(text[: {"empty": 0, "cut": 20, "flipped": len(text)}[harm]])

    found, said = ask_all(original, *folders)

    assert said == ""
    for ((hits, misses), again), folder in zip(found, folders, strict=True):
        assert (hits, again) == (0, compiled[1]), folder.name
        assert misses > 0, folder.name


def test_cache__folder_that_cannot_be_written_is_named_once(tmp_path: Path, original: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    _, _, said = ask(original, tmp_path / "file")

    assert said.count("\n") == 1
    assert said.startswith("simengine: compiled code cannot be kept: none of ")
    assert str(tmp_path / "file") in said


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, original: Path) -> tuple[Path, str, str]:
    """A package with compiled code for the level of this processor, that level, and the numbers that it gave."""
    if not levels_here():
        pytest.skip("this processor has no level for which code travels")
    level, folder = levels_here()[0], tmp_path_factory.mktemp("shipped")
    shutil.copytree(original / "simengine", folder / "copy" / "simengine", ignore=shutil.ignore_patterns("__pycache__"))
    asked = {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": PROCESSOR_LEVELS[level]}
    (_, misses), numbers, _ = ask(original, folder / "compiled", **asked)
    assert misses > 0
    shutil.copytree(folder / "compiled" / "simengine", folder / "copy" / "simengine" / "compiled" / level)
    return folder / "copy", level, numbers


def test_shipped_code__is_found_where_nothing_was_compiled(shipped: tuple[Path, str, str], tmp_path: Path) -> None:
    package, _, numbers = shipped

    (hits, misses), again, said = ask(package, tmp_path / "nothing")

    assert (misses, again, said) == (0, numbers, "")
    assert hits > 0
    assert not list((tmp_path / "nothing").rglob("*.nb?"))


def test_shipped_code__is_left_alone_where_another_processor_is_asked_for(shipped: tuple[Path, str, str], tmp_path: Path) -> None:
    package, _, numbers = shipped

    (hits, misses), again, _ = ask(package, tmp_path / "nothing", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")

    assert (hits, again) == (0, numbers)
    assert misses > 0


def test_shipped_code__that_is_damaged_counts_as_not_there(shipped: tuple[Path, str, str], tmp_path: Path) -> None:
    package = Path(shutil.copytree(shipped[0], tmp_path / "copy"))
    for path in (package / "simengine" / "compiled").rglob("*.nbc"):
        path.write_bytes(path.read_bytes()[:-40])

    (hits, misses), again, said = ask(package, tmp_path / "nothing")

    assert (hits, again, said) == (0, shipped[2], "")
    assert misses > 0


@pytest.mark.parametrize("level", ["x86-64-v9", "", *(level for level in PROCESSOR_LEVELS if level not in levels_here())])
def test_ship__refuses_a_level_that_is_none_or_not_of_this_processor(level: str) -> None:
    with pytest.raises(UsageError, match=r"^level: must be one"):
        ship(level)
