"""Lay out what terms are worth; and a map of the money over two numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.tradeoffs.answer import Tradeoffs
from simengine.questions.tradeoffs.grid import BreakEven, Landscape, MoneyMap
from simengine.report.layouts import (
    asked_of,
    folded,
    grid,
    heading,
    knows_loss,
    measure_cell,
    no_cvar,
    notes_under,
    party_title,
    standing_cells,
    standing_columns,
    titled,
)
from simengine.report.term_names import short_names, written
from simengine.report.units import cell, money_unit
from simengine.risk.statistics import Statistic

_MOST_COLUMNS, _MOST_ROWS = 5, 9
"""Of a map on a terminal, which shows fewer of the points than JSON and picture."""
_NAME = 24
Shown = TypeVar("Shown")


def worth_tables(study: Study, found: Tradeoffs) -> RenderableType:
    """Lay out, party by party, how much more it has of its money when a term is a step higher."""
    unit, _ = money_unit(study)
    per = f"{100 * found.step:g} %"
    remark = (
        f"The same replications are settled with {per} less and {per} more of each term; a row is the slope between "
        f"both, for {per} more. P(loss) and CVaR are differences over that step: in between they may jump or bend."
    )
    names = dict(zip(found.terms, short_names(found.terms), strict=True))
    parts: list[RenderableType] = [heading(study, found, remark), *no_cvar(found.cvar_needs, found.level), _terms(found, names)]
    for party, standing in found.base.items():
        asked, knows = asked_of(found.measures, party), knows_loss(study, party)
        table = grid(f"{per} more of", *standing_columns(found.level, asked)[1:])
        table.add_row("(as it is)", *standing_cells(standing, unit, asked, knows_loss=knows)[1:])
        for path, term in found.terms.items():
            worth = term.parties[party]
            cvar = None if worth.cvar is None else worth.cvar.per_step
            risk = (cell(worth.p_loss.per_step, 1.0), cell(cvar, unit)) if knows else ("-", "-")
            cells = cell(worth.npv.per_step, unit), *risk
            more = (measure_cell(measure, worth.asked[text].per_step, unit) for text, measure in asked.items())
            table.add_row(folded(names[path], _NAME), *cells, *more)
        parts += [titled(party_title(study, party), table), *notes_under(study, party, is_first=party == next(iter(found.base)))]
    one_sided = {path: term.forbidden for path, term in found.terms.items() if term.forbidden is not None}
    for title, reasons in (("Settled on one side alone", one_sided), ("Not moved", found.left_out)):
        if reasons:
            parts.append(titled(title, _by_reason(reasons)))
    return Group(*parts)


def _by_reason(reasons: Mapping[str, str]) -> RenderableType:
    table = grid("", show_header=False)
    table.add_column("")
    names = dict(zip(reasons, short_names(reasons), strict=True))
    for why in dict.fromkeys(reasons.values()):
        table.add_row(folded(why, _NAME), ", ".join(names[path] for path, one in reasons.items() if one == why))
    return table


def _terms(found: Tradeoffs, names: dict[str, str]) -> RenderableType:
    table = grid("term", "now", "from", "to")
    for path, term in found.terms.items():
        table.add_row(folded(names[path], _NAME), *(written(value) for value in (term.value, term.low, term.high)))
    return titled("Between what each term is settled", table)


def map_tables(study: Study, found: MoneyMap) -> RenderableType:
    """Lay out the mean NPV and P(loss) of each party over the map, and where it breaks even."""
    unit, _ = money_unit(study)
    across, up = short_names([found.across.path, found.up.path])
    columns, rows = _spread(found.across.values, _MOST_COLUMNS), _spread(found.up.values, _MOST_ROWS)[::-1]
    n_points = len(found.across.values) * len(found.up.values)
    remark = f"{n_points} points, the same people and random numbers at each: across, {across}; down, {up}."
    parts: list[RenderableType] = [heading(study, found, remark)]
    for party, land in found.parties.items():
        risk = [("P(loss)", land.p_loss, 1.0)] if knows_loss(study, party) else []
        for title, values, scale in (("mean NPV", land.npv, unit), *risk):
            table = grid("", *(written(found.across.values[place]) for place in columns))
            for row in rows:
                table.add_row(written(found.up.values[row]), *(cell(values[place][row], scale) for place in columns))
            if title == "mean NPV" and land.break_even:
                table.add_section()
                table.add_row("breaks even at", *(_located(land, found.across.values[place]) for place in columns))
            parts.append(titled(f"{party_title(study, party)}: {title}{_side_of(land) if title == 'mean NPV' else ''}", table))
        parts += notes_under(study, party, is_first=party == next(iter(found.parties)))
    return Group(*parts)


def _located(land: Landscape, across: float) -> str:
    """Write the values up at which the mean is 0, for one value across."""
    here: Sequence[BreakEven] = [one for one in land.break_even if one.along == "up" and one.across == across]
    return "; ".join(cell(one.at, 1.0) for one in here) or "-"


def _side_of(land: Landscape) -> str:
    """Say on which side of zero a party is where it breaks even nowhere."""
    if land.break_even:
        return ""
    means: list[Statistic] = list(chain(*land.npv))
    if all(one.value > 0 for one in means):
        return ", above 0 at every point"
    return ", below 0 at every point" if all(one.value < 0 for one in means) else ", 0 or less at every point"


def _spread(values: Sequence[Shown], most: int) -> list[int]:
    """Return places that lie evenly along a list, its ends among them."""
    return [int(place) for place in np.unique(np.round(np.linspace(0, len(values) - 1, min(len(values), most))))]
