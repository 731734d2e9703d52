"""Where two files of results differ first: a path of JSON, a column of a table, a line of a text, a byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import shorten
from simengine.late import late

if TYPE_CHECKING:
    from pyarrow import parquet
else:
    parquet = late("pyarrow.parquet")

_ABSENT = object()


def difference(before: Path, now: Path) -> tuple[str, str | None]:
    """Compare two files of one name, of an answer all but its provenance.

    Returns
    -------
    `same`, `same values` or `different`; and the first difference.
    """
    old, new = before.read_bytes(), now.read_bytes()
    if old == new:
        return "same", None
    if before.suffix == ".json":
        return _of_json(old, new)
    if before.suffix == ".parquet":
        return _of_tables(before, now)
    try:
        lines = zip_longest(old.decode().splitlines(), new.decode().splitlines())
    except UnicodeDecodeError:
        place = next((i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))
        return "different", f"byte {place:,}"
    for number, (one, other) in enumerate(lines, 1):
        if one != other:
            return "different", f"line {number}: {_shown(one)} became {_shown(other)}"
    return "different", "ends of lines"


def first_path(old: Any, new: Any, path: str = "") -> str | None:
    """Return the first path at which two JSON values differ, with both; None where they do not.

    Examples
    --------
    >>> first_path({"a": [1, {"b": 2.0}]}, {"a": [1, {"b": 3.0}]})
    'a.1.b: 2.0 became 3.0'
    >>> first_path({"a": 1}, {"a": 1, "c": None})
    'c: nothing became null'
    """
    if isinstance(old, dict) and isinstance(new, dict):
        pairs: Any = ((name, old.get(name, _ABSENT), new.get(name, _ABSENT)) for name in dict.fromkeys([*old, *new]))
    elif isinstance(old, list) and isinstance(new, list):
        pairs = ((i, one, other) for i, (one, other) in enumerate(zip_longest(old, new, fillvalue=_ABSENT)))
    else:
        return None if type(old) is type(new) and old == new else f"{path}: {_shown(old)} became {_shown(new)}"
    found = (first_path(one, other, f"{path}.{name}" if path else str(name)) for name, one, other in pairs)
    return next((one for one in found if one is not None), None)


def _of_json(old: bytes, new: bytes) -> tuple[str, str | None]:
    before, now = json.loads(old), json.loads(new)
    for content in (before, now):
        if isinstance(content, dict):
            content.pop("provenance", None)
    where = first_path(before, now)
    if where is None and json.dumps(before) != json.dumps(now):
        where = "order of keys"
    return ("same", None) if where is None else ("different", where)


def _of_tables(before: Path, now: Path) -> tuple[str, str | None]:
    old, new = parquet.read_table(before), parquet.read_table(now)
    if old.column_names != new.column_names:
        names = [
            name
            for name in dict.fromkeys([*old.column_names, *new.column_names])
            if (name in old.column_names) != (name in new.column_names)
        ]
        return "different", f"column {names[0]}: stands in one of them alone" if names else "order of columns"
    if old.num_rows != new.num_rows:
        return "different", f"{old.num_rows:,} rows became {new.num_rows:,}"
    for name in old.column_names:
        one, other = (table[name].to_pylist() for table in (old, new))
        row = next((i for i, pair in enumerate(zip(one, other, strict=True)) if not _alike(*pair)), None)
        if row is not None:
            return "different", f"column {name}, row {row:,}: {_shown(one[row])} became {_shown(other[row])}"
    return "same values", None


def _alike(one: Any, other: Any) -> bool:
    """Return whether two cells hold the same: a number that is none is like another."""
    return bool(one == other or (one != one and other != other))


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if value is _ABSENT:
        return "nothing"
    return shorten(dict(value) if isinstance(value, Mapping) else value)
