"""Lay out bad times."""

from __future__ import annotations

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.stress.answer import StressTest
from simengine.report.layouts import asked_of, grid, heading, no_cvar, party_title, standing_cells, standing_columns, titled
from simengine.report.units import cell, money_unit


def stress_tables(study: Study, found: StressTest) -> RenderableType:
    """Lay out where each party stands under every stress, and how far that is from the study as it is."""
    unit, _ = money_unit(study)
    remark = "Every stress uses the same people and the same random numbers."
    parts: list[RenderableType] = [heading(study, found, remark), *no_cvar(found.cvar_needs, found.level)]
    words = grid("stress", show_header=False)
    words.add_column("")
    for name, by_severity in found.stresses.items():
        words.add_row(name.replace("_", " "), "")
        for severity, one in by_severity.items():
            words.add_row(f"  {severity}", one.words)
    parts.append(titled("What each stress does", words))
    for party in found.parties:
        asked = asked_of(found.measures, party)
        _, *columns = standing_columns(found.level, asked)
        table = grid("stress", *columns, "NPV: change")
        table.add_row("as it is", *standing_cells(found.base[party], unit, asked)[1:], "")
        for name, by_severity in found.stresses.items():
            table.add_row(name.replace("_", " "))
            for severity, one in by_severity.items():
                cells = standing_cells(one.standings[party], unit, asked)[1:]
                table.add_row(f"  {severity}", *cells, cell(one.moved[party].npv, unit))
        parts.append(titled(party_title(study, party), table))
    if found.not_applicable:
        table = grid("stress", show_header=False)
        table.add_column("")
        for name, why in found.not_applicable.items():
            table.add_row(name.replace("_", " "), why)
        parts.append(titled("Not applicable to this study", table))
    return Group(*parts)
