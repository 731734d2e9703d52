"""Draw a method spread: what each design concludes of each metric, beside the truth, and what is paid on it."""

from __future__ import annotations

from simengine.config import Study
from simengine.questions.methods.answer import MethodSpread
from simengine.report.picture import DARK, LIGHT, MIDDLE, new_figure, plain_style, save, title_of, with_errors
from simengine.report.units import metric_unit, money_unit


def draw_methods(study: Study, found: MethodSpread) -> bytes:
    """Draw the mean estimate of each design, with the range that 90 % of its estimates would have were they normal."""
    unit, money = money_unit(study)
    with plain_style():
        most = max([len(metric.designs) for metric in found.metrics.values()] + [len(found.paid)])
        figure = new_figure(figsize=(5.6 * (len(found.metrics) + 1), 1.7 + 0.42 * most), layout="constrained")
        *panels, last = figure.subplots(1, len(found.metrics) + 1, squeeze=False)[0]
        for axes, (name, metric) in zip(panels, found.metrics.items(), strict=True):
            scale, unit_name = metric_unit(study, name)
            for place, one in enumerate(metric.designs.values()):
                mean, sd = one.estimate.value / scale, one.sd.value / scale
                axes.plot([mean - 1.645 * sd, mean + 1.645 * sd], [place, place], color=LIGHT, linewidth=7, solid_capstyle="butt")
            with_errors(axes, list(metric.designs), [one.estimate for one in metric.designs.values()], scale)
            axes.axvline(metric.truth.value / scale, color=DARK, linewidth=1.2, label="the truth")
            axes.set_xlabel(f"{name}, {unit_name}" if unit_name else name)
            axes.legend(frameon=False, fontsize=8.5, loc="best")
        names = [name.replace("_", " ") for name in found.paid]
        last.barh(range(len(names)), [one.payment.value / unit for one in found.paid.values()], color=MIDDLE, height=0.6)
        with_errors(last, list(found.paid), [one.payment for one in found.paid.values()], unit)
        last.set_xlabel(f"mean payment, {money}")
        figure.suptitle(f"{title_of(study)}: the same people by every design (bar: 90 % of the estimates)", fontsize=11)
        return save(figure, "png")
