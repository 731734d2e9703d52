"""Read what a run kept in its folder: the seed, the study, the row of a replication."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from simengine.errors import ResultsError, UsageError
from simengine.streams import MAX_SEED


@dataclass(frozen=True)
class KeptRun:
    """A folder of results."""

    folder: Path
    seed: int
    n_replications: int

    @property
    def study(self) -> Path:
        """The study as it was run."""
        return self.folder / "study.yaml"

    def row(self, replication: int) -> dict[str, Any]:
        """Give what was kept of one replication, by column.

        Raises
        ------
        UsageError
            If the run has no such replication.
        ResultsError
            If the rows cannot be read.
        """
        if not 0 <= replication < self.n_replications:
            raise UsageError(
                f"--replication: a number from 0 to {self.n_replications - 1:,}, the last of the run; found {replication:,}"
            )
        path = self.folder / "replications.parquet"
        try:
            table = parquet.read_table(path, filters=[("replication", "=", replication)])
        except (OSError, pa.ArrowException) as error:
            raise ResultsError(f"{path}: the rows of a run can be read; found: {str(error).splitlines()[0]}") from None
        if table.num_rows != 1:
            raise ResultsError(f"{path}: one row for each replication; found {table.num_rows} of replication {replication}")
        row = {name: column[0].as_py() for name, column in zip(table.column_names, table.columns, strict=True)}
        del row["replication"]
        return row


def read_run(folder: Path) -> KeptRun:
    """Read what a run kept of its settings.

    Raises
    ------
    ResultsError
        If the folder does not hold the results of a run.
    """
    path = folder / "summary.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = content["provenance"]["settings"]
        seed, n_replications = settings["seed"], settings["replications"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        found = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise ResultsError(f"{path}: a folder that `simengine run -o` wrote; found {found}") from None
    if not (isinstance(seed, int) and 0 <= seed <= MAX_SEED and isinstance(n_replications, int) and n_replications > 0):
        raise ResultsError(f"{path}: a run has a seed and a number of replications; found {seed!r} and {n_replications!r}")
    return KeptRun(folder, seed, n_replications)


def differences(kept: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """List the columns in which a row that was kept differs from the same row made again."""
    return sorted(name for name in kept.keys() | again.keys() if not _is_same(kept.get(name), again.get(name)))


def _is_same(one: Any, other: Any) -> bool:
    # NaN stands for what does not exist: two of them are the same.
    return bool(one == other or (one != one and other != other))
