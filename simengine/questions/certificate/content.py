"""What JSON says of a payment-error certificate, with warnings in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired

from simengine.config import Study
from simengine.questions.certificate.answer import Bias, Certificate, Cliff, CountedDeadweight, PowerPoint, TermChance
from simengine.report.answers import Heading, answer_heading
from simengine.report.units import metric_unit, to_digits
from simengine.risk.statistics import Statistic


class CertificateContent(Heading):
    """A payment-error certificate; what has no sentence here is told in `Certificate`."""

    contingent_terms: tuple[str, ...]
    promise: Mapping[str, float]
    p_pay_no_effect: Statistic
    p_no_pay_promised_effect: Statistic
    expected_paid_for_nothing: Statistic
    expected_withheld: Statistic
    expected_payment_on_truth: Statistic
    power_curve: tuple[PowerPoint, ...]
    terms: Mapping[str, TermChance]
    outcomes: NotRequired[Mapping[str, CountedDeadweight]]
    cliffs: tuple[Cliff, ...]
    bias_no_effect: Mapping[str, Statistic]
    """By metric: mean estimate if the service changes nothing and the truth is 0."""
    pays_from: Mapping[str, float | None]
    """By metric: the level from which the contract pays; null if it does so always or never."""
    breaks_even_from: Mapping[str, float | None]
    """By metric: the level from which all terms together return the money drawn; null as above."""
    warnings: list[str]
    """Sentences: each metric whose bias exceeds the level from which the contract pays, by more than two Monte Carlo standard errors."""


def certificate(study: Study, found: Certificate) -> CertificateContent:
    """Return what JSON says of a payment-error certificate."""
    content: CertificateContent = {
        **answer_heading(study, found),
        "contingent_terms": found.contingent_terms,
        "promise": found.promise,
        "p_pay_no_effect": found.p_pay_no_effect,
        "p_no_pay_promised_effect": found.p_no_pay_promised_effect,
        "expected_paid_for_nothing": found.expected_paid_for_nothing,
        "expected_withheld": found.expected_withheld,
        "expected_payment_on_truth": found.expected_payment_on_truth,
        "power_curve": found.power_curve,
        "terms": found.terms,
        "outcomes": found.outcomes,
        "cliffs": found.cliffs,
        "bias_no_effect": {name: bias.estimate for name, bias in found.bias_no_effect.items()},
        "pays_from": {name: bias.pays_from for name, bias in found.bias_no_effect.items()},
        "breaks_even_from": {name: bias.breaks_even_from for name, bias in found.bias_no_effect.items()},
        "warnings": certificate_warnings(study, found),
    }
    if not found.outcomes:
        del content["outcomes"]
    return content


def certificate_warnings(study: Study, found: Certificate) -> list[str]:
    """Return warnings where the contract pays without any effect."""
    return [_warning(study, name, bias) for name, bias in found.bias_no_effect.items() if bias.is_paid]


def _warning(study: Study, name: str, bias: Bias) -> str:
    assert bias.pays_from is not None
    scale, unit = metric_unit(study, name)
    unit = f" {unit}" if unit else ""
    estimate = f"{to_digits(bias.estimate.value / scale)} ± {to_digits(bias.estimate.se / scale, 1)}{unit}"
    text = f"{name}: where the service changes nothing, the evaluator still sees {estimate} on average. "
    text += f"This exceeds {to_digits(bias.pays_from / scale, 6)}{unit}, where the contract begins to pay"
    if bias.breaks_even and bias.breaks_even_from is not None:
        text += f", and {to_digits(bias.breaks_even_from / scale, 6)}{unit}, where the investor gets the money drawn back"
    selection = study.population.selection
    if selection is not None:
        text += f". People are selected by `{selection.outcome}` before entry: they come nearer to the mean by themselves"
    group = study.outcomes[study.measurement.measured[name].outcome].payment_group
    if group is not None:
        text += f". The payment group is told by `{group.outcome}` before entry: it comes nearer to the mean by itself"
    return text + "."
