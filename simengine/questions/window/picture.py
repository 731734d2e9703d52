"""Draw a comparison of windows: what is measured, and what it does to the money, over the length of the follow-up."""

from __future__ import annotations

from simengine.config import Study
from simengine.questions.window.answer import WindowSpread
from simengine.report.picture import DARK, MIDDLE, new_figure, plain_style, save, title_of
from simengine.report.units import metric_unit, money_unit


def draw_windows(study: Study, found: WindowSpread) -> bytes:
    """Draw estimate and truth of each metric whose window is changed, and the mean money of those who pay and who lend."""
    unit, money = money_unit(study)
    months = [one.months for one in found.windows]
    with plain_style():
        figure = new_figure(figsize=(5.2 * (len(found.changed_metrics) + 1), 4.0), layout="constrained")
        *panels, last = figure.subplots(1, len(found.changed_metrics) + 1, squeeze=False)[0]
        for axes, metric in zip(panels, found.changed_metrics, strict=True):
            scale, name = metric_unit(study, metric)
            for what, colour, label in (("estimate", DARK, "what is concluded"), ("truth", MIDDLE, "what is true")):
                shown = [getattr(one, what)[metric] for one in found.windows]
                values, errors = [one.value / scale for one in shown], [1.96 * one.se / scale for one in shown]
                axes.errorbar(months, values, yerr=errors, color=colour, marker="o", markersize=4, capsize=3, label=label)
            axes.set_ylabel(f"{metric}, {name}" if name else metric)
            axes.legend(frameon=False, fontsize=8.5)
        for what, style, label in (
            ("payment", "-", "payment"),
            ("npv", "--", "NPV of those who lend"),
            ("payer_net", ":", "saving less payment"),
        ):
            shown = [getattr(one, what) for one in found.windows]
            values, errors = [one.value / unit for one in shown], [1.96 * one.se / unit for one in shown]
            last.errorbar(
                months, values, yerr=errors, color=DARK, linestyle=style, marker="o", markersize=4, capsize=3, label=label
            )
        last.axhline(0.0, color=MIDDLE, linewidth=0.8)
        last.set_ylabel(f"mean, {money}")
        last.legend(frameon=False, fontsize=8.5)
        for axes in (*panels, last):
            axes.set_xlabel("months of follow-up")
            axes.set_xticks(months)
        figure.suptitle(f"{title_of(study)}: how long people are followed ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")
