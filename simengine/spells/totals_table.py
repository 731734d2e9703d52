"""Read a published table of totals by year, in the forms in which public agencies give them, as numbers with the words they are of.

Three forms of JSON are known by their content: that of PxWeb (`columns` and `data` with `key` and `values`), JSON-stat 2 (`id`, `size`,
`dimension` and `value`), and that of Kolada (`values` with `kpi`, `municipality`, `period` and `values`). Text, workbooks and Parquet have a
row for each number, or a column for each year.

References
----------
JSON-stat 2.0, https://json-stat.org/full/; PxWebApi 1.0, the description of Statistics Sweden, section 4.5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from simengine.errors import Problem, StudyError
from simengine.spells.amounts import read_amounts
from simengine.spells.discretion import shown_header
from simengine.spells.read import open_table, place_of_header
from simengine.spells.table import FileFound, find_file, one_problem
from simengine.spells.totals_mapping import TotalsMapping
from simengine.spells.words import plain_word

NOTHING, UNKNOWN = ("-", "\u2013"), ("", ".", "..", "...", "\u2026", "x", "n/a")
"""How agencies write that there is none, and that a number is not known or not shown."""
_ORDINARY = {"year": ("year", "år", "tid", "period", "time"), "value": ("value", "värde", "antal", "belopp", "number", "amount")}
_YEAR = re.compile(r"(?P<what>.*?)\s*\b(?P<year>(?:19|20)\d\d)", re.ASCII)
MEASURE = "measure"
"""Header of what stands before the year, where years are headers: `Antal 2023`."""


@dataclass(frozen=True)
class Total:
    """One number."""

    place: str
    """Where it stands in the file."""
    words: Mapping[str, str]
    """By header: of what it is."""
    year: int
    value: float | None
    """None where the agency does not give it."""


@dataclass(frozen=True)
class TotalsTable:
    """A published table."""

    name: str
    sha256: str
    totals: tuple[Total, ...]


def read_totals(path: Path, meant: TotalsMapping) -> TotalsTable:
    """Read a table of totals.

    Raises
    ------
    StudyError
        If it is none, or with every number and year that cannot be read.
    """
    found = find_file(path)
    rows = list(_of_json(path) if _is_json(path) else _of_table(found, meant))
    if not rows:
        raise one_problem(path.name, "must hold numbers by year", "none")
    texts = [None if value is None else str(value).strip() for _, _, _, value in rows]
    numbers = _numbers(path.name, rows, texts, meant)
    problems: list[Problem] = []
    totals: list[Total] = []
    for (place, words, year, _), number in zip(rows, numbers, strict=True):
        match = re.fullmatch(r"\s*((?:19|20|21)\d\d)(?:\.0)?\s*", str(year), re.ASCII)
        if match is None:
            problems.append(Problem(f"{path.name}: {place}", "", "a year must be a year, as 2023", repr(str(year))))
        else:
            totals.append(Total(place, words, int(match[1]), number))
    if problems:
        raise StudyError(problems)
    kept = tuple(one for one in totals if meant.from_year is None or one.year >= meant.from_year)
    if not kept:
        raise one_problem(
            path.name, f"must hold numbers from {meant.from_year} on", f"the last of {max(one.year for one in totals)}"
        )
    return TotalsTable(path.name, found.sha256, kept)


def _numbers(name: str, rows: Sequence[tuple[Any, ...]], texts: Sequence[str | None], meant: TotalsMapping) -> list[float | None]:
    """Read all numbers, of which one decides for all what separates decimals."""
    is_known = [text is not None and text.casefold() not in (*UNKNOWN, *NOTHING) for text in texts]
    cells = [row[3] for row, known in zip(rows, is_known, strict=True) if known]
    read = read_amounts(cells, meant.decimal)
    if read.undecided:
        rule, way_out = (
            "numbers must show whether a comma or a point separates decimals",
            "Say in the mapping: `totals: {decimal: comma}`",
        )
        raise one_problem(name, rule, " and ".join(repr(str(cells[one])) for one in read.undecided), way_out)
    places = [row[0] for row, known in zip(rows, is_known, strict=True) if known]
    wrong = [
        Problem(f"{name}: {place}", "", rule.removesuffix(", or empty"), repr(str(cell)))
        for place, cell, rule in zip(places, cells, read.wrong, strict=True)
        if rule
    ]
    if wrong:
        raise StudyError(wrong)
    amounts = iter(read.amount.tolist())
    nothing = (0.0 if text in NOTHING else None for text in texts)
    return [next(amounts) if known else none for known, none in zip(is_known, nothing, strict=True)]


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def _of_json(path: Path) -> Iterator[tuple[str, dict[str, str], Any, Any]]:
    """Yield place, words, year and value of every number, in whichever of the three forms it is."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise one_problem(path.name, "must be JSON, where it begins as JSON", str(error)) from None
    try:
        if "columns" in content and "data" in content:
            yield from _of_pxweb(content)
        elif {"id", "size", "dimension", "value"} <= set(content):
            yield from _of_json_stat(content)
        elif "values" in content:
            yield from _of_kolada(content)
        else:
            rule = "must be a table of PxWeb, of JSON-stat 2 or of Kolada"
            raise one_problem(path.name, rule, f"the keys {', '.join(sorted(map(str, content))[:8])}")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise one_problem(
            path.name, "must have all that its form of JSON has", what, "Download the table again, as a whole"
        ) from None


