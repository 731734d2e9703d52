"""What a run is refused for, and what it is let through with: bytes of the study's own columns against what there really is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simengine import Study
from simengine.errors import UsageError
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
    code += "before, n = peak(), 40_000\nsummarise(run_study(study, 1, n, threads=1))\ntaken = peak() - before\n"
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
