"""Draw what was observed against what was fitted: how long people stay in each state, and who is where by month since entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simengine.arrays import Floats
from simengine.report.picture import DARK, LIGHT, MIDDLE, in_lines, new_figure, panels_for, plain_style, save
from simengine.spells.goodness import Goodness
from simengine.spells.observed import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 3.9, 2.7


def draw_fit(name: str, found: Goodness) -> bytes:
    """Draw a panel for each state that can be left, then one for each state of which shares are known.

    The band is grey, what was observed a solid line, the fit a dashed one: legible without colour.
    """
    panels = [
        *_titled(
            {name: (_joined(seen), fitted) for name, (seen, fitted) in found.survival_curves.items()},
            "stays in",
            "share still there",
            "months in the state",
        ),
        *_titled(found.occupancy_curves, "who is in", "share of people", "months since entry"),
    ]
    with plain_style():
        if not panels:
            figure = new_figure(figsize=(6.0, 1.2))
            figure.suptitle(f"{name}: too few people to draw", fontsize=11)
            return save(figure, "png")
        figure, axes = panels_for(len(panels), 0.4, _WIDTH, _HEIGHT)
        for panel, (title, share, months, (seen, fitted)) in zip(axes, panels, strict=True):
            _draw(panel, seen, fitted)
            panel.set_title(in_lines(title, 40), fontsize=9.5)
            panel.set_ylabel(share)
            panel.set_xlabel(months)
            panel.tick_params(labelleft=True)
        axes[0].legend(loc="upper right", frameon=False, fontsize=8.5)
        figure.suptitle(f"{name}: observed with its 95 % band, and fitted", fontsize=11)
        return save(figure, "png")


def _titled(
    curves: Mapping[str, tuple[Curve, Floats]], title: str, share: str, months: str
) -> list[tuple[str, str, str, tuple[Curve, Floats]]]:
    return [(f"{title} {state}", share, months, pair) for state, pair in curves.items() if np.isfinite(pair[0].share).any()]


def _joined(seen: Curve) -> Curve:
    """Leave out the months that are not shown, so that lines join the others."""
    shown = np.isfinite(seen.share) & np.isfinite(seen.low)
    return Curve(seen.months[shown], seen.share[shown], seen.low[shown], seen.high[shown])


def _draw(axes: Axes, seen: Curve, fitted: Floats) -> None:
    axes.fill_between(seen.months, seen.low, seen.high, color=LIGHT, linewidth=0, label="95 % band")
    axes.plot(seen.months, seen.share, color=MIDDLE, linewidth=1.8, label="observed")
    axes.plot(np.arange(len(fitted)), fitted, color=DARK, linewidth=1.3, linestyle=(0, (4, 2)), label="fitted")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(0, max(len(fitted) - 1, 1))
