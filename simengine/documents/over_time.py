"""The cash of each party over time: its fan, how much it must find at most, when it has it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from simengine.documents.blocks import PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import ReportFrame
from simengine.documents.pictures import drawing, fan
from simengine.languages.language import DASH
from simengine.questions.cash.answer import CashOverTime
from simengine.questions.cash.periods import Period, date_of
from simengine.risk.statistics import Statistic, Summary

_MOST_MONTHS = 240


def cash_pages(frame: ReportFrame) -> list[ReportPage]:
    """Lay out the cash of the parties over time."""
    found = frame.answers["cash"]
    assert isinstance(found, CashOverTime)
    return [ReportPage("cash", frame.language.say("Cash over time"), [*_needs(frame, found), *_fans(frame, found)])]


def _needs(frame: ReportFrame, found: CashOverTime) -> Iterator[PageBlock]:
    say, language = frame.language.say, frame.language
    yield Paragraph(
        say(
            "Cash that is received less cash that is paid, added up from the start, in {n} replications. The peak need is "
            "the most by "
            "which a party is out of pocket at the end of a month.",
            n=language.whole(found.n_replications),
        )
    )
    rows = []
    for party in _shown(frame, found):
        one = found.parties[party]
        deepest, payback = one.deepest_month.get("p50"), one.payback_months.get("p50")
        rows.append(
            (
                frame.full_name(party),
                *(frame.cell(one.peak_funding.get(level)) for level in ("mean", "p95")),
                *(_month(frame, found, month) for month in (deepest, payback)),
                language.chance(one.payback_status.get("never")),
            )
        )
    columns = (
        *(say("party"), say("peak need on average"), say("1 of 20 needs more than"), say("month of the peak, median")),
        *(say("paid back from, median"), say("chance that it is never paid back")),
    )
    yield Sheet(say("How much money each party must find, in {unit}", unit=language.unit_name(frame.unit)), columns, tuple(rows))


def _shown(frame: ReportFrame, found: CashOverTime) -> list[str]:
    return [party for party in frame.parties if party in found.parties]


def _month(frame: ReportFrame, found: CashOverTime, one: Statistic | None) -> Markup:
    if one is None:
        return DASH
    return Markup('<data value="{}">{}</data>').format(one.value, frame.language.month(date_of(found.start, int(one.value))))


def _fans(frame: ReportFrame, found: CashOverTime) -> Iterator[PageBlock]:
    say, shown = frame.language.say, _shown(frame, found)
    by_date = found.so_far("month" if found.flows.n_months <= _MOST_MONTHS else "quarter", shown)
    for place, party in enumerate(shown):
        yield Subtitle(frame.full_name(party))
        peak = found.parties[party].peak_funding["mean"]
        told = say(
            "Cumulative cash of {party} over the years; its peak need is {peak} on average.",
            party=frame.name(party),
            peak=frame.money(peak),
        )
        ends, curves, deepest = _curves(found.start, by_date[party], frame.unit[0])
        yield drawing(fan(frame.language, ends, curves, frame.unit, deepest), f"cash-{place}", told, told)


def _curves(
    start: str, periods: Sequence[tuple[Period, Summary]], unit: float
) -> tuple[list[float], dict[str, list[float]], tuple[float, float] | None]:
    year, month = (int(part) for part in start.split("-"))
    begin = year + (month - 1) / 12
    # Cash is shown at the end of its month, so that a curve begins at 0.
    ends = [begin, *(begin + (period.last_month + 1) / 12 for period, _ in periods)]
    levels = [level for level in ("mean", "p05", "p25", "p75", "p95") if all(level in cumulative for _, cumulative in periods)]
    curves = {level: [0.0, *(cumulative[level].value / unit for _, cumulative in periods)] for level in levels}
    mean = curves["mean"]
    place = min(range(len(mean)), key=mean.__getitem__)
    return ends, curves, (ends[place], mean[place]) if mean[place] < 0 else None
