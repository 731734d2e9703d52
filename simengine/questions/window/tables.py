"""Lay out a comparison of windows."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.window.answer import WindowSpread
from simengine.report.layouts import grid, heading, titled
from simengine.report.units import cell, metric_title, metric_unit, money_unit


def window_tables(study: Study, found: WindowSpread) -> RenderableType:
    """Lay out what the length of the follow-up does: what is measured, then the money."""
    changed = f"The window of {', '.join(found.changed_metrics)} is changed; savings are counted to month {found.horizon_months}."
    seen = grid("months", *_metric_columns(study, found.changed_metrics))
    paid = grid("months", "payment", "P(paid)", "money back", "P(loss)", "NPV", "saving - payment")
    against = grid("months", "payment", "NPV", "saving - payment")
    unit, _ = money_unit(study)
    for one in found.windows:
        pairs = [(each[name], metric_unit(study, name)[0]) for name in found.changed_metrics for each in (one.estimate, one.truth)]
        seen.add_row(str(one.months), *(cell(number, scale) for number, scale in pairs))
        row = (one.payment, unit), (one.p_pay, 1.0), (one.money_back, unit), (one.p_loss, 1.0)
        rest = (one.npv, unit), (one.payer_net, unit)
        paid.add_row(str(one.months), *(cell(number, scale) for number, scale in (*row, *rest)))
        if one is not found.windows[0]:
            against.add_row(str(one.months), *(cell(one.since_first[name], unit) for name in ("payment", "npv", "payer_net")))
    parts = [
        titled("What the evaluator concludes, and what is true", seen),
        titled("The money: payment, the lenders', and the payers'", paid),
    ]
    if len(found.windows) > 1:
        parts.append(titled(f"More than with {found.windows[0].months} months, in the same replications", against))
    return Group(heading(study, found, changed), *parts)


def _metric_columns(study: Study, metrics: Iterable[str]) -> list[str]:
    return [metric_title(study, name, what) for name in metrics for what in ("estimate", "truth")]
