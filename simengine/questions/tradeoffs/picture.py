"""Draw what terms are worth; and a map of the money over two numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simengine.config import Study
from simengine.questions.tradeoffs.answer import Tradeoffs
from simengine.questions.tradeoffs.grid import MoneyMap
from simengine.report.layouts import party_title
from simengine.report.picture import DARK, MIDDLE, in_lines, panels_for, plain_style, save, shortened_path, title_of
from simengine.report.term_names import short_names
from simengine.report.units import money_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_worth(study: Study, found: Tradeoffs) -> bytes:
    """Draw a panel for each party: by how much its mean NPV rises with a step of each term, with 95 % intervals, as a PNG."""
    unit, money = money_unit(study)
    names = [shortened_path(name) for name in short_names(found.terms)]
    marks = [" (one side)" if term.forbidden else "" for term in found.terms.values()]
    with plain_style():
        figure, panels = panels_for(len(found.base), 2.6, 3.8, 1.3 + 0.3 * len(names))
        for axes, party in zip(panels, found.base, strict=True):
            for place, term in enumerate(found.terms.values()):
                one = term.parties[party].npv.per_step
                low, high = (end / unit for end in one.band_95)
                axes.barh(place, one.value / unit, color=MIDDLE, height=0.65)
                axes.plot([low, high], [place, place], color=DARK, linewidth=1.5, marker="|", markersize=7)
            axes.axvline(0.0, color=DARK, linewidth=0.8)
            axes.set_title(_title(study, party), fontsize=10)
            axes.set_xlabel(f"mean NPV, {money}, for {100 * found.step:g} % more of the term")
            axes.set_yticks(range(len(names)), [name + mark for name, mark in zip(names, marks, strict=True)], fontsize=8.5)
            axes.set_ylim(len(names) - 0.4, -0.6)
        figure.suptitle(f"{title_of(study)}: what each term is worth ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")


def draw_map(study: Study, found: MoneyMap) -> bytes:
    """Draw a panel for each party: its mean NPV at every point that was simulated, and the line on which it breaks even.

    Around each point its own shade is drawn, up to half the way to the next; nothing is drawn beyond the outermost points.
    """
    with plain_style():
        figure, panels = panels_for(len(found.parties), 0.6, 4.4, 3.6)
        for axes, party in zip(panels, found.parties, strict=True):
            _draw_party(axes, study, found, party)
        figure.suptitle(
            f"{title_of(study)}: mean NPV ({found.n_replications:,} replications; dots: points simulated; line: breaks even)",
            fontsize=11,
        )
        return save(figure, "png")


def _draw_party(axes: Axes, study: Study, found: MoneyMap, party: str) -> None:
    unit, money = money_unit(study)
    land, x, y = found.parties[party], np.array(found.across.values), np.array(found.up.values)
    npv = np.array([[one.value / unit for one in row] for row in land.npv]).T
    largest = float(np.abs(npv).max()) or 1.0
    shades = axes.pcolormesh(x, y, npv, shading="nearest", cmap="RdBu", vmin=-largest, vmax=largest)
    axes.figure.colorbar(shades, ax=axes, label=f"mean NPV, {money}")
    axes.plot(*(side.ravel() for side in np.meshgrid(x, y)), color=DARK, linestyle="", marker=".", markersize=2, clip_on=False)
    if land.break_even:
        axes.contour(x, y, npv, levels=[0.0], colors=DARK, linewidths=1.6)
    across, up = short_names([found.across.path, found.up.path])
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    axes.set_xlabel(shortened_path(across))
    axes.set_ylabel(shortened_path(up))
    axes.set_title(_title(study, party), fontsize=10)


def _title(study: Study, party: str) -> str:
    return in_lines(party_title(study, party), 55)
