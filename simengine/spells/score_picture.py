"""Draw scores that were read against those that were fitted: the share of people at or below each."""

from __future__ import annotations

from collections.abc import Mapping

from simengine.report.picture import DARK, LIGHT, MIDDLE, in_lines, new_figure, panels_for, plain_style, save
from simengine.spells.score_goodness import ScoreGoodness

_WIDTH, _HEIGHT = 3.9, 2.7


def draw_scores(name: str, judged: Mapping[str, ScoreGoodness]) -> bytes:
    """Draw a panel for each score and reading: the band grey, what was observed a solid line, the fit a dashed one; as PNG."""
    panels = [(f"{of} {when}", curve) for of, one in judged.items() for when, curve in one.curves.items() if len(curve.score) > 1]
    with plain_style():
        if not panels:
            figure = new_figure(figsize=(6.0, 1.2))
            figure.suptitle(f"{name}: too few people to draw", fontsize=11)
            return save(figure, "png")
        figure, axes = panels_for(len(panels), 0.4, _WIDTH, _HEIGHT)
        for panel, (title, curve) in zip(axes, panels, strict=True):
            panel.fill_between(curve.score, curve.low, curve.high, color=LIGHT, linewidth=0, label="95 % band")
            panel.plot(curve.score, curve.share, color=MIDDLE, linewidth=1.8, label="observed")
            panel.plot(curve.score, curve.fitted, color=DARK, linewidth=1.3, linestyle=(0, (4, 2)), label="fitted")
            panel.set_title(in_lines(title, 40), fontsize=9.5)
            panel.set_ylim(-0.02, 1.02)
            panel.set_ylabel("share at or below")
            panel.set_xlabel("score")
            panel.tick_params(labelleft=True)
        axes[0].legend(loc="upper left", frameon=False, fontsize=8.5)
        figure.suptitle(f"{name}: observed with its 95 % band, and fitted", fontsize=11)
        return save(figure, "png")
