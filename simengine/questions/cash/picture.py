"""Draw the cumulative cash of each party: its mean, the bands that hold half and nine tenths of the replications, its deepest point."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.questions.cash.answer import CashOverTime
from simengine.questions.cash.periods import Period
from simengine.report.layouts import party_title
from simengine.report.picture import DARK, MIDDLE, in_lines, new_figure, plain_style, save, title_of
from simengine.report.units import money_unit, rounded_cell
from simengine.risk.statistics import Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_IN_A_ROW = 3
_MOST_MONTHS = 240
"""Of a curve; longer ones are drawn by quarter."""
_OUTER, _INNER = "0.88", "0.72"
_BANDS = ((("p05", "p95"), _OUTER, "p05 to p95"), (("p25", "p75"), _INNER, "p25 to p75"))


def draw_cash(study: Study, found: CashOverTime) -> bytes:
    """Draw a panel for each party, as a PNG."""
    by_date = found.so_far("month" if found.flows.n_months <= _MOST_MONTHS else "quarter")
    n_columns = min(len(by_date), _MOST_IN_A_ROW)
    n_rows = ceil(len(by_date) / n_columns)
    with plain_style():
        figure = new_figure(figsize=(max(4.4 * n_columns, 6.4), 0.9 + 3.3 * n_rows), layout="constrained")
        panels = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
        for axes in panels[len(by_date) :]:
            axes.remove()
        for axes, (name, periods) in zip(panels, by_date.items(), strict=False):
            _draw_party(axes, study, found, name, periods)
        lines, labels = panels[0].get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
        figure.suptitle(f"{title_of(study)}: cumulative cash ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")


def _draw_party(axes: Axes, study: Study, found: CashOverTime, name: str, periods: Sequence[tuple[Period, Summary]]) -> None:
    unit, money = money_unit(study)
    year, month = (int(part) for part in found.start.split("-"))
    begin = year + (month - 1) / 12
    # Cash is shown at the end of its month, so that a curve begins at 0.
    ends = [begin, *(begin + (period.last_month + 1) / 12 for period, _ in periods)]

    def curve(level: str) -> list[float]:
        return [0.0, *(cumulative[level].value / unit for _, cumulative in periods)]

    for (low, high), colour, label in _BANDS:
        # Too few replications in a tail have no band.
        if all(low in cumulative and high in cumulative for _, cumulative in periods):
            axes.fill_between(ends, curve(low), curve(high), color=colour, linewidth=0, label=label)
    mean = curve("mean")
    axes.plot(ends, mean, color=DARK, linewidth=1.6, label="mean")
    axes.axhline(0.0, color=MIDDLE, linewidth=0.8)
    place = min(range(len(mean)), key=mean.__getitem__)
    need = ""
    if mean[place] < 0:
        axes.plot([ends[place]], [mean[place]], color=DARK, marker="o", markersize=5, linestyle="")
        need = f"\nmean deepest in {periods[place - 1][0].name}; {_peak_need(found, name, unit)}"
    axes.set_title(in_lines(party_title(study, name), 48) + need, fontsize=9.5)
    axes.set_ylabel(f"cumulative cash, {money}")
    axes.margins(x=0.02, y=0.08)
    axes.locator_params(axis="x", integer=True)


def _peak_need(found: CashOverTime, name: str, unit: float) -> str:
    """Say how much a party must find at most: in the mean, and in 95 of 100 replications where that is given."""
    peak = found.parties[name].peak_funding
    beyond = f", p95 {rounded_cell(peak['p95'], unit)}" if "p95" in peak else ""
    return f"peak need {rounded_cell(peak['mean'], unit)}{beyond}"
