"""Read the tables of the public INDIGO dataset of impact bonds, as a folder of files of comma-separated values.

The Government Outcomes Lab of the University of Oxford publishes them. Nothing of them comes with this package: whoever asks points to a
download of their own.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from types import MappingProxyType

from simengine.config.document import bytes_of
from simengine.errors import Problem, StudyError, UsageError, one_of, shorten

_PROJECT = "Project ID"
_MOST_BYTES = 1 << 28
_MONTH = re.compile(r"((?:19|20|21)\d{2})-(\d{2})", re.ASCII)
_LARGEST = 1e15
"""Of an amount: beyond it sums have no smallest unit of any currency left."""
_WHOLE = "Overall project finance - "
_SERVED = "Service and beneficiaries - "

INDIGO_COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "projects": {
            "id": "ID",
            "name": "Impact Bond Name - (Value)",
            "stage": "Stage of Development - (Value)",
            "signed": "Dates - Date outcomes contract signed - (Value)",
            "country": "Jurisdiction - Jurisdiction - (Value)",
            "sector": "Purpose and classifications - Policy sector - (Value)",
            "most": f"{_WHOLE}Maximum potential outcome payment - Amount - (Value)",
            "most_currency": f"{_WHOLE}Maximum potential outcome payment - Currency - (Value)",
            "users_planned": f"{_SERVED}Targeted number of unique service users or beneficiaries (total) - (Value)",
            "users": f"{_SERVED}Actual number of unique service users or beneficiaries engaged (total) - (Value)",
        },
        "outcome_payments": {
            "id": _PROJECT,
            "plan": "Outcome Payment Plan Id - (Value)",
            "metric": "Outcome Metric Id - (Value)",
            "start": "Period - Start - (Value)",
            "end": "Period - End - (Value)",
            "type": "Type - (Value)",
            "currency": "Payments - Currency - (Value)",
            "amount": "Payments - Amount - (Value)",
        },
        "outcome_payment_plans": {
            "id": _PROJECT,
            "plan": "Outcome Payment Plan Id - (Value)",
            "start": "Period - Start - (Value)",
            "end": "Period - End - (Value)",
        },
        "outcome_pricings": {
            "id": _PROJECT,
            "metric": "Outcome Metric Id - (Value)",
            "currency": "Currency - (Value)",
            "price": "Price Per Unit - Amount - (Value)",
            "most": "Maximum Price if all targets achieved - Amount - (Value)",
        },
        "outcome_metrics": {
            "id": _PROJECT,
            "metric": "Id",
            "definition": "Outcome Definition - (Value)",
            "target": "Outcome metric target - (Value)",
        },
        "results": {
            "id": _PROJECT,
            "metric": "Outcome Metric Id - (Value)",
            "start": "Period - Start - (Value)",
            "end": "Period - End - (Value)",
        },
        "outcome_payment_commitments": {
            "id": _PROJECT,
            "currency": "Maximum potential Outcome payment - Currency - (Value)",
            "most": "Maximum potential Outcome payment - Amount - (Value)",
        },
        "investments": {"id": _PROJECT, "repayment": "Investor Repayment - (Value)"},
    }
)
"""By table, then by the word that this program uses: the column that is read."""


@dataclass(frozen=True)
class IndigoRow:
    """A row of a table."""

    place: str
    """File and line."""
    cells: Mapping[str, str]
    """By the words of `INDIGO_COLUMNS`: the text of the cell, without spaces around it."""
    text: str
    """All cells of the row, to be searched."""

    def __getitem__(self, word: str) -> str:
        return self.cells[word]


IndigoTables = Mapping[str, tuple[IndigoRow, ...]]


def read_indigo(folder: Path | str) -> dict[str, tuple[IndigoRow, ...]]:
    """Read every table of `INDIGO_COLUMNS`.

    Raises
    ------
    StudyError
        With every table and column that is missing, and every line that is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        rule, found = "must be a folder with the tables of the INDIGO dataset", "a file" if folder.exists() else "no such folder"
        raise StudyError(
            [Problem(str(folder), "", rule, found, f"Its files: {', '.join(f'{name}.csv' for name in INDIGO_COLUMNS)}")]
        )
    tables: dict[str, tuple[IndigoRow, ...]] = {}
    problems: list[Problem] = []
    for name, columns in INDIGO_COLUMNS.items():
        try:
            tables[name] = tuple(_rows(folder / f"{name}.csv", columns))
        except StudyError as error:
            problems += error.problems
    if problems:
        raise StudyError(problems)
    _refuse_strangers(tables, folder)
    return tables


def _refuse_strangers(tables: IndigoTables, folder: Path) -> None:
    """Refuse a project that is listed twice, or has payments but is not listed: nothing could be said of it."""
    listed: dict[str, str] = {}
    problems = []
    for row in tables["projects"]:
        if row["id"] in listed:
            problems.append(
                Problem(row.place, INDIGO_COLUMNS["projects"]["id"], "a project must be listed once", f"{row['id']} again", "")
            )
        listed[row["id"]] = row.place
    for row in tables["outcome_payments"]:
        if row["id"] not in listed:
            rule = f"the project of a payment must be listed in {folder / 'projects.csv'}"
            problems.append(Problem(row.place, _PROJECT, rule, shorten(row["id"]), ""))
    if problems:
        raise StudyError(problems)


