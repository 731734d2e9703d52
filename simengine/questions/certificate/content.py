"""A payment-error certificate as plain numbers, with warnings in words."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from simengine.config import Study
from simengine.questions.certificate.answer import Bias, Certificate, Cliff, CountedDeadweight
from simengine.report.answers import answer_heading
from simengine.report.document import plain
from simengine.report.units import metric_unit
from simengine.risk.statistics import Statistic


def certificate(study: Study, found: Certificate) -> dict[str, Any]:
    """Return a payment-error certificate as plain numbers."""
    return answer_heading(study, found) | {
        "contingent_terms": list(found.contingent_terms),
        "promise": dict(found.promise),
        "p_pay_no_effect": plain(found.p_pay_no_effect),
        "p_no_pay_promised_effect": plain(found.p_no_pay_promised_effect),
        "expected_paid_for_nothing": plain(found.expected_paid_for_nothing),
        "expected_withheld": plain(found.expected_withheld),
        "expected_payment_on_truth": plain(found.expected_payment_on_truth),
        "power_curve": [
            {
                "multiple": point.multiple,
                "truth": plain(point.truth),
                "estimate": plain(point.estimate),
                "p_pay": plain(point.p_pay),
                "expected_payment": plain(point.expected_payment),
            }
            for point in found.power_curve
        ],
        "terms": {
            name: {key: plain(Statistic(**one)) for key, one in asdict(chance).items()} for name, chance in found.by_term.items()
        },
        **({"outcomes": {name: _counted(one) for name, one in found.by_outcome.items()}} if found.by_outcome else {}),
        "cliffs": [_cliff(cliff) for cliff in found.cliffs],
        "bias_no_effect": {name: plain(bias.estimate) for name, bias in found.bias_no_effect.items()},
        "pays_from": {name: bias.pays_from for name, bias in found.bias_no_effect.items()},
        "breaks_even_from": {name: bias.breaks_even_from for name, bias in found.bias_no_effect.items()},
        "warnings": certificate_warnings(study, found),
    }


def _counted(one: CountedDeadweight) -> dict[str, Any]:
    values = {field.name: getattr(one, field.name) for field in fields(one)}
    return {name: None if value is None else plain(value) for name, value in values.items()}


def certificate_warnings(study: Study, found: Certificate) -> list[str]:
    """Return warnings where the contract pays without any effect."""
    return [_warning(study, name, bias) for name, bias in found.bias_no_effect.items() if bias.is_paid]


def _warning(study: Study, name: str, bias: Bias) -> str:
    assert bias.pays_from is not None
    scale, unit = metric_unit(study, name)
    unit = f" {unit}" if unit else ""
    estimate = f"{bias.estimate.value / scale:.3g} ± {bias.estimate.se / scale:.1g}{unit}"
    text = f"{name}: where the service changes nothing, the evaluator still sees {estimate} on average. "
    text += f"This exceeds {bias.pays_from / scale:.6g}{unit}, where the contract begins to pay"
    if bias.breaks_even and bias.breaks_even_from is not None:
        text += f", and {bias.breaks_even_from / scale:.6g}{unit}, where the investor gets the money drawn back"
    selection = study.population.selection
    if selection is not None:
        text += f". People are selected by `{selection.outcome}` before entry: they come nearer to the mean by themselves"
    group = study.outcomes[study.measurement.measured[name].outcome].payment_group
    if group is not None:
        text += f". The payment group is told by `{group.outcome}` before entry: it comes nearer to the mean by itself"
    return text + "."


def _cliff(cliff: Cliff) -> dict[str, Any]:
    return {
        "metric": cliff.metric,
        "wave": cliff.wave,
        "edge": cliff.edge,
        "below": cliff.below,
        "above": cliff.above,
        "distance": None if cliff.distance is None else plain(cliff.distance),
        "p_within_one_se": plain(cliff.p_within_one_se),
    }
