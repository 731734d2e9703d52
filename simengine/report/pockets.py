"""Lay out who pays and who saves, and the side payments that make every actor whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.analysis import SidePayments, WrongPockets
from simengine.config import Study
from simengine.report.document import plain
from simengine.report.findings import money_unit
from simengine.report.tables import cell, pocket_table


def wrong_pockets(study: Study, found: WrongPockets) -> dict[str, Any]:
    """Give who pays, who saves and the side payments as plain numbers."""
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replications": found.n_replications,
        "public_value": plain(found.parties),
        "side_payments": {
            "among": list(found.among),
            "must_agree": list(found.must_agree),
            "total": plain(found.total),
            "gap": max(-found.total.value, 0.0),
            "proportional": _plain(found.proportional),
            "shapley": _plain(found.shapley),
        },
    }


def wrong_pocket_tables(study: Study, found: WrongPockets) -> RenderableType:
    """Lay out the wrong-pocket table, then the side payments."""
    unit, money = money_unit(study)
    heading = Text(
        f"{study.study.title}\n{found.n_replications:,} replications, seed {found.seed}. "
        f"Money in {money}; ± is one Monte Carlo standard error.",
        style="bold",
    )
    return Group(heading, pocket_table(study, found.parties, unit), _side_payments(study, found, unit))


def _side_payments(study: Study, found: WrongPockets, unit: float) -> RenderableType:
    names = [study.parties[actor].name for actor in found.among]
    title = Text(f"\nSide payments between {', '.join(names)}: what each receives, on expected positions", style="bold")
    if not found.proportional.are_possible:
        gap = cell(type(found.total)(-found.total.value, found.total.se), unit)
        return Group(title, Text(f"not possible: together they lose {gap}. No side payment makes everybody whole."))
    layout = _layout("", "proportional", "then net", "P(loses)", "Shapley", "then net", "P(loses)")
    for actor in found.among:
        cells = [one for rule in (found.proportional, found.shapley) for one in _cells(rule, actor, unit)]
        layout.add_row(study.parties[actor].name, *cells)
    agree = ", ".join(study.parties[actor].name for actor in found.must_agree) or "nobody"
    return Group(title, layout, Text(f"Who must agree: {agree}.", style="italic"))


def _cells(rule: SidePayments, actor: str, unit: float) -> tuple[str, str, str]:
    return cell(rule.received[actor], unit), cell(rule.left_with[actor], unit), cell(rule.p_still_loses[actor], 1.0)


def _plain(found: SidePayments) -> Mapping[str, Any] | None:
    """Give side payments as plain numbers; nothing where they are not possible."""
    if not found.are_possible:
        return None
    return {key: plain(getattr(found, key)) for key in ("received", "left_with", "p_still_loses")}


def _layout(*columns: str) -> Table:
    layout = Table(pad_edge=False, collapse_padding=True, box=box.SIMPLE_HEAD)
    layout.add_column(columns[0], overflow="fold")
    for name in columns[1:]:
        layout.add_column(name, justify="right", overflow="fold")
    return layout