def _rows(path: Path, columns: Mapping[str, str]) -> Iterable[IndigoRow]:
    try:
        text = bytes_of(path, _MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, "a table must be text in UTF-8", f"byte {error.start} is not", "Save it as CSV UTF-8") from None
    except (OSError, ValueError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise _refused(path, "must be a table that can be read", found, "Download all tables into one folder") from None
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, [])
        missing = [column for column in columns.values() if column not in header]
        if missing:
            found = f"{len(header)} columns, none of these: {'; '.join(missing)}" if header else "an empty file"
            raise _refused(path, "must have the columns of the INDIGO dataset, version 2", found, "Download the table again")
        at, begins = {word: header.index(column) for word, column in columns.items()}, lines.line_num + 1
        for cells in lines:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    raise _refused(path, f"must have {len(header)} cells, as in the header", f"{len(cells)}", "", begins)
                yield IndigoRow(f"{path}:{begins}", {word: cells[i].strip() for word, i in at.items()}, "\n".join(cells))
            begins = lines.line_num + 1
    except csv.Error as error:
        raise _refused(path, "must be a line of cells between commas", str(error), "Save it as CSV UTF-8", lines.line_num) from None


def _refused(path: Path, rule: str, found: str, way_out: str, line: int | None = None) -> StudyError:
    return StudyError([Problem(str(path) if line is None else f"{path}:{line}", "", rule, found, way_out)])


def month_number(text: str) -> int | None:
    """Count the months up to a month of a year, from year 0; None where the text is no month of a year.

    Examples
    --------
    >>> month_number("2018-12") - month_number("2018-10"), month_number("2018-13")
    (2, None)
    """
    found = _MONTH.fullmatch(text)
    month = 0 if found is None else int(found[2])
    return 12 * int(found[1]) + month - 1 if found is not None and 1 <= month <= 12 else None


def month_text(number: int) -> str:
    """Write a counted month as a month of a year.

    Examples
    --------
    >>> month_text(month_number("2018-12") + 1)
    '2019-01'
    """
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def amount_of(text: str) -> float | None:
    """Read an amount of money; None where the cell holds none: it is empty, a formula or a sign of a currency.

    Examples
    --------
    >>> amount_of("3125000"), amount_of("=D41-D36"), amount_of("")
    (3125000.0, None, None)
    """
    number = float(text) if re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text, re.ASCII) else nan
    return number if abs(number) <= _LARGEST else None


@dataclass(frozen=True)
class ProjectFilter:
    """The projects that make up a reference class; what is left empty takes all."""

    sector: str = ""
    country: str = ""
    currency: str = ""
    """Of the payments."""
    fund: str = ""
    """A text that stands in a row of the project, in any table: the tables have no column of funds."""
    projects: tuple[str, ...] = ()
    """Ids, or ranges as `INDIGO-POJ-0167..INDIGO-POJ-0228`."""

    def chosen(self, tables: IndigoTables) -> list[IndigoRow]:
        """Return the rows of the projects, in the order of the table.

        Raises
        ------
        UsageError
            If nothing in the tables has a name that is asked for.
        """
        rows = list(tables["projects"])
        for word in ("sector", "country"):
            wanted = getattr(self, word).casefold()
            if wanted:
                known = sorted({row[word] for row in tables["projects"]} - {""})
                self._refuse_unknown(word, wanted in {name.casefold() for name in known}, getattr(self, word), known)
                rows = [row for row in rows if row[word].casefold() == wanted]
        if self.currency:
            of = {row["id"]: row["currency"] for row in tables["outcome_payments"]}
            self._refuse_unknown("currency", self.currency in of.values(), self.currency, sorted(set(of.values())))
            rows = [row for row in rows if of.get(row["id"]) == self.currency]
        if self.fund:
            named = {row["id"] for table in tables.values() for row in table if self.fund.casefold() in row.text.casefold()}
            self._refuse_unknown("fund", bool(named), self.fund, ())
            rows = [row for row in rows if row["id"] in named]
        if self.projects:
            ids = {row["id"] for row in tables["projects"]}
            taken: set[str] = set()
            for asked in self.projects:
                first, _, last = asked.partition("..")
                some = {one for one in ids if first <= one <= (last or first)}
                self._refuse_unknown("project", bool(some), asked, ())
                taken |= some
            rows = [row for row in rows if row["id"] in taken]
        return rows

    def _refuse_unknown(self, option: str, is_known: bool, found: str, known: Iterable[str]) -> None:
        if not is_known:
            rule = f"must be a {option} that the tables name"
            raise UsageError(f"--{option}: {rule}; found {shorten(found)}. {one_of(list(known))}".rstrip(". "))

    def __str__(self) -> str:
        said = [f"{word} {getattr(self, word)}" for word in ("sector", "country", "currency", "fund") if getattr(self, word)]
        return ", ".join([*said, *(f"project {one}" for one in self.projects)]) or "all projects"
