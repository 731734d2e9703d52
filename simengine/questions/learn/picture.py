"""Draw prior and posterior of the numbers that moved most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simengine.config import Study
from simengine.questions.learn.answer import Learned
from simengine.records import Floats
from simengine.report.picture import DARK, LIGHT, in_lines, new_figure, plain_style, save, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_IN_A_ROW, _MOST = 3, 9


def draw_learned(study: Study, found: Learned) -> bytes:
    """Draw each number before in grey, and after as a line, the ones that moved most first; a PNG."""
    paths = [path for path, one in found.numbers.items() if one.written is not None][:_MOST] or list(found.numbers)[:_MOST]
    rows = -(-len(paths) // _IN_A_ROW)
    with plain_style():
        figure = new_figure(figsize=(12, 0.6 + 2.8 * rows), layout="constrained")
        panels = figure.subplots(rows, _IN_A_ROW, squeeze=False).ravel()
        for axes, path in zip(panels, paths, strict=False):
            _panel(axes, path, found)
        for axes in panels[len(paths) :]:
            axes.set_axis_off()
        said = f"{found.n_replications:,} replications, effective sample size {found.effective_sample_size:,.0f}"
        figure.suptitle(f"{title_of(study)}: before and after what is known ({said})", fontsize=11)
        return save(figure, "png")


def _panel(axes: Axes, path: str, found: Learned) -> None:
    values, weights, n = found.posterior.values[path], found.posterior.weights, found.posterior.n_prior
    edges = _edges(values[:n], values[weights > 0.01])
    axes.hist(values[:n], bins=edges, weights=np.full(n, 100 / n), color=LIGHT, label="before")
    axes.hist(values, bins=edges, weights=100 * weights / weights.sum(), histtype="step", color=DARK, linewidth=1.4, label="after")
    axes.set_title(in_lines(path, 42), fontsize=9)
    axes.set_ylabel("share of replications, %")
    axes.legend(fontsize=8, frameon=False)


def _edges(before: Floats, after: Floats) -> list[float]:
    low, high = np.quantile(before, [0.005, 0.995])
    low, high = min(float(low), float(after.min())), max(float(high), float(after.max()))
    space = 0.02 * (high - low) or 1.0
    return [float(edge) for edge in np.linspace(low - space, high + space, 41)]
