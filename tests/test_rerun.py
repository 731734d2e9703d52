"""A folder is made again from its study and its record; what was changed in it, or came out otherwise, is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from simengine.errors import ResultsError
from simengine.questions.rerun import rerun
from simengine.report.checksums import NAME, write_checksums
from simengine.report.differences import difference
from tests.command import in_this_process
from tests.conftest import CHECKOUT

TINY = CHECKOUT / "configs" / "tiny.yaml"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "run"
    words = ("run", TINY, "-n", 64, "--seed", 3, "--set", "contract.terms.guarantee.share=0.35", "--pictures", "both", "-o", folder)
    assert in_this_process(words).returncode == 0
    return folder


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    shutil.copytree(kept, tmp_path / "run")
    return tmp_path / "run"


def sealed_again(folder: Path) -> None:
    """Write the checksums of what now stands there: as if the run had written it."""
    (folder / NAME).unlink()
    write_checksums(folder)


def changed_record(folder: Path, change: Callable[[dict], None]) -> None:
    place = folder / "summary.json"
    content = json.loads(place.read_text())
    change(content)
    place.write_text(json.dumps(content, indent=2) + "\n")
    sealed_again(folder)


def test_rerun__is_the_same_to_the_last_byte_and_writes_nothing(copy: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    found = rerun(copy)

    assert {one.verdict for one in found.files} == {"same"}
    assert {one.name for one in found.files} == {path.name for path in copy.iterdir()} - {NAME}
    assert found.is_same
    assert found.here == found.made_by
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_rerun__keeps_what_it_makes_where_a_folder_is_named(copy: Path, tmp_path: Path) -> None:
    done = in_this_process(["rerun", copy, "-o", tmp_path / "again"])

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == ["The same, byte by byte.", f"Results: {tmp_path / 'again'}"]
    assert (tmp_path / "again" / "replications.parquet").read_bytes() == (copy / "replications.parquet").read_bytes()
    assert rerun(tmp_path / "again").is_same


def test_rerun__does_not_obey_the_line_for_people(copy: Path) -> None:
    (copy / "run-again.txt").write_text("touch hit\n")
    sealed_again(copy)

    found = rerun(copy)

    assert [(one.name, one.difference) for one in found.files if one.verdict != "same"] == [
        ("run-again.txt", "line 1: 'touch hit' became 'simengine run study.yaml -n 64 --seed 3 --pictures both'")
    ]
    assert not found.is_same


def test_rerun__names_the_path_and_the_column_of_what_was_planted(copy: Path) -> None:
    def lower(content: dict) -> None:
        content["investor"]["p_loss"]["value"] = 0.125

    changed_record(copy, lower)
    rows = parquet.read_table(copy / "replications.parquet")
    place = rows.column_names.index("drawn")
    values = rows["drawn"].to_pylist()
    values[5] += 1.0
    parquet.write_table(rows.set_column(place, "drawn", pa.array(values)), copy / "replications.parquet")
    (copy / "more.txt").write_text("more\n")
    (copy / "picture.svg").unlink()
    sealed_again(copy)

    found = {one.name: (one.verdict, one.difference or "") for one in rerun(copy).files}

    assert found["summary.json"][0] == found["replications.parquet"][0] == "different"
    assert found["summary.json"][1].startswith("investor.p_loss.value: 0.125 became ")
    assert found["replications.parquet"][1].startswith("column drawn, row 5: ")
    assert found["more.txt"] == ("missing", "")
    assert found["picture.svg"] == ("new", "")
    assert {found[name][0] for name in ("study.yaml", "picture.png", "run-again.txt")} == {"same"}


def test_rerun__does_not_compare_what_another_library_drew(copy: Path) -> None:
    def older(content: dict) -> None:
        content["provenance"]["software"]["matplotlib"] = "3.0.0"

    changed_record(copy, older)
    found = rerun(copy)
    said = in_this_process(["rerun", copy]).stdout.splitlines()

    assert {one.name.rpartition(".")[2] for one in found.files if one.verdict == "not compared"} == {"png", "svg"}
    assert said[-2:] == [f"matplotlib: 3.0.0 then, {found.here['matplotlib']} here", "The same, as far as compared."]
    assert found.is_same


def other_version(content: dict) -> None:
    content["provenance"]["software"]["simengine"] = "0.0.9"


def other_streams(content: dict) -> None:
    content["provenance"]["stream_version"] = 0


def no_command(content: dict) -> None:
    content["provenance"]["command"] = "fit"


def no_provenance(content: dict) -> None:
    del content["provenance"]


def no_seed(content: dict) -> None:
    del content["provenance"]["settings"]["seed"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_version, r"found simengine 0\.0\.9 with version 1\. Rerun it with the version that made it"),
        (other_streams, r"found simengine 0\.1\.0 with version 0"),
        (no_command, r"provenance\.command must be a question .*; found 'fit'"),
        (no_provenance, "must be a folder that a question wrote with -o"),
        (no_seed, "must be as a question writes it; found KeyError: 'seed'"),
    ],
)
def test_rerun__refuses_what_it_cannot_make(copy: Path, change: Callable[[dict], None], message: str) -> None:
    changed_record(copy, change)

    with pytest.raises(ResultsError, match=message):
        rerun(copy)


def test_rerun__refuses_a_changed_a_half_finished_and_an_empty_folder(copy: Path, tmp_path: Path) -> None:
    (copy / "study.yaml").write_text((copy / "study.yaml").read_text() + "# changed\n")
    changed = in_this_process(["rerun", copy])
    (copy / NAME).unlink()
    half = in_this_process(["rerun", copy])
    (tmp_path / "empty").mkdir()
    empty = in_this_process(["rerun", tmp_path / "empty"])

    for done, found in (
        (changed, "found another content"),
        (half, "the folder is incomplete"),
        (empty, "the folder is incomplete"),
    ):
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert found in done.stderr


def test_difference__of_tables_with_the_same_values_is_told_from_one_of_values(tmp_path: Path) -> None:
    rows = pa.table({"a": [1.0, float("nan"), None], "b": ["x", "y", "z"]})
    for name, table, how in (("one", rows, "snappy"), ("two", rows, "none"), ("three", rows.drop_columns(["b"]), "none")):
        parquet.write_table(table, tmp_path / f"{name}.parquet", compression=how)
    places = {name: tmp_path / f"{name}.parquet" for name in ("one", "two", "three")}

    assert difference(places["one"], places["two"]) == ("same values", None)
    assert difference(places["one"], places["three"]) == ("different", "column b: stands in one of them alone")
    assert difference(places["one"], places["one"]) == ("same", None)
