"""A run that is kept, once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from simengine.report.checksums import write_checksums
from tests.command import in_this_process
from tests.conftest import CHECKOUT, save_no_pictures


def kept_run(folder: Path, *words: object) -> Path:
    """Run a study and keep it, with pictures that are not drawn."""
    with pytest.MonkeyPatch.context() as patch:
        save_no_pictures(patch)
        done = in_this_process(["run", *words, "-o", folder])
    assert done.returncode == 0, done.stderr
    return folder


def change_cash(folder: Path, column: str) -> None:
    """Add 1 to one row of a column of a kept run, with a right checksum: everything else stays as the run wrote it."""
    place = folder / "replications.parquet"
    rows = parquet.read_table(place)
    changed = rows[column].to_numpy().copy()
    changed[3] += 1
    parquet.write_table(rows.set_column(rows.schema.get_field_index(column), column, pa.array(changed)), place)
    write_checksums(folder)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_run(tmp_path_factory.mktemp("kept") / "run", CHECKOUT / "configs" / "tiny.yaml", "-n", 400, "--seed", 1)
