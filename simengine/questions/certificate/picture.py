"""Plot the power curve of a certificate: probability and amount of payment by true effect."""

from __future__ import annotations

from textwrap import shorten

from simengine.config import Study
from simengine.questions.certificate.answer import Certificate
from simengine.report.picture import new_figure, plain_style, save
from simengine.report.units import money_unit, percent
from simengine.risk.statistics import Statistic

_DARK, _LIGHT = "0.15", "0.75"


def draw_power(study: Study, found: Certificate) -> bytes:
    """Draw P(paid) and the expected payment over multiples of the promised effect, as a PNG; bars are 1.96 standard errors."""
    multiples = [point.multiple for point in found.power_curve]
    money, money_name = money_unit(study)
    with plain_style():
        figure = new_figure(figsize=(12, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, statistics, unit in (
            (left, [point.p_pay for point in found.power_curve], 0.01),
            (right, [point.expected_payment for point in found.power_curve], money),
        ):
            values = [statistic.value / unit for statistic in statistics]
            axes.errorbar(multiples, values, yerr=_bars(statistics, unit), color=_DARK, marker="o", markersize=4, capsize=3)
            axes.axvline(0.0, color=_LIGHT, linestyle=":", zorder=0)
            axes.axvline(1.0, color=_LIGHT, linestyle="--", zorder=0)
            axes.set_ylim(bottom=min(0.0, *values))
            axes.set_xlabel("true effect, in multiples of the promise")
        left.set_ylim(0, 100)
        left.set_ylabel("probability of a payment, %")
        right.set_ylabel(f"expected payment, {money_name}")
        left.set_title(f"Paid although the service changes nothing: {percent(found.p_pay_no_effect)}", fontsize=10)
        right.set_title(f"Not paid although it does what is promised: {percent(found.p_no_pay_promised_effect)}", fontsize=10)
        terms = shorten(", ".join(found.contingent_terms), 60, placeholder="…")
        title = f"{shorten(study.study.title, 100, placeholder='…')} ({found.n_replications:,} replications; payment under {terms})"
        figure.suptitle(title, fontsize=11)
        return save(figure, "png")


def _bars(statistics: list[Statistic], unit: float) -> list[float]:
    return [1.96 * statistic.se / unit for statistic in statistics]
