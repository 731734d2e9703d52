"""Export a kept run: draw it again block by block, write its tables as they come, then their statistics and their dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simengine.asked import one_of_words
from simengine.config import Study, load_study
from simengine.config.roles import with_money
from simengine.currencies import units_of
from simengine.errors import ResultsError
from simengine.export.block import BlockColumns, BlockRows, CodedWords, input_paths, rows_of_block
from simengine.export.columns import OF_PARTIES, TABLES
from simengine.export.files import FORMATS, TableFiles, as_rows, columns_in
from simengine.late import late
from simengine.questions.cash.periods import periods_of
from simengine.questions.driver import OnProgress
from simengine.records import Integers, ReplicationResults
from simengine.replications.blocks import map_blocks
from simengine.replications.memory import BLOCK_SIZE
from simengine.report import document, folder
from simengine.report.kept import KeptRun, read_run
from simengine.risk import statistics, trust
from simengine.risk.frames import frame_row, numbers_in
from simengine.risk.statistics import Statistic
from simengine.risk.summarise import weighting_of
from simengine.sampling import group_of

if TYPE_CHECKING:
    from pyarrow import parquet
else:
    parquet = late("pyarrow.parquet")

DICTIONARY = "columns.json"
_ROWS_AT_ONCE = 20_000


def export_run(
    run_folder: Path | str,
    output: Path | str,
    *,
    format: str = "parquet",  # noqa: A002 - the word of the command
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Write the data of a kept run as tables for other programs, with a dictionary of their columns.

    Parameters
    ----------
    run_folder
        Of results, as `simengine run -o` writes it.
    output
        A new or empty folder.
    format
        `parquet`, `csv` or `excel`.
    threads
        Blocks that run at once; changes no bit of a file.
    on_progress
        Called with the number of replications of each finished block.

    Returns
    -------
    The folder.

    Raises
    ------
    ResultsError
        If the run is not as it was written, its cash is not what this version draws, or the folder cannot be written.
    UsageError
        If there is no such format, or what writes Excel files is not installed.
    """
    one_of_words(format, "--format", tuple(FORMATS))
    run = read_run(run_folder)
    study = load_study(run.study)
    with folder.results_folder(output) as draft:
        files = FORMATS[format](draft)
        _Export(run, study, files, threads, on_progress).write(draft)
    return Path(output)


