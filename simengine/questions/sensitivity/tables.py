"""Lay out which assumptions matter to whom."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.sensitivity.answer import Sensitivity
from simengine.replications.money import amount_asked
from simengine.report.layouts import MOST_STEPS, asked_in_words, cost_notes, folded, further, grid, heading, party_title, titled
from simengine.report.units import cell, money_unit, to_digits, unit_of_amount


def sensitivity_tables(study: Study, found: Sensitivity) -> RenderableType:
    """Lay out which assumptions matter to whom: a tornado and global indices for each party."""
    asked = amount_asked(found.measure)
    unit, _ = unit_of_amount(asked.unit, money_unit(study))
    remark = f"What is asked of each party: {asked_in_words(found.measure)}. Indices: {found.n_points} points of Sobol's plan, "
    remark += f"{found.n_trajectories} trajectories of Morris, {found.n_panel} replications at each point."
    parts: list[RenderableType] = [heading(study, found, remark)]
    for party, one in found.parties.items():
        if not any(swing.swing.value for swing in one.tornado.values()) and not any(i.st.value for i in one.indices.values()):
            parts.append(Text(f"\n{party_title(study, party)}: mean {cell(one.mean, unit)}. No assumption moves it.", style="bold"))
            continue
        table = grid("assumption", "5 % to 95 %", "mean there", "swing")
        for path, swing in list(one.tornado.items())[:MOST_STEPS]:
            means = f"{to_digits(swing.at_low.value / unit)} to {to_digits(swing.at_high.value / unit)}"
            table.add_row(folded(path), f"{to_digits(swing.low)} to {to_digits(swing.high)}", means, cell(swing.swing, unit))
        parts.append(titled(f"{party_title(study, party)}: mean {cell(one.mean, unit)}. One assumption at a time", table))
        table = grid("assumption", "S1", "ST", "mu_star", "PAWN")
        for name, index in list(one.indices.items())[:MOST_STEPS]:
            table.add_row(folded(name), cell(index.s1, 1.0), cell(index.st, 1.0), cell(index.mu_star, unit), cell(index.pawn, 1.0))
        left = f"{100 * one.panel_share:z.0f} % of the variance between points is sampling variation of the panel, not assumptions"
        parts.append(titled(f"{party_title(study, party)}: all assumptions at once; {left}", table))
        hidden = len(one.tornado) - MOST_STEPS
        if hidden > 0:
            parts.append(Text(f"{further(hidden, 'matters', 'matter')} less; --json gives all of them."))
    parts += cost_notes(study, found.parties)
    return Group(*parts)
