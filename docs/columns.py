"""Fill the tables of columns on the page of data files from the registry of the export: `python -m docs.columns`."""

from __future__ import annotations

import re
from pathlib import Path

from simengine.export.columns import TABLES, DataTable

PAGE = Path(__file__).resolve().parent / "reference" / "data-files.md"
_MARKS = re.compile(r"(?P<begins><!-- columns -->\n).*?(?P<ends><!-- end of columns -->)", re.DOTALL)


def page() -> str:
    """Return the page as it has to be."""
    body = "\n".join(_section(table) for table in TABLES)
    return _MARKS.sub(lambda found: f"{found['begins']}\n{body}\n{found['ends']}", PAGE.read_text(encoding="utf-8"))


def _section(table: DataTable) -> str:
    rows = "".join(f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} |\n" for one in table.columns)
    beside = f"\nBeside these: {table.beside}.\n" if table.beside else ""
    head = f"### `{table.name}` ({table.level})\n\n{table.meaning[0].upper()}{table.meaning[1:]}.\n"
    return f"{head}\n| column | kind | unit | meaning |\n|---|---|---|---|\n{rows}{beside}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
