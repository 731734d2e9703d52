"""Lay out bad times."""

from __future__ import annotations

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.stress.answer import StressTest, label_of
from simengine.report.layouts import (
    asked_of,
    called,
    grid,
    heading,
    knows_loss,
    no_cvar,
    notes_under,
    party_title,
    standing_cells,
    standing_columns,
    titled,
)
from simengine.report.units import cell, money_unit


def stress_tables(study: Study, found: StressTest) -> RenderableType:
    """Lay out where each party stands under every stress, and how far that is from the study as it is."""
    unit, _ = money_unit(study)
    remark = "Every stress uses the same people and the same random numbers."
    parts: list[RenderableType] = [heading(study, found, remark), *no_cvar(found.cvar_needs, found.level)]
    words = grid("stress", show_header=False)
    words.add_column("")
    for name, by_severity in found.stresses.items():
        words.add_row(label_of(name), f"--stress {name}")
        for severity, one in by_severity.items():
            words.add_row(f"  {called(severity)}", one.words)
    parts.append(titled("What each stress does", words))
    for party in found.parties:
        asked, knows = asked_of(found.measures, party), knows_loss(study, party)
        _, *columns = standing_columns(found.level, asked)
        table = grid("stress", *columns, "NPV: change")
        table.add_row("as it is", *standing_cells(found.base[party], unit, asked, knows_loss=knows)[1:], "")
        for name, by_severity in found.stresses.items():
            table.add_row(label_of(name))
            for severity, one in by_severity.items():
                cells = standing_cells(one.standings[party], unit, asked, knows_loss=knows)[1:]
                table.add_row(f"  {called(severity)}", *cells, cell(one.moved[party].npv, unit))
        parts += [titled(party_title(study, party), table), *notes_under(study, party, is_first=party == found.parties[0])]
    if found.not_applicable:
        table = grid("stress", show_header=False)
        table.add_column("")
        for name, why in found.not_applicable.items():
            table.add_row(label_of(name), why)
        parts.append(titled("Not applicable to this study", table))
    return Group(*parts)
