"""What a question will cost is said beforehand: counted replications are those that come, memory and disk within a factor."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import run_process
from simengine.cli import questions as cli_questions
from simengine.errors import ResultsError
from simengine.questions.driver import Posed
from simengine.questions.question import Work
from simengine.replications import memory
from simengine.replications.blocks import telling
from simengine.report.folder import refuse_taken
from tests.command import in_this_process
from tests.conftest import CHECKOUT, sized
from tests.test_run_again import ASKED, ask, asked_from

__all__ = ["asked_from"]
TINY = CHECKOUT / "configs" / "tiny.yaml"
FACTOR = 1.3
"""Of memory."""
OF_FILES = 1.5
_MEASURED = [
    ("run", "tiny", "10000", ["-o", "--store"]),
    ("run", "tiny", "10000", ["-o"]),
    ("tradeoffs", "tiny", "8000", []),
    ("run", "norrkoping", "20000", ["--store"]),
    ("run", "peterborough", "100", []),
    ("run", "denver_supportive_housing", "100", ["--store"]),
]


def told_work(monkeypatch: pytest.MonkeyPatch, *words: object) -> Work:
    """Return the replications that a dry run counts, without the trial."""
    seen: list[Work] = []

    def keep(posed: Posed, *_: Any, **__: Any) -> None:
        seen.append(posed.work)

    with monkeypatch.context() as patch:
        patch.setattr(cli_questions, "say_cost", keep)
        assert ask(*words, "--dry-run").exit_code == 0
    (work,) = seen
    return work


@pytest.mark.usefixtures("asked_from")
@pytest.mark.parametrize("asked", [one for one in ASKED if not one.startswith("trace")])
def test_counted_replications__are_those_that_are_simulated(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Source: every ensemble says of how many replications it is, before it is worked on.
    command, simulated = asked.split()[0], []
    work = told_work(monkeypatch, command, *ASKED[asked])

    with telling(lambda _, first, n: simulated.append(n)):
        assert ask(command, *ASKED[asked], "--json").exit_code == 0

    # Information also draws the numbers alone, once, where nobody is simulated.
    others = 500 if command == "information" else 0
    if work.is_most:
        assert 0 < sum(simulated) - others <= work.replications
    else:
        assert sum(simulated) - others == work.replications


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("asked", sized(_MEASURED[:1], _MEASURED), ids=lambda one: " ".join([*one[:2], *one[3]]))
def test_memory_and_disk__are_told_within_a_factor(asked: tuple[str, str, str, list[str]], tmp_path: Path) -> None:
    # Source: the peak that the system counts of a process of its own, and the files that it writes.
    command, study, n, options = asked
    words = [command, str(CHECKOUT / "configs" / f"{study}.yaml"), "-n", n, "--seed", "1", "--threads", "2"]
    for option in options:
        words += [option, str(tmp_path / option.strip("-"))]

    told = json.loads(run_process(["-m", "simengine", *words, "--dry-run", "--json"]).output)
    assert list(tmp_path.iterdir()) == []
    peak = run_process(["-m", "simengine", *words]).peak_mib * 2**20

    assert peak / FACTOR < told["peak_memory_bytes"] < peak * FACTOR
    if "-o" in options:
        disk = bytes_in(tmp_path / "o")
        assert disk / OF_FILES < told["disk_bytes"] < disk * OF_FILES
        assert set(told["files"]) == {path.name for path in (tmp_path / "o").iterdir()}
    if "--store" in options:
        disk = bytes_in(tmp_path / "store")
        assert disk / OF_FILES < told["store_bytes"] < disk * OF_FILES


def test_dry_run__writes_nothing_and_says_it_in_five_lines(tmp_path: Path) -> None:
    done = in_this_process(["value", TINY, "-n", 100, "--seed", 1, "-o", tmp_path / "out", "--dry-run"], tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["value:", "time", "memory", "disk", "Worked"]
    assert list(tmp_path.iterdir()) == []


def taken(folder: Path) -> list[object]:
    (folder / "out").mkdir()
    (folder / "out" / "file").write_text("mine")
    return ["-o", folder / "out"]


@pytest.mark.parametrize(
    "options",
    [
        taken,
        lambda _: ["--measure", "nobody.p_loss"],
        lambda _: ["--at-most", 10],
        lambda _: ["--set", "capital.drawn_share=1.2"],
        lambda _: ["-n", 2**32],
        lambda _: ["--sobol", "-n", 100],
        lambda folder: ["-o", folder / "nobody.txt" / "out"],
    ],
)
def test_dry_run__refuses_what_the_run_refuses(
    options: Callable[[Path], list[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How much memory is left changes from moment to moment, and is a part of a message.
    monkeypatch.setattr(memory, "memory_left", lambda: 10**10)
    (tmp_path / "nobody.txt").write_text("a file")
    words = ["run", TINY, "-n", 64, "--seed", 1, *options(tmp_path)]

    real, dry = in_this_process(words), in_this_process([*words, "--dry-run"])

    assert real.returncode == dry.returncode == 2
    assert dry.stdout == ""
    assert dry.stderr == real.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_place__that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ResultsError, match="must be a folder that can be written"):
            refuse_taken(tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)
