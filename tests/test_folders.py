"""A folder of results is whole, unchanged, or refused; and what a killed run leaves behind is named and swept away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from simengine.cli.main import commands
from simengine.config import find_study, load_study
from simengine.errors import ResultsError, SimengineError
from simengine.replications.blocks import run_study
from simengine.report.drafts import PREFIX
from simengine.report.folder import results_folder, write_files
from simengine.report.kept import read_run

SIZE = 32
WAYS: dict[str, tuple[object, ...]] = {
    "sobol": ("--sobol", "-n", 64),
    "tilt": ("--tilt", "effect.sooner_home.hazard_ratio=-1", "-n", SIZE),
    "measured": ("--measured", 3, "-n", SIZE),
    "all but sobol": ("--tilt", "effect.sooner_home.hazard_ratio=1", "--measured", 2, "-n", SIZE),
    "control variates": ("--control-variates", "-n", 300),
}
needs_claims = pytest.mark.skipif(os.name != "posix", reason="needs claims on folders")


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was measured three times, in its folder."""
    folder = tmp_path_factory.mktemp("kept") / "results"
    done = ask("run", find_study("tiny"), "--seed", 3, *WAYS["measured"], "-o", folder)
    assert done.exit_code == 0, done.exception
    return folder


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "copy"))


FILES = (
    *("summary.json", "study.yaml", "replications.parquet", "exceedance.parquet", "run-again.txt"),
    *("picture.png", "exceedance.png"),
)


def test_checksums__stand_for_every_file_in_the_form_of_sha256sum(kept: Path) -> None:
    assert {path.name for path in kept.iterdir()} == {*FILES, "SHA256SUMS"}
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum")
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.count(": OK") == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_reader__names_the_file_in_which_one_bit_is_turned(name: str, copy: Path) -> None:
    content, random = (copy / name).read_bytes(), np.random.default_rng(7)
    for place in random.integers(0, 8 * len(content), 20):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << (place % 8)
        (copy / name).write_bytes(changed)
        with pytest.raises(ResultsError, match="must be as the run wrote it; found another content") as refused:
            read_run(copy)
        assert str(copy / name) in str(refused.value)
    (copy / name).write_bytes(content)
    assert read_run(copy).n_replications == SIZE


@pytest.mark.parametrize("name", FILES)
def test_reader__names_the_file_that_is_missing(name: str, copy: Path) -> None:
    (copy / name).unlink()
    with pytest.raises(ResultsError, match=r"found no such file|No such file") as refused:
        read_run(copy)
    assert str(copy / name) in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: None, "found no such file: the folder is incomplete or older than checksums. Run it again, as run-again.txt"),
        (lambda text: "", "must hold a checksum and a name on every line"),
        (lambda text: "nonsense\n" + text, "must hold a checksum and a name on every line"),
        (lambda text: "".join(line for line in text.splitlines(True) if "study.yaml" not in line), "found none of study.yaml"),
    ],
)
def test_reader__needs_the_checksums_themselves(change, message: str, copy: Path) -> None:
    path = copy / "SHA256SUMS"
    changed = change(path.read_text())
    path.unlink() if changed is None else path.write_text(changed)
    with pytest.raises(ResultsError) as refused:
        read_run(copy)
    assert message in str(refused.value)


def test_trace__refuses_a_changed_folder_in_one_line(copy: Path) -> None:
    (copy / "study.yaml").write_text((copy / "study.yaml").read_text().replace("hazard_ratio", "hazard_ratio "))
    done = ask("trace", copy, "--replication", 1)
    assert isinstance(done.exception, ResultsError)
    assert "\n" not in str(done.exception)


def test_trace__shows_each_measurement_of_the_same_people(kept: Path) -> None:
    shown = [ask("trace", kept, "--replication", 5, "--measurement", number) for number in (1, 2, 3)]
    for done in shown:
        assert "Every number agrees with what the run kept of this replication." in done.output
    people = [done.output[done.output.index("Who was there") : done.output.index("What the evaluator")] for done in shown]
    assert people[0] == people[1] == people[2]
    assert len({done.output for done in shown}) == 3
    beyond = ask("trace", kept, "--replication", 5, "--measurement", 4)
    assert "--measurement: must be a whole number from 1 to 3; found 4" in str(beyond.exception)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "measured"])
