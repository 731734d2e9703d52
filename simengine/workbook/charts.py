"""The charts: cumulative cash over time, its percentiles, and the percentiles of what each party is left with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simengine.workbook.book import SheetCells, WorkbookFile

_COLOURS = ("#1F3864", "#C55A11", "#548235", "#7F7F7F", "#7030A0", "#BF9000", "#2E75B6", "#A61C3C")
_SIZE = {"width": 760, "height": 340}
FAN = {
    "p95": ("#9DC3E6", 1.25),
    "p75": ("#5B9BD5", 1.5),
    "p50": ("#1F3864", 2.25),
    "p25": ("#5B9BD5", 1.5),
    "p05": ("#9DC3E6", 1.25),
}
"""By level of a fan, from its upper edge: colour and width of its line."""


def lines_over_months(book: WorkbookFile, dates: SheetCells, cumulative: Mapping[str, SheetCells]) -> Any:
    """Return a chart of cumulative cash by name, of one replication."""
    chart = book.chart("line")
    for place, (name, cells) in enumerate(cumulative.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        _line(chart, name, dates, cells, colour, 1.75)
    _finish(chart, book.words("charts.cumulative"), over_time=True)
    return chart


def fan_chart(book: WorkbookFile, name: str, categories: SheetCells, by_level: Mapping[str, SheetCells], mean: SheetCells) -> Any:
    """Return a chart of the percentiles and the mean of cumulative cash by date."""
    chart = book.chart("line")
    for level, (colour, width) in FAN.items():
        if level in by_level:
            _line(chart, level, categories, by_level[level], colour, width)
    _line(chart, book.words("mean"), categories, mean, "#C00000", 1.75, dash="dash")
    _finish(chart, book.words("charts.fan", name=name))
    return chart


def percentiles_of_net(book: WorkbookFile, heads: str, rows: Mapping[str, str]) -> Any:
    """Return a chart of the percentiles of each party's net; references to the heads, and by party to its row."""
    chart = book.chart("column")
    for place, (name, row) in enumerate(rows.items()):
        fill = {"color": _COLOURS[place % len(_COLOURS)]}
        chart.add_series({"name": name, "categories": f"={heads}", "values": f"={row}", "fill": fill})
    _finish(chart, book.words("charts.percentiles"))
    return chart


def _line(chart: Any, name: str, dates: SheetCells, cells: SheetCells, colour: str, width: float, dash: str = "solid") -> None:
    """Add a line; names are keys of a study or words, which begin with a letter and so are no formulas."""
    line = {"color": colour, "width": width, "dash_type": dash}
    chart.add_series({"name": name, "categories": f"={dates.from_elsewhere}", "values": f"={cells.from_elsewhere}", "line": line})


def _finish(chart: Any, title: str, *, over_time: bool = False) -> None:
    chart.set_title({"name": title, "name_font": {"size": 11}, "overlay": False})
    below = {"label_position": "low", "num_font": {"size": 8}}
    chart.set_x_axis(below | ({"date_axis": True, "num_format": "yyyy-mm"} if over_time else {}))
    chart.set_y_axis(
        {"num_format": "#,##0", "num_font": {"size": 8}, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
    )
    chart.set_legend({"position": "bottom", "font": {"size": 9}})
    chart.set_size(_SIZE)
