"""Lay out what an analysis found: every number with its Monte Carlo standard error."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.certificate.answer import Certificate
from simengine.questions.methods.answer import MethodSpread
from simengine.questions.window.answer import WindowSpread
from simengine.report.findings import warnings
from simengine.report.layouts import grid, heading, titled
from simengine.report.units import cell, metric_unit, money_unit, told_units


def certificate_tables(study: Study, found: Certificate) -> RenderableType:
    """Lay out a payment-error certificate."""
    paid, (money, _) = f"Paid means: under {', '.join(found.contingent_terms)}.", money_unit(study)
    facts = {
        "P(paid, although the service changes nothing)": (found.p_pay_no_effect, 1.0),
        "P(not paid, although it does what is promised)": (found.p_no_pay_promised_effect, 1.0),
        "Expected payment for nothing": (found.expected_paid_for_nothing, money),
        "Expected payment withheld at the promise": (found.expected_withheld, money),
        "Expected payment on the truth at the promise": (found.expected_payment_on_truth, money),
    }
    layout = grid("", "", show_header=False)
    for name, (statistic, scale) in facts.items():
        layout.add_row(name, cell(statistic, scale))
    told = [Text(text, style="bold") for text in warnings(study, found)]
    return Group(
        heading(study, found, paid),
        layout,
        *_by_term(study, found),
        _power_curve(study, found),
        _cliffs(study, found),
        _no_effect(study, found),
        *told,
        _promise(found),
    )


def methods_tables(study: Study, found: MethodSpread) -> RenderableType:
    """Lay out a method spread: a table for each metric, then the money."""
    remark = (
        f"The contract goes by the design {_words(found.prescribed)}. Bias: estimate - truth. Own error: the standard error that "
        "the evaluator reports. Coverage: how often the truth is within 1.96 of these."
    )
    parts: list[RenderableType] = [heading(study, found, remark)]
    unit, _ = money_unit(study)
    for name, readings in found.readings.items():
        scale, counted = metric_unit(study, name)
        layout = grid("design", "estimate", "bias", "sd", "own error", "coverage")
        for design, reading in readings.items():
            numbers = [reading.estimate, reading.bias, reading.sd, reading.standard_error]
            layout.add_row(_words(design), *(cell(number, scale) for number in numbers), cell(reading.coverage, 1.0))
        parts.append(titled(f"{name}: the truth is {cell(found.truth[name], scale)} {counted}".rstrip(), layout))
    money = grid("design", "payment", "P(paid)", "")
    for design, paid in found.paid.items():
        borrowed = found.borrowed.get(design, ())
        remark = f"{', '.join(borrowed)} as the contract prescribes" if borrowed else ""
        money.add_row(_words(design), cell(paid.payment, unit), cell(paid.p_pay, 1.0), remark)
    return Group(*parts, titled(f"What the contract would pay under {', '.join(found.contingent_terms)}", money))


def window_tables(study: Study, found: WindowSpread) -> RenderableType:
    """Lay out what the length of the follow-up does: what is measured, then the money."""
    changed = f"The window of {', '.join(found.metrics)} is changed; savings are counted to month {found.horizon_months}."
    seen = grid("months", *_metric_columns(found.metrics))
    paid = grid("months", "payment", "P(paid)", "money back", "P(loss)", "NPV", "saving - payment")
    against = grid("months", "payment", "NPV", "saving - payment")
    unit, _ = money_unit(study)
    for one in found.windows:
        pairs = [(each[name], _scale(study, name)) for name in found.metrics for each in (one.estimate, one.truth)]
        seen.add_row(str(one.months), *(cell(number, scale) for number, scale in pairs))
        row = (one.payment, unit), (one.p_pay, 1.0), (one.money_back, unit), (one.p_loss, 1.0)
        rest = (one.npv, unit), (one.payer_net, unit)
        paid.add_row(str(one.months), *(cell(number, scale) for number, scale in (*row, *rest)))
        if one is not found.windows[0]:
            against.add_row(str(one.months), *(cell(one.since_first[name], unit) for name in ("payment", "npv", "payer_net")))
    parts = [
        titled(f"What the evaluator concludes, and what is true{told_units(study, found.metrics)}", seen),
        titled("The money: payment, the lenders', and the payers'", paid),
    ]
    if len(found.windows) > 1:
        parts.append(titled(f"More than with {found.windows[0].months} months, in the same worlds", against))
    return Group(heading(study, found, changed), *parts)


def _metric_columns(metrics: Iterable[str]) -> list[str]:
    return [f"{name}: {what}" for name in metrics for what in ("estimate", "truth")]


def _by_term(study: Study, found: Certificate) -> list[RenderableType]:
    if len(found.by_term) < 2:
        return []
    layout, (unit, _) = grid("term", "no effect: P(paid)", "payment", "promised: P(paid)", "payment"), money_unit(study)
    for name, chance in found.by_term.items():
        nothing = cell(chance.p_pay_no_effect, 1.0), cell(chance.expected_no_effect, unit)
        layout.add_row(name, *nothing, cell(chance.p_pay_promised_effect, 1.0), cell(chance.expected_promised_effect, unit))
    return [titled("Term by term: where the service changes nothing, and where it does what is promised", layout)]


def _power_curve(study: Study, found: Certificate) -> RenderableType:
    metrics, (unit, _) = study.contract.inputs(), money_unit(study)
    columns = ("effect", *(f"{name}: truth" for name in metrics), "P(paid)", "payment")
    layout = grid(*columns)
    for point in found.power_curve:
        truths = [cell(point.truth[name], _scale(study, name)) for name in metrics]
        layout.add_row(f"{point.multiple:z.2f}", *truths, cell(point.p_pay, 1.0), cell(point.expected_payment, unit))
    return titled(f"What is paid for multiples of the promised effect{told_units(study, metrics)}", layout)


def _cliffs(study: Study, found: Certificate) -> RenderableType:
    if not found.cliffs:
        return Text("\nNo cliff: with the other metrics as promised, the payment jumps nowhere.")
    by_wave = any(cliff.wave for cliff in found.cliffs)
    columns = ("metric", *(["wave"] if by_wave else []), "edge", "paid below", "paid above", "distance", "P(within one)")
    layout, (unit, _) = grid(*columns), money_unit(study)
    for cliff in found.cliffs:
        edge = f"{cliff.edge / _scale(study, cliff.metric):,.6g}"
        money = [f"{amount / unit:,.6g}" for amount in (cliff.below, cliff.above)]
        wave = [cliff.wave or "all"] if by_wave else []
        layout.add_row(cliff.metric, *wave, edge, *money, cell(cliff.distance, 1.0), cell(cliff.p_within_one_se, 1.0))
    return titled("Cliffs: where the payment jumps; distance of the promised truth in standard errors", layout)


def _no_effect(study: Study, found: Certificate) -> RenderableType:
    layout = grid("metric", "estimate", "pays from", "breaks even from")
    for name, bias in found.bias_no_effect.items():
        scale = _scale(study, name)
        levels = ["-" if level is None else f"{level / scale:,.6g}" for level in (bias.pays_from, bias.breaks_even_from)]
        layout.add_row(name, cell(bias.estimate, scale), *levels)
    return titled("Where the service changes nothing; and from where on the contract pays", layout)


def _promise(found: Certificate) -> Text:
    promised = ", ".join(f"{path.removeprefix('effect.')} {value:.6g}" for path, value in found.promise.items())
    return Text(f"The promised effect: {promised or 'none'}.", style="italic")


def _scale(study: Study, metric: str) -> float:
    return metric_unit(study, metric)[0]


def _words(design: str) -> str:
    return design.replace("_", " ")
