"""Read what a run kept in its folder, once its checksums hold: the seed, the study, the row of a replication."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from simengine.asked import MOST_REPLICATIONS, is_number, seed_asked, whole
from simengine.errors import ResultsError, UsageError, shorten
from simengine.late import late
from simengine.report.checksums import verify
from simengine.sampling import MOST_MEASURED, Sampling

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet
else:
    pa = late("pyarrow")
    parquet = late("pyarrow.parquet")


@dataclass(frozen=True)
class KeptRun:
    """A folder of results."""

    folder: Path
    seed: int
    n_replications: int
    sampling: Sampling
    """How the numbers of the study were drawn."""
    with_control_variates: bool
    summary: Mapping[str, Any] = field(repr=False)
    """What the run answered, as its JSON says it."""

    @property
    def study(self) -> Path:
        """The study as it was run."""
        return self.folder / "study.yaml"

    def row(self, replication: int, measurement: int = 1) -> dict[str, Any]:
        """Read what was kept of one replication, by column, and of one of the measurements of its people, from 1.

        Raises
        ------
        UsageError
            If the run has no such replication or measurement.
        ResultsError
            If the rows cannot be read.
        """
        if not 0 <= replication < self.n_replications:
            raise UsageError(
                f"--replication: must be a number from 0 to {self.n_replications - 1:,}, the last of the run; found {replication:,}"
            )
        whole(measurement, "--measurement", 1, self.sampling.measured)
        path = self.folder / "replications.parquet"
        try:
            table = parquet.read_table(path, filters=[("replication", "=", replication)])
        except (OSError, pa.ArrowException) as error:
            raise ResultsError(f"{path}: must hold the rows of a run; found: {str(error).splitlines()[0]}") from None
        if table.num_rows != self.sampling.measured:
            rule = f"must hold {self.sampling.measured} rows for each replication"
            raise ResultsError(f"{path}: {rule}; found {table.num_rows} of replication {replication}")
        row = {name: column[measurement - 1].as_py() for name, column in zip(table.column_names, table.columns, strict=True)}
        del row["replication"]
        return row

    def columns(self, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Read some columns of numbers by name, without those that the run has not.

        Raises
        ------
        ResultsError
            If the rows cannot be read.
        """
        path = self.folder / "replications.parquet"
        try:
            there = set(parquet.read_schema(path).names)
            table = parquet.read_table(path, columns=[name for name in names if name in there])
        except (OSError, pa.ArrowException) as error:
            raise ResultsError(f"{path}: must hold the rows of a run; found: {str(error).splitlines()[0]}") from None
        return {name: table[name].to_numpy() for name in table.column_names}


def read_run(folder: Path | str) -> KeptRun:
    """Read what a run kept of its settings, after a look at the checksums of all its files.

    Raises
    ------
    ResultsError
        If the folder does not hold the results of a run, or one of its files is not as the run wrote it.
    """
    if not str(folder).strip():
        raise ResultsError("RUN: must be the name of a folder; found an empty one")
    folder = Path(folder)
    path = folder / "summary.json"
    if not path.is_file():
        raise ResultsError(f"{path}: must be a file of a folder that `simengine run -o` wrote; found no such file")
    verify(folder, ("summary.json", "study.yaml", "replications.parquet"))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings, way = content["provenance"]["settings"], content["sampling"]
        seed, n_replications = seed_asked(settings["seed"]), whole(settings["replications"], "replications", 2, MOST_REPLICATIONS)
        sampling = Sampling(way["sobol"], dict(way["tilts"]), whole(way["measured"], "measured", 1, MOST_MEASURED))
        with_control_variates = bool(way["control_variates"])
        _refuse_other_statistics(content, "")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError) as error:
        found = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise ResultsError(f"{path}: must be as `simengine run -o` writes it; found {found}") from None
    _refuse_other_rows(folder / "replications.parquet", n_replications * sampling.measured)
    return KeptRun(folder, seed, n_replications, sampling, with_control_variates, content)


_OF_A_STATISTIC = ("value", "se", "upper_95", "lower_95", "tail_points")


def _refuse_other_statistics(node: Any, path: str) -> None:
    """Refuse a summary in which what stands as a statistic is none: everything that is told of a run is read from these.

    Raises
    ------
    ValueError
        With the path of the statistic.
    """
    if isinstance(node, list):
        for one in node:
            _refuse_other_statistics(one, path)
    if not isinstance(node, Mapping):
        return
    if {"value", "se"} <= node.keys():
        interval = node.get("interval_95")
        numbers = [node.get(name) for name in _OF_A_STATISTIC] + (interval if isinstance(interval, list) else [interval])
        is_known = all(one is None or is_number(one) for one in numbers) and isinstance(node.get("covers", True), bool)
        if not is_known or (isinstance(interval, list) and len(interval) != 2):
            raise ValueError(f"no statistic under {path}")
    for name, one in node.items():
        _refuse_other_statistics(one, f"{path}.{name}" if path else name)


def _refuse_other_rows(path: Path, n_rows: int) -> None:
    """Refuse rows of which the table could not have been written by a run, whatever its checksum says.

    Raises
    ------
    ResultsError
        With what differs.
    """
    rule = f"{path}: must hold the rows of a run"
    try:
        file = parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(f"{rule}; found: {str(error).splitlines()[0]}") from None
    names, groups = file.schema_arrow.names, range(file.metadata.num_row_groups)
    for column in file.schema_arrow:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        is_known = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind)
        if not is_known or names.count(column.name) > 1 or (column.name == "replication" and kind != pa.int64()):
            raise ResultsError(f"{rule}, with every column once, of numbers or words; found {shorten(column.name)} of type {kind}")
    if "replication" not in names or file.metadata.num_rows != n_rows:
        raise ResultsError(f"{rule}, {n_rows:,} with a column `replication`; found {file.metadata.num_rows:,}, or no such column")
    for place, name in enumerate(names):
        known = [file.metadata.row_group(group).column(place).statistics for group in groups]
        if any(one is None or not one.has_null_count or one.null_count for one in known):
            raise ResultsError(f"{rule}, with a value in each; found rows without one in {shorten(name)}")
