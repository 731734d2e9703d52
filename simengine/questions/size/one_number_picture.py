"""Draw the search for one number of a contract, and how much must be believed for a deal."""

from __future__ import annotations

from simengine.config import Study
from simengine.questions.size.belief import WeakestBelief
from simengine.questions.size.one_number import OneNumber
from simengine.report.picture import DARK, LIGHT, MIDDLE, new_figure, plain_style, save, title_of
from simengine.report.units import measure_unit


def draw_walk(study: Study, found: OneNumber) -> bytes:
    """Draw the measure along the range of the term, its limit, and where it is kept from."""
    scale, unit = measure_unit(study, found.limit.measure)
    values = [value for value, _ in found.walk]
    with plain_style():
        figure = new_figure(figsize=(7.5, 4.4), layout="constrained")
        axes = figure.subplots()
        middle = [one.value / scale for _, one in found.walk]
        axes.errorbar(values, middle, yerr=[1.96 * one.se / scale for _, one in found.walk], color=DARK, marker="o", markersize=4)
        axes.axhline(found.limit.level / scale, color=MIDDLE, linestyle=":", label=f"limit: {found.limit}")
        axes.axvspan(found.low, found.high, color=LIGHT, label="95 % interval")
        axes.axvline(found.value, color="tab:red", label=f"the {found.end}: {found.value:.4g}")
        axes.set_xlabel(found.path)
        axes.set_ylabel(f"{found.limit.measure}{unit and f', {unit}'}")
        axes.legend(frameon=False, fontsize=8.5)
        figure.suptitle(f"{title_of(study)} ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")


def draw_belief(study: Study, found: WeakestBelief) -> bytes:
    """Draw at which multiples of the effect a deal exists."""
    with plain_style():
        figure = new_figure(figsize=(7.5, 2.4), layout="constrained")
        axes = figure.subplots()
        for is_deal, colour, label in ((False, LIGHT, "no deal"), (True, DARK, "a deal")):
            for is_clear in (True, False):
                points = [one.multiple for one in found.tried if one.is_deal is is_deal and one.is_clear is is_clear]
                shade = colour if is_clear else "none"
                name = f"{label}{'' if is_clear else ', within the noise of the replications'}"
                if points:
                    axes.scatter(points, [int(is_deal)] * len(points), facecolor=shade, edgecolor=MIDDLE, s=60, label=name)
        axes.axvline(found.high, color="tab:red", linewidth=1.2)
        axes.set_yticks([0, 1], ["no deal", "a deal"])
        axes.set_ylim(-0.6, 1.6)
        axes.set_xlabel(f"multiple of the effect in which {', '.join(found.parties)} must believe")
        axes.legend(frameon=False, fontsize=8.5, loc="center right")
        figure.suptitle(f"{title_of(study)} ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")
