"""Lay out several contracts side by side."""

from __future__ import annotations

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.compare.answer import Comparison
from simengine.report.layouts import (
    asked_of,
    called,
    grid,
    heading,
    knows_loss,
    measure_cell,
    measure_title,
    no_cvar,
    notes_under,
    party_title,
    standing_cells,
    standing_columns,
    titled,
)
from simengine.report.units import cell, money_unit


def comparison_tables(study: Study, found: Comparison) -> RenderableType:
    """Lay out contracts side by side: where each party stands under each, then who gains by going over."""
    titles = "\n".join(f"{called(name)}: {title}" for name, title in found.titles.items())
    unit, _ = money_unit(study)
    parts: list[RenderableType] = [heading(study, found, titles), *no_cvar(found.cvar_needs, found.level)]
    for party in found.parties:
        asked, knows = asked_of(found.measures, party), knows_loss(study, party)
        table = grid("contract", *standing_columns(found.level, asked))
        for name, standings in found.standings.items():
            table.add_row(called(name), *standing_cells(standings[party], unit, asked, knows_loss=knows))
        parts += [titled(party_title(study, party), table), *notes_under(study, party, is_first=party == found.parties[0])]
    own = next(iter(found.titles))
    for name, switches in found.switches.items():
        table = grid("party", "net", "NPV", "P(gains)", "P(loses)", "P(same)")
        for party, one in switches.items():
            shares = (cell(share, 1.0) for share in (one.gains, one.loses, one.same))
            table.add_row(party.replace("_", " "), cell(one.net, unit), cell(one.npv, unit), *shares)
        parts.append(titled(f"Going over from {called(own)} to {name}, replication by replication", table))
        differences = grid("party", "measure", "change")
        for party, one in switches.items():
            for text, measure in asked_of(found.measures, party).items():
                differences.add_row(party.replace("_", " "), measure_title(measure), measure_cell(measure, one.asked[text], unit))
        if differences.row_count:
            parts.append(differences)
    return Group(*parts)
