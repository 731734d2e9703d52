"""The cells of the columns that are needed, as numbers of different texts: a million rows take little room, and each text is read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Flags, Integers
from simengine.spells.table import OpenTable

Codes: TypeAlias = NDArray[np.int32]
_ROWS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class SpellsColumn:
    """A column of n_rows cells, of which n_texts are different."""

    header: str
    codes: Codes
    """Shape (n_rows,): index into `texts`."""
    texts: tuple[Any, ...]
    """Different cells; None for one that is empty; text has no blanks around it."""

    @property
    def is_empty(self) -> Flags:
        """Shape (n_rows,): whether the cell is empty."""
        return np.array([text is None for text in self.texts], dtype=bool)[self.codes]

    def row_of(self, text: int) -> int:
        """Return the place of the first row with one of the texts."""
        return int(np.argmax(self.codes == text))


@dataclass(frozen=True, eq=False)
class Cells:
    """What a table holds in its columns that are needed."""

    row: Integers
    """Shape (n_rows,): the number of each row in the file."""
    misfit: Integers
    """Shape (n_rows,): how many cells a line has beyond, or short of, its header; 0 where it fits."""
    columns: Mapping[str, SpellsColumn]


def read_cells(table: OpenTable, places: Mapping[str, tuple[int, str]]) -> Cells:
    """Read the rows of a table that are not empty.

    Parameters
    ----------
    table
        Its rows are used up.
    places
        By what it holds: the place of a column in the table, and its header.
    """
    width = len(table.header)
    rows: list[Integers] = []
    misfits: list[Integers] = []
    index: dict[str, defaultdict[Any, int]] = {role: defaultdict(count().__next__) for role in places}
    codes: dict[str, list[Codes]] = {role: [] for role in places}
    for numbers, block in _blocks(table, places["person"][0]):
        # In a workbook a row ends with its last cell, and remarks may stand to the right of the table.
        misfit = [_misfit(cells, width) if table.noun == "line" and len(cells) != width else 0 for cells in block]
        columns = list(zip(*(cells if len(cells) == width else _fitted(cells, width) for cells in block), strict=True))
        rows.append(np.array(numbers, dtype=np.int64))
        misfits.append(np.array(misfit, dtype=np.int64))
        for role, (place, _) in places.items():
            codes[role].append(np.fromiter(map(index[role].__getitem__, columns[place]), dtype=np.int32, count=len(block)))
    empty = np.zeros(0, dtype=np.int64)
    found = {role: _column(header, codes.pop(role), index.pop(role)) for role, (_, header) in places.items()}
    return Cells(np.concatenate([empty, *rows]), np.concatenate([empty, *misfits]), found)


def _blocks(table: OpenTable, filled: int) -> Iterator[tuple[list[int], list[Sequence[Any]]]]:
    """Yield rows that are not empty, many at once; in most rows one cell, of which the place is given, is filled."""
    numbers: list[int] = []
    block: list[Sequence[Any]] = []
    for number, cells in table.rows:
        if (len(cells) > filled and not _is_blank(cells[filled])) or not all(map(_is_blank, cells)):
            block.append(cells)
            numbers.append(number)
            if len(block) == _ROWS_AT_ONCE:
                yield numbers, block
                numbers, block = [], []
    if block:
        yield numbers, block


def _fitted(cells: Sequence[Any], width: int) -> list[Any]:
    """Return as many cells as the header has."""
    return [*cells[:width], *([None] * (width - len(cells)))]


def _misfit(cells: Sequence[Any], n_columns: int) -> int:
    """Return how many cells a row has too many or too few; empty ones at its end are none too many."""
    n = len(cells)
    while n > n_columns and _is_blank(cells[n - 1]):
        n -= 1
    return n - n_columns


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _column(header: str, parts: list[Codes], index: Mapping[Any, int]) -> SpellsColumn:
    """Put the parts of a column together; cells that differ only in blanks around them are the same."""
    texts: dict[Any, int] = {}
    same = np.array([texts.setdefault(_stripped(cell), len(texts)) for cell in index], dtype=np.int32)
    codes = np.concatenate([np.zeros(0, dtype=np.int32), *parts])
    return SpellsColumn(header, same[codes] if len(same) else codes, tuple(texts))


def _stripped(cell: Any) -> Any:
    if _is_blank(cell):
        return None
    return cell.strip() if isinstance(cell, str) else cell
