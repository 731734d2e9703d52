"""What a result comes from: the variance by source, the assumptions one at a time, the terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from simengine.documents.blocks import Bullets, PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import ReportFrame
from simengine.documents.pictures import bars, drawing
from simengine.languages.language import DASH, sentence, typed
from simengine.questions.attribute.answer import Attribution
from simengine.questions.attribute.tables import percent_of_whole
from simengine.questions.sensitivity.answer import Sensitivity
from simengine.questions.tradeoffs.answer import Tradeoffs
from simengine.report.picture import MOST_BARS
from simengine.report.term_names import short_names
from simengine.risk.statistics import Statistic

LAYER_NAMES: Mapping[str, str] = {
    "parameters": sentence("what is not known about the numbers (parameters)"),
    "environment": sentence("what happens to everybody at once (environment)"),
    "sampling": sentence("who is served and what becomes of them (sampling)"),
    "measurement": sentence("how it is measured (measurement)"),
}
_MOST_PARTIES = 4
"""In a table."""
_BUYS_OFF: Mapping[str, str] = {
    "parameters": sentence("Information takes it away: a pilot, better data before signing."),
    "environment": sentence(
        "Terms that follow the environment take it away: indexed prices, a floor for the number of people, a shared shock."
    ),
    "sampling": sentence("More people take it away, or several contracts together."),
    "measurement": sentence("A better evaluation takes it away: a larger or fairer comparison."),
}


def attribute_pages(frame: ReportFrame) -> list[ReportPage]:
    """Lay out the variance of each party's result by source."""
    found = frame.answers["attribute"]
    assert isinstance(found, Attribution)
    return [ReportPage("attribute", frame.language.say("Where the uncertainty comes from"), list(_sources(frame, found)))]


def _sources(frame: ReportFrame, found: Attribution) -> Iterator[PageBlock]:
    say = frame.language.say
    n = frame.language.whole(found.n_replications)
    yield Paragraph(
        say(
            "The variance of each party's result, divided between the sources of uncertainty (Shapley shares, which add "
            "up), in {n} families of replications.",
            n=n,
        )
    )
    shown = [party for party in frame.parties if party in found.burdens]
    rows = []
    for layer in found.layers:
        shares = [(found.burdens[party].variance.shapley[layer], found.burdens[party].variance.total) for party in shown]
        rows.append((say(LAYER_NAMES[layer]), *(_of_whole(frame, part, whole) for part, whole in shares)))
    rows.append(
        (
            say("standard deviation of the result, {unit}", unit=frame.language.unit_name(frame.unit)),
            *(frame.cell(found.burdens[party].sd) for party in shown),
        )
    )
    columns = (say("source"), *(frame.full_name(party) for party in shown))
    yield Sheet(say("Share of the variance, per cent"), columns, tuple(rows))
    yield Bullets(
        tuple(say("{source}: {way_out}", source=say(LAYER_NAMES[layer]), way_out=say(_BUYS_OFF[layer])) for layer in found.layers)
    )


def _of_whole(frame: ReportFrame, part: Statistic, whole: Statistic) -> Markup:
    return DASH if whole.value == 0 else Markup(frame.language.numeral(percent_of_whole(part, whole)))


def sensitivity_pages(frame: ReportFrame) -> list[ReportPage]:
    """Lay out what one assumption at a time does to each party."""
    found = frame.answers["sensitivity"]
    assert isinstance(found, Sensitivity)
    return [ReportPage("sensitivity", frame.language.say("One assumption at a time"), list(_tornadoes(frame, found)))]


def _tornadoes(frame: ReportFrame, found: Sensitivity) -> Iterator[PageBlock]:
    say, language, unit = frame.language.say, frame.language, frame.unit
    n = language.whole(found.n_replications)
    yield Paragraph(
        say(
            "Each assumption is put at the value that 1 of 20 draws falls short of, then at the value that 1 of 20 exceeds; "
            "everything else is drawn as always, in {n} replications.",
            n=n,
        )
    )
    for place, party in enumerate(party for party in frame.parties if party in found.parties):
        one = found.parties[party]
        swings = [(path, swing) for path, swing in one.tornado.items() if swing.swing.value][:MOST_BARS]
        yield Subtitle(frame.full_name(party))
        if not swings:
            yield Paragraph(say("No assumption moves its result."))
            continue
        rows = [
            (
                *(typed(path), say("{low} to {high}", low=language.number(swing.low), high=language.number(swing.high))),
                *(frame.cell(swing.at_low), frame.cell(swing.at_high), frame.cell(swing.swing)),
            )
            for path, swing in swings
        ]
        columns = (
            say("assumption"),
            say("from and to"),
            say("result there, first"),
            say("result there, second"),
            say("difference"),
        )
        yield Sheet(say("Result on average, in {unit}", unit=language.unit_name(unit)), columns, tuple(rows), frozenset({0, 1}))
        ends = [(swing.at_low.value / unit[0], swing.at_high.value / unit[0]) for _, swing in swings]
        axis = say("result on average, {unit}", unit=language.unit_name(unit))
        labels = (language.text("low value"), language.text("high value"))
        caption = say("What each assumption by itself does to the result of {party}.", party=frame.name(party))
        paint = bars(language, [path for path, _ in swings], ends, one.mean.value / unit[0], axis, labels=labels)
        yield drawing(paint, f"tornado-{place}", caption, caption)


def tradeoffs_pages(frame: ReportFrame) -> list[ReportPage]:
    """Lay out what each term is worth to each party."""
    found = frame.answers["tradeoffs"]
    assert isinstance(found, Tradeoffs)
    return [ReportPage("tradeoffs", frame.language.say("What each term is worth to whom"), list(_worth(frame, found)))]


def _worth(frame: ReportFrame, found: Tradeoffs) -> Iterator[PageBlock]:
    say, language = frame.language.say, frame.language
    step, n = language.share(found.step), language.whole(found.n_replications)
    yield Paragraph(
        say(
            "The same {n} replications are settled with {step} less and {step} more of each term; a number is the change of "
            "the mean present value for {step} more.",
            step=step,
            n=n,
        )
    )
    names = dict(zip(found.terms, short_names(found.terms), strict=True))
    shown = [party for party in frame.parties if party in found.base]
    # More columns than these would be cut on paper.
    for first in range(0, len(shown), _MOST_PARTIES):
        some = shown[first : first + _MOST_PARTIES]
        rows = [
            (
                typed(names[path]),
                Markup(language.number(term.value, 6)),
                *(frame.cell(term.parties[party].npv.per_step) for party in some),
            )
            for path, term in found.terms.items()
        ]
        columns = (say("term"), say("now"), *(frame.full_name(party) for party in some))
        yield Sheet(say("Change of the present value, in {unit}", unit=language.unit_name(frame.unit)), columns, tuple(rows))
