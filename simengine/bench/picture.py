"""Pictures of a comparison: error against work, and the empirical distribution of run lengths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simengine.bench.card import BENCH_FAMILIES
from simengine.bench.compare import MethodComparison, error_against_work, run_lengths
from simengine.report.picture import drawn, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = ("-", "--", "-.", ":")
_MARKS = "os^vDx+*"


def comparison_pictures(found: MethodComparison) -> dict[str, bytes]:
    """Return the pictures by the names of their files."""
    files = {}
    for name, paint in (("error-against-work", _error), ("run-lengths", _lengths)):
        for form, content in drawn(partial(_figure, found, paint)).items():
            files[f"{name}.{form}"] = content
    return files


def _figure(found: MethodComparison, paint: Callable[[MethodComparison, str, Axes], None]) -> Figure:
    families = found.families
    figure = new_figure(figsize=(6.4, 3.4 * len(families)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(families), 1))
    for axes, family in zip(panels, families, strict=True):
        axes.set_title(BENCH_FAMILIES[family].partition(":")[0], loc="left")
        paint(found, family, axes)
        axes.set_xscale("log")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
    return figure


def _methods(found: MethodComparison, family: str) -> list[str]:
    return list(dict.fromkeys(line.method for line in found.lines if line.family == family))


def _error(found: MethodComparison, family: str, axes: Axes) -> None:
    lines = [line for line in found.lines if line.family == family]
    for number, method in enumerate(_methods(found, family)):
        works, errors = error_against_work(lines, method)
        if works:
            style, mark = _STYLES[number % len(_STYLES)], _MARKS[number % len(_MARKS)]
            axes.plot(works, errors, label=method, linestyle=style, marker=mark, color="0.2", markersize=4)
    axes.set_yscale("log")
    axes.set_xlabel("replications")
    axes.set_ylabel("error, geometric mean")


def _lengths(found: MethodComparison, family: str, axes: Axes) -> None:
    lines = [line for line in found.lines if line.family == family]
    most = max((line.replications for line in lines), default=1.0)
    for number, method in enumerate(_methods(found, family)):
        reached, pairs = run_lengths(lines, method)
        if reached and pairs:
            share = np.arange(1, len(reached) + 1) / pairs
            steps = (np.append(reached, most), np.append(share, share[-1]))
            axes.step(*steps, where="post", label=method, linestyle=_STYLES[number % 4], color=f"{0.15 * (number % 5):.2f}")
    axes.set_ylim(0, 1)
    axes.set_xlabel("replications")
    axes.set_ylabel("share of targets reached")
