"""How often the contract pays for nothing, and withholds what was earned: the payment-error certificate."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from simengine.documents.blocks import KeyFigures, PageBlock, Paragraph, ReportPage, Sheet
from simengine.documents.frame import ReportFrame
from simengine.documents.pictures import curve, drawing
from simengine.languages.language import typed
from simengine.questions.certificate.answer import Bias, Certificate
from simengine.report.units import metric_unit, to_digits


def certificate_pages(frame: ReportFrame) -> list[ReportPage]:
    """Write the certificate."""
    found = frame.answers["certificate"]
    assert isinstance(found, Certificate)
    blocks = [
        *_chances(frame, found),
        *_terms(frame, found),
        *_outcomes(frame, found),
        *_power(frame, found),
        *_warnings(frame, found),
    ]
    return [ReportPage("certificate", frame.language.say("Paid for nothing, or withheld for something"), blocks)]


def _chances(frame: ReportFrame, found: Certificate) -> Iterator[PageBlock]:
    say, chance = frame.language.say, frame.language.chance
    yield KeyFigures(
        (
            (say("chance of a payment although the service changes nothing"), chance(found.p_pay_no_effect)),
            (say("chance of no payment although the promised effect comes"), chance(found.p_no_pay_promised_effect)),
        )
    )
    terms = Markup(", ").join(map(typed, found.contingent_terms))
    promised = Markup(", ").join(
        typed(f"{path.removeprefix('effect.')} {frame.language.number(value)}") for path, value in found.promise.items()
    )
    yield Paragraph(
        say(
            "A payment is one under the terms that depend on results ({terms}), in {n} replications. On average {nothing} "
            "is paid for "
            "nothing, and {withheld} of what the true effect has earned is withheld where the promise is kept.",
            terms=terms,
            n=frame.language.whole(found.n_replications),
            nothing=frame.money(found.expected_paid_for_nothing),
            withheld=frame.money(found.expected_withheld),
        )
    )
    if promised:
        yield Paragraph(say("The promised effect: {promised}.", promised=promised), "note")


def _terms(frame: ReportFrame, found: Certificate) -> Iterator[PageBlock]:
    if len(found.terms) < 2:
        return
    say, chance = frame.language.say, frame.language.chance
    rows = [
        (
            *(typed(name), chance(one.p_pay_no_effect), frame.cell(one.expected_no_effect)),
            *(chance(one.p_pay_promised_effect), frame.cell(one.expected_promised_effect)),
        )
        for name, one in found.terms.items()
    ]
    columns = (
        say("term"),
        say("no effect: chance"),
        say("no effect: payment"),
        say("as promised: chance"),
        say("as promised: payment"),
    )
    yield Sheet(say("Term by term, in {unit}", unit=frame.language.unit_name(frame.unit)), columns, tuple(rows))


def _outcomes(frame: ReportFrame, found: Certificate) -> Iterator[PageBlock]:
    if not found.outcomes:
        return
    say, statistic = frame.language.say, frame.language.statistic
    rows = [
        (
            *(typed(name), statistic(one.number_no_effect, 1.0), frame.cell(one.paid_no_effect)),
            *(
                statistic(one.number_promised_effect, 1.0),
                frame.cell(one.paid_promised_effect),
                frame.language.chance(one.deadweight),
            ),
        )
        for name, one in found.outcomes.items()
    ]
    columns = (
        *(say("outcome"), say("no effect: number"), say("no effect: paid"), say("as promised: number"), say("as promised: paid")),
        say("share that would have come anyway"),
    )
    yield Sheet(say("Outcome by outcome, in {unit}", unit=frame.language.unit_name(frame.unit)), columns, tuple(rows))


def _power(frame: ReportFrame, found: Certificate) -> Iterator[PageBlock]:
    say, points = frame.language.say, found.power_curve
    rows = [
        (
            say("{multiple} times the promise", multiple=frame.language.numeral(f"{point.multiple:z.2f}")),
            frame.language.chance(point.p_pay),
            frame.cell(point.expected_payment),
        )
        for point in points
    ]
    columns = (say("true effect"), say("chance of a payment"), say("payment on average"))
    yield Sheet(say("What is paid for how much effect, in {unit}", unit=frame.language.unit_name(frame.unit)), columns, tuple(rows))
    paint = curve(
        frame.language,
        [point.multiple for point in points],
        [100 * point.p_pay.value for point in points],
        [196 * point.p_pay.se for point in points],
        (say("true effect, in multiples of the promise"), say("chance of a payment, %")),
    )
    caption = say("The chance of a payment by the size of the true effect, with 95 % intervals.")
    yield drawing(paint, "power", caption, caption)


def _warnings(frame: ReportFrame, found: Certificate) -> Iterator[PageBlock]:
    for name, bias in found.bias_no_effect.items():
        if bias.is_paid:
            yield Paragraph(_warning(frame, name, bias), "warning")


def _warning(frame: ReportFrame, name: str, bias: Bias) -> Markup:
    say, scale = frame.language.say, metric_unit(frame.study, name)[0]
    assert bias.pays_from is not None

    def level(value: float, digits: int) -> str:
        return frame.language.numeral(to_digits(value / scale, digits))

    text = say(
        "Where the service changes nothing, the evaluator still sees {estimate} of {metric} on average, and the contract pays from "
        "{level}.",
        estimate=Markup('<data value="{}">{}</data>').format(bias.estimate.value, level(bias.estimate.value, 3)),
        metric=typed(name),
        level=level(bias.pays_from, 6),
    )
    if bias.breaks_even and bias.breaks_even_from is not None:
        text += " " + say("From {level} the investor gets its money back.", level=level(bias.breaks_even_from, 6))
    return text
