"""Lay out several contracts side by side."""

from __future__ import annotations

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.compare.answer import Comparison
from simengine.report.layouts import (
    asked_of,
    grid,
    heading,
    measure_cell,
    measure_title,
    named,
    no_cvar,
    standing_cells,
    standing_columns,
    titled,
)
from simengine.report.units import cell, money_unit


def comparison_tables(study: Study, found: Comparison) -> RenderableType:
    """Lay out contracts side by side: where each party stands under each, then who gains by going over."""
    titles = "\n".join(f"{name}: {title}" for name, title in found.titles.items())
    unit, _ = money_unit(study)
    parts: list[RenderableType] = [heading(study, found, titles), *no_cvar(found.cvar_needs, found.level)]
    for party in found.parties:
        asked = asked_of(found.measures, party)
        table = grid("contract", *standing_columns(found.level, asked))
        for name, standings in found.standings.items():
            table.add_row(name, *standing_cells(standings[party], unit, asked))
        parts.append(titled(f"{named(study, party)}", table))
    own = next(iter(found.titles))
    for name, switches in found.switches.items():
        table = grid("party", "net", "NPV", "P(gains)", "P(loses)", "P(same)")
        for party, one in switches.items():
            shares = (cell(share, 1.0) for share in (one.gains, one.loses, one.same))
            table.add_row(party.replace("_", " "), cell(one.net, unit), cell(one.npv, unit), *shares)
        parts.append(titled(f"Going over from {own} to {name}, world by world", table))
        differences = grid("party", "measure", "change")
        for party, one in switches.items():
            for text, measure in asked_of(found.measures, party).items():
                differences.add_row(party.replace("_", " "), measure_title(measure), measure_cell(measure, one.asked[text], unit))
        if differences.row_count:
            parts.append(differences)
    return Group(*parts)
