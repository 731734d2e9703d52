"""Plant small errors, one at a time, and count how many the tests of their room notice.

Run with `python -m verification.mutation [--seconds 600] [--most 1000] [--seed 1] [room ...]`, without a compiler: an error is put in by
exchanging the code of one function in a copy of the process, in which the tests then run until one fails. A test that takes twenty
times as long as it should, and at least a minute, has noticed too. The table names every error that nobody noticed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import random
import signal
import sys
import time
import types
from collections import Counter
from pathlib import Path

from verification.mutation.errors import PlantedError, errors_in

CHECKOUT = Path(__file__).resolve().parents[2]
_CONFORM = "tests/conformance/test_set.py"
ROOMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rounding": (("simengine/rounding.py",), ("tests/test_rounding.py",)),
    "program": (
        ("simengine/contract/kernels/program.py",),
        (
            "tests/contract/test_settle.py",
            "tests/contract/test_terms.py",
            "tests/contract/test_limits.py",
            "tests/contract/test_twin.py",
        ),
    ),
    "card": (
        ("simengine/contract/kernels/card.py", "simengine/contract/card_arrays.py"),
        ("tests/contract/test_rate_card.py", "tests/contract/test_variations.py", _CONFORM),
    ),
    "capital": (
        tuple(f"simengine/capital/kernels/{name}.py" for name in ("parts", "walk", "beside")),
        (
            "tests/capital/test_distribute.py",
            "tests/capital/test_structures.py",
            "tests/capital/test_lines.py",
            "tests/capital/test_twin.py",
        ),
    ),
    "pricing": (
        ("simengine/capital/pricing.py",),
        ("tests/capital/test_distribute.py", "tests/capital/test_failing_payee.py", "tests/capital/test_own_costs.py"),
    ),
    "estimators": (
        ("simengine/measurement/designs.py", "simengine/measurement/samples.py", "simengine/measurement/kernels.py"),
        ("tests/measurement/test_measure.py", "tests/measurement/test_designs.py", "tests/measurement/test_cross_section.py"),
    ),
}
"""By name: the modules, and the tests that are asked, the quickest first."""


def main() -> int:
    """Print the score of each room and the errors that survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[[], *ROOMS])
    parser.add_argument("--seconds", type=float, default=600.0, help="for each room")
    parser.add_argument("--most", type=int, default=1000, help="errors that are planted in each room, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        os.environ["NUMBA_DISABLE_JIT"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "verification.mutation", *sys.argv[1:]])
    for room in options.rooms or ROOMS:
        _report(room, options.seconds, options.most, options.seed)
    return 0


def _report(room: str, seconds: float, most: int, seed: int) -> None:
    modules, tests = ROOMS[room]
    planted = [error for path in modules for error in errors_in(CHECKOUT / path)]
    for path in modules:
        importlib.import_module(path.removesuffix(".py").replace("/", "."))
    began = time.monotonic()
    if _noticed(None, tests, 3600.0):
        raise SystemExit(f"{room}: the tests must pass before anything is planted")
    patience = max(60.0, 20 * (time.monotonic() - began))
    counts, survivors = Counter[bool](), list[PlantedError]()
    drawn = random.Random(seed).sample(planted, min(most, len(planted)))
    began = time.monotonic()
    for error in drawn:
        if time.monotonic() - began > seconds:
            break
        is_noticed = _noticed(error, tests, patience)
        counts[is_noticed] += 1
        survivors += [] if is_noticed else [error]
    took = time.monotonic() - began
    share = counts[True] / max(counts.total(), 1)
    print(
        f"{room}: {counts[True]} of {counts.total()} noticed ({share:.0%}), of {len(planted)} that can be; {took:.0f} s", flush=True
    )
    for error in sorted(survivors, key=lambda one: (one.path, one.line)):
        print(f"  {error.path.relative_to(CHECKOUT)}:{error.line} {error.function}: {error.words}", flush=True)


def _noticed(error: PlantedError | None, tests: tuple[str, ...], patience: float) -> bool:
    """Run the tests in a copy of this process with an error planted; return whether one failed."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(error, tests))
    until = time.monotonic() + patience
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _tested(error: PlantedError | None, tests: tuple[str, ...]) -> int:
    import pytest

    if error is not None:
        _function_of(error).__code__ = error.code
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", *tests]) != 0)


def _function_of(error: PlantedError) -> types.FunctionType:
    name = error.path.relative_to(CHECKOUT).with_suffix("").as_posix().replace("/", ".")
    found = importlib.import_module(name)
    for part in error.function.split("."):
        found = getattr(found, part)
    found = getattr(found, "fget", getattr(found, "func", found))
    assert isinstance(found, types.FunctionType), error.function
    return found


if __name__ == "__main__":
    sys.exit(main())
