"""One bit of one file of a kept answer is turned: every command that reads it names the file, or answers as before."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from simengine.errors import ResultsError, StudyError
from simengine.report.folder import write_rows
from simengine.report.kept import read_run
from simengine.spells import read_spells
from tests.command import in_this_process
from tests.conftest import save_no_pictures

READING = {
    "trace": ("{run}", "--replication", 1),
    "report": ("{run}", "-o", "{new}.html"),
    "workbook": ("{run}", "-o", "{new}.xlsx"),
    "export": ("{run}", "-o", "{new}"),
    "seal": ("{run}", "-o", "{new}.json"),
    "rerun": ("{run}",),
}
MAPPING = {"last_day_counts": False, "after_last_spell": "not_observed"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, tiny_path: Path, checkout: Path) -> dict[str, Path]:
    """Answers in their folders: a run, another question, and payments of conformance cases."""
    place = tmp_path_factory.mktemp("kept")
    asked = {
        "run": ("run", tiny_path, "-n", 32, "--seed", 3),
        "cash": ("cash", tiny_path, "-n", 32, "--seed", 3),
        "conform": ("conform", checkout / "configs" / "conformance" / "augsburg_all_or_nothing.json"),
    }
    with pytest.MonkeyPatch.context() as patch:
        save_no_pictures(patch)
        for name, words in asked.items():
            done = in_this_process([*words, "-o", place / name])
            assert done.returncode == 0, done.stderr
    return {name: place / name for name in asked}


def turned(path: Path, random: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    place = int(random.integers(0, 8 * len(content)))
    content[place // 8] ^= 1 << (place % 8)
    path.write_bytes(content)


def asked(command: str, run: Path, new: Path) -> tuple[int, str, str]:
    words = [str(word).format(run=run, new=new) for word in READING[command]]
    done = in_this_process([command, *words])
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", READING)
def test_command__names_the_file(command: str, folders: dict[str, Path], tmp_path: Path) -> None:
    random = np.random.default_rng(len(command))
    for folder in (folders["run"], folders["cash"]) if command == "rerun" else (folders["run"],):
        for path in sorted(folder.iterdir()):
            copy = shutil.copytree(folder, tmp_path / f"{folder.name} {path.name}")
            turned(copy / path.name, random)

            code, printed, said = asked(command, copy, tmp_path / "new")

            assert (code, printed) == (2, ""), path.name
            assert said.count("\n") == 1
            if path.name != "SHA256SUMS":
                assert f"{copy / path.name}: must be as the run wrote it; found another content" in said
            assert not list(tmp_path.glob("new*"))


def test_checksums__with_a_turned_bit_say_so_or_hold_what_they_held(folders: dict[str, Path], tmp_path: Path) -> None:
    """A line break may become another kind of line break: then nothing has changed."""
    random = np.random.default_rng(4)
    copy = shutil.copytree(folders["run"], tmp_path / "copy")
    sums = (copy / "SHA256SUMS").read_bytes()
    said_nothing = 0
    for _ in range(200):
        (copy / "SHA256SUMS").write_bytes(sums)
        turned(copy / "SHA256SUMS", random)
        lines = (copy / "SHA256SUMS").read_text(encoding="utf-8", errors="replace").splitlines()
        with contextlib.suppress(ResultsError):
            read_run(copy)
            said_nothing += 1
            assert lines == sums.decode().splitlines()
    assert said_nothing < 20


def test_payments_of_cases__are_held_against_the_checksum_beside_them(
    folders: dict[str, Path], tmp_path: Path, checkout: Path
) -> None:
    copy = shutil.copytree(folders["conform"], tmp_path / "copy")
    text = (copy / "results.json").read_text()
    (copy / "results.json").write_text(text.replace("25750000", "25750001", 1))

    done = in_this_process(
        ["conform", checkout / "configs" / "conformance" / "augsburg_all_or_nothing.json", "--results", copy / "results.json"]
    )

    assert done.returncode == 2
    assert f"{copy / 'results.json'}: must be as the run wrote it; found another content" in done.stderr
    # From somewhere else, without checksums: taken as it is.
    (copy / "SHA256SUMS").unlink()
    assert (
        in_this_process(
            ["conform", checkout / "configs" / "conformance" / "augsburg_all_or_nothing.json", "--results", copy / "results.json"]
        ).returncode
        == 1
    )


def test_pages_of_parquet__carry_checksums_that_other_readers_see(tmp_path: Path) -> None:
    # Source: pyarrow's own reader. Without checksums it reads most of the changed tables in silence, as the second count shows.
    rows = pa.table({"a": np.random.default_rng(1).normal(size=500)})
    write_rows(tmp_path, "with.parquet", rows)
    parquet.write_table(rows, tmp_path / "without.parquet")

    wrong = {name: changed_in_silence(tmp_path / name, rows) for name in ("with.parquet", "without.parquet")}

    assert wrong["with.parquet"] <= 2
    assert wrong["without.parquet"] > 100


def changed_in_silence(path: Path, rows: pa.Table) -> int:
    content, random, found = path.read_bytes(), np.random.default_rng(2), 0
    for _ in range(200):
        path.write_bytes(content)
        turned(path, random)
        try:
            found += not parquet.read_table(path, page_checksum_verification=True).equals(rows)
        except (OSError, pa.ArrowException, MemoryError):
            continue
    return found


def test_spells__with_a_turned_bit_in_a_page_are_refused(tmp_path: Path) -> None:
    columns = {
        "person": [str(number) for number in range(200)],
        "state": ["placed"] * 200,
        "start": ["2020-01-01"] * 200,
        "end": ["2021-01-01"] * 200,
    }
    write_rows(tmp_path, "spells.parquet", pa.table(columns))
    path = tmp_path / "spells.parquet"
    content = path.read_bytes()
    read_spells(path, MAPPING)

    # A byte well inside the first page of the first column.
    changed = bytearray(content)
    changed[parquet.ParquetFile(path).metadata.row_group(0).column(0).data_page_offset + 60] ^= 1
    path.write_bytes(changed)

    with pytest.raises(StudyError, match=r"spells\.parquet: must be Parquet that can be read to its end; found damage after row 0"):
        read_spells(path, MAPPING)
