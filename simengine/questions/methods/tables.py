"""Lay out a method spread: a table for each metric, then the money."""

from __future__ import annotations

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.methods.answer import MethodSpread
from simengine.report.layouts import grid, heading, titled
from simengine.report.units import cell, metric_unit, money_unit


def methods_tables(study: Study, found: MethodSpread) -> RenderableType:
    """Lay out a method spread: a table for each metric, then the money."""
    remark = (
        f"The contract goes by the design {_prescribed(found)}. Bias: estimate - truth. Reported error: the standard error that "
        "the evaluator reports. Coverage: how often the truth is within 1.96 of these."
    )
    parts: list[RenderableType] = [heading(study, found, remark)]
    unit, _ = money_unit(study)
    for name, metric in found.metrics.items():
        scale, counted = metric_unit(study, name)
        layout = grid("design", "estimate", "bias", "sd", "reported error", "coverage")
        for design, reading in metric.designs.items():
            numbers = [reading.estimate, reading.bias, reading.sd, reading.standard_error]
            layout.add_row(_words(design), *(cell(number, scale) for number in numbers), cell(reading.coverage, 1.0))
        parts.append(titled(f"{name}: the truth is {cell(metric.truth, scale)} {counted}".rstrip(), layout))
    money = grid("design", "payment", "P(paid)", "")
    for design, paid in found.paid.items():
        remark = f"{', '.join(paid.borrowed)} as the contract prescribes" if paid.borrowed else ""
        money.add_row(_words(design), cell(paid.payment, unit), cell(paid.p_pay, 1.0), remark)
    return Group(*parts, titled(f"What the contract would pay under {', '.join(found.contingent_terms)}", money))


def _prescribed(found: MethodSpread) -> str:
    """Return the design of the contract, or those of its metrics where these are several."""
    if len({metric.prescribed for metric in found.metrics.values()}) == 1:
        return _words(found.prescribed)
    return ", ".join(f"{_words(metric.prescribed)} for {name}" for name, metric in found.metrics.items())


def _words(design: str) -> str:
    return design.replace("_", " ")
