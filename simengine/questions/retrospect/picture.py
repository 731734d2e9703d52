"""Draw where known results fall in a forecast."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from simengine.config import Study
from simengine.questions.retrospect.answer import PlaceInForecast, Retrospect
from simengine.records import Floats
from simengine.report.picture import new_figure, plain_style, save
from simengine.report.units import metric_unit, money_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FORECAST, _UPDATED, _KNOWN = "0.75", "0.15", "0.0"
_IN_A_ROW = 2


def draw_look_back(study: Study, found: Retrospect) -> bytes:
    """Draw each known quantity: the forecast in grey, updated as a line where something is given, and what was known; a PNG."""
    rows = -(-len(found.places) // _IN_A_ROW)
    with plain_style():
        figure = new_figure(figsize=(12, 3.6 * rows), layout="constrained")
        panels = figure.subplots(rows, _IN_A_ROW, squeeze=False).ravel()
        for axes, (name, place) in zip(panels, found.places.items(), strict=False):
            _panel(axes, study, name, place, found)
        for axes in panels[len(found.places) :]:
            axes.set_axis_off()
        figure.suptitle(f"{shorten(study.study.title, 100, placeholder='…')} ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")


def _panel(axes: Axes, study: Study, name: str, place: PlaceInForecast, found: Retrospect) -> None:
    scale, unit = _unit(study, place.known.of)
    column, known = found.columns[place.known.column] / scale, place.known
    was_measured = np.isfinite(column)
    values = column[was_measured]
    edges = _edges(values, known.value / scale)
    share = np.full(len(values), 100 / len(values))
    axes.hist(values, bins=edges, weights=share, color=_FORECAST, label="forecast")
    if found.weights is not None:
        weights = found.weights[was_measured]
        updated = 100 * weights / weights.sum()
        axes.hist(values, bins=edges, weights=updated, histtype="step", color=_UPDATED, label="updated")
        axes.legend(fontsize=8, frameon=False)
    low, high = (np.clip(end / scale, edges[0], edges[-1]) for end in known.ends)
    axes.axvspan(low, high, color=_KNOWN, alpha=0.12, linewidth=0)
    axes.axvline(known.value / scale, color=_KNOWN, linewidth=1.2)
    axes.set_title(
        f"{name.replace('_', ' ')}: P(so) {100 * place.inside.value:z.1f} %, below {100 * place.below.value:z.1f} %", fontsize=10
    )
    axes.set_xlabel(shorten(f"{known.column}{f', {unit}' if unit else ''}", 70, placeholder="…"))
    axes.set_ylabel("share of replications, %")


def _unit(study: Study, quantity: str) -> tuple[float, str]:
    if quantity.startswith("metric."):
        return metric_unit(study, quantity.split(".")[1])
    own: dict[str, tuple[float, str]] = {"moic": (1.0, ""), "irr": (1.0, "a year"), "payback_months": (1.0, "months")}
    return own.get(quantity.rpartition(".")[2]) or money_unit(study)


def _edges(values: Floats, known: float) -> list[float]:
    """Return the bins: the middle 99 % of the forecast, and what is known."""
    low, high = np.quantile(values, [0.005, 0.995])
    low, high = min(low, known), max(high, known)
    space = 0.03 * (high - low) or 1.0
    return [float(edge) for edge in np.linspace(low - space, high + space, 61)]
