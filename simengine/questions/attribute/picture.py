"""Draw the variance and the tail of each party by source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.questions.attribute.answer import Attribution
from simengine.replications.money import amount_asked
from simengine.report.picture import MIDDLE, new_figure, plain_style, save, title_of
from simengine.risk.statistics import Statistic

if TYPE_CHECKING:
    pass

_SHADES = {"parameters": "#1f3b57", "environment": "#5b8db8", "sampling": "#d9a441", "measurement": "#8c8c8c"}


def draw_attribution(study: Study, found: Attribution) -> bytes:
    """Plot the shares of the layers in each party's variance and tail."""
    asked = amount_asked(found.measure)
    loss = "the loss" if asked.sign > 0 else asked.title
    with plain_style():
        figure = new_figure(figsize=(12, 1.9 + 0.6 * len(found.burdens)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        parties = list(found.burdens)
        for axes, what in ((left, "variance"), (right, "tail")):
            shares = {party: getattr(one, what) for party, one in found.burdens.items()}
            for layer in found.layers:
                parts = [100 * _ratio(one.shapley[layer], one.total) for one in shares.values()]
                before = [
                    100
                    * sum(max(_ratio(one.shapley[other], one.total), 0.0) for other in found.layers[: found.layers.index(layer)])
                    for one in shares.values()
                ]
                widths = [max(part, 0.0) for part in parts]
                axes.barh(range(len(parties)), widths, left=before, color=_SHADES[layer], label=layer, height=0.6)
                for place, (part, start) in enumerate(zip(widths, before, strict=True)):
                    if part >= 6:
                        colour = "white" if layer != "sampling" else "black"
                        axes.text(start + part / 2, place, f"{part:z.0f} %", ha="center", va="center", color=colour, fontsize=9)
            for place, one in enumerate(shares.values()):
                if not one.total.value:
                    axes.text(1, place, "nothing varies", va="center", color=MIDDLE, fontsize=9)
            axes.set_xlim(0, 100)
            axes.set_xlabel("Shapley share, %")
        left.set_yticks(range(len(parties)), [party.replace("_", " ") for party in parties])
        left.invert_yaxis()
        left.set_title(f"Variance of {asked.title}", fontsize=10)
        right.set_title(f"Tail: CVaR {100 * found.level:g} % of {loss}, beyond its mean", fontsize=10)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(found.layers), frameon=False)
        figure.suptitle(f"{title_of(study)}: variance by source ({found.n_replications:,} families of replications)", fontsize=11)
        return save(figure, "png")


def _ratio(part: Statistic, whole: Statistic) -> float:
    return part.value / whole.value if whole.value else 0.0
