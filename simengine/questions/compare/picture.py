"""Plot several contracts side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.questions.compare.answer import Comparison
from simengine.report.layouts import called, party_title
from simengine.report.picture import DARK, LIGHT, MIDDLE, in_lines, panels_for, plain_style, save, title_of
from simengine.report.units import money_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_comparison(study: Study, found: Comparison) -> bytes:
    """Plot each party's mean net under each contract, with the middle of the replications, and its gain from a change."""
    unit, money = money_unit(study)
    n_rows = len(found.titles)
    with plain_style():
        figure, panels = panels_for(len(found.parties), 0.6, 5.2, 1.3 + 0.55 * n_rows)
        for axes, party in zip(panels, found.parties, strict=True):
            for place, name in enumerate(found.titles):
                low, middle, high = (value / unit for value in found.quantiles[name][party])
                mean = found.standings[name][party].net
                axes.plot([low, high], [place, place], color=LIGHT, linewidth=7, solid_capstyle="butt", zorder=1)
                axes.plot([middle], [place], marker="|", markersize=13, color=MIDDLE, zorder=2)
                axes.errorbar(
                    mean.value / unit, place, xerr=1.96 * mean.se / unit, color=DARK, marker="o", markersize=5, capsize=3, zorder=3
                )
                axes.text(0.99, place + 0.33, _switch_words(found, name, party), transform=_across(axes), ha="right", fontsize=8.5)
            axes.axvline(0.0, color=DARK, linestyle=":", linewidth=1.0, zorder=0)
            axes.set_title(in_lines(party_title(study, party), 60), fontsize=10)
            axes.set_xlabel(f"net, {money}")
            axes.set_yticks(range(n_rows), [in_lines(called(name), 28) for name in found.titles])
            axes.set_ylim(n_rows - 0.45, -0.6)
        inside = 100 * (found.quantile_levels[2] - found.quantile_levels[0])
        what = f"dot: mean; bar: the middle {inside:.0f} % of the replications; line: median"
        figure.suptitle(f"{title_of(study)} ({found.n_replications:,} replications; {what})", fontsize=11)
        return save(figure, "png")


def _switch_words(found: Comparison, name: str, party: str) -> str:
    standing = found.standings[name][party]
    text = f"P(loss) {100 * standing.p_loss.value:z.0f} %"
    if name in found.switches:
        switch = found.switches[name][party]
        text += f"; gains in {100 * switch.gains.value:z.0f} %, loses in {100 * switch.loses.value:z.0f} %"
    return text


def _across(axes: Axes) -> object:
    """Return the transform that measures across the panel and along the data."""
    return axes.get_yaxis_transform()
