"""Bad times: what each named stress does, in words, and what it does to the parties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import nan

from markupsafe import Markup

from simengine.config.stresses import Stressed
from simengine.documents.blocks import Bullets, PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import ReportFrame
from simengine.documents.pictures import bars, drawing
from simengine.languages.language import DASH, Language, sentence, typed
from simengine.questions.stress import named
from simengine.questions.stress.answer import TOGETHER, Stressing, StressTest
from simengine.sections import OWN

NAMES: Mapping[str, str] = {
    "volume": sentence("fewer people"),
    "success": sentence("weaker effect"),
    "timing": sentence("later and shorter effect"),
    "counterfactual_drift_against": sentence("drift, measured effect too low"),
    "counterfactual_drift_for": sentence("drift, measured effect too high"),
    "attrition": sentence("more people are lost"),
    "payer_delay": sentence("payers pay late"),
    "cost_overrun": sentence("higher costs"),
    "shock_in_the_window": sentence("stronger shocks"),
    "fewer_outcomes": sentence("fewer outcomes"),
    "later_outcomes": sentence("later outcomes"),
    TOGETHER: sentence("all of them at once"),
}
_SEVERITIES = (sentence("adverse"), sentence("severe"))
_WORDS: Mapping[str, str] = {
    "volume": sentence("{first} or {second} of the people come."),
    "success": sentence("The service does {first} or {second} of its effect."),
    "timing": sentence("Effects take {first} or {second} times as long to come, and last {third} or {fourth} as long."),
    "counterfactual_drift_against": sentence(
        "The level without the service moves unseen by {first} or {second} a year, so that the effect looks too small."
    ),
    "counterfactual_drift_for": sentence(
        "The level without the service moves unseen by {first} or {second} a year, so that the effect looks too large."
    ),
    "attrition": sentence("The evaluator loses {first} or {second} more of the people, fewer take part and more leave."),
    "payer_delay": sentence("Payers pay {first} or {second} months late; what they owe is the same."),
    "cost_overrun": sentence("Costs are {first} or {second} higher, for whoever bears them."),
    "shock_in_the_window": sentence("Shocks are {first} or {second} times as strong."),
    "fewer_outcomes": sentence("{first} or {second} of the outcomes that are counted person by person are reached."),
    "later_outcomes": sentence("Outcomes that are counted person by person are reached {first} or {second} months later."),
    TOGETHER: sentence("All of these that hurt, at once."),
}


def _shares(language: Language, pair: tuple[float, float]) -> tuple[str, ...]:
    return tuple(map(language.share, pair))


def _plain(language: Language, pair: tuple[float, float]) -> tuple[str, ...]:
    return tuple(map(language.number, pair))


def _sizes(language: Language) -> dict[str, tuple[str, ...]]:
    more: tuple[float, float] = (named.OVERRUN[0] - 1, named.OVERRUN[1] - 1)
    return {
        "volume": _shares(language, named.VOLUME),
        "success": _shares(language, named.STRENGTH),
        "timing": (*_plain(language, named.LATER), *_shares(language, named.SOONER)),
        "counterfactual_drift_against": _shares(language, named.DRIFT_PER_YEAR),
        "counterfactual_drift_for": _shares(language, named.DRIFT_PER_YEAR),
        "attrition": _shares(language, named.LOST_BY_EVALUATOR),
        "payer_delay": _plain(language, named.DELAY_MONTHS),
        "cost_overrun": _shares(language, more),
        "shock_in_the_window": _plain(language, named.SHOCK),
        "fewer_outcomes": _shares(language, named.REACHED),
        "later_outcomes": _plain(language, named.LATER_MONTHS),
    }


def stress_name(language: Language, name: str, severity: str) -> Markup:
    """Name a stress with how bad it is: a named one in words, one of the study as it was typed."""
    if severity == OWN:
        return typed(name)
    return language.say("{stress}, {severity}", stress=language.say(NAMES[name]), severity=language.say(severity))


def severe_ones(found: StressTest) -> Iterator[tuple[str, str, Stressing]]:
    """Yield the worse severity of each stress, with its name."""
    for name, by_severity in found.stresses.items():
        severity = list(by_severity)[-1]
        yield name, severity, by_severity[severity]


def stress_pages(frame: ReportFrame) -> list[ReportPage]:
    """Say what each stress does, and what becomes of each party."""
    say, found = frame.language.say, frame.answers["stress"]
    assert isinstance(found, StressTest)
    return [ReportPage("stress", say("Bad times"), [*_what_they_do(frame, found), *_what_becomes(frame, found)])]


def _what_they_do(frame: ReportFrame, found: StressTest) -> Iterator[PageBlock]:
    say, language = frame.language.say, frame.language
    n = language.whole(found.n_replications)
    yield Paragraph(
        say(
            "Every stress is tried on the same people and with the same random numbers, in {n} replications. Where two "
            "sizes are named, the first is the adverse one and the second the severe one.",
            n=n,
        )
    )
    places, sizes, items = ("first", "second", "third", "fourth"), _sizes(language), []
    for name, by_severity in found.stresses.items():
        if OWN in by_severity:
            changes = Markup("; ").join(_changed(language, path, one) for path, one in frame.study.stresses[name].items())
            items.append(say("{stress}: {change}", stress=typed(name), change=changes))
        elif name in NAMES:
            change = say(_WORDS[name], **dict(zip(places, sizes.get(name, ()), strict=False)))
            items.append(say("{stress}: {change}", stress=say(NAMES[name]), change=change))
    yield Bullets(tuple(items))
    if found.not_applicable:
        names = Markup(", ").join(say(NAMES[name]) for name in found.not_applicable)
        yield Paragraph(say("This study does not say enough for: {names}.", names=names), "note")


def _changed(language: Language, path: str, one: Stressed) -> Markup:
    """Say what a stress of the study makes of a number."""
    if one.value is not None:
        return language.say("{path} is {value}", path=typed(path), value=language.number(one.value, 6))
    if one.quantile is not None:
        return language.say("{path} is at its {level} quantile", path=typed(path), level=language.share(one.quantile))
    shift = language.numeral(f"{one.shift:+g}")
    return language.say("{path} is shifted by {shift} standard deviations", path=typed(path), shift=shift)


def _what_becomes(frame: ReportFrame, found: StressTest) -> Iterator[PageBlock]:
    say, language, unit = frame.language.say, frame.language, frame.unit
    rows = [(name, severity, one) for name, by in found.stresses.items() for severity, one in by.items()]
    for place, party in enumerate(party for party in frame.parties if party in found.base):
        base, knows = found.base[party], frame.knows_loss(party)
        yield Subtitle(frame.full_name(party))
        if all(one.moved[party].npv.value == 0 and one.moved[party].npv.se == 0 for _, _, one in rows):
            yield Paragraph(say("No stress moves its money."))
            continue
        told = [
            (
                stress_name(language, name, severity),
                frame.cell(one.standings[party].npv),
                frame.cell(one.moved[party].npv),
                language.chance(one.standings[party].p_loss) if knows else DASH,
            )
            for name, severity, one in rows
        ]
        told.insert(0, (say("as it is"), frame.cell(base.npv), Markup(""), language.chance(base.p_loss) if knows else DASH))
        columns = (say("stress"), say("present value"), say("change"), say("chance of a loss"))
        yield Sheet(say("Present value, discounted, in {unit}", unit=language.unit_name(unit)), columns, tuple(told))
        severe = list(severe_ones(found))
        ends = [(one.standings[party].npv.value / unit[0], nan) for _, _, one in severe]
        names = [str(stress_name(language, name, severity).striptags()) for name, severity, _ in severe]
        errors = [1.96 * one.moved[party].npv.se / unit[0] for _, _, one in severe]
        axis = say("mean present value, {unit}", unit=language.unit_name(unit))
        caption = say("The worse size of each stress; the line is the study as it is.")
        yield drawing(bars(language, names, ends, base.npv.value / unit[0], axis, errors), f"stress-{place}", caption, caption)
