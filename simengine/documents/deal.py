"""The terms that every party can sign, or the smallest concession that would make a deal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from simengine.documents.blocks import PageBlock, Paragraph, ReportPage, Sheet
from simengine.documents.frame import ReportFrame
from simengine.languages.language import DASH, sentence, typed
from simengine.questions.size.answer import Deal, SizingResult
from simengine.questions.size.no_deal import NoDeal
from simengine.questions.size.search import Candidate
from simengine.report.term_names import written
from simengine.report.units import measure_unit

_RULES: Mapping[str, str] = {
    "equal_sacrifice": sentence("every party gives up the same share of what it could have at best"),
    "nash": sentence("the product of what the parties gain is largest (Nash)"),
    "total": sentence("the sum of what the parties gain is largest"),
}


def size_pages(frame: ReportFrame) -> list[ReportPage]:
    """Write the recommended terms, or why there are none."""
    found = frame.answers["size"]
    assert isinstance(found, SizingResult)
    say = frame.language.say
    n, sheets = frame.language.whole(found.n_replications), frame.language.whole(len(found.points))
    blocks: list[PageBlock] = [
        Paragraph(say("{sheets} term sheets were settled on the same {n} replications.", sheets=sheets, n=n))
    ]
    blocks += _deal(frame, found, found.deal) if found.deal is not None else []
    blocks += _no_deal(frame, found, found.no_deal) if found.no_deal is not None else []
    return [ReportPage("size", say("Terms that all can sign"), blocks)]


def _deal(frame: ReportFrame, found: SizingResult, deal: Deal) -> Iterator[PageBlock]:
    say = frame.language.say
    rule = say(_RULES[found.table.rule]) if found.table.objectives else say("the tightest limit is kept by the widest margin")
    yield Paragraph(
        say("There is a deal. Of the terms that keep every limit these are recommended, because {rule}.", rule=rule), "answer"
    )
    present = found.present.terms if found.present is not None else [None] * len(found.table.free)
    rows = tuple(
        (typed(path), *(_number(frame, one) for one in (free.low, free.high, now, then)))
        for (path, free), now, then in zip(found.table.free.items(), present, deal.recommended.terms, strict=True)
    )
    yield Sheet(say("The recommended terms"), (say("term"), say("from"), say("to"), say("now"), say("recommended")), rows)
    yield from _wishes(frame, found, deal)
    limits = tuple(
        (typed(str(limit)), *(frame.language.statistic(one, measure_unit(frame.study, limit.measure)[0]) for one in (then, fresh)))
        for limit, then, fresh in zip(found.table.limits, deal.recommended.limits, deal.fresh.limits, strict=True)
    )
    if limits:
        yield Sheet(
            say("The limits of the parties"),
            (say("limit"), say("with the recommended terms"), say("in fresh replications")),
            limits,
        )


def _wishes(frame: ReportFrame, found: SizingResult, deal: Deal) -> Iterator[PageBlock]:
    if not found.table.objectives:
        return
    say, statistic = frame.language.say, frame.language.statistic
    rows = []
    for place, measure in enumerate(found.table.objectives):
        scale = measure_unit(frame.study, measure)[0]
        now = None if found.present is None else found.present.objectives[place]
        others = (deal.recommended.objectives[place], deal.best[place].objectives[place], deal.fresh.objectives[place])
        rows.append((typed(str(measure)), *(statistic(one, scale) for one in (now, *others))))
    columns = (
        say("objective"),
        say("now"),
        say("recommended"),
        say("the best it could have"),
        say("recommended, in fresh replications"),
    )
    caption = say("What each party has of it; money in {unit}", unit=frame.language.unit_name(frame.unit))
    yield Sheet(caption, columns, tuple(rows))


def _no_deal(frame: ReportFrame, found: SizingResult, none: NoDeal) -> Iterator[PageBlock]:
    say = frame.language.say
    yield Paragraph(say("No deal exists: no terms within the ranges keep every limit."), "answer")
    if none.binding:
        limits = Markup("; ").join(typed(str(limit)) for limit in none.binding)
        yield Paragraph(say("These limits stand in the way: {limits}.", limits=limits))
    if not none.relaxations:
        yield Paragraph(
            say(
                "No single limit that is moved would make a deal. Closest come these terms: {terms}.",
                terms=_terms(frame, found, none.closest),
            )
        )
        return
    rows = tuple(
        (
            typed(str(one.limit)),
            frame.language.statistic(one.to, measure_unit(frame.study, one.limit.measure)[0]),
            _terms(frame, found, one.point),
        )
        for one in none.relaxations
    )
    columns = (say("limit that gives way"), say("must move to"), say("terms that all can then sign"))
    yield Sheet(say("The smallest concessions, the smallest first"), columns, rows, frozenset({0, 2}))


def _terms(frame: ReportFrame, found: SizingResult, point: Candidate) -> Markup:
    return Markup(", ").join(
        typed(path) + " " + _number(frame, value) for path, value in zip(found.table.free, point.terms, strict=True)
    )


def _number(frame: ReportFrame, value: float | None) -> Markup:
    return DASH if value is None else Markup(frame.language.numeral(written(value)))
