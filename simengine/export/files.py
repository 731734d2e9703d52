"""The files of an export: rows are added part by part, as Parquet, as CSV, or as sheets of one Excel file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from simengine.arrow import as_array
from simengine.errors import ResultsError
from simengine.export.block import BlockColumns, CodedWords
from simengine.export.columns import BY_NAME, INPUT, DataColumn
from simengine.late import late
from simengine.report.excel import CREATED, close_excel, require_xlsxwriter

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv, parquet
else:
    pa, csv, parquet = late("pyarrow"), late("pyarrow.csv"), late("pyarrow.parquet")

MOST_ROWS = 1_048_576
"""Of a sheet of Excel, its head included."""


class TableFiles(Protocol):
    """Files to which rows are added."""

    def add(self, table: str, rows: pa.Table) -> None:
        """Add some rows to a table."""

    def close(self) -> None:
        """Finish all files."""

    def file_of(self, table: str) -> str:
        """Return the name of the file that holds a table."""


def columns_in(table: str, paths: Sequence[str]) -> tuple[DataColumn, ...]:
    """Return the columns of a table of a study; paths: of the numbers that are drawn."""
    drawn = tuple(DataColumn(path, "number", "", INPUT) for path in paths) if table == "inputs" else ()
    return (*BY_NAME[table].columns, *drawn)


def as_rows(columns: Sequence[DataColumn], values: BlockColumns) -> pa.Table:
    """Return rows with the columns of a table, in their order; a number that is none is empty."""
    kinds = {"whole": pa.int64(), "number": pa.float64(), "word": pa.dictionary(pa.int32(), pa.string()), "truth": pa.bool_()}
    fields, arrays = [], []
    for column in columns:
        fields.append(pa.field(column.name, kinds[column.kind], metadata={"unit": column.unit, "meaning": column.meaning}))
        value = values[column.name]
        if isinstance(value, CodedWords):
            arrays.append(pa.DictionaryArray.from_arrays(as_array(value.places.astype(np.int32)), as_array(list(value.words))))
        elif column.kind == "number":
            arrays.append(as_array(value.astype(np.float64) + 0.0, ~np.isnan(value)))
        else:
            arrays.append(as_array(value if column.kind == "truth" else value.astype(np.int64)))
    return pa.table(arrays, schema=pa.schema(fields))


class ParquetFiles:
    """A Parquet file for each table; unit and meaning of a column stand in its metadata."""

    def __init__(self, folder: Path) -> None:
        """Write into a folder."""
        self._folder, self._writers = folder, dict[str, Any]()

    def add(self, table: str, rows: pa.Table) -> None:
        """Add some rows to a table."""
        if table not in self._writers:
            place = self._folder / self.file_of(table)
            self._writers[table] = parquet.ParquetWriter(place, rows.schema, write_page_checksum=True)
        self._writers[table].write_table(rows)

    def close(self) -> None:
        """Finish all files."""
        for writer in self._writers.values():
            writer.close()

    def file_of(self, table: str) -> str:
        """Return the name of the file that holds a table."""
        return f"{table}.parquet"


class CsvFiles:
    """A CSV file for each table: comma, a dot in numbers, UTF-8, nothing where there is none."""

    def __init__(self, folder: Path) -> None:
        """Write into a folder."""
        self._folder, self._writers = folder, dict[str, Any]()

    def add(self, table: str, rows: pa.Table) -> None:
        """Add some rows to a table."""
        plain = pa.table(
            [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in rows.columns],
            names=rows.column_names,
        )
        if table not in self._writers:
            options = csv.WriteOptions(quoting_style="needed")
            self._writers[table] = csv.CSVWriter(str(self._folder / self.file_of(table)), plain.schema, write_options=options)
        self._writers[table].write_table(plain)

    def close(self) -> None:
        """Finish all files."""
        for writer in self._writers.values():
            writer.close()

    def file_of(self, table: str) -> str:
        """Return the name of the file that holds a table."""
        return f"{table}.csv"


class ExcelFile:
    """One Excel file with a sheet for each table."""

    def __init__(self, folder: Path) -> None:
        """Write into a folder."""
        options: dict[str, Any] = {"constant_memory": True, "tmpdir": str(folder)}
        options |= {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._file = require_xlsxwriter().Workbook(str(folder / self.file_of("")), options)
        self._file.set_properties({"created": CREATED})
        self._sheets: dict[str, Any] = {}
        self._rows: dict[str, int] = {}

    def add(self, table: str, rows: pa.Table) -> None:
        """Add some rows to a table.

        Raises
        ------
        ResultsError
            If a sheet would have more rows than Excel takes.
        """
        if table not in self._sheets:
            self._sheets[table], self._rows[table] = self._file.add_worksheet(table), 1
            for column, name in enumerate(rows.column_names):
                self._sheets[table].write_string(0, column, name)
        if self._rows[table] + rows.num_rows > MOST_ROWS:
            rule = f"a sheet of Excel must have {MOST_ROWS:,} rows at most"
            raise ResultsError(
                f"--format excel: {rule}; found more of `{table}`. Use --format csv or parquet, or a run with a smaller -n"
            )
        sheet, first = self._sheets[table], self._rows[table]
        columns = [column.to_pylist() for column in rows.columns]
        for row, cells in enumerate(zip(*columns, strict=True), start=first):
            for column, value in enumerate(cells):
                _write(sheet, row, column, value)
        self._rows[table] += rows.num_rows

    def close(self) -> None:
        """Write the file."""
        close_excel(self._file)

    def file_of(self, table: str) -> str:  # noqa: ARG002
        """Return the name of the file that holds a table."""
        return "data.xlsx"


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None and isfinite(value):
        sheet.write_number(row, column, value)


FORMATS: Mapping[str, Callable[[Path], TableFiles]] = {"parquet": ParquetFiles, "csv": CsvFiles, "excel": ExcelFile}
"""By word of `--format`."""
