"""Lay out who pays and who saves."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.config import Study
from simengine.questions.value.answer import SidePayments, WrongPockets
from simengine.report.tables import public_value_table
from simengine.report.units import cell, money_unit
from simengine.risk.statistics import Statistic


def wrong_pocket_tables(study: Study, found: WrongPockets) -> RenderableType:
    """Lay out the wrong-pocket table, then the side payments."""
    unit, money = money_unit(study)
    heading = Text(
        f"{study.study.title}\n{found.n_replications:,} replications, seed {found.seed}. "
        f"Money in {money}; ± is one Monte Carlo standard error.",
        style="bold",
    )
    return Group(heading, public_value_table(study, found.public_value, unit), _side_payments(study, found, unit))


def _side_payments(study: Study, found: WrongPockets, unit: float) -> RenderableType:
    names = [study.parties[actor].name for actor in found.among]
    among = f"\nSide payments between {', '.join(names)}, on expected positions"
    if not found.proportional.are_possible:
        gap = cell(Statistic(-found.total.value, found.total.se), unit)
        title = Text(among, style="bold")
        return Group(title, Text(f"not possible: together they lose {gap}. No side payment makes everybody whole."))
    agree = ", ".join(study.parties[actor].name for actor in found.must_agree) or "nobody"
    return Group(
        _received(study, found, found.proportional, f"{among}: proportional", unit),
        _received(study, found, found.shapley, f"\nThe same by the Shapley value; who must agree: {agree}", unit),
    )


def _received(study: Study, found: WrongPockets, rule: SidePayments, title: str, unit: float) -> RenderableType:
    layout = Table(pad_edge=False, collapse_padding=True, box=box.SIMPLE_HEAD)
    layout.add_column("", overflow="fold")
    for name in ("receives", "is left with", "P(still loses)"):
        layout.add_column(name, justify="right", no_wrap=True)
    for actor in found.among:
        money = (cell(one[actor], unit) for one in (rule.received, rule.left_with))
        layout.add_row(study.parties[actor].name, *money, cell(rule.p_still_loses[actor], 1.0))
    return Group(Text(title, style="bold"), layout)
