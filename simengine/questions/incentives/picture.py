"""Plot the worth of each choice to the party that makes it, and the outcomes under each contract."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from simengine.config import Study
from simengine.questions.incentives.answer import Incentives, Induced
from simengine.questions.incentives.efforts import behaviour_of
from simengine.report.layouts import called
from simengine.report.picture import new_figure, plain_style, save
from simengine.report.units import money_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREYS = ("0.1", "0.45", "0.7")
_LINES = ("-", "--", ":", "-.")
_LIGHT = "0.75"


def draw_efforts(study: Study, found: Incentives) -> bytes:
    """Draw worth and surplus over the sum of the efforts, one line for each contract, as a PNG; bars are 1.96 standard errors."""
    behaviour, (unit, money) = behaviour_of(study), money_unit(study)
    with plain_style():
        figure = new_figure(figsize=(12, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw(left, found.contracts, "worth", unit)
        _draw(right, found.contracts, "surplus", unit)
        left.set_ylabel(f"worth to the {behaviour.party.replace('_', ' ')}, {money}")
        right.set_ylabel(f"surplus of all parties, {money}")
        left.set_title("What effort is worth to the party that chooses it; the dot is chosen", fontsize=10)
        right.set_title("What it is worth to all; the dot is chosen, the ring is the first best", fontsize=10)
        left.legend(frameon=False)
        figure.suptitle(f"{shorten(study.study.title, 100, placeholder='…')} ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")


def _draw(axes: Axes, contracts: Mapping[str, Induced], what: str, unit: float) -> None:
    """Draw one number of every contract; where several efforts have the same sum, or volumes differ, each choice is a point."""
    for place, (name, one) in enumerate(contracts.items()):
        points = [(sum(point.choice.efforts.values()), getattr(point, what)) for point in one.curve]
        is_line = len({effort for effort, _ in points}) == len(points)
        points.sort(key=lambda point: point[0])
        colour = _GREYS[place % len(_GREYS)]
        axes.errorbar(
            [effort for effort, _ in points],
            [statistic.value / unit for _, statistic in points],
            yerr=[1.96 * statistic.se / unit for _, statistic in points],
            color=colour,
            linestyle=_LINES[place % len(_LINES)] if is_line else "none",
            marker="." if is_line else "x",
            capsize=2,
            label=called(name),
        )
        _mark(axes, one, one.reply.place, what, unit, {"color": colour})
        if what == "surplus":
            _mark(axes, one, one.first_best, what, unit, {"markerfacecolor": "none", "markeredgecolor": colour})
    axes.axvline(0.0, color=_LIGHT, linestyle=":", zorder=0)
    axes.set_xlabel("effort, 1 is what the study says" if len(_names(contracts)) < 2 else "sum of the efforts")


def _mark(axes: Axes, one: Induced, place: int, what: str, unit: float, look: Mapping[str, Any]) -> None:
    point = one.curve[place]
    value = getattr(point, what).value / unit
    axes.plot(sum(point.choice.efforts.values()), value, marker="o", markersize=9, linestyle="none", **look)


def _names(contracts: Mapping[str, Induced]) -> set[str]:
    return {name for one in contracts.values() for name in one.chosen.choice.efforts}
