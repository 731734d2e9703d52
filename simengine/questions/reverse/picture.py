"""Draw what breaks a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.questions.reverse.answer import Nearest, ReverseStress
from simengine.report.picture import DARK, MIDDLE, new_figure, plain_style, save, title_of
from simengine.report.units import to_digits

if TYPE_CHECKING:
    pass

_LEAST_SHARE = 0.001
"""Of the squared distance: an assumption with less stands at its median."""


def draw_reverse(study: Study, found: ReverseStress) -> bytes:
    """Draw how far each assumption stands from its median where the deal breaks first."""
    steps = [] if found.nearest is None else [step for step in found.nearest.steps[:12] if step.share >= _LEAST_SHARE]
    with plain_style():
        figure = new_figure(figsize=(10, 2.2 + 0.3 * len(steps) if steps else 1.2), layout="constrained")
        axes = figure.subplots()
        axes.barh(range(len(steps)), [step.score for step in steps], color=MIDDLE, height=0.65)
        reach = max([abs(step.score) for step in steps], default=1.0) or 1.0
        for place, step in enumerate(steps):
            text = f"{to_digits(step.median)} → {to_digits(step.value)}"
            side = 1 if step.score >= 0 else -1
            axes.text(step.score + side * 0.03 * reach, place, text, va="center", ha="left" if side > 0 else "right", fontsize=8.5)
        axes.set_xlim(-1.6 * reach, 1.6 * reach)
        axes.axvline(0.0, color=DARK, linewidth=1.0, visible=bool(steps))
        axes.set_yticks(range(len(steps)), [step.path for step in steps], fontsize=8.5)
        axes.invert_yaxis()
        axes.set_xlabel("standard deviations from the median")
        axes.set_title(f"{found.criterion}: {_reverse_words(found.nearest)}", fontsize=10)
        if not steps:
            # Nothing stands anywhere but at its median: the words say all.
            axes.set_axis_off()
        figure.suptitle(f"{title_of(study)}: the nearest assumptions that break the deal", fontsize=11)
        return save(figure, "png")


def _reverse_words(nearest: Nearest | None) -> str:
    if nearest is None:
        return "no combination of assumptions within six standard deviations breaks it in half of its replications"
    if not nearest.distance.value:
        return f"with every assumption at its median it breaks in {100 * nearest.p_break.value:z.0f} % of the replications already"
    text = f"{nearest.distance.value:z.2f} ± {nearest.distance.se:z.2f} standard deviations away"
    return f"{text}; probability beyond {nearest.p_beyond:.2g}"
