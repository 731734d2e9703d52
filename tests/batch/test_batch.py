"""Many studies in one call: each as if it had been run alone, whatever stopped the batch on the way."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from simengine import Study, run, run_batch
from simengine.batch import studies
from simengine.batch.layout import batch_table
from simengine.batch.studies import StudyTask, statistics_of
from simengine.errors import ResultsError, SimengineError, StudyError, UsageError
from simengine.risk.statistics import Statistic
from tests.command import in_this_process

N, SEED = 40, 3


def shares(tiny: Study) -> dict[str, Study]:
    return {f"share {share}": tiny.with_({"contract.terms.guarantee.share": share}) for share in (0.1, 0.2, 0.3, 0.4)}


def test_batch__is_its_studies_run_alone(tiny: Study) -> None:
    # Oracle: each study by a run of its own.
    found = run_batch(shares(tiny), N, SEED, measures=["investor.p_moic_below(0.5)"], threads=2)

    assert [one.name for one in found.studies] == list(shares(tiny))
    for name, study in shares(tiny).items():
        alone = run(study, N, SEED, measures=["investor.p_moic_below(0.5)"])
        assert dict(found[name]) == dict(alone.table.statistics())
    frame = found.to_pandas()
    assert frame.loc[("share 0.1", "investor.net.mean"), "value"] == found["share 0.1"]["investor.net.mean"].value
    assert repr(found) == "<StudyBatch: 4 studies, seed 3>"


def test_table__leaves_out_the_folder_in_which_all_files_stand(tiny: Study) -> None:
    def shown(*names: str) -> list[str]:
        found = run_batch(dict.fromkeys(names, tiny), 10, seed=5, threads=1)
        return list(dict.fromkeys(batch_table(found).columns[0]._cells))

    assert shown("a/b/x.yaml", "a/b/y.yaml") == ["x.yaml", "y.yaml"]
    assert shown("a/x.yaml", "b/x.yaml") == ["a/x.yaml", "b/x.yaml"]
    assert shown("1/2 of it", "1/3 of it") == ["1/2 of it", "1/3 of it"]


def test_stopped_batch__does_only_what_is_missing(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def counted(task: StudyTask) -> Mapping[str, Statistic]:
        if len(done) == 2:
            raise SimengineError("stopped")
        done.append(task.name)
        return statistics_of(task)

    with monkeypatch.context() as patch:
        patch.setattr(studies, "statistics_of", counted)
        with pytest.raises(SimengineError, match="stopped"):
            run_batch(shares(tiny), N, SEED, threads=1, store=tmp_path / "kept")
        done.clear()
        found = run_batch(shares(tiny), N, SEED, threads=1, store=tmp_path / "kept")

    assert done == ["share 0.3", "share 0.4"]
    assert_frame_equal(found.to_pandas(), run_batch(shares(tiny), N, SEED).to_pandas())
    # Anything that decides the numbers asks for others.
    assert run_batch(shares(tiny), N, SEED + 1, store=tmp_path / "kept")["share 0.1"] != found["share 0.1"]


def test_killed_batch__leaves_what_the_sweep_names(tiny: Study, tmp_path: Path) -> None:
    run_batch({"tiny": tiny}, N, SEED, store=tmp_path)
    (tmp_path / ".half-written-1-2-some.json").touch()
    removed = in_this_process(["sweep", tmp_path, "--remove"])

    assert removed.stdout == f"Removed: {tmp_path / '.half-written-1-2-some.json'} (a file that was not finished)\n"
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".json", ""]  # the statistics, and the claim


def test_statistics_that_have_changed__are_named(tiny: Study, tmp_path: Path) -> None:
    run_batch({"tiny": tiny}, N, SEED, store=tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text(path.read_text().replace("0.", "1.", 1))
    with pytest.raises(ResultsError, match=f"{path}: must be the statistics of a study as simengine wrote it"):
        run_batch({"tiny": tiny}, N, SEED, store=tmp_path)


def test_command__writes_one_table(tiny_path: Path, tmp_path: Path) -> None:
    two = tiny_path.with_name("two_lenders.yaml")
    words = ["batch", tiny_path, two, "-n", N, "--seed", SEED, "--set", "study.title=Changed"]
    done = in_this_process([*words, "-o", tmp_path / "out"])
    again = (tmp_path / "out" / "run-again.txt").read_text().split()[1:]
    second = in_this_process([*again, "--json"], cwd=tmp_path / "out")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 studies, seed 3. Money in millions")
    rows = pd.read_parquet(tmp_path / "out" / "batch.parquet")
    assert set(rows["study"]) == {str(tiny_path), str(two)}
    assert_frame_equal(pd.read_csv(tmp_path / "out" / "batch.csv").astype(rows.dtypes), rows)
    content = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert [one["title"] for one in content["studies"]] == ["Changed", "Changed"]
    told = json.loads(second.stdout)["studies"]
    assert [one["statistics"] for one in told] == [one["statistics"] for one in content["studies"]]


def test_table__names_a_turned_bit_by_the_checksums_of_its_pages(tiny_path: Path, tmp_path: Path) -> None:
    assert in_this_process(["batch", tiny_path, "-n", N, "--seed", SEED, "-o", tmp_path / "out"]).returncode == 0
    path = tmp_path / "out" / "batch.parquet"
    values = parquet.ParquetFile(path).metadata.row_group(0).column(2)
    content = bytearray(path.read_bytes())
    content[values.data_page_offset + values.total_compressed_size // 4] ^= 1
    path.write_bytes(content)

    with pytest.raises(OSError, match="CRC checksum verification failed"):
        parquet.read_table(path, page_checksum_verification=True)


@pytest.mark.parametrize(
    ("given", "how", "kind", "said"),
    [
        (7, {}, UsageError, "studies: must be files, or studies by their names; found 7"),
        ([], {}, UsageError, "STUDY: must be at least one; found none"),
        (["nowhere.yaml"], {}, StudyError, "nowhere.yaml: no such file"),
        ({"tiny": "TINY"}, {"measures": ["nobody.p_loss"]}, UsageError, "tiny: --measure: "),
        ({"tiny": "TINY"}, {"engine": "ray"}, UsageError, "--engine: must be one of threads, dask"),
        ({"tiny": "TINY"}, {"scheduler": "tcp://x:1"}, UsageError, "--scheduler: must go with --engine dask"),
        ({"tiny": "TINY"}, {"changes": ["no.such.path=1"]}, StudyError, "no.such.path"),
    ],
)
def test_what_cannot_be__is_refused_before_anything_runs(
    given: Any, how: dict[str, Any], kind: type[Exception], said: str, tiny: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "statistics_of", lambda task: pytest.fail("it runs"))
    asked = dict.fromkeys(given, tiny) if isinstance(given, dict) else given
    with pytest.raises(kind) as caught:
        run_batch(asked, N, SEED, **how)
    assert said in str(caught.value)


def test_batch_that_is_stopped__says_what_stays(tiny_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "statistics_of", lambda task: os.kill(os.getpid(), signal.SIGTERM))
    done = in_this_process(["batch", tiny_path, "-n", N, "--threads", 1, "--store", tmp_path / "kept"])
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr == f"simengine: stopped; what is complete stays in {tmp_path / 'kept'}, and the same command goes on\n"
