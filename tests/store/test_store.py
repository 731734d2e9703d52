"""A run in a store: the numbers of a run in memory, and the bytes of an uninterrupted run whatever happens on the way."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from simengine import Study, ask, run_study
from simengine import run as run_question
from simengine.errors import ResultsError, UsageError
from simengine.questions.driver import pose
from simengine.questions.question import Source
from simengine.questions.run.question import RUN
from simengine.questions.run.stored import bytes_of_store
from simengine.questions.subject import Size
from simengine.report.folder import write_replications
from simengine.store import block as blocks
from simengine.store import folder as stores
from simengine.store import stored_results as stored_results_module
from simengine.store.folder import open_store
from simengine.store.locks import Shard, claimed
from simengine.store.stored_results import stored_draws, stored_results
from tests.command import in_this_process
from tests.store.kept import SEED, N, fill, in_a_child, kill_at, small_blocks, sweep, tree

__all__ = ["small_blocks"]
pytestmark = [
    pytest.mark.usefixtures("small_blocks"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the store is tested where processes can be forked"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_path: Path) -> Path:
    """A run that nothing interrupted."""
    from simengine import load_study
    from simengine.store import run

    folder = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "IN_A_BLOCK", 1)
        fill(load_study(tiny_path), folder)
    return folder


# ------------------------------------------------ the numbers ------------------------------------------------


def test_answer__is_that_of_a_run_in_memory(tiny: Study, tmp_path: Path) -> None:
    # Oracle: the run in memory, whose rows never met a disk.
    stored = run_question(tiny, 150, SEED, store=tmp_path / "run", measures=["investor.cvar(0.2)"])
    held = run_question(tiny, 150, SEED, measures=["investor.cvar(0.2)"])

    assert stored.table == held.table
    assert list(stored.results.columns) == list(held.results.columns)
    for name in held.results.columns:
        assert np.array_equal(stored[name], held[name], equal_nan=stored[name].dtype.kind == "f"), name
    assert stored.to_pandas().equals(held.to_pandas())
    assert stored.draws().equals(held.draws())
    assert all(np.array_equal(values, held.draws()[path]) for path, values in stored_draws(open_store(tmp_path / "run")).items())


@pytest.mark.usefixtures("pictures_unsaved")
def test_folder_of_results__is_that_of_a_run_in_memory(tiny_path: Path, tmp_path: Path) -> None:
    words = ["run", tiny_path, "-n", 60, "--seed", SEED, "--set", "contract.terms.guarantee.share=0.5"]
    for more in (["-o", tmp_path / "held"], ["--store", tmp_path / "run", "-o", tmp_path / "stored"]):
        assert in_this_process([*words, *more]).stderr == ""
    again = in_this_process(["run", "--resume", tmp_path / "run", "-o", tmp_path / "again"])

    assert again.stderr == ""
    held = tree(tmp_path / "held")
    for other in (tree(tmp_path / "stored"), tree(tmp_path / "again")):
        assert other.keys() == held.keys()
        assert [name for name in held if other[name] != held[name]] == ["SHA256SUMS", "summary.json"]
        mine, its = json.loads(other["summary.json"]), json.loads(held["summary.json"])
        del mine["provenance"], its["provenance"]
        assert mine == its
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["overrides"], record["seed"], record["replications"]) == (["contract.terms.guarantee.share=0.5"], SEED, 60)


def test_dry_run__tells_the_bytes_of_the_store(tiny: Study, tmp_path: Path) -> None:
    # Source: the files of the run itself.
    posed = pose(RUN, tiny, Size(64, SEED, 1), {"store": tmp_path / "run"}, Source(None, lambda name: tiny))
    told = bytes_of_store(posed, 8, 32)
    assert not (tmp_path / "run").exists()
    posed.answer()
    taken = sum(path.stat().st_size for path in (tmp_path / "run" / "blocks").iterdir())

    assert told is not None
    assert 0.5 * taken < told < 2 * taken


def test_rows_of_a_long_run__are_written_in_bounded_memory(
    tiny: Study, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simengine.columns.ROWS_AT_ONCE", 33)
    results = stored_results(open_store(whole))
    assert [len(window["replication"]) for window in results.windows()] == [33, 33, 9]
    # Every block is read once, not once for each column.
    read: list[str] = []
    opened = stored_results_module.open_block
    monkeypatch.setattr(stored_results_module, "open_block", lambda source: (read.append(str(source)), opened(source))[1])
    write_replications(tmp_path, results)
    (tmp_path / "held").mkdir()
    write_replications(tmp_path / "held", run_study(tiny, SEED, N))

    assert len(read) == 4
    assert (tmp_path / "replications.parquet").read_bytes() == (tmp_path / "held" / "replications.parquet").read_bytes()


# ------------------------------------------------ killed, and gone on with ------------------------------------------------


@pytest.mark.parametrize("point", [0, 9, 18, 20, 23, 25, 40])
def test_killed_run__goes_on_to_the_same_bytes(point: int, tiny: Study, whole: Path, tmp_path: Path) -> None:
    def killed() -> None:
        kill_at(point)
        fill(tiny, tmp_path / "run")

    assert in_a_child(killed) == signal.SIGKILL
    fill(tiny, tmp_path / "run")
    left = sweep(tmp_path / "run")

    assert set(left) <= {"a file that was not finished"}
    assert tree(tmp_path / "run") == tree(whole)


def test_stopped_run__says_what_stays(tiny_path: Path, tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute, place = blocks.compute, tmp_path / "run"

    def stopped(stretch: blocks.Stretch) -> blocks.StoredBlock:
        if stretch.first == 40:
            os.kill(os.getpid(), signal.SIGTERM)
        return compute(stretch)

    words = ["run", tiny_path, "-n", N, "--seed", SEED, "--threads", 1, "--block-size", 20, "--store", place]
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "compute", stopped)
        done = in_this_process(words)

    assert (done.returncode, done.stdout) == (143, "")
    said = f"simengine: stopped; what is complete stays in {place}, and `simengine run --resume {place}` goes on\n"
    assert done.stderr == said
    assert sorted(open_store(place).entries) == [(0, 20), (20, 40)]


def test_killed_run__leaves_what_the_sweep_names(tiny: Study, tmp_path: Path) -> None:
    def killed() -> None:
        kill_at(18)  # the first block is about to get its name
        fill(tiny, tmp_path / "run")

    in_a_child(killed)
    resumed = in_this_process(["run", "--resume", tmp_path / "run"])
    listed = in_this_process(["sweep", tmp_path / "run"])
    removed = in_this_process(["sweep", tmp_path / "run", "--remove"])
    nothing = in_this_process(["sweep", tmp_path / "run"])

    assert resumed.stderr.startswith(
        f"simengine: left over in {tmp_path / 'run'}, and read by no run: {tmp_path / 'run' / 'blocks'}/.half-"
    )
    assert resumed.stderr.endswith(f"(a file that was not finished); `simengine sweep {tmp_path / 'run'}` names them\n")
    assert listed.stdout.startswith(f"Left over: {tmp_path / 'run' / 'blocks'}/.half-written-")
    assert listed.stdout.endswith("(a file that was not finished)\n`--remove` removes them.\n")
    assert removed.stdout.startswith("Removed: ")
    assert nothing.stdout == f"{tmp_path / 'run'}: nothing is left over, and every block is as it was written\n"


@pytest.mark.parametrize("point", [None, 1, 12, 19, 23])
def test_extended_run__is_the_longer_one(point: int | None, tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    compute = blocks.compute

    def counted(stretch: blocks.Stretch) -> blocks.StoredBlock:
        computed.extend(range(stretch.first, stretch.end))
        return compute(stretch)

    fill(tiny, tmp_path / "run")
    fill(tiny, tmp_path / "longer", N + 30)
    if point is not None:

        def killed() -> None:
            kill_at(point)
            fill(tiny, tmp_path / "run", extend=30)

        assert in_a_child(killed) == signal.SIGKILL
    monkeypatch.setattr(blocks, "compute", counted)
    fill(tiny, tmp_path / "run", extend=0 if open_store(tmp_path / "run").record.replications > N else 30)
    sweep(tmp_path / "run")

    assert set(computed) <= set(range(N, N + 30))  # what is there is not computed again
    assert tree(tmp_path / "run") == tree(tmp_path / "longer")


@pytest.mark.parametrize("failing", [0, 3, 8])
def test_full_disk__is_told_and_gone_on_with(
    failing: int, tiny: Study, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, write = iter(range(10**9)), stores.write_whole

    def failing_write(path: Path, content: bytes) -> None:
        if next(writes) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(stores, "write_whole", failing_write)
        patch.setattr("simengine.store.record.write_whole", failing_write)
        with pytest.raises(ResultsError, match="found: the disk is full") as caught:
            fill(tiny, tmp_path / "run")

    assert str(caught.value).count("\n") == 0
    fill(tiny, tmp_path / "run")
    assert tree(tmp_path / "run") == tree(whole)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to the limit")
def test_limit_of_the_size_of_files__is_told(tiny: Study, whole: Path, tmp_path: Path) -> None:
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            fill(tiny, tmp_path / "run")
        except ResultsError as error:
            (tmp_path / "said").write_text(str(error))

    in_a_child(limited)

    said = (tmp_path / "said").read_text()
    assert said.startswith(
        f"{tmp_path / 'run'}: the folder must take the blocks of the run; found: File too large. What is complete stays"
    )
    fill(tiny, tmp_path / "run")
    assert tree(tmp_path / "run") == tree(whole)


# ------------------------------------------------ what has changed ------------------------------------------------


def flipped(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name", ["run.json", "study.yaml", "contract.yaml", "blocks/0000000020-0000000039.parquet", "blocks/0000000020-0000000039.json"]
)
def test_flipped_bit__is_named_with_its_file(name: str, whole: Path) -> None:
    path = whole / name
    untouched = path.read_bytes()
    # Every file has bits at its ends; between them some of each kind.
    bits = sorted({0, 8 * len(untouched) - 1, *np.random.default_rng(len(name)).integers(0, 8 * len(untouched), 40).tolist()})
    said: list[str] = []
    for bit in bits:
        flipped(path, bit)
        try:
            with pytest.raises(ResultsError) as caught:
                stored_results(open_store(whole))
        finally:
            path.write_bytes(untouched)
        said.append(str(caught.value))
        assert said[-1].startswith(f"{path}: must be "), bit
        assert "; found " in said[-1]
    assert any("SHA-256" in one for one in said)


def test_damaged_block__is_swept_and_computed_again(tiny: Study, whole: Path, tmp_path: Path) -> None:
    fill(tiny, tmp_path / "run")
    flipped(next((tmp_path / "run" / "blocks").glob("*40-*.parquet")), 999)
    flipped(next((tmp_path / "run" / "blocks").glob("*20-*.json")), 77)

    assert len(sweep(tmp_path / "run")) == 4
    fill(tiny, tmp_path / "run")
    assert tree(tmp_path / "run") == tree(whole)


def test_page_of_a_block__is_checked_whenever_it_is_read(whole: Path) -> None:
    # After the look at all blocks one may still change: every page that is read has a checksum of its own.
    path = whole / "blocks" / "0000000020-0000000039.parquet"
    untouched = path.read_bytes()
    results = stored_results(open_store(whole))
    flipped(path, 8 * 40)  # in the first page, that of the numbers of the replications
    try:
        with pytest.raises(ResultsError, match="must be a block of the run; found"):
            results.replications.to_numpy()  # type: ignore[attr-defined]
    finally:
        path.write_bytes(untouched)


def test_block_with_other_columns__is_refused(tiny: Study, whole: Path) -> None:
    content = parquet.read_schema(io.BytesIO(blocks.compute_and_encode(blocks.Stretch(tiny, SEED, 0, 4, 4))))
    record = open_store(whole).record
    blocks.refuse_other_columns(content, record.columns, record.words, "here")
    for columns, said in (
        ({**record.columns, "more": "<f8"}, "here: must have a column more of type <f8; found none"),
        ({**record.columns, "drawn": "<i8"}, "here: must have a column drawn of type <i8; found <f8"),
        ({name: kind for name, kind in record.columns.items() if name != "drawn"}, "here: must have no other columns; found <f8"),
    ):
        with pytest.raises(ResultsError, match=said):
            blocks.refuse_other_columns(content, columns, record.words, "here")


def test_store_of_another_version__is_refused_by_its_name(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simengine.__version__", "9.9")
    with pytest.raises(ResultsError, match=r"run\.json: must come from simengine 9\.9 .*; found simengine 0\.1\.0 with version"):
        open_store(whole)


# ------------------------------------------------ several processes ------------------------------------------------


def test_second_process__is_refused(tiny: Study, tmp_path: Path) -> None:
    fill(tiny, tmp_path / "run")
    with claimed(tmp_path / "run"):
        for work in (lambda: fill(tiny, tmp_path / "run"), lambda: fill(tiny, tmp_path / "run", shard=Shard(1, 2))):
            with pytest.raises(ResultsError, match="must be written by one process at a time; found "):
                work()
        with pytest.raises(ResultsError, match="must not be written while it is swept"):
            sweep(tmp_path / "run")
    with (
        claimed(tmp_path / "run", Shard(1, 2)),
        claimed(tmp_path / "run", Shard(2, 2)),
        pytest.raises(ResultsError, match="at work"),
    ):
        fill(tiny, tmp_path / "run", shard=Shard(2, 2))


def test_shards__fill_one_store(tiny_path: Path, tiny: Study, whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    words = ["run", tiny_path, "-n", N, "--seed", SEED, "--block-size", 20, "--store", place, "--shard"]
    first = in_this_process([*words, "1/3"])
    early = in_this_process(["run", place])
    other = in_this_process(["run", tiny_path, "-n", N, "--seed", 6, "--block-size", 20, "--store", place, "--shard", "2/3"])
    rest = [in_this_process([*words, shard]) for shard in ("2/3", "3/3")]

    told = " ".join(first.stdout.split())
    assert told == f"Shard 1/3 of {place}: 2 blocks, all there; 75 replications, seed 5. Still missing: 2 blocks of other shards."
    assert (early.returncode, early.stdout) == (2, "")
    assert "found 2 of 4 missing, those of the shards 2/3, 3/3, the first that of replications 20 to 39" in early.stderr
    assert "shards must be of one run; found another seed: 5 there, 6 here" in other.stderr
    assert " ".join(rest[-1].stdout.split()).endswith(f"Every block is there: `simengine run {place}` answers from them.")
    assert tree(place) == tree(whole)
    assert in_this_process(["run", place, "--json"]).returncode == 0


# ------------------------------------------------ what is refused ------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["STUDY", "--resume"], "--resume: must go with the folder of a store; found a study. Write `simengine run FOLDER --resume`"),
        (["STUDY", "--extend", 5], "--extend: must go with the folder of a store; found a study"),
        (["STUDY", "--shard", "1/2"], "--shard: must go with a store; found none. Add --store FOLDER"),
        (["STUDY", "--engine", "dask"], "--engine: must go with a store; found none"),
        (["STUDY", "--store", "NEW", "--scheduler", "tcp://here:1"], "--scheduler: must go with --engine dask; found threads"),
        (["STUDY", "--store", "NEW", "--measured", 2], "--store: a replication must be one row of a store; found --measured"),
        (["STUDY", "--store", "NEW", "--control-variates"], "must follow from the rows of a store alone; found --control-variates"),
        (["STUDY", "--store", "NEW", "--until", "p_loss se<0.1", "--shard", "1/2"], "--until: must stand without --shard; found both"),
        (["STUDY", "--store", "NEW", "--sobol"], "--sobol: the replications must be 32 times a power of two; found 2,000. Use -n 1024"),
        (["WHOLE", "--sobol"], "--sobol, --tilt: must go with a study; found the folder of a store, which is drawn in its own way"),
        (["WHOLE", "--extend", 5, "--until", "p_loss se<0.1"], "--extend: the precision must not decide the number of replications"),
        (["WHOLE", "--until", "p_loss"], "--until: a goal must read NAME se<VALUE"),
        (["STUDY", "--store", "NEW", "--shard", "3/2"], "--shard: must be a number and how many there are, such as 1/8 up to 8/8; found '3/2'"),
        (["STUDY", "--store", ""], "--store: must be the name of a folder; found ''"),
        (["STUDY", "--store", "WHOLE"], "the folder must be new or empty; found a run. `simengine run --resume "),
        (["STUDY", "--store", "OTHER"], "the folder must be new or empty; found files in it"),
        (["WHOLE", "-n", 50], "must go with a study; found the folder of a store"),
        (["WHOLE", "--store", "NEW"], "--store: must go with a study; found the folder of a store as well"),
        (["WHOLE", "--extend", 5, "--shard", "1/2"], "--extend: must stand without --shard; found both"),
        (["WHOLE", "--extend", 2**32], "--extend: must be a whole number from 1 to 4,294,967,221; found 4294967296"),
        (["OTHER"], "run.json: must be the record of a store, which `simengine run --store` makes; found no such file"),
    ],
)  # fmt: skip
def test_contradictions__are_refused(words: list[Any], said: str, whole: Path, tiny_path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("something")
    places = {"STUDY": tiny_path, "WHOLE": whole, "NEW": tmp_path / "new", "OTHER": tmp_path / "other"}
    before = tree(whole)

    done = in_this_process(["run", *(places.get(word, word) for word in words)])

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert tree(whole) == before
    assert not (tmp_path / "new").exists()


def test_python__refuses_the_same(tiny: Study, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="store: must be the name of a folder; found 7"):
        ask("run", tiny, n=50, store=7)
    with pytest.raises(UsageError, match="a replication must be one row of a store"):
        ask("run", tiny, n=64, store=tmp_path / "run", measured=2)
    run_question(tiny, 50, SEED, store=tmp_path / "run")
    assert run_question(tmp_path / "run", extend=25).n_replications == 75
    assert run_question(tmp_path / "run").table == run_question(tiny, 75, SEED).table
