"""A table on the disk as rows of cells: text with separators, an Excel workbook or Parquet, whichever the file itself is."""

from __future__ import annotations

import codecs
import hashlib
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from simengine.errors import Problem, StudyError

Row: TypeAlias = tuple[int, Sequence[Any]]
"""The number of a row in its file, and its cells; a text without cells in it is None or empty."""
Progress: TypeAlias = Callable[[float], None]
"""Called from time to time with the share of the work that is done."""
_BLOCK = 1 << 20
_EXCEL, _PARQUET, _OLD_EXCEL = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class FileFound:
    """What a file is, before anything of it is read as a table."""

    path: Path
    sha256: str
    n_bytes: int
    kind: str
    """`text`, `excel` or `parquet`."""
    encoding: str = ""
    """Of text."""
    not_utf_8_at: int | None = None
    """The first byte that is not UTF-8, where another encoding was taken for it."""


@dataclass(frozen=True)
class OpenTable:
    """A table whose header was read; its rows come one after the other, once."""

    header: tuple[str, ...]
    header_row: int
    rows: Iterator[Row]
    noun: str
    """What its numbers count: `line` of text, `row` of others."""
    notes: tuple[str, ...] = ()


def one_problem(where: str, rule: str, found: str = "", way_out: str = "", key: str = "") -> StudyError:
    """Make the error of one problem."""
    return StudyError([Problem(where, key, rule, found, way_out)])


def find_file(path: Path) -> FileFound:
    """Read a file once, for its checksum, its kind and its encoding.

    Raises
    ------
    StudyError
        If it is missing, no ordinary file, empty, or of a kind that cannot be read.
    """
    name = path.name or str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise one_problem(name, "must be a file", "a folder")
        if not stat.S_ISREG(status.st_mode):
            raise one_problem(name, "must be an ordinary file", "a device or a pipe")
        found = _looked_through(path, name)
    except FileNotFoundError:
        raise one_problem(name, "no such file", way_out="Check the path") from None
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "a name that no file can have"
        raise one_problem(name, "must be a file that can be read", reason) from None
    if not found.n_bytes:
        raise one_problem(name, "must be a table with a header and rows", "an empty file")
    return found


def _looked_through(path: Path, name: str) -> FileFound:
    checksum, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    n_bytes, wrong_at, first, is_wide = 0, None, b"", False
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            first = first or block
            checksum.update(block)
            if wrong_at is None:
                pending = len(decoder.getstate()[0])
                try:
                    is_wide |= not decoder.decode(block).isascii()
                except UnicodeDecodeError as error:
                    wrong_at = n_bytes - pending + error.start
                    is_wide |= not error.object[: error.start].isascii()
            n_bytes += len(block)
    if wrong_at is None and decoder.getstate()[0]:
        wrong_at = n_bytes - len(decoder.getstate()[0])
    kind = _kind_of(first, name)
    if kind == "text" and is_wide and wrong_at is not None and not first.startswith(_UTF_16):
        found = f"UTF-8 up to byte {wrong_at:,}, and something else there"
        raise one_problem(name, "must be in one encoding throughout", found, "Save it as CSV UTF-8")
    encoding, taken_at = ("", None) if kind != "text" else _encoding_of(path, first, wrong_at)
    if encoding == "utf-16" and not _is_text(path, encoding):
        way_out = "Ask for the file again, or save it as CSV UTF-8"
        raise one_problem(name, "must be in one encoding throughout", "UTF-16 with something else in it or a part missing", way_out)
    return FileFound(path, checksum.hexdigest(), n_bytes, kind, encoding, taken_at)


def _kind_of(first: bytes, name: str) -> str:
    if first.startswith(_OLD_EXCEL):
        raise one_problem(
            name, "must be CSV, .xlsx or Parquet", "a workbook of Excel 97-2003, or one with a password", "Save it as .xlsx"
        )
    if first.startswith(_EXCEL):
        return "excel"
    if first.startswith(_PARQUET):
        return "parquet"
    if b"\0" in first and not first.startswith(_UTF_16):
        raise one_problem(name, "must be CSV, .xlsx or Parquet", "bytes that are none of them", "Save it as CSV UTF-8")
    return "text"


def _encoding_of(path: Path, first: bytes, wrong_at: int | None) -> tuple[str, int | None]:
    """Return the encoding of a text, and the first byte that is not UTF-8.

    Windows-1252 has no character for five bytes; a file that uses one of them is Latin-1.
    """
    if first.startswith(_UTF_16):
        return "utf-16", None
    if wrong_at is None:
        return "utf-8-sig", None
    return "cp1252" if _is_text(path, "cp1252") else "latin-1", wrong_at


def _is_text(path: Path, encoding: str) -> bool:
    """Return whether a file can be read in an encoding to its end."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(_BLOCK):
                pass
    except UnicodeDecodeError:
        return False
    return True