def _of_pxweb(content: Any) -> Iterator[tuple[str, dict[str, str], Any, Any]]:
    columns = content["columns"]
    keys = [one for one in columns if one.get("type", "d") != "c"]
    measures = [one["text"] for one in columns if one.get("type") == "c"]
    time = next((n for n, one in enumerate(keys) if one.get("type") == "t"), None)
    if time is None:
        time = next(n for n, one in enumerate(keys) if plain_word(one["text"]) in _ORDINARY["year"])
    for number, row in enumerate(content["data"], start=1):
        words = {one["text"]: str(word) for n, (one, word) in enumerate(zip(keys, row["key"], strict=True)) if n != time}
        for measure, value in zip(measures, row["values"], strict=True):
            yield f"data {number}", {**words, MEASURE: measure}, row["key"][time], value


def _of_json_stat(content: Any) -> Iterator[tuple[str, dict[str, str], Any, Any]]:
    dimensions: list[tuple[str, list[tuple[str, str]]]] = []
    for name in content["id"]:
        of = content["dimension"][name]
        category, labels = of["category"], of["category"].get("label", {})
        index = category.get("index", {code: n for n, code in enumerate(labels)})
        codes = sorted(index, key=index.__getitem__) if isinstance(index, dict) else list(index)
        dimensions.append((of.get("label", name), [(code, labels.get(code, code)) for code in codes]))
    roles = content.get("role", {}).get("time", [])
    time = (
        content["id"].index(roles[0]) if roles else [plain_word(label) in _ORDINARY["year"] for label, _ in dimensions].index(True)
    )
    values = content["value"]
    if isinstance(values, list) and len(values) != _product(content["size"]):
        raise ValueError(f"{len(values)} values for {_product(content['size'])} cells")
    for number, cell in enumerate(product(*(codes for _, codes in dimensions))):
        value = values[number] if isinstance(values, list) else values.get(str(number))
        words = {label: cell[n][1] for n, (label, _) in enumerate(dimensions) if n != time}
        yield f"value {number}", words, cell[time][0], value


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _of_kolada(content: Any) -> Iterator[tuple[str, dict[str, str], Any, Any]]:
    for number, row in enumerate(content["values"], start=1):
        words = {"kpi": str(row["kpi"]), "municipality": str(row["municipality"])}
        for one in row["values"]:
            yield f"values {number}", {**words, "gender": str(one.get("gender", "T"))}, row["period"], one["value"]


def _of_table(found: FileFound, meant: TotalsMapping) -> Iterator[tuple[str, dict[str, str], Any, Any]]:
    """Yield the same of text, a workbook or Parquet."""
    table = open_table(found, meant.sheet, meant.header_row, lambda share: None)  # noqa: ARG005
    header = [one.strip() for one in table.header]
    where = place_of_header(found, table)
    year, value = (_column(role, header, meant, where) for role in ("year", "value"))
    years = {n: match for n, one in enumerate(header) if (match := _YEAR.fullmatch(one))}
    if year is None and not years:
        listed = ", ".join(map(shown_header, header[:12]))
        rule, way_out = (
            "a column must hold the year, or the headers must end in years",
            "Say which: `totals: {columns: {year: ...}}`",
        )
        raise one_problem(where, rule, listed, way_out)
    if year is not None and value is None:
        raise one_problem(
            where, "a column must hold the numbers", "no ordinary header", "Say which: `totals: {columns: {value: ...}}`"
        )
    for row, cells in table.rows:
        texts = [cells[n] if n < len(cells) else None for n in range(len(header))]
        if all(one is None or not str(one).strip() for one in texts):
            continue
        if year is not None and value is not None:
            words = {name: _word(texts[n]) for n, name in enumerate(header) if n not in (year, value)}
            yield f"{table.noun} {row}", words, texts[year], texts[value]
            continue
        words = {name: _word(texts[n]) for n, name in enumerate(header) if n not in years}
        for n, match in years.items():
            yield f"{table.noun} {row}, {header[n]}", {**words, MEASURE: match["what"].strip()}, match["year"], texts[n]


def _word(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _column(role: str, header: Sequence[str], meant: TotalsMapping, where: str) -> int | None:
    """Return the place of a column; none where no header is that."""
    named = meant.columns.get(role)  # type: ignore[call-overload]
    known = _ORDINARY[role] if named is None else (plain_word(named),)
    at = [n for n, one in enumerate(header) if plain_word(one) in known]
    if named is not None and len(at) != 1:
        found = f"{named!r}" if not at else f"{named!r} {len(at)} times"
        raise one_problem(where, f"one column must have the header of `totals.columns.{role}`", found)
    if len(at) > 1:
        listed = ", ".join(shown_header(header[n]) for n in at)
        raise one_problem(where, f"one column must hold the {role}", listed, f"Say which: `totals: {{columns: {{{role}: ...}}}}`")
    return at[0] if at else None