@dataclass
class _Export:
    run: KeptRun
    study: Study
    files: TableFiles
    threads: int | None
    on_progress: OnProgress | None
    rows: dict[str, int] = field(default_factory=dict)

    def write(self, draft: Path) -> None:
        try:
            years = self._samples()
            self._results()
            self._summaries(years)
        finally:
            self.files.close()
        folder.write_files(draft, {DICTIONARY: document.as_json(self._dictionary()) + "\n"})

    def _add(self, table: str, values: BlockColumns) -> None:
        rows = as_rows(columns_in(table, input_paths(self.study)), values)
        self.rows[table] = self.rows.get(table, 0) + rows.num_rows
        self.files.add(table, rows)

    def _samples(self) -> dict[str, Integers]:
        """Write what stands by replication, so many at once; return the cash of each year by party."""
        years = list[Mapping[str, Integers]]()
        for first in range(0, self.run.n_replications, BLOCK_SIZE):
            blocks: list[BlockRows] = map_blocks(
                lambda numbers: rows_of_block(self.study, self.run.seed, numbers, self.run.sampling),
                min(BLOCK_SIZE, self.run.n_replications - first),
                threads=self.threads,
                first=first,
                on_progress=self.on_progress,
            )
            for table in blocks[0].tables:
                # Measurement by measurement, so that the rows do not depend on how many blocks there are.
                parts = [part for same in zip(*(block.tables[table] for block in blocks), strict=True) for part in same]
                self._add(table, _together(parts))
            years += [block.by_year for block in blocks]
        by_year = {name: np.concatenate([one[name] for one in years]) for name in years[0]}
        self._refuse_another_version(by_year)
        return by_year

    def _refuse_another_version(self, by_year: Mapping[str, Integers]) -> None:
        names, units = with_money(self.study), units_of(self.study.study.currency)
        kept = self.run.columns(tuple(f"{name}.cash" for name in names))
        for name in names:
            if not np.array_equal(by_year[name].sum(axis=1) / units, kept.get(f"{name}.cash", np.empty(0))):
                path, way_out = self.run.folder / "replications.parquet", "Run it again with this version, as run-again.txt says"
                raise ResultsError(
                    f"{path}: must hold the cash that this version draws; found other values of {name}.cash. {way_out}"
                )

    def _results(self) -> None:
        """Write what each party is left with, from the rows that the run kept."""
        kept = parquet.ParquetFile(self.run.folder / "replications.parquet")
        there, parties = set(kept.schema_arrow.names), _parties_with(kept.schema_arrow.names)
        first_row = 0
        for batch in kept.iter_batches(_ROWS_AT_ONCE):
            n, numbers = batch.num_rows, batch.column("replication").to_numpy()
            # The rows of a replication stand together, as many as it has measurements.
            measurement = (first_row + np.arange(n)) % self.run.sampling.measured + 1
            group = group_of(self.run.sampling, numbers)
            weight = batch.column("weight").to_numpy() if "weight" in there else np.ones(n)
            first_row += n
            for party in parties:
                values: dict[str, Any] = {"replication": numbers, "measurement": measurement, "weight": weight}
                values |= {"group": numbers if group is None else group, "party": CodedWords(np.zeros(n, np.int64), [party])}
                for column in OF_PARTIES:
                    name = f"{party}.{column.name}"
                    if column.kind == "word":
                        words = batch.column(name).to_pylist() if name in there else [""] * n
                        listed = sorted(set(words))
                        values[column.name] = CodedWords(np.array([listed.index(word) for word in words]), listed)
                    else:
                        values[column.name] = batch.column(name).to_numpy() if name in there else np.full(n, np.nan)
                self._add("results", values)

    def _summaries(self, by_year: Mapping[str, Integers]) -> None:
        units, n_months = units_of(self.study.study.currency), int(self.study.study.horizon_months.value) + 1
        years = [int(period.name) for period in periods_of(self.study.study.start, max(n_months, 1), "year")]
        weighting = weighting_of(self._drawn())
        found = []
        for party, cash in by_year.items():
            for quantity, amounts in (("amount", cash), ("cumulative", np.cumsum(cash, axis=1))):
                for year, sample in zip(years, amounts.T, strict=False):
                    section = statistics.summary(sample / units, weighting)
                    n = len(sample) if weighting is None else weighting.n_independent or weighting.n_rows
                    given: Any = trust.without(section, trust.refusals(section, n))
                    found += [((year, party, quantity, name), one) for name, one in given.items()]
        keys = {name: [key[place] for key, _ in found] for place, name in enumerate(("year", "party", "quantity", "statistic"))}
        self._add(
            "cash_by_year_summary",
            {
                "year": np.array(keys["year"], dtype=np.int64),
                **{name: _words([str(one) for one in keys[name]]) for name in ("party", "quantity", "statistic")},
                **_statistics([one for _, one in found]),
            },
        )
        told = {path: one for path, one in numbers_in(self.run.summary) if isinstance(one, Statistic)}
        self._add("summary", {"statistic": _words(list(told)), **_statistics(list(told.values()))})

    def _drawn(self) -> ReplicationResults:
        kept = self.run.columns(("replication", "weight", "group"))
        columns = {name: values for name, values in kept.items() if name != "replication"}
        return ReplicationResults(kept["replication"], columns, {}, {})

    def _dictionary(self) -> dict[str, Any]:
        study, paths = self.study.study, input_paths(self.study)
        return {
            "title": study.title,
            "currency": study.currency,
            "seed": self.run.seed,
            "replications": self.run.n_replications,
            "tables": {
                table.name: {
                    "file": self.files.file_of(table.name),
                    "level": table.level,
                    "meaning": table.meaning,
                    "rows": self.rows[table.name],
                    "columns": [
                        {"name": one.name, "kind": one.kind, "unit": one.unit, "meaning": one.meaning}
                        for one in columns_in(table.name, paths)
                    ],
                }
                for table in TABLES
                if table.name in self.rows
            },
        }


def _parties_with(columns: list[str]) -> list[str]:
    """List the parties and the totals that have a net among some columns, in order."""
    return [name.removesuffix(".net") for name in columns if name.endswith(".net") and name.count(".") == 1]


def _together(parts: Any) -> BlockColumns:
    """Put the parts of a table one below the other."""
    first: BlockColumns = parts[0]
    if len(parts) == 1:
        return first
    found: dict[str, Any] = {}
    for name, column in first.items():
        if isinstance(column, CodedWords):
            found[name] = CodedWords(np.concatenate([part[name].places for part in parts]), column.words)
        else:
            found[name] = np.concatenate([part[name] for part in parts])
    return found


def _words(words: list[str]) -> CodedWords:
    listed = list(dict.fromkeys(words))
    place = {word: number for number, word in enumerate(listed)}
    return CodedWords(np.array([place[word] for word in words], dtype=np.int64), listed)


def _statistics(found: list[Statistic]) -> BlockColumns:
    rows = [frame_row(one) for one in found]
    names = ("value", "se", "low_95", "high_95")
    numbers: dict[str, Any] = {name: np.array([row[place] for row in rows], dtype=np.float64) for place, name in enumerate(names)}
    return {**numbers, "covers": np.array([bool(row[4]) for row in rows])}
