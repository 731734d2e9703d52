"""A program held against a conformance set, as tables; and the set as files that somebody else can take."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.config.conformance import conformance_files, load_conformance
from simengine.config.schema import schema_text
from simengine.conformance.comparison import CaseComparison, Conformance

SCHEMA = "schema/conformance.json"
"""Below the folder of an exported set: so that the folder itself holds contracts alone."""


def conformance_tables(found: Conformance) -> RenderableType:
    """Lay out every case, and below them each payment that differs."""
    layout = Table(title="What is paid, and what is known to be paid", title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
    layout.add_column("contract, case", overflow="fold")
    for title in ("expected", "found", "difference"):
        layout.add_column(title, justify="right", no_wrap=True)
    layout.add_column("", no_wrap=True)
    of_contract = ""
    for case in found.cases:
        if case["contract"] != of_contract:
            of_contract = case["contract"]
            layout.add_row(f"{of_contract} ({case['currency']})")
        off = sum(abs(one["difference"]) for one in case["payments"])
        difference = "-" if case["verdict"] == "not given" else _money(off, case)
        layout.add_row(
            f"  {case['case']}",
            _moved(case, "expected"),
            _moved(case, "found"),
            difference,
            "" if case["verdict"] == "agrees" else case["verdict"],
        )
    parts: list[RenderableType] = [layout]
    if (differences := _differences(found)).row_count:
        parts.append(differences)
    return Group(*parts, Text(_sentence(found)))


def _moved(case: CaseComparison, side: Literal["expected", "found"]) -> str:
    """Say how much moves in all, in whatever direction."""
    if case["verdict"] == "not given" and side == "found":
        return "-"
    is_refused = case["is_refusal_expected"] if side == "expected" else case["is_refused"]
    if is_refused:
        return "refused"
    return _money(sum(abs(one["expected"] if side == "expected" else one["found"]) for one in case["payments"]), case)


def _money(amount: int, case: CaseComparison) -> str:
    """Write whole smallest units as money; without a fraction that no float could hold."""
    decimals = case["decimals"]
    whole, rest = divmod(abs(amount), 10**decimals)
    return f"{'-' if amount < 0 else ''}{whole:,}" + (f".{rest:0{decimals}d}" if decimals else "")


def _differences(found: Conformance) -> Table:
    layout = Table(title="Payments that differ", title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
    layout.add_column("contract, case, date, from, to", overflow="fold")
    for title in ("expected", "found", "difference"):
        layout.add_column(title, justify="right", no_wrap=True)
    for case in found.cases:
        for one in case["payments"] if case["verdict"] == "differs" else ():
            if one["difference"]:
                month = "" if one["month"] is None else f" (month {one['month']})"
                place = f"{case['contract']}, {case['case']}\n  {one['date']}{month}, {one['payer']} to {one['payee']}"
                amounts = (one["expected"], one["found"], one["difference"])
                layout.add_row(place, *(_money(amount, case) for amount in amounts))
    return layout


def _sentence(found: Conformance) -> str:
    files, cases = len({case["contract"] for case in found.cases}), len(found.cases)
    told = f"{found.program}: {found.number('agrees'):,} of {cases:,} cases in {files:,} {'contract' if files == 1 else 'contracts'} agree"
    if n_differ := found.number("differs"):
        told += f", {n_differ:,} {'differs' if n_differ == 1 else 'differ'}"
    if n_not_given := found.number("not given"):
        told += f", {n_not_given:,} not given"
    return f"{told}."


def exported(place: Path | str | None) -> dict[str, bytes | str]:
    """Return a conformance set as files, with the schema that they follow; by name.

    Raises
    ------
    StudyError
        If one of them is no conformance file.
    """
    files: dict[str, bytes | str] = {}
    for path in conformance_files(place):
        load_conformance(path)
        files[path.name] = path.read_bytes()
    return files | {SCHEMA: schema_text("conformance")}
