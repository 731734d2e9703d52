"""Show what was fitted to published totals on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.spells.fit_table import fit_table
from simengine.spells.fit_totals import PublishedNumber, TotalsContent

_MOST_YEARS = 6
"""Of the numbers of more years the last are shown."""


def totals_tables(content: TotalsContent) -> RenderableType:
    """Lay out the numbers that count, by year, and what was made of them."""
    parts: list[RenderableType] = [Text(content["name"], style="bold")]
    kinds = dict.fromkeys(one.of for one in content["numbers"])
    parts += [_by_year(what, [one for one in content["numbers"] if one.of == what]) for what in kinds]
    if content["per_year"] is not None:
        parts.append(Text(f"Entries: {content['per_year']:,.4g} people a year."))
    if content["dispersion"] is not None:
        parts.append(
            Text(f"Start: shares differ between years {content['dispersion']:.2f} times as much as chance alone would make them.")
        )
    return Group(*parts, *(Text(note) for note in content["notes"]))


def _by_year(what: str, numbers: Sequence[PublishedNumber]) -> Table:
    years = sorted({one.year for one in numbers})[-_MOST_YEARS:]
    titles = {"entries": "People who enter in a year", "start": "People by state", "cost_per_day": "Cost by state, as published"}
    layout = fit_table(titles[what], "", *map(str, years))
    for state in dict.fromkeys(one.state for one in numbers):
        by_year = {one.year: one.value for one in numbers if one.state == state}
        layout.add_row(state or "all", *(f"{by_year[year]:,.6g}" if year in by_year else "-" for year in years))
    return layout
