"""Rows of an Excel workbook or of Parquet, whose cells may be dates and numbers already."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from simengine.errors import UsageError, one_of
from simengine.spells.table import FileFound, OpenTable, Progress, Row, one_problem

_EVERY = 20_000
_BATCH = 1 << 16


def open_excel(found: FileFound, sheet: str | None, header_row: int, progress: Progress) -> OpenTable:
    """Open a sheet of a workbook; formulas are read as the values that Excel kept with them.

    Raises
    ------
    UsageError
        If openpyxl is not installed.
    StudyError
        If it is no workbook, or the sheet cannot be told.
    """
    try:
        import openpyxl
        from openpyxl.utils.datetime import CALENDAR_MAC_1904
    except ImportError:
        way_out = "Install it with `pip install 'simengine[excel]'`, or save the sheet as CSV UTF-8"
        raise UsageError(
            f"{found.path.name}: a workbook must be read with openpyxl; found that it is not installed. {way_out}"
        ) from None
    name = found.path.name
    with warnings.catch_warnings():
        # It warns of what it does not read, such as rules for entering data.
        warnings.simplefilter("ignore")
        try:
            # Of a file that it opens itself it would look at the name.
            book = openpyxl.load_workbook(io.BytesIO(found.path.read_bytes()), read_only=True, data_only=True)
        except Exception:  # noqa: BLE001 - a damaged workbook makes it raise almost anything
            what = "a file that begins as one and is none"
            raise one_problem(name, "must be a workbook of Excel (.xlsx)", what, "Save it again, or as CSV UTF-8") from None
    titles = [one.title for one in book.worksheets]
    if sheet is None and len(titles) != 1:
        raise one_problem(
            name, "one sheet must hold the spells", f"{len(titles)} sheets", f"Say which: `sheet:` in the mapping. {one_of(titles)}"
        )
    if sheet is not None and sheet not in titles:
        raise one_problem(name, "`sheet` of the mapping must be a sheet of the workbook", repr(sheet), one_of(titles))
    if book.epoch == CALENDAR_MAC_1904:
        raise one_problem(
            name, "a workbook must count its days from 1900", "one that counts them from 1904", "Save the sheet as CSV UTF-8"
        )
    rows = _excel_rows(book.worksheets[titles.index(sheet or titles[0])], progress)
    header: Sequence[Any] = next((cells for number, cells in rows if number == header_row), ())
    if not any(_has_text(cell) for cell in header):
        way_out = "`header_row` of the mapping says on which row it stands"
        raise one_problem(
            name, "the header must name the columns", f"nothing on row {header_row}", way_out, key=f"row {header_row}"
        )
    return OpenTable(tuple("" if cell is None else str(cell) for cell in header), header_row, rows, "row")


def _has_text(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())


def _excel_rows(sheet: Any, progress: Progress) -> Iterator[Row]:
    """Yield every row, from the first; cells of a row beyond its last one are absent."""
    n_rows = sheet.max_row
    # What a workbook says of its size is wrong in many that other programs wrote.
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield number, cells
        if n_rows and number % _EVERY == 0:
            progress(min(number / n_rows, 1.0))


def open_parquet(found: FileFound, progress: Progress) -> OpenTable:
    """Open Parquet; columns must hold text, numbers, dates or words by number.

    Raises
    ------
    StudyError
        If it is none.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(found.path, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        raise one_problem(
            found.path.name, "must be Parquet", "a file that begins as Parquet and is none", "Write it again"
        ) from None
    header = tuple(file.schema_arrow.names)
    return OpenTable(header, 0, _parquet_rows(file, found, progress), "row")


def _parquet_rows(file: Any, found: FileFound, progress: Progress) -> Iterator[Row]:
    import pyarrow as pa

    names, number = file.schema_arrow.names, 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH):
            columns = [_plain_column(batch.column(place)) for place in range(len(names))]
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, cells
            progress(number / max(file.metadata.num_rows, 1))
    except (pa.ArrowException, OSError):
        raise one_problem(
            found.path.name, "must be Parquet that can be read to its end", f"damage after row {number:,}", "Write it again"
        ) from None


def _plain_column(column: Any) -> list[Any]:
    """Return the cells of a column; one with lists or records in it, which hold no spell, is empty."""
    import pyarrow as pa

    kind = column.type
    is_plain = any(
        check(kind)
        for check in (
            *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer, pa.types.is_floating),
            *(pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp, pa.types.is_boolean),
        )
    )
    if pa.types.is_dictionary(kind):
        return _plain_column(column.dictionary_decode())
    if not is_plain:
        return [None] * len(column)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    return [None if isinstance(cell, float) and math.isnan(cell) else cell for cell in column.to_pylist()]