def test_trace__follows_every_way_of_drawing(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from simengine.questions.run import picture

    # What is drawn for the eye is no part of this.
    monkeypatch.setattr(picture, "draw_run", lambda *_: {})
    monkeypatch.setattr(picture, "draw_exceedance", lambda *_: {})
    assert ask("run", find_study("tiny"), "--seed", 3, *WAYS[way], "-o", tmp_path / "out").exit_code == 0
    for replication in (0, 17):
        done = ask("trace", tmp_path / "out", "--replication", replication)
        assert done.exit_code == 0, done.exception
        assert "Every number agrees with what the run kept of this replication." in done.output


def start(folder: Path, then: str) -> subprocess.Popen[str]:
    """Let another process open a folder of results, say so, and do something."""
    code = (
        "import os, sys, time\nfrom pathlib import Path\nfrom simengine.report.folder import results_folder, write_files\n"
        f"with results_folder(Path({str(folder)!r})) as draft:\n"
        "    write_files(draft, {'half.txt': 'half'})\n    print(draft.name, flush=True)\n"
        f"    {then}\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@needs_claims
def test_killed_run__is_named_and_swept(tmp_path: Path) -> None:
    target = tmp_path / "out put"
    target.mkdir()
    process = start(target, "time.sleep(600)")
    assert process.stdout is not None
    draft = process.stdout.readline().strip()

    # As long as it is at work nobody removes it.
    with pytest.raises(ResultsError, match="which another run is writing"), results_folder(target):
        pass
    assert "no draft of a killed run" in ask("sweep", target, "--remove").output
    process.send_signal(signal.SIGKILL)
    process.communicate()

    with pytest.raises(ResultsError) as refused, results_folder(target):
        pass
    message = f"the folder must be new or empty; found {target / draft}, what is left of a run that was killed. "
    assert message + f"`simengine sweep '{target}' --remove` removes it" in str(refused.value)
    assert ask("sweep", target).output.splitlines()[0] == f"A draft: {target / draft}"
    assert (target / draft / "half.txt").exists()
    assert ask("sweep", target, "--remove").output == f"Removed: {target / draft}\n"
    assert list(target.iterdir()) == []
    with results_folder(target) as folder:
        write_files(folder, {"whole.txt": "whole"})
    assert {path.name for path in target.iterdir()} == {"whole.txt", "SHA256SUMS"}


@needs_claims
def test_killed_run__into_a_new_folder_leaves_its_draft_beside_it(tmp_path: Path) -> None:
    process = start(tmp_path / "new", "os.kill(os.getpid(), 9)")
    process.communicate()
    assert not (tmp_path / "new").exists()
    (tmp_path / f"{PREFIX}file").write_text("not a folder")
    (tmp_path / ".other").mkdir()
    assert len(ask("sweep", tmp_path, "--remove").output.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {f"{PREFIX}file", ".other"}


def test_sweep__says_what_is_no_folder(tmp_path: Path) -> None:
    assert "must be a folder that can be read" in str(ask("sweep", tmp_path / "nowhere").exception)


def test_results_folder__forces_every_file_and_folder_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is asked of the system, by inode: each file, the draft, and the folder in which it appears.
    forced: set[int] = set()
    real = os.fsync

    def note(descriptor: int) -> None:
        forced.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with results_folder(tmp_path / "out") as draft:
        write_files(draft, {"one.txt": "1", "below/two.txt": "2"})
    everything = [tmp_path, tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert {path.stat().st_ino for path in everything} <= forced


@pytest.mark.parametrize("name", ["", "   "])
def test_results_folder__of_no_name_is_refused(name: str) -> None:
    with pytest.raises(SimengineError, match="found an empty one"), results_folder(name):
        pass
    with pytest.raises(SimengineError, match="found an empty one"):
        read_run(name)


def test_read_run__gives_rows_of_every_measurement(kept: Path) -> None:
    study = load_study(find_study("tiny"))
    run = read_run(kept)
    results = run_study(study, run.seed, run.n_replications, sampling=run.sampling)
    for measurement in (1, 2, 3):
        assert run.row(4, measurement)["investor.net"] == results["investor.net"][3 * 4 + measurement - 1]
