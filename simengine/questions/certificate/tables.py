"""Lay out a payment-error certificate."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.certificate.answer import Certificate
from simengine.questions.certificate.content import certificate_warnings
from simengine.report.layouts import grid, heading, titled
from simengine.report.units import cell, metric_title, metric_unit, money_unit, to_digits


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
    told = [Text(text, style="bold") for text in certificate_warnings(study, found)]
    return Group(
        heading(study, found, paid),
        layout,
        *_by_term(study, found),
        *_by_outcome(study, found),
        _power_curve(study, found),
        *([_cliffs(study, found), _no_effect(study, found)] if found.bias_no_effect else []),
        *told,
        _promise(found),
    )


def _by_term(study: Study, found: Certificate) -> list[RenderableType]:
    if len(found.terms) < 2:
        return []
    layout, (unit, _) = grid("term", "no effect: P(paid)", "payment", "promised: P(paid)", "payment"), money_unit(study)
    for name, chance in found.terms.items():
        nothing = cell(chance.p_pay_no_effect, 1.0), cell(chance.expected_no_effect, unit)
        layout.add_row(name, *nothing, cell(chance.p_pay_promised_effect, 1.0), cell(chance.expected_promised_effect, unit))
    return [titled("Term by term: where the service changes nothing, and where it does what is promised", layout)]


def _by_outcome(study: Study, found: Certificate) -> list[RenderableType]:
    """Lay out what of each outcome counted person by person would come about, and be paid, without the service."""
    if not found.outcomes:
        return []
    layout, (unit, _) = grid("outcome", "no effect: number", "paid", "promised: number", "paid", "deadweight"), money_unit(study)
    for name, one in found.outcomes.items():
        nothing = cell(one.number_no_effect, 1.0), cell(one.paid_no_effect, unit)
        promised = cell(one.number_promised_effect, 1.0), cell(one.paid_promised_effect, unit)
        layout.add_row(name, *nothing, *promised, cell(one.deadweight, 1.0))
    return [titled("Outcome by outcome: what would be paid without the service, and its share (deadweight)", layout)]


def _power_curve(study: Study, found: Certificate) -> RenderableType:
    metrics, (unit, _) = study.contract.inputs(), money_unit(study)
    columns = ("effect", *(metric_title(study, name, "truth") for name in metrics), "P(paid)", "payment")
    layout = grid(*columns)
    for point in found.power_curve:
        truths = [cell(point.truth[name], metric_unit(study, name)[0]) for name in metrics]
        layout.add_row(f"{point.multiple:z.2f}", *truths, cell(point.p_pay, 1.0), cell(point.expected_payment, unit))
    return titled("What is paid for multiples of the promised effect", layout)


def _cliffs(study: Study, found: Certificate) -> RenderableType:
    if not found.cliffs:
        return Text("\nNo cliff: with the other metrics as promised, the payment jumps nowhere.")
    by_wave = any(cliff.wave for cliff in found.cliffs)
    columns = ("metric", *(["wave"] if by_wave else []), "edge", "paid below", "paid above", "distance", "P(within one)")
    layout, (unit, _) = grid(*columns), money_unit(study)
    for cliff in found.cliffs:
        edge = to_digits(cliff.edge / metric_unit(study, cliff.metric)[0], 6)
        money = [to_digits(amount / unit, 6) for amount in (cliff.below, cliff.above)]
        wave = [cliff.wave or "all"] if by_wave else []
        layout.add_row(cliff.metric, *wave, edge, *money, cell(cliff.distance, 1.0), cell(cliff.p_within_one_se, 1.0))
    return titled("Cliffs: where the payment jumps; distance of the promised truth in standard errors", layout)


def _no_effect(study: Study, found: Certificate) -> RenderableType:
    layout = grid("metric", "estimate", "contract pays from", "investor repaid in full from")
    for name, bias in found.bias_no_effect.items():
        scale = metric_unit(study, name)[0]
        levels = ["-" if level is None else to_digits(level / scale, 6) for level in (bias.pays_from, bias.breaks_even_from)]
        layout.add_row(metric_title(study, name), cell(bias.estimate, scale), *levels)
    return titled("Where the service changes nothing; and from where on the contract pays", layout)


def _promise(found: Certificate) -> Text:
    promised = ", ".join(f"{path.removeprefix('effect.')} {value:.6g}" for path, value in found.promise.items())
    return Text(f"The promised effect: {promised or 'none'}.", style="italic")
