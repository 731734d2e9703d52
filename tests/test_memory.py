"""What a run is refused for, and what it is let through with: bytes of the study's own columns against what there really is."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simengine import Study, find_study, load_study
from simengine.errors import UsageError
from simengine.pipeline import run_block
from simengine.questions.driver import pose
from simengine.questions.question import Source
from simengine.questions.run.question import RUN
from simengine.questions.subject import Size
from simengine.replications import memory

resource = pytest.importorskip("resource")


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not say what a process holds")
def test_guard__counts_what_a_run_takes_within_a_factor(tiny_path: Path) -> None:
    # Source: the peak that the system itself counts, of a process that runs and summarises, beyond one of 200 replications.
    # The peak of the program alone: that of `getrusage` holds what its parent held when it forked.
    code = "from pathlib import Path\nfrom simengine import load_study, run_study, summarise\nfrom simengine.replications import memory\n"
    code += f"study = load_study({str(tiny_path)!r})\nsummarise(run_study(study, 1, 200, threads=1))\n"
    code += "def peak():\n    told = Path('/proc/self/status').read_text()\n"
    code += "    return 1024 * int(told.partition('VmHWM:')[2].split()[0])\n"
    code += "before, n = peak(), 20_000\nsummarise(run_study(study, 1, n, threads=1))\ntaken = peak() - before\n"
    code += "memory.memory_left = lambda: 1\ntry:\n    memory.refuse_if_too_large(study, n)\n"
    code += "except Exception as error:\n    print(taken / 1e9, str(error).partition('about ')[2].split()[0])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    taken, told = map(float, done.stdout.split())
    assert 0.5 * taken <= told <= 2 * taken


def test_guard__sees_what_a_study_with_more_columns_takes(tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = tiny.measurement.metrics["saving"]
    many = tiny.measurement.model_copy(update={"metrics": {**tiny.measurement.metrics, **{f"m{i}": metric for i in range(100)}}})
    large = tiny.model_copy(update={"measurement": many})

    def most(study: Study) -> int:
        monkeypatch.setattr(memory, "memory_left", lambda: 10**9)
        with pytest.raises(UsageError, match=r"At most [\d,]+ here") as caught:
            memory.refuse_if_too_large(study, 10**9)
        return int(str(caught.value).rpartition("At most ")[2].removesuffix(" here").replace(",", ""))

    assert most(tiny) > 5 * most(large) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to the limit")
def test_guard__keeps_to_the_limit_of_the_process(tiny_path: Path) -> None:
    limit = 3_000_000_000
    done = subprocess.run(
        [sys.executable, "-m", "simengine", "run", str(tiny_path), "-n", "10000000"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("simengine: -n: the results must fit into the ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/job/step", "job/memory.max"),
        ("0::/job/step", "memory.max"),
        ("0::/job/step", "unified/job/step/memory.max"),
        ("8:memory:/job", "memory/job/memory.limit_in_bytes"),
        ("8:memory:/elsewhere", "memory/memory.limit_in_bytes"),
    ],
)
def test_guard__keeps_to_the_limit_of_the_container(line: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "cgroup"
    (root / file).parent.mkdir(parents=True)
    (root / file).write_text("123456789\n")
    (root / "max").write_text("max\n")
    (tmp_path / "self").write_text(f"7:blkio:/\n{line}\n")
    places = {"/proc/self/cgroup": tmp_path / "self", "/sys/fs/cgroup": root}
    places |= {f"/sys/fs/cgroup/{name}": root / name for name in ("memory", "unified")}
    monkeypatch.setattr(memory, "Path", lambda path: places.get(str(path), Path(path)))

    assert 123456789 in list(memory._limits_of_memory())


def test_guard__asks_nothing_of_a_run_that_surely_fits(tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_bytes_per_replication", lambda *_: pytest.fail("two replications were run"))

    memory.refuse_if_too_large(tiny, 100)


def peak_of(words: str) -> int:
    """Return the peak in bytes of a process that runs Denver's supportive housing, beyond the same with 20 replications."""
    code = "from pathlib import Path\nfrom simengine import find_study, load_study, run_study\n"
    code += "def peak():\n    told = Path('/proc/self/status').read_text()\n"
    code += "    return 1024 * int(told.partition('VmHWM:')[2].split()[0])\n"
    code += "study = load_study(find_study('denver_supportive_housing'))\nrun_study(study, 1, 20, threads=2)\nbefore = peak()\n"
    code += f"run_study(study, 1, 240, {words})\nprint(peak() - before)"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not say what a process holds")
def test_blocks__of_a_large_study_stay_within_the_budget_unless_a_size_is_asked() -> None:
    # Source: the peak that the system counts. 240 replications of 1 MB each are held at once in one block.
    assert peak_of("threads=2") < 200_000_000
    assert peak_of("threads=1, block_size=240") > 220_000_000


@pytest.mark.parametrize("name", ["tiny", "denver_supportive_housing"])
def test_block__leaves_nothing_to_the_collector_of_cycles(name: str) -> None:
    # Source: the collector itself, which keeps what it finds. People in a cycle were held long after their block.
    study = load_study(find_study(name))
    run_block(study, 1, np.arange(4))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        run_block(study, 1, np.arange(4))
        gc.collect()
        held = [type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("simengine")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

    assert held == []


def test_block_size__follows_from_what_a_replication_takes(tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(n_bytes: int, at_once: int = 2, n_replications: int = 10_000) -> int:
        monkeypatch.setattr(memory, "simulate", lambda *_: np.zeros(n_bytes, dtype=np.uint8))
        return memory.fitting_block_size(tiny, n_replications, at_once)

    # By hand: 200 MB over 2 blocks of 4 copies is 25 MB of replications as they are simulated.
    assert asked(250_000) == 100
    assert asked(250_000, at_once=8) == 25
    assert asked(25_000) == asked(1_000) == 1000
    assert asked(10**9) == 1
    # Few replications are not worth the question.
    assert asked(250_000, n_replications=200) == 1000


def test_block_size__is_that_of_the_option_where_one_is_given(tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "fitting_block_size", lambda *_: 33)

    sizes = {asked: pose(RUN, tiny, Size(500, 1, 2, asked), {}, Source(None, str)).block_size for asked in (None, 7, 1000)}  # type: ignore[arg-type, return-value]

    assert sizes == {None: 33, 7: 7, 1000: 1000}
