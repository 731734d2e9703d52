"""Lay out one replication line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.config import Study
from simengine.config.roles import with_money
from simengine.currencies import decimals_of
from simengine.questions.trace.answer import Trace


def trace_tables(study: Study, found: Trace) -> RenderableType:
    """Lay out a trace from the people to the cash."""
    which = f"{found.replication:,}" if found.measurement == 1 else f"{found.replication:,}, measurement {found.measurement},"
    heading = f"{study.study.title}\nReplication {which} of seed {found.seed}. Money in {study.study.currency}."
    decimals = decimals_of(study.study.currency)
    drawn = [{"number": path, "value": f"{value:,.6g}"} for path, value in found.drawn.items()]
    agrees = [Text("\nEvery number agrees with what the run kept of this replication.")] if found.agrees else []
    return Group(
        Text(heading, style="bold"),
        _table("What was drawn", drawn),
        _table("Who was there", found.people),
        _table("What happened to them", found.outcomes),
        _table("What the evaluator concluded", found.metrics),
        *([_table("What each person reached", found.reached, decimals)] if found.reached else []),
        _table("What the contract owes", found.payments, decimals),
        _table("Who paid whom", found.postings, decimals),
        _table("What each party is left with", _parties(study, found), decimals),
        *agrees,
    )


def _parties(study: Study, found: Trace) -> list[dict[str, Any]]:
    rows = []
    for name in with_money(study):
        cells = {key: found.result.get(f"{name}.{key}") for key in ("cash", "value", "net", "npv")}
        rows.append({"party": name, **cells})
    return rows


def _table(title: str, rows: Sequence[Mapping[str, Any]], decimals: int = 2) -> RenderableType:
    layout = Table(pad_edge=False, box=box.SIMPLE_HEAD, collapse_padding=True)
    for name, value in (rows[0] if rows else {"nothing": ""}).items():
        layout.add_column(name.replace("_", " "), justify="right" if isinstance(value, int | float) else "left", overflow="fold")
    for row in rows:
        layout.add_row(*(_cell(value, decimals) for value in row.values()))
    return Group(Text(f"\n{title}", style="bold"), layout)


def _cell(value: Any, decimals: int) -> str:
    if isinstance(value, float):
        return f"{value:z,.{decimals}f}" if abs(value) >= 100 else f"{value:,.6g}"
    return "-" if value in (None, "") else str(value)
